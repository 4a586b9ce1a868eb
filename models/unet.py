"""The audio U-Net of Kuleshov et al. (2017), and the additive one of Semeniuta (2019), as one network with options."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from srbench_models.blocks import REDUCTIONS, AddUp, ConcatUp, Down, subpixel_shuffle
from torch import Tensor, nn
from torch.nn import functional

from srbench.errors import SrbenchError


@dataclass(frozen=True)
class UNetConfig:
    """Every choice that there is.

    Attributes
    ----------
    join : {"concat", "add"}
        Stacked skips (Kuleshov et al.) or added ones (Semeniuta).
    blocks : int
        B: down blocks before the bottleneck, and up blocks after it.
    first_filters, max_filters : int
        Block b has ``min(first_filters * 2^(b-1), max_filters)`` filters; the second is the papers' M.
    first_kernel : int
        Block b has a kernel of ``max((first_kernel - 1) / 2^(b-1) + 1, 9)``: 65 in the paper, 33 in the author's code
        of the additive network.
    reduction : {"linear", "pointwise", "maxpool", "avgpool"}
        How a stacked skip's channels are halved.
    slope : float
        Of the leaky ReLU; 0 is the ReLU.
    batch_norm : bool
    dropout : float
        In the up blocks.
    residual : bool
        Whether the network's input is added to its output. The last convolution then starts at zero, so that an
        untrained network is the spline.
    """

    join: str = "concat"
    blocks: int = 4
    first_filters: int = 128
    max_filters: int = 512
    first_kernel: int = 65
    reduction: str = "linear"
    slope: float = 0.2
    batch_norm: bool = True
    dropout: float = 0.5
    residual: bool = True

    def __post_init__(self) -> None:
        if self.join not in ("concat", "add"):
            raise SrbenchError(f"join is concat or add, not '{self.join}'")
        if self.reduction not in REDUCTIONS:
            raise SrbenchError(f"reduction is one of {', '.join(REDUCTIONS)}, not '{self.reduction}'")
        if not 1 <= self.blocks <= 10:
            raise SrbenchError(f"blocks must be 1 to 10, not {self.blocks}")
        if self.first_filters < 2 or self.first_filters % 2 or self.max_filters < 2 or self.max_filters % 2:
            raise SrbenchError(f"filters must be even, not {self.first_filters} and {self.max_filters}")
        if self.first_kernel < 9 or (self.first_kernel - 1) & (self.first_kernel - 2):
            raise SrbenchError(f"first_kernel must be a power of two and one, at least 9, not {self.first_kernel}")
        if not 0 <= self.slope < 1:
            raise SrbenchError(f"slope must be at least 0 and below 1, not {self.slope}")
        if not 0 <= self.dropout < 1:
            raise SrbenchError(f"dropout must be at least 0 and below 1, not {self.dropout}")

    def filters(self, block: int) -> int:
        """Return the filters of down block ``block``, counted from 1."""
        return min(self.first_filters << (block - 1), self.max_filters)

    def kernel(self, block: int) -> int:
        """Return the kernel of down block ``block``, counted from 1."""
        return max((self.first_kernel - 1 >> block - 1) + 1, 9)


class UNet(nn.Module):
    """The network: from the spline-upsampled signal to the high-resolution one, both of shape (batch, 1, n).

    Attributes
    ----------
    config : UNetConfig
    stride : int
        ``2^(B+1)``: a shift of the input by this many samples shifts the output by as many.
    reach : int
        Samples on either side of one that its output depends on; `srbench_models.inference` cuts signals by it.
    """

    output_kernel = 9

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        blocks = range(1, config.blocks + 1)
        widths = [1, *(config.filters(b) for b in blocks)]
        last = widths[-1]
        self.down = nn.ModuleList(
            Down(inputs, filters, config.kernel(b), config.slope, config.batch_norm)
            for b, inputs, filters in zip(blocks, widths, widths[1:], strict=False)
        )
        self.bottleneck = Down(last, last, config.kernel(config.blocks), config.slope, config.batch_norm)
        self.up = nn.ModuleList()
        inputs = last
        for b in reversed(blocks):
            shape = (inputs, config.filters(b), config.kernel(b), config.slope, config.dropout)
            self.up.append(ConcatUp(*shape, config.reduction) if config.join == "concat" else AddUp(*shape))
            inputs = config.filters(b)
        self.output = nn.Conv1d(inputs, 2, self.output_kernel, padding=self.output_kernel // 2)
        if config.residual:
            nn.init.zeros_(self.output.weight)
            nn.init.zeros_(torch.as_tensor(self.output.bias))

    def forward(self, x: Tensor) -> Tensor:
        """Return the high-resolution signal, shape (batch, 1, n), for any n; ends are extended by zeros."""
        length = x.shape[-1]
        padded = functional.pad(x, (0, -length % self.stride))
        level, skips = padded, []
        for down in self.down:
            level = down(level)
            skips.append(level)
        level = self.bottleneck(level)
        for up, skip in zip(self.up, reversed(skips), strict=True):
            level = up(level, skip)
        made = subpixel_shuffle(self.output(level))
        if self.config.residual:
            made = made + padded
        return made[..., :length]

    @property
    def stride(self) -> int:
        """``2^(B+1)`` samples."""
        return 1 << (self.config.blocks + 1)

    @property
    def reach(self) -> int:
        """Samples on either side that an output depends on (half the receptive field)."""
        config, blocks = self.config, self.config.blocks
        halves = [config.kernel(b) // 2 << (b - 1) for b in range(1, blocks + 1)]
        halves.append(config.kernel(blocks) // 2 << blocks)
        halves += [config.kernel(b) // 2 << (b + 1) for b in range(1, blocks + 1)]
        halves.append(self.output_kernel // 2 * 2)
        return sum(halves) + self.stride  # the shuffle's phases
