"""A stranger's metric through every command that knows metrics, with the example of docs/plugins.md."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
import soundfile
from kit import Cli, noise

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs/examples/segmental_snr.py"


@pytest.fixture
def protocol(tmp_path: Path) -> Path:
    """Write the demo protocol with SNR and the example's metric, which `publish` therefore takes."""
    demo = (ROOT / "srbench/protocols/named/demo.toml").read_text()
    path = tmp_path / "own.toml"
    path.write_text(re.sub(r"metrics = \[.*?\]", 'metrics = ["snr", "seg_snr"]', demo, flags=re.DOTALL))
    return path


def test_example_of_the_docs_is_fifteen_lines_and_the_one_in_the_file():
    page = (ROOT / "docs/plugins.md").read_text()
    (block,) = re.findall(r"```python\n(import numpy.*?)```", page, re.DOTALL)
    assert len([line for line in block.splitlines() if line.strip()]) <= 15
    assert EXAMPLE.read_text().endswith(block)


def test_run_compare_publish_and_site_with_the_example(cli: Cli, protocol: Path):
    status, _, told = cli("run", "--protocol", protocol, "--plugin", EXAMPLE, "--model", "linear", "--workers", 2)
    assert status == 0
    assert told.count(f"running code of plug-in {EXAMPLE}") == 1
    (table,) = Path("results/own").glob("linear-*/utterances.csv")
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert all(-10 <= float(row["seg_snr"]) <= 35 for row in rows)
    status, out, _ = cli("compare", "--protocol", protocol, "--plugin", EXAMPLE, "--json", "linear", "spline")
    assert status == 0
    assert {*json.loads(out)["pairs"][0]["metrics"]} == {"snr", "seg_snr"}
    status, _, told = cli("publish", "--protocol", protocol)
    assert status == 2
    assert "seg_snr" in told
    assert "--plugin" in told
    assert "Traceback" not in told
    status, out, _ = cli("publish", "--protocol", protocol, "--plugin", EXAMPLE, "--site", "site", "--json")
    assert status == 0
    assert {each["rechecked"] for each in json.loads(out)["published"]} == {3}
    with_plugin = Path("site/index.html").read_text()
    assert "segSNR dB ↑" in with_plugin
    # whoever does not have the plug-in opens the leaderboard all the same, and is told whose the metric is
    status, _, told = cli(
        "run", "--model", "hold", "--no-anchors", "--limit", 1, "--metric", "snr", "--results", "other"
    )
    assert status == 0
    status, _, told = cli("publish", "other", "--site", "site")
    without = Path("site/index.html").read_text()
    assert "Traceback" not in told
    assert "own" in without
    assert "segSNR dB ↑" in without
    assert "plug-in segmental_snr.py" in without
    for place in ("leaderboard/own.csv", table.parent):
        status, out, _ = cli("table", place, "--metric", "seg_snr")
        assert (status, "segSNR (dB) ↑" in out) == (0, True)
    status, _, told = cli("plot", "distribution", table.parent, "--metric", "seg_snr", "--out", "d.png")
    assert (status, "running code" in told) == (0, False)


def two_pairs(folder: Path) -> None:
    for seed, side in enumerate(("references", "estimates")):
        (folder / side).mkdir()
        for name in ("a", "b"):
            soundfile.write(folder / side / f"{name}.wav", noise(16000, seed), 16000, subtype="FLOAT")


def test_score_takes_it_in_this_process_and_in_others(cli: Cli, tmp_path: Path):
    two_pairs(tmp_path)
    found = []
    for workers in (1, 2):
        asked = (
            "--metric",
            "seg_snr",
            "--plugin",
            EXAMPLE,
            "--workers",
            workers,
            "--results",
            f"of{workers}",
            "--json",
        )
        status, out, _ = cli("score", "references", "estimates", *asked)
        assert status == 0
        found.append(json.loads(out)["metrics"]["seg_snr"]["mean"])
    assert found[0] == found[1]


def test_list_names_it_and_says_whose_it_is(cli: Cli):
    status, out, _ = cli("list", "metrics", "--plugin", EXAMPLE, "--json")
    (entry,) = [each for each in json.loads(out)["metrics"] if each["name"] == "seg_snr"]
    assert status == 0
    declared = r"from:segmental_snr\.py\|label:segSNR\|unit:dB\|better:higher\|range:-10\.\.35\|hears:inf\|digits:\.2f"
    assert re.fullmatch(rf"SEG_SNR\|{declared}\|src:[0-9a-f]{{8}}\|sr:16000\|v:1", entry["signature"])
    assert str(EXAMPLE) in entry["origin"]


def test_audit_says_that_a_metric_without_a_family_has_no_laws(cli: Cli):
    status, _, told = cli("audit", f"{EXAMPLE}:seg_snr")
    assert status == 2
    assert "no laws" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("variable", ["own_snr", "another_name"])
def test_audit_runs_the_laws_of_the_declared_family(cli: Cli, tmp_path: Path, variable: str):
    (tmp_path / "own.py").write_text(
        "from srbench.metrics import METRICS, metric\n"
        "@metric('own_snr', better='higher', family='snr')\n"
        f"def {variable}(reference, estimate, sample_rate):\n"
        "    return METRICS['snr'](reference, estimate, sample_rate)\n"
    )
    status, out, _ = cli("audit", "own.py:own_snr", "--law", "snr_gain", "--json")
    told = json.loads(out)
    assert (status, told["verdict"], [check["law"] for check in told["checks"]]) == (0, "pass", ["snr_gain"])


@pytest.mark.parametrize(
    "target", ["own.py:snr", "own.py:nothing", "own.py", "srbench.metrics.waveform:METRICS", "", ":"]
)
def test_audit_asks_what_it_is_where_nothing_declares_it(cli: Cli, tmp_path: Path, target: str):
    (tmp_path / "own.py").write_text(
        "from srbench.metrics import METRICS, metric\n"
        "snr = METRICS['snr']\n"
        "mine = metric('mine', better='higher')(lambda reference, estimate, sample_rate: 0.0)\n"
    )
    status, out, told = cli("audit", target)
    assert (status, out) == (2, "")
    assert "--as" in told
    assert "Traceback" not in told


NAMES = "len mean index size metric value class None T columns ci95 constructor toString spline ceiling lsdx"
ODD = f"""
from dataclasses import dataclass
from srbench.metrics import metric

for k, name in enumerate("{NAMES}".split()):
    label = "" if k % 4 else f"<b>{{k}}</b>|$x_1$"
    @metric(name, better="lower" if k % 2 else "higher", unit="1" if k % 3 else "µ|<i>", label=label)
    @dataclass(frozen=True)
    class Odd:
        "<script>alert(1)</script> one | two."
        k: int = k

        def measure(self, reference, estimate, sample_rate):
            if self.k == 3:
                raise ValueError("<script>alert(2)</script>")
            return abs(reference - estimate).mean() * (self.k + 1)
    globals()[f"m{{k}}"] = Odd
"""


@pytest.mark.slow
def test_whatever_a_metric_is_called_no_traceback_follows(cli: Cli, tmp_path: Path):
    (tmp_path / "odd.py").write_text(ODD)
    demo = (ROOT / "srbench/protocols/named/demo.toml").read_text()
    Path("p.toml").write_text(
        re.sub(r"metrics = \[.*?\]", f"metrics = {json.dumps(NAMES.split())}", demo, flags=re.DOTALL)
    )
    two_pairs(tmp_path)
    known = ("--protocol", "p.toml", "--plugin", "odd.py")
    two = (*known, "--limit", 2)
    for arguments, ends in (
        (("run", *two, "--model", "linear", "--model", "spline"), 1),  # one of the metrics has no values
        (("compare", *two, "linear", "spline"), 0),
        (("publish", *known, "--allow-partial", "--site", "site"), 0),
        (("plot", "distribution", *two, "--model", "linear", "--metric", "T", "--out", "d.png"), 0),
        (("score", "references", "estimates", "--plugin", "odd.py", "--metric", "len", "--metric", "columns"), 0),
        (("list", "metrics", "--plugin", "odd.py"), 0),
        *((("audit", f"odd.py:{name}"), 2) for name in ("len", "None")),
        (("publish", "--allow-partial", "--site", "site"), 1),
    ):
        status, _, told = cli(*arguments)
        assert (status, "Traceback" in told) == (ends, False), (arguments, told)
    heads = [
        table.read_text().splitlines()[0].split(",") for table in Path("results/p").glob("linear-*/utterances.csv")
    ]
    assert any(set(NAMES.split()) <= {*head} for head in heads)
    page = Path("site/index.html").read_text()
    assert "<script>alert" not in page
    assert "<b>0" not in page


def test_metric_that_is_not_known_names_the_option(cli: Cli):
    status, _, told = cli("run", "--model", "spline", "--metric", "seg_snr")
    assert (status, "--plugin" in told) == (2, True)
