"""A stranger's metric through every command that knows metrics, with the example of docs/plugins.md."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from kit import Cli

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


def test_score_takes_it_in_this_process_and_in_others(cli: Cli, tmp_path: Path):
    noise = np.random.default_rng(0)
    for side in ("references", "estimates"):
        (tmp_path / side).mkdir()
        for name in ("a", "b"):
            soundfile.write(tmp_path / side / f"{name}.wav", noise.standard_normal(16000) / 20, 16000, subtype="FLOAT")
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


def test_audit_runs_the_laws_of_the_declared_family(cli: Cli, tmp_path: Path):
    (tmp_path / "own.py").write_text(
        "from srbench.metrics import METRICS, metric\n"
        "@metric('own_snr', better='higher', family='snr')\n"
        "def own_snr(reference, estimate, sample_rate):\n"
        "    return METRICS['snr'](reference, estimate, sample_rate)\n"
    )
    status, out, _ = cli("audit", "own.py:own_snr", "--law", "snr_gain", "--json")
    told = json.loads(out)
    assert (status, told["verdict"], [check["law"] for check in told["checks"]]) == (0, "pass", ["snr_gain"])


def test_metric_that_is_not_known_names_the_option(cli: Cli):
    status, _, told = cli("run", "--model", "spline", "--metric", "seg_snr")
    assert (status, "--plugin" in told) == (2, True)
