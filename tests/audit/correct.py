"""Correct metrics by other hands, which an audit must not fail; `checked` gives a formula the manners of one."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from srbench.audit import Convention, auditable
from srbench.metrics import METRICS

Array = NDArray[Any]
WITH_RATE = Convention(call="f(ref, est, sr)")
EPS64 = float(np.finfo(np.float64).eps)
CHECKS = frozenset({"shape", "type", "empty", "length", "finite"})


def checked(function: Callable[..., float], *, skip: str = "") -> Callable[..., float]:
    """Refuse pairs that have no value: other shapes, types, lengths, NaN; give the rest to ``function`` as float64.

    ``skip`` names one check that is left out, for a planted bug.
    """
    assert not skip or skip in CHECKS

    @functools.wraps(function)
    def guarded(reference: Any, estimate: Any, *rest: Any) -> float:
        pair = [np.asarray(signal) for signal in (reference, estimate)]
        for signal in pair:
            if skip != "shape" and signal.ndim != 1:
                raise ValueError(f"shape {signal.shape}")
            if skip != "type" and signal.dtype.kind != "f":
                raise TypeError(str(signal.dtype))
            if skip != "empty" and not signal.size:
                raise ValueError("no samples")
            if skip != "finite" and not np.isfinite(signal).all():
                raise ValueError("NaN or infinite")
        if skip != "length" and (pair[0].size != pair[1].size if skip == "shape" else len(pair[0]) != len(pair[1])):
            raise ValueError("unequal lengths")
        if skip != "type":
            pair = [signal.astype(np.float64) for signal in pair]
        return function(*pair, *rest)

    return guarded


class Correct(NamedTuple):
    """A correct metric and what it is declared as."""

    name: str
    declared: str
    function: Callable[..., Any]
    convention: Convention | None = None


def torchmetrics_snr(y: Array, x: Array) -> float:
    """Formula of torchmetrics' signal_noise_ratio, with its eps in both sums."""
    return float(10 * np.log10((np.sum(y**2) + EPS64) / (np.sum((y - x) ** 2) + EPS64)))


def torchmetrics_si_sdr(y: Array, x: Array) -> float:
    """Formula of torchmetrics' scale_invariant_signal_distortion_ratio (zero_mean=False)."""
    target = (np.sum(x * y) + EPS64) / (np.sum(y**2) + EPS64) * y
    return float(10 * np.log10((np.sum(target**2) + EPS64) / (np.sum((target - x) ** 2) + EPS64)))


def coherence_si_sdr(y: Array, x: Array) -> float:
    """SI-SDR from the squared cosine of the angle between the two, as fast_bss_eval does."""
    unit = [signal / max(float(np.linalg.norm(signal)), 1e-30) for signal in (y, x)]
    cosine = float(np.clip((unit[0] @ unit[1]) ** 2, 1e-30, 1 - 1e-15))
    return 10 * math.log10(cosine / (1 - cosine))


def norms_snr(y: Array, x: Array) -> float:
    """20 log10 of norms, the noise clamped at 1e-8, as NU-Wave after its erratum."""
    return 20 * math.log10(float(np.linalg.norm(y)) / max(float(np.linalg.norm(x - y)), 1e-8))


def decibel_snr(y: Array, x: Array) -> float:
    """Difference of two levels in dB."""
    with np.errstate(divide="ignore"):
        level = 10 * np.log10([np.mean(np.square(y)), np.mean(np.square(y - x))])
    return float(level[0] - level[1])


def narrow_snr(y: Array, x: Array) -> float:
    """SNR in float32, as a network's framework computes it."""
    y, x = y.astype(np.float32), x.astype(np.float32)
    with np.errstate(divide="ignore"):
        return float(10 * np.log10(np.sum(y**2) / np.sum((y - x) ** 2)))


def norm_mse(y: Array, x: Array) -> float:
    """MSE as a squared norm over the length."""
    return float(np.linalg.norm(y - x)) ** 2 / len(y)


def summed_mse(y: Array, x: Array) -> float:
    """MSE summed exactly."""
    return math.fsum((a - b) ** 2 for a, b in zip(y.tolist(), x.tolist(), strict=True)) / len(y)


def narrow_mse(y: Array, x: Array) -> float:
    """MSE in float32."""
    return float(np.mean((y.astype(np.float32) - x.astype(np.float32)) ** 2))


def torch_like_lsd(y: Array, x: Array) -> float:
    """LSD of NU-Wave: a loop over frames of a reflected signal, power clamped at 1e-8."""
    window = np.hanning(2049)[:-1]

    def spectrum(signal: Array) -> Array:
        signal = np.pad(signal, 1024, mode="reflect")
        frames = [np.fft.rfft(signal[t : t + 2048] * window) for t in range(0, len(signal) - 2047, 512)]
        return np.log10(np.clip(np.abs(frames) ** 2, 1e-8, None))

    return float(np.sqrt(np.mean((spectrum(x) - spectrum(y)) ** 2, axis=1)).mean())


def scipy_lsd(y: Array, x: Array) -> float:
    """LSD of NU-Wave with scipy.signal.stft, whose scaling is taken back."""
    from scipy.signal import stft

    def spectrum(signal: Array) -> Array:
        padded = np.pad(signal, 1024, mode="reflect")
        bins = stft(padded, window="hann", nperseg=2048, noverlap=1536, boundary=None, padded=False)[2] * 1024
        return np.log10(np.maximum(bins.real**2 + bins.imag**2, 1e-8))

    return float(np.mean(np.sqrt(np.mean((spectrum(y) - spectrum(x)) ** 2, axis=0))))


def _librosa_power(signal: Array, n_fft: int = 2048, hop: int = 512) -> Array:
    import librosa

    return np.abs(librosa.stft(signal, n_fft=n_fft, hop_length=hop, pad_mode="reflect")) ** 2


def librosa_lsd(y: Array, x: Array) -> float:
    """LSD of NU-Wave with librosa, padded by reflection."""
    r, e = (np.log10(np.maximum(_librosa_power(signal), 1e-8)) for signal in (y, x))
    return float(np.mean(np.sqrt(np.mean((r - e) ** 2, axis=0))))


def librosa_paper(y: Array, x: Array) -> float:
    """The same in the natural logarithm."""
    r, e = (np.log(np.maximum(_librosa_power(signal), 1e-8)) for signal in (y, x))
    return float(np.mean(np.sqrt(np.mean((r - e) ** 2, axis=0))))


def librosa_tunet(y: Array, x: Array) -> float:
    """LSD of TUNet: natural logarithm, the root over frames."""
    r, e = (np.log(_librosa_power(signal) + 1e-8) for signal in (y, x))
    return float(np.mean(np.sqrt(np.mean((r - e) ** 2, axis=1))))


def librosa_kuleshov(y: Array, x: Array) -> float:
    """LSD of Kuleshov's code: as TUNet's, 1e-8 under the root, capped at 10."""
    r, e = (np.log(_librosa_power(signal) + 1e-8) for signal in (y, x))
    return min(float(np.mean(np.sqrt(np.mean((r - e) ** 2, axis=1) + 1e-8))), 10.0)


def ssr_eval_lsd(y: Array, x: Array, rate: int) -> float:
    """LSD of ssr_eval (its librosa < 0.9 padded by reflection)."""
    size, hop = int(2048 * rate / 44100), int(rate / 100)
    r, e = (np.sqrt(_librosa_power(signal, size, hop)) for signal in (y, x))
    return float(np.mean(np.sqrt(np.mean(np.log10(r**2 / (e + 1e-12) ** 2 + 1e-12) ** 2, axis=0))))


def at_16k(signal: Array, rate: int) -> Array:
    """Resample to 16 kHz with scipy."""
    from scipy.signal import resample_poly

    step = math.gcd(rate, 16000)
    return signal if rate == 16000 else resample_poly(signal, 16000 // step, rate // step)


def loud(*signals: Array) -> None:
    """Refuse silence."""
    if not all(signal.any() for signal in signals):
        raise ValueError("silence")


def pesq_of(mode: str) -> Callable[..., float]:
    """Return PESQ by the ``pesq`` package, at 16 kHz, silence refused."""

    def pesq(y: Array, x: Array, rate: int) -> float:
        from pesq import pesq as measure

        loud(y, x)
        return float(measure(16000, at_16k(y, rate), at_16k(x, rate), mode))

    return pesq


def stoi_of(extended: bool) -> Callable[..., float]:
    """Return STOI or ESTOI by pystoi, silence refused."""

    def stoi(y: Array, x: Array, rate: int) -> float:
        from pystoi import stoi as measure

        loud(y, x)
        return round(float(measure(y, x, rate, extended=extended)), 9)  # pystoi adds unseeded noise to ESTOI

    return stoi


CORRECT: tuple[Correct, ...] = (
    *(Correct(f"srbench {name}", name, METRICS[name], WITH_RATE) for name in auditable()),
    Correct("torchmetrics SNR", "snr", checked(torchmetrics_snr)),
    Correct("torchmetrics SI-SDR", "si_sdr", checked(torchmetrics_si_sdr)),
    Correct("fast_bss_eval SI-SDR", "si_sdr", checked(coherence_si_sdr)),
    Correct("NU-Wave SNR of norms", "snr", checked(norms_snr)),
    Correct("SNR from two levels", "snr", checked(decibel_snr)),
    Correct("SNR in float32", "snr", checked(narrow_snr)),
    Correct("MSE as a norm", "mse", checked(norm_mse)),
    Correct("MSE summed exactly", "mse", checked(summed_mse)),
    Correct("MSE in float32", "mse", checked(narrow_mse)),
    Correct("NU-Wave LSD frame by frame", "lsd", checked(torch_like_lsd)),
    Correct("NU-Wave LSD with scipy", "lsd", checked(scipy_lsd)),
    Correct("NU-Wave LSD with librosa", "lsd", checked(librosa_lsd)),
    Correct("the paper's LSD with librosa", "lsd_paper", checked(librosa_paper)),
    Correct("TUNet LSD with librosa", "lsd_tunet", checked(librosa_tunet)),
    Correct("Kuleshov LSD with librosa", "lsd_kuleshov", checked(librosa_kuleshov)),
    Correct("ssr_eval LSD with librosa", "lsd_nvsr", checked(ssr_eval_lsd), WITH_RATE),
    Correct("pesq wide band", "pesq", checked(pesq_of("wb")), WITH_RATE),
    Correct("pesq narrow band", "pesq_nb", checked(pesq_of("nb")), WITH_RATE),
    Correct("pystoi STOI", "stoi", checked(stoi_of(False)), WITH_RATE),
    Correct("pystoi ESTOI", "estoi", checked(stoi_of(True)), WITH_RATE),
)
