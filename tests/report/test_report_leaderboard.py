"""The printed leaderboard says what has to be said, and prints names as text."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
import soundfile

from srbench.protocols import load_protocol
from srbench.report.leaderboard import print_leaderboard
from srbench.results import leaderboard
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
Document = dict[str, Any]
Printed = Callable[[Document], str]


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Document]:
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
def document(documents: dict[str, Document]) -> Document:
    return copy.deepcopy(documents["own"])


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Printed:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)

    def show(document: Document) -> str:
        print_leaderboard(document)
        return capsys.readouterr().out

    return show


def row(text: str, start: str) -> list[str]:
    """Return the cells of the table's row that starts so."""
    line = next(line for line in text.splitlines() if line.startswith(("│", "┃")) and line[1:].startswith(start))
    return [cell.strip() for cell in line.strip("│┃").replace("┃", "│").split("│")]


def test_table(document: Document, printed: Printed) -> None:
    text = printed(document)
    assert row(text, "metric") == ["metric", "worse", "cheats", "spline", "ceiling", "reference"]
    snr = row(text, "SNR")
    means = [entry["metrics"]["snr"]["mean"] for entry in document["models"] + document["anchors"]]
    assert snr[0] == "SNR dB ↑"
    assert snr[1] == f"{means[0]:.2f}† n=3"
    assert snr[3] == f"{means[2]:.2f} n=3"
    assert snr[5] == "inf n=3"
    low, high = document["models"][0]["metrics"]["snr"]["ci95"]
    assert f"[{low:.2f}, {high:.2f}]" in text
    assert row(text, "MSE")[0] == "MSE ↓"
    assert row(text, "n ") == ["n", *["4"] * 5]
    assert row(text, "failed") == ["failed", *["0"] * 5]
    factor = document["models"][0]["real_time_factor"]
    assert row(text, "real-time factor")[1] == f"{factor:.2g}"
    assert "95 % bootstrap interval below it (speakers resampled)" in text


def test_few_speakers_are_said(document: Document, printed: Printed) -> None:
    assert "2 speakers are too few: such an interval holds the true mean in at most 50 % of cases" in printed(document)
    for entry in (*document["models"], *document["anchors"]):
        for value in entry["metrics"].values():
            value["clusters"] = 6
    assert "too few" not in printed(document)


def test_few_utterances_of_one_speaker_are_said(documents: dict[str, Document], printed: Printed) -> None:
    assert "3 utterances are too few: such an interval holds the true mean in at most 75 %" in printed(
        documents["demo"]
    )


def test_definition_stands_below(document: Document, printed: Printed) -> None:
    text = printed(document)
    assert document["protocol_signature"] in text
    assert "agg:mean.utterance|n:4/4" in text
    assert document["protocol_title"] in text


def test_model_below_the_spline_is_marked(document: Document, printed: Printed) -> None:
    text = printed(document)
    assert "† not shown to be better than the spline" in text
    for name in ("SNR", "MSE"):  # one where higher is better, one where lower is
        cells = row(text, name)
        assert "†" in cells[1]
        assert not any("†" in cell for cell in cells[2:])


def test_model_above_the_ceiling_is_marked(document: Document, printed: Printed) -> None:
    text = printed(document)
    cells = row(text, "SNR")
    assert "‡" in cells[2]
    assert "‡" not in cells[1] + cells[3] + cells[4] + cells[5]
    assert "‡ above the ceiling" in text
    assert "‡" not in "".join(row(text, "MSE"))


def test_no_marks_no_footnotes(document: Document, printed: Printed) -> None:
    for entry in (*document["models"], *document["anchors"]):
        for value in entry["metrics"].values():
            value["paired"] = dict.fromkeys(value["paired"], "")
    text = printed(document)
    for mark in ("†", "‡", "Bold"):
        assert mark not in text


def test_means_over_other_utterances_are_said_to_be_so(document: Document, printed: Printed) -> None:
    assert "different utterances" not in printed(document)
    document["models"][1]["metrics"]["mse"]["over"] = "4.another"
    assert "do not compare, and carry no marks: cheats (MSE)." in printed(document)


def test_undefined_values_are_told(document: Document, printed: Printed) -> None:
    assert "Some utterances have no value of si_sdr, snr (column 'undefined'): not averaged." in printed(document)


def test_metric_without_any_value(document: Document, printed: Printed) -> None:
    document["models"][0]["metrics"]["snr"] |= {"mean": None, "ci95": [None, None], "n": 0, "undefined": 4}
    assert row(printed(document), "SNR")[1] == "–"


def test_corpus_notes(documents: dict[str, Document], printed: Printed) -> None:
    text = printed(documents["demo"])
    assert "The corpus is synthetic speech." in text
    assert "Partial: limited to the first 3 of 28 utterances." in text
    assert row(text, "n ") == ["n", *["3 of 28"] * 4]
    assert "agg:mean.utterance|n:3/28" in text
    assert "one speaker: utterances resampled, so it says nothing about other speakers" in text
    own = printed(documents["own"])
    assert "The corpus is synthetic" not in own
    assert "Not the protocol's own corpus: folder (" in own


def test_deaf_metrics_are_named(document: Document, printed: Printed) -> None:
    assert "deaf" not in printed(document)
    document["protocol_signature"] = document["protocol_signature"].replace("high:16000", "high:48000")
    for entry in document["models"] + document["anchors"]:
        for name in ("pesq", "stoi", "estoi", "lsd"):
            entry["metrics"][name] = copy.deepcopy(entry["metrics"]["snr"])
    text = printed(document)
    assert "PESQ-WB: deaf above 8 kHz." in text
    assert "STOI and ESTOI: deaf above 5 kHz." in text
    assert text.count("deaf above") == 2


def test_failures_are_listed_but_not_all(document: Document, printed: Printed) -> None:
    failures = [{"utterance": f"u{n}", "error": f"upscaler x raised ValueError: [/no] {n}"} for n in range(5)]
    document["models"][0] |= {"failed": 5, "failures": failures}
    text = printed(document)
    for n in range(3):
        assert f"failed: worse on u{n}: upscaler x raised ValueError: [/no] {n}" in text
    assert "u3" not in text
    assert "and 2 more of worse" in text
    assert row(text, "failed")[1] == "5"


def test_aggregation_counts_what_was_averaged(document: Document, printed: Printed) -> None:
    """With three of four utterances evaluated nobody's number is of n:4/4."""
    for entry in document["models"] + document["anchors"]:
        entry |= {"n": 3, "failed": 1, "failures": [{"utterance": "a/1", "error": "unreadable"}]}
    assert "n:4/4" not in printed(document)


def test_warnings_are_printed(document: Document, printed: Printed) -> None:
    document["models"][0]["warnings"] = ["trained on [b]1[/b] of the speakers scored here: a"]
    assert "warning: worse: trained on [b]1[/b] of the speakers scored here: a" in printed(document)


@pytest.mark.parametrize("name", ["[red]x", "[/red]x", "<script>", "[bold]", "a[/]b", "[link=x]y", "\\[x]"])
def test_name_with_markup_prints_as_text(name: str, document: Document, printed: Printed) -> None:
    document["models"][0] |= {"name": name, "failed": 1, "failures": [{"utterance": name, "error": name}]}
    text = printed(document)
    assert row(text, "metric")[1] == name
    assert f"failed: {name} on {name}: {name}" in text


def test_name_that_ends_in_a_backslash(document: Document, printed: Printed) -> None:
    document["models"][0]["name"] = "back\\"
    assert row(printed(document), "metric")[1] == "back\\"


def test_name_with_markup_and_many_failures(document: Document, printed: Printed) -> None:
    failures = [{"utterance": "u", "error": "e"}] * 4
    document["models"][0] |= {"name": "[/red]x", "failed": 4, "failures": failures}
    assert "and 1 more of [/red]x" in printed(document)


@pytest.mark.parametrize("text", ["[red]x", "[/red]x"])
@pytest.mark.parametrize("where", ["protocol", "protocol_title", "notes"])
def test_other_texts_with_markup_print_as_text(where: str, text: str, document: Document, printed: Printed) -> None:
    document[where] = [text] if where == "notes" else text
    assert text in printed(document)


def test_many_upscalers_stand_side_by_side_in_a_file(document: Document, printed: Printed) -> None:
    document["models"] = [{**copy.deepcopy(document["models"][0]), "name": f"model{n}"} for n in range(12)]
    text = printed(document)
    assert row(text, "metric")[1:13] == [f"model{n}" for n in range(12)]
    assert len([line for line in text.splitlines() if "SNR dB" in line]) == 1


def test_anchors_may_be_absent(document: Document, printed: Printed, tmp_path: Path) -> None:
    document["anchors"] = []
    text = printed(document)
    assert row(text, "metric") == ["metric", "worse", "cheats"]
    assert "anchors" not in text
