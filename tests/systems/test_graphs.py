"""The engines of ``audiosronnx``, the real package, on tiny random graphs put where it keeps the released ones."""

from __future__ import annotations

import hashlib
import importlib
import json
from pathlib import Path

import numpy as np
import pytest
from kit import Cli, noise
from tiny import ENGINES, convolution, put, systems

from srbench import audio
from srbench.errors import UpscalerError
from srbench.upscaler import READY, BuiltUpscaler, build_upscaler

pytest.importorskip("audiosronnx", reason="the engines: pip install 'srbench[systems]'")
pytest.importorskip("onnxruntime", reason="onnxruntime runs the graphs: pip install 'srbench[systems]'")
pytest.importorskip("onnx", reason="the graphs are made with onnx: pip install 'srbench[dev]'")

RATES = {"ap_bwe": [12000], "novasr": [16000], "lavasr": [8000, 16000, 22050], "flowhigh": [8000, 44100]}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder with the graphs of all engines in the cache."""
    data = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(data))
        for name in ENGINES:
            put(name, engine(name).folder())
    return data


@pytest.fixture(autouse=True)
def _in_cache(cache: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(cache))


def engine(name: str):
    from srbench_systems.ap_bwe import _Graph

    return _Graph if name == "ap_bwe" else systems()[name].target


def built(name: str) -> BuiltUpscaler:
    return build_upscaler(name)[0]


@pytest.mark.parametrize("name", ENGINES)
def test_keeps_the_contract_at_every_length(name: str):
    model = built(name)
    assert systems()[name].state() == READY
    for low_rate in RATES.get(name, [8000, 24000]):
        model.check_rates(low_rate, 48000)
        for n in (100, low_rate // 5 + 1, low_rate // 4 + 7):
            made = model(noise(n), low_rate, 48000)  # holds it to length, type and finiteness
            assert np.abs(made[-(len(made) // 4) :]).max() > 0


@pytest.mark.parametrize("name", ENGINES)
def test_the_end_is_made_and_not_filled_up(name: str):
    """The last four samples too, which NovaSR's graph leaves out, and the last hop of AP-BWE and FLowHigh."""
    low_rate = RATES.get(name, [16000])[0]
    for n in (low_rate // 2 + 1, low_rate // 2 + 3):
        made = built(name)(noise(n), low_rate, 48000)
        assert np.abs(made[-4:]).min() > 0


@pytest.mark.parametrize("name", ENGINES)
def test_repeats_on_one_thread(name: str):
    model, low_rate = built(name), RATES.get(name, [16000])[0]
    made = []
    for _ in range(2):
        np.random.seed(3)  # noqa: NPY002 (the generator that srbench seeds for each utterance)
        made.append(model(noise(low_rate // 2), low_rate, 48000))
    np.testing.assert_array_equal(*made)
    inner = getattr(model.instance, "_network", model.instance)
    for attribute in engine(name).graphs:
        options = getattr(inner.engine_object, attribute).get_session_options()
        assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)


@pytest.mark.parametrize("name", ENGINES)
def test_describes_what_it_used(name: str):
    told = built(name).describe()
    for file in engine(name).graphs.values():
        assert told["sha256"][file] == hashlib.sha256((engine(name).folder() / file).read_bytes()).hexdigest()
    assert told["sha256_is_the_released_one"] == "unknown"  # nobody published a hash
    assert told["licence"] == systems()[name].licence


@pytest.mark.parametrize("name", ENGINES)
def test_the_package_takes_its_weights_from_where_the_adapter_says(name: str):
    kind = engine(name)
    module = importlib.import_module(f"audiosronnx.engines.{kind.engine}")
    assert (kind.repository, kind.revision) == (module._HF_REPO, module._HF_REVISION)
    assert set(kind.graphs.values()) <= {value for value in vars(module).values() if isinstance(value, str)}


@pytest.mark.parametrize("name", ENGINES)
def test_other_rates_are_refused(name: str):
    for low_rate, high_rate in [(8000, 16000), (48000, 48000), (4000, 44100)]:
        with pytest.raises(UpscalerError, match=r"does not support"):
            built(name).check_rates(low_rate, high_rate)


def test_flowhigh_gives_the_level_of_the_input_back():
    """The engine brings in- and output to full scale: a quiet input gives the same estimate, as quiet."""
    low, made = noise(8000), []
    for gain in (1.0, 0.01):
        np.random.seed(0)  # noqa: NPY002
        made.append(built("flowhigh")(gain * low, 8000, 48000) / gain)
    np.testing.assert_allclose(made[0], made[1], atol=1e-5)
    wide = audio.resample(low, 8000, 48000)
    low_band = [np.fft.rfft(each)[100:2000] for each in (made[0], wide)]
    gain = np.vdot(low_band[1], low_band[0]).real / np.vdot(low_band[1], low_band[1]).real
    assert gain == pytest.approx(1, abs=0.02)
    assert not built("flowhigh")(np.zeros(4000), 8000, 48000).any()


def test_a_graph_of_the_working_folder_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The package itself prefers a file of the graph's name in the working folder."""
    monkeypatch.chdir(tmp_path)
    Path("novasr.onnx").write_bytes(b"another")
    before = built("novasr").describe()["sha256"]
    assert before["novasr.onnx"] != hashlib.sha256(b"another").hexdigest()


def test_own_graphs_from_a_folder(tmp_path: Path):
    convolution(tmp_path / "hifiganbwe_wavenet.onnx", 1, 1, width=5)
    model, _ = build_upscaler(f"hifi_gan_bwe@{tmp_path}")
    assert model.describe()["sha256"] != built("hifi_gan_bwe").describe()["sha256"]
    with pytest.raises(UpscalerError, match=r"weights missing: novasr\.onnx in "):
        build_upscaler(f"novasr@{tmp_path}")
    (tmp_path / "novasr.onnx").write_bytes(b"no graph")
    with pytest.raises(UpscalerError, match=r"novasr\.onnx: is no graph") as told:
        build_upscaler(f"novasr@{tmp_path}")
    assert len(str(told.value).splitlines()) == 1


def test_an_older_package_is_not_enough(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.0.1")
    assert systems()["novasr"].state() == "package missing: pip install 'srbench[systems]'"


def test_run_names_those_without_weights_and_runs_the_rest(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    speech = tmp_path / "speech"
    speech.mkdir()
    for number in range(2):
        audio.write(speech / f"{number}.wav", noise(24000, number), 48000)
    options = ["--protocol", "vctk-test8-16k-48k", "--data", speech, "--split", "all", "--metric", "snr", "--json"]
    models = ["--model", "novasr", "--model", "speechsr", "--model", "flowhigh", "--model", "hold"]
    status, out, err = cli("run", *models, *options)
    document = json.loads(out)
    assert {entry["name"]: entry["n"] for entry in document["models"]} == {"novasr": 2, "flowhigh": 2, "hold": 2}
    assert status == 1
    (line,) = [line for line in err.splitlines() if "git clone" in line]
    assert "speechsr" in line
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "empty"))
    status, out, err = cli("run", "--model", "novasr", "--model", "hold", *options, "--results", tmp_path / "other")
    assert [entry["name"] for entry in json.loads(out)["models"]] == ["hold"]
    assert status == 1
    (line,) = [line for line in err.splitlines() if "hf download TigreGotico/audiosronnx-novasr novasr.onnx" in line]
