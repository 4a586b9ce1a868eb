"""What is to be heard: the chosen utterances, and of each the reference, the low resolution and every estimate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srbench.audio import Samples
from srbench.corpora import Corpus
from srbench.errors import SrbenchError
from srbench.run import Run
from srbench.run.basis import Basis, Heard

REFERENCE, LOW = "reference", "low-resolution"  # fit for file names as they are
_FULL_SCALE = 32767 / 32768


@dataclass(frozen=True)
class Player:
    """A run, and the signals of its utterances (`srbench.run.basis.Basis.recordings`)."""

    run: Run
    heard: Callable[[str], Heard]

    @property
    def name(self) -> str:
        """The upscaler's name, told apart from the two versions that are no upscaler's."""
        name = self.run.manifest.upscaler.name
        return f"{name} (upscaler)" if name in (REFERENCE, LOW) else name


@dataclass(frozen=True)
class Clip:
    """One utterance in every version.

    Attributes
    ----------
    utterance : str
    rate : int, in Hz
        Of every version: the protocol's high rate.
    versions : dict of name to ndarray of int16, shape (n,)
        `REFERENCE` first, then `LOW` (resampled to the high rate) where there is one, then the upscalers; all scaled
        alike, and as long as the reference.
    gain_db : float
        0, or what all versions were turned down by so that none clips.
    scores : dict of upscaler name to metric values
    """

    utterance: str
    rate: int
    versions: dict[str, NDArray[np.int16]]
    gain_db: float
    scores: dict[str, dict[str, float]]


def players(basis: Basis, runs: Sequence[Run], corpus: Corpus, plugins: Sequence[Path] = ()) -> list[Player]:
    """Return who is to be heard: every run but the anchor that is the reference itself."""
    told = [(run, run.manifest.upscaler) for run in runs]
    heard = [run for run, upscaler in told if not (upscaler.anchor and upscaler.name == REFERENCE)]
    return [Player(run, basis.recordings(run, corpus, plugins)) for run in heard]


def choose_utterances(runs: Sequence[Run], corpus: Corpus, count: int, only: Sequence[str] = ()) -> list[str]:
    """Return the ids of ``only`` that can be heard, or ``count`` evenly spaced through those that every run scored.

    So nobody picks them by ear or by score, and in a corpus sorted by speaker they are of different speakers.
    """
    here = corpus.by_id()
    done = [{record.utterance for record in run.records if not record.error} for run in runs]
    done = [ids for ids in done if ids]
    if not done:
        return []
    if only:
        return [each for each in dict.fromkeys(only) if each in here and any(each in ids for ids in done)]
    shared = sorted(set.intersection(*done) & here.keys())
    if len(shared) <= count:
        return shared
    return [shared[(2 * place + 1) * len(shared) // (2 * count)] for place in range(count)]


def make_clip(rate: int, heard: Sequence[Player], utterance: str) -> tuple[Clip | None, list[str]]:
    """Return an utterance in every version, and notes on those that are not to be had.

    None where there is not one estimate. ``rate`` is that of the signals, in Hz.
    """
    samples: dict[str, Samples] = {}
    scores, notes = {}, []
    for player in heard:
        try:
            reference, low, estimate = player.heard(utterance)
        except SrbenchError as error:
            notes.append(f"{player.name}: {utterance} is not to be heard: {error}")
            continue
        if not samples:
            samples[REFERENCE] = reference
            if low is not None:
                samples[LOW] = _of_length(low, len(reference))
        samples[player.name] = _of_length(estimate, len(reference))
        scores[player.name] = dict(player.run.by_id[utterance].values)
    if not samples:
        return None, notes
    peak = max(float(np.abs(each).max()) for each in samples.values())
    gain = min(1.0, _FULL_SCALE / peak) if peak else 1.0
    versions = {name: np.rint(each * gain * 32768).astype(np.int16) for name, each in samples.items()}
    return Clip(utterance, rate, versions, 20 * float(np.log10(gain)), scores), notes


def _of_length(samples: Samples, length: int) -> Samples:
    return np.pad(samples[:length], (0, max(0, length - len(samples))))
