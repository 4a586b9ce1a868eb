"""Metrics on tensors: the definitions' values, gradients, padded batches, and means over utterances."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pytest
from kit import noise

import srbench
from srbench.metrics import METRICS

torch = pytest.importorskip("torch", reason="tensors need torch: pip install 'srbench[models]'")
functional = srbench.torch.functional
RATE, CUTOFF = 16000, 2000.0
NAMES = functional.__all__
TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-4}


def parameters(name: str) -> tuple[float, ...]:
    return (RATE, CUTOFF) if name in ("lsd_hf", "lsd_lf") else (RATE,) if name.startswith("lsd") else ()


def tensors(name: str, estimates, references, dtype=torch.float64, lengths=None):
    x, y = (torch.tensor(np.stack(each), dtype=dtype) for each in (estimates, references))
    return getattr(functional, name)(x, y, *parameters(name), lengths=lengths)


def pairs(n: int = 3, length: int = 9000) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(noise(length, k), noise(length, k) + noise(length, 100 + k, 0.03 * (k + 1))) for k in range(n)]


def test_every_metric_of_waveform_and_spectrum_has_its_function():
    assert set(NAMES) == {name for name in METRICS if name.startswith("lsd") or name in ("snr", "si_sdr", "mse")}


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_values_are_the_definitions(name: str, dtype):
    both = pairs()
    values = tensors(name, [e for _, e in both], [r for r, _ in both], dtype)
    expected = [METRICS[name](r, e, RATE, CUTOFF) for r, e in both]
    assert values.dtype == dtype
    assert values.tolist() == pytest.approx(expected, rel=TOLERANCE[dtype])


@pytest.mark.parametrize("name", NAMES)
def test_padding_does_not_count_whatever_it_holds(name: str):
    lengths = [9000, 5000, 1100]
    both = pairs()
    estimates, references = ([each.copy() for each in side] for side in ([e for _, e in both], [r for r, _ in both]))
    for row, end in enumerate(lengths):
        estimates[row][end:], references[row][end:] = np.nan, 7.0
    values = tensors(name, estimates, references, lengths=lengths)
    expected = [METRICS[name](r[:n], e[:n], RATE, CUTOFF) for (r, e), n in zip(both, lengths, strict=True)]
    assert values.tolist() == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_the_differences_quotient(name: str):
    (reference, estimate) = pairs(1, 1500)[0]
    x = torch.tensor(estimate[None], requires_grad=True)
    y = torch.tensor(reference[None])
    getattr(functional, name)(x, y, *parameters(name)).sum().backward()
    direction = noise(1500, 9)
    step = 1e-6
    ahead, behind = (METRICS[name](reference, estimate + s * direction, RATE, CUTOFF) for s in (step, -step))
    assert float(x.grad[0] @ torch.tensor(direction)) == pytest.approx((ahead - behind) / (2 * step), rel=1e-4)


def test_a_distance_of_zero_has_a_gradient_of_zero():
    signal = torch.tensor(noise(4000)[None])
    for name in (name for name in NAMES if name not in ("snr", "si_sdr")):
        x = signal.clone().requires_grad_()
        getattr(functional, name)(x, signal, *parameters(name)).sum().backward()
        assert torch.isfinite(x.grad).all(), name


@pytest.mark.parametrize("name", NAMES)
def test_without_a_value_it_is_nan_beside_others_that_have_one(name: str):
    reference, estimate = pairs(1)[0]
    values = tensors(name, [estimate, estimate], [np.zeros(9000), reference])
    assert math.isnan(values[0]) == (name != "mse")
    assert values[1] == pytest.approx(METRICS[name](reference, estimate, RATE, CUTOFF), rel=1e-10)
    if name.startswith("lsd"):
        assert tensors(name, [noise(300)], [noise(300)]).isnan().all()
        assert tensors(name, [estimate] * 2, [reference] * 2, lengths=[9000, 300]).isnan().tolist() == [False, True]


def test_equal_signals():
    signal = [noise(4000)]
    assert tensors("snr", signal, signal).tolist() == [math.inf]
    assert tensors("lsd", signal, signal).tolist() == [0.0]


@pytest.mark.parametrize(
    ("estimate", "reference", "lengths", "told"),
    [
        (torch.zeros(2, 1, 9), torch.zeros(2, 1, 9), None, r"x\[:, 0\]"),
        (torch.zeros(9), torch.zeros(9), None, r"\(batch, time\)"),
        (torch.zeros(2, 9), torch.zeros(2, 8), None, r"\(2, 9\), \(2, 8\)"),
        (torch.zeros(2, 9), torch.zeros(2, 9).double(), None, "differ in type"),
        (torch.zeros(2, 9).half(), torch.zeros(2, 9).half(), None, r"use \.float\(\)"),
        (np.zeros((2, 9)), torch.zeros(2, 9), None, "METRICS takes arrays"),
        (torch.zeros(2, 9), torch.zeros(2, 9), [9], "2 whole numbers"),
        (torch.zeros(2, 9), torch.zeros(2, 9), [9, 10], "1 to 9 samples"),
        (torch.zeros(2, 9), torch.zeros(2, 9), [9, 0], "1 to 9 samples"),
        (torch.zeros(2, 9), torch.zeros(2, 9), torch.ones(2), "whole numbers"),
    ],
)
def test_what_does_not_fit_is_refused(estimate, reference, lengths, told: str):
    with pytest.raises(srbench.SrbenchError, match=told):
        functional.snr(estimate, reference, lengths=lengths)


def test_the_mean_is_over_utterances_not_batches():
    pytest.importorskip("torchmetrics", reason="pip install 'srbench[torch]'")
    metrics = srbench.torch.metrics
    both = pairs(5)
    mean, distance = metrics.Snr(), metrics.LsdHf(RATE, CUTOFF)
    for part in (both[:1], both[1:]):
        x, y = (
            torch.tensor(np.stack(each), dtype=torch.float64) for each in ([e for _, e in part], [r for r, _ in part])
        )
        mean.update(x, y)
        distance.update(x, y)
    assert float(mean.compute()) == pytest.approx(np.mean([METRICS["snr"](r, e, RATE) for r, e in both]), rel=1e-10)
    expected = np.mean([METRICS["lsd_hf"](r, e, RATE, CUTOFF) for r, e in both])
    assert float(distance.compute()) == pytest.approx(expected, rel=1e-10)
    assert distance.signature == str(METRICS["lsd_hf"].signature(RATE, CUTOFF))
    assert (mean.higher_is_better, distance.higher_is_better) == (True, False)
    mean.update(torch.zeros(1, 4), torch.zeros(1, 4))
    assert (int(mean.count), int(mean.undefined)) == (5, 1)
    mean.reset()
    assert int(mean.count) == 0


def test_a_class_for_every_function():
    pytest.importorskip("torchmetrics", reason="pip install 'srbench[torch]'")
    metrics = srbench.torch.metrics
    assert {getattr(metrics, name).metric for name in metrics.__all__} == set(NAMES)
    for name in metrics.__all__:
        kind = getattr(metrics, name)
        both = pairs(2)
        mean = kind(*parameters(kind.metric))
        mean.update(*(torch.tensor(np.stack(each)) for each in ([e for _, e in both], [r for r, _ in both])))
        assert math.isfinite(mean.compute())


def _half(rank: int, place: str, batches, found) -> None:
    torch.distributed.init_process_group("gloo", init_method=f"file://{place}", rank=rank, world_size=2)
    mean = srbench.torch.metrics.Snr()
    mean.update(*batches[rank])
    found[rank] = float(mean.compute())
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_processes_compute_the_mean_over_all(tmp_path):
    pytest.importorskip("torchmetrics", reason="pip install 'srbench[torch]'")
    both = pairs(3)
    x, y = (torch.tensor(np.stack(each)) for each in ([e for _, e in both], [r for r, _ in both]))
    with torch.multiprocessing.Manager() as manager:
        found = manager.dict()
        halves = ((x[:1], y[:1]), (x[1:], y[1:]))
        torch.multiprocessing.spawn(_half, (str(tmp_path / "meet"), halves, found), nprocs=2)
        expected = np.mean([METRICS["snr"](r, e, RATE) for r, e in both])
        assert list(found.values()) == pytest.approx([expected] * 2, rel=1e-10)


@pytest.mark.parametrize("name", ["functional", "metrics"])
def test_examples_run(name: str):
    pytest.importorskip("torchmetrics", reason="pip install 'srbench[torch]'")
    found = doctest.testmod(getattr(srbench.torch, name))
    assert found.attempted
    assert not found.failed
