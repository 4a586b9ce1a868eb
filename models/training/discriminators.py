"""Discriminators for adversarial training: waveforms at several scales and periods (Kumar 2019, Kong 2020).

Both are judged by least squares, with the distance of their feature maps as a further term for the generator.
"""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

PERIODS = (2, 3, 5, 7)
SCALES = (1, 2, 4)


class _Period(nn.Module):
    """Sees the samples of one phase of a period side by side."""

    def __init__(self, period: int, width: int) -> None:
        super().__init__()
        self.period = period
        widths = (1, width, 2 * width, 4 * width)
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(a, b, (5, 1), (3, 1), padding=(2, 0))) for a, b in pairwise(widths)
        )
        self.judge = weight_norm(nn.Conv2d(widths[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, x: Tensor) -> list[Tensor]:
        x = functional.pad(x, (0, -x.shape[-1] % self.period))
        return _through(x.view(*x.shape[:2], -1, self.period), self.layers, self.judge)


class _Scale(nn.Module):
    """Sees the waveform, averaged over neighbours first."""

    def __init__(self, scale: int, width: int) -> None:
        super().__init__()
        self.scale = scale
        widths = (1, width, 2 * width, 4 * width)
        self.layers = nn.ModuleList(weight_norm(nn.Conv1d(a, b, 15, 4, padding=7)) for a, b in pairwise(widths))
        self.judge = weight_norm(nn.Conv1d(widths[-1], 1, 3, padding=1))

    def forward(self, x: Tensor) -> list[Tensor]:
        return _through(functional.avg_pool1d(x, self.scale), self.layers, self.judge)


def _through(x: Tensor, layers: nn.ModuleList, judge: nn.Module) -> list[Tensor]:
    found = []
    for layer in layers:
        x = functional.leaky_relu(layer(x), 0.1)
        found.append(x)
    return [*found, judge(x)]


class Discriminators(nn.Module):
    """All of them; each gives its feature maps, the verdict last."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.parts = nn.ModuleList([_Period(p, width) for p in PERIODS] + [_Scale(s, width) for s in SCALES])

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """Return the maps of every discriminator for signals of shape (batch, 1, n)."""
        return [cast("list[Tensor]", part(x)) for part in self.parts]


def discriminator_loss(real: list[list[Tensor]], made: list[list[Tensor]]) -> Tensor:
    """Return the least-squares loss: real ones are to score 1, made ones 0."""
    terms = [(r[-1] - 1).square().mean() + m[-1].square().mean() for r, m in zip(real, made, strict=True)]
    return torch.stack(terms).mean()


def generator_loss(real: list[list[Tensor]], made: list[list[Tensor]], features: float) -> Tensor:
    """Return the generator's least-squares loss plus ``features`` times the distance of the feature maps."""
    judged = torch.stack([(m[-1] - 1).square().mean() for m in made]).mean()
    matched = [
        functional.l1_loss(b, a.detach())
        for r, m in zip(real, made, strict=True)
        for a, b in zip(r[:-1], m[:-1], strict=True)
    ]
    return judged + features * torch.stack(matched).mean()
