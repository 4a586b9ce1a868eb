"""ViSQOL and DNSMOS, from the optional packages; few calls, for they are slow."""

from __future__ import annotations

import sys
from importlib import metadata

import numpy as np
import pytest

from srbench import audio
from srbench.corpora import demo_corpus
from srbench.errors import SrbenchError, UndefinedMetric
from srbench.metrics import METRICS, Pair, perceptual

# What the packages and their own dependencies warn about when they are imported and run is not ours to mend.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::SyntaxWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
VISQOL, DNSMOS = METRICS["visqol"], METRICS["dnsmos"]


def speech(rate: int, seconds: float = 2.0) -> np.ndarray:
    samples, recorded = audio.read(demo_corpus().utterances[1].path)
    return audio.resample(samples, recorded, rate)[: round(seconds * rate)]


@pytest.fixture(scope="session")
def pair() -> tuple[np.ndarray, np.ndarray]:
    """Two seconds of speech at 16 kHz, and the same in noise."""
    r = speech(16000)
    return r, r + 0.02 * np.random.default_rng(0).standard_normal(len(r))


@pytest.fixture(scope="session")
def installed_visqol():
    return pytest.importorskip("visqol")


@pytest.fixture(scope="session")
def installed_dnsmos():
    pytest.importorskip("onnxruntime")
    return pytest.importorskip("speechmos.dnsmos")


@pytest.fixture(scope="session")
def mos(installed_dnsmos, pair) -> dict[str, float]:
    r, e = pair
    return {"clean": DNSMOS(r, r, 16000), "noisy": DNSMOS(r, e, 16000)}


class TestVisqol:
    @pytest.mark.parametrize("rate", [16000, 48000])
    def test_values(self, installed_visqol, rate):
        """A perfect estimate is near the top of its mode, noise lowers it, and the value repeats."""
        r = speech(rate)
        e = r + 0.02 * np.random.default_rng(0).standard_normal(len(r))
        kept = r.copy(), e.copy()
        for signal in (r, e):
            signal.setflags(write=False)
        perfect, noisy = VISQOL(r, r, rate), VISQOL(r, e, rate)
        assert type(noisy) is float
        assert {16000: 4.2, 48000: 4.7}[rate] < perfect <= 5.0
        assert 1.0 <= noisy < perfect - 0.2
        assert VISQOL(r, e, rate) == pytest.approx(noisy, rel=1e-9)  # some FFT libraries differ in the last bit
        np.testing.assert_array_equal(r, kept[0])
        np.testing.assert_array_equal(e, kept[1])

    def test_another_rate_is_resampled_to_that_of_its_mode(self, installed_visqol):
        r = speech(24000)
        e = r + 0.02 * np.random.default_rng(0).standard_normal(len(r))
        resampled = [audio.resample(signal, 24000, 16000) for signal in (r, e)]
        assert VISQOL(r, e, 24000) == VISQOL(*resampled, 16000)

    def test_speech_mode_is_deaf_above_8_khz_and_audio_mode_is_not(self, installed_visqol):
        assert VISQOL.hears(16000) == VISQOL.hears(24000) == 8000
        assert VISQOL.hears(48000) == 24000
        r = speech(48000)
        low = audio.resample(audio.resample(r, 48000, 16000), 16000, 48000)
        assert VISQOL(r, low, 48000) < VISQOL(r, r, 48000) - 0.05

    @pytest.mark.parametrize(
        ("rate", "wanted"),
        [
            (16000, "VISQOL|mode:speech|mapper:lattice|in:16000|resample:none|impl:visqol-python-{}|v:1"),
            (24000, "VISQOL|mode:speech|mapper:lattice|in:24000|resample:soxr-HQ-16000|impl:visqol-python-{}|v:1"),
            (44100, "VISQOL|mode:audio|mapper:svr|in:44100|resample:soxr-HQ-48000|impl:visqol-python-{}|v:1"),
            (48000, "VISQOL|mode:audio|mapper:svr|in:48000|resample:none|impl:visqol-python-{}|v:1"),
        ],
    )
    def test_signature(self, installed_visqol, rate, wanted):
        assert str(VISQOL.signature(rate)) == wanted.format(metadata.version("visqol-python"))

    @pytest.mark.parametrize("rate", [16000, 48000])
    def test_too_short(self, rate):
        r = speech(rate)[: rate - 1]
        with pytest.raises(
            UndefinedMetric, match=f"{rate - 1} samples are too short for ViSQOL, which needs one second"
        ):
            VISQOL(r, r, rate)


class TestDnsmos:
    def test_values(self, mos):
        assert all(type(value) is float and 1.0 <= value <= 5.0 for value in mos.values())
        assert mos["clean"] > mos["noisy"] + 0.1

    def test_is_of_the_estimate_alone_and_repeats(self, mos, pair):
        r, e = pair
        r, e = r.copy(), e.copy()
        r.setflags(write=False)
        e.setflags(write=False)
        assert DNSMOS(r[::-1], e, 16000) == mos["noisy"]
        np.testing.assert_array_equal(e, pair[1])

    def test_is_the_packages_overall_value(self, mos, pair, installed_dnsmos):
        assert mos["noisy"] == float(installed_dnsmos.run(pair[1], 16000)["ovrl_mos"])

    def test_beyond_full_scale_is_divided_by_the_peak(self, installed_dnsmos):
        r = speech(16000)
        r = r / np.abs(r).max()
        assert DNSMOS(r, 1.25 * r, 16000) == pytest.approx(DNSMOS(r, r, 16000), abs=1e-6)

    def test_what_overshoots_by_resampling_alone_has_a_value(self, installed_dnsmos):
        """A loud recording: within full scale at 48 kHz, above it at 16 kHz."""
        r = np.clip(4 * speech(48000) / np.abs(speech(48000)).max(), -1, 1)
        peak = np.abs(at_16 := audio.resample(r, 48000, 16000)).max()
        assert peak > 1
        assert DNSMOS(r, r, 48000) == float(installed_dnsmos.run(at_16 / peak, 16000)["ovrl_mos"])

    def test_signature(self, installed_dnsmos):
        version = metadata.version("speechmos")
        assert str(DNSMOS.signature(16000)) == (
            f"DNSMOS|of:estimate|over1:divided-by-peak|in:16000|resample:none|impl:speechmos-{version}|v:2"
        )
        assert dict(DNSMOS.signature(48000).fields)["resample"] == "soxr-HQ-16000"


@pytest.mark.parametrize(("metric", "title"), [(VISQOL, "ViSQOL"), (DNSMOS, "DNSMOS")], ids=["visqol", "dnsmos"])
class TestBoth:
    @pytest.mark.parametrize("silent", ["reference", "estimate"])
    def test_silence(self, metric, title, silent):
        signals = {"reference": speech(16000), "estimate": speech(16000)} | {silent: np.zeros(32000)}
        with pytest.raises(UndefinedMetric, match=f"the {silent} is silent: {title} is undefined"):
            metric(signals["reference"], signals["estimate"], 16000)

    @pytest.mark.parametrize("rate", [8000, 15999])
    def test_is_never_upsampled(self, metric, title, rate):
        with pytest.raises(SrbenchError, match=f"{title} needs a sample rate of at least 16000 Hz, not {rate}"):
            metric(speech(16000), speech(16000), rate)

    def test_signature_without_the_package(self, metric, title, monkeypatch):
        def absent(distribution: str) -> str:
            raise metadata.PackageNotFoundError(distribution)

        monkeypatch.setattr(perceptual.metadata, "version", absent)
        with pytest.raises(SrbenchError, match=rf"metric {metric.name} needs the package .*srbench\[perceptual\]"):
            metric.signature(16000)

    def test_measure_without_the_package(self, metric, title, monkeypatch):
        for module in ("visqol", "speechmos", "speechmos.dnsmos"):
            monkeypatch.setitem(sys.modules, module, None)
        perceptual._visqol.cache_clear()
        with pytest.raises(SrbenchError, match=rf"metric {metric.name} needs the package .*srbench\[perceptual\]"):
            metric.define(16000, None).measure(Pair(speech(16000), speech(16000), 16000))
