"""Files that were mixed up: estimates that do not fit their reference, but another one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from srbench import audio
from srbench.audio import Samples
from srbench.errors import SrbenchError
from srbench.folders.pairing import FilePair
from srbench.scoring.faults import LEAST_CONFIDENCE
from srbench.scoring.given import Given
from srbench.scoring.spectra import Spectra

MOST = 24  # pairs that do not match: every estimate is compared with every reference, so the work grows as its square
SECONDS = 4.0  # from the start


def find_swapped(pairs: Sequence[FilePair], channels: str | None = None) -> dict[str, str]:
    """Return, for pairs that do not match, whose reference the estimate fits instead: id to id.

    Parameters
    ----------
    pairs : sequence of FilePair
        Those that do not match; of more than 24 the first.
    channels : str, optional
        What is taken of files with several.
    """
    some = [pair for pair in pairs if pair.estimate is not None][:MOST]
    references = {pair.id: _start(pair.reference, channels) for pair in some}
    found = {}
    for pair in some:
        estimate = _start(pair.estimate, channels) if pair.estimate is not None else None
        fits = {
            other: Spectra(Given(reference[0], estimate[0], estimate[1])).delay.confidence
            for other, reference in references.items()
            if reference is not None and estimate is not None and other != pair.id and reference[1] == estimate[1]
        }
        best = max(fits, key=lambda other: fits[other], default=None)
        if best is not None and fits[best] >= LEAST_CONFIDENCE:
            found[pair.id] = best
    return found


def _start(path: Path, channels: str | None) -> tuple[Samples, int] | None:
    try:
        samples, rate = audio.read(path, channels)
    except SrbenchError:  # its row says so
        return None
    return samples[: round(SECONDS * rate)], rate
