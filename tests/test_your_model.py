"""The page "Benchmark your model" is followed to the letter, on three utterances."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from srbench import toml

PAGE = Path(__file__).resolve().parent.parent / "docs" / "your-model.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def install(place: Path) -> None:
    """Do what pip does with an entry point."""
    told = toml.read(place / "pyproject.toml")
    folder = place / f"{told['project']['name'].replace('-', '_')}-{told['project']['version']}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Name: {told['project']['name']}\nVersion: {told['project']['version']}\n")
    ((group, entries),) = told["project"]["entry-points"].items()
    (folder / "entry_points.txt").write_text(f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in entries.items()))


@pytest.mark.slow
def test_the_page_from_a_checkpoint_to_a_published_row(tmp_path: Path) -> None:
    np.savez(tmp_path / "checkpoint.npz", taps=np.bartlett(9)[1:-1])
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = []
    for kind, text in BLOCK.findall(PAGE.read_text()):
        name = re.match(r"# (\S+)\n", text)
        if kind in ("python", "toml"):
            assert name
            (tmp_path / name[1]).write_text(text)
            if kind == "toml":
                install(tmp_path)
            continue
        for line in text.splitlines():
            if not line.startswith(("srbench ", "python ")):  # what a command prints
                continue
            arguments = [each.replace("=python ", f"={sys.executable} ") for each in shlex.split(line)]
            program = [sys.executable] if arguments[0] == "python" else [sys.executable, "-m", "srbench"]
            more = {"run": ["--limit", "3"], "inputs": ["--limit", "3"], "compare": ["--limit", "3"]}
            more["publish"] = ["--allow-partial"]
            line = [*program, *arguments[1:], *more.get(arguments[1], [])]
            ended = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True)
            assert ended.returncode == 0, (line, ended.stdout, ended.stderr)
            done.append(arguments[1])
    assert done == ["run", "run", "inputs", "infer.py", "run", "run", "run", "compare", "publish", "run"]
    board = (tmp_path / "leaderboard" / "demo.csv").read_text()
    assert (tmp_path / "leaderboard" / "demo.md").is_file()
    for row in ("my_model", "my_files", "my_program", "made elsewhere", "command line"):
        assert row in board
    assert (tmp_path / "site" / "index.html").is_file()
