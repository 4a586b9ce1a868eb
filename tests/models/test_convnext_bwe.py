"""The network for every pair of rates: what it keeps, what it makes, and that nothing depends on how it is run."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from kit import noise

torch = pytest.importorskip("torch", reason="the networks need torch: pip install 'srbench[models]'")

from srbench_models import inference  # noqa: E402
from srbench_models.configurations import CONFIGURATIONS  # noqa: E402
from srbench_models.convnext_bwe import (  # noqa: E402
    RATES,
    ConvNeXtBWE,
    ConvNeXtConfig,
    _caution,
    _distance,
    log_amplitude,
)
from srbench_models.weights import load_weights  # noqa: E402

from srbench import audio  # noqa: E402
from srbench.audio import resample  # noqa: E402
from srbench.corpora import demo_corpus  # noqa: E402
from srbench.degradation import Sinc, degrade  # noqa: E402
from srbench.errors import SrbenchError  # noqa: E402
from srbench.metrics import Pair, measure_all  # noqa: E402
from srbench.metrics.lsd import nuwave  # noqa: E402
from srbench.protocols import load_protocol, prepare  # noqa: E402
from srbench.upscaler import build_upscaler  # noqa: E402

PAIRS = [
    *((low, high) for low in (2000, 4000, 8000) for high in (16000, 44100, 48000)),
    *((low, high) for low in (12000, 16000) for high in (24000, 44100, 48000)),
    *((24000, 44100), (24000, 48000), (Fraction(8000, 3), 16000), (11025, 44100), (8000, 11025)),
]


def small() -> ConvNeXtBWE:
    torch.manual_seed(0)
    network = ConvNeXtBWE(ConvNeXtConfig(width=16, blocks=2)).eval()
    with torch.no_grad():
        network.body.leave.bias[-384:] = -1.0  # gates that are shut, as training shuts them where nothing is weakened
    return network


def speechlike(rate: int, seconds: float = 2.0) -> np.ndarray:
    """Pulses of a falling pitch through a falling spectrum, with some noise."""
    n = round(rate * seconds)
    phase = np.cumsum(np.linspace(140, 90, n) / rate)
    pulses = np.diff(np.floor(phase), prepend=0.0)
    spectrum = np.fft.rfft(pulses + 0.01 * noise(n)) / (1 + np.fft.rfftfreq(n, 1 / rate) / 1000)
    return np.fft.irfft(spectrum, n)


def kept_db(low: np.ndarray, made: np.ndarray, low_rate: int, high_rate: int) -> float:
    """Return the SNR of what is below 0.9 of the cutoff against the input."""
    kept = np.fft.rfftfreq(len(made), 1 / high_rate) < 0.9 * low_rate / 2
    given, found = (np.fft.rfft(s)[kept] for s in (resample(low, low_rate, high_rate), made))
    return float(10 * np.log10(np.sum(np.abs(given) ** 2) / np.sum(np.abs(given - found) ** 2)))


@pytest.mark.parametrize(("low_rate", "high_rate"), PAIRS)
def test_every_pair_of_rates_gives_the_contract_s_length(low_rate: int | Fraction, high_rate: int):
    for n in (1, 7, 1234):
        made = inference.upscale_all(small(), [noise(n)], low_rate, high_rate)[0]
        assert made.shape == (int(n * Fraction(high_rate) / Fraction(low_rate)),)
        assert np.isfinite(made).all()


@pytest.mark.parametrize(("low_rate", "high_rate"), [(4000, 16000), (8000, 44100), (8000, 48000), (11025, 24000)])
def test_windows_equal_one_pass(monkeypatch: pytest.MonkeyPatch, low_rate: int, high_rate: int):
    monkeypatch.setattr(inference, "WINDOW_SECONDS", 0.05)
    low, network = noise(4 * low_rate + 3), small()
    whole = inference.upscale_windows(network, [low], low_rate, high_rate)[0]
    step, margin, _ = inference.margins(network, low_rate, high_rate)
    assert len(list(inference.windows(len(low), step, margin))) > 2  # the test is of more than one window
    cut = inference.upscale_all(network, [low], low_rate, high_rate)[0]
    assert np.abs(cut - whole).max() < 1e-5


def test_an_output_depends_on_no_more_than_the_reach():
    network, rate = small(), 16000
    x = torch.from_numpy(noise(rate)).float()[None, None]
    changed = x.clone()
    changed[..., rate // 2 :] += 0.1 * torch.randn(rate // 2, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        before, after = (network(each, torch.tensor([2000.0]), rate)[0, 0] for each in (x, changed))
    differs = torch.nonzero((before - after).abs() > 1e-6)
    assert rate // 2 - network.reach(rate) <= int(differs[0]) < rate // 2


def test_the_same_input_gives_the_same_bits():
    lows, network = [noise(3000, 1), noise(5000, 2)], small()
    first = inference.upscale_all(network, lows, 8000, 48000)
    again = [inference.upscale_all(network, [low], 8000, 48000)[0] for low in lows]
    assert all(np.array_equal(a, b) or np.abs(a - b).max() < 1e-6 for a, b in zip(first, again, strict=True))
    assert np.array_equal(again[0], inference.upscale_all(network, lows[:1], 8000, 48000)[0])


@pytest.mark.parametrize(("low_rate", "high_rate"), [(8000, 16000), (8000, 48000), (16000, 48000), (24000, 48000)])
def test_the_low_band_is_kept_to_40_db(low_rate: int, high_rate: int):
    reference = speechlike(high_rate)
    low = degrade(reference, high_rate, low_rate, Sinc())
    made = inference.upscale_all(small(), [low], low_rate, high_rate)[0]
    assert kept_db(low, made, low_rate, high_rate) > 40


@pytest.mark.parametrize(("low_rate", "high_rate"), [(4000, 16000), (8000, 24000), (8000, 48000)])
def test_the_true_bins_through_the_same_transforms_give_the_reference(low_rate: int, high_rate: int):
    network, reference = small(), speechlike(high_rate)
    raised = resample(degrade(reference, high_rate, low_rate, Sinc()), low_rate, high_rate)
    x, y = (torch.from_numpy(s).float()[None] for s in (raised, reference))
    given, true = network.spectrum(x, high_rate), network.spectrum(y, high_rate)
    missing = torch.arange(given.shape[-1]) * 31.25 >= 0.9 * low_rate / 2
    made = x + network.signal(torch.where(missing, true, given) - given, high_rate, x.shape[-1])
    assert nuwave(high_rate).measure(Pair(reference, made[0].double().numpy(), high_rate, low_rate / 2)) < 0.2


@pytest.mark.parametrize("rate", RATES)
def test_a_bin_is_the_same_frequency_and_level_at_every_rate(rate: int):
    tone = torch.sin(2 * np.pi * 1000 / rate * torch.arange(rate))[None]
    log = log_amplitude(small().spectrum(tone, rate))[0, 60]
    assert int(log.argmax()) == 32
    assert float(log.max()) == pytest.approx(0, abs=1e-3)


def test_the_named_network_is_small():
    network = CONFIGURATIONS["convnext_bwe"].outline()
    assert sum(p.numel() for p in network.parameters()) < 6e6


def test_the_loss_says_nothing_of_what_a_reference_does_not_have():
    network = small()
    x, y = (torch.from_numpy(noise(8192, seed)).float()[None, None] for seed in (1, 2))
    cutoff, rate = torch.tensor([2000.0]), torch.tensor([16000.0])
    spectrum = torch.fft.rfft(y)
    spectrum[..., torch.fft.rfftfreq(8192, 1 / 16000) > 5000] = 0
    narrow = torch.fft.irfft(spectrum)
    of_both = [float(network.objective(x, s, cutoff, torch.tensor([4500.0]), rate).detach()) for s in (y, narrow)]
    assert of_both[0] == pytest.approx(of_both[1], rel=0.02)
    assert float(network.objective(x, narrow, cutoff, torch.tensor([8000.0]), rate).detach()) > 1.2 * of_both[1]


def test_where_it_is_careful_too_loud_costs_more_than_too_soft():
    made, wanted, counts = torch.ones(1, 3, 5), torch.zeros(1, 3, 5), torch.ones(1, 1, 5)
    for cutoff, rate, ratio in ((2000.0, 16000, 2.0), (4000.0, 16000, 1.0), (2000.0, 48000, 1.0)):
        told = _caution(torch.tensor([cutoff]), rate)
        loud, soft = (float(_distance(a, b, counts, told)) for a, b in ((made, wanted), (wanted, made)))
        assert loud / soft == pytest.approx(ratio, rel=1e-3)


def test_a_configuration_that_cannot_be_is_told():
    with pytest.raises(SrbenchError, match="kernel must be odd"):
        ConvNeXtConfig(kernel=4)
    with pytest.raises(SrbenchError, match="width must be"):
        ConvNeXtConfig(width=0)


@pytest.fixture(scope="module")
def shipped() -> ConvNeXtBWE:
    return load_weights("convnext_bwe")[0]


AT_16K = [f"vctk-{kind}-{pair}" for kind in ("speaker1", "multispeaker") for pair in ("r2", "r4", "r6")]


@pytest.mark.parametrize("name", [*AT_16K, "vctk-test8-2k-16k", "vctk-test8-4k-16k", "vctk-test8-8k-16k"])
def test_the_shipped_weights_are_nearer_in_lsd_than_every_interpolation(shipped: ConvNeXtBWE, name: str):
    protocol = load_protocol(name)
    definitions = protocol.define_metrics(("lsd", "lsd_hf"))
    samples, rate = audio.read(demo_corpus().utterances[3].path)
    prepared = prepare(samples[: 4 * rate], rate, protocol)
    rates = protocol.low_rate, protocol.high_rate

    def scores(estimate: np.ndarray) -> tuple[float, float]:
        found = measure_all(Pair(prepared.reference, estimate, rates[1], protocol.cutoff), definitions)[0]
        return found["lsd"], found["lsd_hf"]

    made = scores(inference.upscale_all(shipped, [prepared.low], *rates)[0])
    for simple in ("hold", "spline", "sinc", "replicate"):
        other = scores(build_upscaler(simple)[0](prepared.low, *rates))
        assert made[0] < other[0], simple
        assert made[1] < other[1], simple


@pytest.mark.parametrize("low_rate", [4000, 8000])
def test_the_shipped_weights_keep_the_low_band_of_speech_to_40_db(shipped: ConvNeXtBWE, low_rate: int):
    samples, rate = audio.read(demo_corpus().utterances[0].path)
    low = degrade(samples[: 3 * rate // 4 * 4], rate, low_rate, Sinc())
    made = inference.upscale_all(shipped, [low], low_rate, rate)[0]
    assert kept_db(low, made, low_rate, rate) > 40
