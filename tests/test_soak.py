"""The soak in short: that it runs, finds nothing, and tells a finding when there is one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).resolve().parents[1] / "scripts" / "soak"
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="what outlives a command is looked for in /proc"),
    pytest.mark.skipif(not SOAK.is_dir(), reason="only in a checkout"),
]


def soak(*arguments: object, findings: Path) -> tuple[int, str]:
    command = [sys.executable, str(SOAK), *map(str, arguments), "--findings", str(findings)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    return done.returncode, done.stdout + (findings.read_text() if findings.exists() else done.stderr)


@pytest.mark.parametrize(
    ("part", "count", "told"),
    [("kills", 2, "2 kills"), ("inputs", 160, "160 mutated inputs"), ("models", 2, "2 misbehaving models")],
)
def test_a_short_soak_finds_nothing(part: str, count: int, told: str, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="checkpoints need torch")
    status, said = soak("--only", part, f"--{part}", count, findings=tmp_path / "findings")
    assert (status, said.splitlines()[-1][: len(part) + 2 + len(told)]) == (0, f"{part}: {told}"), said
    assert ", 0 findings" in said


def test_a_finding_is_written_with_the_way_to_repeat_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that fails where one that works is expected."""
    code = SOAK.joinpath("misbehaving.py").read_text(encoding="utf-8")
    for module in SOAK.glob("*.py"):
        (tmp_path / "soak" / module.name).parent.mkdir(exist_ok=True)
        (tmp_path / "soak" / module.name).write_bytes(module.read_bytes())
    (tmp_path / "soak" / "misbehaving.py").write_text(f"{code}\nALL = ['raise RuntimeError']\n", encoding="utf-8")
    monkeypatch.setitem(globals(), "SOAK", tmp_path / "soak")
    status, said = soak("--only", "models", "--models", 1, findings=tmp_path / "findings")
    assert status == 1
    assert "raise RuntimeError" in said
    assert "--only models --models 1 --seed 14" in said
