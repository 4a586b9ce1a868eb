"""The printed leaderboard says what has to be said, and prints names as text."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
import soundfile

from srbench.protocols import load_protocol
from srbench.report.leaderboard import print_leaderboard
from srbench.results import leaderboard
from srbench.results.board import Board
from srbench.results.standing import UNKNOWN
from srbench.run import Entrant, make_plan, run_entrant

PLUGIN = """
    import numpy as np
    from srbench.upscaler import upscaler

    @upscaler("worse")
    def worse(low, low_rate, high_rate):
        return -low.repeat(4)

    @upscaler("cheats")
    def cheats(low, low_rate, high_rate):
        import pathlib, soundfile
        known = [soundfile.read(p)[0] for p in pathlib.Path(__file__).with_name("data").rglob("*.wav")]
        return 0.999 * min(known, key=lambda wanted: np.abs(wanted[::4] - low).sum())
"""
Printed = Callable[[Board], str]


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Board]:
    """Return a leaderboard of the embedded corpus, and one of a corpus of two speakers with a silent utterance."""
    root = tmp_path_factory.mktemp("report")
    (root / "mine.py").write_text(dedent(PLUGIN))
    for name in ("a/1", "a/2", "b/3", "b/4"):
        (root / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        walk = np.cumsum(np.random.default_rng(int(name[2:])).uniform(-1, 1, 4800)) * (name != "b/4")
        soundfile.write(root / "data" / f"{name}.wav", 0.01 * walk / 2, 16000, subtype="DOUBLE")
    demo = load_protocol("demo")
    plans = {
        "demo": make_plan(demo, metrics=("snr", "lsd"), limit=3),
        "own": make_plan(demo, root / "data", metrics=("snr", "si_sdr", "mse")),
    }
    found = {}
    for name, plan in plans.items():
        models = ["worse", "cheats"] if name == "own" else ["worse"]
        asked = [Entrant(model, plugins=(root / "mine.py",)) for model in models]
        beside = [Entrant("spline"), Entrant("ceiling", anchor=True), Entrant("reference", anchor=True)]
        runs, anchors = ([run_entrant(plan, e, root / name) for e in some] for some in (asked, beside))
        found[name] = leaderboard(plan, runs, anchors, root / name / "demo")
    return found


@pytest.fixture
def board(boards: dict[str, Board]) -> Board:
    return boards["own"]


def changed(board: Board, at: int = 0, **told: Any) -> Board:
    rows = list(board.rows)
    rows[at] = replace(rows[at], **told)
    return replace(board, rows=tuple(rows))


def valued(board: Board, at: int, metric: str, **told: Any) -> Board:
    values = board.rows[at].values
    return changed(board, at, values={**values, metric: replace(values[metric], **told)})


def failed(board: Board, *failures: tuple[str, str], **told: Any) -> Board:
    behind = board.rows[0].behind
    assert behind
    return changed(board, failed=len(failures), behind=replace(behind, failures=failures), **told)


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Printed:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)

    def show(board: Board) -> str:
        print_leaderboard(board)
        return capsys.readouterr().out

    return show


def row(text: str, start: str) -> list[str]:
    """Return the cells of the table's row that starts so."""
    line = next(line for line in text.splitlines() if line.startswith(("│", "┃")) and line[1:].startswith(start))
    return [cell.strip() for cell in line.strip("│┃").replace("┃", "│").split("│")]


def test_table(board: Board, printed: Printed) -> None:
    text = printed(board)
    assert row(text, "metric") == ["metric", "worse", "cheats", "spline", "ceiling", "reference"]
    snr = row(text, "SNR")
    means = [each.values["snr"].mean for each in board.rows]
    assert snr[0] == "SNR dB ↑"
    assert snr[1] == f"{means[0]:.2f}† n=3"
    assert snr[3] == f"{means[2]:.2f} n=3"
    assert snr[5] == "inf n=3"
    low, high = board.rows[0].values["snr"].low, board.rows[0].values["snr"].high
    assert f"[{low:.2f}, {high:.2f}]" in text
    assert row(text, "MSE")[0] == "MSE ↓"
    assert row(text, "n ") == ["n", *["4"] * 5]
    assert row(text, "failed") == ["failed", *["0"] * 5]
    factor = board.rows[0].real_time_factor
    assert row(text, "real-time factor")[1] == f"{factor:.2g}"
    assert "95 % bootstrap interval (speakers resampled)" in text


def test_few_speakers_are_said(board: Board, printed: Printed) -> None:
    assert "2 speakers are too few: such an interval holds the true mean in at most 50 % of cases" in printed(board)
    for at in range(len(board.rows)):
        board = changed(board, at, resampled=((6, "speakers"),))
    assert "too few" not in printed(board)


def test_few_utterances_of_one_speaker_are_said(boards: dict[str, Board], printed: Printed) -> None:
    assert "3 utterances are too few: such an interval holds the true mean in at most 75 %" in printed(boards["demo"])


def test_definition_stands_below(board: Board, printed: Printed) -> None:
    text = printed(board)
    assert board.signature in text
    assert "agg:mean.utterance|n:4/4" in text
    assert board.setting
    assert board.setting.title in text


def test_model_below_the_spline_is_marked(board: Board, printed: Printed) -> None:
    text = printed(board)
    assert "† not shown to be better than the spline" in text
    for name in ("SNR", "MSE"):  # one where higher is better, one where lower is
        cells = row(text, name)
        assert "†" in cells[1]
        assert not any("†" in cell for cell in cells[2:])


def test_model_above_the_ceiling_is_marked(board: Board, printed: Printed) -> None:
    text = printed(board)
    cells = row(text, "SNR")
    assert "‡" in cells[2]
    assert "‡" not in cells[1] + cells[3] + cells[4] + cells[5]
    assert "‡ above the ceiling" in text
    assert "‡" not in "".join(row(text, "MSE"))


def test_no_marks_no_footnotes(board: Board, printed: Printed) -> None:
    for at, metric in product(range(len(board.rows)), board.metrics):
        board = valued(board, at, metric, paired=UNKNOWN)
    text = printed(board)
    for mark in ("†", "‡", "Bold"):
        assert mark not in text


def test_means_over_other_utterances_are_said_to_be_so(board: Board, printed: Printed) -> None:
    assert "different utterances" not in printed(board)
    other = valued(board, 1, "mse", over="4.another")
    assert "do not compare, and carry no marks: cheats (MSE)." in printed(other)


def test_undefined_values_are_told(board: Board, printed: Printed) -> None:
    assert "n= beside a value: only so many utterances have one." in printed(board)


def test_metric_without_any_value(board: Board, printed: Printed) -> None:
    nothing = {"mean": math.nan, "low": math.nan, "high": math.nan, "n": 0}
    assert row(printed(valued(board, 0, "snr", **nothing)), "SNR")[1] == "–"


def test_corpus_notes(boards: dict[str, Board], printed: Printed) -> None:
    text = printed(boards["demo"])
    assert "The corpus is synthetic speech." in text
    assert "Partial: limited to the first 3 of 28 utterances." in text
    assert row(text, "n ") == ["n", *["3 of 28"] * 4]
    assert "agg:mean.utterance|n:3/28" in text
    assert "One speaker: utterances are resampled, so nothing is said about other speakers." in text
    own = printed(boards["own"])
    assert "The corpus is synthetic" not in own
    assert "Not the protocol's own corpus: folder (" in own


def test_deaf_metrics_are_named(board: Board, printed: Printed) -> None:
    assert "deaf" not in printed(board)
    signature = board.signature.replace("high:16000", "high:48000")
    for at, each in enumerate(board.rows):
        more = dict.fromkeys(("pesq", "stoi", "estoi", "lsd"), each.values["snr"])
        board = changed(board, at, protocol_signature=signature, values={**each.values, **more})
    text = printed(board)
    assert "PESQ-WB: deaf above 8 kHz." in text
    assert "STOI and ESTOI: deaf above 5 kHz." in text
    assert text.count("deaf above") == 2


def test_failures_are_listed_but_not_all(board: Board, printed: Printed) -> None:
    text = printed(failed(board, *((f"u{n}", f"upscaler x raised ValueError: [/no] {n}") for n in range(5))))
    for n in range(3):
        assert f"failed: worse on u{n}: upscaler x raised ValueError: [/no] {n}" in text
    assert "u3" not in text
    assert "and 2 more of worse" in text
    assert row(text, "failed")[1] == "5"


def test_aggregation_counts_what_was_averaged(board: Board, printed: Printed) -> None:
    """With three of four utterances evaluated nobody's number is of n:4/4."""
    for at in range(len(board.rows)):
        board = changed(board, at, n=3, failed=1)
    assert "n:4/4" not in printed(board)


def test_warnings_are_printed(board: Board, printed: Printed) -> None:
    behind = board.rows[0].behind
    assert behind
    board = changed(board, behind=replace(behind, warnings=("trained on [b]1[/b] of the speakers scored here: a",)))
    assert "warning: worse: trained on [b]1[/b] of the speakers scored here: a" in printed(board)


@pytest.mark.parametrize("name", ["[red]x", "[/red]x", "<script>", "[bold]", "a[/]b", "[link=x]y", "\\[x]"])
def test_name_with_markup_prints_as_text(name: str, board: Board, printed: Printed) -> None:
    text = printed(failed(board, (name, name), upscaler=name))
    assert row(text, "metric")[1] == name
    assert f"failed: {name} on {name}: {name}" in text


def test_name_that_ends_in_a_backslash(board: Board, printed: Printed) -> None:
    assert row(printed(changed(board, upscaler="back\\")), "metric")[1] == "back\\"


def test_name_with_markup_and_many_failures(board: Board, printed: Printed) -> None:
    assert "and 1 more of [/red]x" in printed(failed(board, *[("u", "e")] * 4, upscaler="[/red]x"))


@pytest.mark.parametrize("text", ["[red]x", "[/red]x"])
@pytest.mark.parametrize("where", ["protocol", "title", "notes"])
def test_other_texts_with_markup_print_as_text(where: str, text: str, board: Board, printed: Printed) -> None:
    assert board.setting
    if where == "protocol":
        board = replace(board, protocol=text)
    else:
        told = {where: (text,) if where == "notes" else text}
        board = replace(board, setting=replace(board.setting, **told))
    assert text in printed(board)


def test_many_upscalers_stand_side_by_side_in_a_file(board: Board, printed: Printed) -> None:
    many = tuple(replace(board.rows[0], upscaler=f"model{n}") for n in range(12))
    text = printed(replace(board, rows=(*many, *board.rows[2:])))
    assert row(text, "metric")[1:13] == [f"model{n}" for n in range(12)]
    assert len([line for line in text.splitlines() if "SNR dB" in line]) == 1


def test_anchors_may_be_absent(board: Board, printed: Printed, tmp_path: Path) -> None:
    text = printed(replace(board, rows=board.rows[:2]))
    assert row(text, "metric") == ["metric", "worse", "cheats"]
    assert "anchors" not in text
