"""The networks as upscalers, registered by name; `NAME@WEIGHTS` takes other weights than those that ship.

torch is imported when one is built, so that they are listed without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from srbench_models.named import NAMED

from srbench.audio import Rate, Samples
from srbench.errors import SrbenchError
from srbench.upscaler import Upscaler, upscaler

PRECISIONS = ("fp32", "bf16")
LOWEST = 2000  # Hz, of the input of a network that serves any pair of rates


class Network:
    """A trained network, ready to upscale.

    On the CPU it computes with one thread, so that its numbers do not depend on the machine's load; `--workers` is
    what uses more cores.

    Parameters
    ----------
    device : str
        ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    weights : str
        See `srbench_models.weights.load_weights`.
    precision : {"fp32", "bf16"}

    Raises
    ------
    SrbenchError
        If there is no such device or precision, or the weights cannot be loaded.
    """

    name = ""

    def __init__(self, device: str = "cpu", weights: str = "", precision: str = "fp32") -> None:
        import torch
        from srbench_models.inference import check_device
        from srbench_models.weights import load_weights

        if precision not in PRECISIONS:
            raise SrbenchError(f"precision is one of {', '.join(PRECISIONS)}, not '{precision}'")
        check_device(device)
        if torch.device(device).type == "cpu":
            torch.set_num_threads(1)
        else:
            torch.backends.cudnn.deterministic = True
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        network, self.card = load_weights(self.name, weights)
        self.network = network.to(device)
        self.device, self.precision = device, precision
        self.num_parameters = sum(p.numel() for p in network.parameters())

    def upscale(self, low: Samples, low_rate: Rate, high_rate: int) -> Samples:
        """Return the high-resolution signal."""
        return self.upscale_batch([low], low_rate, high_rate)[0]

    def upscale_batch(self, lows: Sequence[Samples], low_rate: Rate, high_rate: int) -> list[Samples]:
        """Return the high-resolution signals of several, which go through the network together."""
        from srbench_models.inference import upscale_all

        return upscale_all(self.network, lows, low_rate, high_rate, device=self.device, precision=self.precision)

    def context(self, low_rate: Rate, high_rate: int) -> tuple[int, int]:
        """Return the low-resolution samples that a block needs on either side, and where blocks may begin."""
        from srbench_models.inference import margins

        _, margin, unit = margins(self.network, low_rate, high_rate)
        return margin, unit

    @property
    def rates(self) -> tuple[tuple[int, int], ...] | None:
        """The pairs of rates in Hz that it was trained for."""
        return ((self.card["low_rate"], self.card["high_rate"]),)

    def export(self, path: str | Path) -> float:
        """Write it as an ONNX file; see `srbench_models.export.export_onnx`."""
        from srbench_models.export import export_onnx

        return export_onnx(self.network, path)

    def describe(self) -> dict[str, Any]:
        """Return the card's main points for the record."""
        training = self.card.get("training", {})
        return {
            "weights": self.card.get("name", self.name),
            "weights_sha256": self.card["weights_sha256"],
            "precision": self.precision,
            "title": self.card.get("title", ""),
            "training_corpora": training.get("corpora", []),
            "training_hours": training.get("hours"),
            "training_speakers": training.get("training_speakers", []),
        }


class AnyRates(Network):
    """A network that serves any pair of rates."""

    @property
    def rates(self) -> None:
        """Any that it supports."""

    def supports(self, low_rate: Rate, high_rate: int) -> bool:
        """Tell whether it was trained for about such rates."""
        from srbench_models.convnext_bwe import INPUT_TOP, RATES

        return LOWEST <= low_rate < high_rate <= RATES[-1] and low_rate <= 2 * INPUT_TOP


def _network(name: str, description: str, base: type[Network] = Network) -> Upscaler:
    kind = type(name, (base,), {"name": name, "__doc__": description})
    kind.__module__ = __name__
    return upscaler(name, description=description)(kind)


_ANY_RATES = ("convnext_bwe",)  # networks that serve any pair of rates
stacked = _network("stacked", "The best stacked U-Net whose weights ship with srbench")
additive = _network("additive", "The best additive U-Net whose weights ship with srbench")
globals().update(  # entry points name them in this module
    (name, _network(name, each.description, AnyRates if each.network in _ANY_RATES else Network))
    for name, each in NAMED.items()
)
