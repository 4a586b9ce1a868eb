"""How long a large leaderboard takes: 50 upscalers on 3000 utterances of 9 speakers, 14 metrics, made up in a folder.

    python benchmarks/bench_publish.py [UPSCALERS [UTTERANCES]]

No audio is made and no row is computed again; every other check of ``srbench publish`` is done.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from srbench.corpora import Corpus, Utterance
from srbench.protocols import Protocol, load_protocol
from srbench.report.site import build_site
from srbench.report.tables import write_tables
from srbench.results import aggregate_run, write_aggregates
from srbench.results.publish import publish
from srbench.run import Plan, Record, Run
from srbench.run.journal import append, open_journal
from srbench.run.manifest import identity_of, manifest, tell_of
from srbench.run.record import write_records

SPEAKERS = 9
LEAST = {"pesq": 1.1, "pesq_nb": 1.1}  # the metrics' values are drawn from 0.1, or from here, to 0.9 above


def main(upscalers: int = 50, utterances: int = 3000) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan = make_plan_of(folder, utterances)
        names = ["spline", *(f"network_{number:02}" for number in range(upscalers - 1))]
        for number, upscaler in enumerate(names):
            make_run(folder / "results", plan, upscaler, number)
        known = {plan.protocol.name: plan.protocol}
        times: list[tuple[str, float, float]] = []
        with measured("validate, merge, write", times):
            outcome = publish([folder / "results"], folder / "leaderboard", protocols=known, rows=0)
        assert len(outcome.published) == upscalers, outcome.aside
        with measured("Markdown and LaTeX", times):
            write_tables(outcome.boards[plan.protocol.name], folder / "leaderboard")
        with measured("site, without audio", times):
            build_site(folder / "site", list(outcome.boards.values()), outcome.runs, corpora={}, protocols=known)
    print(f"| {upscalers} upscalers, {utterances} utterances | seconds | of this process |\n|---|---|---|")
    for what, seconds, own in (*times, ("all", *(sum(column) for column in list(zip(*times, strict=True))[1:]))):
        print(f"| {what} | {seconds:.1f} | {own:.1f} |")


@contextmanager
def measured(what: str, times: list[tuple[str, float, float]]) -> Iterator[None]:
    """Note the seconds on the clock, and those of this process: on a busy machine they differ."""
    started = time.perf_counter(), time.process_time()
    yield
    times.append((what, time.perf_counter() - started[0], time.process_time() - started[1]))


def make_plan_of(folder: Path, utterances: int) -> Plan:
    """Write a protocol like ``demo`` with a split of its own, and plan it on recordings that do not exist."""
    ids = sorted(f"p{300 + number % SPEAKERS}_{number:04}" for number in range(utterances))
    (folder / "ids.txt").write_text("".join(f"{each}\n" for each in ids))
    (folder / "large.split.toml").write_text('corpus = "vctk-0.80"\n[sides]\ntest = { ids = "ids.txt" }\n')
    demo = load_protocol("demo")
    text = (demo.folder / "demo.toml").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith(("corpus", "split")):
            key = line.split(" ")[0]
            value = "vctk-0.80" if key == "corpus" else "large.split.toml"
            text = text.replace(line, f'{key} = "{value}"')
    path = folder / "large.toml"
    path.write_text(text, encoding="utf-8")
    protocol: Protocol = load_protocol(path)
    found = tuple(Utterance(each, each.split("_")[0], folder / f"{each}.wav") for each in ids)
    corpus = Corpus("vctk-0.80", folder, found)
    return Plan(
        protocol,
        protocol.signature(),
        corpus,
        found,
        protocol.load_split().name,
        protocol.side,
        len(ids),
        len(ids),
        True,
        (),
        protocol.define_metrics(),
    )


def make_run(results: Path, plan: Plan, upscaler: str, seed: int) -> None:
    """Write the folder of a run that never was."""
    told = {"name": upscaler, "kind": "upscaler", "distribution": "none", "version": "1"}
    known = identity_of(plan, tell_of(upscaler, told), 0)
    folder = results / plan.protocol.name / known.folder_name
    folder.mkdir(parents=True)
    made = manifest(plan, known, [])
    made.write(folder)
    records = _records(plan, np.random.default_rng(seed))
    with open_journal(folder / "journal.jsonl") as journal:
        for record in records:
            append(journal, record)
    write_records(folder, records, tuple(plan.definitions))
    run = Run(folder, made, tuple(records))
    write_aggregates(run, aggregate_run(run))


def _records(plan: Plan, generator: np.random.Generator) -> Sequence[Record]:
    names = tuple(plan.definitions)
    drawn = generator.uniform(0.1, 0.9, (len(plan.utterances), len(names)))
    drawn += [LEAST.get(name, 0.1) - 0.1 for name in names]
    return [
        Record(
            utterance.id,
            utterance.speaker,
            utterance.path.name,
            "",
            file_rate=48000,
            samples=48000,
            seconds=3.0,
            values=dict(zip(names, values, strict=True)),
            upscale_seconds=0.1,
            metric_seconds=0.1,
        )
        for utterance, values in zip(plan.utterances, drawn.tolist(), strict=True)
    ]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
