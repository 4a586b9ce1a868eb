"""Publishing: what becomes a row, what is left out or refused, and that publishing again changes no byte."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from tiny_runs import (
    PROTOCOL,
    copied,
    cover_tracks,
    edit_csv,
    edit_journal,
    edit_manifest,
    make_protocol,
    make_run,
    raise_value,
)

from srbench.errors import SrbenchError
from srbench.protocols import load_protocol
from srbench.report.notes import footnotes
from srbench.results.board import Board
from srbench.results.board_file import DIGEST, FACTS, facts, read_board, read_boards
from srbench.results.intake import corpora_of, known_protocols
from srbench.results.publish import Outcome, publish
from srbench.run import Entrant
from srbench.run.basis import of_protocol
from srbench.run.manifest import Manifest

PLUGIN = """
    from srbench.upscaler import upscaler

    @upscaler("<script>alert(1)</script> a_b & c|d")
    class Odd:
        num_parameters = 12
        def upscale(self, low, low_rate, high_rate):
            return low.repeat(4)
        def describe(self):
            return {"weights": "w", "weights_sha256": "ff", "training_corpora": ["vctk", "b"], "training_hours": 1.25,
                    "training_speakers": ["a", "p1"]}

    @upscaler("picky")
    def picky(low, low_rate, high_rate):
        if low.mean() > 0:
            raise ValueError("no")
        return low.repeat(4)
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a protocol and its corpus, and ``results`` with the runs of two upscalers and two anchors."""
    folder = tmp_path_factory.mktemp("publish")
    protocol = make_protocol(folder)
    (folder / "odd.py").write_text(dedent(PLUGIN))
    for entrant in (Entrant("spline"), Entrant("linear"), *(Entrant(n, anchor=True) for n in ("ceiling", "reference"))):
        make_run(protocol, folder / "results", entrant)
    return folder


@pytest.fixture
def results(base: Path, tmp_path: Path) -> Path:
    return shutil.copytree(base / "results", tmp_path / "results")


Publish = Callable[..., Outcome]


@pytest.fixture
def published(base: Path, tmp_path: Path) -> Publish:
    """Return a function that publishes into ``tmp_path/leaderboard`` with the tiny protocol known."""

    def call(*places: Path, **options: Any) -> Outcome:
        known = {"tiny": of_protocol(load_protocol(base / "tiny.toml"))}
        options = {"protocols": known, "data": [base / "corpus"], "rows": 1, **options}
        return publish(places, tmp_path / "leaderboard", **options)

    return call


def run_folder(results: Path, name: str) -> Path:
    (found,) = results.glob(f"tiny/{name}-*")
    return found


def rename(folder: Path) -> Path:
    """Give an edited run the name that its manifest makes."""
    return folder.rename(folder.parent / Manifest.read(folder).folder_name)


def refused(outcome: Outcome) -> list[str]:
    return [reason for each in outcome.aside if each.fault for reason in each.reasons]


def left_out(outcome: Outcome) -> list[str]:
    return [reason for each in outcome.aside if not each.fault for reason in each.reasons]


def test_rows_and_their_facts(published: Publish, results: Path, tmp_path: Path) -> None:
    outcome = published(results)
    assert [(e.upscaler, e.change, e.rechecked, e.note) for e in outcome.published] == [
        (name, "new", 1, "") for name in ("ceiling", "reference", "linear", "spline")
    ]
    assert (outcome.aside, outcome.notes) == ((), ())
    path = tmp_path / "leaderboard" / "tiny.csv"
    assert outcome.written == (path,)
    board = read_board(path)
    assert [row.name for row in board.rows] == ["linear", "spline", "ceiling", "reference"]
    assert board.metrics == ("snr", "lsd")
    row = board.rows[0]
    assert tuple(facts(row)) == FACTS
    assert (row.kind, row.n, row.failed, row.expected) == ("model", 6, 0, 6)
    assert (row.resampled, facts(row)["resampled"], row.seed) == (((3, "speakers"),), "3 speakers", 0)
    assert row.run == run_folder(results, "linear").name
    assert row.distribution == "srbench"
    assert "numpy=" in row.versions
    assert row.real_time_factor is not None
    assert row.real_time_factor > 0
    assert board.rows[2].anchor


def test_publishing_twice_changes_no_byte(published: Publish, results: Path, tmp_path: Path) -> None:
    published(results)
    path = tmp_path / "leaderboard" / "tiny.csv"
    before = path.read_bytes()
    outcome = published(results)
    assert path.read_bytes() == before
    assert {entry.change for entry in outcome.published} == {"the same"}
    assert outcome.written == ()


def test_the_order_of_publishing_does_not_matter(published: Publish, results: Path, tmp_path: Path) -> None:
    published(results)
    path = tmp_path / "leaderboard" / "tiny.csv"
    before = path.read_bytes()
    path.unlink()
    for name in ("spline", "anchor-reference", "linear", "anchor-ceiling"):
        published(run_folder(results, name))
    assert path.read_bytes() == before


def test_a_run_begun_again_is_the_same_row(published: Publish, base: Path, results: Path, tmp_path: Path) -> None:
    """``srbench run`` on a finished run writes the manifest with a new date."""
    published(results)
    before = (tmp_path / "leaderboard" / "tiny.csv").read_bytes()
    edit_manifest(run_folder(results, "linear"), lambda m: m.update(started="2030-01-01T00:00:00+00:00"))
    assert {entry.change for entry in published(results).published} == {"the same"}
    assert (tmp_path / "leaderboard" / "tiny.csv").read_bytes() == before


def nudge(folder: Path, factor: float) -> Path:
    """Make it a run of another seed, whose values differ by a factor."""
    edit_manifest(folder, lambda m: m.update(seed=7))
    for name in ("a/1", "a/2", "b/1", "b/2", "c/1", "c/2"):
        edit_journal(folder, name, lambda r: r["values"].update(snr=r["values"]["snr"] * factor))
        edit_csv(folder / "utterances.csv", name, "snr", lambda cell: repr(float(cell) * factor))
    cover_tracks(folder)
    return rename(folder)


def test_the_same_numbers_of_another_machine_keep_the_row(published: Publish, results: Path, tmp_path: Path) -> None:
    published(results)
    before = (tmp_path / "leaderboard" / "tiny.csv").read_bytes()
    other = nudge(run_folder(results, "linear"), 1 + 1e-7)
    (entry,) = published(other).published
    assert (entry.change, entry.upscaler) == ("kept", "linear")
    assert (tmp_path / "leaderboard" / "tiny.csv").read_bytes() == before


def test_another_number_is_a_conflict(published: Publish, results: Path, tmp_path: Path) -> None:
    published(results)
    path = tmp_path / "leaderboard" / "tiny.csv"
    before = path.read_bytes()
    other = nudge(run_folder(results, "linear"), 1.01)
    outcome = published(results, rows=0)
    (said,) = refused(outcome)
    row = read_board(path).row("linear")
    assert row is not None
    assert said.startswith(f"linear: snr is {row.values['snr'].mean!r} in the leaderboard, and ")
    assert said.endswith("--replace linear")
    assert str(other) in said
    assert (outcome.published, outcome.boards, path.read_bytes()) == ((), {}, before)
    outcome = published(results, rows=0, replace=["linear"])
    assert {e.upscaler: e.change for e in outcome.published}["linear"] == "replaced"
    after = read_board(path).row("linear")
    assert after is not None
    assert after.values["snr"].mean == pytest.approx(1.01 * row.values["snr"].mean)


def test_the_audio_tells_a_run_whose_files_all_agree(published: Publish, results: Path) -> None:
    folder = run_folder(results, "linear")
    raise_value(folder, "c/1", "snr", 0.5)
    cover_tracks(folder)
    assert refused(published(results, rows=0)) == []
    (said,) = refused(published(results, rows=None))
    assert said.startswith("utterances.csv, row c/1: snr is ")


def test_an_edited_run_is_refused_and_the_rest_goes_on(published: Publish, results: Path) -> None:
    edit_csv(run_folder(results, "linear") / "utterances.csv", "a/2", "lsd", lambda _: "0.5")
    raise_value(run_folder(results, "anchor-ceiling"), "b/1", "lsd", 1.0)
    outcome = published(results)
    said = refused(outcome)
    assert said[-1].startswith("utterances.csv, row a/2: lsd is '0.5', and '")
    assert said[0].startswith("utterances.csv, row b/1: lsd is ")  # traced, though the journal was edited too
    assert [entry.upscaler for entry in outcome.published] == ["reference", "spline"]


def test_an_edited_leaderboard_is_refused(published: Publish, results: Path, tmp_path: Path) -> None:
    published(results)
    path = tmp_path / "leaderboard" / "tiny.csv"
    edit_csv(path, "spline", "snr", lambda _: "99.0")
    edited = path.read_bytes()
    outcome = published(results)
    (said,) = [reason for reason in refused(outcome) if "was changed" in reason]
    assert "line 3 (spline): was changed after it was published" in said
    assert (outcome.published, path.read_bytes()) == ((), edited)
    boards, faults = read_boards(tmp_path / "leaderboard")
    assert (boards, list(faults)) == ([], [path])


def test_another_definition_is_refused_with_its_fields(
    published: Publish, base: Path, results: Path, tmp_path: Path
) -> None:
    published(results)
    other = tmp_path / "other"
    make_protocol(other)
    (other / "tiny.toml").write_text(dedent(PROTOCOL).replace("order = 8", "order = 6").replace('"snr", ', '"mse", '))
    run = make_run(other / "tiny.toml", other / "results", Entrant("spline"))
    known = {"tiny": of_protocol(load_protocol(other / "tiny.toml"))}
    outcome = published(run.folder, protocols=known)
    said = " ".join(refused(outcome))
    assert "its rows are numbers of another definition: protocol: order 8 against 6" in said
    assert "snr is only in the file" in said
    assert "mse is only in the runs" in said
    assert outcome.published == ()


def test_a_run_of_another_definition_than_this_version(published: Publish, base: Path, results: Path) -> None:
    edit_manifest(run_folder(results, "linear"), lambda m: m["metrics"].update(lsd="LSD|log:2|v:0"))
    said = refused(published(results))
    assert any(
        reason.startswith("manifest.json, row lsd: is not the signature of this version: log 2") for reason in said
    )


def test_what_does_not_belong_is_left_out(published: Publish, base: Path, results: Path) -> None:
    protocol = base / "tiny.toml"
    partial = make_run(protocol, results, Entrant("linear"), limit=2)
    metrics = make_run(protocol, results, Entrant("sinc"), metrics=("snr", "mse"))
    other = make_run(protocol, results, Entrant("hold"), side="all")
    (results / "tiny" / "begun").mkdir()
    shutil.copy(partial.folder / "manifest.json", results / "tiny" / "begun")
    stranger = copied(partial, results / "strangers")
    edit_manifest(stranger, lambda m: m.update(protocol="theirs"))
    outcome = published(results)
    assert sorted(left_out(outcome)) == [
        "Not the protocol's own side: all in place of test.",
        "it is not finished: run it again",
        "it is partial: 2 of 6 utterances (--allow-partial takes it, and its n says so)",
        "its metrics are not the protocol's: without lsd; with mse",
        "protocol theirs is not known here: give its file with --protocol",
    ]
    assert refused(outcome) == []
    assert len(outcome.published) == 4
    named = published(results / "tiny", partial.folder, metrics.folder, other.folder)
    assert len(refused(named)) == 3
    assert len(named.published) == 4


def test_a_partial_run_when_asked_for(published: Publish, base: Path, tmp_path: Path) -> None:
    run = make_run(base / "tiny.toml", tmp_path / "r", Entrant("linear"), limit=2)
    outcome = published(run.folder, allow_partial=True)
    row = outcome.boards["tiny"].row("linear")
    assert row is not None
    assert (row.n, row.expected, row.values["snr"].n) == (2, 6, 2)
    assert outcome.notes == ("tiny: has no row of the spline, the floor of every leaderboard; run and publish it too",)


def test_a_whole_run_in_the_place_of_a_partial_one(
    published: Publish, base: Path, results: Path, tmp_path: Path
) -> None:
    run = make_run(base / "tiny.toml", tmp_path / "r", Entrant("linear"), limit=2)
    published(run.folder, allow_partial=True)
    (said,) = refused(published(results))
    assert "linear: n is 2 in the leaderboard, and 6 in this run" in said


def test_failed_utterances_make_a_run_partial(published: Publish, base: Path, tmp_path: Path) -> None:
    run = make_run(base / "tiny.toml", tmp_path / "r", Entrant("picky", plugins=(base / "odd.py",)))
    failed = sum(1 for record in run.records if record.error)
    if not 0 < failed < 6:
        pytest.fail(f"the plug-in was to fail on some, not on {failed}")
    (said,) = left_out(published(tmp_path / "r"))
    assert said.startswith(f"it failed on {failed} of 6 utterances (--allow-partial takes it); the first, ")
    outcome = published(tmp_path / "r", allow_partial=True, plugins=[base / "odd.py"])
    row = outcome.boards["tiny"].rows[0]
    assert (row.n, row.failed, row.expected) == (6 - failed, failed, 6)


def test_of_several_runs_the_newest_is_taken(published: Publish, results: Path) -> None:
    old = run_folder(results, "linear")
    new = shutil.copytree(old, results / "more" / "tiny" / old.name)
    edit_manifest(new, lambda m: m.update(seed=3, started="2099-01-01T00:00:00+00:00"))
    new = rename(new)
    outcome = published(results)
    assert outcome.notes == (f"tiny: of 2 runs of linear the newest is taken, {new.name}",)
    assert {e.upscaler: e.run for e in outcome.published}["linear"] == new


def test_weights_of_one_file_name_are_not_one_upscaler(published: Publish, results: Path) -> None:
    """Neither is taken for the other: two training runs each end in best.safetensors."""
    old = run_folder(results, "linear")
    edit_manifest(old, lambda m: m["upscaler"].update(name="net@best.safetensors", weights_sha256="aa"))
    new = shutil.copytree(old, results / "more" / "tiny" / old.name)
    edit_manifest(new, lambda m: m["upscaler"].update(weights_sha256="bb"))
    old, new = rename(old), rename(new)
    outcome = published(results)
    assert {each.path for each in outcome.aside if each.fault} == {old, new}
    assert "2 files of weights make the name net@best.safetensors" in refused(outcome)[0]
    assert "net@best.safetensors" not in {e.upscaler for e in outcome.published}
    assert [e.upscaler for e in published(new).published] == ["net@best.safetensors"]


def test_a_run_named_twice_is_one(published: Publish, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(results.parent)
    outcome = published(Path("results"), results, run_folder(results, "linear"))
    assert (len(outcome.published), outcome.notes) == (4, ())


def test_provenance_of_a_plugin(published: Publish, base: Path, tmp_path: Path) -> None:
    name = "<script>alert(1)</script> a_b & c|d"
    run = make_run(base / "tiny.toml", tmp_path / "r", Entrant(name, plugins=(base / "odd.py",)))
    outcome = published(run.folder)
    (entry,) = outcome.published
    assert "not rechecked: it kept no audio, and unknown upscaler" in entry.note
    (entry,) = published(run.folder, plugins=[base / "odd.py"]).published
    assert (entry.rechecked, entry.note) == (1, "")
    row = read_board(tmp_path / "leaderboard" / "tiny.csv").rows[0]
    assert row.name == name
    assert (row.num_parameters, row.weights, row.weights_sha256) == (12, "w", "ff")
    assert row.trained_on == "vctk, b; 1.25 h; 2 speakers"
    assert row.warnings.startswith("trained on 1 of the speakers scored here: a; delay: ")
    assert row.distribution == "odd.py"


def test_an_anchor_and_a_model_of_one_name(published: Publish, results: Path, tmp_path: Path) -> None:
    published(run_folder(results, "anchor-ceiling"))
    folder = run_folder(results, "linear")
    edit_manifest(folder, lambda m: m["upscaler"].update(name="ceiling"))
    (said,) = refused(published(rename(folder), rows=0))
    assert said.startswith("ceiling: kind is anchor in the leaderboard, and model in this run")


def test_a_protocol_that_would_write_over_the_published_numbers(base: Path, tmp_path: Path) -> None:
    make_protocol(tmp_path)
    file = (tmp_path / "tiny.toml").rename(tmp_path / "published.toml")
    run = make_run(file, tmp_path / "r", Entrant("linear"))
    outcome = publish([run.folder], tmp_path / "l", protocols=known_protocols([file]), rows=0)
    assert refused(outcome) == ["published.csv is another file's name in this folder: give the protocol another name"]
    assert not (tmp_path / "l").exists()


def test_a_damaged_run(published: Publish, results: Path) -> None:
    folder = run_folder(results, "linear")
    (folder / "manifest.json").write_text("{")
    (run_folder(results, "spline") / "journal.jsonl").write_text("")
    said = refused(published(results))
    assert len(said) == 2
    assert any("is not JSON" in reason for reason in said)
    assert any("does not stand in the journal" in reason for reason in said)


def test_places_without_runs(published: Publish, tmp_path: Path) -> None:
    with pytest.raises(SrbenchError, match="no such folder"):
        published(tmp_path / "nowhere")
    with pytest.raises(SrbenchError, match="holds no run"):
        published(tmp_path)


def test_corpora_are_found_where_they_are(base: Path) -> None:
    known = known_protocols([base / "tiny.toml"])
    found = corpora_of([known["tiny"], known["demo"], known["vctk-p239-r4"]], [base / "corpus"])
    told = {name: [corpus.name for corpus in corpora] for name, corpora in found.items()}
    assert told == {"tiny": ["folder"], "demo": ["demo-1"], "vctk-p239-r4": []}


@pytest.mark.parametrize("first", ["own", "other"])
def test_of_two_folders_of_one_corpus_the_one_that_a_run_is_on_is_taken(
    published: Publish, results: Path, base: Path, tmp_path: Path, first: str
) -> None:
    """The other differs in the last recording only."""
    shutil.copytree(base / "corpus", tmp_path / "other")
    shutil.copy(tmp_path / "other" / "a" / "1.wav", tmp_path / "other" / "c" / "2.wav")
    folders = [base / "corpus", tmp_path / "other"]
    outcome = published(results, data=folders if first == "own" else folders[::-1], rows=None)
    assert {(e.rechecked, e.note) for e in outcome.published} == {(6, "")}
    assert outcome.corpora["tiny"].root == base / "corpus"
    assert outcome.notes == (f"{tmp_path / 'other'}: no run that is to be published is on this corpus",)


def test_a_corpus_that_no_run_is_on(published: Publish, results: Path, base: Path, tmp_path: Path) -> None:
    (tmp_path / "vctk").mkdir()
    shutil.copy(base / "corpus" / "a" / "1.wav", tmp_path / "vctk" / "p300_001.wav")
    outcome = published(results, data=[tmp_path / "vctk", base / "corpus" / "a"])
    assert outcome.notes == (f"{tmp_path / 'vctk'}: no run that is to be published is on this corpus",)
    assert {(e.rechecked, e.note) for e in outcome.published} == {
        (0, f"not rechecked: none of its utterances are in {base / 'corpus' / 'a'}")
    }


def test_a_row_has_a_digest_that_its_cells_make(published: Publish, results: Path, tmp_path: Path) -> None:
    published(results)
    text = (tmp_path / "leaderboard" / "tiny.csv").read_text()
    assert text.splitlines()[0].endswith(f",{DIGEST}")


def test_what_is_found_later_stays_with_the_row(published: Publish, results: Path, tmp_path: Path) -> None:
    """A forged run may pass with rows that were not drawn; when one of them is, the row that it became tells."""
    folder = run_folder(results, "linear")
    raise_value(folder, "b/2", "snr", 5.0)
    cover_tracks(folder)
    path = tmp_path / "leaderboard" / "tiny.csv"
    published(results, rows=0)
    assert read_board(path).row("linear").rechecked == "0"
    outcome = published(results, rows=None)
    told = read_board(path).row("linear").rechecked
    assert told == "1 of 6 run again differ"
    assert outcome.boards["tiny"].row("linear").rechecked == told
    published(results, rows=0)
    assert read_board(path).row("linear").rechecked == told
    assert any(told in note for note in footnotes(read_board(path)))


def test_a_run_of_other_numbers_says_nothing_of_the_row(published: Publish, results: Path, tmp_path: Path) -> None:
    published(results)
    before = (tmp_path / "leaderboard" / "tiny.csv").read_bytes()
    folder = run_folder(results, "linear")
    raise_value(folder, "b/2", "snr", 5.0)
    cover_tracks(folder)
    assert refused(published(folder, rows=None))
    assert (tmp_path / "leaderboard" / "tiny.csv").read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        {"distribution": "x" * 200_000},
        {"training_hours": 10**400},
        {"num_parameters": 2**70},
        {"weights": ["x" * 20_000]},
    ],
)
def test_what_no_run_tells_is_refused_on_the_way_in(change: dict[str, Any], published: Publish, results: Path) -> None:
    edit_manifest(run_folder(results, "linear"), lambda manifest: manifest["upscaler"].update(change))
    (why,) = refused(published(results))
    assert f"'upscaler.{next(iter(change))}" in why


def test_two_that_publish_at_once_both_stand_there(
    base: Path, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reads the leaderboard and writes it again: without a lock the later one takes the other's rows away."""
    known = {"tiny": of_protocol(load_protocol(base / "tiny.toml"))}
    start, at_once = threading.Barrier(4), sys.modules[publish.__module__].write_board

    def slowly(board: Board, path: Path) -> None:
        time.sleep(0.2)
        at_once(board, path)

    monkeypatch.setattr(sys.modules[publish.__module__], "write_board", slowly)
    names = ("linear", "spline", "anchor-ceiling", "anchor-reference")

    def one(name: str) -> str:
        folder = run_folder(results, name)
        start.wait()
        return publish([folder], tmp_path / "leaderboard", protocols=known, rows=0).published[0].change

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, names)) == ["new"] * 4
    assert len(read_board(tmp_path / "leaderboard" / "tiny.csv").rows) == 4
