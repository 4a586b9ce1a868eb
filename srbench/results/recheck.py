"""Computing rows of a run again from the audio: some of them, and where a table contradicts the rows, more.

Which ones is drawn by the operating system when the run lies there: nobody who makes one can know. To *run again*
is to have the upscaler make the estimate; to *measure again* is to take the estimate that the run brought with it.

Values are compared with a tolerance, because another processor, or another build of NumPy or torch, adds up in another
order: the same upscaler differs from itself in the sixth or seventh digit there.
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from srbench.corpora import Corpus
from srbench.errors import SrbenchError
from srbench.metrics import Definition, get_metric
from srbench.results.validate import RunFault
from srbench.run import Record, Run
from srbench.run.basis import RUN, Basis

TOLERANCE = 1e-4
# An estimate kept as 32-bit floats has a rounding noise 150 dB below it. That is in the digits that TOLERANCE leaves
# out, unless the metric divides by the estimate's power where there is none: an LSD with a relative floor.
KEPT_TOLERANCE = 1e-2
SAME = 1e-5  # means of two runs of one upscaler on two machines
HUNTED = 100  # rows computed again at most, to name the one that a table contradicts
DIFFER = "differ"
_SILENCE_DB = 100.0  # beyond it a ratio in dB measures the rounding of the computation


@dataclass(frozen=True)
class Recheck:
    """How many rows were computed again, what did not agree, why more could not be (a line, or ""), and how it was."""

    rows: int
    findings: tuple[RunFault, ...]
    note: str = ""
    how: str = RUN

    @property
    def cell(self) -> str:
        """What a leaderboard's row tells of it: ``3 run again``, ``0``, ``1 of 3 run again differ``."""
        if self.findings:
            differ = len({finding.row for finding in self.findings})
            return f"{differ} of {max(differ, self.rows)} {self.how} {DIFFER}"
        return f"{self.rows} {self.how}" if self.rows else "0"


def agree(metric: str, a: float, b: float, tolerance: float) -> bool:
    """Tell whether two values of a metric are the same but for the last digits.

    Relative; for dB and MOS, which may be near 0, at least ``tolerance`` of their unit. Two values in dB beyond
    100 dB agree.
    """
    if a == b or (math.isnan(a) and math.isnan(b)):
        return True
    unit = get_metric(metric).unit
    if unit == "dB" and min(a, b) > _SILENCE_DB:
        return True
    return math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance * (1.0 if unit in ("dB", "MOS") else 1e-6))


def recheck(
    run: Run,
    basis: Basis,
    corpus: Corpus | None,
    *,
    rows: int | None,
    plugins: Sequence[Path] = (),
    suspects: Mapping[str, Collection[str]] | None = None,
    draw: random.Random | None = None,
) -> Recheck:
    """Compute rows of a run again and compare.

    The upscaler is run again where it is there and what it was; else the estimates that the run kept are measured.
    Audio that was made elsewhere is read again from where it lies.

    Parameters
    ----------
    run : Run
        Checked by `srbench.results.validate.check_run`.
    basis : Basis
        The protocol, or what it was scored against.
    corpus : Corpus or None
        From `Basis.corpora`; None where there is none.
    rows : int or None
        How many, None for all.
    plugins : sequence of Path
    suspects : mapping of speaker to metric names
        Beside the sample, compute these metrics of these speakers' rows until one differs, `HUNTED` at most.
    draw : random.Random, optional
        Draws which rows; the operating system does by default.
    """
    if rows == 0:
        return Recheck(0, ())
    if corpus is None:
        return Recheck(0, (), f"not rechecked: {basis.absent}")
    here = corpus.by_id()
    drawn = [record for record in _in_drawn_order(run, draw) if record.utterance in here and not record.error]
    if run.records and all(record.error for record in run.records):
        return Recheck(0, (), "not rechecked: nothing of it has a value, it failed on every utterance")
    if not drawn:
        return Recheck(0, (), f"not rechecked: none of its utterances are in {corpus.root}")
    definitions = basis.define_metrics(run.manifest.metrics)
    try:
        again = basis.again(run, corpus, plugins)
    except SrbenchError as error:
        return Recheck(0, (), f"not rechecked: {_first_line(error)}")
    sample = drawn if rows is None else drawn[:rows]
    jobs = [(record, definitions) for record in sample]
    suspects = suspects or {}
    hunted = [record for record in drawn[len(sample) :] if record.speaker in suspects][:HUNTED]
    jobs += [(record, {name: definitions[name] for name in suspects[record.speaker]}) for record in hunted]
    found: list[RunFault] = []
    done, note = 0, ""
    for number, (record, asked) in enumerate(jobs):
        if found and number >= len(sample):
            break
        try:
            values = again.values(here[record.utterance], asked)
        except SrbenchError as error:
            if again.kept:
                note = note or f"rechecked in part: {_first_line(error)}"
            else:
                found.append(RunFault("utterances.csv", record.utterance, f"cannot be made again: {error}"))
            continue
        done += 1
        found += _compare(record, values, asked, again.kept)
    return Recheck(done, tuple(found), note, again.how)


def _in_drawn_order(run: Run, draw: random.Random | None) -> list[Record]:
    records = list(run.records)
    (draw or random.SystemRandom()).shuffle(records)
    return records


def _compare(
    record: Record, values: Mapping[str, float], definitions: Mapping[str, Definition], kept: bool
) -> list[RunFault]:
    found = []
    for name, definition in definitions.items():
        relative_floor = "|floor:ratio" in str(definition.signature())
        tolerance = KEPT_TOLERANCE if kept and relative_floor else TOLERANCE
        told, here = record.values.get(name, math.nan), values.get(name, math.nan)
        if not agree(name, told, here, tolerance):
            text = f"{name} is {told!r}, and computed again it is {here!r}"
            found.append(RunFault("utterances.csv", record.utterance, text))
    return found


def _first_line(error: SrbenchError) -> str:
    return str(error).splitlines()[0]
