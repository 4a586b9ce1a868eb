"""Files with several channels: refused with the way out, or one channel of them, which then stands in the signature."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from srbench import audio
from srbench.cli.main import main
from srbench.errors import SrbenchError
from srbench.folders.job import make_job, score_system
from srbench.folders.references import references_of
from srbench.protocols import load_protocol
from srbench.run import make_plan
from srbench.scoring.repair import Repairs

LEFT, RIGHT = 0.1 * np.random.default_rng(0).standard_normal((2, 16000))


def stereo(path, left=LEFT, right=RIGHT):
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, np.stack([left, right], axis=1), 16000, subtype="DOUBLE")
    return path


@pytest.mark.parametrize(
    ("chosen", "wanted"), [("mix", (LEFT + RIGHT) / 2), ("left", LEFT), ("right", RIGHT), ("1", LEFT), ("2", RIGHT)]
)
def test_the_chosen_channel_is_read(tmp_path, chosen, wanted):
    np.testing.assert_array_equal(audio.read(stereo(tmp_path / "a.wav"), chosen)[0], wanted)


@pytest.mark.parametrize(("right", "told"), [(LEFT, "2 channels (all equal)"), (RIGHT, "2 channels (not equal)")])
def test_the_message_says_whether_they_are_equal_and_names_the_option(tmp_path, right, told):
    with pytest.raises(SrbenchError) as error:
        audio.read(stereo(tmp_path / "a.wav", right=right))
    assert told in str(error.value)
    assert "--channels mix|left|right|N" in str(error.value)


@pytest.mark.parametrize("chosen", ["both", "0", "-1", "", "1.5", "LEFT"])
def test_what_is_no_choice_is_refused(tmp_path, chosen):
    with pytest.raises(SrbenchError, match="channels are 'mix', 'left', 'right' or the number"):
        audio.read(stereo(tmp_path / "a.wav"), chosen)


def test_a_channel_that_is_not_there(tmp_path):
    with pytest.raises(SrbenchError, match="has 2 channels, and --channels 3 asks for number 3"):
        audio.read(stereo(tmp_path / "a.wav"), "3")
    audio.write(tmp_path / "mono.wav", LEFT, 16000)
    assert len(audio.read(tmp_path / "mono.wav", "right")[0]) == 16000  # the choice is for files with several


def test_a_run_has_its_choice_in_signature_and_notes_and_others_are_as_they_were(tmp_path):
    stereo(tmp_path / "data" / "a.wav")
    protocol = load_protocol("demo")
    plain, left = (make_plan(protocol, tmp_path / "data", channels=chosen) for chosen in (None, "left"))
    assert "channels" not in str(plain.signature)
    assert "|channels:left|" in str(left.signature)
    assert any("--channels left" in note for note in left.notes)
    assert not make_plan(protocol, channels="mix").own
    assert make_plan(protocol).own


def test_a_protocol_may_choose_by_itself(tmp_path):
    text = (load_protocol("demo").folder / "demo.toml").read_text(encoding="utf-8")
    (tmp_path / "own.toml").write_text('channels = "mix"\n' + text, encoding="utf-8")
    assert make_plan(load_protocol(tmp_path / "own.toml")).own
    (tmp_path / "own.toml").write_text('channels = "all"\n' + text, encoding="utf-8")
    with pytest.raises(SrbenchError, match="channels are 'mix'"):
        load_protocol(tmp_path / "own.toml")


def test_run_and_score_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    stereo(tmp_path / "data" / "a.wav", right=LEFT)
    common = ["--results", "results"]
    run = ["run", "--model", "spline", "--data", "data", "--metric", "snr"]
    for command, status in ((run, 2), (["score", "data/a.wav", "data/a.wav"], 1)):
        for chosen in ([], ["--channels", "left"]):
            with pytest.raises(SystemExit) as end:
                main([*command, *chosen, *common])
            said = "".join(capsys.readouterr())
            assert end.value.code == (0 if chosen else status)
            assert ("all equal" in said and "--channels mix|left|right|N" in said) != bool(chosen)


def test_a_scored_run_knows_its_choice_again(tmp_path):
    reference, estimate = stereo(tmp_path / "ref" / "a.wav"), stereo(tmp_path / "est" / "a.wav", left=LEFT + 0.01)
    job = make_job(reference.parent, {"s": estimate.parent}, metrics=["snr"], repairs=Repairs(channels="right"))
    run = score_system(job, "s", tmp_path / "results")
    assert run.records[0].values["snr"] > 200  # the right channels are the same
    assert "|channels:right|" in str(job.signature)
    assert references_of(run).repairs.channels == "right"
    assert "channels" not in str(make_job(reference.parent, {"s": estimate.parent}, metrics=["snr"]).signature)
