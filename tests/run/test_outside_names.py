"""Names that come from outside, through a whole run: tables that are safe to open, paths that stay in their folder."""

from __future__ import annotations

import csv
import json
import os
import shutil
from functools import partial
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
import soundfile
from made_runs import telling

from srbench import audio
from srbench.corpora import demo_corpus, open_corpus
from srbench.errors import SrbenchError
from srbench.protocols import load_protocol
from srbench.results import leaderboard, write_leaderboard
from srbench.results.validate import check_run
from srbench.run import Entrant, Plan, Run, entrant_of, make_plan, open_run, run_entrant, signals
from srbench.run.basis import of_protocol
from srbench.run.estimates import Estimates
from srbench.run.pipeline import audio_file

FILES = ["=HYPERLINK(1)", "+1+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", "'=1", "a;=1", "con", "x" * 251, "-1.5", "a..."]
SPEAKERS = ["=cmd|'C calc'!A0", "-7"]
PLUGIN = """
    from srbench.upscaler import upscaler

    @upscaler("angry")
    def angry(low, low_rate, high_rate):
        if low[0] > 0:
            raise ValueError("@SUM(1)")
        return low.repeat(4)
"""


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    root = tmp_path_factory.mktemp("corpus")
    sound, rate = audio.read(demo_corpus().utterances[0].path)
    for speaker in SPEAKERS:
        (root / speaker).mkdir()
    for number, name in enumerate(FILES):
        folder = root / SPEAKERS[number % 2]
        part = sound[number * 500 :][:8000]
        soundfile.write(folder / f"{name}.wav", part * np.sign(part[0] or 1), rate, format="WAV")
    (root / "=empty.wav").write_bytes(b"")
    return make_plan(load_protocol("demo"), root, metrics=("snr",))


@pytest.fixture(scope="module")
def run(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_entrant(plan, Entrant("linear"), tmp_path_factory.mktemp("results"), save_audio=True)


def cells(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [cell for row in csv.reader(file) for cell in row]


def test_no_cell_of_any_table_is_a_formula(plan: Plan, run: Run, tmp_path: Path) -> None:
    plugin = tmp_path / "angry.py"
    plugin.write_text(dedent(PLUGIN))
    angry = run_entrant(plan, Entrant("angry", plugins=(plugin,)), tmp_path)
    board = leaderboard(plan, [run, angry], [], tmp_path)
    write_leaderboard(board, tmp_path / "leaderboard.csv")
    tables = [*run.folder.glob("*.csv"), *angry.folder.glob("*.csv"), tmp_path / "leaderboard.csv"]
    assert len(tables) == 2 * 4 + 1
    for path in tables:
        for cell in cells(path):
            assert not cell.startswith(("=", "@", "\t", "\r", "\n")), (path.name, cell)
            if cell.startswith(("+", "-")):
                float(cell)
    assert f"'{SPEAKERS[0]}" in cells(run.folder / "speakers.csv")
    assert {f"'{SPEAKERS[0]}/=HYPERLINK(1)", "'=empty"} <= {*cells(run.folder / "utterances.csv")}


def test_the_run_reads_back_as_it_was(plan: Plan, run: Run) -> None:
    again = open_run(run.folder)
    assert again.records == run.records
    assert {record.utterance for record in again.records} == {utterance.id for utterance in plan.utterances}
    assert {*again.columns["speaker"]} == {*SPEAKERS, plan.corpus.root.name}
    leaderboard(plan, [run], [], run.folder)  # writes speakers.csv
    assert not [
        f for f in check_run(run, of_protocol(plan.protocol)).findings if f.file in ("speakers.csv", "aggregates.csv")
    ]


def test_every_estimate_is_kept_below_its_folder(plan: Plan, run: Run) -> None:
    kept = {path.relative_to(run.folder / "audio").as_posix() for path in (run.folder / "audio").rglob("*.wav")}
    assert kept == {f"{record.utterance}.wav" for record in run.records if not record.error}
    assert len(kept) == len(FILES)


def test_a_link_in_a_corpus_is_named_by_its_place(tmp_path: Path) -> None:
    """Corpora may be made of links; the id, and so what is written, follows where the link lies."""
    outside = tmp_path / "elsewhere.wav"
    soundfile.write(outside, np.zeros(16000), 16000)
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.wav").symlink_to(outside)
    (only,) = open_corpus(tmp_path / "corpus").utterances
    assert (only.id, only.path) == ("a", tmp_path / "corpus" / "a.wav")


@pytest.mark.parametrize("utterance", ["../outside", "a/../../outside", "/tmp/outside", "link/outside"])
def test_where_an_estimate_is_kept_cannot_be_outside(utterance: str, tmp_path: Path) -> None:
    folder = tmp_path / "audio"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(SrbenchError, match=r"leads out of audio"):
        audio_file(folder, utterance)


def test_the_folder_of_estimates_may_not_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "audio").symlink_to(tmp_path / "private")
    with pytest.raises(SrbenchError, match="leads out of audio"):
        audio_file(tmp_path / "audio", "a/b")


IN_A_RUN = ["manifest.json", "journal.jsonl", "utterances.csv", "aggregates.csv", "under_way", "audio", ".lock"]


@pytest.mark.parametrize("name", IN_A_RUN)
@pytest.mark.parametrize("kind", ["link", "pipe", "device"])
def test_what_is_no_file_in_a_run_is_neither_read_nor_written_through(
    name: str, kind: str, run: Run, plan: Plan, tmp_path: Path
) -> None:
    """At once: a pipe has nobody at its other end, and the device never ends."""
    folder = tmp_path / "r" / "demo" / run.folder.name
    shutil.copytree(run.folder, folder)
    place, elsewhere = folder / name, tmp_path / "elsewhere"
    if place.is_dir():
        place.rename(elsewhere)
    else:
        elsewhere.write_bytes(place.read_bytes() if place.exists() else b"mine")
        place.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to(elsewhere if kind == "link" else "/dev/zero")
    before = {path: path.read_bytes() for path in tmp_path.rglob("elsewhere*") if path.is_file()}
    for use in (partial(open_run, folder), partial(run_entrant, plan, Entrant("linear"), tmp_path / "r", fresh=True)):
        with pytest.raises(SrbenchError, match=f"{name}: is a (link|pipe)"):
            use()
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_kept_estimates_are_not_read_or_written_through_a_link(kind: str, tmp_path: Path) -> None:
    private = tmp_path / "private"
    estimates = Estimates(private if kind == "link" else tmp_path / "kept", "x", 10**9)
    estimates.keep("u", "s", np.zeros(100), 1.0)
    (file,) = tmp_path.rglob("*.npz")
    if kind == "link":
        (tmp_path / "kept").symlink_to(private)
    else:
        file.parent.rename(private)
        file.parent.symlink_to(private)
    through = Estimates(tmp_path / "kept", "x", 10**9)
    assert through.find("u", "s", 100) is None
    before = {path: path.read_bytes() for path in private.rglob("*.npz")}
    through.keep("u", "s", np.ones(100), 1.0)
    assert {path: path.read_bytes() for path in private.rglob("*.npz")} == before


def test_a_kept_estimate_that_is_a_link_is_not_read(tmp_path: Path) -> None:
    """A run folder from somebody else must not bring other recordings of this machine onto a site."""
    protocol, corpus = load_protocol("demo"), demo_corpus()
    run = run_entrant(make_plan(protocol, metrics=("snr",), limit=1), Entrant("linear"), tmp_path, save_audio=True)
    (kept,) = (run.folder / "audio").glob("*.wav")
    kept.replace(tmp_path / "private.wav")
    kept.symlink_to(tmp_path / "private.wav")
    with pytest.raises(SrbenchError, match="leads out of audio"):
        signals(run, protocol, corpus, run.records[0].utterance, None)


@pytest.mark.parametrize("weights", ["hf:owner/name", "/etc/passwd", "../w.safetensors", "C:w", "a\\b.safetensors"])
def test_a_manifest_does_not_say_where_weights_are_taken_from(weights: str, run: Run, tmp_path: Path) -> None:
    with pytest.raises(SrbenchError, match="a run does not say where weights are"):
        entrant_of(telling(run, name=f"stacked@{weights}"), load_protocol("demo"))


@pytest.mark.parametrize("name", ["=1", "-x", "+x", "\x1b[31mred", ".."])
def test_upscalers_of_such_names_are_refused_at_every_door(name: str, run: Run, tmp_path: Path) -> None:
    plugin = tmp_path / "named.py"
    plugin.write_text(f"from srbench.upscaler import upscaler\n@upscaler({name!r})\ndef f(l, a, b): return l\n")
    said = "an upscaler's name cannot be "
    with pytest.raises(SrbenchError, match=said):
        Entrant("linear", plugins=(plugin,)).provenance(load_protocol("demo"))
    with pytest.raises(SrbenchError, match=said):
        Entrant(name).provenance(load_protocol("demo"))
    manifest = json.loads((run.folder / "manifest.json").read_text())
    manifest["upscaler"]["name"] = name
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(SrbenchError, match=said):
        open_run(tmp_path)


def test_weights_of_such_a_name_too() -> None:
    with pytest.raises(SrbenchError, match="an upscaler's name cannot be 'stacked@a"):
        Entrant("stacked@folder/a\n.safetensors").provenance(load_protocol("demo"))


@pytest.mark.parametrize("file", ["...toml", "=x.toml", "@x.toml", "a\n.toml"])
def test_protocols_of_such_names_are_refused(file: str, tmp_path: Path) -> None:
    """A protocol's name is its file's, and becomes a folder of results."""
    here = load_protocol("demo").folder / "demo.toml"
    (tmp_path / file).write_bytes(here.read_bytes())
    with pytest.raises(SrbenchError, match="a protocol's name cannot be "):
        load_protocol(str(tmp_path / file))


@pytest.mark.parametrize("place", ["../split.toml", "/etc/split.toml", "a\\u0000.toml", "C:\\\\split.toml"])
def test_a_protocol_names_no_file_elsewhere(place: str, tmp_path: Path) -> None:
    text = (load_protocol("demo").folder / "demo.toml").read_text()
    (tmp_path / "own.toml").write_text(text.replace('split = "demo"', f'split = "{place}"'))
    with pytest.raises(SrbenchError, match=r"must be a file in the folder of own\.toml"):
        load_protocol(str(tmp_path / "own.toml"))


@pytest.mark.parametrize("place", ["../ids.txt", "/etc/passwd", "a\\u0000"])
def test_a_split_names_no_file_elsewhere(place: str, tmp_path: Path) -> None:
    from srbench.corpora import load_split

    (tmp_path / "own.toml").write_text(f'corpus = "demo-1"\n[sides.test]\nids = "{place}"\n')
    with pytest.raises(SrbenchError, match=r"side test: .* must be a file in the folder of own\.toml"):
        load_split(tmp_path / "own.toml")


def test_a_name_too_long_for_the_disk_is_told(plan: Plan, tmp_path: Path) -> None:
    name = "u" * 300
    plugin = tmp_path / "long.py"
    plugin.write_text(
        f"from srbench.upscaler import upscaler\n@upscaler({name!r})\ndef f(l, a, b): return l.repeat(4)\n"
    )
    if os.pathconf(tmp_path, "PC_NAME_MAX") >= 300:
        pytest.skip("this disk takes long names")
    with pytest.raises(SrbenchError, match=r"cannot write results to .*: File name too long"):
        run_entrant(plan, Entrant(name, plugins=(plugin,)), tmp_path)
