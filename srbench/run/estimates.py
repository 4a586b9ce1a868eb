"""Estimates that took long to make are kept, so that another metric, or a second look, does not run the model again.

Each lies in a file of its own, named by a hash of all that it was made from: the recording's bytes, what the protocol
makes of it, the upscaler and its weights, the seed, the versions of the numerical packages.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from srbench.audio import Samples
from srbench.files import UNFINISHED, beside, clear_unfinished, open_file
from srbench.protocols import Protocol
from srbench.run.manifest import Provenance, versions

FOLDER = ".estimates"  # in the folder of results
LEAST_SECONDS = 0.05  # what is made in less is made again
LEAST_FREE = 100_000_000  # bytes of the disk that are left to results
_FULL = -1
_HEADERS = 4096  # bytes that an archive may hold beside the samples
# in a process, by folder and limit: bytes that it may write before it looks again, or _FULL
_LEFT: dict[tuple[Path, int], int] = {}
_OF_NO_MATTER = ("corpus", "split")  # fields of a protocol's signature that one recording's estimate does not depend on


@dataclass(frozen=True)
class Estimates:
    """The estimates of one entrant under one protocol.

    Attributes
    ----------
    folder : Path
    made_by : str
        Digest of all that they have in common.
    most : int, in bytes
        That the folder may hold, of all entrants; N processes may come to hold N sixteenths more.
    """

    folder: Path
    made_by: str
    most: int

    def find(self, utterance_id: str, stamp: str, samples: int) -> tuple[Samples, float] | None:
        """Return a kept estimate and the seconds that it took, None where there is none, or not a whole one.

        Parameters
        ----------
        utterance_id : str
            The seed depends on it.
        stamp : str
            SHA-256 of the recording's file.
        samples : int
            That it must have.
        """
        try:
            path = self._path(utterance_id, stamp)
            if path.parent.is_symlink() or self.folder.is_symlink():
                return None
            with open_file(path, links=False) as opened, np.load(opened, allow_pickle=False) as file:
                if sum(member.file_size for member in file.zip.infolist()) > 8 * samples + _HEADERS:  # unpacked
                    return None
                estimate, seconds = file["estimate"], float(file["seconds"])
        except Exception:  # a damaged archive raises a dozen kinds of error; its estimate is made again
            return None
        good = estimate.shape == (samples,) and estimate.dtype.kind == "f" and bool(np.isfinite(estimate).all())
        return (estimate.astype(np.float64), seconds) if good and math.isfinite(seconds) else None

    def keep(self, utterance_id: str, stamp: str, estimate: Samples, seconds: float) -> None:
        """Keep an estimate, as 32-bit floats where that is exact; where there is no room it is not kept."""
        if not self._has_room(estimate.nbytes):
            return
        path = self._path(utterance_id, stamp)
        short = estimate.astype(np.float32)
        exact = np.array_equal(short.astype(np.float64), estimate)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.parent.is_symlink() or self.folder.is_symlink():
                return
            with beside(path) as unfinished, unfinished.open("wb") as file:
                np.savez(file, estimate=short if exact else estimate, seconds=np.float64(seconds))

    def of_draw(self, draw: int) -> Estimates:
        """Return where the estimates of another draw are kept."""
        return replace(self, made_by=hashlib.sha256(f"{self.made_by}/{draw}".encode()).hexdigest()) if draw else self

    def _has_room(self, size: int) -> bool:
        left = _LEFT.get((self.folder, self.most), 0)
        if 0 <= left < size:
            left = min(self.most - kept_bytes(self.folder), max(size, self.most // 16))
        with contextlib.suppress(OSError):
            left = min(left, shutil.disk_usage(self.folder.parent).free - LEAST_FREE)
        fits = left >= size
        _LEFT[self.folder, self.most] = left - size if fits else _FULL
        return fits

    def _path(self, utterance_id: str, stamp: str) -> Path:
        digest = hashlib.sha256(f"{self.made_by}\n{utterance_id}\n{stamp}".encode()).hexdigest()
        return self.folder / digest[:2] / f"{digest[2:]}.npz"


def estimates_in(results: Path, protocol: Protocol, provenance: Provenance, seed: int, most: int) -> Estimates:
    """Return where the estimates of an entrant lie in a folder of results, which may keep so many bytes of them."""
    made = protocol.signature().fields
    told = {
        "protocol": [f"{key}:{value}" for key, value in made if key not in _OF_NO_MATTER],
        "upscaler": provenance.told,
        "seed": seed,
        "versions": versions(),
    }
    text = json.dumps(told, sort_keys=True, ensure_ascii=True, default=str)
    return Estimates(results / FOLDER, hashlib.sha256(text.encode()).hexdigest(), most)


def kept_bytes(estimates: Path) -> int:
    """Return how many bytes a folder of estimates holds."""
    total = 0
    for folder, _, names in os.walk(estimates):
        if any(name.endswith(UNFINISHED) for name in names):
            clear_unfinished(Path(folder))
        for name in names:
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(folder, name)).st_size
    return total
