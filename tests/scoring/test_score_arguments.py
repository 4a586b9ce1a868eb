"""What `srbench.score` is given is checked first, and refused in one plain line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pairs_of_speech import RATE, splined

import srbench
from srbench import audio
from srbench.errors import SrbenchError


def refused(*given: Any, **named: Any) -> str:
    with pytest.raises(SrbenchError) as raised:
        srbench.score(*given, **named)
    text = str(raised.value)
    assert len(text.splitlines()) == 1
    assert len(text) < 220
    return text


@pytest.mark.parametrize("rate", [0, -1, 8, True, "48000", None, np.nan, np.inf, 1e9, 44100.5, [16000], 16000 + 0j])
def test_rates_are_rates_of_sound(rate: Any):
    reference, estimate, _ = splined(2)
    told = refused(reference, estimate, rate)
    assert told.startswith("sample_rate is a whole number of Hz from 1000 to ")
    if rate is not None:
        assert "estimate_rate" in refused(reference, estimate, RATE, estimate_rate=rate)


def test_whole_numbers_of_any_kind_are_rates():
    reference, estimate, _ = splined(2)
    plain = srbench.score(reference, estimate, RATE).metrics
    for rate in (16000.0, np.int32(16000), np.float64(16000)):
        assert srbench.score(reference, estimate, rate, estimate_rate=rate).metrics == plain


@pytest.mark.parametrize("cutoff", ["x", 0, -5, np.nan, 8000, 30000, True, np.array([4000.0])])
def test_cutoffs(cutoff: Any):
    reference, estimate, _ = splined(2)
    assert refused(reference, estimate, RATE, cutoff).startswith("the cutoff must lie between 0 and 8000 Hz, not at ")


def test_arguments_in_another_order():
    reference, estimate, _ = splined(2)
    for given in ((reference, RATE, estimate), (RATE, reference, estimate), (reference, estimate, reference)):
        assert "the order is (reference, estimate, sample_rate)" in refused(*given)


class _NeedsGradient:
    def __array__(self, *given: Any, **named: Any) -> Any:
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")


def test_tensors_that_cannot_be_arrays():
    reference, _, _ = splined(2)
    assert "detach().numpy()" in refused(reference, _NeedsGradient(), RATE)


def test_masked_samples():
    reference, estimate, _ = splined(2)
    assert "masked samples" in refused(reference, np.ma.masked_array(estimate, estimate > 0.1), RATE)
    whole = np.ma.masked_array(estimate, False)
    assert srbench.score(reference, whole, RATE).metrics == srbench.score(reference, estimate, RATE).metrics


def test_a_tensor_with_a_gradient():
    torch = pytest.importorskip("torch")
    reference, _, _ = splined(2)
    assert "the estimate cannot be read" in refused(reference, torch.tensor(reference, requires_grad=True), RATE)


@pytest.mark.parametrize("metrics", [[], (), "", None, 3, [3], [None]])
def test_metrics(metrics: Any):
    reference, estimate, _ = splined(2)
    if metrics is None:
        assert "snr" in srbench.score(reference, estimate, RATE, metrics=metrics).metrics
    elif metrics == "":
        assert "unknown metric ''" in refused(reference, estimate, RATE, metrics=metrics)
    else:
        assert refused(reference, estimate, RATE, metrics=metrics).startswith("metrics are names")
    assert srbench.score(reference, estimate, RATE, metrics="snr").metrics.keys() == {"snr"}


@pytest.mark.parametrize("name", ["align", "match_gain", "resample"])
@pytest.mark.parametrize("value", ["no", None, 1, np.array([1.0, 2.0])])
def test_what_is_asked_for_is_true_or_false(name: str, value: Any):
    reference, estimate, _ = splined(2)
    assert refused(reference, estimate, RATE, **{name: value}).startswith(f"{name} is True or False, not ")


def test_the_diagnosis_comes_before_the_length():
    """44.1 kHz labelled 48 kHz is shorter: that is what it looks like, and not what it is."""
    reference, estimate, _ = splined(2)
    reference, estimate = audio.resample(reference, 16000, 48000), audio.resample(estimate, 16000, 44100)
    with pytest.raises(SrbenchError) as raised:
        srbench.score(reference, estimate, 48000)
    told = str(raised.value)
    assert told.startswith("labelled 48000 Hz, the estimate fits the reference only as 44100 Hz")
    assert told.endswith('(match_length="shorter" or "pad")')
    assert "--" not in told


def test_another_rate_names_the_argument():
    reference, estimate, _ = splined(2)
    told = refused(reference, audio.resample(estimate, RATE, 44100), RATE, estimate_rate=44100)
    assert told == "the estimate is at 44100 Hz, the reference at 16000 Hz (resample=True brings it to the reference's)"


@pytest.mark.parametrize("cut", [0, 40])
def test_a_wrong_label_is_told_at_once_where_the_samples_fit(cut: int):
    reference, estimate, _ = splined(2)
    told = refused(reference, estimate[cut:], RATE, estimate_rate=RATE // 2)
    assert told.startswith("the estimate is at 8000 Hz, the reference at 16000 Hz, yet their samples fit one by one")
    assert told.endswith("one label is wrong, resampling would not help")


def test_another_recording_of_another_rate_has_no_wrong_label():
    reference, _, _ = splined(2)
    other = np.random.default_rng(0).standard_normal(len(reference)) / 10
    assert "resample=True" in refused(reference, other, RATE, estimate_rate=RATE // 2)


def test_a_low_resolution_signal_that_cannot_be_the_pairs():
    reference, estimate, cutoff = splined(2)
    low = audio.resample(reference, RATE, RATE // 2)
    broken = low.copy()
    broken[5] = np.nan
    wanted = "the low-resolution signal holds 1 NaN or infinite samples"
    assert refused(reference, estimate, RATE, cutoff, low=broken) == wanted
    for other in (low[:100], low[: len(low) // 2], reference):
        assert "is of another recording, or the cutoff" in refused(reference, estimate, RATE, cutoff, low=other)
    for near in (low[:-30], np.pad(low, (0, 30)), low[: int(0.991 * len(low))]):
        assert srbench.score(reference, estimate, RATE, cutoff, low=near).checks["low_band_db"] > 15


def test_a_silent_low_resolution_signal_is_told_and_compared_with_nothing():
    reference, estimate, cutoff = splined(2)
    noise = np.random.default_rng(0).standard_normal(len(reference) // 2)
    for level in (0.0, 1e-6):
        score = srbench.score(reference, estimate, RATE, cutoff, low=level * noise)
        (found,) = [warning for warning in score.warnings if warning.kind == "silent"]
        assert (found.side, score.checks["low_band_db"]) == ("low", None)
        assert "low-band" not in {warning.kind for warning in score.warnings}


def test_the_error_has_a_name_beside_the_function():
    assert srbench.SrbenchError is SrbenchError
