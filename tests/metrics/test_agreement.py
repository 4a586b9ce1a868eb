"""Our values are those of other people's code: torchmetrics, fast_bss_eval, torch, scikit-learn, scipy, pesq, pystoi.

On noise as Hypothesis draws it and on real speech, to 1e-6. LSD against librosa on fixed signals is in test_lsd.py,
PESQ and STOI on speech against their packages in test_quality.py and test_intelligibility.py.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log10
from typing import Any

import numpy as np
import pytest
from drawn import RATE, UTTERANCES, Array, filtered, needs_vctk, noise_at, signals, speech
from hypothesis import given, settings
from hypothesis import strategies as st
from test_lsd import CUTOFF, INDEPENDENT

from srbench.audit.signals import voice
from srbench.metrics import METRICS

quick = settings(max_examples=20)
few_but_long = settings(max_examples=10)
few = settings(max_examples=5)
levels = st.floats(-30, 60)
seeds = st.integers(0, 10**6)
on_speech = pytest.mark.parametrize("index", range(UTTERANCES))
ESTIMATES: dict[str, Callable[[Array], Array]] = {
    "noisy": lambda y: 0.8 * y + noise_at(y, 15),
    "nearly right": lambda y: y + noise_at(y, 60),
    "low-passed": lambda y: filtered(y, 2000.0),
    "inverted and late": lambda y: -np.roll(y, 3),
    "with an offset": lambda y: y + 0.01,
}
estimates = pytest.mark.parametrize("kind", ESTIMATES)


def tensors(*given: Array) -> list[Any]:
    torch = pytest.importorskip("torch", reason="needs torch")
    return [torch.from_numpy(np.ascontiguousarray(signal)) for signal in given]


# -- SNR, SI-SDR, MSE: a name, our metric, theirs of (reference, estimate) --------------------------------------------


def torchmetrics_snr(y: Array, x: Array) -> float:
    theirs = pytest.importorskip("torchmetrics.functional.audio", reason="needs torchmetrics")
    preds, target = tensors(x, y)
    return float(theirs.signal_noise_ratio(preds, target))


def torchmetrics_si_sdr(y: Array, x: Array) -> float:
    theirs = pytest.importorskip("torchmetrics.functional.audio", reason="needs torchmetrics")
    preds, target = tensors(x, y)
    return float(theirs.scale_invariant_signal_distortion_ratio(preds, target, zero_mean=False))


def fast_bss_eval_si_sdr(y: Array, x: Array) -> float:
    """The reference first, a row for each source."""
    theirs = pytest.importorskip("fast_bss_eval", reason="needs fast_bss_eval")
    return float(theirs.si_sdr(y[None], x[None], zero_mean=False)[0])


def fast_bss_eval_si_sdr_in_torch(y: Array, x: Array) -> float:
    """As a loss, and so the estimate first."""
    theirs = pytest.importorskip("fast_bss_eval", reason="needs fast_bss_eval")
    est, ref = tensors(x, y)
    return -float(theirs.si_sdr_loss(est, ref, zero_mean=False))


def scipy_si_sdr(y: Array, x: Array) -> float:
    from scipy.spatial.distance import cosine

    c = 1 - float(cosine(y, x))
    return 10 * log10(c**2 / (1 - c**2))


def scipy_snr(y: Array, x: Array) -> float:
    from scipy.spatial.distance import euclidean, sqeuclidean

    return 10 * log10(sqeuclidean(y, np.zeros(len(y)))) - 20 * log10(euclidean(y, x))


def torch_mse(y: Array, x: Array) -> float:
    torch = pytest.importorskip("torch", reason="needs torch")
    return float(torch.nn.functional.mse_loss(*tensors(x, y)))


def sklearn_mse(y: Array, x: Array) -> float:
    theirs = pytest.importorskip("sklearn.metrics", reason="needs scikit-learn")
    return float(theirs.mean_squared_error(y, x))


RATIOS = [
    pytest.param("snr", torchmetrics_snr, id="snr-torchmetrics"),
    pytest.param("snr", scipy_snr, id="snr-scipy"),
    pytest.param("si_sdr", torchmetrics_si_sdr, id="si_sdr-torchmetrics"),
    pytest.param("si_sdr", fast_bss_eval_si_sdr, id="si_sdr-fast_bss_eval"),
    pytest.param("si_sdr", fast_bss_eval_si_sdr_in_torch, id="si_sdr-fast_bss_eval-torch"),
    pytest.param("si_sdr", scipy_si_sdr, id="si_sdr-scipy"),
    pytest.param("mse", torch_mse, id="mse-torch"),
    pytest.param("mse", sklearn_mse, id="mse-sklearn"),
]


def assert_equal(name: str, theirs: Callable[[Array, Array], float], y: Array, x: Array) -> None:
    """Equal to 1e-6: the MSE relative to itself, a level to 1e-6 of itself or 1e-6 dB."""
    close = {"rel": 1e-6, "abs": 0.0 if name == "mse" else 1e-6}
    assert METRICS[name](y, x, RATE) == pytest.approx(theirs(y, x), **close)


@pytest.mark.parametrize(("name", "theirs"), RATIOS)
class TestOfTheWaveform:
    @quick
    @given(signals(), levels, st.floats(0.2, 3), seeds)
    def test_drawn(self, name, theirs, y, level, gain, seed):
        assert_equal(name, theirs, y, gain * (y + noise_at(y, level, seed)))

    @needs_vctk
    @estimates
    @on_speech
    def test_speech(self, name, theirs, index, kind):
        y = speech(index)
        assert_equal(name, theirs, y, ESTIMATES[kind](y))


# -- LSD: with torch's transform, with scipy's, and with librosa's on what is drawn -----------------------------------


def torch_power(signal: Any, n_fft: int = 2048, hop: int = 512) -> Any:
    """|STFT|² as NU-Wave computes it, shape (bins, frames)."""
    import torch

    window = torch.hann_window(n_fft, dtype=signal.dtype)
    bins = torch.view_as_real(torch.stft(signal, n_fft, hop, window=window, return_complex=True))
    return torch.norm(bins, p=2, dim=-1).square()


def torch_nuwave(y: Array, x: Array, of_bins: slice = slice(None), base: str = "log10") -> float:
    r, e = (getattr(torch_power(signal).clamp(1e-8), base)() for signal in tensors(y, x))
    return float((e - r)[of_bins].square().mean(dim=0).sqrt().mean())


def torch_tunet(y: Array, x: Array) -> float:
    r, e = ((torch_power(signal) + 1e-8).log() for signal in tensors(y, x))
    return float(((r - e) ** 2 + 1e-8).mean(dim=1).sqrt().mean())


def torch_nvsr(y: Array, x: Array) -> float:
    r, e = (torch_power(signal, 743, 160).sqrt() for signal in tensors(y, x))
    return float((r**2 / (e + 1e-12) ** 2 + 1e-12).log10().square().mean(dim=0).sqrt().mean())


EDGE = int(1025 * 2 * CUTOFF / RATE)
BY_TORCH: dict[str, Callable[[Array, Array], float]] = {
    "lsd": torch_nuwave,
    "lsd_hf": lambda y, x: torch_nuwave(y, x, slice(EDGE, None)),
    "lsd_lf": lambda y, x: torch_nuwave(y, x, slice(EDGE)),
    "lsd_paper": lambda y, x: torch_nuwave(y, x, base="log"),
    "lsd_kuleshov": lambda y, x: min(10.0, torch_tunet(y, x)),
    "lsd_nvsr": torch_nvsr,
    "lsd_tunet": torch_tunet,
}


def scipy_nuwave(y: Array, x: Array) -> float:
    from scipy.signal import ShortTimeFFT
    from scipy.signal.windows import hann

    transform = ShortTimeFFT(hann(2048, sym=False), hop=512, fs=RATE)

    def log_power(signal: Array) -> Any:
        padded = np.pad(signal, 1024, mode="reflect")
        whole = 1 + len(signal) // 512  # frames that end within the padded signal
        bins = transform.stft(padded, p0=2, p1=2 + whole)  # frame p is centred on sample 512 p
        return np.log10(np.clip(np.abs(bins) ** 2, 1e-8, None))

    return float(np.mean(np.sqrt(np.mean((log_power(y) - log_power(x)) ** 2, axis=0))))


def lsd(name: str, y: Array, x: Array) -> float:
    return METRICS[name](y, x, RATE, CUTOFF)


long_signals = signals(2100, 20_000)


class TestOfTheSpectrum:
    @pytest.mark.parametrize("name", BY_TORCH)
    @few_but_long
    @given(long_signals, levels, seeds)
    def test_drawn(self, name, y, level, seed):
        x = y + noise_at(y, level, seed)
        assert lsd(name, y, x) == pytest.approx(BY_TORCH[name](y, x), rel=1e-6)
        assert lsd(name, y, x) == pytest.approx(INDEPENDENT[name](y, x, RATE), rel=1e-6)

    @needs_vctk
    @pytest.mark.parametrize("name", BY_TORCH)
    @pytest.mark.parametrize("kind", ["noisy", "low-passed"])
    @on_speech
    def test_speech(self, name, index, kind):
        y = speech(index)
        x = ESTIMATES[kind](y)
        assert lsd(name, y, x) == pytest.approx(BY_TORCH[name](y, x), rel=1e-6)

    @few_but_long
    @given(long_signals, levels, seeds)
    def test_drawn_by_scipy(self, y, level, seed):
        x = y + noise_at(y, level, seed)
        assert lsd("lsd", y, x) == pytest.approx(scipy_nuwave(y, x), rel=1e-6)

    @needs_vctk
    @pytest.mark.parametrize("kind", ["noisy", "low-passed"])
    @on_speech
    def test_speech_by_scipy(self, index, kind):
        y = speech(index)
        assert lsd("lsd", y, ESTIMATES[kind](y)) == pytest.approx(scipy_nuwave(y, ESTIMATES[kind](y)), rel=1e-6)

    @needs_vctk
    @on_speech
    def test_single_precision_agrees_to_four_digits(self, index):
        """What a paper computes on its GPU is what we compute."""
        y = speech(index)
        x = ESTIMATES["noisy"](y)
        r, e = (torch_power(signal.float()).clamp(1e-8).log10() for signal in tensors(y, x))
        assert lsd("lsd", y, x) == pytest.approx(float((e - r).square().mean(dim=0).sqrt().mean()), rel=1e-4)


# -- PESQ and STOI: their packages, on what is drawn ------------------------------------------------------------------


@pytest.mark.parametrize(("name", "mode"), [("pesq", "wb"), ("pesq_nb", "nb")])
@few
@given(seeds, levels, st.floats(0.05, 1))
def test_pesq_of_noisy_voices(name, mode, seed, level, gain):
    from pesq import pesq

    y = voice(RATE * 3 // 2, RATE, seed % 1000)
    x = gain * (y + noise_at(y, level, seed))
    assert METRICS[name](y, x, RATE) == pytest.approx(pesq(RATE, y, x, mode), rel=1e-6)


@quick
@given(signals(12_000, 30_000), levels, seeds)
def test_stoi_of_drawn_signals(y, level, seed):
    from pystoi import stoi

    x = y + noise_at(y, level, seed)
    for name in ("stoi", "estoi"):
        theirs = stoi(y, x, RATE, extended=name == "estoi")
        assert METRICS[name](y, x, RATE) == pytest.approx(theirs, rel=1e-6, abs=1e-8)
