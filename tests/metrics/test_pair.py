"""What a pair takes and refuses, for every metric alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from srbench import audio
from srbench.errors import SrbenchError
from srbench.metrics import METRICS, Pair, define

METRIC_NAMES = sorted(METRICS)
RATE = 16000


def noise(n: int = 4000, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(n)


def with_sample(value: float) -> np.ndarray:
    signal = noise()
    signal[[7, 70]] = value
    return signal


REFUSED = [
    pytest.param(with_sample(np.nan), "holds 2 NaN or infinite samples", id="nan"),
    pytest.param(with_sample(np.inf), "holds 2 NaN or infinite samples", id="inf"),
    pytest.param(with_sample(-np.inf), "holds 2 NaN or infinite samples", id="minus-inf"),
    pytest.param((noise() * 32768).astype(np.int16), "must hold floats with full scale 1.0, not int16", id="int16"),
    pytest.param(np.ones(4000, dtype=np.int64), "must hold floats .* not int64", id="int64"),
    pytest.param(np.ones(4000, dtype=bool), "must hold floats .* not bool", id="bool"),
    pytest.param(noise().astype(np.complex128), "must hold floats .* not complex128", id="complex"),
    pytest.param(noise().astype(object), "must hold floats .* not object", id="object"),
    pytest.param(noise()[:, None], r"must have shape .* not \(4000, 1\)", id="column"),
    pytest.param(noise()[None, :], r"must have shape .* not \(1, 4000\)", id="row"),
    pytest.param(np.stack([noise()] * 3), r"must have shape .* not \(3, 4000\)", id="batch"),
    pytest.param(np.float64(0.5), r"must have shape .* not .*0\.5", id="scalar"),
    pytest.param(np.ma.masked_greater(noise(), 0.1), "is an array with masked samples", id="masked"),
    pytest.param(np.array(0.5), r"must have shape .* not array\(0\.5\)", id="no-axis"),
    pytest.param(None, "must have shape .* not None", id="none"),
    pytest.param("a.wav", "must have shape .* not 'a.wav'", id="text"),
    pytest.param(["0.5", "0.25"], "must hold floats .* not <U4", id="texts"),
    pytest.param([None] * 4000, "must hold floats .* not object", id="nones"),
    pytest.param([[0.5], [0.5, 0.25]], r"cannot be read as an array \(list\)", id="ragged"),
    pytest.param({0: 0.5}, "must have shape .* not {0: 0.5}", id="dict"),
    pytest.param(noise().astype([("left", "f8")]), "must hold floats", id="fields"),
    pytest.param(np.empty(0), r"must have shape .* not \(0,\)", id="empty"),
]


NO_RATES = [None, "16000", b"16000", True, np.True_, 0, -16000, 16000.5, float("nan"), float("inf"), [16000], noise(),
            np.array(16000), 16000j, 999, 10**9]  # fmt: skip
NO_CUTOFFS = ["2000", True, 0, -1.0, 8000, 9000.0, float("nan"), [2000.0], noise(), 2000j]


def refused(ask: Callable[[], object], fact: str) -> None:
    """In one short line."""
    with pytest.raises(SrbenchError) as error:
        ask()
    assert fact in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 200


class TestRefusals:
    @pytest.mark.parametrize(("signal", "message"), REFUSED)
    def test_reference(self, signal, message):
        with pytest.raises(SrbenchError, match=f"^the reference {message}"):
            Pair(signal, noise(), RATE)

    @pytest.mark.parametrize(("signal", "message"), REFUSED)
    def test_estimate(self, signal, message):
        with pytest.raises(SrbenchError, match=f"^the estimate {message}"):
            Pair(noise(), signal, RATE)

    @pytest.mark.parametrize("name", [name for name in METRIC_NAMES if not METRICS[name].extra])
    @pytest.mark.parametrize(("signal", "message"), REFUSED)
    def test_every_metric_refuses_them(self, name, signal, message):
        with pytest.raises(SrbenchError, match=message):
            METRICS[name](noise(), signal, RATE, 2000.0)

    @pytest.mark.parametrize("lengths", [(4000, 3999), (1, 4000), (4000, 4001)])
    def test_unequal_lengths(self, lengths):
        with pytest.raises(SrbenchError, match=f"differ in length: {lengths[0]} and {lengths[1]} samples"):
            Pair(noise(lengths[0]), noise(lengths[1]), RATE)

    @pytest.mark.parametrize("rate", NO_RATES)
    def test_sample_rate(self, rate):
        refused(lambda: Pair(noise(), noise(), rate), "the sample rate is a whole number of Hz")

    @pytest.mark.parametrize("name", sorted(METRICS))
    @pytest.mark.parametrize("rate", NO_RATES)
    def test_every_way_to_a_metric_refuses_what_is_no_rate(self, name, rate):
        for ask in (
            lambda: METRICS[name](noise(), noise(), rate, 2000.0),
            lambda: METRICS[name].signature(rate, 2000.0),
            lambda: define([name], rate, 2000.0),
        ):
            refused(ask, "the sample rate is a whole number of Hz")

    @pytest.mark.parametrize("cutoff", NO_CUTOFFS)
    def test_cutoff(self, cutoff):
        for ask in (
            lambda: Pair(noise(), noise(), RATE, cutoff),
            lambda: METRICS["lsd_hf"](noise(), noise(), RATE, cutoff),
            lambda: METRICS["lsd_hf"].signature(RATE, cutoff),
            lambda: define(["lsd_hf"], RATE, cutoff),
        ):
            refused(ask, "the cutoff must lie between 0 and 8000 Hz")

    def test_tensors(self):
        torch = pytest.importorskip("torch")
        tensor = torch.from_numpy(noise())
        assert METRICS["snr"](tensor, 0.9 * tensor, RATE) == pytest.approx(20.0)
        refused(lambda: Pair(noise(), tensor.requires_grad_(), RATE), "cannot be read as an array (Tensor)")
        refused(lambda: Pair(tensor.detach().to(torch.int16), noise(), RATE), "must hold floats")

    def test_samples_beyond_float64(self):
        beyond = noise().astype(np.longdouble)
        beyond[7] = np.finfo(np.longdouble).max
        if np.finfo(np.longdouble).maxexp > np.finfo(np.float64).maxexp:
            refused(lambda: Pair(noise(), beyond, RATE), "holds 1 NaN or infinite samples")

    def test_errors_are_value_errors(self):
        assert issubclass(SrbenchError, ValueError)


class TestAccepts:
    def test_lists_of_floats(self):
        pair = Pair([0.5, 0.25], [0.5, 0.0], RATE)
        assert pair.reference.dtype == np.float64
        assert METRICS["mse"](*[[0.5, 0.25], [0.5, 0.0]], RATE) == 0.03125

    def test_a_masked_array_of_which_nothing_is_masked(self):
        np.testing.assert_array_equal(Pair(np.ma.array(noise()), noise(), RATE).reference, noise())

    def test_a_whole_rate_written_as_a_float(self):
        assert Pair(noise(), noise(), 16000.0).sample_rate == 16000

    def test_values_are_kept_as_they_are(self):
        """Beyond full scale, with an offset: nothing is clipped, scaled or centred."""
        r, e = 5 * noise() + 3, -noise()
        pair = Pair(r, e, RATE)
        np.testing.assert_array_equal(pair.reference, r)
        np.testing.assert_array_equal(pair.estimate, e)

    @pytest.mark.parametrize("dtype", [np.float16, np.float32, ">f8", np.longdouble])
    def test_other_floats_become_float64(self, dtype):
        assert Pair(noise().astype(dtype), noise(), RATE).reference.dtype == np.dtype("float64")


class TestSharing:
    def test_once_computes_once_per_key(self):
        pair = Pair(noise(), noise(seed=1), RATE)
        calls = []
        for key in ("a", "a", ("a", 1), "a"):
            assert pair.once(key, lambda key=key: calls.append(key) or key) == key
        assert calls == ["a", ("a", 1)]

    def test_pairs_share_nothing(self):
        first, second = Pair(noise(), noise(), RATE), Pair(noise(), noise(), RATE)
        assert first.once("key", lambda: 1) == 1
        assert second.once("key", lambda: 2) == 2

    def test_an_error_is_not_remembered_as_a_value(self):
        pair = Pair(noise(), noise(), RATE)

        def fails() -> None:
            raise RuntimeError("no")

        for _ in range(2):
            with pytest.raises(RuntimeError, match="no"):
                pair.once("key", fails)

    def test_at_rate_is_the_one_resampler_once(self):
        pair = Pair(noise(), noise(seed=1), 48000)
        reference, estimate = pair.at_rate(16000)
        np.testing.assert_array_equal(reference, audio.resample(pair.reference, 48000, 16000))
        np.testing.assert_array_equal(estimate, audio.resample(pair.estimate, 48000, 16000))
        assert pair.at_rate(16000)[0] is reference
        assert len(pair.at_rate(10000)[0]) == round(4000 * 10 / 48)
        assert pair.at_rate(48000)[0] is pair.reference
