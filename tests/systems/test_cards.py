"""What every adapter says: licence, sources, what it needs; and where that is listed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from kit import Cli, noise, refused
from srbench_systems.by_command import ByCommand
from srbench_systems.system import System, with_end
from tiny import systems

from srbench import audio
from srbench.upscaler import READY

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(systems())


@pytest.mark.parametrize("name", NAMES)
def test_card_is_complete(name: str):
    target = systems()[name].target
    assert issubclass(target, System)
    card = asdict(target.card)
    assert all(value for key, value in card.items() if key != "sha256"), card
    assert card["source"].startswith("https://")
    assert all(len(digest) == 64 for digest in card["sha256"].values())
    assert systems()[name].licence == card["licence"]


@pytest.mark.parametrize("name", NAMES)
def test_state_is_one_line_that_says_how(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    state = systems()[name].state()
    assert len(state.splitlines()) == 1
    assert any(way in state for way in ("pip install", "hf download", "git clone", "srbench run --command"))


@pytest.mark.parametrize("name", NAMES)
def test_without_what_it_needs_a_line_says_what(name: str, cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    audio.write(tmp_path / "low.wav", noise(1600), 16000)
    refused(cli("upscale", "low.wav", "out.wav", "--model", name), name, "cannot be built: ")
    assert not (tmp_path / "out.wav").exists()


def test_they_are_listed_with_licence_and_state(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    status, out, err = cli("list", "upscalers", "--all", "--json")
    assert (status, err) == (0, "")
    listed = {entry["name"]: entry for entry in json.loads(out)["upscalers"]}
    for name in NAMES:
        assert listed[name]["licence"] == systems()[name].licence
        assert listed[name]["state"] == systems()[name].state() != READY
    assert listed["spline"]["state"] == READY
    status, out, _ = cli("list", "upscalers", "--json")
    assert not {entry["name"] for entry in json.loads(out)["upscalers"]} & set(NAMES)
    status, out, _ = cli("list", "upscalers")
    assert "--all" in out.splitlines()[-1]


def test_those_that_run_by_command_name_a_script_that_is_there():
    from srbench_systems.by_command import SCRIPT
    from srbench_systems.scripts.in_its_environment import SYSTEMS

    assert SCRIPT.is_file()
    by_command = {name for name, each in systems().items() if issubclass(each.target, ByCommand)}
    assert by_command == set(SYSTEMS)
    for name in by_command:
        assert f" {name} {{in}} {{out}}" in systems()[name].target.command()


def test_the_page_names_all_with_their_licence():
    page = (ROOT / "docs" / "systems.md").read_text(encoding="utf-8")
    for name in NAMES:
        card = systems()[name].target.card
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` ")]
        assert card.licence.split(" (")[0] in row
        assert card.source in page


@pytest.mark.parametrize(("n", "more", "expected"), [(1000, 0, 1601), (16000, 7, 16007), (1595, 7, 1602)])
def test_zeros_after_the_end(n: int, more: int, expected: int):
    import numpy as np

    made = with_end(np.ones(n), 16000, more=more)
    assert len(made) == expected
    assert made[:n].min() == 1
    assert not made[n:].any()
