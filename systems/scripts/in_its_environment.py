"""Run a system in its own environment, from a folder of low-resolution files to a folder of estimates.

srbench starts it, as ``srbench run --command``; docs/systems.md has the line for each system. It needs Python 3.8,
numpy, scipy and soundfile, and what the system needs. It takes back what the system does to level and length.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any, Callable  # noqa: UP035 (Python 3.8 cannot subscript the other)

import numpy as np
import soundfile
from scipy.signal import resample_poly

Upscale = Callable[[Any, int, int], "tuple[Any, int]"]  # (samples, rate, seed) -> (samples, rate)


def audiosr(options: argparse.Namespace) -> Upscale:
    """AudioSR by its package. Undone: level (it brings in- and output to a peak of 0.5), length (pads to 5.12 s)."""
    from audiosr import build_model, super_resolution

    model = build_model(model_name=options.weights or "basic", device=options.device)

    def upscale(low: Any, rate: int, seed: int) -> tuple[Any, int]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "low.wav")
            soundfile.write(path, low, rate, subtype="FLOAT")
            made = super_resolution(model, str(path), seed=seed, ddim_steps=50, guidance_scale=3.5)
        return level_of(np.asarray(made, dtype=np.float64).reshape(-1), low, rate, 48000), 48000

    return upscale


def nuwave2(options: argparse.Namespace) -> Upscale:
    """NU-Wave 2 by its script. Undone: level (peak of 1), length (whole hops of 256). It clips at that peak."""

    def upscale(low: Any, rate: int, seed: int) -> tuple[Any, int]:
        peak = float(np.max(np.abs(low))) or 1.0
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "low.wav")
            soundfile.write(path, np.pad(low, (0, rate // 50)), rate, subtype="FLOAT")
            script = ["inference.py", "-c", str(options.weights), "-i", str(path), "--sr", str(rate)]
            run_seeded([*script, "--device", options.device], options.checkout, seed)
        made, high = soundfile.read(options.checkout / "test_sample" / "result" / "result.wav")
        return made * peak, high

    return upscale


def aero(options: argparse.Namespace) -> Upscale:
    """AERO by its script, which needs a GPU. Undone: level (it divides what is above full scale by its peak)."""

    def upscale(low: Any, rate: int, seed: int) -> tuple[Any, int]:
        gain = 0.25 / (float(np.max(np.abs(low))) or 1.0)  # the network normalises, so that only the writing is moved
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "low.wav")
            soundfile.write(path, low * gain, rate, subtype="FLOAT")
            places = [f"+filename={path}", f"+output={folder}", f"checkpoint_file={options.weights}"]
            run_seeded(["predict.py", *options.options, *places], options.checkout, seed)
            made, high = soundfile.read(Path(folder, "low_pr.wav"))
        return made / gain, high

    return upscale


def nvsr(options: argparse.Namespace) -> Upscale:
    """NVSR by the class of its example. Undone: length (whole hops of 441), and its demand for a GPU."""
    import torch

    os.chdir(options.checkout / "examples" / "NVSR")
    sys.path.insert(0, os.getcwd())
    from main import NVSRPostProcTestee

    testee = NVSRPostProcTestee(options.device)
    vocode = testee.model.vocoder.forward
    testee.model.vocoder.forward = lambda mel, cuda=False: vocode(mel, cuda=cuda and options.device == "cuda")

    def upscale(low: Any, rate: int, seed: int) -> tuple[Any, int]:
        torch.manual_seed(seed)
        wide = resample_poly(low, 44100, rate)
        return testee.infer(np.pad(wide, (0, 441 + -len(wide) % 441)).astype(np.float32)), 44100

    return upscale


def udm_plus(options: argparse.Namespace) -> Upscale:
    """UDM+ by its script, which needs a GPU: it low-passes what it reads, so the input is interpolated before."""
    name = "vctk_48k_udm" if options.high_rate == 48000 else "vctk_16k_udm"
    weights = options.checkout / "ckpt" / name

    def upscale(low: Any, rate: int, seed: int) -> tuple[Any, int]:
        with tempfile.TemporaryDirectory() as folder:
            inputs, outputs = Path(folder, "in"), Path(folder, "out")
            inputs.mkdir()
            soundfile.write(inputs / "low.wav", resample_poly(low, options.high_rate, rate), options.high_rate, "FLOAT")
            script = ["vctk_infer.py", weights / "saved" / "training_checkpoint_500000.pt"]
            script += [weights / ".hydra" / "config.yaml", inputs, "--rate", options.high_rate // rate, "-T", 50]
            script += ["--infer-type", "manifold", "--downsample-type", "stft", "--lr", 0.67, "--out_dir", outputs]
            run_seeded([str(each) for each in script], options.checkout, seed)
            made, high = soundfile.read(outputs / "low.wav")
        return made, high

    return upscale


def level_of(made: Any, low: Any, rate: int, high_rate: int) -> Any:
    """Return an estimate without offset, at the gain at which its low band fits the input best (least squares)."""
    made = made - made.mean()
    n = min(len(made), len(low) * high_rate // rate)
    wide = resample_poly(low, high_rate, rate)[:n]
    spectra = [np.fft.rfft(each * np.hanning(n)) for each in (made[:n], wide - wide.mean())]
    top = int(0.4 * rate / high_rate * n)  # 0.8 of the cutoff
    ours, theirs = (each[1:top] for each in spectra)
    power = np.vdot(ours, ours).real
    return made * (np.vdot(ours, theirs).real / power if power else 0.0)


def run_seeded(script: list[str], checkout: Path, seed: int) -> None:
    """Run a system's script in its checkout, with torch's generator seeded before it starts."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "sitecustomize.py").write_text(f"import torch\ntorch.manual_seed({seed})\n")
        path = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH", "")]))
        subprocess.run([sys.executable, *script], cwd=checkout, env={**os.environ, "PYTHONPATH": path}, check=True)


SYSTEMS = {"audiosr": audiosr, "nuwave2": nuwave2, "aero": aero, "nvsr": nvsr, "udm_plus": udm_plus}


def main() -> None:
    """Upscale every file of a folder; the estimates are float WAV files of whole length, under the same names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("system", choices=SYSTEMS)
    parser.add_argument("inputs", type=Path)
    parser.add_argument("outputs", type=Path)
    parser.add_argument("--checkout", type=lambda path: Path(path).absolute(), default=Path())
    parser.add_argument("--weights", type=lambda path: Path(path).absolute() if Path(path).exists() else path)
    parser.add_argument("--high-rate", type=int, default=48000)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--options", nargs="*", default=[])
    options = parser.parse_args()
    inputs, outputs = options.inputs.absolute(), options.outputs.absolute()
    upscale = SYSTEMS[options.system](options)
    for path in sorted(inputs.rglob("*.wav")):
        low, rate = soundfile.read(path)
        # of the name alone, so that a draw does not depend on which files are upscaled together
        seed = zlib.crc32(f"{options.seed}/{path.relative_to(inputs).as_posix()}".encode())
        made, high = upscale(low, rate, seed)
        n = len(low) * high // rate
        target = outputs / path.relative_to(inputs)
        target.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(target, np.pad(made[:n], (0, n - len(made[:n]))), high, subtype="FLOAT")


if __name__ == "__main__":
    main()
