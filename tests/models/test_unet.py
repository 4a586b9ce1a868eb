"""The networks: parameters, shapes, ordering, reach, any length, gradients; and that they start as the spline."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the networks need torch: pip install 'srbench[models]'")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from srbench_models.blocks import subpixel_shuffle  # noqa: E402
from srbench_models.configurations import CONFIGURATIONS, configuration  # noqa: E402
from srbench_models.dnn_bwe import DNN, DNNConfig  # noqa: E402
from srbench_models.unet import UNet, UNetConfig  # noqa: E402

from srbench.errors import SrbenchError  # noqa: E402

SMALL = {"blocks": 2, "first_filters": 8, "max_filters": 16, "first_kernel": 17}


def net(**options) -> torch.nn.Module:
    """A small U-Net that does something: with all its weights drawn, the last layer's too."""
    torch.manual_seed(0)
    made = UNet(UNetConfig(**{**SMALL, **options}))
    torch.nn.init.normal_(made.output.weight, std=0.1)
    return made.eval()


@pytest.mark.parametrize(
    ("name", "millions"),
    [("stacked_b4", 21.6), ("stacked_b5", 26.5), ("stacked_b5_1024", 62.4), ("additive_b5", 52.2)],
)
def test_parameters_are_those_of_the_paper(name: str, millions: float):
    with torch.device("meta"):
        made = CONFIGURATIONS[name].build()
    assert sum(p.numel() for p in made.parameters()) / 1e6 == pytest.approx(millions, abs=0.05)


def test_kernels_of_the_authors_code_give_its_count():
    made = configuration("unet", join="add", blocks=5, first_filters=64, max_filters=1024, first_kernel=33)
    with torch.device("meta"):
        assert sum(p.numel() for p in made.build().parameters()) / 1e6 == pytest.approx(48.1, abs=0.05)


def test_filters_and_kernels_of_the_table():
    stacked, additive = (CONFIGURATIONS[name].config for name in ("stacked_b5", "additive_b5"))
    assert [stacked.filters(b) for b in range(1, 6)] == [128, 256, 512, 512, 512]
    assert [additive.filters(b) for b in range(1, 6)] == [64, 128, 256, 512, 1024]
    assert [stacked.kernel(b) for b in range(1, 6)] == [65, 33, 17, 9, 9]


def test_shuffle_puts_channel_2c_plus_k_at_time_2t_plus_k():
    x = torch.arange(2 * 6 * 5.0).view(2, 6, 5)
    made = subpixel_shuffle(x)
    assert made.shape == (2, 3, 10)
    for b in range(2):
        for c in range(3):
            for t in range(5):
                for k in range(2):
                    assert made[b, c, 2 * t + k] == x[b, 2 * c + k, t]


@pytest.mark.parametrize("name", [name for name in CONFIGURATIONS if name != "convnext_bwe"])  # it has no spline
def test_every_configuration_keeps_the_length_and_starts_as_the_spline(name: str):
    if name in ("stacked_b5_1024", "additive_b5", "stacked_b5"):
        pytest.skip("the wide ones are the same code")
    made = CONFIGURATIONS[name].build().eval()
    x = 0.1 * torch.randn(2, 1, 1001)
    with torch.no_grad():
        y = made(x)
    assert y.shape == x.shape
    if not isinstance(made, DNN):
        assert torch.equal(y, x)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 400), st.sampled_from(["concat", "add"]))
def test_any_length_works_and_padding_at_the_end_changes_only_the_end(n: int, join: str):
    made = net(join=join)
    torch.manual_seed(n)
    x = torch.randn(1, 1, n + made.reach + 64)
    with torch.no_grad():
        assert made(x[..., :n]).shape == (1, 1, n)
        whole, part = made(x), made(x[..., : n + made.reach])
    assert torch.allclose(whole[..., :n], part[..., :n], atol=1e-5)


@pytest.mark.parametrize("join", ["concat", "add"])
@pytest.mark.parametrize("reduction", ["linear", "pointwise", "maxpool", "avgpool"])
def test_the_skips_are_used(join: str, reduction: str):
    """With nothing coming from below, the output still depends on the input through the skips."""
    made = net(join=join, reduction=reduction, residual=False)
    for up in made.up:
        torch.nn.init.zeros_(up.conv.weight)
        torch.nn.init.zeros_(up.conv.bias)
    with torch.no_grad():
        a, b = made(torch.randn(1, 1, 256)), made(torch.randn(1, 1, 256))
    assert not torch.allclose(a, b)


@pytest.mark.parametrize("join", ["concat", "add"])
def test_reach_covers_the_receptive_field_and_not_much_more(join: str):
    made = net(join=join, batch_norm=False)
    n, middle = 4 * made.reach, 2 * made.reach
    x = torch.zeros(1, 1, n, requires_grad=True)
    made(x + 0.01 * torch.randn(1, 1, n))[0, 0, middle].backward()
    touched = x.grad[0, 0].abs().nonzero().flatten()
    extent = max(middle - int(touched.min()), int(touched.max()) - middle)
    assert 0.6 * made.reach < extent <= made.reach


@pytest.mark.parametrize("join", ["concat", "add"])
def test_moves_with_its_input_by_multiples_of_the_stride_alone(join: str):
    made = net(join=join)
    x = torch.zeros(1, 1, 1024)
    x[..., 400:500] = torch.randn(100)
    with torch.no_grad():
        plain = made(x)
        moved, off = (made(x.roll(k, -1)).roll(-k, -1) for k in (made.stride, 1))
    inside = slice(made.reach, 1024 - made.reach)
    assert torch.allclose(moved[..., inside], plain[..., inside], atol=1e-5)
    assert not torch.allclose(off[..., inside], plain[..., inside], atol=1e-5)


@pytest.mark.parametrize("join", ["concat", "add"])
def test_every_weight_gets_a_gradient(join: str):
    made = net(join=join, batch_norm=True).train()
    made(torch.randn(4, 1, 512)).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in made.parameters() if p.ndim > 1)


def test_options_are_options_of_one_network():
    def count(**options) -> int:
        return sum(p.numel() for p in UNet(UNetConfig(**{**SMALL, **options})).parameters())

    assert count(reduction="pointwise") > count(reduction="linear") > count(reduction="maxpool")
    assert count(reduction="maxpool") == count(reduction="avgpool")
    assert count(batch_norm=True) > count(batch_norm=False)
    relu = net(slope=0.0)
    assert relu.down[0].activation(torch.tensor([-1.0])).item() == 0
    assert net(slope=0.3).down[0].activation(torch.tensor([-1.0])).item() == pytest.approx(-0.3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"join": "sum"}, "join is concat or add"),
        ({"reduction": "max"}, "reduction is one of"),
        ({"blocks": 0}, "blocks must be"),
        ({"first_filters": 7}, "filters must be even"),
        ({"first_kernel": 64}, "power of two and one"),
        ({"dropout": 1.0}, "dropout"),
        ({"width": 3}, "unknown option"),
        ({"blocks": "four"}, "must be like 4"),
        ({"batch_norm": 1}, "must be like True"),
    ],
)
def test_wrong_options_are_told(options: dict, said: str):
    with pytest.raises(SrbenchError, match=said):
        configuration("unet", **options)


class TestDNN:
    def test_keeps_the_low_band_and_fills_the_rest(self):
        torch.manual_seed(0)
        made = DNN(DNNConfig(units=16)).eval()
        x = torch.randn(1, 1, 4096)
        with torch.no_grad():
            spectrum, result = made.spectrum(x), made.spectrum(made(x))
        low = slice(4, -4)  # frames away from the ends
        kept = (spectrum - result)[:, : made.edge - 4, low].abs().max() / spectrum.abs().max()
        assert kept < 0.02  # overlapping frames of a made spectrum do not agree to the bit
        assert result[:, made.edge + 4 :, low].abs().mean() > 1e-3

    def test_analysis_and_synthesis_are_inverse(self):
        made = DNN(DNNConfig(units=4))
        x = torch.randn(2, 1, 3001)
        assert torch.allclose(made._signal(made.spectrum(x), 3001), x, atol=1e-5)

    @pytest.mark.parametrize("phase", ["flip", "copy"])
    def test_phase_of_the_missing_band_is_the_low_bands(self, phase: str):
        made = DNN(DNNConfig(units=4, phase=phase))
        low = torch.randn(1, made.edge, 2)
        above = made._phase_above(low)
        assert above.shape[1] == 257 - made.edge
        first = -low[:, -1] if phase == "flip" else low[:, 0]
        assert torch.equal(above[:, 0], first)

    def test_learns(self):
        torch.manual_seed(0)
        made = DNN(DNNConfig(units=32, layers=1))
        low, high = torch.randn(4, 1, 4096), torch.randn(4, 1, 4096)
        made.calibrate(low, high)
        before = made.objective(low, high)
        optimizer = torch.optim.Adam(made.parameters(), 1e-2)
        for _ in range(30):
            optimizer.zero_grad()
            made.objective(low, high).backward()
            optimizer.step()
        assert made.objective(low, high) < 0.8 * before
