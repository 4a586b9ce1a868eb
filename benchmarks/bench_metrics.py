"""Each metric beside the bare kernel that it needs, and the whole set beside the usual packages called in turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from measure import LOW_RATE, Row, pairs, row

from srbench import audio
from srbench.metrics import Pair, define, measure_all
from srbench.metrics.lsd import nuwave, nvsr

LSDS = ("lsd", "lsd_hf", "lsd_lf", "lsd_paper", "lsd_kuleshov", "lsd_nvsr", "lsd_tunet")
SPECTRAL = (*LSDS, "snr", "si_sdr", "mse")
WHOLE = (*SPECTRAL, "pesq", "stoi", "estoi")


def rows() -> list[Row]:
    """Measure at 44.1 and at 16 kHz."""
    return [each for rate in (44100, 16000) for each in rows_at(rate)]


def rows_at(rate: int) -> list[Row]:
    """Measure pairs of 4 s at one rate."""
    import pystoi

    at = f"at {rate / 1000:g} kHz"
    items = [(r, e, *(_for_pesq(r, e, rate))) for r, e in pairs(rate)]

    def ours(*names: str) -> Any:
        definitions = define(names, rate, LOW_RATE / 2)
        return lambda item: measure_all(Pair(item[0], item[1], rate, LOW_RATE / 2), definitions)

    return [
        row(f"SNR {at}", ours("snr"), "NumPy, two dot products", _dots, items),
        row(f"SI-SDR {at}", ours("si_sdr"), "NumPy, two dot products", _dots, items),
        row(f"LSD {at}", ours("lsd"), "librosa, one LSD", librosa_lsd, items),
        row(f"LSD {at}", ours("lsd"), "bound: one rfft a frame", lambda x: rffts(x, rate, nuwave), items),
        row(
            f"LSD in all conventions {at}",
            ours(*LSDS),
            "bound: one rfft a frame and transform",
            lambda x: (rffts(x, rate, nuwave), rffts(x, rate, nvsr)),
            items,
        ),
        row(f"PESQ-WB {at}", ours("pesq"), "bound: pesq's C call at 16 kHz", _pesq_in_c, items),
        row(f"STOI {at}", ours("stoi"), "pystoi", lambda x: pystoi.stoi(x[0], x[1], rate), items),
        row(f"ESTOI {at}", ours("estoi"), "pystoi", lambda x: pystoi.stoi(x[0], x[1], rate, extended=True), items),
        row(
            f"the whole set {at}: {len(LSDS)} LSDs, SNR, SI-SDR, MSE, PESQ-WB, STOI, ESTOI",
            ours(*WHOLE),
            "pesq + pystoi STOI + pystoi ESTOI + one librosa LSD",
            lambda x: one_after_the_other(x, rate),
            items,
            0.7 if rate == 44100 else None,
        ),
    ]


def one_after_the_other(item: Sequence[Any], rate: int) -> tuple[float, ...]:
    """Call the packages as their documentation shows."""
    import pesq
    import pystoi

    r, e = item[:2]
    spoken = pesq.pesq(16000, *(audio.resample(each, rate, 16000) for each in (r, e)), "wb")
    return spoken, pystoi.stoi(r, e, rate), pystoi.stoi(r, e, rate, extended=True), librosa_lsd(item)


def librosa_lsd(item: Sequence[Any]) -> float:
    """Return the LSD of the `lsd` convention by librosa's transform."""
    import librosa

    r, e = (
        np.log10(np.maximum(np.abs(librosa.stft(x, n_fft=2048, hop_length=512, pad_mode="reflect")) ** 2, 1e-8))
        for x in item[:2]
    )
    return float(np.sqrt(((r - e) ** 2).mean(axis=0)).mean())


def rffts(item: Sequence[Any], rate: int, convention: Any) -> None:
    """Transform as many frames as an LSD of a convention has, and nothing else."""
    from scipy import fft

    lsd = convention(rate)
    frames = np.ones((16, lsd.n_fft))
    for samples in item[:2]:
        for start in range(0, count := 1 + len(samples) // lsd.hop, 16):
            fft.rfft(frames[: count - start], axis=1)


def _dots(item: Sequence[Any]) -> None:
    r, e = item[:2]
    np.dot(r, r), np.dot(r, e)


def _pesq_in_c(item: Sequence[Any]) -> None:
    from pesq.cypesq import cypesq

    cypesq(16000, item[2], item[3], 1)


def _for_pesq(r: Any, e: Any, rate: int) -> tuple[Any, ...]:
    both = [audio.resample(each, rate, 16000) for each in (r, e)]
    peak = max(np.abs(each).max() for each in both)
    return tuple((each / peak).astype(np.float32) for each in both)
