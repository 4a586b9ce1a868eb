"""`srbench.evaluate` and `Result`: the numbers of the command, functions of a session, what goes wrong."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from kit import Cli

import srbench
from srbench.upscaler import upscaler

FEW = {"metrics": ["snr", "lsd"], "limit": 3}


def repeat(low, low_rate, high_rate):
    """Repeat each sample."""
    return np.repeat(low, high_rate // low_rate)


def other_rates(folder: Path) -> Path:
    """Return a protocol of the demo corpus from 8 to 16 kHz."""
    text = (Path(srbench.load_protocol("demo").folder) / "demo.toml").read_text(encoding="utf-8")
    (folder / "demo-8k.toml").write_text(text.replace("low_rate = 4000", "low_rate = 8000"), encoding="utf-8")
    return folder / "demo-8k.toml"


def test_rows_equal_the_commands_to_the_last_bit(cli: Cli):
    status, out, _ = cli("run", "--model", "hold", "--no-anchors", "--metric", "snr", "--metric", "lsd", "--json")
    assert status == 0
    folder = Path(json.loads(out)["models"][0]["run_dir"])
    with (folder / "utterances.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    result = srbench.evaluate(lambda low, a, b: np.repeat(low, b // a), protocol="demo", metrics=["snr", "lsd"])
    table = result.to_dataframe()
    assert len(table) == len(rows) == 28
    for name in ("snr", "lsd"):
        assert [repr(value) for value in table[name].tolist()] == [row[name] for row in rows]
    for name in ("utterance", "speaker", "file", "status", "error", "undefined"):
        assert table[name].tolist() == [row[name] for row in rows]
    assert table["samples"].tolist() == [int(row["samples"]) for row in rows]
    told = json.loads(out)["models"][0]["metrics"]["snr"]
    summary = result.summary().loc["snr"]
    assert [summary["mean"], summary["ci95_low"], summary["ci95_high"]] == [told["mean"], *told["ci95"]]


def test_workers_give_the_same_numbers_also_for_a_closure():
    gain = 0.5
    results = [srbench.evaluate(lambda low, a, b: gain * np.repeat(low, b // a), workers=n, **FEW) for n in (1, 2)]
    one, two = (result.to_dataframe()["snr"].tolist() for result in results)
    assert one == two
    assert results[0].failures == {}


def test_what_cannot_be_sent_to_workers_is_refused_before_anything_runs():
    lock = threading.Lock()

    def locked(low, a, b):
        with lock:
            return np.repeat(low, b // a)

    with pytest.raises(srbench.SrbenchError, match=r"locked cannot be sent to worker processes.*workers=1"):
        srbench.evaluate(locked, workers=2, **FEW)
    assert not srbench.evaluate(locked, workers=1, **FEW).failures


def test_a_script_needs_no_guard_for_workers(tmp_path: Path):
    script = tmp_path / "mine.py"
    script.write_text(
        "import numpy as np, srbench\n"
        "def twice(low, a, b):\n    return np.repeat(low, b // a)\n"
        "print(len(srbench.evaluate(twice, workers=2, metrics='snr', limit=3).to_dataframe()))\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr


def test_registered_upscalers_by_name_and_upscaler_objects(tmp_path: Path):
    @upscaler("halved", rates=[(4000, 16000)])
    class Halved:
        """Half of everything."""

        def upscale(self, low, low_rate, high_rate):
            return 0.5 * np.repeat(low, high_rate // low_rate)

    result = srbench.evaluate(Halved, **FEW)
    assert result.name == "halved"
    assert result.run.manifest.upscaler.told["description"] == "Half of everything."
    with pytest.raises(srbench.SrbenchError, match="does not support 8000 to 16000"):
        srbench.evaluate(Halved, other_rates(tmp_path), **FEW)
    with pytest.raises(srbench.SrbenchError, match="Did you mean 'spline'"):
        srbench.evaluate("cubic", **FEW)
    with pytest.raises(srbench.SrbenchError, match="name= is for a function"):
        srbench.evaluate("spline", name="mine", **FEW)
    with pytest.raises(srbench.SrbenchError, match="not ndarray"):
        srbench.evaluate(np.zeros(4), **FEW)


def test_a_function_that_fails_on_some_warns_and_on_all_is_an_error():
    def picky(low, low_rate, high_rate):
        if len(low) == 14880:
            raise ValueError("not this one")
        return np.repeat(low, high_rate // low_rate)

    with pytest.warns(UserWarning, match="picky failed on 1 of 3 utterances.*not this one"):
        result = srbench.evaluate(picky, **FEW)
    assert list(result.failures) == ["demo1_001"]
    assert result.to_dataframe()["snr"].isna().tolist() == [True, False, False]
    assert result.summary().loc["snr", "failed"] == 1
    assert "not this one" not in result._repr_html_()
    with pytest.raises(srbench.UpscalerError, match=r"failed on all 3 utterances; the first: .*shape \(14880,\)"):
        srbench.evaluate(lambda low, a, b: low, **FEW)


def test_random_numbers_repeat_and_the_sessions_own_are_left_alone():
    def noisy(low, low_rate, high_rate):
        low = low + 1e-3 * np.random.standard_normal(len(low)) + 1e-3 * random.random()  # noqa: NPY002
        return np.repeat(low, high_rate // low_rate)

    np.random.seed(3)  # noqa: NPY002
    random.seed(3)
    expected = np.random.RandomState(3).random_sample(), random.Random(3).random()
    tables = [srbench.evaluate(noisy, workers=n, **FEW).to_dataframe()["snr"].tolist() for n in (1, 2, 1)]
    assert tables[0] == tables[1] == tables[2]
    assert (np.random.random(), random.random()) == expected  # noqa: NPY002


def test_the_function_gets_a_copy():
    def spoils(low, low_rate, high_rate):
        made = np.repeat(low, high_rate // low_rate)
        low[:] = 0
        return made

    spoilt, clean = srbench.evaluate(spoils, **FEW), srbench.evaluate(repeat, **FEW)
    assert spoilt.to_dataframe()["snr"].tolist() == clean.to_dataframe()["snr"].tolist()


def test_saved_read_back_and_taken_by_the_commands(cli: Cli, tmp_path: Path):
    result = srbench.evaluate(repeat, name="mine", **FEW)
    folder = result.save(tmp_path / "results")
    assert folder.parent == tmp_path / "results" / "demo"
    again = srbench.load_results(tmp_path / "results")
    assert (
        again.to_dataframe().drop(columns="metric_seconds").equals(result.to_dataframe().drop(columns="metric_seconds"))
    )
    with pytest.raises(srbench.SrbenchError, match="already exists"):
        srbench.evaluate(repeat, name="mine", **FEW).save(tmp_path / "results")
    spline = srbench.evaluate("spline", results=tmp_path / "results", **FEW)
    assert spline.save(tmp_path / "results") == spline.run.folder  # it lies there already
    assert srbench.find_runs(tmp_path / "results") == sorted([folder, spline.run.folder])
    with pytest.raises(srbench.SrbenchError, match="holds 2 runs"):
        srbench.load_results(tmp_path / "results")
    status, out, _ = cli("compare", folder, spline.run.folder, "--json")
    assert status == 0
    assert json.loads(out)["pairs"] == srbench.compare(folder, spline).document["pairs"]


@pytest.mark.slow
def test_a_saved_function_is_published_as_not_checked(cli: Cli, tmp_path: Path):
    folder = srbench.evaluate(repeat, name="mine").save(tmp_path / "results")
    status, out, _ = cli("publish", folder, "--leaderboard", tmp_path / "board", "--json")
    document = json.loads(out)
    assert status == 0, document
    assert "mine" in json.dumps(document)
    with pytest.raises(srbench.SrbenchError, match="function of a Python session"):
        srbench.load_results(folder).signals("demo1_001")


def test_the_temporary_folder_goes_with_the_result():
    result = srbench.evaluate(repeat, **FEW)
    folder = result.run.folder
    assert (folder / "utterances.csv").is_file()
    del result
    assert not folder.exists()


def test_signals_are_those_that_were_measured():
    result = srbench.evaluate(repeat, **FEW)
    made = result.signals("demo1_002")
    assert made.estimate.tolist() == np.repeat(made.low, 4).tolist()
    measured = srbench.measure(made.reference, made.estimate, 16000, metrics=["snr", "lsd"])
    row = result.to_dataframe().set_index("utterance").loc["demo1_002"]
    assert measured == {"snr": row["snr"], "lsd": row["lsd"]}
    with pytest.raises(srbench.SrbenchError, match="Did you mean 'demo1_001'"):
        result.signals("demo1-001")


def test_html_is_escaped():
    result = srbench.evaluate(repeat, name="<b>me</b>", **FEW)
    assert "<b>me" not in result._repr_html_()
    assert "&lt;b&gt;me" in result._repr_html_()
    comparison = srbench.compare(result, srbench.evaluate("hold", **FEW))
    assert "&lt;b&gt;me" in comparison._repr_html_()
    assert "<b>me" not in comparison._repr_html_()
    assert "identical" in repr(comparison)


def test_a_partial_run_says_so():
    result = srbench.evaluate(repeat, **FEW)
    assert any("limited to the first 3 of 28" in note for note in result.notes)
    assert "3 of 28" in result._repr_html_()


def test_memory_of_functions_is_given_back():
    from srbench.api import function

    before = len(function._BUILT)
    srbench.evaluate(repeat, metrics="snr", limit=1)
    assert len(function._BUILT) == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that fork")
def test_import_of_the_library_loads_nothing_heavy_until_it_is_used():
    code = "import srbench, sys; print({'numpy', 'torch', 'pandas', 'click'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
    code = "import srbench, sys; srbench.evaluate; print({'torch', 'pandas', 'matplotlib'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
