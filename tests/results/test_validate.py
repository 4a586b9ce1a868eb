"""Checking a run: what was edited is found and named, by the files alone or by the audio."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_runs import (
    IDS,
    copied,
    cover_tracks,
    edit_csv,
    edit_journal,
    edit_manifest,
    make_protocol,
    make_run,
    raise_value,
    samples_in,
)

from srbench.corpora import Corpus, open_corpus
from srbench.errors import SrbenchError
from srbench.protocols import load_protocol
from srbench.results.recheck import TOLERANCE, agree, recheck
from srbench.results.validate import check_run
from srbench.run import Entrant, Run, open_run
from srbench.run.basis import Basis, of_protocol

PLUGIN = """
    import numpy as np
    from srbench.upscaler import upscaler

    @upscaler("mine")
    def mine(low, low_rate, high_rate):
        return low.repeat(4) + 0.001 * np.random.standard_normal(4 * len(low))
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    folder = tmp_path_factory.mktemp("tiny")
    protocol = make_protocol(folder)
    return protocol, make_run(protocol, folder / "results", Entrant("linear"))


@pytest.fixture(scope="module")
def protocol(made: tuple[Path, Run]) -> Basis:
    return of_protocol(load_protocol(made[0]))


@pytest.fixture(scope="module")
def corpus(made: tuple[Path, Run]) -> Corpus:
    return open_corpus(made[0].parent / "corpus")


@pytest.fixture
def folder(made: tuple[Path, Run], tmp_path: Path) -> Path:
    return copied(made[1], tmp_path)


def findings(folder: Path, protocol: Basis, corpus: Corpus | None = None) -> list[str]:
    return list(map(str, check_run(open_run(folder, check=False), protocol, corpus).findings))


def test_a_run_is_sound(folder: Path, protocol: Basis, corpus: Corpus) -> None:
    checked = check_run(open_run(folder, check=False), protocol, corpus)
    assert checked.findings == ()
    assert list(checked.aggregates) == ["snr", "lsd"]
    assert checked.suspects == {}


@pytest.mark.parametrize("by", [1.0, 1e-12])
def test_an_edited_row_is_named(folder: Path, protocol: Basis, by: float) -> None:
    edit_csv(folder / "utterances.csv", "b/1", "snr", lambda cell: repr(float(cell) + by))
    (found,) = findings(folder, protocol)
    assert found.startswith("utterances.csv, row b/1: snr is '")
    assert "in the journal" in found


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("speaker", "z", "speaker is 'z', and 'b' in the journal"),
        ("file", "z.wav", "file is 'z.wav'"),
        ("samples", "1", "samples is '1'"),
        ("status", "failed", "status is 'failed', and 'ok'"),
        ("error", "oh", "error is 'oh', and ''"),
        ("lsd", "", "lsd is ''"),
        ("snr", "twelve", "snr is 'twelve'"),
    ],
)
def test_every_column_is_compared(folder: Path, protocol: Basis, column: str, cell: str, said: str) -> None:
    edit_csv(folder / "utterances.csv", "b/2", column, lambda _: cell)
    (found,) = findings(folder, protocol)
    assert found.startswith(f"utterances.csv, row b/2: {said}")


def test_a_row_of_another_length(folder: Path, protocol: Basis) -> None:
    path = folder / "utterances.csv"
    path.write_text(path.read_text().replace("\nb/1,", "\nb/1,b,"))
    (found,) = findings(folder, protocol)
    assert found.startswith("utterances.csv, row b/1: has 11 cells, not 10")


def test_a_run_without_a_row(folder: Path, protocol: Basis) -> None:
    path = folder / "utterances.csv"
    path.write_text(path.read_text().splitlines(keepends=True)[0])
    assert "utterances.csv, row a/1: is absent, and the manifest counts it" in findings(folder, protocol)


def test_rows_taken_out_or_twice_or_strange(folder: Path, protocol: Basis) -> None:
    path = folder / "utterances.csv"
    header, *rows = path.read_text().splitlines(keepends=True)
    path.write_text("".join([header, *rows[1:], rows[1]]))
    found = findings(folder, protocol)
    assert "utterances.csv, row a/2: stands 2 times" in found
    assert "utterances.csv, row a/1: is absent, and the manifest counts it" in found
    path.write_text("".join([header, *rows, rows[0].replace("a/1", "x/9")]))
    edit = (folder / "journal.jsonl").read_text()
    (folder / "journal.jsonl").write_text(edit + edit.splitlines(keepends=True)[0].replace("a/1", "x/9"))
    assert "utterances.csv, row x/9: is not in split tiny_split.toml" in findings(folder, protocol)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r["values"].update(snr=math.nan), "snr is nan, which is no value"),
        (lambda r: r["values"].update(lsd=-1.0), "lsd is -1.0, and can only be from 0 to inf"),
        (lambda r: r["values"].pop("snr"), "has no snr, and no reason why"),
        (lambda r: r["values"].update(mse=1.0), "has a value of mse, which is not measured"),
        (lambda r: r.update(samples=None), "has no length and rate"),
        (lambda r: r.update(error="broke"), "failed, and has values"),
    ],
)
def test_a_journal_that_cannot_be(
    folder: Path, protocol: Basis, change: Callable[[dict[str, Any]], Any], said: str
) -> None:
    edit_journal(folder, "c/1", lambda record: (change(record), None)[1])
    (found,) = findings(folder, protocol)
    assert found == f"journal.jsonl, row c/1: {said}"


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r["values"].update(snr="12"),
        lambda r: r["values"].update(snr=True),
        lambda r: r["values"].update(snr=10**400),
        lambda r: r.update(values=[1]),
        lambda r: r.update(speaker=3),
        lambda r: r.update(speaker="\ud800"),
        lambda r: r.update(seconds="x"),
        lambda r: r.update(upscale_seconds=10**400),
    ],
)
def test_a_journal_with_other_kinds_of_values(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    edit_journal(folder, "c/1", lambda record: (change(record), None)[1])
    with pytest.raises(SrbenchError, match=r"'c/1' of utterances\.csv does not stand in the journal, or is damaged"):
        open_run(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m["upscaler"].update(name=["x"]),
        lambda m: m["upscaler"].update(name="=HYPERLINK(1)"),
        lambda m: m["upscaler"].update(name="\x1b[31m"),
        lambda m: m["upscaler"].update(device=[]),
        lambda m: m["metrics"].update(snr=None),
        lambda m: m.update(notes=[[1]]),
    ],
)
def test_a_manifest_with_other_kinds_of_values(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    edit_manifest(folder, change)
    with pytest.raises(SrbenchError, match=r"manifest\.json"):
        open_run(folder)


def test_an_edited_row_is_refused_wherever_a_run_is_read(folder: Path) -> None:
    edit_csv(folder / "utterances.csv", "c/1", "snr", lambda cell: repr(float(cell) + 1))
    with pytest.raises(SrbenchError, match=r"row c/1: snr is '[0-9.]+', and '[0-9.]+' in the journal"):
        open_run(folder)


def test_edited_aggregates(folder: Path, protocol: Basis) -> None:
    edit_csv(folder / "aggregates.csv", "snr", "mean", lambda cell: repr(float(cell) + 1e-6))
    (found,) = findings(folder, protocol)
    assert found.startswith("aggregates.csv, row snr: mean is '")
    assert check_run(open_run(folder, check=False), protocol).suspects == {}  # the other table agrees with the rows


@pytest.mark.parametrize("column", ["ci95_low", "n", "unit", "signature", "aggregation", "expected"])
def test_every_column_of_the_aggregates(folder: Path, protocol: Basis, column: str) -> None:
    edit_csv(folder / "aggregates.csv", "lsd", column, lambda _: "7")
    (found,) = findings(folder, protocol)
    assert found.startswith(f"aggregates.csv, row lsd: {column} is '7'")


def test_intervals_by_another_method_are_one_finding(folder: Path, protocol: Basis) -> None:
    for metric in ("snr", "lsd"):
        edit_csv(folder / "aggregates.csv", metric, "ci95_low", lambda cell: repr(float(cell) * 0.99))
    assert findings(folder, protocol) == [
        "aggregates.csv, row snr: its intervals, and those of 1 more rows, are not of this version: "
        "the same 'srbench run' or 'srbench score' writes it anew"
    ]


def test_edited_speakers(folder: Path, protocol: Basis) -> None:
    edit_csv(folder / "speakers.csv", "b", "lsd", lambda cell: repr(float(cell) * 1.1))
    edit_csv(folder / "speakers.csv", "c", "speaker", lambda _: "d")
    found = findings(folder, protocol)
    assert found[0] == "speakers.csv, row d: is not a row that utterances.csv gives"
    assert found[1].startswith("speakers.csv, row b: lsd is '")
    assert found[2].startswith("speakers.csv, row c: is absent")


def test_tables_that_are_missing(folder: Path, protocol: Basis) -> None:
    (folder / "aggregates.csv").unlink()
    (folder / "speakers.csv").write_bytes(b"\xff\xfe")
    assert findings(folder, protocol) == [
        f"{name}: is missing or unreadable: the same 'srbench run' or 'srbench score' writes it anew"
        for name in ("aggregates.csv", "speakers.csv")
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m["upscaler"].update(version="9"), "manifest.json: it is the manifest of linear-"),
        (lambda m: m.update(seed=5), "manifest.json: it is the manifest of linear-"),
        (
            lambda m: m["metrics"].update(snr="SNR|v:0"),
            "row snr: is not the signature of this version: v 0 against 1; of",
        ),
        (lambda m: m["metrics"].update(snr="?"), "row snr: is not the signature of this version: name ? against SNR"),
        (lambda m: m.update(protocol_signature="P"), "row protocol: is not the signature of this version: name P"),
        (lambda m: m.update(started="soon"), "manifest.json: started 'soon' is no date"),
        (lambda m: m["upscaler"].update(kind="anchor"), "manifest.json: there is no anchor 'linear'"),
        (lambda m: m["split"].update(expected=7), "manifest.json: the split's expected is 6, not 7"),
        (lambda m: m["split"].update(name="other"), "manifest.json: the split's name is tiny_split, not other"),
        (lambda m: m["utterances"].update(n=5), "manifest.json: it is the manifest of linear-"),
        (lambda m: m.update(own_corpus=False), "manifest.json: it is not a run on folder, the protocol's own corpus"),
    ],
)
def test_an_edited_manifest(folder: Path, protocol: Basis, change: Callable[[dict[str, Any]], None], said: str) -> None:
    edit_manifest(folder, change)
    assert any(said in found for found in findings(folder, protocol))


def test_a_metric_that_is_unknown_here(folder: Path, protocol: Basis) -> None:
    edit_manifest(folder, lambda m: m.update(metrics={"sn": m["metrics"]["snr"], "lsd": m["metrics"]["lsd"]}))
    path = folder / "utterances.csv"
    path.write_text(path.read_text().replace(",snr,", ",sn,"))
    (found,) = findings(folder, protocol)
    assert "manifest.json" in found
    assert "'sn'" in found
    assert "--plugin" in found


def test_a_recording_that_is_not_the_one_scored(folder: Path, protocol: Basis, corpus: Corpus) -> None:
    edit_journal(folder, "a/1", lambda record: record.update(stamp="0" * 64, recording="0" * 64))
    found = recheck(open_run(folder, check=False), protocol, corpus, rows=None).findings
    assert [(each.row, "SHA-256 differs" in each.message) for each in found] == [("a/1", True)]


def test_the_same_samples_in_another_format_are_the_recording(
    folder: Path, protocol: Basis, corpus: Corpus, tmp_path: Path
) -> None:
    found = [samples_in(each.path, tmp_path / f"flac/{each.id}.flac", "PCM_16") for each in corpus.utterances]
    there = recheck(open_run(folder, check=False), protocol, open_corpus(tmp_path / "flac"), rows=None)
    assert (there.rows, there.findings) == (len(found), ())


def test_recordings_of_a_manifest_that_are_not_the_journals(folder: Path, protocol: Basis) -> None:
    edit_journal(folder, "a/1", lambda record: record.update(recording="0" * 64))
    assert any("recordings are not those of the journal" in found for found in findings(folder, protocol))


def test_a_speaker_who_is_another_in_the_corpus(folder: Path, protocol: Basis, corpus: Corpus) -> None:
    edit_csv(folder / "utterances.csv", "a/1", "speaker", lambda _: "d")
    edit_journal(folder, "a/1", lambda record: record.update(speaker="d"))
    cover_tracks(folder)
    assert findings(folder, protocol) == []
    assert findings(folder, protocol, corpus) == ["utterances.csv, row a/1: its speaker is 'a', not 'd'"]


@given(data=st.data())
def test_whatever_is_changed_in_a_row_is_found(
    data: st.DataObject, made: tuple[Path, Run], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """One cell of any row, edited alone, is a finding that names the row."""
    folder = copied(made[1], tmp_path_factory.mktemp("edited"))
    row, column = data.draw(st.sampled_from(IDS)), data.draw(st.sampled_from(["speaker", "samples", "snr", "lsd"]))
    text = data.draw(st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=8))
    before = (folder / "utterances.csv").read_bytes()
    edit_csv(folder / "utterances.csv", row, column, lambda _: text)
    if (folder / "utterances.csv").read_bytes() != before:
        found = findings(folder, of_protocol(load_protocol(made[0])))
        assert any(each.startswith(f"utterances.csv, row {row}: {column} is ") for each in found)


# computed again from the audio


def test_rows_are_computed_again(folder: Path, protocol: Basis, corpus: Corpus) -> None:
    done = recheck(open_run(folder, check=False), protocol, corpus, rows=2)
    assert (done.rows, done.findings, done.note) == (2, (), "")
    assert recheck(open_run(folder, check=False), protocol, corpus, rows=None).rows == 6
    assert recheck(open_run(folder, check=False), protocol, corpus, rows=100).rows == 6
    assert recheck(open_run(folder, check=False), protocol, None, rows=0).note == ""


def test_an_edit_of_everything_is_found_by_the_audio(folder: Path, protocol: Basis, corpus: Corpus) -> None:
    """Rows, journal and aggregates agree with each other; only the audio tells."""
    raise_value(folder, "b/2", "snr", 0.01)
    cover_tracks(folder)
    assert findings(folder, protocol, corpus) == []
    (found,) = recheck(open_run(folder, check=False), protocol, corpus, rows=None).findings
    assert str(found).startswith("utterances.csv, row b/2: snr is ")
    assert "computed again it is" in found.message


@pytest.mark.parametrize("row", IDS)
def test_an_edited_journal_is_traced_to_its_row(row: str, folder: Path, protocol: Basis, corpus: Corpus) -> None:
    """The tables contradict the rows: the speaker's rows are computed again until the one is found."""
    raise_value(folder, row, "lsd", 0.1)
    checked = check_run(open_run(folder, check=False), protocol, corpus)
    assert [(f.file, f.row) for f in checked.findings] == [("aggregates.csv", "lsd"), ("speakers.csv", row[0])]
    assert checked.suspects == {row[0]: {"lsd"}}
    done = recheck(open_run(folder, check=False), protocol, corpus, rows=1, suspects=checked.suspects)
    assert [(f.file, f.row) for f in done.findings] == [("utterances.csv", row)]


def test_nobody_can_know_which_rows_are_drawn(folder: Path, protocol: Basis, corpus: Corpus) -> None:
    """Of one run, byte for byte, other rows each time; the same ones only for a generator that a test brings."""
    for name in IDS:
        edit_journal(folder, name, lambda record: record["values"].update(snr=99.0))
    run = open_run(folder, check=False)

    def drawn(draw: random.Random | None = None) -> str:
        return recheck(run, protocol, corpus, rows=1, draw=draw).findings[0].row

    assert len({drawn() for _ in range(20)}) > 1  # one in 6 ** 19 is not
    assert drawn(random.Random(1)) == drawn(random.Random(1))


def test_why_it_cannot_be_rechecked(made: tuple[Path, Run], folder: Path, protocol: Basis, tmp_path: Path) -> None:
    note = recheck(open_run(folder, check=False), protocol, None, rows=3).note
    assert note == "not rechecked: folder is not here; say where it is with --data DIR"
    elsewhere = Corpus("folder", tmp_path, ())
    assert "none of its utterances are in" in recheck(open_run(folder, check=False), protocol, elsewhere, rows=3).note
    edit_manifest(folder, lambda m: m["upscaler"].update(version="0.0.0"))
    corpus = open_corpus(made[0].parent / "corpus")
    done = recheck(open_run(folder, check=False), protocol, corpus, rows=3)
    assert (
        done.note == "not rechecked: it kept no audio, and linear is not the upscaler of this run: its version differ"
    )
    assert done.rows == 0


def test_kept_estimates_serve_where_the_upscaler_is_absent(
    made: tuple[Path, Run], protocol: Basis, corpus: Corpus, tmp_path: Path
) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text(dedent(PLUGIN))
    run = make_run(made[0], tmp_path / "r", Entrant("mine", plugins=(plugin,)), save_audio=True)
    kept = recheck(run, protocol, corpus, rows=None)
    again = recheck(run, protocol, corpus, rows=None, plugins=[plugin])
    assert (kept.rows, kept.findings, kept.note) == (again.rows, again.findings, again.note) == (6, (), "")
    assert (kept.cell, again.cell) == ("6 measured again", "6 run again")
    (run.folder / "audio" / "a" / "1.wav").unlink()
    part = recheck(run, protocol, corpus, rows=None)
    assert (part.rows, part.findings) == (5, ())
    assert "rechecked in part: " in part.note
    assert "kept no audio of a/1" in part.note
    raise_value(run.folder, "b/2", "snr", 0.01)
    (found,) = recheck(open_run(run.folder, check=False), protocol, corpus, rows=None).findings
    assert (found.row, "computed again" in found.message) == ("b/2", True)


def test_a_row_that_cannot_be_made_again(made: tuple[Path, Run], folder: Path, protocol: Basis) -> None:
    corpus = open_corpus(made[0].parent / "corpus")
    short = Corpus(corpus.name, corpus.root, corpus.utterances[:1])
    broken = folder / "broken.wav"
    broken.write_bytes(b"RIFF")
    gone = Corpus("folder", corpus.root, (type(short.utterances[0])("a/1", "a", broken),))
    assert recheck(open_run(folder, check=False), protocol, short, rows=3).rows == 1
    (found,) = recheck(open_run(folder, check=False), protocol, gone, rows=3).findings
    assert found.row == "a/1"
    assert found.message.startswith("cannot be made again: ")


def test_values_agree_but_for_the_last_digits() -> None:
    assert agree("snr", 12.0, 12.0 + 1e-4, TOLERANCE)
    assert not agree("snr", 12.0, 12.01, TOLERANCE)
    assert agree("snr", 0.0, 0.00005, TOLERANCE)
    assert agree("snr", math.inf, 310.0, TOLERANCE)
    assert not agree("snr", math.inf, 12.0, TOLERANCE)
    assert not agree("snr", math.nan, 12.0, TOLERANCE)
    assert agree("snr", math.nan, math.nan, TOLERANCE)
    assert agree("mse", 1e-5, 1.00001e-5, TOLERANCE)
    assert not agree("mse", 1e-5, 1.01e-5, TOLERANCE)
    assert agree("lsd", 0.0, 1e-16, TOLERANCE)
    assert not agree("lsd", 1.0, 1.001, TOLERANCE)


@given(st.floats(-50, 50), st.floats(-50, 50))
def test_agreement_is_symmetric_and_holds_for_a_value_itself(a: float, b: float) -> None:
    assert agree("snr", a, a, TOLERANCE)
    assert agree("snr", a, b, TOLERANCE) == agree("snr", b, a, TOLERANCE)
