"""Networks and their configurations, checked; the named ones, such as `stacked_b5`, are built of `NAMED`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from srbench_models.convnext_bwe import ConvNeXtBWE, ConvNeXtConfig
from srbench_models.dnn_bwe import DNN, DNNConfig
from srbench_models.named import NAMED
from srbench_models.srcnn import SRCNN, SRCNNConfig
from srbench_models.unet import UNet, UNetConfig
from torch import nn

from srbench.errors import SrbenchError, shown, unknown_name

MOST_WEIGHTS = 1 << 30  # 4 GiB; the largest named one has 62 million
_MOST = 10**9  # of any number in a configuration
Config = UNetConfig | SRCNNConfig | DNNConfig | ConvNeXtConfig
NETWORKS: dict[str, tuple[Callable[..., Config], Callable[..., nn.Module]]] = {
    "unet": (UNetConfig, UNet),
    "srcnn": (SRCNNConfig, SRCNN),
    "dnn": (DNNConfig, DNN),
    "convnext_bwe": (ConvNeXtConfig, ConvNeXtBWE),
}


@dataclass(frozen=True)
class Configuration:
    """A network's kind and its configuration."""

    network: str
    config: Config

    def build(self) -> nn.Module:
        """Return the network with fresh weights, drawn from torch's global generator."""
        return NETWORKS[self.network][1](self.config)

    def outline(self) -> nn.Module:
        """Return the network without memory for its weights: their names and shapes.

        Raises
        ------
        SrbenchError
            If it has more than `MOST_WEIGHTS`.
        """
        try:
            with torch.device("meta"):
                made = self.build()
            count = sum(tensor.numel() for tensor in made.state_dict().values())
        except RuntimeError:  # torch cannot count so far
            count = MOST_WEIGHTS + 1
        if count > MOST_WEIGHTS:
            raise SrbenchError(f"network {self.network} of this configuration has more than {MOST_WEIGHTS} weights")
        return made

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values, as cards keep it."""
        plain = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self.config).items()}
        return {"network": self.network, **plain}


def configuration(network: str, **options: Any) -> Configuration:
    """Return a configuration from plain values, as recipes and cards write it.

    Raises
    ------
    SrbenchError
        If the network or an option is unknown, or a value is not possible.
    """
    if not isinstance(network, str) or network not in NETWORKS:
        raise unknown_name("network", str(network), NETWORKS)
    make = NETWORKS[network][0]
    known = {field.name: field for field in fields(make)}  # type: ignore[arg-type]
    for key, value in options.items():
        if key not in known:
            raise unknown_name(f"option of network {network}", key, known)
        default = known[key].default
        if isinstance(value, list):
            options[key] = value = tuple(value)
        kinds = (int, float) if isinstance(default, float) else type(default)
        whole = not isinstance(value, tuple) or all(type(each) is int for each in value)
        if not isinstance(value, kinds) or isinstance(value, bool) != isinstance(default, bool) or not whole:
            raise SrbenchError(f"option {key} of network {network} must be like {default!r}, not {shown(repr(value))}")
        numbers = [each for each in (value if isinstance(value, tuple) else (value,)) if isinstance(each, (int, float))]
        if not all(abs(each) <= _MOST for each in numbers):
            raise SrbenchError(f"option {key} of network {network} must be a number up to {_MOST}, not {shown(value)}")
    return Configuration(network, make(**options))


CONFIGURATIONS: dict[str, Configuration] = {
    name: configuration(each.network, **each.options) for name, each in NAMED.items()
}
