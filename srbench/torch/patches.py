"""Patches: pairs of a network's input and the reference, cut at random from the utterances of a corpus.

What a step sees depends on the seed, the step and the process alone, so that a training run that was stopped goes on
with the very patches it would have seen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srbench import audio
from srbench.audio import Samples
from srbench.corpora import Utterance
from srbench.corpora.corpus import file_digest
from srbench.degradation import Iir, degrade
from srbench.errors import SrbenchError
from srbench.files import beside, whole_file
from srbench.protocols import Protocol, prepare
from srbench.run import FLOOR
from srbench.upscaler import Upscaler, get_upscaler

Batch = NDArray[np.float32]
MARGIN = 1024  # samples on either side of a patch that is degraded by itself: the filters' and the spline's ends
_KINDS = ("cheby1", "butter", "ellip", "bessel")
_VERSION = 1  # of the cache


@dataclass(frozen=True)
class Patches:
    """Where patches are cut: all utterances joined, inputs in row 0 and references in row 1.

    Attributes
    ----------
    joined : ndarray of float32, shape (2, total)
    ends : ndarray of int, shape (utterances,)
        Where each utterance ends.
    refused : tuple of str
        Why recordings were left out.
    file : Path or None
        Where they are mapped from, so that another process maps it too and gets no copy.
    """

    joined: Batch
    ends: NDArray[np.int64]
    refused: tuple[str, ...] = ()
    file: Path | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        if self.file is None:
            return Patches, (self.joined, self.ends, self.refused)
        return _cached, (self.file.parent, self.file.stem)

    def draw(self, size: int, patch: int, seed: Sequence[int]) -> tuple[Batch, Batch]:
        """Return ``size`` inputs and references, each of shape (size, 1, patch).

        An utterance is drawn in proportion to its length; one that is shorter than a patch is extended by zeros.
        """
        random = np.random.default_rng(seed)
        found = np.zeros((2, size, 1, patch), np.float32)
        for row, at in enumerate(random.integers(self.ends[-1], size=size)):
            which = int(np.searchsorted(self.ends, at, side="right"))
            begin = int(self.ends[which - 1]) if which else 0
            length = int(self.ends[which]) - begin
            start = begin + int(random.integers(max(length - patch, 0) + 1))
            stop = min(start + patch, begin + length)
            found[:, row, 0, : stop - start] = self.joined[:, start:stop]
        return found[0], found[1]

    def draw_filtered(
        self, size: int, patch: int, seed: Sequence[int], low_rate: int, high_rate: int
    ) -> tuple[Batch, Batch]:
        """Return patches whose inputs are made by a random low-pass filter each (Sulun and Davies 2020)."""
        random = np.random.default_rng([*seed, 1])
        scale = high_rate // low_rate
        margin = MARGIN // scale * scale
        _, wide = self.draw(size, patch + 2 * margin, seed)
        inputs = np.zeros((size, 1, patch), np.float32)
        for row, reference in enumerate(wide[:, 0].astype(np.float64)):
            whole = reference[: len(reference) // scale * scale]
            kind = _KINDS[random.integers(len(_KINDS))]
            order = int(random.integers(2, 11))
            low = degrade(whole, high_rate, low_rate, Iir(kind, order, cut=float(random.uniform(0.7, 1.0))))
            made = spline().target(low, low_rate, high_rate)
            inputs[row, 0] = made[margin : margin + patch]
        return inputs, wide[:, :, margin : margin + patch]


def make_patches(
    utterances: Sequence[Utterance],
    protocol: Protocol,
    cache: Path | None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Patches:
    """Make the inputs of all utterances, in memory or in a memory-mapped file that is found again.

    Parameters
    ----------
    utterances : sequence of Utterance
    protocol : Protocol
        Whose rates, level and degradation are used.
    cache : path or None
        A folder for the file; None for memory.
    progress : callable (what, done, total), optional

    Raises
    ------
    SrbenchError
        If no recording can be used, or all are silent. Some that cannot are left out, and said in ``refused``.
    OSError
        If the cache cannot be written.
    """
    key = ""
    if cache is not None:
        files = [f"{u.id} {file_digest(u.path)}" for u in utterances]
        key = hashlib.sha256("\n".join([str(_VERSION), str(protocol.signature()), *files]).encode()).hexdigest()[:16]
        found = _cached(cache, key)
        if found is not None:
            return found
    parts, refused = [], []
    for done, utterance in enumerate(utterances):
        try:
            prepared = prepare(*audio.read(utterance.path, protocol.channels), protocol)
            parts.append(_pair(prepared.reference, prepared.low, protocol))
        except SrbenchError as error:
            refused.append(f"{utterance.id}: {error}")
        if progress:
            progress("preparing", done + 1, len(utterances))
    if not parts:
        why = f"; the first: {refused[0]}" if refused else ""
        raise SrbenchError(f"none of {len(utterances)} recordings can be trained on{why}")
    if not any(reference.any() for _, reference in parts):
        raise SrbenchError(f"all of {len(parts)} recordings to train on are silent; name other data")
    joined, ends = np.concatenate(parts, axis=1), np.cumsum([part.shape[1] for part in parts])
    if cache is None:
        return Patches(joined, ends, tuple(refused))
    cache.mkdir(parents=True, exist_ok=True)
    with whole_file(cache / f"{key}.json") as text:
        json.dump({"ends": ends.tolist(), "refused": refused}, text)
    with beside(cache / f"{key}.npy") as unfinished, unfinished.open("wb") as file:
        np.save(file, joined)
    del joined, parts
    again = _cached(cache, key)
    assert again is not None
    return again


def _pair(reference: Samples, low: Samples, protocol: Protocol) -> Batch:
    raised = spline().target(low, protocol.low_rate, protocol.high_rate)
    return np.stack([raised, reference]).astype(np.float32)


def _cached(cache: Path, key: str) -> Patches | None:
    try:
        told = json.loads((cache / f"{key}.json").read_text(encoding="utf-8"))
        joined = np.load(cache / f"{key}.npy", mmap_mode="r")
    except (OSError, ValueError):
        return None
    ends = np.array(told["ends"], dtype=np.int64)
    if joined.shape != (2, ends[-1]):
        return None
    return Patches(joined, ends, tuple(told["refused"]), cache / f"{key}.npy")


@lru_cache(maxsize=1)
def spline() -> Upscaler:
    """Return the upscaler that raises inputs to the high rate, by its name: nothing here imports baselines."""
    return get_upscaler(f"srbench:{FLOOR}")[0]
