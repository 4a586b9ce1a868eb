"""The blocks of the audio U-Net (Kuleshov et al. 2017): down, up, 1-D subpixel shuffle, and the ways to join a skip.

Signals have shape (batch, channels, time). A down block halves the time, an up block doubles it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

REDUCTIONS = ("linear", "pointwise", "maxpool", "avgpool")


def subpixel_shuffle(x: Tensor) -> Tensor:
    """Turn pairs of channels into time, shape (b, 2 c, t) to (b, c, 2 t).

    Channel ``2 c + k`` at time ``t`` becomes channel ``c`` at time ``2 t + k`` (Shi et al. 2016, in one dimension).
    """
    batch, channels, time = x.shape
    return x.view(batch, channels // 2, 2, time).transpose(2, 3).reshape(batch, channels // 2, 2 * time)


class Down(nn.Module):
    """Convolution of stride 2 with same padding, batch norm if asked for, leaky ReLU.

    Parameters
    ----------
    inputs, filters : int
    kernel : int
        Odd, so that the padding is the same on both sides and nothing is delayed.
    slope : float
        Of the leaky ReLU; 0 is the ReLU.
    batch_norm : bool
    """

    def __init__(self, inputs: int, filters: int, kernel: int, slope: float, batch_norm: bool) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, filters, kernel, stride=2, padding=kernel // 2)
        self.norm = nn.BatchNorm1d(filters) if batch_norm else nn.Identity()
        self.activation = nn.LeakyReLU(slope)

    def forward(self, x: Tensor) -> Tensor:
        """Return (b, filters, t / 2)."""
        activated: Tensor = self.activation(self.norm(self.conv(x)))
        return activated


class ConcatUp(nn.Module):
    """The stacked U-Net's up block: half the channels come from below, half from the skip.

    Parameters
    ----------
    inputs : int
    filters : int
        Of the down block that it mirrors, and of its output.
    kernel : int
    slope, dropout : float
    reduction : {"linear", "pointwise", "maxpool", "avgpool"}
        How the skip's channels are halved: a linear projection without bias, a convolution of width one, or the
        greatest or the mean of every two channels.
    """

    def __init__(self, inputs: int, filters: int, kernel: int, slope: float, dropout: float, reduction: str) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, filters, kernel, padding=kernel // 2)
        self.dropout = nn.Dropout(dropout)
        self.activation = nn.LeakyReLU(slope)
        self.reduce = _reduction(reduction, filters)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Return (b, filters, 2 t) from x, shape (b, inputs, t), and the skip, shape (b, filters, 2 t)."""
        below = subpixel_shuffle(self.activation(self.dropout(self.conv(x))))
        return torch.cat([below, self.reduce(skip)], dim=1)


class AddUp(nn.Module):
    """The additive U-Net's up block (Semeniuta 2019): all channels come from below, and the skip is added.

    Parameters
    ----------
    inputs, filters, kernel, slope, dropout
        As in `ConcatUp`.
    """

    def __init__(self, inputs: int, filters: int, kernel: int, slope: float, dropout: float) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, 2 * filters, kernel, padding=kernel // 2)
        self.dropout = nn.Dropout(dropout)
        self.activation = nn.LeakyReLU(slope)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Return (b, filters, 2 t) from x, shape (b, inputs, t), and the skip, shape (b, filters, 2 t)."""
        return subpixel_shuffle(self.activation(self.dropout(self.conv(x)))) + skip


class _PoolChannels(nn.Module):
    """Every two neighbouring channels become one: the greatest or the mean of them."""

    def __init__(self, greatest: bool) -> None:
        super().__init__()
        self.greatest = greatest

    def forward(self, x: Tensor) -> Tensor:
        pairs = x.view(x.shape[0], -1, 2, x.shape[2])
        return pairs.amax(2) if self.greatest else pairs.mean(2)


def _reduction(name: str, filters: int) -> nn.Module:
    if name in ("maxpool", "avgpool"):
        return _PoolChannels(greatest=name == "maxpool")
    return nn.Conv1d(filters, filters // 2, 1, bias=name == "pointwise")
