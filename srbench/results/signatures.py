"""Which signatures there are: of the named protocols and their metrics, and those that runs and leaderboards hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from srbench.errors import SrbenchError
from srbench.metrics import METRICS
from srbench.protocols import load_protocol, protocol_names
from srbench.results.board_file import read_board
from srbench.run.manifest import MANIFEST, Manifest
from srbench.signature import short

_RATES = (8000, 16000, 22050, 24000, 32000, 44100, 48000)


def find_signature(short_form: str, places: Sequence[Path] = ()) -> tuple[str, str] | None:
    """Return the signature of a short form (`srbench.signature.short`), and where it was found; None if nowhere.

    Parameters
    ----------
    short_form : str
    places : sequence of Path
        Leaderboards, folders of runs, and folders that have either somewhere below. What cannot be read is passed over.
    """
    name = short_form.rpartition("-")[0]
    known = (pair for source in (_of_protocols(), _of_places(places)) for pair in source)
    return next((pair for pair in known if pair[0].partition("|")[0] == name and short(pair[0]) == short_form), None)


def _of_protocols() -> Iterator[tuple[str, str]]:
    for name in protocol_names():
        protocol = load_protocol(name)
        yield str(protocol.signature()), f"protocol {name}"
        for metric in METRICS:
            yield from _of_metric(metric, protocol.high_rate, protocol.cutoff, f"{metric} of protocol {name}")
    for rate in _RATES:
        for metric in METRICS:
            yield from _of_metric(metric, rate, None, f"{metric} at {rate} Hz")


def _of_metric(metric: str, rate: int, cutoff: float | None, where: str) -> Iterator[tuple[str, str]]:
    try:
        yield str(METRICS[metric].signature(rate, cutoff)), where
    except SrbenchError:  # not defined at this rate, or its package is not installed
        return


def _of_places(places: Sequence[Path]) -> Iterator[tuple[str, str]]:
    for place in places:
        manifests = sorted(place.rglob(MANIFEST)) if place.is_dir() else []
        for path in manifests:
            try:
                manifest = Manifest.read(path.parent)
            except SrbenchError:
                continue
            yield from ((text, str(path.parent)) for text in (manifest.protocol_signature, *manifest.metrics.values()))
        for path in sorted(place.rglob("*.csv")) if place.is_dir() else [place]:
            try:
                board = read_board(path)
            except SrbenchError:
                continue
            values = [value.signature for row in board.rows[:1] for value in row.values.values()]
            yield from ((text, str(path)) for text in (board.signature, *values))
