"""Details that the tests of one metric at a time leave open: found by mutating the source (`make mutants`)."""

from __future__ import annotations

from importlib import metadata
from math import inf, log10

import numpy as np
import pystoi
import pytest
from kit import noise

from srbench.errors import SrbenchError
from srbench.metrics import METRICS, Pair, intelligibility
from srbench.metrics.intelligibility import Stoi, _extended
from srbench.metrics.lsd import Lsd, measure_ahead
from srbench.metrics.metric import needs_rate
from srbench.metrics.quality import Pesq, _reason
from srbench.metrics.spectra import power_spectra

PESQ = f"impl:pesq-{metadata.version('pesq')}"
PYSTOI = f"impl:srbench+pystoi-{metadata.version('pystoi')}"
LSD = "nfft:2048|hop:512|win:hann|center:yes|pad:reflect"
# at 48 kHz with the cutoff at 2 kHz
SIGNATURES = {
    "snr": "SNR|of:power|log:10log10|floor:none|v:1",
    "si_sdr": "SI-SDR|mean:kept|floor:none|v:1",
    "mse": "MSE|full_scale:1|v:1",
    "lsd": f"LSD|log:10|of:power|{LSD}|floor:max1e-8|eps:0|pool:rms_f.mean_t|band:full|clip:none|sr:48000|v:1",
    "lsd_hf": (
        f"LSD|log:10|of:power|{LSD}|floor:max1e-8|eps:0|pool:rms_f.mean_t|band:above2000|clip:none|sr:48000"
        "|bins:85-1024|v:1"
    ),
    "lsd_lf": (
        f"LSD|log:10|of:power|{LSD}|floor:max1e-8|eps:0|pool:rms_f.mean_t|band:below2000|clip:none|sr:48000"
        "|bins:0-84|v:1"
    ),
    "lsd_paper": f"LSD|log:e|of:power|{LSD}|floor:max1e-8|eps:0|pool:rms_f.mean_t|band:full|clip:none|sr:48000|v:1",
    "lsd_kuleshov": f"LSD|log:e|of:power|{LSD}|floor:add1e-8|eps:1e-8|pool:rms_t.mean_f|band:full|clip:10|sr:48000|v:1",
    "lsd_nvsr": (
        "LSD|log:10|of:power|nfft:2229|hop:480|win:hann|center:yes|pad:reflect"
        "|floor:ratio1e-12|eps:0|pool:rms_f.mean_t|band:full|clip:none|sr:48000|v:1"
    ),
    "lsd_tunet": f"LSD|log:e|of:power|{LSD}|floor:add1e-8|eps:1e-8|pool:rms_t.mean_f|band:full|clip:none|sr:48000|v:1",
    "pesq": f"PESQ|mode:wb|in:48000|resample:soxr-HQ-16000|{PESQ}|corrigendum2:no|v:1",
    "pesq_nb": f"PESQ|mode:nb|in:48000|resample:soxr-HQ-16000|{PESQ}|corrigendum2:no|v:1",
    "stoi": f"STOI|extended:no|sr:48000|resample:octave-10000|{PYSTOI}|noise:seed0|v:1",
    "estoi": f"STOI|extended:yes|sr:48000|resample:octave-10000|{PYSTOI}|noise:seed0|v:1",
}


class TestSignatures:
    @pytest.mark.parametrize("name", [name for name in METRICS if not METRICS[name].extra])
    def test_of_every_metric(self, name):
        assert str(METRICS[name].signature(48000, 2000.0)) == SIGNATURES[name]

    def test_at_its_own_rate_nothing_is_resampled(self):
        assert str(Pesq("nb", 16000).signature()) == (f"PESQ|mode:nb|in:16000|resample:none|{PESQ}|corrigendum2:no|v:1")
        assert str(Stoi(True, 10000).signature()) == (
            f"STOI|extended:yes|sr:10000|resample:none|{PYSTOI}|noise:seed0|v:1"
        )


@pytest.mark.parametrize("name", SIGNATURES)
@pytest.mark.parametrize(("rate", "nyquist"), [(6000, 3000.0), (9000, 4500.0), (16000, 8000.0), (48000, 24000.0)])
def test_hears(name, rate, nyquist):
    top = {"pesq": 8000.0, "pesq_nb": 3400.0, "stoi": 5000.0, "estoi": 5000.0}.get(name, inf)
    assert METRICS[name].hears(rate) == min(top, nyquist)


def test_the_least_rate_is_enough():
    needs_rate("PESQ", 16000, 16000)
    with pytest.raises(SrbenchError, match=r"^PESQ needs a sample rate of at least 16000 Hz, not 15999$"):
        needs_rate("PESQ", 15999, 16000)


class TestWaveform:
    def test_noise_too_small_to_be_squared_is_none(self):
        """1e-200² is 0 in float64."""
        y, x = np.array([1.0, 0.0]), np.array([1.0, 1e-200])
        assert METRICS["snr"](y, x, 16000) == inf
        assert METRICS["si_sdr"](y, x, 16000) == inf

    def test_noise_of_energy_1_is_noise(self):
        assert METRICS["snr"](np.array([2.0, 0.0]), np.array([1.0, 0.0]), 16000) == pytest.approx(10 * log10(4))

    def test_a_reference_of_energy_1_is_not_silent(self):
        assert METRICS["snr"](np.array([1.0, 0.0]), np.array([0.5, 0.0]), 16000) == pytest.approx(10 * log10(4))

    def test_si_sdr_where_target_or_distortion_have_energy_1(self):
        """Both from signals of peak 1: |target|² = 1 with |distortion|² = 1/4, and the other way round."""
        assert METRICS["si_sdr"](np.array([1.0, 0.0]), np.array([1.0, 0.5]), 16000) == pytest.approx(10 * log10(4))
        assert METRICS["si_sdr"](np.array([1.0, 0.0]), np.array([0.5, 1.0]), 16000) == pytest.approx(-10 * log10(4))


class TestPair:
    @pytest.mark.parametrize("name", ["snr", "lsd", "lsd_lf"])
    def test_every_metric_refuses_an_impossible_cutoff(self, name):
        """Those too that have no use for it: the call's cutoff is the pair's."""
        with pytest.raises(SrbenchError, match="the cutoff must lie between 0 and 8000 Hz, not at 9000"):
            METRICS[name](noise(4096), noise(4096), 16000, 9000.0)

    @pytest.mark.parametrize("cutoff", [0.001, 0.5, 7999.9])
    def test_the_cutoff_lies_anywhere_between_0_and_half_the_rate(self, cutoff):
        assert Pair(noise(10), noise(10), 16000, cutoff).cutoff == cutoff

    @pytest.mark.parametrize("rate", [1000, 1_000_000])
    def test_the_lowest_and_the_highest_rate(self, rate):
        pair = Pair(noise(10), noise(10), rate)
        assert (pair.sample_rate, pair.cutoff) == (rate, None)

    def test_a_rate_comes_back_as_an_int(self):
        assert type(Pair(noise(10), noise(10), 16000.0).sample_rate) is int

    def test_what_is_remembered_may_be_none(self):
        calls = []
        pair = Pair(noise(10), noise(10), 16000)
        for _ in range(2):
            assert pair.once("key", lambda: calls.append(1)) is None
        assert calls == [1]


class TestLsd:
    def test_the_smallest_transform(self):
        """n_fft 2: the window is 0, 1, so every power is x², in both bins."""
        r, e = np.array([1.0, 2.0, 4.0, 8.0]), np.array([1.0, 20.0, 4.0, 8.0])
        found = Lsd(n_fft=2, hop=1, center=False).measure(Pair(r, e, 16000))
        assert found == pytest.approx(2 / 3, abs=1e-12)

    def test_one_frame_without_centring(self):
        r = noise(2048)
        assert Lsd(center=False).measure(Pair(r, 10 * r, 16000)) == pytest.approx(2.0, abs=1e-9)

    def test_a_band_of_one_bin(self):
        for band, bins in (("below7.9", (0, 1)), ("above7999", (1024, 1025)), ("above0", (0, 1025))):
            assert Lsd(band=band).bins() == bins
        with pytest.raises(SrbenchError, match="holds no bin"):
            Lsd(band="below7.8")

    def test_a_band_reaches_to_the_last_bin_at_most(self):
        assert Lsd(band="below90000").bins() == (0, 1025)
        assert Lsd(band="below8000").bins() == (0, 1025)

    def test_without_a_cap_or_below_it(self):
        pair = Pair(noise(4096), 10 * noise(4096), 16000)
        assert Lsd(clip=2.5).measure(pair) == pytest.approx(2.0, abs=1e-9)
        assert Lsd(clip=1.5).measure(pair) == 1.5
        assert Lsd(clip=0.0).measure(pair) == 0.0

    @pytest.mark.parametrize("floor", ["xmax1e-8", "max", "MAX1e-8", "min1e-8", "maxinf"])
    def test_floors_refused(self, floor):
        with pytest.raises(SrbenchError, match=f"floor must be like max1e-8, add1e-8 or ratio1e-12, not '{floor}'"):
            Lsd(floor=floor)

    def test_transforms_of_one_pair_do_not_mix(self):
        """What one definition leaves in the pair does not reach another."""
        r, e = noise(9000), noise(9000, seed=1)
        e[:3000] = 0
        definitions = [
            Lsd(),
            *(Lsd(**{k: v}) for k, v in {"n_fft": 1024, "hop": 256, "center": False, "pad": "zeros"}.items()),
            *(Lsd(floor=floor) for floor in ("max1e-4", "add1e-8", "add1e-4", "ratio1e-12")),
        ]
        pair = Pair(r, e, 16000)
        together = [definition.measure(pair) for definition in definitions]
        assert together == [definition.measure(Pair(r, e, 16000)) for definition in definitions]
        assert len(set(together)) == len(together)

    @pytest.mark.parametrize("floor", ["max1e-8", "add1e-8", "ratio1e-12"])
    def test_squared_differences_are_what_is_averaged(self, floor):
        r, e = noise(9000), noise(9000, seed=1)
        found = Lsd(floor=floor).squared_differences(Pair(r, e, 16000))
        assert found.shape == (18, 1025)
        mean = np.sqrt(found.mean(axis=1)).mean()
        assert Lsd(floor=floor).measure(Pair(r, e, 16000)) == pytest.approx(mean, rel=1e-12)

    def test_one_pass_for_each_transform(self, monkeypatch):
        """Of all that are measured together; and one that has no value does not cost the others their pass."""
        passes = []
        monkeypatch.setattr(
            "srbench.metrics.lsd.power_spectra",
            lambda pair, n_fft, *rest: passes.append(n_fft) or power_spectra(pair, n_fft, *rest),
        )
        definitions = [
            Lsd(),
            Lsd(log="e"),
            Lsd(floor="add1e-8"),
            Lsd(n_fft=743, hop=160),
            Lsd(n_fft=743, hop=160, log="e"),
        ]
        pair = Pair(noise(9000), noise(9000, seed=1), 16000)
        measure_ahead(pair, definitions)
        values = [definition.measure(pair) for definition in definitions]
        assert passes == [2048, 743]
        assert len(set(values)) == len(values)
        short = Pair(noise(1000), noise(1000, seed=1), 16000)
        passes.clear()
        measure_ahead(short, definitions)
        for definition in definitions[-2:]:
            definition.measure(short)
        assert passes == [2048, 743]


class TestStoi:
    @pytest.mark.parametrize("count", [1, 2, 4, 5, 8, 9, 17])
    def test_noise_is_one_stream(self, count, monkeypatch):
        """As long as it is kept (8 numbers here) it is drawn once for all; longer ones begin alike."""
        monkeypatch.setattr(intelligibility, "_KEPT_NOISE", 8)
        found = intelligibility._noise(count)
        assert found.tolist() == (2.220446049250313e-16 * np.random.default_rng(0).standard_normal(count)).tolist()
        assert np.shares_memory(found, intelligibility._noise(count)) == (count <= 8)

    @pytest.mark.parametrize("name", ["stoi", "estoi"])
    @pytest.mark.parametrize("levels", [(1, 1e-17), (1e-15, 1), (1e-15, 1e-15)])
    def test_very_quiet_signals_as_in_pystoi(self, name, levels):
        """Where the 2e-16 added to every norm counts; and it is noise alone to ESTOI."""
        rng = np.random.default_rng(0)
        r, e = rng.standard_normal(20000), rng.standard_normal(20000) ** 5
        r, e = levels[0] * r, levels[1] * e
        theirs = pystoi.stoi(r, e, 10000, extended=name == "estoi")
        assert METRICS[name](r, e, 10000) == pytest.approx(theirs, abs=1e-9 if name == "stoi" else 0.01)

    def test_estoi_where_noise_decides(self):
        """A segment of digital silence is seeded noise alone: another draw, order or sign gives another value."""
        r = np.random.default_rng(0).standard_normal(20000)
        e = r + 0.5 * np.random.default_rng(1).standard_normal(20000)
        e[6000:16000] = 0
        assert METRICS["estoi"](r, e, 10000) == pytest.approx(0.26303288, abs=1e-5)

    def test_estoi_of_bands_that_move_alike(self):
        """Equal rows leave nothing of a column but the noise added to it."""
        alike = np.broadcast_to(1e20 * np.tile([1.0, -1.0], 15), (3, 15, 30))
        other = np.random.default_rng(5).standard_normal((3, 15, 30))
        assert _extended(other, alike) == pytest.approx(0.0435, abs=0.004)
        assert _extended(alike, other) == pytest.approx(-0.0080, abs=0.004)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("No utterances detected."), "No utterances detected"),
        (ValueError("No utterances!"), "No utterances"),
        (ValueError("...what now?!"), "...what now?"),
        (ValueError("X marks the spot: X"), "X marks the spot: X"),
        (ValueError(" ends in a space "), " ends in a space "),
        (
            ValueError(b"Buffer needs to be at least 1/4 of a second.\xff!"),
            "Buffer needs to be at least 1/4 of a second.�",
        ),
        (ValueError(7), "7"),
        (ValueError("first", "second"), "first"),
        (KeyError(), "KeyError"),
    ],
)
def test_reason_that_pesq_gives(error, text):
    assert _reason(error) == text


@pytest.mark.parametrize("floor", ["max1e-8x", "max", "add-1", "ratio1e", "clamp1e-8", "max1,5"])
def test_floor_that_is_not_one_is_refused(floor: str) -> None:
    with pytest.raises(SrbenchError, match="floor must be like"):
        Lsd(floor=floor)
