"""SRCNN (Dong et al. 2014), the three convolutions that began learned super-resolution, in one dimension."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from srbench.errors import SrbenchError


@dataclass(frozen=True)
class SRCNNConfig:
    """Its three layers: extraction, non-linear mapping, reconstruction.

    Attributes
    ----------
    filters : (int, int)
        64 and 32 in the paper.
    kernels : (int, int, int)
        9, 1 and 5 in the paper, on images; odd.
    residual : bool
        Whether the input is added to the output, which then starts as the spline.
    """

    filters: tuple[int, int] = (64, 32)
    kernels: tuple[int, int, int] = (9, 1, 5)
    residual: bool = True

    def __post_init__(self) -> None:
        if len(self.filters) != 2 or len(self.kernels) != 3 or min(*self.filters, *self.kernels) < 1:
            raise SrbenchError(f"SRCNN has two filters and three kernels, not {self.filters} and {self.kernels}")
        if any(kernel % 2 == 0 for kernel in self.kernels):
            raise SrbenchError(f"kernels must be odd, so that nothing is delayed, not {self.kernels}")


class SRCNN(nn.Module):
    """From the spline-upsampled signal to the high-resolution one, both of shape (batch, 1, n)."""

    stride = 1

    def __init__(self, config: SRCNNConfig) -> None:
        super().__init__()
        self.config = config
        (first, second), kernels = config.filters, config.kernels
        self.extract = nn.Conv1d(1, first, kernels[0], padding=kernels[0] // 2)
        self.map = nn.Conv1d(first, second, kernels[1], padding=kernels[1] // 2)
        self.reconstruct = nn.Conv1d(second, 1, kernels[2], padding=kernels[2] // 2)
        if config.residual:
            nn.init.zeros_(self.reconstruct.weight)
            nn.init.zeros_(torch.as_tensor(self.reconstruct.bias))

    def forward(self, x: Tensor) -> Tensor:
        """Return the high-resolution signal."""
        made: Tensor = self.reconstruct(torch.relu(self.map(torch.relu(self.extract(x)))))
        return made + x if self.config.residual else made

    @property
    def reach(self) -> int:
        """Samples on either side that an output depends on."""
        return sum(kernel // 2 for kernel in self.config.kernels)
