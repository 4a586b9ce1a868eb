"""What a broken law says by itself: evidence in words, which is never a cause."""

from __future__ import annotations

from collections.abc import Sequence

from srbench.audit.law import Verdict
from srbench.audit.words import NO_CORRECTION, Bug

# laws on input that a function may never have been meant for: a second verdict, "no input checks"
INPUT_CHECKS = {
    "unequal_lengths": (
        "signals of unequal length are scored (silent truncation)",
        "Signals of unequal length give a number, without a word: outputs that are too short go unseen.",
        "Numbers from signals of equal length stand; look for outputs that were shorter.",
    ),
    "column_against_row": (
        "shapes (n,) and (n, 1) are taken (broadcasting)",
        "A column against a row gives another number than the pair: every sample meets every other.",
        "Numbers from signals of one shape stand; refuse unequal shapes.",
    ),
    "batch_of_one": (
        "a batch of one is measured as something else",
        "Shape (1, n) gives another number than shape (n,).",
        "Numbers from single signals stand; refuse batches, or measure their items.",
    ),
    "batch_is_mean_of_items": (
        "a batch is not the mean of its items",
        "Shape (b, n) gives a number that is not the mean of its items' numbers.",
        "Numbers from single signals stand; those of batches cannot be corrected.",
    ),
    "int16_input": (
        "16-bit integers are taken (integer overflow)",
        "Samples as 16-bit integers give another number than the same samples as floats.",
        "Numbers from float samples stand; those from integers must be recomputed.",
    ),
    "nan_is_not_hidden": (
        "NaN hidden",
        "A NaN sample gives an ordinary number: a broken output goes unseen.",
        "Look for NaN in the outputs and recompute.",
    ),
    "infinity_is_not_hidden": (
        "infinity hidden",
        "An infinite sample gives an ordinary number: a broken output goes unseen.",
        NO_CORRECTION,
    ),
    "no_samples": (
        "empty signals are scored",
        "A signal of no samples has a finite value, or one sample ends the process.",
        NO_CORRECTION,
    ),
    "lsd_silent_estimate": (
        "no floor for a silent estimate",
        "A silent estimate has no finite, worst distance.",
        NO_CORRECTION,
    ),
    "lsd_both_silent": ("no floor for silence", "Two silent signals are not at distance 0.", NO_CORRECTION),
    "perceptual_silence": (
        "silence scored",
        "A silent estimate gets a number.",
        "Leave such utterances out and count them; others stand.",
    ),
}
_BATCHES = ("batch_of_one", "batch_is_mean_of_items")

# what was seen itself is shown, whatever the target computes
_SEEN = {
    "deterministic": (
        "random: not deterministic",
        "The same pair gives different values, so no number of it can be repeated and no definition can be looked for.",
        "Repeat and average; state the seed.",
    ),
    "inputs_unchanged": (
        "input modified",
        "The function writes into the arrays it is given, so whatever is computed from them afterwards is wrong.",
        "Numbers computed before the call stand; recompute those after it.",
    ),
    "float32_input": (
        "precision: float32 samples give another value",
        "The same samples as float32 give another value than as float64.",
        NO_CORRECTION,
    ),
    "perceptual_sample_rate": (
        "sample rate ignored",
        "The same sounds at another rate get another value.",
        NO_CORRECTION,
    ),
    "zero_estimate": ("silent estimates scored", "A silent estimate has not the value that it is due.", NO_CORRECTION),
    "ratio_identity": ("equal signals are not scored best", "", NO_CORRECTION),
    "lsd_identity": ("equal signals are not at distance 0", "", NO_CORRECTION),
    "mse_identity_and_symmetry": ("equal signals are not at 0 (a constant), or the order matters", "", NO_CORRECTION),
    "perceptual_identity": ("equal signals are not scored best", "", NO_CORRECTION),
    "perceptual_bounds": ("values beyond the metric's range (rescaled, or failures scored)", "", NO_CORRECTION),
}

# what the other laws say where they are broken, the most telling first
_SAYS = {
    "estimate_scaling": "the value depends on the scale of the estimate",
    "reference_scaling": "the value depends on the scale of the reference",
    "joint_polarity": "the polarity of the signals matters",
    "lsd_polarity": "the polarity of the signals matters",
    "sample_permutation": "the order of the samples matters (a filter, segments, frames, alignment)",
    "joint_scaling": "the value depends on the level of both",
    "lsd_joint_scaling": "the value depends on the level of both",
    "mse_joint_scaling": "the value depends on the level of both in another way than it is due",
    "joint_level": "the value depends on the level of both",
    "estimate_level": "the value depends on the level of the estimate",
    "lsd_symmetry": "not symmetric in reference and estimate",
    "lsd_duration": "the value grows or falls with the duration (sum for mean, fixed length)",
    "mse_duration": "the value grows or falls with the duration (sum for mean, fixed length)",
    "every_sample_counts": "samples do not count alike (samples left out, weighted)",
    "time_share": "frames do not count alike (frames left out, weighted, counted twice)",
    "gain_on_half_the_frames": "frames do not count alike (frames left out, weighted, counted twice)",
    "gain_on_half_the_band": "bins do not count alike (bins left out, weighted, counted twice)",
    "band_share": "bins do not count alike (bins left out, weighted, counted twice)",
    "narrower_is_worse": "a narrower band is not worse (bins left out, counted twice)",
    "more_noise_is_worse": "more noise is not worse by even steps (a cap, rounding, segments)",
    "perceptual_more_noise_is_worse": "more noise is not worse (a cap, rounding)",
    "large_errors_are_not_capped": "large errors are capped, or not counted by their size",
    "independent_noises": "two noises are at another distance (absolute values, smoothed spectra)",
    "mse_closed_form": "a known noise has not the MSE of its power (absolute values, clipping, rounding)",
    "snr_mean_is_kept": "an offset does not count as it should (mean removed)",
    "mse_mean_is_kept": "an offset does not count as it should (mean removed)",
    "snr_gain": "a gain has another value than its closed form (scale)",
    "lsd_gain": "a gain has another value than its closed form (scale)",
    "si_sdr_known_level": "a known noise has another value than its level (scale)",
    "known_noise_level": "a known noise has another value than its level",
    "perceptual_order": "the order of the arguments matters in another way than it is due",
    "agrees_with_the_definition": "noisy speech has another value than the definition's",
}


def is_input_check(law: str, shape: str) -> bool:
    """Tell whether a law is about input that the function may not be meant for; batches are where it takes them."""
    return law in INPUT_CHECKS and not (law in _BATCHES and shape in ("1n", "11n"))


def seen(broken: Sequence[Verdict], shape: str) -> tuple[list[Bug], list[Bug]]:
    """Return what was itself seen: departures, and input that is not checked."""
    departures: list[Bug] = []
    unchecked: list[Bug] = []
    for verdict in broken:
        if verdict.law in INPUT_CHECKS:
            bug = Bug(*INPUT_CHECKS[verdict.law])
            if verdict.law == "lsd_silent_estimate" and verdict.measured.split()[0] == "0":
                bug = Bug("silent estimates scored 0", "A silent estimate counts as a perfect one.")
            (unchecked if is_input_check(verdict.law, shape) else departures).append(bug)
        elif verdict.law in _SEEN:
            name, text, repair = _SEEN[verdict.law]
            text = text or f"{verdict.statement} Here: {verdict.measured}."
            departures.append(Bug(name, text, repair))
    measured = {verdict.law: verdict.measured.split()[0] for verdict in broken}
    scored = [measured[law] for law in ("unequal_lengths", "nan_is_not_hidden", "no_samples") if law in measured]
    if len(scored) == 3 and len(set(scored)) == 1:
        text = f"What has no value is scored {scored[0]}."
        unchecked.insert(0, Bug("failures scored", text, "Leave failures out and count them."))
    return departures, unchecked


def says(broken: Sequence[Verdict]) -> list[Bug]:
    """Return what broken laws say, the most telling first: what they rule out, not what causes it."""
    statements = {verdict.law: verdict for verdict in broken}
    found: dict[str, Bug] = {}
    for law, name in _SAYS.items():
        if law in statements:
            verdict = statements[law]
            text = f"Broken: {verdict.statement} Expected {verdict.expected}, measured {verdict.measured}."
            found.setdefault(name, Bug(name, text, certainty="consistent"))
    return list(found.values())
