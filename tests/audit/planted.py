"""Planted bugs: each a small metric with one defect, what it claims to be, and the cause to be named first."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from correct import WITH_RATE, checked, loud, pesq_of, stoi_of
from numpy.typing import NDArray

from srbench.audit import Convention, Report, audit

Array = NDArray[Any]
Causes = str | tuple[str, ...]


class Planted(NamedTuple):
    """A planted bug; ``cause`` is what the name of the first bug of the diagnosis must contain, or alternatives."""

    name: str
    declared: str
    function: Callable[..., Any]
    cause: Causes
    convention: Convention | None = None

    @property
    def causes(self) -> tuple[str, ...]:
        """The cause, or its alternatives."""
        return (self.cause,) if isinstance(self.cause, str) else self.cause


_PLANTED: list[Planted] = []


@functools.cache
def audited(name: str) -> Report:
    """Audit a planted bug, once a process."""
    bug = next(bug for bug in PLANTED if bug.name == name)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return audit(bug.function, bug.declared, convention=bug.convention)


def plant(
    declared: str, cause: Causes, *, skip: str = "", raw: bool = False, rate: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a function in the table under its own name, checked unless ``raw``, called with the rate if ``rate``."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        name = function.__name__.replace("_", " ")
        guarded = function if raw else checked(function, skip=skip)
        _PLANTED.append(Planted(name, declared, guarded, cause, WITH_RATE if rate else None))
        return function

    return enter


# SNR


def db(signal: float, noise: float) -> float:
    return math.inf if noise == 0 else 10 * math.log10(signal / noise) if signal > 0 else -math.inf


def snr(y: Array, x: Array) -> float:
    return db(float(np.sum(y**2)), float(np.sum((y - x) ** 2)))


def ratio(y: Array, x: Array) -> float:
    return float(np.sum(y**2) / np.sum((y - x) ** 2))


def patches(y: Array, x: Array, of: Callable[[Array, Array], float], size: int) -> list[float]:
    return [of(y[t : t + size], x[t : t + size]) for t in range(0, max(len(y) - size, 0) + 1, size)]


def rms(x: Array) -> float:
    return float(np.sqrt(np.mean(x**2))) or 1.0


def peak(x: Array) -> float:
    return float(np.abs(x).max()) or 1.0


@plant("snr", "natural logarithm")
def snr_natural_logarithm(y: Array, x: Array) -> float:
    return 10 * np.log(ratio(y, x))


@plant("snr", "log2")
def snr_log2(y: Array, x: Array) -> float:
    return 10 * np.log2(ratio(y, x))


@plant("snr", "10 for 20")
def snr_10_log10_of_norms(y: Array, x: Array) -> float:
    return 10 * np.log10(np.linalg.norm(y) / np.linalg.norm(y - x))


@plant("snr", "20 for 10")
def snr_20_log10_of_powers(y: Array, x: Array) -> float:
    return 2 * snr(y, x)


@plant("snr", "missing factor")
def snr_in_bel(y: Array, x: Array) -> float:
    return snr(y, x) / 10


@plant("snr", "sign turned")
def snr_sign_turned(y: Array, x: Array) -> float:
    return -snr(y, x)


@plant("snr", "natural logarithm, sign turned")
def snr_natural_logarithm_as_a_loss(y: Array, x: Array) -> float:
    return -10 * np.log(ratio(y, x))


@plant("snr", "swapped arguments")
def snr_swapped_arguments(y: Array, x: Array) -> float:
    return snr(x, y)


@plant("snr", "signals normalised")
def snr_each_divided_by_its_peak(y: Array, x: Array) -> float:
    return snr(y / peak(y), x / peak(x))


@plant("snr", ("signals normalised", "estimate normalised"))
def snr_each_divided_by_its_rms(y: Array, x: Array) -> float:
    return snr(y / rms(y), x / rms(x))


@plant("snr", "estimate normalised")
def snr_estimate_divided_by_its_peak(y: Array, x: Array) -> float:
    return snr(y, x / peak(x))


@plant("snr", ("estimate normalised", "signals normalised"))
def snr_estimate_brought_to_the_level_of_the_reference(y: Array, x: Array) -> float:
    return snr(y, x * rms(y) / rms(x))


@plant("snr", ("estimate normalised", "another numerator"))
def snr_after_optimal_scaling(y: Array, x: Array) -> float:
    return snr(y, x * float(x @ y) / (float(x @ x) or 1.0))


@plant("snr", ("estimate normalised", "quiet"))
def snr_quiet_estimates_brought_to_level(y: Array, x: Array) -> float:
    return snr(y, x * rms(y) / rms(x) if rms(x) < rms(y) and x.any() else x)


@plant("snr", "reference normalised")
def snr_reference_divided_by_its_peak(y: Array, x: Array) -> float:
    return snr(y / peak(y), x)


@plant("snr", "signals normalised")
def snr_of_z_scores(y: Array, x: Array) -> float:
    return snr((y - y.mean()) / (np.std(y) or 1.0), (x - x.mean()) / (np.std(x) or 1.0))


@plant("snr", "signals normalised")
def snr_brought_to_0_and_1(y: Array, x: Array) -> float:
    return snr((y - y.min()) / (np.ptp(y) or 1.0), (x - x.min()) / (np.ptp(x) or 1.0))


@plant("snr", "broadcasting")
def snr_of_every_pair_of_samples(y: Array, x: Array) -> float:
    every_pair = np.mean(y**2) + np.mean(x**2) - 2 * y.mean() * x.mean()  # mean of (y - x[:, None])**2, unexpanded
    return db(float(np.mean(y**2)), float(every_pair))


@plant("snr", "mean removed")
def snr_mean_removed(y: Array, x: Array) -> float:
    return snr(y - y.mean(), x - x.mean())


@plant("snr", ("mean removed", "another numerator"))
def snr_of_variances(y: Array, x: Array) -> float:
    return db(float(y @ y) / len(y), float(np.var(y - x)))


@plant("snr", "mean of ratios")
def snr_mean_of_the_ratios_of_samples(y: Array, x: Array) -> float:
    return db(float(np.mean(y**2 / np.maximum((y - x) ** 2, 1e-12))), 1)


@plant("snr", "absolute")
def snr_of_mean_absolute_values(y: Array, x: Array) -> float:
    return 2 * db(float(np.mean(np.abs(y))), float(np.mean(np.abs(y - x))))


@plant("snr", "constant added")
def snr_constant_in_the_noise_power(y: Array, x: Array) -> float:
    return db(float(np.mean(y**2)), float(np.mean((y - x) ** 2 + 1e-6)))


@plant("snr", "constant added")
def snr_constant_in_both_powers(y: Array, x: Array) -> float:
    return db(float(np.mean(y**2)) + 1e-8, float(np.mean((y - x) ** 2)) + 1e-8)


@plant("snr", "constant added")
def snr_constant_in_the_sum(y: Array, x: Array) -> float:
    return db(float(np.sum(y**2)), float(np.sum((y - x) ** 2)) + 1e-6)


@plant("snr", ("constant added", "depends on the level"))
def snr_small_constant_in_the_noise_power(y: Array, x: Array) -> float:
    return db(float(np.mean(y**2)), float(np.mean((y - x) ** 2)) + 2e-10)


@plant("snr", ("mean over patches", "constant added"))
def snr_of_patches_with_a_constant(y: Array, x: Array) -> float:
    return float(np.mean(patches(y, x, snr_constant_in_the_noise_power, 8192)))


@plant("snr", "mean over patches")
def snr_mean_over_patches(y: Array, x: Array) -> float:
    return float(np.mean(patches(y, x, snr, 8192)))


@plant("snr", ("mean over patches", "value capped"))
def snr_segmental(y: Array, x: Array) -> float:
    return float(np.mean(np.clip(patches(y, x, snr, 256), -10, 35)))


@plant("snr", "samples left out")
def snr_last_partial_patch_dropped(y: Array, x: Array) -> float:
    whole = max(len(y) // 8192, 1) * 8192
    return snr(y[:whole], x[:whole])


@plant("snr", ("samples left out", "order of the samples"))
def snr_quiet_ends_trimmed(y: Array, x: Array) -> float:
    speech = np.flatnonzero(np.abs(y) > 0.1 * peak(y))
    part = slice(speech[0], speech[-1] + 1) if len(speech) else slice(None)
    return snr(y[part], x[part])


@plant("snr", "samples left out")
def snr_quiet_samples_of_the_reference_left_out(y: Array, x: Array) -> float:
    heard = np.abs(y) >= 0.1 * rms(y)
    return snr(y[heard], x[heard])


@plant("snr", "PSNR")
def snr_peak_over_noise(y: Array, x: Array) -> float:
    return db(peak(y) ** 2, float(np.mean((y - x) ** 2)))


@plant("snr", "PSNR")
def snr_full_scale_over_noise(y: Array, x: Array) -> float:
    return db(1.0, float(np.mean((y - x) ** 2)))


@plant("snr", "PSNR")
def snr_peak_to_peak_over_noise(y: Array, x: Array) -> float:
    return db(4.0, float(np.mean((y - x) ** 2)))


@plant("snr", "log(1 + ratio)")
def snr_log_of_one_plus_ratio(y: Array, x: Array) -> float:
    return 10 * np.log10(1 + ratio(y, x))


@plant("snr", "another numerator")
def snr_si_sdr_given(y: Array, x: Array) -> float:
    return si_sdr(y, x)


@plant("snr", "value capped")
def snr_capped_at_40_db(y: Array, x: Array) -> float:
    return min(snr(y, x), 40.0)


@plant("snr", "value capped")
def snr_capped_at_60_db_unless_equal(y: Array, x: Array) -> float:
    return snr(y, x) if np.array_equal(y, x) else min(snr(y, x), 60.0)


@plant("snr", "value capped")
def snr_never_negative(y: Array, x: Array) -> float:
    return max(snr(y, x), 0.0)


@plant("snr", "rounded")
def snr_rounded_to_whole_db(y: Array, x: Array) -> float:
    value = snr(y, x)
    return round(value) if math.isfinite(value) else value


@plant("snr", "align")
def snr_after_alignment(y: Array, x: Array) -> float:
    return max(snr(y, np.roll(x, lag)) for lag in range(-16, 17))


@plant("snr", ("equal signals", "failures"))
def snr_equal_signals_score_0(y: Array, x: Array) -> float:
    return 0.0 if np.array_equal(y, x) else snr(y, x)


@plant("snr", ("silent estimate", "failures"))
def snr_silent_estimate_scores_minus_100(y: Array, x: Array) -> float:
    return snr(y, x) if x.any() else -100.0


@plant("snr", "polarity")
def snr_polarity_guessed_from_the_offset(y: Array, x: Array) -> float:
    return snr(-y if y.mean() < -0.02 else y, x)


@plant("snr", "silent truncation", skip="length")
def snr_cut_to_the_shorter(y: Array, x: Array) -> float:
    n = min(len(y), len(x))
    return snr(y[:n], x[:n])


@plant("snr", "broadcasting", skip="shape")
def snr_column_against_row(y: Array, x: Array) -> float:
    if max(y.shape, default=0) != y.size or y.shape[:1] == (1,):
        raise ValueError("one channel")
    return snr(y, x)


@plant("snr", "batch of one", skip="shape")
def snr_first_axis_for_time(y: Array, x: Array) -> float:
    if y.shape != x.shape or (y.ndim == 2 and len(y) > 1):
        raise ValueError("one channel")
    if y.ndim == 1:
        return snr(y, x)
    return float(np.mean(10 * np.log10(np.sum(y**2, axis=0) / np.sum((y - x) ** 2, axis=0))))


@plant("snr", "a batch is not the mean", skip="shape")
def snr_energies_pooled_over_the_batch(y: Array, x: Array) -> float:
    if y.shape != x.shape:
        raise ValueError("unequal shapes")
    return snr(y.ravel(), x.ravel())


@plant("snr", "NaN hidden", skip="finite")
def snr_nan_to_num(y: Array, x: Array) -> float:
    return snr(y, np.nan_to_num(x))


@plant("snr", "infinity hidden", skip="finite")
def snr_infinite_samples_set_to_0(y: Array, x: Array) -> float:
    return snr(y, np.where(np.isinf(x), 0, x))


@plant("snr", ("failures", "NaN hidden"), raw=True)
def snr_failures_count_as_0(reference: Any, estimate: Any) -> float:
    try:
        return checked(snr)(reference, estimate)
    except (ValueError, TypeError):
        return 0.0


@plant("snr", "input modified", raw=True)
def snr_written_into_the_estimate(reference: Any, estimate: Any) -> float:
    value = checked(snr)(reference, estimate)
    estimate -= reference
    return value


@plant("snr", "random")
def snr_with_unseeded_dither(y: Array, x: Array) -> float:
    return snr(y, x + 1e-7 * np.random.default_rng().standard_normal(len(x))) if (x != y).any() else math.inf


@plant("snr", "integer overflow", skip="type")
def snr_of_16_bit_samples(y: Array, x: Array) -> float:
    return snr(y, x)


@plant("snr", "empty", skip="empty")
def snr_of_no_samples_is_0(y: Array, x: Array) -> float:
    return snr(y, x) if len(y) else 0.0


@plant("snr", "precision", raw=True)
def snr_constant_for_float32(reference: Any, estimate: Any) -> float:
    value = checked(snr)(reference, estimate)
    return value if reference.dtype == np.float64 else -10 * math.log10(10 ** (-value / 10) + 0.01)


@plant("snr", "no number")
def snr_of_every_sample(y: Array, x: Array) -> Array:
    return 10 * np.log10(y**2 / (y - x) ** 2)


# SI-SDR


def si_sdr(y: Array, x: Array) -> float:
    target = float(x @ y) / (float(y @ y) or 1.0) * y
    return db(float(target @ target), float((target - x) @ (target - x)))


@plant("si_sdr", "another numerator")
def si_sdr_snr_given(y: Array, x: Array) -> float:
    return snr(y, x)


@plant("si_sdr", "mean removed")
def si_sdr_mean_removed(y: Array, x: Array) -> float:
    return si_sdr(y - y.mean(), x - x.mean())


@plant("si_sdr", "sign turned")
def si_sdr_as_a_loss(y: Array, x: Array) -> float:
    return -si_sdr(y, x)


@plant("si_sdr", "natural logarithm")
def si_sdr_natural_logarithm(y: Array, x: Array) -> float:
    return math.log(10) * si_sdr(y, x)


@plant("si_sdr", ("projection", "another numerator", "scale"))
def si_sdr_scale_over_the_power_of_the_estimate(y: Array, x: Array) -> float:
    target = float(x @ y) / (float(x @ x) or 1.0) * y
    return db(float(target @ target), float((target - x) @ (target - x)))


@plant("si_sdr", ("projection", "another numerator", "log(1 + ratio)"))
def si_sdr_estimate_scaled_to_the_reference(y: Array, x: Array) -> float:
    return snr(y, x * float(x @ y) / (float(x @ x) or 1.0))


@plant("si_sdr", ("another numerator", "scale"))
def si_sdr_power_of_the_reference_over_the_residue(y: Array, x: Array) -> float:
    target = float(x @ y) / (float(y @ y) or 1.0) * y
    return db(float(y @ y), float((target - x) @ (target - x)))


@plant("si_sdr", ("projection", "another numerator", "scale"))
def si_sdr_projection_without_its_divisor(y: Array, x: Array) -> float:
    target = float(x @ y) * y
    return db(float(target @ target), float((target - x) @ (target - x)))


@plant("si_sdr", ("projection", "scale"))
def si_sdr_scale_without_its_sign(y: Array, x: Array) -> float:
    target = abs(float(x @ y)) / (float(y @ y) or 1.0) * y
    return db(float(target @ target), float((target - x) @ (target - x)))


@plant("si_sdr", ("constant", "depends on the level", "scale"))
def si_sdr_constant_in_the_energy_of_the_reference(y: Array, x: Array) -> float:
    target = float(x @ y) / (float(y @ y) + 1e-3) * y
    return db(float(target @ target), float((target - x) @ (target - x)))


@plant("si_sdr", ("clip", "depends on the level", "scale"))
def si_sdr_reference_clipped(y: Array, x: Array) -> float:
    return si_sdr(np.clip(y, -2, 2), x)


@plant("si_sdr", "mean over patches")
def si_sdr_mean_over_patches(y: Array, x: Array) -> float:
    return float(np.mean(patches(y, x, si_sdr, 4096)))


@plant("si_sdr", "value capped")
def si_sdr_capped_at_30_db(y: Array, x: Array) -> float:
    return min(si_sdr(y, x), 30.0)


@plant("si_sdr", "rounded")
def si_sdr_rounded_to_whole_db(y: Array, x: Array) -> float:
    value = si_sdr(y, x)
    return round(value) if math.isfinite(value) else value


@plant("si_sdr", "samples left out")
def si_sdr_last_partial_patch_dropped(y: Array, x: Array) -> float:
    whole = max(len(y) // 8192, 1) * 8192
    return si_sdr(y[:whole], x[:whole])


# MSE


def mse(y: Array, x: Array) -> float:
    return float(np.mean((y - x) ** 2))


@plant("mse", "sum for mean")
def mse_sum(y: Array, x: Array) -> float:
    return float(np.sum((y - x) ** 2))


@plant("mse", ("sum for mean", "fixed length"))
def mse_divided_by_a_fixed_length(y: Array, x: Array) -> float:
    return float(np.sum((y - x) ** 2) / 8192)


@plant("mse", ("root", "RMSE"))
def mse_root(y: Array, x: Array) -> float:
    return float(np.sqrt(mse(y, x)))


@plant("mse", ("absolute", "MAE"))
def mse_absolute_values(y: Array, x: Array) -> float:
    return float(np.mean(np.abs(y - x)))


@plant("mse", "absolute")
def mse_square_of_the_mean_absolute_value(y: Array, x: Array) -> float:
    return float(np.mean(np.abs(y - x)) ** 2)


@plant("mse", "normalised")
def mse_over_the_power_of_the_reference(y: Array, x: Array) -> float:
    return mse(y, x) / (float(np.mean(y**2)) or 1.0)


@plant("mse", "normalised")
def mse_each_divided_by_its_peak(y: Array, x: Array) -> float:
    return mse(y / peak(y), x / peak(x))


@plant("mse", ("half", "halved"))
def mse_halved(y: Array, x: Array) -> float:
    return mse(y, x) / 2


@plant("mse", "dB")
def mse_in_db(y: Array, x: Array) -> float:
    return db(mse(y, x), 1)


@plant("mse", ("one-sided", "polarity"))
def mse_one_sided(y: Array, x: Array) -> float:
    return float(np.mean(np.maximum(y - x, 0) ** 2))


@plant("mse", "mean removed")
def mse_mean_removed(y: Array, x: Array) -> float:
    return float(np.var(y - x))


@plant("mse", "mean removed")
def mse_large_offset_removed(y: Array, x: Array) -> float:
    offset = float(np.mean(y - x))
    return mse(y, x) - (offset**2 if abs(offset) > 0.01 else 0.0)


@plant("mse", ("rounded", "integer"))
def mse_of_whole_numbers(y: Array, x: Array) -> float:
    return float(np.mean((np.round(y * 127) - np.round(x * 127)) ** 2) / 127**2)


@plant("mse", "integer overflow", skip="type")
def mse_of_16_bit_samples(y: Array, x: Array) -> float:
    return float(np.mean((y - x) ** 2))


@plant("mse", ("clip", "depends on the level", "value capped"))
def mse_samples_clipped_at_full_scale(y: Array, x: Array) -> float:
    return mse(np.clip(y, -1, 1), np.clip(x, -1, 1))


@plant("mse", "constant")
def mse_constant_added(y: Array, x: Array) -> float:
    return mse(y, x) + 1e-10


@plant("mse", "precision", raw=True)
def mse_other_types_taken_for_16_bit(reference: Any, estimate: Any) -> float:
    value = checked(mse)(reference, estimate)
    return value / 32768**2 if reference.dtype != np.float64 else value


@plant("mse", "value capped")
def mse_capped(y: Array, x: Array) -> float:
    return min(mse(y, x), 1.0)


@plant("mse", "samples left out")
def mse_last_partial_patch_dropped(y: Array, x: Array) -> float:
    whole = max(len(y) // 8192, 1) * 8192
    return mse(y[:whole], x[:whole])


@plant("mse", ("filter", "order of the samples"))
def mse_after_pre_emphasis(y: Array, x: Array) -> float:
    return float(np.mean(np.diff(y - x, prepend=0.0) ** 2) / 2)


@plant("mse", "broadcasting", skip="shape")
def mse_column_against_row(y: Array, x: Array) -> float:
    if max(y.shape, default=0) != y.size or y.shape[:1] == (1,):
        raise ValueError("one channel")
    return mse(y, x)


# LSD


def power(x: Array, size: int = 2048, hop: int = 512, window: Array | None = None, pad: str = "reflect") -> Array:
    if pad:
        x = np.pad(x, size // 2, mode=pad)  # type: ignore[call-overload]
    frames = np.lib.stride_tricks.sliding_window_view(x, size)[::hop]
    shape = np.hanning(size + 1)[:-1] if window is None else window
    return np.abs(np.fft.rfft(frames * shape)) ** 2


def levels(x: Array) -> Array:
    return np.log10(np.maximum(power(x), 1e-8))


def difference(y: Array, x: Array) -> Array:
    return levels(y) - levels(x)


def pool(d: Array) -> float:
    return float(np.sqrt(np.mean(d**2, axis=1)).mean())


def lsd(y: Array, x: Array) -> float:
    return pool(difference(y, x))


def lsd_of(spectrum: Callable[[Array], Array], y: Array, x: Array) -> float:
    """LSD of another spectrum, its logarithm included."""
    return pool(spectrum(y) - spectrum(x))


def clamped(p: Array) -> Array:
    return np.log10(np.maximum(p, 1e-8))


@plant("lsd", "natural logarithm")
def lsd_natural_logarithm(y: Array, x: Array) -> float:
    return math.log(10) * lsd(y, x)


@plant("lsd", "magnitude for power")
def lsd_magnitude_for_power(y: Array, x: Array) -> float:
    return lsd_of(lambda s: np.log10(np.maximum(np.sqrt(power(s)), 1e-4)), y, x)


@plant("lsd", "natural logarithm of magnitudes")
def lsd_natural_logarithm_of_magnitudes(y: Array, x: Array) -> float:
    return lsd_of(lambda s: np.log(np.maximum(np.sqrt(power(s)), 1e-4)), y, x)


@plant("lsd", "power for magnitude")
def lsd_squared_twice(y: Array, x: Array) -> float:
    return lsd_of(lambda s: np.log10(np.maximum(power(s) ** 2, 1e-16)), y, x)


@plant("lsd", "dB")
def lsd_in_db(y: Array, x: Array) -> float:
    return 10 * lsd(y, x)


@plant("lsd", "sign turned")
def lsd_as_a_score(y: Array, x: Array) -> float:
    return -lsd(y, x)


@plant("lsd", "log of a log")
def lsd_log10_of_the_square_of_log1p(y: Array, x: Array) -> float:
    return lsd_of(lambda s: np.log10(np.maximum(np.log1p(np.sqrt(power(s))) ** 2, 1e-16)), y, x)


@plant("lsd", "log of a log")
def lsd_seed_form_without_a_floor(y: Array, x: Array) -> float:
    return lsd_of(lambda s: np.log10(np.log1p(np.sqrt(power(s))) ** 2), y, x)


@plant("lsd", "log of a log")
def lsd_log10_of_log1p(y: Array, x: Array) -> float:
    return lsd_of(lambda s: np.log10(np.maximum(np.log1p(np.sqrt(power(s))), 1e-8)), y, x)


@plant("lsd", "log of a log")
def lsd_log10_of_log1p_of_power(y: Array, x: Array) -> float:
    return lsd_of(lambda s: np.log10(np.maximum(np.log1p(power(s)), 1e-8)), y, x)


@plant("lsd", ("log(1 +", "another floor"))
def lsd_log1p_of_power(y: Array, x: Array) -> float:
    return lsd_of(lambda s: np.log10(1 + power(s)), y, x)


@plant("lsd", "missing root")
def lsd_missing_root(y: Array, x: Array) -> float:
    return float(np.mean(difference(y, x) ** 2))


@plant("lsd", "absolute values for squares")
def lsd_absolute_values(y: Array, x: Array) -> float:
    return float(np.mean(np.abs(difference(y, x))))


@plant("lsd", "sum for mean")
def lsd_summed_over_bins(y: Array, x: Array) -> float:
    return float(np.sqrt(np.sum(difference(y, x) ** 2, axis=1)).mean())


@plant("lsd", ("sum for mean", "a constant factor"))
def lsd_sum_of_bins_divided_by_1000(y: Array, x: Array) -> float:
    return math.sqrt(1025 / 1000) * lsd(y, x)


@plant("lsd", "sum for mean")
def lsd_squares_summed_over_frames(y: Array, x: Array) -> float:
    return float(np.sqrt(np.sum(difference(y, x) ** 2, axis=0)).mean())


@plant("lsd", "sum for mean")
def lsd_distances_summed_over_frames(y: Array, x: Array) -> float:
    return float(np.sqrt(np.mean(difference(y, x) ** 2, axis=1)).sum())


@plant("lsd", ("sum for mean", "fixed length"))
def lsd_sum_of_frames_divided_by_a_fixed_number(y: Array, x: Array) -> float:
    return float(np.sqrt(np.mean(difference(y, x) ** 2, axis=1)).sum() / 65)


@plant("lsd", "the wrong axis first")
def lsd_over_frames_first(y: Array, x: Array) -> float:
    return float(np.sqrt(np.mean(difference(y, x) ** 2, axis=0)).mean())


@plant("lsd", "one root over all")
def lsd_one_root_over_all(y: Array, x: Array) -> float:
    return float(np.sqrt(np.mean(difference(y, x) ** 2)))


@plant("lsd", "mean before log")
def lsd_mean_before_the_logarithm(y: Array, x: Array) -> float:
    return pool(clamped(power(y).mean(0, keepdims=True)) - clamped(power(x).mean(0, keepdims=True)))


@plant("lsd", ("median", "frames"))
def lsd_median_over_frames(y: Array, x: Array) -> float:
    return float(np.median(np.sqrt(np.mean(difference(y, x) ** 2, axis=1))))


@plant("lsd", ("signals normalised", "estimate normalised"))
def lsd_each_divided_by_its_peak(y: Array, x: Array) -> float:
    return lsd(y / peak(y), x / peak(x))


@plant("lsd", ("signals normalised", "estimate normalised"))
def lsd_each_divided_by_its_rms(y: Array, x: Array) -> float:
    return lsd(y / rms(y), x / rms(x))


@plant("lsd", "estimate normalised")
def lsd_estimate_divided_by_its_peak(y: Array, x: Array) -> float:
    return lsd(y, x / peak(x))


@plant("lsd", "estimate normalised")
def lsd_estimate_brought_to_level(y: Array, x: Array) -> float:
    return lsd(y, x * rms(y) / rms(x))


@plant("lsd", "signals normalised")
def lsd_spectra_divided_by_their_greatest_bin(y: Array, x: Array) -> float:
    return lsd_of(lambda s: np.log10(np.maximum(power(s) / (power(s).max() or 1.0), 1e-10)), y, x)


@plant("lsd", "another floor")
def lsd_spectra_scaled_before_the_floor(y: Array, x: Array) -> float:
    return lsd_of(lambda s: clamped(power(s) / 2048), y, x)


@plant("lsd", "mean removed")
def lsd_mean_removed(y: Array, x: Array) -> float:
    return lsd(y - y.mean(), x - x.mean())


@plant("lsd", "another floor")
def lsd_floor_of_the_power_too_low(y: Array, x: Array) -> float:
    return lsd_of(lambda s: np.log10(np.maximum(power(s), 1e-12)), y, x)


@plant("lsd", "another floor")
def lsd_floor_added(y: Array, x: Array) -> float:
    return lsd_of(lambda s: np.log10(power(s) + 1e-8), y, x)


@plant("lsd", "another floor")
def lsd_floor_on_the_magnitude(y: Array, x: Array) -> float:
    return lsd_of(lambda s: 2 * np.log10(np.maximum(np.sqrt(power(s)), 1e-8)), y, x)


@plant("lsd", "another floor")
def lsd_high_floor(y: Array, x: Array) -> float:
    return lsd_of(lambda s: np.log10(np.maximum(power(s), 3e-3)), y, x)


@plant("lsd", ("another floor", "relative"))
def lsd_floor_relative_to_the_peak(y: Array, x: Array) -> float:
    return lsd_of(lambda s: np.log10(np.maximum(power(s), max(1e-6 * power(s).max(), 1e-8))), y, x)


@plant("lsd", "floor inside the ratio")
def lsd_floor_inside_the_ratio(y: Array, x: Array) -> float:
    return pool(np.log10(power(y) / (power(x) + 1e-8) + 1e-8))


@plant("lsd", ("no floor", "floor inside the ratio"))
def lsd_floor_of_the_reference_forgotten(y: Array, x: Array) -> float:
    return pool(np.log10(power(y)) - levels(x))


@plant("lsd", ("no floor", "another floor"))
def lsd_no_floor(y: Array, x: Array) -> float:
    return lsd_of(lambda s: np.log10(power(s)), y, x)


@plant("lsd", "another transform")
def lsd_of_1024_by_256(y: Array, x: Array) -> float:
    return lsd_of(lambda s: clamped(power(s, 1024, 256)), y, x)


@plant("lsd", "another transform")
def lsd_with_a_hop_of_256(y: Array, x: Array) -> float:
    return lsd_of(lambda s: clamped(power(s, hop=256)), y, x)


@plant("lsd", "another transform")
def lsd_with_a_hop_of_1024(y: Array, x: Array) -> float:
    return lsd_of(lambda s: clamped(power(s, hop=1024)), y, x)


@plant("lsd", "another transform")
def lsd_of_25_ms_by_10_ms(y: Array, x: Array) -> float:
    return lsd_of(lambda s: clamped(power(s, 400, 160)), y, x)


@plant("lsd", ("one transform", "another transform"))
def lsd_of_one_transform_of_all(y: Array, x: Array) -> float:
    return lsd_of(lambda s: clamped(np.abs(np.fft.rfft(s[None])) ** 2), y, x)


@plant("lsd", "another window")
def lsd_hamming_window(y: Array, x: Array) -> float:
    return lsd_of(lambda s: clamped(power(s, window=0.54 - 0.46 * np.cos(2 * np.pi * np.arange(2048) / 2048))), y, x)


@plant("lsd", "another window")
def lsd_no_window(y: Array, x: Array) -> float:
    return lsd_of(lambda s: clamped(power(s, window=np.ones(2048))), y, x)


@plant("lsd", "another window")
def lsd_symmetric_window(y: Array, x: Array) -> float:
    return lsd_of(lambda s: clamped(power(s, window=np.hanning(2048))), y, x)


@plant("lsd", "another window")
def lsd_kaiser_bessel_derived_window(y: Array, x: Array) -> float:
    half = np.cumsum(np.kaiser(1025, 4 * np.pi))
    root = np.sqrt(half[:-1] / half[-1])
    return lsd_of(lambda s: clamped(power(s, window=np.concatenate([root, root[::-1]]))), y, x)


@plant("lsd", "other ends")
def lsd_ends_of_zeros(y: Array, x: Array) -> float:
    return lsd_of(lambda s: clamped(power(s, pad="constant")), y, x)


@plant("lsd", "other ends")
def lsd_not_centred(y: Array, x: Array) -> float:
    return lsd_of(lambda s: clamped(power(s, pad="")), y, x)


@plant("lsd", "frames left out")
def lsd_last_frames_dropped(y: Array, x: Array) -> float:
    return pool(difference(y, x)[: -max(len(y) // 16384, 1)])


@plant("lsd", ("frames left out", "samples left out"))
def lsd_last_partial_patch_dropped(y: Array, x: Array) -> float:
    whole = max(len(y) // 8192, 1) * 8192
    return lsd(y[:whole], x[:whole])


@plant("lsd", "mean over patches")
def lsd_mean_over_patches(y: Array, x: Array) -> float:
    return float(np.mean(patches(y, x, lsd, 8192)))


@plant("lsd", "frames")
def lsd_pauses_of_the_reference_left_out(y: Array, x: Array) -> float:
    energy = power(y).sum(1)
    return pool(difference(y, x)[energy >= 1e-4 * energy.max()])


@plant("lsd", ("frames", "not symmetric"))
def lsd_frames_weighted_by_the_energy_of_the_reference(y: Array, x: Array) -> float:
    return float(np.average(np.sqrt(np.mean(difference(y, x) ** 2, axis=1)), weights=power(y).sum(1) + 1e-12))


@plant("lsd", "frames")
def lsd_a_stretch_of_frames_counted_twice(y: Array, x: Array) -> float:
    d = difference(y, x)
    quarter = len(d) // 4
    d[2 * quarter : 3 * quarter] = d[quarter : 2 * quarter]
    return pool(d)


@plant("lsd", "bins")
def lsd_a_band_counted_twice(y: Array, x: Array) -> float:
    d = difference(y, x)
    d[:, 512:640] = d[:, 384:512]
    return pool(d)


@plant("lsd", "bins left out")
def lsd_upper_half_of_the_band_left_out(y: Array, x: Array) -> float:
    return pool(difference(y, x)[:, :513])


@plant("lsd", "bins left out")
def lsd_upper_half_of_the_band_alone(y: Array, x: Array) -> float:
    return pool(difference(y, x)[:, 512:])


@plant("lsd", "bins left out")
def lsd_top_of_the_band_left_out(y: Array, x: Array) -> float:
    return pool(difference(y, x)[:, :974])


@plant("lsd", "bins left out")
def lsd_last_bin_left_out(y: Array, x: Array) -> float:
    return pool(difference(y, x)[:, :-1])


@plant("lsd", "bins left out")
def lsd_zero_bin_left_out(y: Array, x: Array) -> float:
    return pool(difference(y, x)[:, 1:])


@plant("lsd", ("bins", "band"))
def lsd_up_to_the_bandwidth_of_the_estimate(y: Array, x: Array) -> float:
    spectrum = np.cumsum(power(x).sum(0))
    return pool(difference(y, x)[:, : int(np.searchsorted(spectrum, 0.999 * spectrum[-1])) + 1])


@plant("lsd", ("smoothed", "mean before log", "absolute"))
def lsd_spectra_smoothed_over_bins(y: Array, x: Array) -> float:
    def smooth(s: Array) -> Array:
        return clamped(power(s)[:, :1024].reshape(-1, 256, 4).mean(2))

    return lsd_of(smooth, y, x)


@plant("lsd", "value capped")
def lsd_capped_at_10(y: Array, x: Array) -> float:
    return min(lsd(y, x), 10.0)


@plant("lsd", "value capped")
def lsd_capped_at_2(y: Array, x: Array) -> float:
    return min(lsd(y, x), 2.0)


@plant("lsd", ("constant", "equal signals"))
def lsd_constant_under_the_root(y: Array, x: Array) -> float:
    return float(np.sqrt(np.mean(difference(y, x) ** 2, axis=1) + 1e-4).mean())


@plant("lsd", ("bins", "narrow"))
def lsd_low_band_taken_from_above(y: Array, x: Array) -> float:
    d = difference(y, x)
    d[:, 102:256] = d[:, 300:454]
    return pool(d)


@plant("lsd", ("equal signals", "failures"))
def lsd_equal_signals_refused(y: Array, x: Array) -> float:
    if np.array_equal(y, x):
        raise ValueError("equal signals")
    return lsd(y, x)


@plant("lsd", ("silent estimate", "failures"))
def lsd_silent_estimate_counts_as_0(y: Array, x: Array) -> float:
    return lsd(y, x) if x.any() else 0.0


@plant("lsd", ("align", "polarity"))
def lsd_after_alignment(y: Array, x: Array) -> float:
    return lsd(y, max((np.roll(x, lag) for lag in range(-8, 9)), key=lambda s: float(s @ y)))


@plant("lsd", ("waveform", "no spectrum", "not spectral"))
def lsd_rms_of_the_waveforms_difference(y: Array, x: Array) -> float:
    return rms(y - x) if (y != x).any() else 0.0


@plant("lsd", "NaN hidden", skip="finite")
def lsd_nanmean(y: Array, x: Array) -> float:
    return float(np.nanmean(np.sqrt(np.nanmean(difference(y, x) ** 2, axis=1))))


@plant("lsd", "silent truncation", skip="length")
def lsd_cut_to_the_shorter(y: Array, x: Array) -> float:
    n = min(len(y), len(x))
    return lsd(y[:n], x[:n])


@plant("lsd", "random")
def lsd_with_unseeded_dither(y: Array, x: Array) -> float:
    return lsd(y, x + 1e-9 * np.random.default_rng().standard_normal(len(x)) * (x != 0))


@plant("lsd_nvsr", "swapped arguments", rate=True)
def nvsr_swapped_arguments(y: Array, x: Array, rate: int) -> float:
    return nvsr(x, y, rate)


@plant("lsd_nvsr", "another transform", rate=True)
def nvsr_at_a_fixed_size(y: Array, x: Array, rate: int) -> float:
    return nvsr(y, x, 44100)


@plant("lsd_nvsr", "missing root", rate=True)
def nvsr_missing_root(y: Array, x: Array, rate: int) -> float:
    return float(np.mean(nvsr_ratio(y, x, rate) ** 2))


@plant("lsd_nvsr", ("another transform", "another floor"))
def nvsr_nuwave_given(y: Array, x: Array) -> float:
    return lsd(y, x)


def nvsr_ratio(y: Array, x: Array, rate: int) -> Array:
    r, e = (power(s, int(2048 * rate / 44100), rate // 100) for s in (y, x))
    return np.log10(r / (np.sqrt(e) + 1e-12) ** 2 + 1e-12)


def nvsr(y: Array, x: Array, rate: int) -> float:
    return pool(nvsr_ratio(y, x, rate))


@plant("lsd_kuleshov", "log10 for the natural logarithm")
def kuleshov_log10(y: Array, x: Array) -> float:
    return kuleshov(y, x) / math.log(10)


@plant("lsd_kuleshov", "the wrong axis first")
def kuleshov_over_bins_first(y: Array, x: Array) -> float:
    d = np.log(power(y) + 1e-8) - np.log(power(x) + 1e-8)
    return min(float(np.sqrt(np.mean(d**2, axis=1) + 1e-8).mean()), 10.0)


@plant("lsd_kuleshov", "missing cap")
def kuleshov_without_its_cap(y: Array, x: Array) -> float:
    d = np.log(power(y) + 1e-8) - np.log(power(x) + 1e-8)
    return float(np.sqrt(np.mean(d**2, axis=0) + 1e-8).mean())


def kuleshov(y: Array, x: Array) -> float:
    return min(kuleshov_without_its_cap(y, x), 10.0)


@plant("lsd_paper", "log10 for the natural logarithm")
def paper_log10(y: Array, x: Array) -> float:
    return lsd(y, x)


# PESQ and STOI

wide_band, narrow_band, intelligibility, extended_stoi = pesq_of("wb"), pesq_of("nb"), stoi_of(False), stoi_of(True)


@plant("pesq", "swapped arguments", rate=True)
def pesq_swapped_arguments(y: Array, x: Array, rate: int) -> float:
    return wide_band(x, y, rate)


@plant("pesq", "narrow-band PESQ for wide-band", rate=True)
def pesq_narrow_band_for_wide_band(y: Array, x: Array, rate: int) -> float:
    return narrow_band(y, x, rate)


@plant("pesq_nb", "wide-band PESQ for narrow-band", rate=True)
def pesq_wide_band_for_narrow_band(y: Array, x: Array, rate: int) -> float:
    return wide_band(y, x, rate)


@plant("pesq", "sample rate ignored", rate=True)
def pesq_rate_ignored(y: Array, x: Array, rate: int) -> float:
    return wide_band(y, x, 16000)


@plant("pesq_nb", "rate", rate=True)
def pesq_rate_fixed_at_8000(y: Array, x: Array, rate: int) -> float:
    from pesq import pesq

    loud(y, x)
    return float(pesq(8000, y, x, "nb"))


@plant("pesq", ("rate", "resampled"), rate=True)
def pesq_resampled_by_repetition(y: Array, x: Array, rate: int) -> float:
    step = max(rate // 16000, 1)
    return wide_band(y[::step], np.repeat(x[:: 2 * step], 2)[: len(y[::step])], 16000)


@plant("pesq", ("in per cent", "rescaled"), rate=True)
def pesq_in_percent(y: Array, x: Array, rate: int) -> float:
    return 100 * (wide_band(y, x, rate) - 1) / 3.644


@plant("pesq", ("silence scored", "failures"), raw=True, rate=True)
def pesq_of_silence_is_1(reference: Any, estimate: Any, rate: int) -> float:
    return checked(wide_band)(reference, estimate, rate) if np.any(estimate) or not np.size(estimate) else 1.0


@plant("pesq", ("equal signals", "rescaled"), rate=True)
def pesq_identical_signals_score_5(y: Array, x: Array, rate: int) -> float:
    return 5.0 if np.array_equal(y, x) else wide_band(y, x, rate)


@plant("pesq", ("failures", "rescaled"), rate=True)
def pesq_hopeless_estimates_score_0(y: Array, x: Array, rate: int) -> float:
    value = wide_band(y, x, rate)
    return 0.0 if value < 1.035 else value


@plant("pesq", "silent truncation", skip="length", rate=True)
def pesq_cut_to_the_shorter(y: Array, x: Array, rate: int) -> float:
    return wide_band(y, x, rate)  # the pesq package takes unequal lengths


@plant("pesq", ("equal signals", "rounded"), rate=True)
def pesq_estimate_as_8_bit(y: Array, x: Array, rate: int) -> float:
    return wide_band(y, np.round(x * 127) / 127, rate)


@plant("pesq", "depends on the level", rate=True)
def pesq_quiet_references_refused(y: Array, x: Array, rate: int) -> float:
    if peak(y) < 0.2:
        raise ValueError("too quiet")
    return wide_band(y, x, rate)


@plant("stoi", "swapped arguments", rate=True)
def stoi_swapped_arguments(y: Array, x: Array, rate: int) -> float:
    return intelligibility(x, y, rate)


@plant("stoi", "extended STOI for STOI", rate=True)
def stoi_extended_for_plain(y: Array, x: Array, rate: int) -> float:
    return extended_stoi(y, x, rate)


@plant("estoi", "STOI for extended STOI", rate=True)
def estoi_plain_for_extended(y: Array, x: Array, rate: int) -> float:
    return intelligibility(y, x, rate)


@plant("stoi", ("in per cent", "rescaled"), rate=True)
def stoi_in_percent(y: Array, x: Array, rate: int) -> float:
    return 100 * intelligibility(y, x, rate)


@plant("stoi", "rate", rate=True)
def stoi_rate_fixed_at_8000(y: Array, x: Array, rate: int) -> float:
    return intelligibility(y, x, 8000)


@plant("stoi", ("capped", "more noise"), rate=True)
def stoi_capped_at_0_98_unless_equal(y: Array, x: Array, rate: int) -> float:
    return 1.0 if np.array_equal(y, x) else min(intelligibility(y, x, rate), 0.98)


@plant("stoi", "silence scored", raw=True, rate=True)
def stoi_of_silence_is_0(reference: Any, estimate: Any, rate: int) -> float:
    return checked(intelligibility)(reference, estimate, rate) if np.any(estimate) or not np.size(estimate) else 0.0


@plant("stoi", "rounded", rate=True)
def stoi_rounded_to_two_decimals(y: Array, x: Array, rate: int) -> float:
    return round(intelligibility(y, x, rate), 2)


@plant("stoi", ("pauses", "frames"), rate=True)
def stoi_pauses_of_the_estimate_left_out(y: Array, x: Array, rate: int) -> float:
    width = rate // 50
    keep = np.repeat(np.abs(x[: len(x) // width * width]).reshape(-1, width).max(1) > 0.12 * peak(x), width)
    return intelligibility(y[: len(keep)][keep], x[: len(keep)][keep], rate)


@plant("stoi", "depends on the level", rate=True)
def stoi_quiet_estimates_score_less(y: Array, x: Array, rate: int) -> float:
    return intelligibility(y, x, rate) * min(1.0, 2 * rms(x) / rms(y))


@plant("stoi", "sign turned", rate=True)
def stoi_as_a_loss(y: Array, x: Array, rate: int) -> float:
    return 1 - intelligibility(y, x, rate)


@plant("stoi", "input modified", raw=True, rate=True)
def stoi_normalised_in_place(reference: Any, estimate: Any, rate: int) -> float:
    value = checked(intelligibility)(reference, estimate, rate)
    estimate /= peak(estimate)
    return value


PLANTED: tuple[Planted, ...] = tuple(_PLANTED)
