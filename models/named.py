"""The named configurations: what each is made of and what it is called, once for the networks and the upscalers.

torch is not imported here, so that upscalers are listed without it. An entry point in pyproject.toml makes a name one
that can be asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Named:
    """A configuration by its name.

    Attributes
    ----------
    description : str
    network : str
        One of `srbench_models.configurations.NETWORKS`.
    options : dict of str to value
        Fields of its config that are not the usual ones.
    """

    description: str
    network: str
    options: dict[str, Any]


def _stacked(description: str, blocks: int, most: int, part: int = 1, **options: Any) -> Named:
    made = {"join": "concat", "blocks": blocks, "first_filters": 128 // part, "max_filters": most // part}
    return Named(description, "unet", made | options)


def _additive(description: str, blocks: int, most: int, part: int = 1, **options: Any) -> Named:
    made = {"join": "add", "blocks": blocks, "first_filters": 64 // part, "max_filters": most // part}
    return Named(description, "unet", made | options)


# a quarter of the width for CPUs; so few weights need no dropout
NAMED: dict[str, Named] = {
    "stacked_b4": _stacked("Stacked U-Net, B=4, M=512 (Kuleshov et al. 2017, with batch norm)", 4, 512),
    "stacked_b5": _stacked("Stacked U-Net, B=5, M=512", 5, 512),
    "stacked_b5_1024": _stacked("Stacked U-Net, B=5, M=1024", 5, 1024),
    "additive_b5": _additive("Additive U-Net, B=5, M=1024 (Semeniuta 2019)", 5, 1024),
    "stacked_b4_small": _stacked("Stacked U-Net, B=4, a quarter of the width", 4, 512, 4, dropout=0.0),
    "stacked_b5_small": _stacked("Stacked U-Net, B=5, a quarter of the width", 5, 512, 4, dropout=0.0),
    "additive_b5_small": _additive("Additive U-Net, B=5, a quarter of the width", 5, 1024, 4, dropout=0.0),
    "kuleshov": _stacked(
        "Stacked U-Net, B=4, M=512, without batch norm, as Kuleshov's code has it", 4, 512, batch_norm=False
    ),
    "kuleshov_small": _stacked("The same at a quarter of the width", 4, 512, 4, batch_norm=False, dropout=0.0),
    "srcnn": Named("Three convolutions (Dong et al. 2014), in one dimension", "srcnn", {}),
    "dnn_bwe": Named("Network on log-spectral frames, flipped phase (Li and Lee 2015)", "dnn", {}),
    "convnext_bwe": Named("ConvNeXt on spectral frames, for 2 to 24 kHz to any rate up to 48", "convnext_bwe", {}),
    "dnn_bwe_small": Named("The same with layers of 512", "dnn", {"units": 512}),
}
