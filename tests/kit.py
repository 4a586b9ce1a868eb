"""What many tests need, as plain functions; the fixtures `cli` and `plugin` are in conftest.py."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

Answer = tuple[int, str, str]  # exit status, stdout, stderr
Cli = Callable[..., Answer]


def noise(n: int, seed: int = 0, level: float = 0.1) -> np.ndarray:
    """Return white noise of so many samples."""
    return level * np.random.default_rng(seed).standard_normal(n)


def refused(answer: Answer, *parts: str) -> None:
    """Assert exit status 2 and one or two lines on stderr that hold these parts."""
    status, out, err = answer
    assert (status, out) == (2, ""), answer
    assert err.startswith("srbench: ")
    assert 1 <= len(err.splitlines()) <= 2
    assert "Traceback" not in err
    for part in parts:
        assert part in err


def wait_until(is_so: Callable[[], object], seconds: float = 600.0) -> None:
    """Wait for something that must come; the limit is for what never does, on however busy a machine."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.002)
