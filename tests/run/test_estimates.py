"""Estimates are kept by what they were made from: another metric does not run the model again, another input does."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
import soundfile

from srbench.corpora import open_corpus
from srbench.protocols import load_protocol
from srbench.run import Entrant, Run, entrant_of, make_plan, run_entrant, signals
from srbench.run.estimates import FOLDER, Estimates, kept_bytes
from srbench.run.workers import Where

PLUGIN = """
    import os, time
    import numpy as np
    from srbench.upscaler import upscaler

    @upscaler("slow")
    def slow(low, low_rate, high_rate):
        with open(os.environ["CALLS"], "a") as calls:
            calls.write("x\\n")
        time.sleep(0.06)
        return low.repeat(high_rate // low_rate) + 1e-3 * np.random.standard_normal(len(low) * (high_rate // low_rate))

    @upscaler("quick")
    def quick(low, low_rate, high_rate):
        return low.repeat(high_rate // low_rate)
"""
N = 3


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    (tmp_path / "mine.py").write_text(dedent(PLUGIN))
    (tmp_path / "data").mkdir()
    for n in range(N):
        noise = np.random.default_rng(n).uniform(-0.3, 0.3, 4800)
        soundfile.write(tmp_path / "data" / f"u{n}.wav", noise, 16000, subtype="DOUBLE")
    return tmp_path / "mine.py"


def count(tmp_path: Path) -> int:
    return len((tmp_path / "calls").read_text().splitlines()) if (tmp_path / "calls").exists() else 0


def run(
    tmp_path: Path, plugin: Path, metrics: tuple[str, ...] = ("snr",), name: str = "slow", protocol="demo", **more
) -> Run:
    plan = make_plan(load_protocol(protocol), tmp_path / "data", side="all", metrics=metrics)
    more = {"keep_gigabytes": 1.0, **more}
    return run_entrant(plan, Entrant(name, plugins=(plugin,)), tmp_path / "r", **more)


@pytest.mark.parametrize("workers", [1, 2])
def test_another_metric_does_not_run_the_model_again(tmp_path: Path, plugin: Path, workers: int) -> None:
    first = run(tmp_path, plugin, where=Where(workers))
    more = run(tmp_path, plugin, ("snr", "mse"), where=Where(workers))
    assert count(tmp_path) == N
    assert more.folder != first.folder
    assert [r.values["snr"] for r in more.records] == [r.values["snr"] for r in first.records]
    assert [r.upscale_seconds for r in more.records] == [r.upscale_seconds for r in first.records]
    without = run(tmp_path, plugin, ("snr", "mse", "si_sdr"), keep_gigabytes=0)
    assert count(tmp_path) == 2 * N
    assert [r.values["mse"] for r in without.records] == [r.values["mse"] for r in more.records]


def test_what_an_estimate_depends_on_makes_another(tmp_path: Path, plugin: Path) -> None:
    run(tmp_path, plugin)
    run(tmp_path, plugin, ("mse",), seed=1)
    assert count(tmp_path) == 2 * N
    run(tmp_path, plugin, ("mse",), protocol="vctk-speaker1-r2")
    assert count(tmp_path) == 3 * N
    soundfile.write(tmp_path / "data/u1.wav", np.random.default_rng(9).uniform(-1, 1, 4800), 16000, subtype="DOUBLE")
    run(tmp_path, plugin, ("si_sdr",))
    assert count(tmp_path) == 3 * N + 1
    plugin.write_text(plugin.read_text().replace("1e-3", "2e-3"))
    run(tmp_path, plugin, ("si_sdr",))
    assert count(tmp_path) == 4 * N + 1
    run(tmp_path, plugin, ("si_sdr",), fresh=True)
    assert count(tmp_path) == 5 * N + 1


def test_a_second_look_does_not_run_it_again(tmp_path: Path, plugin: Path) -> None:
    made = run(tmp_path, plugin)
    protocol = load_protocol("demo")
    corpus = open_corpus(tmp_path / "data")
    seen = signals(made, protocol, corpus, "u1", entrant_of(made, protocol, [plugin]))
    assert count(tmp_path) == N
    assert not seen.saved
    for file in (tmp_path / "r" / FOLDER).rglob("*.npz"):
        file.unlink()
    again = signals(made, protocol, corpus, "u1", entrant_of(made, protocol, [plugin]))
    assert count(tmp_path) == N + 1
    np.testing.assert_array_equal(again.estimate, seen.estimate)


def test_damaged_files_are_made_again(tmp_path: Path, plugin: Path) -> None:
    first = run(tmp_path, plugin)
    files = sorted((tmp_path / "r" / FOLDER).rglob("*.npz"))
    assert len(files) == N
    content = bytearray(files[0].read_bytes())
    content[len(content) // 2] ^= 1
    files[0].write_bytes(content)
    files[1].write_bytes(files[1].read_bytes()[:-40])
    files[2].write_bytes(b"")
    again = run(tmp_path, plugin, ("snr", "mse"))
    assert count(tmp_path) == 2 * N
    assert [r.values["snr"] for r in again.records] == [r.values["snr"] for r in first.records]


def test_pickles_are_not_read(tmp_path: Path) -> None:
    """A pickle in the file would run code when it is loaded."""

    class Evil:
        def __reduce__(self) -> object:
            return os.mkdir, (str(tmp_path / "ran"),)

    kept = Estimates(tmp_path, "digest", 10**9)
    kept.keep("u", "stamp", np.zeros(4), 1.0)
    (file,) = tmp_path.rglob("*.npz")
    with file.open("wb") as handle:
        np.savez(handle, estimate=np.array([Evil()], dtype=object), seconds=np.float64(1), allow_pickle=True)
    assert kept.find("u", "stamp", 4) is None
    assert not (tmp_path / "ran").exists()


def test_bits_are_kept(tmp_path: Path) -> None:
    kept = Estimates(tmp_path, "digest", 10**9)
    exact = np.random.default_rng(0).standard_normal(1000)
    single = exact.astype(np.float32).astype(np.float64)
    for name, samples in {"exact": exact, "single": single}.items():
        kept.keep(name, "stamp", samples, 0.5)
        found = kept.find(name, "stamp", 1000)
        assert found is not None
        np.testing.assert_array_equal(found[0], samples)
        assert found[0].dtype == np.float64
        assert found[1] == 0.5
        assert kept.find(name, "stamp", 999) is None
        assert kept.find(name, "other", 1000) is None
    sizes = sorted(file.stat().st_size for file in tmp_path.rglob("*.npz"))
    assert 4000 < sizes[0] < 5000 < 8000 < sizes[1] < 9000


def test_the_disk_keeps_room_for_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Estimates(tmp_path / FOLDER, "digest", 10**9)
    monkeypatch.setattr("srbench.run.estimates.LEAST_FREE", 10**18)
    kept.keep("u", "stamp", np.zeros(4), 1.0)
    assert kept_bytes(kept.folder) == 0


def test_quick_ones_are_not_kept_nor_any_beyond_the_limit(tmp_path: Path, plugin: Path) -> None:
    run(tmp_path, plugin, name="quick")
    assert kept_bytes(tmp_path / "r" / FOLDER) == 0
    run(tmp_path, plugin, keep_gigabytes=1e-9)
    assert kept_bytes(tmp_path / "r" / FOLDER) == 0
    run(tmp_path, plugin, seed=3)
    held = kept_bytes(tmp_path / "r" / FOLDER)
    assert held > 1000
    run(tmp_path, plugin, seed=2, keep_gigabytes=0.9e-9 * held)
    assert kept_bytes(tmp_path / "r" / FOLDER) == held


@pytest.mark.parametrize("place", ["local", "headers", "data", "directory"])
def test_a_damaged_kept_estimate_is_none(place: str, tmp_path: Path) -> None:
    """Whatever byte of it: what its readers raise is of a dozen kinds, of zlib, zipfile, struct and numpy."""
    estimates = Estimates(tmp_path, "x", 10**9)
    estimate = np.random.default_rng(0).uniform(-1, 1, 50)
    estimates.keep("u", "s", estimate, 1.5)
    (file,) = tmp_path.rglob("*.npz")
    whole = file.read_bytes()
    where = {"local": (0, 60), "headers": (60, 190), "data": (190, 400), "directory": (len(whole) - 160, len(whole))}
    for position in range(*where[place]):
        for flipped in (0x01, 0x08, 0x80):
            file.write_bytes(whole[:position] + bytes([whole[position] ^ flipped]) + whole[position + 1 :])
            found = estimates.find("u", "s", 50)
            assert found is None or (np.array_equal(found[0], estimate) and found[1] == 1.5), position


def test_a_kept_estimate_that_unpacks_without_end_is_none(tmp_path: Path) -> None:
    estimates = Estimates(tmp_path, "x", 10**9)
    estimates.keep("u", "s", np.zeros(50), 1.5)
    (file,) = tmp_path.rglob("*.npz")
    np.savez_compressed(file, estimate=np.zeros(10_000_000), seconds=np.float64(1))
    assert file.stat().st_size < 100_000
    tracemalloc.start()
    assert estimates.find("u", "s", 10_000_000 // 100) is None
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
