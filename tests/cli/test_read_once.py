"""A run is read once and passed on: how often commands open its files, as the operating system is asked to."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from srbench.cli.main import main

RUN = ("run", "--protocol", "demo", "--limit", "2", "--no-anchors")
listeners: list[list[Path]] = []


@cache  # an audit hook cannot be taken away again
def listen() -> None:
    def note(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and listeners and isinstance(arguments[0], str):
            listeners[-1].append(Path(arguments[0]))

    sys.addaudithook(note)


@contextmanager
def opened() -> Iterator[list[Path]]:
    """Gather the paths that are opened within the block."""
    listen()
    listeners.append([])
    try:
        yield listeners[-1]
    finally:
        listeners.pop()


def finished(*arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    assert ended.value.code == 0


def test_run_does_not_read_back_the_table_that_it_has_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with opened() as paths:
        finished(*RUN, "--metric", "snr", "--model", "linear", "--json")
    assert list(tmp_path.glob("results/demo/linear-*/utterances.csv"))
    assert "utterances.csv" not in {path.name for path in paths}


def test_publish_with_a_site_opens_each_file_of_three_runs_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    models = ("spline", "linear", "hold")
    finished(*RUN, *(word for name in models for word in ("--model", name)))
    with opened() as paths:
        finished("publish", "--allow-partial", "--site", "site", "--utterances", "2", "--recheck", "0")
    assert (tmp_path / "site/demo/listen.html").is_file()
    for name in ("utterances.csv", "journal.jsonl", "manifest.json"):
        times = Counter(path.parent.name.split("-")[0] for path in paths if path.name == name)
        assert times == dict.fromkeys(models, 1), name
