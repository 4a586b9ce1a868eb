"""The page about 2019 shows what the commands print."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_what_went_wrong_is_what_the_commands_print():
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "what_went_wrong.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_went_wrong_says_what_it_must():
    page = (ROOT / "docs" / "what-went-wrong.md").read_text(encoding="utf-8")
    for told in (
        "1. natural logarithm (shown)\n   The natural logarithm is taken where 10·log10 is declared.\n"
        "   Divide by 2.302585",
        "1. log of a log (shown)\n   log10 is applied to log(1 + |S|)",
        "identical-rows  rows 1, 4",
        "more than full scale (1.0)",
        "Divide the SNRs by 2.302585",
        "1. 10 for 20 (shown)",
    ):
        assert told in page
