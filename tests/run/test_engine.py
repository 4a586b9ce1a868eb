"""The engine: the same tables for any number of workers; an upscaler that fails or dies costs its utterance only."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from srbench.errors import SrbenchError
from srbench.protocols import load_protocol
from srbench.results import aggregate_run, write_aggregates
from srbench.run import Entrant, Plan, Run, make_plan, run_entrant
from srbench.run.workers import Where

PLUGIN = """
    import os
    import numpy as np
    from srbench.upscaler import upscaler

    def is_second(low):  # the corpus marks its utterances by their first sample
        return 0.15 < abs(low[0]) < 0.25

    @upscaler("noisy")
    def noisy(low, low_rate, high_rate):
        return low.repeat(4) + 0.01 * np.random.standard_normal(4 * len(low))

    @upscaler("raises")
    def raises(low, low_rate, high_rate):
        if is_second(low):
            raise RuntimeError("not this one")
        return low.repeat(4)

    @upscaler("nan")
    def nan(low, low_rate, high_rate):
        return low.repeat(4) * (np.nan if is_second(low) else 1)

    @upscaler("short")
    def short(low, low_rate, high_rate):
        return low.repeat(4)[1 if is_second(low) else 0:]

    @upscaler("type")
    def a_type(low, low_rate, high_rate):
        return low.repeat(4).tolist() if is_second(low) else low.repeat(4)

    @upscaler("calls_itself")
    def calls_itself(low, low_rate, high_rate):
        return calls_itself(low, low_rate, high_rate)

    @upscaler("dies")
    def dies(low, low_rate, high_rate):
        if is_second(low):
            os._exit(9)
        return low.repeat(4)

    @upscaler("fails")
    def fails(low, low_rate, high_rate):
        raise RuntimeError("never")

    @upscaler("prints")
    def prints(low, low_rate, high_rate):
        print("hello from", os.getpid())
        return low.repeat(4)

    @upscaler("trained")
    class Trained:
        def upscale(self, low, low_rate, high_rate):
            return low.repeat(4)
        def describe(self):
            return {"training_speakers": ["b", "z"]}

    @upscaler("half", rates=[(8000, 16000)])
    def half(low, low_rate, high_rate):
        return low.repeat(2)
"""
IDS = ["a/1", "a/2", "a/3", "b/4", "b/5", "b/6", "c/7"]
FAILING = {
    "raises": "upscaler raises raised RuntimeError: not this one",
    "nan": "upscaler nan returned 4800 NaN or infinite samples of 4800",
    "short": "upscaler short returned shape (4799,), not (4800,)",
    "type": "upscaler type returned list, not a NumPy array",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write seven utterances of three speakers; utterance n starts at about n / 10."""
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for name in IDS:
        path = root / f"{name}.wav"
        path.parent.mkdir(exist_ok=True)
        ramp = int(name[2:]) / 10 * np.exp(-np.arange(4800) / 1000)
        soundfile.write(path, ramp + 0.001 * rng.standard_normal(4800), 16000, subtype="DOUBLE")
    return root


@pytest.fixture(scope="module")
def plan(data: Path) -> Plan:
    return make_plan(load_protocol("demo"), data, metrics=("snr", "mse"))


def rows(run: Run, name: str = "utterances.csv") -> list[dict[str, str]]:
    with (run.folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def tables(run: Run) -> dict[str, bytes]:
    """Return the bytes of all that must not depend on how the run went."""
    write_aggregates(run, aggregate_run(run))
    return {name: (run.folder / name).read_bytes() for name in ("utterances.csv", "aggregates.csv", "speakers.csv")}


def test_folder_of_a_run(plan: Plan, plugin: Path, tmp_path: Path) -> None:
    seen = []
    run = run_entrant(
        plan, Entrant("noisy", plugins=(plugin,)), tmp_path, progress=lambda *what: seen.append(what), save_audio=True
    )
    assert run.folder.parent == tmp_path / "demo"
    assert run.folder.name.startswith("noisy-")
    assert {p.name for p in run.folder.iterdir()} == {
        "manifest.json", "journal.jsonl", "utterances.csv", "timings.csv", "audio", ".lock"
    }  # fmt: skip
    assert seen == [("noisy", n, 7) for n in range(8)]
    assert [r.utterance for r in run.records] == IDS
    table = rows(run)
    assert list(table[0]) == [
        "utterance", "speaker", "file", "file_rate", "samples", "status", "error", "undefined", "snr", "mse"
    ]  # fmt: skip
    assert [r["utterance"] for r in table] == IDS
    assert [r["speaker"] for r in table] == ["a", "a", "a", "b", "b", "b", "c"]
    assert {(r["file_rate"], r["samples"], r["status"], r["error"]) for r in table} == {("16000", "4800", "ok", "")}
    for row, record in zip(table, run.records, strict=True):
        assert float(row["snr"]) == record.values["snr"]  # all digits
        assert soundfile.info(run.folder / "audio" / f"{record.utterance}.wav").frames == 4800
    timings = rows(run, "timings.csv")
    assert [t["utterance"] for t in timings] == IDS
    assert all(float(t["seconds"]) == 0.3 and float(t["upscale_seconds"]) > 0 for t in timings)


def test_manifest(plan: Plan, plugin: Path, tmp_path: Path) -> None:
    run = run_entrant(plan, Entrant("noisy", plugins=(plugin,)), tmp_path)
    document = json.loads((run.folder / "manifest.json").read_text(encoding="utf-8"))
    assert document == json.loads(json.dumps(run.manifest.document()))
    assert document["protocol_signature"] == str(plan.signature)
    assert document["metrics"] == {"snr": "SNR|of:power|log:10log10|floor:none|v:1", "mse": "MSE|full_scale:1|v:1"}
    assert document["split"] == {"name": "all", "side": "all", "expected": 7, "found": 7}
    assert (document["upscaler"]["name"], document["upscaler"]["distribution"]) == ("noisy", "mine.py")
    assert len(document["upscaler"]["sha256"]) == 64
    assert document["utterances"]["n"] == 7
    assert (document["seed"], document["own_corpus"], document["notes"]) == (0, False, list(plan.notes))
    assert {"srbench", "python", "numpy", "scipy", "soundfile", "pesq"} <= set(document["versions"])
    assert document["machine"]["cpus"]


def test_what_the_numbers_depend_on_names_the_folder(plan: Plan, data: Path, plugin: Path, tmp_path: Path) -> None:
    """Two runs share a folder exactly when one may go on with the other's journal."""
    entrant = Entrant("noisy", plugins=(plugin,))
    changed = tmp_path / "mine.py"
    changed.write_text(plugin.read_text() + "\n# another\n")
    demo = load_protocol("demo")
    folders = [
        run_entrant(plan, entrant, tmp_path).folder,
        run_entrant(plan, entrant, tmp_path, seed=1).folder,
        run_entrant(plan, Entrant("noisy", plugins=(changed,)), tmp_path).folder,
        run_entrant(make_plan(demo, data, metrics=("snr",)), entrant, tmp_path).folder,
        run_entrant(make_plan(demo, data, metrics=("snr", "mse"), limit=6), entrant, tmp_path).folder,
    ]
    assert len(set(folders)) == len(folders)
    assert run_entrant(plan, entrant, tmp_path).folder == folders[0]
    assert run_entrant(plan, entrant, tmp_path / "elsewhere").folder.name == folders[0].name


def test_other_utterances_of_one_split_are_another_run(data: Path, tmp_path: Path) -> None:
    """Two partial corpora have one protocol signature and, here, equally many utterances."""
    folders = []
    for ids in ((355, 356), (355, 357)):
        corpus = tmp_path / str(ids) / "wav48" / "p225"
        corpus.mkdir(parents=True)
        for n in ids:
            (corpus / f"p225_{n}.wav").write_bytes((data / "a" / "1.wav").read_bytes())
        protocol = load_protocol("vctk-speaker1-r4")
        plan = make_plan(protocol, tmp_path / str(ids), metrics=("snr",), allow_partial=True)
        assert plan.signature == protocol.signature()
        folders.append(run_entrant(plan, Entrant("hold"), tmp_path / "r").folder)
    assert folders[0] != folders[1]


def test_tables_do_not_depend_on_the_number_of_workers(plan: Plan, plugin: Path, tmp_path: Path) -> None:
    """With an upscaler that draws from NumPy's global generator."""
    entrant = Entrant("noisy", plugins=(plugin,))
    alone = tables(run_entrant(plan, entrant, tmp_path / "1"))
    for workers in (2, 3):
        assert tables(run_entrant(plan, entrant, tmp_path / str(workers), where=Where(workers))) == alone
    assert len(set(alone["utterances.csv"].split())) > 7


@pytest.mark.parametrize("name", FAILING)
def test_failure_costs_its_utterance_only(name: str, plan: Plan, plugin: Path, tmp_path: Path) -> None:
    run = run_entrant(plan, Entrant(name, plugins=(plugin,)), tmp_path)
    good = run_entrant(plan, Entrant("hold"), tmp_path)
    for row, other in zip(rows(run), rows(good), strict=True):
        if row["utterance"] == "a/2":
            assert (row["status"], row["error"], row["snr"], row["mse"]) == ("failed", FAILING[name], "", "")
        else:
            assert row == other
    assert [r.utterance for r in run.records if r.error] == ["a/2"]


def test_reason_inside_reason_inside_reason(plan: Plan, plugin: Path, tmp_path: Path) -> None:
    for record in run_entrant(plan, Entrant("calls_itself", plugins=(plugin,)), tmp_path).records:
        assert record.error.startswith("upscaler calls_itself raised upscaler calls_itself raised")
        assert record.error.endswith("…")
        assert len(record.error) < 1100


def test_failures_in_workers_are_the_same(plan: Plan, plugin: Path, tmp_path: Path) -> None:
    entrant = Entrant("raises", plugins=(plugin,))
    alone = tables(run_entrant(plan, entrant, tmp_path / "1"))
    assert tables(run_entrant(plan, entrant, tmp_path / "2", where=Where(2))) == alone


def test_worker_that_dies_costs_its_utterance_only(plan: Plan, plugin: Path, tmp_path: Path) -> None:
    run = run_entrant(plan, Entrant("dies", plugins=(plugin,)), tmp_path, where=Where(2))
    good = run_entrant(plan, Entrant("hold"), tmp_path)
    assert [r.utterance for r in run.records if r.error] == ["a/2"]
    for row, other in zip(rows(run), rows(good), strict=True):
        if row["utterance"] == "a/2":
            assert row["status"] == "failed"
            assert row["error"] == "upscaler dies: its process ended itself (exit status 9)"
            assert row["speaker"] == "a"
        else:
            assert row == other
    aggregate = aggregate_run(run)["snr"]
    assert (aggregate.n, aggregate.failed, aggregate.undefined) == (6, 1, 0)


def test_all_utterances_fail(plan: Plan, plugin: Path, tmp_path: Path) -> None:
    run = run_entrant(plan, Entrant("fails", plugins=(plugin,)), tmp_path)
    assert {r["error"] for r in rows(run)} == {"upscaler fails raised RuntimeError: never"}
    aggregate = aggregate_run(run)["snr"]
    assert (aggregate.n, aggregate.failed) == (0, 7)
    assert np.isnan(aggregate.mean)


def test_prints_of_workers_stay_off_stdout(
    plan: Plan, plugin: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run_entrant(plan, Entrant("prints", plugins=(plugin,)), tmp_path, where=Where(2))
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("hello from") == 7


def test_prints_of_loading_stay_off_stdout(plan: Plan, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "loud.py"
    path.write_text(
        "from srbench.upscaler import upscaler\nprint('loading')\n"
        "@upscaler()\ndef loud(low, low_rate, high_rate):\n    return low.repeat(4)\n"
    )
    run_entrant(plan, Entrant("loud", plugins=(path,)), tmp_path, where=Where(2))
    assert capfd.readouterr()[0] == ""


def test_training_speakers_that_are_scored(plan: Plan, plugin: Path, tmp_path: Path) -> None:
    run = run_entrant(plan, Entrant("trained", plugins=(plugin,)), tmp_path)
    assert run.manifest.warnings[0] == "trained on 1 of the speakers scored here: b"
    others = run_entrant(plan, Entrant("noisy", plugins=(plugin,)), tmp_path).manifest.warnings
    assert not [each for each in others if "trained" in each]


def test_entrant_that_cannot_be_run_at_all(plan: Plan, plugin: Path, tmp_path: Path) -> None:
    with pytest.raises(SrbenchError, match="unknown upscaler 'nobody'"):
        run_entrant(plan, Entrant("nobody", plugins=(plugin,)), tmp_path)
    with pytest.raises(SrbenchError, match="half does not support 4000 to 16000 Hz, only 8000 to 16000 Hz"):
        run_entrant(plan, Entrant("half", plugins=(plugin,)), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_usable_recording(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for name in ("a", "b"):
        (data / f"{name}.wav").write_text("no audio")
    plan = make_plan(load_protocol("demo"), data, metrics=("snr",))
    with pytest.raises(SrbenchError, match=r"none of 2 recordings can be used; the first: .*a\.wav: cannot be read"):
        run_entrant(plan, Entrant("hold"), tmp_path / "results")


def test_some_usable_recordings(data: Path, tmp_path: Path) -> None:
    mixed = tmp_path / "data"
    mixed.mkdir()
    (mixed / "bad.wav").write_text("no audio")
    (mixed / "good.wav").write_bytes((data / "a" / "1.wav").read_bytes())
    run = run_entrant(make_plan(load_protocol("demo"), mixed, metrics=("snr",)), Entrant("hold"), tmp_path / "results")
    assert [(r.utterance, r.input_at_fault, bool(r.values)) for r in run.records] == [
        ("bad", True, False),
        ("good", False, True),
    ]
    assert [r["file_rate"] for r in rows(run)] == ["", "16000"]


@pytest.mark.parametrize("where", ["results", "results/demo"])
def test_results_folder_that_cannot_be_made(where: str, plan: Plan, tmp_path: Path) -> None:
    place = tmp_path / where
    place.parent.mkdir(exist_ok=True)
    place.write_text("a file stands here")
    with pytest.raises(
        SrbenchError, match=r"cannot write results to .*hold-[0-9a-f]{8}: (Not a directory|File exists)"
    ):
        run_entrant(plan, Entrant("hold"), tmp_path / "results")
    assert place.read_text() == "a file stands here"


@pytest.mark.parametrize("workers", [1, 2])
def test_estimate_that_cannot_be_kept(workers: int, plan: Plan, tmp_path: Path) -> None:
    run = run_entrant(plan, Entrant("hold"), tmp_path)
    (run.folder / "journal.jsonl").unlink()
    (run.folder / "audio" / "a" / "2.wav").mkdir(parents=True)
    with pytest.raises(SrbenchError, match="cannot write results to"):
        run_entrant(plan, Entrant("hold"), tmp_path, save_audio=True, where=Where(workers))


def test_file_name_that_is_not_utf8(data: Path, tmp_path: Path) -> None:
    """As on a disk written under Latin-1; it runs, or is refused, but in words."""
    folder = tmp_path / "data"
    folder.mkdir()
    try:
        (folder / "caf\udce9.wav").write_bytes((data / "a" / "1.wav").read_bytes())
    except (OSError, UnicodeError):
        pytest.skip("this file system takes only UTF-8 names")
    try:
        run = run_entrant(make_plan(load_protocol("demo"), folder, metrics=("snr",)), Entrant("hold"), tmp_path / "r")
    except SrbenchError as error:
        str(error).encode("utf-8")
    else:
        assert len(rows(run)) == 1


def test_a_relative_corpus_is_told_like_an_absolute_one(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(data.parent)
    told = []
    for place in (data, Path(data.name)):
        run = run_entrant(make_plan(load_protocol("demo"), place, metrics=("snr",)), Entrant("hold"), tmp_path)
        told.append([record.file for record in run.records])
        shutil.rmtree(run.folder)
    assert told[0] == told[1] == [f"{name}.wav" for name in IDS]
