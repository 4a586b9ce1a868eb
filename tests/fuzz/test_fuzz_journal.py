"""Damaged folders of runs: opened, compared and published, or refused in a line or two; and gone on with."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import answer, damaged_document, damaged_text

from srbench.cli.main import main
from srbench.errors import SrbenchError
from srbench.protocols import load_protocol
from srbench.report.tables import write_tables
from srbench.results import aggregate_run, compare_runs, write_aggregates
from srbench.results.intake import known_protocols
from srbench.results.publish import publish
from srbench.run import Entrant, Run, make_plan, open_run, run_entrant
from srbench.run.journal import open_journal, read_journal
from srbench.run.manifest import Manifest
from srbench.run.record import ScoreRecord, row_of

PROTOCOL = """
    title = "Mine"
    corpus = "folder"
    split = "mine_split.toml"
    side = "test"
    low_rate = 4000
    high_rate = 16000
    metrics = ["snr", "lsd"]

    [degradation]
    kind = "cheby1"
"""
IDS = ("a/1", "a/2", "b/1", "b/2")
many = settings(max_examples=int(os.environ.get("SRBENCH_FUZZ_EXAMPLES", "60")))  # 1500 take some minutes


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run, Run]:
    """Return a protocol's file and two runs on it."""
    folder = tmp_path_factory.mktemp("runs")
    for number, name in enumerate(IDS):
        path = folder / "corpus" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.cumsum(np.random.default_rng(number).uniform(-1, 1, 3200))
        soundfile.write(path, 0.5 * noise / np.abs(noise).max(), 16000)
    (folder / "ids.txt").write_text("".join(f"{name}\n" for name in IDS))
    (folder / "mine_split.toml").write_text('corpus = "folder"\n[sides]\ntest = { ids = "ids.txt" }\n')
    (folder / "mine.toml").write_text(dedent(PROTOCOL))
    plan = make_plan(load_protocol(folder / "mine.toml"), folder / "corpus")
    made = []
    for name in ("spline", "linear"):
        run = run_entrant(plan, Entrant(name), folder / "results")
        write_aggregates(run, aggregate_run(run))
        made.append(run)
    return folder / "mine.toml", made[0], made[1]


Damage = Callable[[st.DataObject, Path], None]


def damage_text(file: str) -> Damage:
    def damage(data: st.DataObject, folder: Path) -> None:
        (folder / file).write_bytes(data.draw(damaged_text((folder / file).read_bytes())))

    return damage


def damage_manifest(data: st.DataObject, folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_text(json.dumps(data.draw(damaged_document(manifest))), encoding="utf-8")


def damage_records(data: st.DataObject, folder: Path) -> None:
    """Damage records of the journal, and write the tables that they give, so that the two still agree."""
    records = [json.loads(line) for line in (folder / "journal.jsonl").read_bytes().splitlines()]
    damaged = data.draw(damaged_document(records))
    lines = damaged if isinstance(damaged, list) else [damaged]
    (folder / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    header = (folder / "utterances.csv").read_bytes().splitlines(keepends=True)[0]
    rows = io.StringIO()
    kept = read_journal(folder / "journal.jsonl").values()
    csv.writer(rows, lineterminator="\n").writerows(row_of(record, ("snr", "lsd")) for record in kept)
    (folder / "utterances.csv").write_bytes(header + rows.getvalue().encode())


DAMAGES: dict[str, Damage] = {
    "manifest": damage_manifest,
    "records": damage_records,
    **{file: damage_text(file) for file in ("manifest.json", "journal.jsonl", "utterances.csv", "aggregates.csv")},
    "speakers.csv": damage_text("speakers.csv"),
}


def copied(run: Run, target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    return Path(shutil.copytree(run.folder, target / run.folder.name))


def renamed(folder: Path) -> Path:
    """Name a run's folder as its manifest says that it is called, where it says so: else nothing but that is found."""
    try:
        name = Manifest.read(folder).folder_name
    except SrbenchError:
        return folder
    return folder.rename(folder.with_name(name[:200]))


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@many
@given(data=st.data())
def test_open_and_compare(runs: Any, tmp_path_factory: Any, damage: Damage, data: st.DataObject) -> None:
    _, first, second = runs
    folder = copied(first, tmp_path_factory.getbasetemp() / "compared")
    damage(data, folder)
    run = answer(open_run, folder)
    if not isinstance(run, SrbenchError):
        compared = answer(compare_runs, [run, second])
        assert isinstance(compared, SrbenchError) or json.dumps(compared, allow_nan=False)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@many
@given(data=st.data())
def test_publish(runs: Any, tmp_path_factory: Any, damage: Damage, data: st.DataObject) -> None:
    protocol, first, second = runs
    results = tmp_path_factory.getbasetemp() / "published" / "results"
    folder = copied(first, results)
    shutil.copytree(second.folder, results / second.folder.name)
    damage(data, folder)
    if data.draw(st.booleans()):
        folder = renamed(folder)
    board = results.with_name("leaderboard")
    shutil.rmtree(board, ignore_errors=True)

    def published() -> None:
        outcome = publish([results], board, protocols=known_protocols([protocol]), rows=0, allow_partial=True)
        for made in outcome.boards.values():
            write_tables(made, board)
        for aside in outcome.aside:
            for reason in aside.reasons:
                assert len(reason.splitlines()) <= 1
                reason.encode()
        assert any(entry.upscaler == "linear" for entry in outcome.published)  # the rest goes on

    answer(published)


@pytest.mark.parametrize("kind", [None, ScoreRecord])
@many
@given(data=st.data())
def test_a_damaged_journal_is_gone_on_with(runs: Any, tmp_path_factory: Any, kind: Any, data: st.DataObject) -> None:
    """What can be read of it counts, what cannot is evaluated again; what is appended stands on a line of its own."""
    folder = copied(runs[1], tmp_path_factory.getbasetemp() / "gone-on")
    path = folder / "journal.jsonl"
    path.write_bytes(data.draw(damaged_text(path.read_bytes())))
    before = read_journal(path) if kind is None else read_journal(path, kind)
    with open_journal(path) as journal:
        journal.write(b'{"utterance": "z", "speaker": "z", "file": "z", "stamp": ""}\n')
    after = read_journal(path)
    assert "z" in after
    assert set(before) | {"z"} == set(after) or kind is ScoreRecord


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_commands(
    runs: Any, tmp_path_factory: Any, capsys: pytest.CaptureFixture[str], data: st.DataObject
) -> None:
    """A run on damaged files of its own begins again or goes on; the other commands are done with or say a word."""
    protocol, first, _ = runs
    place = tmp_path_factory.getbasetemp() / "commands"
    folder = copied(first, place / "results" / "mine")
    data.draw(st.sampled_from(sorted(DAMAGES)).map(DAMAGES.__getitem__))(data, folder)
    common = [
        "--protocol",
        str(protocol),
        "--data",
        str(protocol.parent / "corpus"),
        "--results",
        str(place / "results"),
    ]
    commands = (
        ["publish", str(place / "results"), "--leaderboard", str(place / "board"), "--protocol", str(protocol)],
        ["plot", "distribution", str(folder), "--out", str(place / "figure.svg")],
        ["run", "--model", "spline", "--no-anchors", *common],
    )
    for command in commands:
        with pytest.raises(SystemExit) as stop:
            main(command)
        _, err = capsys.readouterr()
        # a run ends with 1 where a damaged journal lacks a value
        assert stop.value.code in ((0, 1) if command[0] == "run" else (0, 1, 2))
        assert "Traceback" not in err
        assert len(err.splitlines()) <= 3
