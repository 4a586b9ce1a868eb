"""Stochastic models, run several times: each draw is kept, a value is the mean, and the spread is told."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from srbench.errors import SrbenchError
from srbench.protocols import load_protocol
from srbench.report.notes import footnotes
from srbench.results import aggregate_run
from srbench.results.board import Board
from srbench.results.board_file import read_board, write_board
from srbench.results.rows import make_row, spread_of
from srbench.results.validate import check_run
from srbench.run import Entrant, make_plan, open_run, run_entrant
from srbench.run.basis import of_protocol
from srbench.run.command import parsed
from srbench.run.workers import Where

PLAN = make_plan(load_protocol("demo"), limit=3, metrics=("snr", "lsd"))
PLUGIN = """
    import numpy as np
    from srbench.upscaler import upscaler

    @upscaler("draws")
    def draws(low, low_rate, high_rate):
        return low.repeat(4) + 0.003 * np.random.standard_normal(4 * len(low))

    @upscaler("fails_once")
    def fails_once(low, low_rate, high_rate):
        if np.random.random() < 0.5:
            raise ValueError("no luck")
        return low.repeat(4)
"""


def test_a_value_is_the_mean_of_draws_and_the_first_is_that_of_one_run(plugin: Path, tmp_path: Path) -> None:
    entrant = Entrant("draws", plugins=(plugin,))
    once = run_entrant(PLAN, entrant, tmp_path)
    run = run_entrant(PLAN, entrant, tmp_path, draws=3, where=Where(2))
    assert run.folder != once.folder
    assert once.records[0].draws == {}
    for one, record in zip(once.records, run.records, strict=True):
        for metric in ("snr", "lsd"):
            values = record.draws[metric]
            assert len(set(values)) == 3
            assert values[0] == one.values[metric]
            assert record.values[metric] == fmean(values)
    with (run.folder / "draws.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["utterance"], row["draw"]) for row in rows[:4]] == [
        *(("demo1_001", str(draw)) for draw in range(3)),
        ("demo1_002", "0"),
    ]
    assert not (once.folder / "draws.csv").exists()
    assert open_run(run.folder).records == run.records


def test_the_board_says_how_many_and_how_they_spread(plugin: Path, tmp_path: Path) -> None:
    run = run_entrant(PLAN, Entrant("draws", plugins=(plugin,)), tmp_path, draws=3)
    means = np.array([record.draws["snr"] for record in run.records]).mean(axis=0)
    assert spread_of(run)["snr"] == pytest.approx(means.std(ddof=1))
    row = make_row(run, aggregate_run(run))
    assert row.draws.startswith("3: snr ")
    assert row.document()["draws"]["n"] == 3
    assert any("3 draws" in note for note in footnotes(Board("demo", (row,))))
    write_board(Board("demo", (row,)), tmp_path / "demo.csv")
    assert read_board(tmp_path / "demo.csv").rows[0].draws == row.draws


def test_an_edited_mean_is_found(plugin: Path, tmp_path: Path) -> None:
    run = run_entrant(PLAN, Entrant("draws", plugins=(plugin,)), tmp_path, draws=2)
    run.records[0].values["snr"] += 1.0
    assert any("mean of its 2 draws" in str(each) for each in check_run(run, of_protocol(PLAN.protocol)).findings)


def test_a_draw_that_fails_costs_the_utterance(plugin: Path, tmp_path: Path) -> None:
    run = run_entrant(PLAN, Entrant("fails_once", plugins=(plugin,)), tmp_path, draws=8)
    assert all("no luck" in record.error for record in run.records)


def test_draws_of_a_program_have_other_seeds(tmp_path: Path) -> None:
    script = tmp_path / "infer.py"
    script.write_text(
        "import sys, pathlib, numpy as np, soundfile\n"
        "rng = np.random.default_rng(int(sys.argv[3]))\n"
        "for file in sorted(pathlib.Path(sys.argv[1]).rglob('*.wav')):\n"
        "    low, rate = soundfile.read(file)\n"
        "    noise = 0.003 * rng.standard_normal(4 * len(low))\n"
        "    soundfile.write(pathlib.Path(sys.argv[2], file.name), low.repeat(4) + noise, 4 * rate)\n"
    )
    run = run_entrant(PLAN, parsed("p", f"'{sys.executable}' '{script}' {{in}} {{out}} {{seed}}"), tmp_path, draws=2)
    assert [len(set(record.draws["snr"])) for record in run.records] == [2, 2, 2]


def test_what_makes_nothing_is_taken_once(tmp_path: Path) -> None:
    assert run_entrant(PLAN, Entrant("reference", anchor=True), tmp_path, draws=5).manifest.draws == 1


def test_batches_and_draws_do_not_go_together(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    with pytest.raises(SrbenchError, match="--seeds"):
        run_entrant(PLAN, Entrant("stacked", batch=2), tmp_path, draws=2)
