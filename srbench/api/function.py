"""A function of a Python session as an entrant: it is run in this process, or sent to worker processes.

It is the user's own code, so it needs no process of its own: an exception costs its utterance, as in any run, but a
crash in C ends the session, and nothing can end a call that hangs. It sees a copy of the low-resolution signal alone.
"""

from __future__ import annotations

import hashlib
import inspect
import random
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter
from typing import Any

import numpy as np

from srbench.audio import Samples
from srbench.errors import SrbenchError, UpscalerError, shown
from srbench.names import check_name
from srbench.protocols import Prepared, Protocol
from srbench.run import Entrant
from srbench.run.manifest import Provenance, tell_of
from srbench.run.model import seed_all
from srbench.upscaler import BuiltUpscaler, Upscaler

MADE_BY = "a function of a Python session"
_NUMBERS = count()
_BUILT: dict[str, BuiltUpscaler] = {}  # in each process, by `FunctionEntrant.key`


@dataclass(frozen=True)
class FunctionEntrant(Entrant):
    """An upscaler that is an object of this session.

    Attributes
    ----------
    key : str
        Of the built upscaler in this process.
    content : bytes
        The upscaler as it is sent to other processes; empty where it stays in this one.
    about : mapping
        What a run records of it.
    """

    key: str = ""
    content: bytes = field(default=b"", repr=False)
    about: Mapping[str, Any] = field(default_factory=dict, hash=False, repr=False)

    def provenance(self, protocol: Protocol) -> Provenance:
        """Return what is known of it; there is no name under which anybody could run it again.

        Raises
        ------
        SrbenchError
            If it does not support the protocol's rates.
        """
        self._built().check_rates(protocol.low_rate, protocol.high_rate)
        return tell_of(self.name, {**self.about, "name": self.name, "kind": "upscaler"})

    def takes_batches(self) -> bool:
        """Tell whether several signals can go through it together: a session's function gets one at a time."""
        return False

    def make_ready(self) -> None:
        """Build it in this process, if it was sent here."""
        self._built()

    def close(self) -> None:
        """Do nothing: it has no process of its own."""

    def estimate(
        self,
        prepared: Prepared,
        protocol: Protocol,
        seed: int = 0,
        seconds: float | None = None,
        *,
        utterance_id: str = "",
    ) -> tuple[Samples, float]:
        """Return the estimate of one low-resolution signal, and the seconds that it took; see `Entrant.estimate`.

        The global random generators are seeded for the call, and put back after it.
        """
        built = self._built()
        with _seeded(seed):
            started = perf_counter()
            estimate = built(prepared.low, protocol.low_rate, protocol.high_rate)
            return estimate, perf_counter() - started

    def estimate_batch(
        self, lows: Sequence[Samples], protocol: Protocol, seed: int = 0, seconds: float | None = None
    ) -> tuple[list[Samples], float]:
        """Refuse: it gets one signal at a time."""
        raise UpscalerError(f"upscaler {self.name} takes one signal at a time")

    def _built(self) -> BuiltUpscaler:
        if self.key not in _BUILT:
            import cloudpickle

            try:
                upscaler: Upscaler = cloudpickle.loads(self.content)  # our own, from the process that started this one
            except Exception as error:
                raise UpscalerError(
                    f"upscaler {self.name} cannot be loaded in a worker process ({type(error).__name__}: "
                    f"{shown(error)}); use workers=1"
                ) from error
            _BUILT[self.key] = upscaler.build(self.device, precision=self.precision)
        return _BUILT[self.key]


def function_entrant(
    upscaler: Upscaler | Callable[..., Any],
    *,
    name: str | None = None,
    workers: int = 1,
    device: str | None = None,
    precision: str | None = None,
) -> FunctionEntrant:
    """Return an entrant for a function, a class or an `Upscaler` of this session.

    Parameters
    ----------
    upscaler : callable or Upscaler
        ``(low, low_rate, high_rate) -> array``, or what `srbench.upscaler.upscaler` made.
    name : str, optional
        For tables; the function's own by default.
    workers : int
        With more than one it must be sent to other processes.
    device, precision : str, optional
        For a class whose constructor takes them.

    Raises
    ------
    SrbenchError
        If it is nothing that can be called, cannot be built, or cannot be sent.
    """
    made = upscaler if isinstance(upscaler, Upscaler) else _named(upscaler)
    shown_name = name if name is not None else made.name
    check_name("an upscaler's name", shown_name)
    if "@" in shown_name or ":" in shown_name:
        raise SrbenchError(f"the name of a function cannot hold @ or a colon: '{shown(shown_name)}'")
    content = b"" if workers == 1 else _sent(made, shown_name)
    built = made.build(device, precision=precision)
    key = f"{shown_name}-{next(_NUMBERS)}"
    _BUILT[key] = built
    about = {**built.describe(), "made_by": MADE_BY, **_source(made.target)}
    return FunctionEntrant(shown_name, device=device, precision=precision, key=key, content=content, about=about)


def forget(entrant: FunctionEntrant) -> None:
    """Let this process forget the upscaler of an entrant."""
    _BUILT.pop(entrant.key, None)


def _named(target: Callable[..., Any]) -> Upscaler:
    if not callable(target):
        raise SrbenchError(
            "evaluate takes an upscaler's name, a function (low, low_rate, high_rate) -> array, or an Upscaler, "
            f"not {type(target).__name__}"
        )
    name = getattr(target, "__name__", type(target).__name__)
    told = (inspect.getdoc(target) or "").split("\n")[0] if hasattr(target, "__name__") else ""
    return Upscaler("lambda" if name == "<lambda>" else name, target, None, told)


def _sent(upscaler: Upscaler, name: str) -> bytes:
    """Return an upscaler as bytes: code of the session goes by value, code of modules by their names."""
    import cloudpickle

    try:
        return bytes(cloudpickle.dumps(upscaler))
    except Exception as error:  # whatever an object's own __reduce__ raises
        raise SrbenchError(
            f"{name} cannot be sent to worker processes ({type(error).__name__}: {shown(error)}). "
            "Use workers=1, or do not hold open files, locks or connections in it"
        ) from error


def _source(target: Any) -> dict[str, str]:
    """Return the SHA-256 of the source, where Python still has it; what a function closes over is not in it."""
    try:
        text = textwrap.dedent(inspect.getsource(target))
    except (OSError, TypeError):
        return {}
    return {"source_sha256": hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()}


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the global generators as a model's own process does, and give the session its own state back."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 (the session's global generator)
    torch: Any = sys.modules.get("torch")
    devices = range(torch.cuda.device_count()) if torch and torch.cuda.is_initialized() else ()
    try:
        with torch.random.fork_rng(devices) if torch else nullcontext():
            seed_all(seed)
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
