"""Inference in windows equals one pass over the whole signal, for every kind of network."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the networks need torch: pip install 'srbench[models]'")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from srbench_models import inference  # noqa: E402
from srbench_models.dnn_bwe import DNN, DNNConfig  # noqa: E402
from srbench_models.srcnn import SRCNN, SRCNNConfig  # noqa: E402
from srbench_models.unet import UNet, UNetConfig  # noqa: E402


def drawn(network: torch.nn.Module) -> torch.nn.Module:
    """Give every weight a value, the zeros of the last layer and batch norm's statistics too."""
    generator = torch.Generator().manual_seed(1)
    for parameter in network.parameters():
        if not parameter.any():
            parameter.data = 0.05 * torch.randn(parameter.shape, generator=generator)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_mean.normal_(generator=generator)
            module.running_var.uniform_(0.5, 2, generator=generator)
    return network.eval()


torch.manual_seed(0)
SMALL = {"blocks": 3, "first_filters": 8, "max_filters": 16, "first_kernel": 33}
NETWORKS = {
    "stacked": drawn(UNet(UNetConfig("concat", **SMALL))),
    "additive": drawn(UNet(UNetConfig("add", **SMALL))),
    "srcnn": drawn(SRCNN(SRCNNConfig((8, 4)))),
    "dnn": drawn(DNN(DNNConfig(units=16, layers=1))),
}


@pytest.fixture(autouse=True)
def short_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "WINDOW_SECONDS", 0.05)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("n", [1, 5, 200, 3001, 8192])
def test_windows_equal_one_pass(name: str, n: int):
    low = 0.1 * np.random.default_rng(n).standard_normal(n)
    network = NETWORKS[name]
    whole = inference.upscale_windows(network, [low], 4000, 16000)[0]
    step, margin, _ = inference.margins(network, 4, 4000)
    cut = inference.upscale_all(network, [low], 4000, 16000)[0]
    assert cut.shape == (4 * n,)
    assert np.abs(cut - whole).max() < 1e-5 * max(1, np.abs(whole).max())
    if n == 8192:
        assert len(list(inference.windows(n, step, margin))) > 2  # the test is of more than one window


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(1, 2500), min_size=1, max_size=4))
def test_signals_of_any_lengths_go_together_and_none_changes_another(lengths: list[int]):
    lows = [0.1 * np.random.default_rng(i).standard_normal(n) for i, n in enumerate(lengths)]
    network = NETWORKS["additive"]
    together = inference.upscale_all(network, lows, 4000, 16000)
    for low, made in zip(lows, together, strict=True):
        alone = inference.upscale_all(network, [low], 4000, 16000)[0]
        assert np.abs(made - alone).max() < 1e-5


@settings(deadline=None)
@given(st.integers(1, 5000), st.integers(1, 700), st.integers(0, 300))
def test_windows_cover_every_sample_once(length: int, step: int, margin: int):
    kept = [t for w in inference.windows(length, step, margin) for t in range(w.first, w.last)]
    assert kept == list(range(length))
    for w in inference.windows(length, step, margin):
        assert w.begin <= w.first < w.last <= w.end
        assert w.first - w.begin == min(margin, w.first)
        assert w.end - w.last == min(margin, length - w.last)


def test_bf16_is_near_and_not_the_same():
    low = 0.1 * np.random.default_rng(0).standard_normal(500)
    full, half = (
        inference.upscale_all(NETWORKS["stacked"], [low], 4000, 16000, precision=p)[0] for p in ("fp32", "bf16")
    )
    assert 0 < np.abs(full - half).max() < 0.05
