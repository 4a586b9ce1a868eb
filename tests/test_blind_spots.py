"""The page of blind spots says what the metrics do, on real speech."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT, PAGE = ROOT / "scripts" / "blind_spots.py", ROOT / "docs" / "blind-spots.md"
SPEAKERS = ("p225", "p240", "p241", "p243", "p244", "p245", "p246")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("SRBENCH_VCTK" not in os.environ, reason="SRBENCH_VCTK names no folder of real speech"),
    pytest.mark.skipif(not SCRIPT.is_file(), reason="only in a checkout"),
]


def printed(protocol: str) -> dict[str, dict[str, str]]:
    """Return the verdicts that the page prints: case to metric to sign, without the ✓ and ✗ of less than a fifth."""
    text = PAGE.read_text(encoding="utf-8").partition(f"protocol `{protocol}`")[2].partition("Smallest")[0]
    header, _, *rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    names = re.findall(r"`(\w+)`", " ".join(header))
    return {row[0].strip(): dict(zip(names, map(clear, row[1:]), strict=True)) for row in rows}


def clear(cell: str) -> str:
    sign, worse, _, better = cell.split()
    return sign if sign == "=" or abs(float(worse) / float(better) - 1) >= 0.2 else ""


@pytest.mark.parametrize("protocol", ["vctk-test8-16k-48k", "vctk-p239-r4"])
def test_the_page_says_what_the_metrics_do(protocol: str) -> None:
    """On fewer recordings, without ViSQOL, which takes seconds, and the network, whose weights may change."""
    spec = importlib.util.spec_from_file_location("blind_spots", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    blind_spots = importlib.util.module_from_spec(spec)
    sys.modules["blind_spots"] = blind_spots
    spec.loader.exec_module(blind_spots)
    loaded = blind_spots.load_protocol(protocol)
    recordings = blind_spots.load(Path(os.environ["SRBENCH_VCTK"]), SPEAKERS, 1, loaded)
    assert recordings
    page = printed(protocol)
    assert page.keys() == blind_spots.CASES.keys()
    names = blind_spots.NAMES
    for case, (worse, better) in blind_spots.CASES.items():
        if blind_spots.network in (worse, better):
            continue
        found = [blind_spots.values(recordings, make, names) for make in (worse, better)]
        verdicts = {name: blind_spots.verdict(name, *(each[name] for each in found)) for name in names}
        for name in names:
            if page[case][name] == blind_spots.BLIND:
                assert abs(np.mean(found[0][name]) / np.mean(found[1][name]) - 1) < 0.1, (case, name)
            elif page[case][name]:
                assert verdicts[name] == page[case][name], (case, name)
