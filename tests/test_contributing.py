"""CONTRIBUTING's own steps work: they are followed in a copy of the tree."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
STEPS = re.findall(r"```(?:python|toml)\n# (\S+?)(?:, (before|after): ([^\n]*))?\n(.*?)```", TEXT, re.DOTALL)


def follow(tree: Path, path: str, place: str, line: str, block: str) -> None:
    """Write a new file, or put lines before or after the only line that begins as the step says."""
    file = tree / path
    if not place:
        assert not file.exists()
        file.write_text(block, encoding="utf-8")
        return
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    (number,) = [n for n, text in enumerate(lines) if text.startswith(line)]
    lines.insert(number + (place == "after"), block)
    file.write_text("".join(lines), encoding="utf-8")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources with every step followed, and its metadata made anew as an installation makes it."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("srbench", "baselines", "models", "systems", "pyproject.toml", "README.md", "LICENSE"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tree / name)
    for path, place, line, block in STEPS:
        follow(tree, path, place, line, block)
    for folder in ("baselines", "models", "systems"):
        (tree / f"srbench_{folder}").symlink_to(tree / folder, target_is_directory=True)
    made = "import sys; from setuptools.build_meta import prepare_metadata_for_build_wheel as m; m(sys.argv[1])"
    subprocess.run([sys.executable, "-c", made, str(tree)], cwd=tree, check=True, capture_output=True)
    return tree


def command(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "srbench", *arguments],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )


def srbench(tree: Path, *arguments: str) -> Any:
    done = command(tree, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_there_are_steps_for_degradation_metric_protocol_and_baseline():
    assert [path for path, *_ in STEPS] == [
        "srbench/degradation/filters.py",
        "srbench/degradation/filters.py",
        "srbench/degradation/filters.py",
        "srbench/metrics/waveform.py",
        "srbench/metrics/waveform.py",
        "srbench/protocols/named/demo-mean.toml",
        "baselines/staircase.py",
        "pyproject.toml",
    ]


def test_what_the_steps_add_can_be_run(tree: Path, tmp_path: Path):
    line = re.search(r"^srbench (run --model staircase .*)$", TEXT, re.MULTILINE)
    assert line
    result = srbench(tree, *line[1].split(), "--limit", "2", "--results", str(tmp_path))
    assert "degradation:mean|take:every4" in result["protocol_signature"]
    (model,) = result["models"]
    anchors = {anchor["name"]: anchor for anchor in result["anchors"]}
    assert model["n"] == 2
    assert 0 < model["metrics"]["snr"]["mean"] < anchors["ceiling"]["metrics"]["snr"]["mean"]
    told = model["metrics"]["mae"]
    assert 0 < told["mean"] < 1
    assert (told["better"], told["signature"]) == ("lower", "MAE|full_scale:1|v:1")


def test_metric_of_the_steps_is_listed_and_has_no_laws(tree: Path):
    listed = {each["name"]: each for each in srbench(tree, "list", "metrics")["metrics"]}
    assert listed["mae"]["signature"] == "MAE|full_scale:1|v:1"
    (tree / "own.py").write_text("def mae(reference, estimate):\n    return abs(reference - estimate).mean()\n")
    refused = command(tree, "audit", "own.py:mae", "--as", "mae")
    assert refused.returncode == 2
    assert "no laws for mae" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_every_file_of_the_table_is_there():
    section = TEXT.partition("## What to touch")[2].partition("###")[0]
    named = set(re.findall(r"`((?:srbench|baselines|models|systems|tests)/[\w/.*]*)`", section))
    missing = {name for name in named if "NAME" not in name and not list(ROOT.glob(name))}
    assert named
    assert missing == set()
