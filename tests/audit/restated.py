"""Metric functions as public code computes them, restated, each with what an audit should say of it.

The right answers were written down before the audit was run on any of them. ``verdict`` is that of an audit as
``declared``; ``words`` are what the first cause must contain, one of them, where the verdict is ``fail``; none where
the cause is beyond any definition that the audit knows, so that it may say what the laws rule out, but no cause.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from srbench.audit import Convention, Report, audit

Array = NDArray[Any]
EST_FIRST = Convention(order="est,ref")
TORCH = Convention(array="torch")
TORCH_EST = Convention(array="torch", order="est,ref")
TORCH_BATCH = Convention(array="torch", shape="1n")
TORCH_BATCH_EST = Convention(array="torch", shape="1n", order="est,ref")


class Restated(NamedTuple):
    """A restated function; ``source`` is the public repository or the place that its formula is found in."""

    name: str
    declared: str
    function: Callable[..., Any]
    verdict: str
    words: tuple[str, ...]
    source: str
    convention: Convention | None


RESTATED: list[Restated] = []


def restated(
    declared: str, verdict: str, *words: str, source: str, convention: Convention | None = None, name: str = ""
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a function with its right answer."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        label = (name or function.__name__).replace("_", " ")
        RESTATED.append(Restated(label, declared, function, verdict, words, source, convention))
        return function

    return enter


@functools.cache
def audited(name: str) -> Report:
    """Audit a restated function, once a process."""
    one = next(one for one in RESTATED if one.name == name)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return audit(one.function, one.declared, convention=one.convention)


def stft(x: Any, size: int = 2048, hop: int | None = None, **more: Any) -> Array:
    import librosa

    return np.abs(librosa.stft(np.asarray(x, float), n_fft=size, hop_length=hop, **more))


def torch_stft(x: Any, size: int, hop: int) -> Any:
    import torch

    return torch.stft(x, size, hop, window=torch.hann_window(size, dtype=x.dtype), return_complex=True).abs()


# ratios


@restated("snr", "pass", source="mathieulagrange/ddspMusicBandwidthExtension metrics.py")
def snr_that_gives_infinity_for_no_noise(ref: Array, est: Array) -> float:
    noise = np.sum(np.square(ref - est))
    return 10 * np.log10(np.sum(np.square(ref)) / noise) if noise != 0 else np.inf


@restated("snr", "pass", source="seismic denoising, calc_snr with 1e-12 beside the noise")
def snr_with_a_guard_beside_the_noise(clean: Array, result: Array) -> float:
    return float(10 * np.log10(np.sum(clean**2) / (np.sum((clean - result) ** 2) + 1e-12)))


@restated("snr", "pass", source="NLMS experiments, calculate_snr with 1e-15 beside the mean noise")
def snr_of_means_with_a_guard(clean: Array, signal: Array) -> float:
    return float(10 * np.log10(np.mean(clean**2) / (np.mean((signal - clean) ** 2) + 1e-15)))


@restated("snr", "pass", source="TUT enhancement course, SNRCore of a batch", convention=TORCH_BATCH)
def snr_core_of_a_batch(clean: Any, est: Any) -> Any:
    import torch

    energy, noise = (clean**2).sum(1), ((clean - est) ** 2).sum(1) + 2e-7
    return torch.mean(10 * torch.log10(energy / noise))


@restated("snr", "fail", "10 for 20", source="jakeoneijk/TorchJaekwon MetricSound.py", convention=EST_FIRST)
def snr_of_roots_with_10(pred: Array, target: Array) -> float:
    return float(10.0 * np.log10(np.sqrt(np.sum(target**2)) / np.sqrt(np.sum((target - pred) ** 2))))


@restated("snr", "fail", "constant", source="LISA utils.py, after kuleshov/audio-super-res", convention=TORCH_EST)
def snr_of_lisa(pred: Any, gt: Any) -> Any:
    import torch

    signal, noise = torch.mean(gt**2), torch.mean((gt - pred) ** 2)
    return 20 * torch.log(torch.sqrt(signal) / torch.sqrt(noise + 1e-6) + 1e-8) / np.log(10.0)


@restated("snr", "fail", "mean removed", "variance", source="ECG denoising, calculate_snr of variances")
def snr_of_variances_of_signal_and_rest(clean: Array, denoised: Array) -> float:
    return float(10 * np.log10(np.var(clean) / (np.var(denoised - clean) + 1e-12)))


@restated(
    "snr", "fail", "capped", source="TUT enhancement course, SegSNR that clamps the whole", convention=TORCH_BATCH
)
def snr_clamped_as_a_whole(clean: Any, est: Any) -> Any:
    import torch

    energy, noise = (clean**2).sum(1), ((clean - est) ** 2).sum(1) + 2e-7
    return torch.mean((10 * torch.log10(energy / noise)).clamp(-10, 35))


@restated("snr", "fail", "PSNR", source="Yaxhveer/stegano audio_psnr.py")
def psnr_of_65535(faudio: Array, saudio: Array) -> float:
    return float(20 * np.log10(65535) - 10 * np.log10(np.mean(np.square(np.subtract(faudio, saudio)))))


@restated("psnr", "pass", source="Yaxhveer/stegano audio_psnr.py")
def psnr_declared_as_psnr(faudio: Array, saudio: Array) -> float:
    return psnr_of_65535(faudio, saudio)  # type: ignore[return-value]


@restated("snr", "fail", "PSNR", source="a callable PSNR with 1e-6 beside the error", convention=EST_FIRST)
def psnr_of_one_with_1e_6(o: Array, t: Array) -> float:
    return float(10 * np.log10(1.0 / (np.mean((o - t) ** 2) + 1.0e-6)))


@restated("psnr", "fail", "sum", source="OvanGarderen/ProjectWiskunde PSNR.py")
def psnr_over_a_sum(s1: Array, s2: Array) -> float:
    total = np.sum(np.square(s1 - s2))
    if total == 0:
        return np.inf
    return float(20 * np.log10(np.abs(s1).max()) - 10 * np.log10(total))


@restated("snr", "fail", "segment", "patch", source="seg_snr of 20 ms with 1e-8 in both sums")
def snr_of_20_ms_frames(reference: Array, estimation: Array, fs: int = 16000) -> float:
    n = round(0.02 * fs)
    values = []
    for k in range(max(1, len(reference) // n)):
        s, e = reference[k * n : (k + 1) * n], estimation[k * n : (k + 1) * n]
        values.append(10 * np.log10((np.sum(s**2) + 1e-8) / (np.sum((s - e) ** 2) + 1e-8)))
    return float(np.mean(values))


def frames_of(x: Array, size: int, hop: int) -> Array:
    return np.lib.stride_tricks.sliding_window_view(x, size)[::hop]


@restated("segsnr", "pass", source="schmiph2/pysepm snrseg")
def segsnr_of_pysepm(clean: Array, processed: Array, fs: int = 16000) -> float:
    size, eps = round(0.03 * fs), np.finfo(np.float64).eps
    hop = int(np.floor(0.25 * 0.03 * fs))
    window = 0.5 * (1 - np.cos(2 * np.pi * np.arange(1, size + 1) / (size + 1)))
    c, p = (frames_of(x, size, hop) * window for x in (clean, processed))
    ratio = 10 * np.log10((c**2).sum(-1) / (((c - p) ** 2).sum(-1) + eps) + eps)
    return float(np.mean(np.clip(ratio, -10, 35)[:-1]))


@restated("snr", "fail", "segment", "patch", source="schmiph2/pysepm snrseg, printed as SNR")
def snr_is_segsnr_of_pysepm(clean: Array, processed: Array, fs: int = 16000) -> float:
    return segsnr_of_pysepm(clean, processed, fs)  # type: ignore[return-value]


@restated("segsnr", "pass", source="segmental SNR of 8 kHz codecs: 240 by 120, clipped")
def segsnr_of_means_clipped(clean: Array, processed: Array) -> float:
    n = len(clean) // 512
    c, p = (x[: n * 512].reshape(n, 512) for x in (clean, processed))
    ratio = 10 * np.log10((np.mean(c**2, 1) + 1e-12) / (np.mean((c - p) ** 2, 1) + 1e-12))
    return float(np.mean(np.clip(ratio, -10, 35)))


@restated("snr", "fail", "normalised", source="evaluation scripts that divide both by their peaks")
def snr_of_peak_normalised_signals(ref: Array, est: Array) -> float:
    ref, est = ref / (np.max(np.abs(ref)) + 1e-8), est / (np.max(np.abs(est)) + 1e-8)
    return float(10 * np.log10(np.sum(ref**2) / (np.sum((ref - est) ** 2) + 1e-8)))


@restated("snr", "fail", "align", source="evaluation scripts that align by the cross-correlation")
def snr_after_cross_correlation(ref: Array, est: Array) -> float:
    lag = int(np.argmax(scipy.signal.correlate(ref, est))) - (len(est) - 1)
    est = np.roll(est, lag)
    return float(10 * np.log10(np.sum(ref**2) / np.sum((ref - est) ** 2)))


@restated("snr", "fail", source="separation losses: tanh of a hundredth of the SDR", convention=EST_FIRST)
def snr_squeezed_by_tanh(estimation: Array, origin: Array) -> float:
    return float(np.tanh((10 * np.log10(np.sum(origin**2) / np.sum((estimation - origin) ** 2))) / 100))


@restated("snr", "fail", "sample", "segment", source="segmental SNR that averages the logarithms of samples")
def snr_of_logarithms_of_samples(ref: Array, est: Array) -> float:
    return float(10 * np.mean(np.log10((ref**2 + 1e-10) / ((ref - est) ** 2 + 1e-10))))


@restated("snr", "fail", "round", source="training in half precision: both signals are cast to float16")
def snr_of_half_precision(ref: Array, est: Array) -> float:
    a, b = (x.astype(np.float16).astype(np.float64) for x in (ref, est))
    return float(10 * np.log10(np.sum(a**2) / (np.sum((a - b) ** 2) + 1e-12)))


@restated("snr", "fail", "clip", source="players: both signals are clipped to full scale before they are compared")
def snr_of_clipped_signals(ref: Array, est: Array) -> float:
    a, b = (np.clip(x, -1.0, 1.0) for x in (ref, est))
    return float(10 * np.log10(np.sum(a**2) / np.sum((a - b) ** 2)))


@restated("snr", "fail", "resampled", source="evaluation at 8 kHz whatever the rate, scipy's resample_poly")
def snr_at_8_khz(ref: Array, est: Array) -> float:
    a, b = (scipy.signal.resample_poly(x, 1, 2) for x in (ref, est))
    return float(10 * np.log10(np.sum(a**2) / np.sum((a - b) ** 2)))


@restated("snr", "fail", "median", "segment", source="segmental SNR by the median of frames of 256")
def snr_by_the_median_of_frames(ref: Array, est: Array) -> float:
    n = len(ref) // 256 * 256
    a, b = (x[:n].reshape(-1, 256) for x in (ref, est))
    return float(np.median(10 * np.log10(np.sum(a**2, 1) / np.sum((a - b) ** 2, 1))))


@restated("snr", "fail", source="a perceptual weighting by frequency that no list has")
def snr_of_a_weighting(ref: Array, est: Array) -> float:
    sos = scipy.signal.butter(3, [700, 5100], "bandpass", fs=16000, output="sos")
    a, b = (scipy.signal.sosfilt(sos, x) for x in (ref, est))
    return float(10 * np.log10(np.sum(a**2) / np.sum((a - b) ** 2)))


# SI-SDR


@restated("si_sdr", "pass", source="notebook check of torchmetrics' SI-SDR", convention=TORCH_EST)
def si_sdr_of_a_notebook(prediction: Any, target: Any) -> Any:
    import torch

    a = torch.sum(target * prediction) / torch.sum(target**2)
    return 10 * torch.log10(torch.sum((a * target) ** 2) / torch.sum((a * target - prediction) ** 2))


@restated("si_sdr", "pass", source="singnet: 1e-8 beside the reference's energy", convention=EST_FIRST)
def si_sdr_of_singnet(estimate: Array, reference: Array) -> float:
    target = (estimate @ reference) / (reference @ reference + 1e-8) * reference
    return float(10 * np.log10((target @ target + 1e-8) / ((target - estimate) @ (target - estimate) + 1e-8)))


@restated("si_sdr", "pass", source="post-filter loss, per lane", convention=TORCH_BATCH_EST)
def si_sdr_per_lane(pred: Any, target: Any) -> Any:
    import torch

    alpha = (pred * target).sum(-1, keepdim=True) / (target.square().sum(-1, keepdim=True) + 1e-8)
    noise = pred - alpha * target
    return 10 * torch.log10((alpha * target).square().sum(-1) / (noise.square().sum(-1) + 1e-8) + 1e-8)


@restated("si_sdr", "fail", "mean removed", source="CDR-MVDR experiments, si_sdr of centred signals")
def si_sdr_of_centred_signals(ref: Array, sig: Array) -> float:
    ref, sig = ref - np.mean(ref), sig - np.mean(sig)
    target = np.dot(sig, ref) / (np.dot(ref, ref) + 1e-12) * ref
    rest = sig - target
    return float(10 * np.log10((target @ target + 1e-12) / (rest @ rest + 1e-12)))


@restated("si_snr", "pass", source="CDR-MVDR experiments, declared as SI-SNR")
def si_snr_of_centred_signals(ref: Array, sig: Array) -> float:
    return si_sdr_of_centred_signals(ref, sig)  # type: ignore[return-value]


@restated("si_sdr", "fail", "mean removed", source="stem metrics: clamped energies", convention=TORCH_EST)
def si_sdr_of_clamped_energies(est: Any, ref: Any) -> Any:
    import torch

    e, r = est - est.mean(-1, keepdim=True), ref - ref.mean(-1, keepdim=True)
    p = (e * r).sum(-1, keepdim=True) / (r**2).sum(-1, keepdim=True).clamp_min(1e-8) * r
    return 10 * torch.log10((p**2).sum(-1).clamp_min(1e-8) / ((e - p) ** 2).sum(-1).clamp_min(1e-8))


@restated("si_sdr", "fail", "SD-SDR", "denominator", source="ZihanLiao/copycopy loss.py", convention=TORCH_BATCH)
def si_snr_with_the_plain_error(source: Any, estimate: Any) -> Any:
    import torch

    target = torch.matmul(torch.matmul(estimate, source.t()), source) / ((source**2).sum(1, keepdim=True) + 1e-5)
    noise = estimate - source
    return torch.mean(10 * torch.log10((target**2).sum(1) / ((noise**2).sum(1) + 1e-5) + 1e-5))


@restated("si_sdr", "fail", "sign", source="TensorFlow losses, si_sdr_loss")
def si_sdr_as_a_loss_with_1e_9(x: Array, y: Array) -> float:
    scaled = np.sum(y * x) / (np.sum(x * x) + 1e-9) * x
    rest = scaled - y
    return float(-(10 * np.log10(np.sum(scaled * scaled) / (np.sum(rest * rest) + 1e-9) + 1e-9)))


# first written down as right: the audit told that its norms are of the whole batch, and so they are
@restated("si_snr", "fail", "batch", source="fxmarty/open-unmix-pytorch loss_SISNR.py", convention=TORCH_BATCH_EST)
def si_snr_of_norms(x: Any, s: Any) -> Any:
    import torch

    x, s = x - x.mean(-1, keepdim=True), s - s.mean(-1, keepdim=True)
    target = (x * s).sum(-1, keepdim=True) * s / (torch.norm(s, dim=-1, keepdim=True) ** 2 + 1e-8)
    return 20 * torch.log10(1e-8 + torch.norm(target) / (torch.norm(x - target) + 1e-8))


@restated("si_sdr", "fail", source="Jungjaehee/master-course-backup loss_func.py", convention=TORCH_BATCH)
def si_snr_less_one_sample(clean: Any, enhanced: Any) -> Any:
    import torch

    target = torch.dot(clean[0], enhanced[0]) * clean[0] / torch.norm(clean[0]) ** 2
    noise = enhanced[0] - target[0]
    return 10 * torch.log10(torch.norm(target) ** 2 / torch.norm(noise) ** 2)


@restated("sdr", "fail", "capped", source="LRAC evaluation, clamp_db=50")
def sdr_clamped_at_50(ref: Array, inf: Array) -> float:
    import fast_bss_eval

    return float(np.clip(np.squeeze(fast_bss_eval.sdr(np.atleast_2d(ref), np.atleast_2d(inf))), -50, 50))


# errors of samples


@restated("mse", "fail", "PCM", source="scripts that compare 16-bit samples")
def mse_of_pcm_samples(ref: Array, est: Array) -> float:
    return float(np.mean((ref * 32768.0 - est * 32768.0) ** 2))


@restated("mse", "fail", "root", source="Yaxhveer/stegano audio_psnr.py, MSE that is a root")
def mse_that_is_a_root(y1: Array, y2: Array) -> float:
    return float(np.sqrt(np.sum((y1 - y2) ** 2) / min(len(y1), len(y2))))


@restated("mse", "fail", "absolute", source="ECG denoising, mean absolute error")
def mse_that_is_absolute(clean: Array, denoised: Array) -> float:
    return float(np.mean(np.abs(denoised - clean)))


@restated("mse", "fail", "dB", source="regression notebooks, MSE in dB")
def mse_in_db(ref: Array, est: Array) -> float:
    return float(10 * np.log10(np.mean((ref - est) ** 2)))


@restated("mse", "fail", "normalised", source="signal toolboxes, error over the reference's energy")
def mse_over_the_energy(ref: Array, est: Array) -> float:
    return float(np.sum((ref - est) ** 2) / np.sum(ref**2))


@restated("nmse", "pass", source="channel estimation, NMSE in dB")
def nmse_in_db(ref: Array, est: Array) -> float:
    return float(10 * np.log10(np.sum((ref - est) ** 2) / np.sum(ref**2)))


@restated("mse", "fail", "spectr", source="waveform and mel losses: MSE of magnitudes", convention=TORCH)
def mse_of_log_magnitudes(ref: Any, est: Any) -> Any:
    import torch

    a, b = (torch.log1p(torch_stft(x, 1024, 256)) for x in (ref, est))
    return torch.nn.functional.mse_loss(a, b)


# spectra


@restated("lsd", "fail", "floor", "ends", source="speech enhancement blog, get_power of librosa without a floor")
def lsd_without_a_floor(labels: Array, logits: Array) -> float:
    a, b = (np.log10(stft(x) ** 2) for x in (labels, logits))
    return float(np.mean(np.sqrt(np.mean((a - b) ** 2, axis=0)), axis=0))


@restated("lsd", "fail", "floor", "ends", source="radio to audio mel models, compute_log_distortion")
def lsd_with_1e_8_added(x_hr: Array, x_pr: Array) -> float:
    a, b = (np.log10(stft(x, 2048, 512) ** 2 + 1e-8) for x in (x_hr, x_pr))
    return float(np.mean(np.sqrt(np.mean((a - b) ** 2 + 1e-8, axis=0))))


@restated("lsd", "fail", "power for magnitude", "axis", source="LISA utils.py", convention=TORCH_EST)
def lsd_of_lisa(x_pr: Any, x_hr: Any) -> Any:
    import torch

    a, b = (torch.log((torch_stft(x, 2048, 1024) ** 2) ** 2 + 1e-8) / np.log(10) for x in (x_hr, x_pr))
    value = torch.mean(torch.sqrt(torch.mean((a - b) ** 2 + 1e-8, dim=1)), dim=0)
    return min(value, 10.0)


@restated("lsd", "fail", "transform", "floor", source="jakeoneijk/TorchJaekwon MetricSound.py", convention=EST_FIRST)
def lsd_of_256_bins(pred: Array, target: Array) -> float:
    a, b = (np.log10(stft(x, 256) ** 2) for x in (target, pred))
    return float(np.mean(np.sqrt(np.mean((a - b) ** 2, axis=0))))


@restated("lsd", "fail", "one root", "dB", source="neverlib metrics, spec.py")
def lsd_of_neverlib(ref: Array, test: Array) -> float:
    a, b = (10 * np.log10(stft(x, 2048, 512) ** 2 + np.finfo(float).eps) for x in (ref, test))
    return float(np.sqrt(np.mean((a - b) ** 2)))


@restated("lsd", "fail", "normalised", source="urgent-challenge/urgent2025_challenge", convention=Convention("ref,est"))
def lsd_of_urgent(ref: Array, inf: Array, fs: int = 16000) -> float:
    inf = inf * (np.sum(ref * inf) / (np.sum(inf**2) + 1e-8))
    size, hop = int(fs * 0.032), int(fs * 0.016)
    a, b = (stft(x, size, hop) ** 2 for x in (ref, inf))
    ratio = np.log10(a**2 / ((b + 1e-8) ** 2) + 1e-8) ** 2
    return float(np.mean(np.mean(ratio, axis=0) ** 0.5))


@restated("lsd", "fail", "ends", "floor", "dB", source="AAC comparison scripts, scipy's stft")
def lsd_of_scipy_stft(reference: Array, test: Array) -> float:
    def level(x: Array) -> Array:
        z = scipy.signal.stft(np.asarray(x, float), fs=16000, nperseg=2048, noverlap=1536)[2]
        return 10 * np.log10(np.maximum(np.abs(z) ** 2, 1e-10))

    return float(np.mean(np.sqrt(np.mean((level(reference) - level(test)) ** 2, axis=0))))


@restated("lsd", "fail", "transform", "whole", source="spatial audio evaluation, one rfft", convention=EST_FIRST)
def lsd_of_one_transform(pred: Array, target: Array) -> float:
    a, b = (10 * np.log10(np.abs(np.fft.rfft(x)) ** 2 + 1e-8) for x in (pred, target))
    return float(np.sqrt(np.mean((a - b) ** 2)))


@restated("lsd", "fail", "transform", "window", "frames", source="piano sound banks, quality_report.py")
def lsd_of_hanning_loops(orig: Array, synth: Array) -> float:
    size, hop, values = 4096, 1024, []
    for i in range(max(1, (len(orig) - size) // hop)):
        a, b = (np.abs(np.fft.rfft(x[i * hop : i * hop + size] * np.hanning(size))) + 1e-12 for x in (orig, synth))
        values.append(np.sqrt(np.mean((20 * np.log10(a / b)) ** 2)))
    return float(np.mean(values))


@restated("lsd", "fail", "transform", "dB", source="LRAC test scripts, lsd of 512 by 256")
def lsd_of_512_by_256(ref: Array, est: Array) -> float:
    a, b = (np.abs(np.fft.rfft(frames_of(x, 512, 256) * np.hanning(512), axis=1)) + 1e-10 for x in (ref, est))
    return float(np.mean(np.sqrt(((np.log10(a) - np.log10(b)) ** 2).mean(axis=1))) * 20)


@restated("lsd", "fail", "ends", "floor", source="waveUmamba inference, center=False", convention=EST_FIRST)
def lsd_not_centred_with_1e_10(est: Array, target: Array) -> float:
    a, b = (np.log10(stft(x, 2048, 512, center=False).T ** 2 + 1e-10) for x in (target, est))
    return float(np.mean(np.mean((a - b) ** 2, axis=1) ** 0.5))


@restated("lsd", "fail", "dB", "floor", source="multi-resolution STFT evaluation", convention=TORCH_EST)
def lsd_in_db_clamped_at_1e_10(est: Any, ref: Any) -> Any:
    a, b = (torch_stft(x, 2048, 512).square().clamp(1e-10).log10() for x in (ref, est))
    return (10 * (a - b)).square().mean(dim=0).sqrt().mean().item()


@restated("lsd_kuleshov", "pass", source="kuleshov/audio-super-res, with reflection at the ends")
def lsd_of_kuleshov_with_reflection(x_hr: Array, x_pr: Array) -> float:
    a, b = (np.log(stft(x, 2048, pad_mode="reflect") ** 2 + 1e-8) for x in (x_hr, x_pr))
    return min(float(np.mean(np.sqrt(np.mean((a - b) ** 2 + 1e-8, axis=1)), axis=0)), 10.0)


@restated("lsd", "fail", "mel", source="Mariosenpai/Mestrado_VC lsd_mel.py, with librosa's mel")
def lsd_of_mel_bands(clean: Array, noise: Array) -> float:
    import librosa

    mel = functools.partial(librosa.feature.melspectrogram, sr=16000, n_fft=1024, hop_length=256, n_mels=80)
    a, b = (np.log(np.abs(mel(y=np.asarray(x, float))) + 1e-8) for x in (clean, noise))
    return float(np.sqrt(np.mean((a - b) ** 2)))


@restated("log_mel", "pass", source="vocoder evaluation, L1 of log mel clamped at 1e-5")
def log_mel_of_vocoders(real: Array, gen: Array) -> float:
    import librosa

    mel = functools.partial(librosa.feature.melspectrogram, sr=16000, n_fft=1024, hop_length=256, n_mels=80)
    a, b = (np.log(np.maximum(mel(y=np.asarray(x, float)), 1e-5)) for x in (real, gen))
    return float(np.mean(np.abs(a - b)))


def mfcc(x: Array, **more: Any) -> Array:
    import librosa

    return librosa.feature.mfcc(y=np.asarray(x, float), sr=16000, **more)


@restated("mcd", "pass", source="vocoder evaluation, librosa's MFCC without the first")
def mcd_of_librosa(real: Array, gen: Array) -> float:
    a, b = (mfcc(x, n_mfcc=13)[1:] for x in (real, gen))
    return float(10 * np.sqrt(2) / np.log(10) * np.mean(np.sqrt(np.sum((a - b) ** 2, axis=0))))


@restated("mcd", "fail", "cepstra", source="voice conversion notebooks, an LSD that is called MCD")
def mcd_that_is_an_lsd(real: Array, gen: Array) -> float:
    a, b = (np.log(stft(x, 1024, 256) + 1e-6) for x in (real, gen))
    return float(np.mean(np.sqrt(np.mean((a - b) ** 2, axis=0))))


@restated("log_mel", "fail", "mel", source="vocoder losses, L1 of log magnitudes of linear bins")
def log_mel_without_mel(real: Array, gen: Array) -> float:
    a, b = (np.log(np.maximum(stft(x, 1024, 256), 1e-5)) for x in (real, gen))
    return float(np.mean(np.abs(a - b)))


@restated("lsd", "fail", "dB", "top", "relative", source="spectrogram plots, librosa's amplitude_to_db with its top_db")
def lsd_of_amplitude_to_db(ref: Array, est: Array) -> float:
    import librosa

    a, b = (librosa.amplitude_to_db(stft(x, 2048, 512)) for x in (ref, est))
    return float(np.mean(np.sqrt(np.mean((a - b) ** 2, axis=0))))


@restated("spectral_convergence", "pass", source="speech bandwidth expansion, scipy's stft with its defaults")
def convergence_of_scipy_stft(x: Array, x_hat: Array) -> float:
    a, b = (np.abs(scipy.signal.stft(np.asarray(s, float), 16000)[2]) for s in (x, x_hat))
    return float(np.linalg.norm(a - b, ord="fro") / np.linalg.norm(a, ord="fro"))


@restated("spectral_convergence", "pass", source="voice cloaking losses", convention=TORCH)
def convergence_of_torch(original: Any, perturbed: Any) -> Any:
    import torch

    a, b = (torch_stft(x, 1024, 256) for x in (original, perturbed))
    return torch.norm(a - b) / (torch.norm(a) + 1e-8)


# PESQ and STOI


@restated("stoi", "fail", "extended", source="wrappers of pystoi with extended=True")
def stoi_that_is_extended(clean: Array, est: Array, fs: int = 16000) -> float:
    from pystoi import stoi

    return float(stoi(clean, est, fs, extended=True))


@restated("pesq", "fail", "narrow", source="wrappers of pesq with mode nb at 16 kHz")
def pesq_that_is_narrow(ref: Array, est: Array, fs: int = 16000) -> float:
    from pesq import pesq

    return float(pesq(fs, ref, est, "nb"))


@restated("pesq", "fail", source="the mean of both bands, which is no PESQ")
def pesq_of_both_bands(ref: Array, est: Array, fs: int = 16000) -> float:
    from pesq import pesq

    return float(0.5 * pesq(fs, ref, est, "wb") + 0.5 * pesq(fs, ref, est, "nb"))


@restated("pesq", "fail", "swapped", source="wrappers of pesq with the estimate first")
def pesq_of_exchanged_signals(ref: Array, est: Array, fs: int = 16000) -> float:
    from pesq import pesq

    return float(pesq(fs, est, ref, "wb"))


@restated("pesq", "pass", source="wrappers of pesq in float32")
def pesq_in_single_precision(ref: Array, est: Array, fs: int = 16000) -> float:
    from pesq import pesq

    return float(pesq(fs, ref.astype(np.float32), est.astype(np.float32), "wb"))
