"""The script that runs in a system's own environment, with packages and checkouts of the same interface made here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from kit import noise
from srbench_systems.by_command import SCRIPT
from srbench_systems.scripts import in_its_environment as script

from srbench import audio

torch = pytest.importorskip("torch", reason="these systems need torch, in their environments and here")

AUDIOSR = """
import numpy as np
import soundfile
from scipy.signal import resample_poly


def build_model(model_name, device):
    return model_name


def super_resolution(model, path, seed, ddim_steps, guidance_scale):
    low, rate = soundfile.read(path)
    wide = resample_poly(low, 48000, rate)
    made = np.pad(wide, (0, 48000))
    made = 0.5 * made / np.abs(made).max()
    return (made - made.mean())[None, None]
"""
NUWAVE2 = """
import sys
import numpy as np
import soundfile
import torch
from pathlib import Path

low, rate = soundfile.read(sys.argv[sys.argv.index("-i") + 1])
low /= np.abs(low).max()
wide = low.repeat(48000 // rate)
wide = wide[: len(wide) // 256 * 256]
wide[0] = torch.rand(1).item()
Path("test_sample/result").mkdir(parents=True, exist_ok=True)
soundfile.write("test_sample/result/result.wav", wide, 48000, "FLOAT")
"""
AERO = """
import sys
import numpy as np
import soundfile

words = dict(word.split("=", 1) for word in sys.argv[1:])
assert words["dset"] == "4-16"
low, rate = soundfile.read(words["+filename"])
wide = 2 * low.repeat(4)
soundfile.write(words["+output"] + "/low_pr.wav", wide / max(1, np.abs(wide).max()), 4 * rate, "FLOAT")
"""
NVSR = """
import numpy as np
import torch


class NVSRPostProcTestee:
    def __init__(self, device):
        self.model = torch.nn.Module()
        self.model.vocoder = Vocoder()

    def infer(self, x):
        assert x.dtype == np.float32 and len(x) % 441 == 0
        return self.model.vocoder.forward(x, cuda=True)


class Vocoder(torch.nn.Module):
    def forward(self, mel, cuda=False):
        assert not cuda
        return mel
"""
UDM = """
import sys
import soundfile
from pathlib import Path

folder, out = sys.argv[3], sys.argv[sys.argv.index("--out_dir") + 1]
Path(out).mkdir()
wide, rate = soundfile.read(folder + "/low.wav")
assert sys.argv[sys.argv.index("--rate") + 1] == "3" and "vctk_48k_udm" in sys.argv[1]
soundfile.write(out + "/low.wav", wide, rate, "FLOAT")
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Return a folder of inputs at 16 kHz, one of them in a folder of a speaker."""
    for name, n in [("p225/p225_001", 4001), ("b", 4100)]:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        audio.write(tmp_path / "in" / f"{name}.wav", noise(n), 16000)
    return tmp_path / "in"


def run(monkeypatch: pytest.MonkeyPatch, system: str, files: Path, *more: object) -> dict[str, np.ndarray]:
    out = files.parent / "out"
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", ["script", system, str(files), str(out), *map(str, more)])
    script.main()
    return {path.stem: audio.read(path)[0] for path in out.rglob("*.wav")}


def check(made: dict[str, np.ndarray], wide: dict[str, np.ndarray], within: float):
    assert set(made) == set(wide)
    for name, expected in wide.items():
        assert made[name].shape == expected.shape
        np.testing.assert_allclose(made[name], expected, atol=within)


def inputs(files: Path) -> dict[str, np.ndarray]:
    return {path.stem: audio.read(path)[0] for path in files.rglob("*.wav")}


def interpolated(low: np.ndarray, rate: int) -> np.ndarray:
    from scipy.signal import resample_poly

    return resample_poly(low, rate, 16000)[: len(low) * rate // 16000]


def test_audiosr_at_the_level_of_the_input(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "audiosr.py").write_text(AUDIOSR)
    monkeypatch.syspath_prepend(tmp_path)
    made = run(monkeypatch, "audiosr", files)
    wide = {name: interpolated(low, 48000) for name, low in inputs(files).items()}
    check(made, {name: each - each.mean() for name, each in wide.items()}, 2e-3)
    del sys.modules["audiosr"]


def test_nvsr_of_whole_hops_without_a_gpu(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    place = tmp_path / "ssr_eval" / "examples" / "NVSR"
    place.mkdir(parents=True)
    (place / "main.py").write_text(NVSR)
    monkeypatch.chdir(tmp_path)
    made = run(monkeypatch, "nvsr", files, "--checkout", tmp_path / "ssr_eval")
    check(made, {name: interpolated(low, 44100) for name, low in inputs(files).items()}, 1e-6)
    del sys.modules["main"]


def in_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> Path:
    """Write a checkout's script; it is started without torch's seed, which takes seconds."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / name).write_text(text)

    def start(arguments: list[str], folder: Path, seed: int):
        subprocess.run([sys.executable, *arguments], cwd=folder, check=True)

    monkeypatch.setattr(script, "run_seeded", start)
    return checkout


def test_aero_above_full_scale(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    checkout = in_checkout(tmp_path, monkeypatch, "predict.py", AERO)
    audio.write(files / "b.wav", noise(4000, level=0.5), 16000)
    made = run(monkeypatch, "aero", files, "--checkout", checkout, "--options", "dset=4-16")
    check(made, {name: 2 * low.repeat(4) for name, low in inputs(files).items()}, 1e-6)


def test_udm_plus_gets_the_interpolated_input(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    checkout = in_checkout(tmp_path, monkeypatch, "vctk_infer.py", UDM)
    made = run(monkeypatch, "udm_plus", files, "--checkout", checkout)
    check(made, {name: interpolated(low, 48000) for name, low in inputs(files).items()}, 1e-6)


@pytest.mark.slow
def test_nuwave2_as_srbench_starts_it(files: Path, tmp_path: Path):
    """The script is started as a command is, twice: level and length come back, and so do draws of one seed."""
    checkout = tmp_path / "nuwave2"
    checkout.mkdir()
    (checkout / "inference.py").write_text(NUWAVE2)
    made = []
    for number in range(2):
        out = tmp_path / f"out{number}"
        options = ["--checkout", checkout, "--weights", "none", "--seed", "7"]
        subprocess.run([sys.executable, SCRIPT, "nuwave2", files, out, *options], check=True, cwd=tmp_path)
        made.append({path.stem: audio.read(path)[0] for path in out.rglob("*.wav")})
    for name, low in inputs(files).items():
        np.testing.assert_allclose(made[0][name][1:], low.repeat(3)[1:], atol=1e-6)
        np.testing.assert_array_equal(made[0][name], made[1][name])
    assert made[0]["b"][0] != made[0]["p225_001"][0]
    assert audio.read(tmp_path / "out0" / "p225" / "p225_001.wav")[1] == 48000
