"""Each stage of a run beside the library call that it stands on, and a whole `srbench run` beside bare loops."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from bench_metrics import librosa_lsd
from measure import Row, pieces, row, timed_row

from srbench import audio
from srbench.protocols import load_protocol, prepare
from srbench.upscaler import build_upscaler

UTTERANCES = 24


def rows() -> list[Row]:
    """Measure the stages on files of 4 s, then whole processes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [*stages(folder), *whole(folder)]


def stages(folder: Path) -> list[Row]:
    """Measure reading, degrading, upscaling and writing."""
    from scipy import signal
    from scipy.interpolate import make_interp_spline

    high = pieces(44100)
    wavs, flacs = (_files(folder, high, 44100, suffix) for suffix in (".wav", ".flac"))
    at_16 = pieces(16000)
    cheby, masked = load_protocol("vctk-speaker1-r4"), load_protocol("vctk-nvsr-8k")
    lows = [prepare(piece, 16000, cheby).low for piece in at_16]
    spline, _ = build_upscaler("spline")

    def bare_spline(low: Any) -> None:
        make_interp_spline(np.arange(len(low)), low, k=3)(np.arange(4 * len(low)) / 4)

    def bare_mask(piece: Any) -> None:
        transform = signal.ShortTimeFFT(signal.get_window("hann", 2048), 441, fs=1.0)
        transform.istft(transform.stft(piece, padding="even"), k1=len(piece))

    def write(piece: Any) -> None:
        audio.write(folder / "ours.wav", piece, 44100)

    def bare_write(piece: Any) -> None:
        soundfile.write(str(folder / "theirs.wav"), piece.astype(np.float32), 44100, subtype="FLOAT")

    decode = "bound: libsndfile (soundfile.read)"
    return [
        row("read a WAV file, 44.1 kHz", audio.read, decode, lambda p: soundfile.read(str(p)), wavs),
        row("read a FLAC file, 44.1 kHz", audio.read, decode, lambda p: soundfile.read(str(p)), flacs),
        row(
            "degrade 16 → 4 kHz, cheby1",
            lambda x: prepare(x, 16000, cheby),
            "scipy.signal.decimate",
            lambda x: signal.decimate(x, 4),
            at_16,
        ),
        row(
            "degrade 44.1 → 8 kHz, spectral zeroing",
            lambda x: prepare(x, 44100, masked),
            "scipy ShortTimeFFT there and back",
            bare_mask,
            high,
        ),
        row(
            "upscale 4 → 16 kHz, spline",
            lambda x: spline(x, 4000, 16000),
            "scipy make_interp_spline",
            bare_spline,
            lows,
        ),
        row("write a WAV file, 44.1 kHz", write, "bound: libsndfile (soundfile.write)", bare_write, high),
    ]


def whole(folder: Path) -> list[Row]:
    """Measure processes from start to end: `srbench --version`, and a run of some utterances."""
    corpus = folder / "corpus"
    files = speech_files(corpus, UTTERANCES)

    def bare() -> float:
        return _process(__file__, *map(str, files))

    return [
        _per_process("start: srbench --version", "-m", "srbench", "--version"),
        timed_row(
            f"whole process: srbench run, spline, {UTTERANCES} utterances of 4 s at 16 kHz; per utterance",
            lambda: srbench_run("spline", corpus),
            "a loop of the libraries' calls: one LSD, SNR, both PESQ, STOI, ESTOI; nothing kept",
            bare,
            UTTERANCES,
            rounds=3,
        ),
    ]


def speech_files(corpus: Path, count: int) -> list[Path]:
    """Write so many utterances of 4 s at 16 kHz into a folder that is made."""
    corpus.mkdir()
    return _files(corpus, (pieces(16000) * count)[:count], 16000, ".wav")


def srbench_run(model: str, corpus: Path, workers: int = 1) -> float:
    """Return the seconds of `srbench run` in a process of its own, into results of its own."""
    with tempfile.TemporaryDirectory() as results:
        options = f"--model {model} --no-anchors --protocol demo --workers {workers} --keep 0 --json"
        return _process("-m", "srbench", "run", *options.split(), "--data", str(corpus), "--results", results)


def _per_process(what: str, *ours: str) -> Row:
    return timed_row(
        what, lambda: _process(*ours), "python -c 'import numpy'", lambda: _process("-c", "import numpy"), 1
    )


def _process(*arguments: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - started


def _files(folder: Path, samples: Sequence[Any], rate: int, suffix: str) -> list[Path]:
    paths = [folder / f"p{number:03}_001{suffix}" for number in range(len(samples))]
    for path, piece in zip(paths, samples, strict=True):
        soundfile.write(str(path), piece, rate, subtype="PCM_16")
    return paths


def loop(paths: Sequence[str]) -> None:
    """Do by bare calls what the run does for one upscaler and the demo protocol's metrics, but one LSD of seven."""
    import pesq
    import pystoi
    from scipy import signal
    from scipy.interpolate import make_interp_spline

    for path in paths:
        high, rate = soundfile.read(path)
        low = signal.decimate(high, 4)
        estimate = make_interp_spline(np.arange(len(low)), low, k=3)(np.arange(len(high)) / 4)
        noise = high - estimate
        10 * np.log10(high @ high / (noise @ noise))
        librosa_lsd((high, estimate))
        for band in ("wb", "nb"):
            pesq.pesq(rate, high, estimate, band)
        for extended in (False, True):
            pystoi.stoi(high, estimate, rate, extended=extended)


if __name__ == "__main__":
    loop(sys.argv[1:])
