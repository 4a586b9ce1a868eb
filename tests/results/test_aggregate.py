"""Aggregation: means over what has a value, with failures and undefined values counted beside them, never in them."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest
from made_runs import made_manifest

from srbench.results import Aggregate, aggregate_run, write_aggregates
from srbench.results.aggregate import aggregation, real_time_factor
from srbench.run import Record, Run
from srbench.run.record import write_records
from srbench.table import read_table

SIGNATURES = {"snr": "SNR|of:power|log:10log10|floor:none|v:1", "mse": "MSE|full_scale:1|v:1"}


def run_of(folder: Path, *records: Record, expected: int | None = None) -> Run:
    split = {"expected": len(records) if expected is None else expected}
    manifest = made_manifest(metrics=SIGNATURES, split=split, protocol_signature="PROTOCOL|v:1")
    return Run(folder, manifest, records)


def ok(name: str, speaker: str, snr: float | None, mse: float = 0.5) -> Record:
    values = {"mse": mse} if snr is None else {"snr": snr, "mse": mse}
    undefined = {} if snr is not None else {"snr": "the reference is silent: SNR is undefined"}
    return Record(name, speaker, f"{name}.wav", "", 16000, 4800, values=values, undefined=undefined)


def failed(name: str, speaker: str) -> Record:
    return Record(name, speaker, f"{name}.wav", "", error="it broke, badly")


def test_mean_n_and_signature(tmp_path: Path) -> None:
    found = aggregate_run(run_of(tmp_path, ok("1", "a", 1.0), ok("2", "a", 2.0), ok("3", "b", 6.0), expected=5))
    assert list(found) == ["snr", "mse"]
    snr = found["snr"]
    assert isinstance(snr, Aggregate)
    assert (snr.mean, snr.n, snr.undefined, snr.failed, snr.expected) == (3.0, 3, 0, 0, 5)
    assert snr.interval == (1.5, 6.0)
    assert snr.resampled == "speakers"
    assert snr.signature == SIGNATURES["snr"]
    assert aggregation(snr.n, snr.expected) == "agg:mean.utterance|n:3/5"


def test_infinities_of_both_signs_have_no_mean(tmp_path: Path) -> None:
    snr = aggregate_run(run_of(tmp_path, ok("1", "a", math.inf), ok("2", "a", -math.inf), ok("3", "b", 1.0)))["snr"]
    assert math.isnan(snr.mean)
    assert snr.n == 3
    assert math.isinf(aggregate_run(run_of(tmp_path, ok("1", "a", math.inf), ok("2", "a", 1.0)))["snr"].mean)


def test_failures_and_undefined_are_not_numbers(tmp_path: Path) -> None:
    lines = [
        ok("1", "a", 1.0),
        failed("2", "a"),
        ok("3", "b", None, 0.0),
        ok("4", "b", 3.0),
    ]
    found = aggregate_run(run_of(tmp_path, *lines))
    snr, mse = found["snr"], found["mse"]
    assert (snr.mean, snr.n, snr.undefined, snr.failed) == (2.0, 2, 1, 1)
    assert (mse.mean, mse.n, mse.undefined, mse.failed) == (pytest.approx(1 / 3), 3, 0, 1)
    assert (aggregation(snr.n, snr.expected), aggregation(mse.n, mse.expected)) == (
        "agg:mean.utterance|n:2/4",
        "agg:mean.utterance|n:3/4",
    )


def test_no_values_at_all(tmp_path: Path) -> None:
    run = run_of(tmp_path, failed("1", "a"), failed("2", "b"))
    found = aggregate_run(run)
    assert math.isnan(found["snr"].mean)
    assert (found["snr"].n, found["snr"].failed, found["snr"].undefined) == (0, 2, 0)
    assert found["snr"].resampled == "nothing"
    write_aggregates(run, found)
    assert pd.read_csv(tmp_path / "aggregates.csv")["mean"].isna().all()
    assert pd.read_csv(tmp_path / "speakers.csv")["failed"].tolist() == [1, 1]


def test_infinite_value_makes_an_infinite_mean_without_interval(tmp_path: Path) -> None:
    snr = aggregate_run(run_of(tmp_path, ok("1", "a", math.inf), ok("2", "b", 3.0)))["snr"]
    assert (snr.mean, snr.n, snr.resampled) == (math.inf, 2, "nothing")
    assert all(map(math.isnan, snr.interval))


def test_names_that_look_like_something_else(tmp_path: Path) -> None:
    """Ids are texts: numbers keep their zeros, and "NA" is a name."""
    lines = [ok(name, name, 1.0) for name in ("001", "NA", "nan", "1e5", "True", "é")]
    run = run_of(tmp_path, *lines)
    write_records(tmp_path, run.records, ("snr", "mse"))
    rows = read_table(tmp_path / "utterances.csv")[1:]
    assert [row[:2] for row in rows] == [[name, name] for name in ("001", "NA", "nan", "1e5", "True", "é")]
    write_aggregates(run, aggregate_run(run))
    speakers = pd.read_csv(tmp_path / "speakers.csv", dtype={"speaker": str}, keep_default_na=False)
    assert speakers["speaker"].tolist() == sorted(["001", "NA", "nan", "1e5", "True", "é"])
    assert (speakers["n"] == 1).all()


def test_every_digit_is_kept(tmp_path: Path) -> None:
    value = 0.1 + 0.2
    write_records(tmp_path, [ok("1", "a", value, 5e-324)], ("snr", "mse"))
    assert [float(cell) for cell in read_table(tmp_path / "utterances.csv")[1][-2:]] == [value, 5e-324]


def test_files_of_aggregates(tmp_path: Path) -> None:
    run = run_of(tmp_path, ok("1", "b", 1.0), ok("2", "b", 2.0), ok("3", "a", 6.0), failed("4", "a"))
    found = aggregate_run(run)
    write_aggregates(run, found)
    aggregates = pd.read_csv(tmp_path / "aggregates.csv", index_col="metric")
    assert list(aggregates.index) == ["snr", "mse"]
    row = aggregates.loc["snr"]
    assert (row["mean"], row["ci95_low"], row["ci95_high"]) == (found["snr"].mean, *found["snr"].interval)
    assert (row["n"], row["undefined"], row["failed"], row["expected"]) == (3, 0, 1, 4)
    assert (row["unit"], row["better"], row["signature"]) == ("dB", "higher", SIGNATURES["snr"])
    assert (row["aggregation"], row["protocol_signature"]) == ("agg:mean.utterance|n:3/4", "PROTOCOL|v:1")
    assert aggregates.loc["mse", "better"] == "lower"
    speakers = pd.read_csv(tmp_path / "speakers.csv", index_col="speaker")
    assert list(speakers.index) == ["a", "b"]
    assert list(speakers.columns) == ["n", "failed", "snr", "mse"]
    assert speakers.loc["a"].tolist() == [2, 1, 6.0, 0.5]
    assert speakers.loc["b"].tolist() == [2, 0, 1.5, 0.5]
    assert b"\r" not in (tmp_path / "aggregates.csv").read_bytes() + (tmp_path / "speakers.csv").read_bytes()


def test_real_time_factor_is_the_median_of_ratios(tmp_path: Path) -> None:
    def record(name: str, seconds: float | None, upscale: float | None) -> Record:
        return Record(name, "a", name, (1, 1), seconds=seconds, upscale_seconds=upscale)

    records = (record("1", 2.0, 1.0), record("2", 1.0, 3.0), record("3", 4.0, 1.0), record("4", 1.0, None))
    assert real_time_factor(run_of(tmp_path, *records)) == 0.5
    assert real_time_factor(run_of(tmp_path, record("4", 1.0, None), record("5", None, None))) is None
