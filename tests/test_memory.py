"""What needs more memory than there is fails with both numbers, and the rest goes on."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from srbench import audio, memory
from srbench.errors import SrbenchError
from srbench.folders.job import make_job, score_system
from srbench.protocols import load_protocol
from srbench.run import Entrant, make_plan, run_entrant


@pytest.fixture
def two(tmp_path):
    """Make a corpus of a short recording and one of a minute, which takes 7.7 MB as doubles."""
    (tmp_path / "data").mkdir()
    for name, seconds in (("long", 60), ("short", 1)):
        samples = 0.1 * np.random.default_rng(0).standard_normal(seconds * 16000)
        soundfile.write(tmp_path / "data" / f"{name}.wav", samples, 16000)
    return tmp_path / "data"


def test_a_recording_that_needs_too_much_fails_alone_in_a_run(two, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 40e6)
    plan = make_plan(load_protocol("demo"), two, metrics=("snr",))
    long, short = run_entrant(plan, Entrant("spline"), tmp_path / "results").records
    assert "needs about 0.1 GB of memory, 0.0 GB are available" in long.error
    assert long.input_at_fault
    assert not short.error


def test_a_recording_that_needs_too_much_fails_alone_in_a_score(two, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 40e6)
    job = make_job(two, {"s": made(two)}, metrics=["snr"])
    long, short = score_system(job, "s", tmp_path / "results").records
    assert "GB are available" in long.error
    assert not short.error


def made(folder):
    other = folder.parent / "made"
    other.mkdir()
    for file in folder.iterdir():
        audio.write(other / file.name, 0.9 * audio.read(file)[0], 16000)
    return other


def test_memory_that_runs_out_is_a_row_and_no_traceback(two, tmp_path, monkeypatch):
    read = audio.read

    def fails(path, channels=None):
        if "long" in str(path):
            raise MemoryError("Unable to allocate 5.15 GiB")
        return read(path, channels)

    monkeypatch.setattr(audio, "read", fails)
    plan = make_plan(load_protocol("demo"), two, metrics=("snr",))
    long, short = run_entrant(plan, Entrant("spline"), tmp_path / "results").records
    assert long.error == "not enough memory. Unable to allocate 5.15 GiB"
    assert not short.error


def test_what_there_is_is_known_on_linux():
    there = memory.available()
    assert there is None or 1e6 < there < 1e14


def test_what_is_needed_grows_with_length_rates_and_stoi():
    minute = memory.need(60 * 16000, 16000, 16000)
    assert 50e6 < minute < 80e6
    assert memory.need(60 * 48000, 48000, 16000) < 3 * minute
    assert memory.need(60 * 16000, 16000, 16000, ["snr", "stoi"]) > 1.5 * minute


def test_the_digest_of_a_file_in_pieces_is_that_of_its_samples(tmp_path, monkeypatch):
    samples = np.random.default_rng(0).uniform(-1, 1, (1000, 2))
    soundfile.write(tmp_path / "a.wav", samples, 16000, subtype="DOUBLE")
    whole = audio.recording_digest(samples, 16000)
    monkeypatch.setattr(audio, "_BLOCK", 300)
    assert audio.file_recording_digest(tmp_path / "a.wav") == whole
    with pytest.raises(SrbenchError, match="no such file"):
        audio.file_recording_digest(tmp_path / "b.wav")
