"""What must hold for every metric in the registry."""

from __future__ import annotations

import os
from functools import cache
from math import inf, isfinite

import numpy as np
import pytest

from srbench import audio
from srbench.corpora import demo_corpus, open_corpus
from srbench.degradation import Iir, degrade
from srbench.errors import SrbenchError, UndefinedMetric
from srbench.metrics import METRICS, Pair, define, get_metric, measure_all
from srbench.metrics.metric import Metric
from srbench.signature import parse

CORE = [
    "snr",
    "si_sdr",
    "mse",
    "lsd",
    "lsd_hf",
    "lsd_lf",
    "lsd_paper",
    "lsd_kuleshov",
    "lsd_nvsr",
    "lsd_tunet",
    "pesq",
    "pesq_nb",
    "stoi",
    "estoi",
]
CUTOFF = 2000.0


@cache
def speech(rate: int = 16000, index: int = 0) -> np.ndarray:
    samples, recorded = audio.read(demo_corpus().utterances[index].path)
    samples = audio.resample(samples, recorded, rate)
    return samples[: 2 * rate].copy()


def upscaled(reference: np.ndarray, rate: int = 16000) -> np.ndarray:
    """Linear interpolation of the Chebyshev-decimated signal."""
    low = degrade(reference, rate, rate // 4, Iir())
    return np.interp(np.arange(len(reference)) / 4, np.arange(len(low)), low)


@cache
def value_on_speech(name: str) -> float:
    return METRICS[name](speech(), upscaled(speech()), 16000, CUTOFF)


ESTIMATES = {
    "perfect": lambda x: x.copy(),
    "upscaled": upscaled,
    "noise": lambda x: np.random.default_rng(0).standard_normal(len(x)),
    "inverted": lambda x: -x,
    "quiet": lambda x: 1e-6 * x,
    "loud": lambda x: 50 * x,
    "clipped": lambda x: np.clip(20 * x, -1, 1),
    "late": lambda x: np.roll(x, 400),
}


class TestRegistry:
    def test_names(self):
        assert list(METRICS) == [*CORE, "visqol", "dnsmos"]
        assert [name for name, metric in METRICS.items() if metric.extra] == ["visqol", "dnsmos"]

    def test_is_read_only(self):
        with pytest.raises(TypeError, match="does not support item assignment"):
            METRICS["snr"] = METRICS["mse"]

    @pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
    def test_entry_is_complete(self, metric: Metric):
        assert METRICS[metric.name] is metric
        assert metric.title
        assert metric.title == metric.title.strip()
        assert metric.unit in ("dB", "MOS", "1")
        assert metric.better in ("higher", "lower")
        assert metric.range[0] < metric.range[1]
        assert format(1.2345678, metric.digits)
        assert metric.extra in ("", "perceptual")
        for rate in (16000, 44100, 48000):
            assert 0 < metric.hears(rate) <= rate / 2

    @pytest.mark.parametrize("name", CORE)
    @pytest.mark.parametrize("rate", [16000, 44100, 48000])
    def test_signature(self, name, rate):
        signature = METRICS[name].signature(rate, CUTOFF)
        assert signature == METRICS[name].define(rate, CUTOFF).signature()
        assert parse(str(signature)) == signature
        assert signature.fields[-1][0] == "v"
        assert int(signature.fields[-1][1]) >= 1

    def test_direction(self):
        lower = {name for name, metric in METRICS.items() if metric.better == "lower"}
        assert lower == {"mse"} | {name for name in METRICS if name.startswith("lsd")}

    def test_get_metric(self):
        assert get_metric("estoi") is METRICS["estoi"]
        with pytest.raises(
            SrbenchError, match=r"unknown metric 'lsd_nvrs'\. Did you mean 'lsd_nvsr'\? Known: dnsmos, "
        ):
            get_metric("lsd_nvrs")

    def test_define(self):
        definitions = define(["stoi", "lsd_hf"], 16000, CUTOFF)
        assert list(definitions) == ["stoi", "lsd_hf"]
        assert definitions["lsd_hf"] == METRICS["lsd_hf"].define(16000, CUTOFF)

    @pytest.mark.parametrize(
        ("names", "rate", "cutoff", "message"),
        [
            (["snr", "pesk"], 16000, CUTOFF, "unknown metric 'pesk'"),
            (
                ["snr", "pesq"],
                8000,
                CUTOFF,
                r"PESQ wide band \(pesq; .* needs a sample rate of at least 16000 Hz, not 8000",
            ),
            (
                ["pesq_nb"],
                6000,
                CUTOFF,
                r"PESQ narrow band \(pesq_nb\) needs a sample rate of at least 8000 Hz, not 6000",
            ),
            (["stoi"], 6000, CUTOFF, r"STOI \(stoi\) needs a sample rate of at least 8000 Hz, not 6000"),
            (["dnsmos"], 8000, CUTOFF, "DNSMOS needs a sample rate of at least 16000 Hz, not 8000"),
            (["visqol"], 8000, CUTOFF, "ViSQOL needs a sample rate of at least 16000 Hz, not 8000"),
            (["lsd_hf"], 16000, None, "needs the cutoff"),
        ],
    )
    def test_define_refuses(self, names, rate, cutoff, message):
        with pytest.raises(SrbenchError, match=message):
            define(names, rate, cutoff)


class TestLaws:
    @pytest.mark.parametrize("kind", ESTIMATES)
    @pytest.mark.parametrize("name", CORE)
    def test_lies_within_its_range(self, name, kind):
        low, high = METRICS[name].range
        value = METRICS[name](speech(), ESTIMATES[kind](speech()), 16000, CUTOFF)
        assert low - 1e-9 <= value <= high + 1e-9

    @pytest.mark.parametrize("name", CORE)
    def test_better_is_better(self, name):
        """A perfect estimate is at least as good as an upscaled one, and that better than noise."""
        sign = 1 if METRICS[name].better == "higher" else -1
        perfect, noise = (
            METRICS[name](speech(), ESTIMATES[kind](speech()), 16000, CUTOFF) for kind in ("perfect", "noise")
        )
        if name != "lsd_nvsr":  # digital silence counts as 12 there, see test_lsd.py
            assert sign * perfect > sign * value_on_speech(name)
        assert sign * value_on_speech(name) > sign * noise

    @pytest.mark.parametrize("name", CORE)
    def test_repeats_to_the_last_bit_and_returns_a_float(self, name):
        again = METRICS[name](speech(), upscaled(speech()), 16000, CUTOFF)
        assert type(again) is float
        assert again == value_on_speech(name)

    @pytest.mark.parametrize("name", CORE)
    @pytest.mark.parametrize("rate", [16000, 24000])
    def test_takes_read_only_signals_and_leaves_them_alone(self, name, rate):
        signals = [speech(rate).copy(), upscaled(speech(rate), rate)]
        kept = [signal.copy() for signal in signals]
        for signal in signals:
            signal.setflags(write=False)
        METRICS[name](*signals, rate, CUTOFF)
        for signal, before in zip(signals, kept, strict=True):
            np.testing.assert_array_equal(signal, before)

    @pytest.mark.parametrize("name", CORE)
    def test_float32_is_measured_as_float64_of_the_same_values(self, name):
        r, e = speech().astype(np.float32), upscaled(speech()).astype(np.float32)
        assert METRICS[name](r, e, 16000, CUTOFF) == METRICS[name](
            r.astype(np.float64), e.astype(np.float64), 16000, CUTOFF
        )

    @pytest.mark.parametrize("name", CORE)
    def test_takes_views_that_are_not_contiguous(self, name):
        both = np.stack([speech(), upscaled(speech())], axis=1)
        assert METRICS[name](both[:, 0], both[:, 1], 16000, CUTOFF) == value_on_speech(name)

    @pytest.mark.parametrize("name", CORE)
    def test_one_sample(self, name):
        metric = METRICS[name]
        if name in ("snr", "si_sdr", "mse"):
            assert metric(np.array([0.5]), np.array([0.25]), 16000) > 0
        else:
            with pytest.raises(UndefinedMetric, match="1 samples"):
                metric(np.array([0.5]), np.array([0.25]), 16000, CUTOFF)

    @pytest.mark.parametrize("name", [name for name in CORE if name != "mse"])
    def test_silent_reference_is_undefined(self, name):
        with pytest.raises(UndefinedMetric, match="the reference is silent"):
            METRICS[name](np.zeros(16000), speech()[:16000], 16000, CUTOFF)

    @pytest.mark.parametrize("name", ["pesq", "pesq_nb", "stoi", "estoi"])
    def test_is_deaf_above_what_it_says_it_hears(self, name):
        """A loud tone well above moves nothing; one below does."""
        metric, rate = METRICS[name], 48000
        r = speech(rate)
        e = upscaled(r, rate)
        value, top = metric(r, e, rate), metric.hears(rate)
        k = np.arange(len(r))
        above, below = (e + 0.02 * np.sin(2 * np.pi * f / rate * k) for f in (1.6 * top, 0.6 * top))
        assert abs(metric(r, above, rate) - value) < 0.01
        assert abs(metric(r, below, rate) - value) > 0.015

    @pytest.mark.parametrize(
        "name", [name for name in CORE if METRICS[name].hears(48000) == 24000 and name != "lsd_lf"]
    )
    def test_hears_up_to_the_nyquist_frequency(self, name):
        r = speech(48000)
        tone = r + 0.05 * np.sin(2 * np.pi * 23000 / 48000 * np.arange(len(r)))
        values = [METRICS[name](r, e, 48000, CUTOFF) for e in (r + 1e-9, tone)]
        assert values[0] != pytest.approx(values[1], rel=1e-3)


class TestMeasureAll:
    def test_gives_the_same_values_as_one_at_a_time(self):
        r, e = speech(), upscaled(speech())
        for names in (CORE, CORE[::-1]):
            values, undefined = measure_all(Pair(r, e, 16000, CUTOFF), define(names, 16000, CUTOFF))
            assert undefined == {}
            assert list(values) == list(names)
            assert values == {name: value_on_speech(name) for name in names}

    @pytest.mark.parametrize("rate", [24000, 48000])
    def test_at_other_rates(self, rate):
        r, e = speech(rate)[:rate], upscaled(speech(rate), rate)[:rate]
        values, _ = measure_all(Pair(r, e, rate, CUTOFF), define(CORE, rate, CUTOFF))
        assert values == {name: METRICS[name](r, e, rate, CUTOFF) for name in CORE}

    def test_collects_what_is_undefined(self):
        values, undefined = measure_all(Pair(np.zeros(16000), speech()[:16000], 16000), define(CORE, 16000, CUTOFF))
        assert list(values) == ["mse"]
        assert sorted(undefined) == sorted(set(CORE) - {"mse"})
        assert all("the reference is silent" in reason for reason in undefined.values())

    def test_of_a_silent_estimate(self):
        r = speech()
        values, undefined = measure_all(Pair(r, np.zeros(len(r)), 16000), define(CORE, 16000, CUTOFF))
        assert sorted(undefined) == ["estoi", "pesq", "pesq_nb", "si_sdr", "stoi"]
        assert all("the estimate is silent" in reason for reason in undefined.values())
        assert values["snr"] == pytest.approx(0.0, abs=1e-12)
        assert all(isfinite(value) for value in values.values())

    def test_of_a_short_pair(self):
        r = speech()[16000:17000]
        values, undefined = measure_all(Pair(r, 0.5 * r, 16000), define(CORE, 16000, CUTOFF))
        assert sorted(values) == ["lsd_nvsr", "mse", "si_sdr", "snr"]
        assert values["si_sdr"] == inf
        assert all("1000 samples" in reason for reason in undefined.values())

    def test_does_not_hide_misuse(self):
        class Broken:
            def measure(self, pair: Pair) -> float:
                raise SrbenchError("misuse")

        with pytest.raises(SrbenchError, match="misuse"):
            measure_all(Pair(speech(), speech(), 16000), {"broken": Broken()})


# Linear interpolation of two seconds of demo1_001, as 16-bit samples, from 4 to 16 kHz. A value moves only together
# with the metric's own version `v`, and with a line under "Scores changed" in the change log.
GOLDEN = {
    "snr": 11.067154,
    "si_sdr": 10.871103,
    "mse": 0.00016969272,
    "lsd": 2.7294582,
    "lsd_hf": 3.0449256,
    "lsd_lf": 1.3515586,
    "lsd_paper": 6.2848097,
    "lsd_kuleshov": 5.6376912,
    "lsd_nvsr": 3.3070991,
    "lsd_tunet": 5.6376912,
    "pesq": 1.2654357,
    "pesq_nb": 2.1308742,
    "stoi": 0.8282841,
    "estoi": 0.59657051,
}


@pytest.mark.parametrize("name", CORE)
def test_golden_value(name):
    r = np.round(speech() * 32768) / 32768
    tolerance = 1e-3 if name.startswith("pesq") else 1e-6  # PESQ works in single precision
    assert METRICS[name](r, upscaled(r), 16000, CUTOFF) == pytest.approx(GOLDEN[name], rel=tolerance)


@pytest.mark.skipif("SRBENCH_VCTK" not in os.environ, reason="SRBENCH_VCTK names no VCTK folder")
def test_vctk():
    """Values on real recordings lie within their range, and one pass gives what single calls give."""
    for utterance in open_corpus(os.environ["SRBENCH_VCTK"]).utterances[1:4]:
        r, rate = audio.read(utterance.path)
        r = r[: len(r) - len(r) % 4]
        e = upscaled(r, rate)
        values, undefined = measure_all(Pair(r, e, rate, CUTOFF), define(CORE, rate, CUTOFF))
        assert undefined == {}
        for name, value in values.items():
            assert METRICS[name].range[0] <= value <= METRICS[name].range[1]
            assert value == METRICS[name](r, e, rate, CUTOFF)


@pytest.mark.parametrize(
    ("asked", "name"), [("SNR", "snr"), ("si-sdr", "si_sdr"), ("SI SDR", "si_sdr"), ("LSD-HF", "lsd_hf")]
)
def test_case_and_hyphens_make_no_other_metric(asked, name):
    assert get_metric(asked).name == name
    assert list(define([asked, name], 16000, 4000)) == [name]


@pytest.mark.parametrize(
    ("asked", "meant"),
    [("sisnr", "si_sdr"), ("si_snr", "si_sdr"), ("pesq-wb", "pesq"), ("mos", "dnsmos"), ("sdr", "si_sdr")],
)
def test_what_a_name_means_goes_before_how_it_is_spelt(asked, meant):
    with pytest.raises(SrbenchError, match=f"Did you mean '{meant}'"):
        get_metric(asked)
