"""Correct metrics by other hands, which an audit must not fail; `checked` gives a formula the manners of one."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from srbench.audit import Convention, auditable
from srbench.metrics import METRICS

Array = NDArray[Any]
WITH_RATE = Convention(call="f(ref, est, sr)")
TENSORS = Convention(array="torch")
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
    """LSD of TUNet: natural logarithm, the root over frames, 1e-8 under it."""
    r, e = (np.log(_librosa_power(signal) + 1e-8) for signal in (y, x))
    return float(np.mean(np.sqrt(np.mean((r - e) ** 2 + 1e-8, axis=1))))


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


def of_tensors(function: Callable[..., Any], dtype: str = "float64") -> Callable[..., Any]:
    """Make a function of tensors ``(reference, estimate)`` one of arrays that refuses what has no value."""

    @functools.wraps(function)
    def measured(y: Array, x: Array) -> Any:
        import torch

        return function(*(torch.from_numpy(signal).to(getattr(torch, dtype)) for signal in (y, x)))

    return checked(measured)


def nuwave_lsd(y: Any, x: Any) -> Any:
    """LSD as NU-Wave's code has it, in the tensors' own precision."""
    import torch

    window = torch.hann_window(2048, dtype=y.dtype)

    def spectrum(signal: Any) -> Any:
        bins = torch.view_as_real(torch.stft(signal, 2048, 512, window=window, return_complex=True))
        return torch.log10(torch.norm(bins, p=2, dim=-1).square().clamp(1e-8))

    return (spectrum(x) - spectrum(y)).square().mean(dim=0).sqrt().mean()


def torch_mse(y: Any, x: Any) -> Any:
    """MSE by torch, in the tensors' own precision."""
    from torch.nn.functional import mse_loss

    return mse_loss(x, y)


def torchmetrics_own_snr(y: Any, x: Any) -> Any:
    """SNR by torchmetrics."""
    from torchmetrics.functional.audio import signal_noise_ratio

    return signal_noise_ratio(x, y)


def torchmetrics_own_si_sdr(y: Any, x: Any) -> Any:
    """SI-SDR by torchmetrics."""
    from torchmetrics.functional.audio import scale_invariant_signal_distortion_ratio

    return scale_invariant_signal_distortion_ratio(x, y, zero_mean=False)


def fast_bss_eval_si_sdr(y: Any, x: Any) -> Any:
    """SI-SDR by fast_bss_eval, of arrays or of tensors: its loss, as its si_sdr raises where the two are equal."""
    from fast_bss_eval import si_sdr_loss

    return -si_sdr_loss(x, y)


PUBLISHED = (
    ("torch", Correct("torch MSE", "mse", of_tensors(torch_mse), TENSORS)),
    ("torch", Correct("torch MSE in float32", "mse", of_tensors(torch_mse, "float32"), TENSORS)),
    ("torch", Correct("NU-Wave LSD in torch", "lsd", of_tensors(nuwave_lsd), TENSORS)),
    ("torch", Correct("NU-Wave LSD in torch, float32", "lsd", of_tensors(nuwave_lsd, "float32"), TENSORS)),
    # in float32 their constants are 1.2e-7, which is no SNR: a test of the audit has that
    ("torchmetrics", Correct("torchmetrics SNR", "snr", of_tensors(torchmetrics_own_snr), TENSORS)),
    ("torchmetrics", Correct("torchmetrics SI-SDR", "si_sdr", of_tensors(torchmetrics_own_si_sdr), TENSORS)),
    ("fast_bss_eval", Correct("fast_bss_eval SI-SDR", "si_sdr", checked(fast_bss_eval_si_sdr))),
    ("fast_bss_eval", Correct("fast_bss_eval SI-SDR in torch", "si_sdr", of_tensors(fast_bss_eval_si_sdr), TENSORS)),
)

CORRECT: tuple[Correct, ...] = (
    *(
        Correct(f"srbench {name}", name, METRICS[name], WITH_RATE)
        for name in auditable()
        if name in METRICS and name not in ("lsd_hf", "lsd_lf")
    ),
    *(correct for package, correct in PUBLISHED if all(map(find_spec, ("torch", package)))),
    Correct("formula of torchmetrics' SNR", "snr", checked(torchmetrics_snr)),
    Correct("formula of torchmetrics' SI-SDR", "si_sdr", checked(torchmetrics_si_sdr)),
    Correct("formula of fast_bss_eval's SI-SDR", "si_sdr", checked(coherence_si_sdr)),
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
