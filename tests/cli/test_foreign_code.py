"""Code that does not come with srbench is named on stderr before it is run, once, and stdout stays the result's."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from srbench.cli.main import main

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(list(map(str, arguments)))
        assert isinstance(stop.value.code, int)
        return stop.value.code, *capfd.readouterr()

    return call


CODE = """
import sys
print("running now", file=sys.stderr)
print("and on stdout")
from srbench.upscaler import upscaler

@upscaler()
def stranger(low, low_rate, high_rate):
    return low.repeat(4)

def train(*arguments, **options):
    return {"does_not_beat_the_spline_in": []}
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a package that prints when it is imported."""
    folder = tmp_path / "site"
    info = folder / "beta.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: beta\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(
        "[srbench.upscalers]\nstranger = beta_strange:stranger\n\n[srbench.trainers]\nbeta = beta_strange:train\n"
    )
    (folder / "beta_strange.py").write_text(CODE)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "beta_strange", raising=False)
    return folder / "beta_strange.py"


RUN = ("--limit", 2, "--metric", "snr", "--no-anchors", "--json")


def test_a_package_is_named_before_it_is_imported(cli: Cli, package: Path) -> None:
    status, out, err = cli("run", "--model", "stranger", *RUN)
    assert status == 0
    assert json.loads(out)["models"][0]["name"] == "stranger"
    named = f"srbench: running code of upscaler 'stranger' of beta 1.2 (beta_strange:stranger) in {package}"
    assert err.splitlines() == [named, "running now", "and on stdout"]


def test_a_trainer_too(cli: Cli, package: Path) -> None:
    _, _, err = cli("train", "recipe", "--data", ".", "--trainer", "beta", "--json")
    named = f"srbench: running code of trainer 'beta' of beta 1.2 (beta_strange:train) in {package}"
    assert err.splitlines()[:2] == [named, "running now"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_plugin_file_is_named_once(workers: int, cli: Cli, tmp_path: Path) -> None:
    plugin = tmp_path / f"mine_{workers}.py"
    plugin.write_text(CODE)
    status, out, err = cli("run", "--model", "stranger", "--plugin", plugin, "--workers", workers, *RUN)
    assert status == 0
    assert json.loads(out)["models"][0]["name"] == "stranger"
    assert err.splitlines()[:2] == [f"srbench: running code of plug-in {plugin}", "running now"]
    assert err.count("running code") == 1


@pytest.mark.parametrize("command", [("run", "--model", "spline", *RUN), ("list", "upscalers"), ("list", "metrics")])
def test_what_was_not_asked_for_is_not_run(command: tuple[object, ...], cli: Cli, package: Path) -> None:
    status, _, err = cli(*command)
    assert (status, err) == (0, "")
    assert "beta_strange" not in sys.modules


def test_the_list_says_whose_an_upscaler_is(cli: Cli, package: Path) -> None:
    _, out, _ = cli("list", "upscalers", "--json")
    (found,) = (each for each in json.loads(out)["upscalers"] if each["name"] == "stranger")
    assert found["origin"] == "beta 1.2 (beta_strange:stranger)"
    assert found["description"] == "(not loaded: its code is run only when it is asked for)"
