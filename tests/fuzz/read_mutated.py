"""Read mutated audio files in a process of its own, in bounded memory: what breaks it, breaks only it.

``python read_mutated.py FIRST LAST FOLDER`` writes each file into FOLDER, reads it by every reader, and prints one JSON
document. ``FOLDER/current`` names the file that is being read, should the process not live to tell.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from mutated_audio import mutated, valid

from srbench import audio
from srbench.corpora import Corpus, Utterance
from srbench.corpora.verify import verify
from srbench.errors import SrbenchError
from srbench.upscaling import upscale_file

ROOM = 512 << 20  # bytes of memory beyond what the process has when it begins
UPSCALED = 20  # one file of so many, which is what takes the time


def limit_memory() -> None:
    """Let the process have `ROOM` more than it has; an allocation beyond that raises MemoryError."""
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * os.sysconf("SC_PAGE_SIZE") + ROOM
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def faults_of(path: Path, outcomes: Counter[str], upscale: bool) -> list[str]:
    """Return what no reader may do with a file; count in `outcomes` what came of it."""
    found = []
    for reader in (audio.info, audio.read_channels, audio.read, *([_upscaled] if upscale else [])):
        try:
            given = reader(path)
        except SrbenchError as error:
            outcomes[f"{reader.__name__} refused"] += 1
            if not 1 <= len(str(error).splitlines()) <= 2:
                found.append(f"{reader.__name__}: a message that is not one or two lines: {error}")
            continue
        except BaseException as error:  # this is what is looked for
            found.append(f"{reader.__name__}: {type(error).__name__}: {error}")
            continue
        outcomes[f"{reader.__name__} read"] += 1
        found += [f"{reader.__name__}: {fault}" for fault in _wrong_in(given)]
    utterance = Utterance(path.stem, "nobody", path)
    try:
        findings = verify(Corpus("folder", path.parent, (utterance,)))
        outcomes[f"verify {findings[0].kind if findings else 'fine'}"] += 1
        found += [f"verify: {each.detail!r}" for each in findings if len(each.detail.splitlines()) != 1]
    except BaseException as error:
        found.append(f"verify: {type(error).__name__}: {error}")
    return found


def _upscaled(path: Path) -> audio.AudioInfo:
    target = path.with_name("upscaled.wav")
    upscale_file(path, target, "spline", rate=96_000, overwrite=True)
    return audio.info(target)


def _wrong_in(given: object) -> list[str]:
    if isinstance(given, audio.AudioInfo):
        rate, wrong = given.sample_rate, given.channels < 1 or given.frames < 0
    else:
        samples, rate = given
        wrong = samples.dtype != np.float64 or samples.size == 0 or samples.ndim not in (1, 2)
        wrong |= samples.ndim == 1 and not np.isfinite(samples).all()
    return [f"gave {given}"] if wrong or not audio.LOWEST_RATE <= rate <= audio.HIGHEST_RATE else []


def main(first: int, last: int, folder: Path) -> None:
    """Read the files ``first`` to ``last - 1`` and print what came of it."""
    warnings.simplefilter("error")
    # what is loaded or made once is so before memory is limited
    (folder / "first.wav").write_bytes(next(data for _, data in valid() if len(data) > 1000))
    faults_of(folder / "first.wav", Counter(), upscale=True)
    limit_memory()
    outcomes: Counter[str] = Counter()
    faults = {}
    with (folder / "current").open("w") as current:
        for number in range(first, last):
            file = mutated(number)
            os.pwrite(current.fileno(), f"{file.name:<60}".encode(), 0)
            path = folder / file.name
            path.write_bytes(file.data)
            found = faults_of(path, outcomes, upscale=number % UPSCALED == 0)
            if found:
                faults[file.name] = found
            path.unlink()
    print(json.dumps({"files": last - first, "outcomes": outcomes, "faults": faults}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
