"""Names, paths and texts from outside are shown on the terminal, and not obeyed by it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
import soundfile

from srbench.cli.main import main
from srbench.errors import printable, shown

EVIL = "a\x1b[2J\x1b]0;x\x07\u202eb\u2066c\nnote: all is well\x9b1m"
OBEYED = ("\x1b[2J", "\x1b]", "\x07", "\u202e", "\u2066", "\nnote: all is well", "\x9b")
PLUGIN = """
    from srbench.upscaler import upscaler

    EVIL = {evil!r}

    @upscaler("mine", description=EVIL)
    def mine(low, low_rate, high_rate):
        if low[0] > 0:
            raise ValueError(EVIL)
        return low.repeat(high_rate // low_rate)
"""
Shown = Callable[..., str]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shown:
    monkeypatch.chdir(tmp_path)

    def printed(*arguments: object) -> str:
        with pytest.raises(SystemExit):
            main(list(map(str, arguments)))
        out, err = capsys.readouterr()
        assert [each for each in OBEYED if each in out + err] == []
        return out + err

    return printed


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for number, name in enumerate((EVIL, "plain", "[/bold]")):
        samples = np.random.default_rng(number).uniform(-0.3, 0.3, 8000)
        path = tmp_path / "data" / name / f"{name}.wav" if "/" not in name else tmp_path / "data" / f"{name[2:]}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        samples[0] = 0.3 if number == 0 else -0.3
        soundfile.write(path, samples, 16000)
    return tmp_path / "data"


def test_what_is_printed_is_what_was_there_escaped() -> None:
    assert printable(EVIL) == r"a\x1b[2J\x1b]0;x\x07\u202eb\u2066c\nnote: all is well\x9b1m"
    assert printable("é 語 -> \u00a0µ") == "é 語 -> \u00a0µ"
    assert shown("\udcff") == r"\udcff"


def test_commands_on_hostile_names(data: Path, printed: Shown, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(dedent(PLUGIN).format(evil=EVIL))
    for models in (("linear", "mine"), ("spline",)):
        asked = [option for model in models for option in ("--model", model)]
        out = printed("run", *asked, "--plugin", "mine.py", "--data", data, "--metric", "snr", "--protocol", "demo")
        assert "snr" in out.lower()
    assert r"\x1b[2J" in printed("list", "upscalers", "--plugin", "mine.py")
    (evil,) = data.glob("a*/a*.wav")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / evil.name).write_bytes(b"")
    assert r"\x1b[2J" in printed("data", "verify", tmp_path / "broken")
    assert r"\x1b[2J" in printed("upscale", evil, "out.wav", "--model", "linear", "--rate", 32000)
    assert r"\x1b[2J" in printed("upscale", evil, f"out{EVIL}", "--model", "linear", "--rate", 32000)
    shutil.copytree(data, tmp_path / f"x{EVIL}")
    assert r"\x1b[2J" in printed("score", data, tmp_path / f"x{EVIL}", "--metric", "snr")
    assert r"\x1b[2J" in printed("run", "--model", "x\x1b[2J")
    printed("compare", "linear", "spline", "--data", data, "--metric", "snr", "--protocol", "demo")


def test_publish_on_a_hostile_manifest(printed: Shown, tmp_path: Path) -> None:
    printed("run", "--model", "linear", "--metric", "snr", "--limit", 2, "--no-anchors")
    (manifest,) = (tmp_path / "results").rglob("manifest.json")
    told = json.loads(manifest.read_text(encoding="utf-8"))
    for change in ({"protocol": EVIL}, {"own_corpus": False, "notes": [f"Not the protocol's own: {EVIL}"]}):
        manifest.write_text(json.dumps({**told, **change}), encoding="utf-8")
        assert r"\x1b[2J" in printed("publish", manifest.parent)
