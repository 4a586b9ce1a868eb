"""Systems of a user's own checkout: tiny ones of the same interface, made here, with random weights."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from kit import noise
from tiny import graph, systems

from srbench import audio
from srbench.errors import UpscalerError
from srbench.upscaler import build_upscaler

SPEECHSR = """
import torch
import torchaudio
from commons import SCALE
from timm.models.vision_transformer import Attention


class Unused(Attention):
    pass


class SynthesizerTrn(torch.nn.Module):
    def __init__(self, spec_channels, segment_size, channels):
        super().__init__()
        self.dec = torch.nn.ConvTranspose1d(1, 1, 9, {stride}, padding={padding}, bias=False)

    def forward(self, x):
        return SCALE * self.dec(x)[..., : int(x.shape[-1] * {ratio})]
"""
CONFIG = {
    "train": {"segment_size": 9600},
    "data": {"hop_length": 320, "n_mel_channels": 128},
    "model": {"channels": 32},
}


@pytest.fixture
def speechsr(tmp_path: Path) -> Path:
    torch = pytest.importorskip("torch", reason="SpeechSR runs on torch: pip install 'srbench[models]'")
    checkout = tmp_path / "HierSpeechpp"
    for name, file, stride, ratio in [("speechsr24k", "G_340000.pth", 2, 1.5), ("speechsr48k", "G_100000.pth", 3, 3)]:
        (checkout / name).mkdir(parents=True)
        (checkout / name / "speechsr.py").write_text(SPEECHSR.format(stride=stride, padding=3, ratio=ratio))
        (checkout / name / "config.json").write_text(json.dumps(CONFIG))
        weights = torch.from_numpy(noise(9, 1).astype(np.float32).reshape(1, 1, 9))
        torch.save({"model": {"dec.weight": weights}, "iteration": 1}, checkout / name / file)
    (checkout / "commons.py").write_text("SCALE = 0.5\n")
    return checkout


def test_speechsr_by_its_module_at_its_own_level(speechsr: Path):
    model, _ = build_upscaler(f"speechsr@{speechsr}")
    for high_rate in (24000, 48000):
        model.check_rates(16000, high_rate)
        low = noise(1601)
        np.testing.assert_allclose(2 * model(low, 16000, high_rate), model(2 * low, 16000, high_rate), atol=1e-6)
    told = model.describe()
    file = "speechsr48k/G_100000.pth"
    assert told["sha256"][file] == hashlib.sha256((speechsr / file).read_bytes()).hexdigest()
    assert told["sha256_is_the_released_one"] == {"speechsr24k/G_340000.pth": False, file: False}
    assert "speechsr48k/speechsr.py" in told["sha256"]
    # nothing of the checkout stays behind, and no stand-in
    assert str(speechsr) not in sys.path
    assert not {"commons", "speechsr48k", "timm"} & set(sys.modules)


def test_speechsr_with_one_of_two_networks(speechsr: Path):
    (speechsr / "speechsr24k" / "G_340000.pth").unlink()
    model, _ = build_upscaler(f"speechsr@{speechsr}")
    with pytest.raises(UpscalerError, match="does not support"):
        model.check_rates(16000, 24000)
    (speechsr / "speechsr48k" / "G_100000.pth").unlink()
    with pytest.raises(UpscalerError, match="weights missing"):
        build_upscaler(f"speechsr@{speechsr}")
    with pytest.raises(UpscalerError, match="git clone"):
        build_upscaler("speechsr")


def test_weights_that_hold_code_are_refused(speechsr: Path):
    torch = pytest.importorskip("torch")
    torch.save({"model": Path("anything but numbers")}, speechsr / "speechsr48k" / "G_100000.pth")
    with pytest.raises(UpscalerError, match="cannot be read as weights") as told:
        build_upscaler(f"speechsr@{speechsr}")
    assert len(str(told.value).splitlines()) == 1


def test_tunet_joins_its_windows(tmp_path: Path):
    """A graph that gives its input back gives the interpolated input back, to its last sample."""
    pytest.importorskip("onnxruntime", reason="TUNet runs on onnxruntime: pip install 'srbench[systems]'")
    pytest.importorskip("onnx", reason="the graph is made with onnx: pip install 'srbench[dev]'")
    path = tmp_path / "TUNet" / "lightning_logs" / "best_model.onnx"
    graph(path, {"x": [1, 1, 8192]}, ["y"], {}, ("Identity", ["x"], "y", {}))
    for where in (path, tmp_path / "TUNet"):
        model, _ = build_upscaler(f"tunet@{where}")
        for n in (1, 100, 2048, 6000, 10241):
            low = noise(n)
            wide = audio.resample(low, 8000, 16000)[: 2 * n]
            np.testing.assert_allclose(model(low, 8000, 16000), wide, atol=1e-6)
    assert model.describe()["sha256"]["best_model.onnx"] == hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(UpscalerError, match="weights missing"):
        build_upscaler(f"tunet@{tmp_path / 'nothing'}")


AP_BWE = {
    "env.py": "class AttrDict(dict):\n    __getattr__ = dict.__getitem__\n",
    "utils.py": "import matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pylab as plt\n",
    "models/__init__.py": "",
    "datasets/__init__.py": "",
    "models/model.py": """
import torch
from utils import plt


class APNet_BWE_Model(torch.nn.Module):
    def __init__(self, h):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.zeros(1))

    def forward(self, amplitude, phase):
        return amplitude + self.gain, phase, None
""",
    "datasets/dataset.py": """
import torch
import torchaudio


def amp_pha_stft(audio, n_fft, hop, win):
    spectrum = torch.stft(audio, n_fft, hop, win, torch.hann_window(win), return_complex=True)
    return spectrum.abs().log(), spectrum.angle(), None


def amp_pha_istft(amplitude, phase, n_fft, hop, win):
    return torch.istft(torch.polar(amplitude.exp(), phase), n_fft, hop, win, torch.hann_window(win))
""",
}


@pytest.fixture
def ap_bwe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    torch = pytest.importorskip("torch", reason="a checkout of AP-BWE runs on torch: pip install 'srbench[models]'")
    checkout = tmp_path / "AP-BWE"
    for name, text in AP_BWE.items():
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text(text)
    weights = checkout / "checkpoints" / "8kto16k"
    weights.mkdir(parents=True)
    torch.save({"generator": {"gain": torch.full((1,), float(np.log(2)))}}, weights / "g_8kto16k")
    (weights / "config.json").write_text(json.dumps({"n_fft": 1024, "hop_size": 80, "win_size": 320}))
    site = tmp_path / "site"  # a package that resamples by repeating, in the place of torchaudio
    (site / "torchaudio").mkdir(parents=True)
    (site / "torchaudio" / "__init__.py").write_text("")
    (site / "torchaudio" / "functional.py").write_text(
        "def resample(x, low_rate, high_rate):\n    return x.repeat_interleave(high_rate // low_rate)\n"
    )
    info = site / "torchaudio-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: torchaudio\nVersion: 2.0\n")
    monkeypatch.syspath_prepend(site)
    yield checkout
    for name in [name for name in sys.modules if name.startswith("torchaudio")]:
        del sys.modules[name]


def test_ap_bwe_of_a_checkout_keeps_the_length(ap_bwe: Path):
    """Whole hops of 80 samples come back: the end, up to 79 samples, is made from zeros after the input."""
    model, _ = build_upscaler(f"ap_bwe@{ap_bwe}")
    model.check_rates(8000, 16000)
    with pytest.raises(UpscalerError, match="does not support"):
        model.check_rates(12000, 48000)
    for n in (4000, 4001, 4039):
        low = noise(n)
        made = model(low, 8000, 16000)
        np.testing.assert_allclose(made[:-80], 2 * low.repeat(2)[:-80], atol=1e-4)
        np.testing.assert_allclose(made, 2 * low.repeat(2), atol=1e-3)
    assert set(model.describe()["sha256"]) == {"g_8kto16k"}


CLEARVOICE = {
    "__init__.py": """
import os
import torch


class ClearVoice:
    def __init__(self, task, model_names):
        assert (task, model_names) == ("speech_super_resolution", ["MossFormer2_SR_48K"])
        assert os.path.isfile("checkpoints/MossFormer2_SR_48K/last_best_checkpoint")
        self.models = [self]
        self.model, self.device, self.args = torch.nn.ModuleList(), None, "args"
""",
    "utils/__init__.py": "",
    "utils/decode.py": """
import numpy as np


def decode_one_audio(model, device, inputs, args):
    assert inputs.dtype == np.float64 and inputs.shape[0] == 1 and args == "args"
    return 2 * inputs[0][: inputs.shape[1] // 256 * 256]
""",
}


def test_mossformer2_sr_by_a_package_of_its_interface(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("torch", reason="ClearVoice runs on torch: pip install 'srbench[models]'")
    for name, text in CLEARVOICE.items():
        path = tmp_path / "clearvoice" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "clearvoice-0.1.2.dist-info").mkdir()
    (tmp_path / "clearvoice-0.1.2.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: clearvoice\nVersion: 0.1.2\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UpscalerError, match="weights missing: hf download alibabasglab/MossFormer2_SR_48K"):
        build_upscaler("mossformer2_sr")
    weights = tmp_path / "mine" / "checkpoints" / "MossFormer2_SR_48K"
    weights.mkdir(parents=True)
    (weights / "last_best_checkpoint").write_text("m.pt\ng.pt\n")
    for name in ("m.pt", "g.pt"):
        (weights / name).write_text(name)
    try:
        model, _ = build_upscaler(f"mossformer2_sr@{tmp_path / 'mine'}")
    finally:
        for name in [name for name in sys.modules if name.startswith("clearvoice")]:
            del sys.modules[name]
    assert Path.cwd() == tmp_path
    low = noise(16001)
    made = model(low, 16000, 48000)
    np.testing.assert_allclose(made, 2 * audio.resample(low, 16000, 48000)[: len(made)], atol=1e-6)
    assert set(model.describe()["sha256"]) == {"m.pt", "g.pt"}
    assert systems()["mossformer2_sr"].licence == "Apache-2.0"
