"""Mutated inputs: each is read, or refused by a SrbenchError; soon, in bounded memory, and changed by no byte.

Each process reads every so-manieth input. One that crashes or hangs costs that input, which is a finding.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "fuzz")]
LONGEST = 60.0  # seconds that one input may take on a busy machine, where each takes thousandths
PROCESSES = 2


def soak(count: int, seed: int, work: Path) -> tuple[str, list[str]]:
    """Read so many inputs; return a line that says what came of it, and the findings.

    Parameters
    ----------
    count, seed : int
    work : Path
        An empty folder. An input that is found to be read wrongly stays in it.
    """
    from kinds import make_whole

    (work / "whole").mkdir()
    make_whole(work / "whole")
    tellers = [_Reader(n, count, seed, work) for n in range(PROCESSES)]
    while any(not each.done() for each in tellers):
        time.sleep(0.2)
    outcomes = sum((each.outcomes for each in tellers), Counter[str]())
    findings = [finding for each in tellers for finding in each.findings]
    kinds = sorted({key.partition(": ")[0] for key in outcomes})
    parts = [f"{kind} {outcomes[f'{kind}: read']} read, {outcomes[f'{kind}: refused']} refused" for kind in kinds]
    return f"inputs: {sum(outcomes.values())} mutated inputs, {len(findings)} findings ({'; '.join(parts)})", findings


class _Reader:
    """A process that reads its share of the inputs, begun again behind an input that it did not survive."""

    def __init__(self, number: int, count: int, seed: int, work: Path) -> None:
        self._log, self._count, self._seed, self._work = work / f"reader{number}.jsonl", count, seed, work
        self.outcomes: Counter[str] = Counter()
        self.findings: list[str] = []
        self._next, self._seen, self._since = number, 0, time.monotonic()
        self._log.touch()
        self._start()

    def _start(self) -> None:
        told = [str(each) for each in (self._next, self._count, self._seed, self._work, self._log)]
        with self._log.with_suffix(".stderr").open("ab") as stderr:
            self._process = subprocess.Popen([sys.executable, __file__, *told], stderr=stderr, start_new_session=True)
        self._since = time.monotonic()

    def done(self) -> bool:
        """Take in what was read; tell whether all is."""
        ended = self._process.poll()
        content = self._log.read_bytes()
        lines = content[self._seen : content.rfind(b"\n") + 1].splitlines()
        for line in lines:
            told = json.loads(line)
            self._seen += len(line) + 1
            self._next, self._since = told["number"] + PROCESSES, time.monotonic()
            self.outcomes[f"{told['kind']}: {told['outcome']}"] += 1
            if told["why"]:
                self.findings.append(self._finding(told["number"], told["why"]))
        late = time.monotonic() - self._since > LONGEST * 3
        if ended is None and not late:
            return False
        if ended == 0 or self._next >= self._count:
            return True
        if ended is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self.findings.append(self._finding(self._next, "no answer in time" if late else f"the process ended ({ended})"))
        self.outcomes["lost: read"] += 1
        self._next += PROCESSES
        self._start()
        return False

    def _finding(self, number: int, why: str) -> str:
        again = f"{sys.executable} {Path(__file__).parent} --only inputs --seed {self._seed} --input {number}"
        return f"input {number}: {why}\n  again: {again}"


def read(number: int, seed: int, place: Path) -> tuple[str, str, str]:
    """Write and read one input; return its kind, what came of it, and what is wrong with that."""
    from kinds import ROUND, WHOLE, refused

    from srbench.errors import SrbenchError

    kind = ROUND[number % len(ROUND)]
    shutil.rmtree(place, ignore_errors=True)
    (place / "in").mkdir(parents=True)
    (place / "out").mkdir()
    path = kind.write(random.Random(f"{seed} {number}"), WHOLE[0], place / "in")
    before, outcome, why, started = _digests(place / "in"), "read", "", time.monotonic()
    try:
        kind.read(path, number, place / "out")
    except SrbenchError as error:
        outcome = "refused"
        with _told() as wrong:
            refused(error)
        why = "".join(wrong)
    except BaseException as error:  # this is what is looked for
        why = f"{kind.name}: {type(error).__name__}: {error}"[:500]
    if _digests(place / "in") != before:
        why += f" {kind.name}: its bytes were changed"
    if time.monotonic() - started > LONGEST:
        why += f" {kind.name}: it took {time.monotonic() - started:.0f} s"
    return kind.name, outcome, why


def once(number: int, seed: int, work: Path) -> str:
    """Read one input, with its traceback where there is one; return what came of it."""
    from kinds import ROUND, WHOLE, make_whole

    WHOLE[:] = [work / "whole"]
    WHOLE[0].mkdir()
    make_whole(WHOLE[0])
    for folder in ("in", "out"):
        (work / folder).mkdir()
    kind = ROUND[number % len(ROUND)]
    path = kind.write(random.Random(f"{seed} {number}"), WHOLE[0], work / "in")
    warnings.simplefilter("error")
    return f"{kind.name}: {kind.read(path, number, work / 'out')}"


@contextlib.contextmanager
def _told():  # type: ignore[no-untyped-def]
    wrong: list[str] = []
    try:
        yield wrong
    except AssertionError as error:
        wrong.append(str(error))


def _digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def main(first: int, count: int, seed: int, work: Path, log: Path) -> None:
    """Read every so-manieth input from `first` on, and note each in a file, a line of JSON each."""
    import torch
    from kinds import KINDS, ROUND, WHOLE
    from read_mutated import limit_memory

    torch.set_num_threads(1)
    warnings.simplefilter("error")
    WHOLE[:] = [work / "whole"]
    place = work / f"place{first % PROCESSES}"
    for kind in KINDS:  # what is loaded once is so before memory is limited
        read(ROUND.index(kind), seed, place)
    limit_memory()
    with log.open("a", encoding="utf-8") as file:
        for number in range(first, count, PROCESSES):
            kind, outcome, why = read(number, seed, place)
            if why:
                shutil.copytree(place / "in", work / "found" / str(number), dirs_exist_ok=True)
            file.write(json.dumps({"number": number, "kind": kind, "outcome": outcome, "why": why}) + "\n")
            file.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]), Path(sys.argv[5]))
