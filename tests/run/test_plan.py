"""The plan: which utterances are scored, and what has to be said about them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import soundfile

from srbench.corpora import demo_corpus, load_split
from srbench.errors import SrbenchError
from srbench.protocols import load_protocol
from srbench.run import Plan, make_plan

SPEAKER1 = "vctk-speaker1-r4"
IDS = load_split("vctk-speaker1").ids("validation")


def vctk(root: Path, ids: tuple[str, ...]) -> Path:
    """Lay out VCTK 0.80 in empty files: a plan opens none of them."""
    for i in ids:
        path = root / "wav48" / i.split("_")[0] / f"{i}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def scored(plan: Plan) -> list[str]:
    return [u.id for u in plan.utterances]


def fields(plan: Plan) -> tuple[str, str]:
    told = dict(plan.signature.fields)
    return told["corpus"], told["split"]


def test_demo_by_itself() -> None:
    protocol = load_protocol("demo")
    plan = make_plan(protocol)
    assert scored(plan) == [u.id for u in demo_corpus().utterances]
    assert (plan.split, plan.side, plan.expected, plan.found, plan.own) == ("demo", "test", 28, 28, True)
    assert plan.notes == ("The corpus is synthetic speech.",)
    assert plan.signature == protocol.signature()
    assert tuple(plan.definitions) == protocol.metrics


def test_metrics_in_place_of_the_protocols() -> None:
    assert tuple(make_plan(load_protocol("demo"), metrics=("lsd", "snr")).definitions) == ("lsd", "snr")
    with pytest.raises(SrbenchError, match=r"unknown metric 'snrr'\. Did you mean 'snr'\?"):
        make_plan(load_protocol("demo"), metrics=("snrr",))


@pytest.mark.parametrize("limit", [1, 5, 27])
def test_limit(limit: int) -> None:
    plan = make_plan(load_protocol("demo"), limit=limit)
    assert scored(plan) == [u.id for u in demo_corpus().utterances][:limit]
    assert (plan.expected, plan.found, plan.own) == (28, 28, True)
    assert f"Partial: limited to the first {limit} of 28 utterances." in plan.notes


def test_limit_that_limits_nothing() -> None:
    for limit in (28, 29, 10**9):
        assert make_plan(load_protocol("demo"), limit=limit).notes == ("The corpus is synthetic speech.",)


@pytest.mark.parametrize("limit", [0, -1])
def test_limit_below_one(limit: int) -> None:
    with pytest.raises(SrbenchError, match=f"--limit must be at least 1, not {limit}"):
        make_plan(load_protocol("demo"), limit=limit)


def test_protocol_that_needs_data() -> None:
    with pytest.raises(SrbenchError, match=r"protocol vctk-speaker1-r4 runs on vctk-0\.80: say where .*--data DIR"):
        make_plan(load_protocol(SPEAKER1))


def test_whole_corpus_of_the_protocol(tmp_path: Path) -> None:
    more = vctk(tmp_path, (*IDS, "p225_001", "p226_001"))
    plan = make_plan(load_protocol(SPEAKER1), more)
    assert scored(plan) == list(IDS)
    assert (plan.expected, plan.found, plan.own, plan.notes) == (8, 8, True, ())
    assert plan.signature == load_protocol(SPEAKER1).signature()


def test_some_utterances_absent(tmp_path: Path) -> None:
    data = vctk(tmp_path, (*IDS[:2], *IDS[3:6], "p226_001"))
    with pytest.raises(SrbenchError) as refused:
        make_plan(load_protocol(SPEAKER1), data)
    message = str(refused.value)
    assert f"3 of the 8 utterances of split vctk-speaker1, side validation are absent from {data}" in message
    assert f"(vctk-0.80, 6 utterances such as {IDS[0]}); the first is {IDS[2]}." in message
    assert "--allow-partial" in message
    assert len(message.splitlines()) == 2
    plan = make_plan(load_protocol(SPEAKER1), data, allow_partial=True)
    assert scored(plan) == [*IDS[:2], *IDS[3:6]]
    assert (plan.expected, plan.found, plan.own) == (8, 5, True)
    assert plan.notes == ("Partial: 5 of 8 utterances of the split are there.",)


def test_partial_and_limited(tmp_path: Path) -> None:
    plan = make_plan(load_protocol(SPEAKER1), vctk(tmp_path, IDS[:5]), allow_partial=True, limit=2)
    assert (scored(plan), plan.expected, plan.found) == (list(IDS[:2]), 8, 5)
    assert plan.notes == (
        "Partial: 5 of 8 utterances of the split are there.",
        "Partial: limited to the first 2 of 8 utterances.",
    )


@pytest.mark.parametrize("allow_partial", [False, True])
def test_all_utterances_absent(allow_partial: bool, tmp_path: Path) -> None:
    data = vctk(tmp_path, ("p226_001",))
    with pytest.raises(SrbenchError) as refused:
        make_plan(load_protocol(SPEAKER1), data, allow_partial=allow_partial)
    message = str(refused.value)
    assert f"all 8 utterances of split vctk-speaker1, side validation are absent from {data}" in message
    assert "--split all" in message
    assert "--allow-partial" not in message


def test_another_side(tmp_path: Path) -> None:
    ids = load_split("vctk-speaker1").ids("train")
    plan = make_plan(load_protocol(SPEAKER1), vctk(tmp_path, ids), side="train")
    assert scored(plan) == list(ids)
    assert (plan.side, plan.expected, plan.own) == ("train", 223, False)
    assert plan.notes == ("Not the protocol's own side: train in place of validation.",)
    assert fields(plan) == ("vctk-0.80", "vctk-speaker1.train.a97b4032")
    with pytest.raises(SrbenchError, match=r"unknown side of split vctk-speaker1 'test'\. Known: train, validation"):
        make_plan(load_protocol(SPEAKER1), tmp_path, side="test")


def test_all_of_a_corpus(tmp_path: Path) -> None:
    data = vctk(tmp_path, (*IDS, "p226_001", "p226_002"))
    plan = make_plan(load_protocol(SPEAKER1), data, side="all")
    assert scored(plan) == [*IDS, "p226_001", "p226_002"]
    assert (plan.split, plan.side, plan.expected, plan.found, plan.own) == ("all", "all", 10, 10, False)
    assert plan.notes == ("Not the protocol's own side: all in place of validation.",)
    assert fields(plan)[1].startswith("all.")
    vctk(tmp_path, ("p226_003",))
    assert make_plan(load_protocol(SPEAKER1), data, side="all").signature != plan.signature


def test_demo_protocol_on_another_corpus(tmp_path: Path) -> None:
    data = tmp_path / "mine"
    data.mkdir()
    for name in ("b", "a"):
        (data / f"{name}.wav").touch()
    plan = make_plan(load_protocol("demo"), data)
    assert (scored(plan), plan.split, plan.side, plan.expected, plan.own) == (["a", "b"], "all", "all", 2, False)
    assert plan.notes == (f"Not the protocol's own corpus: folder ({data}) in place of demo-1.",)
    assert fields(plan)[0] == "folder"
    with pytest.raises(SrbenchError, match="all 28 utterances of split demo, side test are absent"):
        make_plan(load_protocol("demo"), data, side="test")


def test_vctk_under_another_revisions_protocol(tmp_path: Path) -> None:
    """Same ids, other recordings: it runs, and is not passed off as the protocol's own."""
    protocol = load_protocol("vctk-test8-8k-16k")
    plan = make_plan(protocol, vctk(tmp_path, protocol.load_split().ids("test")))
    assert (plan.own, plan.found, fields(plan)[0]) == (False, 2937, "vctk-0.80")
    assert plan.notes == (f"Not the protocol's own corpus: vctk-0.80 ({tmp_path}) in place of vctk-0.92-mic1.",)


def test_recordings_that_are_not_the_splits_own(tmp_path: Path) -> None:
    """The ids and the layout of p239, with other samples in them; of the 8, one is named."""
    ids = load_split("vctk-p239").ids("validation")
    for number, i in enumerate(ids):
        path = tmp_path / "wav48" / "p239" / f"{i}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.full(9600, 0.01 * number), 48000)
    plan = make_plan(load_protocol("vctk-p239-r4"), tmp_path)
    assert not plan.own
    (note,) = plan.notes
    assert "8 of 8 recordings are not the protocol's own samples" in note
    assert ids[0] in note


def test_recordings_of_no_list_are_named_by_their_samples(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).integers(-9000, 9000, 16000).astype(np.int16)
    for name, format in (("wav/x.wav", "WAV"), ("flac/x.flac", "FLAC"), ("other/x.wav", "WAV")):
        (tmp_path / name).parent.mkdir()
        soundfile.write(tmp_path / name, samples // 2 if "other" in name else samples, 16000, "PCM_16", format=format)
    wav, flac, other = (make_plan(load_protocol("demo"), tmp_path / name) for name in ("wav", "flac", "other"))
    assert str(wav.signature) == str(flac.signature) != str(other.signature)


def test_a_plan_is_frozen() -> None:
    plan = make_plan(load_protocol("demo"), limit=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.own = False  # type: ignore[misc]
