"""Faults planted over speech are named with their value; clean pairs raise no alarm."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from pairs_of_speech import RATE, delayed, half_band, speech, splined

import srbench
from srbench import audio
from srbench.errors import SrbenchError
from srbench.metrics import METRICS
from srbench.scoring import KINDS, PairWarning, Score, levels

SYSTEMS = os.environ.get("SRBENCH_SYSTEMS", "")
VCTK = os.environ.get("SRBENCH_VCTK", "")
ALARMS = {"delay", "polarity", "gain", "mismatch", "sample-rate"}


def only(score: Score, kind: str) -> PairWarning:
    (found,) = [warning for warning in score.warnings if warning.kind == kind]
    return found


def kinds(score: Score) -> set[str]:
    return {warning.kind for warning in score.warnings}


def test_a_copy_with_noise_has_no_warning():
    reference = speech()
    noise = 0.01 * np.random.default_rng(0).standard_normal(len(reference)) * reference.std()
    score = srbench.score(reference, reference + half_band(noise), RATE)
    assert kinds(score) <= {"bandwidth"}  # the high band is the reference's own, which is so
    assert score.repairs == ()


@pytest.mark.parametrize("by", [1, -1, 2, 7.5, -7.5, 160, -160])
@pytest.mark.parametrize("scale", [2, 4, 6])
def test_delays_are_named_and_measured(by: float, scale: int):
    reference, estimate, cutoff = splined(scale)
    clean = srbench.score(reference, estimate, RATE)
    late = delayed(estimate, by)
    for known in (cutoff, None):
        score = srbench.score(reference, late, RATE, known)
        found = only(score, "delay")
        assert found.value == pytest.approx(by, rel=0.02)
        assert ("delayed" if by > 0 else "early") in found.detail
        assert kinds(score) & ALARMS == {"delay"}
        effect = found.effects["snr"]
        assert effect.now == pytest.approx(score.metrics["snr"])
        assert effect.without == pytest.approx(clean.metrics["snr"], abs=0.15)


@pytest.mark.parametrize("by", [2, -7])
def test_excerpts_that_begin_and_end_loud(by: int):
    """The steps at their ends stay where they are, and would draw the delay towards 0."""
    reference, estimate, _ = splined(2)
    first = int(np.abs(reference).argmax())
    cut = slice(first, first + RATE // 2)
    late = np.roll(estimate[cut], by)
    late[slice(0, by) if by > 0 else slice(by, None)] = 0
    found = only(srbench.score(reference[cut] + 0.1, late + 0.1, RATE), "delay")
    assert found.value == pytest.approx(by, rel=0.02)


def test_the_line_tells_what_the_delay_costs():
    reference, estimate, _ = splined(2)
    clean = srbench.score(reference, estimate, RATE).metrics["snr"]
    late = np.concatenate([np.zeros(2), estimate[:-2]])
    score = srbench.score(reference, late, RATE)
    expected = f"delayed by 2.00 samples: SNR {score.metrics['snr']:.1f} dB would be {clean:.1f} dB if aligned"
    assert only(score, "delay").detail == expected


@pytest.mark.parametrize("scale", [2, 6])
def test_polarity(scale: int):
    reference, estimate, _ = splined(scale)
    score = srbench.score(reference, -estimate, RATE)
    assert kinds(score) & ALARMS == {"polarity"}
    found = only(score, "polarity")
    assert found.value == -1
    assert found.effects["snr"].without == pytest.approx(srbench.score(reference, estimate, RATE).metrics["snr"])


@pytest.mark.parametrize("db", [-40, -20, -6, -3, -1, -0.5, 0.5, 1, 3, 6, 12])
def test_gains_of_a_degraded_copy(db: float):
    reference = speech()
    noise = half_band(np.random.default_rng(1).standard_normal(len(reference))) * reference.std() / 30
    score = srbench.score(reference, (reference + noise) * 10 ** (db / 20), RATE)
    assert kinds(score) & ALARMS == {"gain"}
    assert only(score, "gain").value == pytest.approx(db, rel=0.02)


@pytest.mark.parametrize("db", [-40, -6, 6, 12])
@pytest.mark.parametrize("scale", [2, 4, 6])
def test_gains_of_splines(db: float, scale: int):
    """The low-pass itself has up to 0.1 dB of ripple."""
    reference, estimate, cutoff = splined(scale)
    for known in (cutoff, None):
        score = srbench.score(reference, estimate * 10 ** (db / 20), RATE, known)
        assert kinds(score) & ALARMS == {"gain"}
        found = only(score, "gain")
        assert found.value == pytest.approx(db, abs=max(0.02 * abs(db), 0.11))
        assert found.effects["snr"].without > found.effects["snr"].now


def test_delay_polarity_and_gain_at_once():
    reference, estimate, _ = splined(4)
    score = srbench.score(reference, -0.5 * delayed(estimate, 7.5), RATE)
    assert only(score, "delay").value == pytest.approx(7.5, rel=0.02)
    assert only(score, "gain").value == pytest.approx(20 * np.log10(0.5), rel=0.02)
    assert only(score, "polarity").value == -1


@pytest.mark.parametrize("level", [0.1, 0.3, 0.7])
@pytest.mark.parametrize("side", ["reference", "estimate"])
def test_clipping_is_counted(level: float, side: str):
    reference, estimate, _ = splined(2)
    whole = estimate if side == "estimate" else reference
    limit = level * np.abs(whole).max()
    count = np.count_nonzero(np.abs(whole) >= limit)
    cut = np.clip(whole, -limit, limit)
    pair = (reference, cut) if side == "estimate" else (cut, estimate)
    found = only(srbench.score(*pair, RATE), "clipped")
    assert (found.side, found.value) == (side, count)
    if side == "estimate":
        assert found.effects["snr"].without > found.effects["snr"].now


@pytest.mark.parametrize("offset", [0.003, -0.01, 0.1])
def test_offset(offset: float):
    reference, estimate, _ = splined(2)
    score = srbench.score(reference, estimate + offset, RATE)
    assert kinds(score) & ALARMS == set()
    found = only(score, "dc-offset")
    assert found.value == pytest.approx(offset, rel=0.02)
    assert found.effects["snr"].without == pytest.approx(
        srbench.score(reference, estimate, RATE).metrics["snr"], abs=0.1
    )


@pytest.mark.parametrize("number", range(4))
def test_half_band_reference(number: int):
    reference = half_band(speech(number))
    found = only(srbench.score(reference, speech(number), RATE), "bandwidth")
    assert found.side == "reference"
    assert found.value == pytest.approx(4000, rel=0.02)
    assert found.effects["lsd"].without < 0.1 * found.effects["lsd"].now


def test_nothing_above_the_cutoff():
    reference, estimate, cutoff = splined(4, model="sinc")
    (found,) = [w for w in srbench.score(reference, estimate, RATE, cutoff).warnings if w.kind == "bandwidth"]
    assert "nothing above the cutoff of 2000 Hz" in found.detail
    assert 1600 < found.value < 2100  # the low-pass begins at 0.8 of it
    unknown = only(srbench.score(reference, estimate, RATE), "bandwidth")
    assert unknown.detail.startswith("the estimate ends at")


@pytest.mark.parametrize("level", [1e-3, 0.01, 100.0])
def test_the_level_of_an_estimate_says_nothing_of_its_bands(level: float):
    reference, empty, cutoff = splined(4, model="sinc")
    noise = np.random.default_rng(0).standard_normal(len(reference)) * np.abs(reference) / 4
    full = empty + noise - half_band(noise, 1.1 * cutoff)
    for estimate, wanted in ((full, set()), (empty, {"bandwidth"})):
        score = srbench.score(reference, level * estimate, RATE, cutoff, metrics="snr")
        assert kinds(score) - {"dc-offset"} == {"gain", *wanted}
        plain = srbench.score(reference, estimate, RATE, cutoff, metrics="snr")
        assert score.checks["high_band_db"] == pytest.approx(plain.checks["high_band_db"], abs=0.01)


def test_a_copied_high_band():
    reference, estimate, cutoff = splined(2)
    cheat = half_band(estimate, 3500) + reference - half_band(reference, 3500)
    for late in (cheat, delayed(cheat, 3.25)):
        for known in (cutoff, None):
            score = srbench.score(reference, late, RATE, known)
            found = only(score, "bandwidth")
            assert "a copy of the reference's band above" in found.detail
            assert found.value > 0.95
            assert found.effects["lsd"].without > found.effects["lsd"].now


def test_identical():
    score = srbench.score(speech(), speech().copy(), RATE)
    assert kinds(score) == {"identical"}
    assert score.metrics["snr"] == np.inf


def test_swapped_recordings_do_not_match():
    for one, other in ((0, 1), (2, 5), (7, 3)):
        n = min(len(speech(one)), len(speech(other)))
        score = srbench.score(speech(one)[:n], speech(other)[:n], RATE)
        found = only(score, "mismatch")
        assert found.value < 0.5
        assert kinds(score) & ALARMS == {"mismatch"}
        assert score.checks["delay"] is None


@pytest.mark.parametrize("side", ["estimate", "reference"])
def test_rates_that_are_not_what_the_label_says(side: str):
    """44.1 kHz labelled 48 kHz, at a third of either."""
    reference, estimate, _ = splined(2)
    reference, estimate = audio.resample(reference, 16000, 48000), audio.resample(estimate, 16000, 48000)
    wrong = audio.resample(estimate if side == "estimate" else reference, 48000, 44100)
    pair = (reference, wrong) if side == "estimate" else (wrong, estimate)
    score = srbench.score(*pair, 48000, match_length="shorter")
    found = only(score, "sample-rate")
    assert (found.side, found.value) == (side, 44100)
    assert "delay" not in kinds(score)


def test_silence_whole_and_in_part():
    reference, estimate, _ = splined(2)
    assert kinds(srbench.score(reference, np.zeros_like(reference), RATE)) == {"silent"}
    score = srbench.score(np.zeros_like(reference), estimate, RATE)
    assert only(score, "silent").side == "reference"
    assert score.undefined.keys() == {"snr", "si_sdr", "lsd"}
    holed = estimate.copy()
    holed[len(holed) // 2 :] = 0
    assert 0.3 < only(srbench.score(reference, holed, RATE), "silent").value < 0.7


@pytest.mark.parametrize("start", range(9000, 9800, 150))
def test_gaps_are_named_from_50_ms_on_wherever_they_begin(start: int):
    """In noise that sounds throughout."""
    noise = 0.1 * np.random.default_rng(0).standard_normal(2 * RATE)
    for length, seen in ((790, False), (799, False), (800, True), (960, True)):
        holed = 0.99 * noise
        holed[start : start + length] = 0
        score = srbench.score(noise, holed, RATE, metrics="snr")
        assert ("silent" in kinds(score)) == seen, length
        if seen:
            assert only(score, "silent").value == pytest.approx(length / len(noise), rel=0.02)


def test_silence_before_speech_is_no_gap():
    """The reference has the room's noise there, the estimate zeros."""
    reference, estimate, _ = splined(2)
    reference = np.concatenate([1e-4 * np.random.default_rng(0).standard_normal(RATE // 2), reference[2000:]])
    estimate = np.concatenate([np.zeros(RATE // 2), estimate[2000:]])
    assert "silent" not in kinds(srbench.score(reference, estimate, RATE, metrics="snr"))


@pytest.mark.parametrize(("level", "told"), [(0.0, "silent"), (0.1, "constant at 0.1, which is silence")])
def test_a_constant_is_called_one(level: float, told: str):
    score = srbench.score(speech(), np.full(len(speech()), level), RATE, metrics="snr")
    assert only(score, "silent").detail == f"the estimate is {told}"


def test_silence_of_both_is_no_gap():
    assert levels.silent_share(np.zeros(RATE), np.zeros(RATE), RATE) == 0


def test_integers_cast_to_floats_are_told_so():
    reference, estimate, _ = splined(2)
    score = srbench.score(32768 * reference, 32768 * estimate + 50, RATE, metrics="snr")
    assert kinds(score) == {"full-scale"}
    told = [warning for warning in score.warnings if warning.kind == "full-scale"]
    assert [(each.side, each.value) for each in told] == [
        ("reference", 32768 * np.abs(reference).max()),
        ("estimate", np.abs(32768 * estimate + 50).max()),
    ]
    assert all("Divide 16-bit by 32768" in each.detail for each in told)
    one = srbench.score(reference, 32768 * estimate, RATE, metrics="snr")
    assert kinds(one) == {"full-scale", "gain"}


def test_what_cannot_be_scored_is_refused():
    reference, estimate, _ = splined(2)
    broken = estimate.copy()
    broken[100] = np.nan
    with pytest.raises(SrbenchError, match="the estimate holds 1 NaN or infinite samples"):
        srbench.score(reference, broken, RATE)
    with pytest.raises(SrbenchError, match=r"the estimate is 5 samples shorter .*match_length=\"shorter\" or \"pad\""):
        srbench.score(reference, estimate[:-5], RATE)
    with pytest.raises(SrbenchError, match="44100 Hz"):
        srbench.score(reference, estimate, RATE, estimate_rate=44100)
    with pytest.raises(SrbenchError, match="shape"):
        srbench.score(np.zeros((3, 2)), estimate, RATE)
    with pytest.raises(SrbenchError, match="floats"):
        srbench.score(np.zeros(3, np.int16), estimate, RATE)


def test_samples_too_large_for_sound_are_refused():
    with pytest.raises(SrbenchError, match=r"the estimate holds 1 samples beyond 2\^31 times full scale"):
        srbench.score(np.array([0.1, -0.1]), np.array([0.1, 1e30]), RATE)


def test_nothing_is_left_of_an_estimate_that_is_resampled():
    with pytest.raises(SrbenchError, match=r"the estimate is too short to be resampled to 1000 Hz"):
        srbench.score(np.ones(1), np.full(1, 0.5), 1000, estimate_rate=48000, resample=True)


@pytest.mark.parametrize(("n", "m"), [(2, 5), (2, 7), (6, 2)])
def test_a_few_samples_that_do_not_match(n: int, m: int):
    """At another rate nothing would be left of them."""
    for seed in range(20):
        generator = np.random.default_rng(seed)
        pair = generator.uniform(-1, 1, n), generator.uniform(-1, 1, m)
        assert srbench.score(*pair, 48000, match_length="pad").samples == n


def test_short_signals_are_scored_without_a_fall():
    generator = np.random.default_rng(0)
    for n in (1, 2, 10, 100, 600):
        score = srbench.score(generator.uniform(-1, 1, n), generator.uniform(-1, 1, n), RATE)
        assert kinds(score) <= set(KINDS)


@pytest.mark.parametrize("scale", [2, 4, 6])
@pytest.mark.parametrize("model", ["spline", "sinc"])
def test_clean_pairs_raise_no_alarm(scale: int, model: str):
    for number in range(0, 28, 4):
        reference, estimate, cutoff = splined(scale, number, model)
        for known in (cutoff, None):
            score = srbench.score(reference, estimate, RATE, known)
            assert kinds(score) & (ALARMS | {"low-band", "clipped", "dc-offset", "silent", "length"}) == set()


@pytest.mark.skipif(not VCTK, reason="SRBENCH_VCTK names no folder of recordings")
@pytest.mark.parametrize("scale", [2, 4, 6])
def test_clean_pairs_of_recordings_raise_no_alarm(scale: int):
    from srbench.protocols import load_protocol, prepare
    from srbench.upscaler import build_upscaler

    protocol = load_protocol(f"vctk-speaker1-r{scale}")
    spline, _ = build_upscaler("spline")
    for path in sorted(Path(VCTK).rglob("*.flac"))[::4]:
        prepared = prepare(*audio.read(path), protocol)
        estimate = spline(prepared.low, protocol.low_rate, protocol.high_rate)
        for known in (float(protocol.cutoff), None):
            assert kinds(srbench.score(prepared.reference, estimate, RATE, known)) & ALARMS == set(), path


@pytest.mark.skipif(not SYSTEMS, reason="SRBENCH_SYSTEMS names no folder of published outputs")
@pytest.mark.parametrize("system", ["linear", "unet", "mugan", "nuwave"])
def test_published_systems(system: str):
    """Only the linear interpolation is late: half a sample, as interpolation between the wrong points is."""
    for path in sorted((Path(SYSTEMS) / "reference").glob("*.wav")):
        reference, rate = audio.read(path)
        estimate, _ = audio.read(Path(SYSTEMS) / system / path.name)
        for known in (12000.0, None):
            score = srbench.score(reference, estimate, rate, known, match_length="shorter")
            assert kinds(score) & ALARMS == ({"delay"} if system == "linear" else set())
            if system == "linear":
                assert only(score, "delay").value == pytest.approx(0.5, rel=0.02)
                assert only(score, "delay").effects["snr"].without > score.metrics["snr"] + 1.5


def test_the_function_gives_the_metrics_numbers():
    reference, estimate, cutoff = splined(2)
    score = srbench.score(reference, estimate, RATE, cutoff, metrics=("snr", "lsd_hf", "lsd_nvsr"))
    for name, value in score.metrics.items():
        assert value == METRICS[name](reference, estimate, RATE, cutoff)


def test_the_effect_is_measured_on_every_metric_that_was_asked_for():
    reference, estimate, _ = splined(2)
    late = delayed(estimate, 160)
    score = srbench.score(reference, late, RATE, metrics=("snr", "pesq", "stoi"))
    effects = only(score, "delay").effects
    assert effects.keys() == {"snr", "pesq", "stoi"}
    assert effects["stoi"].now == score.metrics["stoi"]
    assert effects["stoi"].without > effects["stoi"].now + 0.1
