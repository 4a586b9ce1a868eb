"""What a broken law says by itself, where no definition that fits explains it."""

from __future__ import annotations

from dataclasses import replace

from srbench.audit.bugs import NO_CORRECTION, Bug

# laws of value: what they mean when no definition fits that explains them
VALUE_LAWS = {
    "perceptual_order",
    "perceptual_bounds",
    "perceptual_sample_rate",
    "every_sample_counts",
    "time_share",
    "band_share",
}
# what a function does that only never thought of such input
UNUSUAL_INPUT = ("column_against_row", "batch_of_one", "batch_is_mean_of_items", "int16_input")
# what a broken law means where the fit does not say it
FORM = {
    "unequal_lengths": Bug(
        "silent truncation",
        "Signals of unequal length are cut to a common length without a word: short outputs are scored.",
        "Numbers from signals of equal length stand; look for outputs that were shorter.",
    ),
    "column_against_row": Bug(
        "broadcasting",
        "Shapes (n,) and (n, 1) are broadcast to an n by n difference of every sample with every other.",
        "Numbers from signals of one shape stand; refuse unequal shapes.",
    ),
    "batch_of_one": Bug(
        "a batch of one is measured as something else",
        "The axes of a batch are mistaken for time or channels.",
        "Numbers from single signals stand; refuse batches, or measure their items.",
    ),
    "batch_is_mean_of_items": Bug(
        "a batch is not the mean of its items",
        "Given a batch, the energies of all items are pooled before the logarithm: a ratio of means, not a mean of "
        "ratios.",
        "Numbers from single signals stand; those of batches cannot be corrected.",
    ),
    "nan_is_not_hidden": Bug(
        "NaN hidden",
        "A NaN sample gives an ordinary number: a broken output goes unseen.",
        "Look for NaN in the outputs and recompute.",
    ),
    "infinity_is_not_hidden": Bug(
        "infinity hidden", "An infinite sample gives an ordinary number: a broken output goes unseen.", NO_CORRECTION
    ),
    "inputs_unchanged": Bug(
        "input modified",
        "The function writes into the arrays it is given, so whatever is computed from them afterwards is wrong.",
        "Numbers computed before the call stand; recompute those after it.",
    ),
    "deterministic": Bug(
        "random",
        "The same pair gives different values: unseeded noise is added.",
        "Repeat and average; state the seed.",
    ),
    "int16_input": Bug(
        "integer overflow",
        "Differences or squares of 16-bit samples wrap around.",
        "Numbers from float samples stand; those from integers must be recomputed.",
    ),
    "float32_input": Bug(
        "precision",
        "float32 samples give another value: the arithmetic is too narrow or a constant depends on the type.",
        NO_CORRECTION,
    ),
    "no_samples": Bug(
        "empty signals are scored",
        "A signal of no samples has a finite value, or one sample ends the process.",
        NO_CORRECTION,
    ),
    "every_sample_counts": Bug(
        "samples left out",
        "Errors in some part of the signal do not count: a last patch or frame is dropped.",
        NO_CORRECTION,
    ),
    "time_share": Bug(
        "frames left out", "A change at the end of the signal does not count as it should.", NO_CORRECTION
    ),
    "band_share": Bug("bins left out", "A change at the top of the band does not count as it should.", NO_CORRECTION),
    "lsd_silent_estimate": Bug(
        "no floor",
        "A silent estimate has no finite, worst distance: the logarithm of zero is not caught.",
        NO_CORRECTION,
    ),
    "lsd_both_silent": Bug(
        "no floor", "Two silent signals give NaN: the logarithm of zero is not caught.", NO_CORRECTION
    ),
    "perceptual_silence": Bug(
        "silence scored", "A silent estimate gets a number.", "Leave such utterances out and count them; others stand."
    ),
    "perceptual_sample_rate": Bug(
        "sample rate ignored",
        "The rate is fixed or not passed on, so signals at another rate are heard at the wrong speed.",
        NO_CORRECTION,
    ),
    "perceptual_order": Bug("swapped arguments", "The estimate is taken for the reference.", NO_CORRECTION),
    "perceptual_bounds": Bug(
        "rescaled", "Values leave the metric's range: the raw score or a percentage is returned.", NO_CORRECTION
    ),
    "plain_call": Bug(
        "no number",
        "The function does not give one finite number for an ordinary pair.",
        "Check --call, --order, --shape and --input.",
    ),
}

# How the words begin that say why there is no number, and what to do then; the first that fits.
_ADVICE = {
    "gave no answer": "Give it more time with --limit, or find out what it waits for.",
    "its process": "Call the function by itself, to see what ends the process.",
    "raised ModuleNotFoundError": "Install what it imports, in the environment that the audit runs in.",
    "raised ImportError": "Install what it imports, in the environment that the audit runs in.",
    "returned": "Let it return one number; --shape says what shape the signals have that it is given.",
}


def no_number(measured: str) -> Bug:
    """Return the bug of a target without a number for an ordinary pair, with advice that fits the cause."""
    bug = FORM["plain_call"]
    return replace(
        bug, correction=next((_ADVICE[told] for told in _ADVICE if measured.startswith(told)), bug.correction)
    )


# What a broken law says by itself; the likeliest first.
NAMES = {
    law: name
    for name, laws in {
        "the value depends on the scale of one signal": ("estimate_scaling", "reference_scaling"),
        "equal signals are not scored best": ("ratio_identity", "perceptual_identity", "lsd_identity"),
        "silent estimates scored": ("zero_estimate",),
        "the polarity of the signals matters": ("joint_polarity", "lsd_polarity"),
        "the order of the samples matters": ("sample_permutation",),
        "the value depends on the level": (
            "joint_scaling",
            "lsd_joint_scaling",
            "mse_joint_scaling",
            "joint_level",
            "estimate_level",
        ),
        "not symmetric": ("lsd_symmetry",),
        "sum for mean": ("lsd_duration", "mse_duration"),
        "absolute values for squares, or smoothed spectra": ("independent_noises", "mse_closed_form"),
        "value capped": ("more_noise_is_worse", "large_errors_are_not_capped", "perceptual_more_noise_is_worse"),
        "frames left out or counted twice": ("gain_on_half_the_frames",),
        "bins left out or counted twice": ("gain_on_half_the_band", "narrower_is_worse"),
        "a constant added": ("mse_identity_and_symmetry",),
        "mean removed": ("snr_mean_is_kept", "mse_mean_is_kept"),
        "another scale": ("snr_gain", "lsd_gain", "si_sdr_known_level"),
        "samples left out": ("known_noise_level",),
    }.items()
    for law in laws
}
