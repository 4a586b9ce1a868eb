"""Bandwidth extension by a network on log-spectral frames (Li and Lee 2015).

Frames of the spline-upsampled signal go in as log-power spectra of the low band, with some frames of context on either
side; the log-power spectrum of the missing band comes out. Its phase is the low band's, flipped or copied.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from srbench.errors import SrbenchError

_FLOOR = 1e-8  # on the power, before the logarithm


@dataclass(frozen=True)
class DNNConfig:
    """Every choice that there is.

    Attributes
    ----------
    scale : int
        high_rate / low_rate: the low band is the lowest 1 / scale of the bins.
    n_fft, hop : int, in samples
        32 ms and 16 ms at 16 kHz in the paper; a square-root Hann window before and after.
    context : int
        Frames on either side; 4 in the paper (9 in all).
    layers, units : int
        Hidden layers of so many ReLUs; 3 of 2048 in the paper.
    phase : {"flip", "copy"}
        The high band's phase: the low band's mirrored and negated, or repeated.
    """

    scale: int = 4
    n_fft: int = 512
    hop: int = 256
    context: int = 4
    layers: int = 3
    units: int = 2048
    phase: str = "flip"

    def __post_init__(self) -> None:
        if self.phase not in ("flip", "copy"):
            raise SrbenchError(f"phase is flip or copy, not '{self.phase}'")
        if self.hop < 1 or not 2 <= self.n_fft <= 1 << 16:
            raise SrbenchError(f"n_fft must be 2 to 65536 and hop at least 1, not {self.n_fft} and {self.hop}")
        if self.scale < 2 or self.n_fft % (2 * self.scale) or self.n_fft % self.hop or self.n_fft // self.hop < 2:
            raise SrbenchError("n_fft must be a multiple of 2 * scale and of hop, and hop at most half of it")
        if not 1 <= self.layers <= 100 or self.units < 1 or self.context < 0:
            raise SrbenchError("layers must be 1 to 100, units at least 1, context at least 0")


class DNN(nn.Module):
    """From the spline-upsampled signal to the high-resolution one, both of shape (batch, 1, n).

    What it is trained on is not the waveform: see `objective`.
    """

    mean: Tensor
    deviation: Tensor
    window: Tensor

    def __init__(self, config: DNNConfig) -> None:
        super().__init__()
        self.config = config
        self.edge = config.n_fft // 2 // config.scale  # bins of the low band, 0 Hz included
        inputs = self.edge * (2 * config.context + 1)
        outputs = config.n_fft // 2 + 1 - self.edge
        layers: list[nn.Module] = []
        for _ in range(config.layers):
            layers += [nn.Linear(inputs, config.units), nn.ReLU()]
            inputs = config.units
        self.network = nn.Sequential(*layers, nn.Linear(inputs, outputs))
        self.register_buffer("mean", torch.full((config.n_fft // 2 + 1,), -4.0))  # of log power, set from the data
        self.register_buffer("deviation", torch.full((config.n_fft // 2 + 1,), 4.0))
        self.register_buffer("window", torch.hann_window(config.n_fft).sqrt(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the signal with its low band kept and the band above it made."""
        spectrum = self.spectrum(x)
        made = self.predict(self.normalised(spectrum))
        power = torch.exp(made * self.deviation[self.edge :, None] + self.mean[self.edge :, None])
        phase = torch.angle(spectrum[:, : self.edge])
        high = torch.polar(power.clamp_max(1e8).sqrt(), self._phase_above(phase))
        whole = torch.cat([spectrum[:, : self.edge], high], dim=1)
        return self._signal(whole, x.shape[-1])

    def objective(self, low: Tensor, high: Tensor) -> Tensor:
        """Return the loss that it is trained on: the mean squared error of normalised log power in the missing band."""
        target = self.normalised(self.spectrum(high))
        made = self.predict(self.normalised(self.spectrum(low)))
        return functional.mse_loss(made, target[:, self.edge :])

    def calibrate(self, low: Tensor, high: Tensor) -> None:
        """Set the mean and deviation of the log power of every bin from examples of both, shape (batch, 1, n)."""
        with torch.no_grad():
            logs = [torch.log(self.spectrum(x).abs() ** 2 + _FLOOR) for x in (low, high)]
            both = torch.cat([logs[0][:, : self.edge], logs[1][:, self.edge :]], dim=1)
            self.mean.copy_(both.mean((0, 2)))
            self.deviation.copy_(both.std((0, 2)).clamp_min(0.1))

    def spectrum(self, x: Tensor) -> Tensor:
        """Return the STFT, shape (batch, n_fft / 2 + 1, frames), of signals of shape (batch, 1, n)."""
        config = self.config
        tail = config.n_fft + (-x.shape[-1]) % config.hop  # whole frames, and none that is cut off
        padded = functional.pad(x[:, 0], (config.n_fft, tail))
        return torch.stft(
            padded, config.n_fft, config.hop, window=self.window, center=False, return_complex=True, normalized=False
        )

    def normalised(self, spectrum: Tensor) -> Tensor:
        """Return log power less its mean over its deviation, of every bin."""
        logs = torch.log(spectrum.abs() ** 2 + _FLOOR)
        return (logs - self.mean[:, None]) / self.deviation[:, None]

    def predict(self, normalised: Tensor) -> Tensor:
        """Return the missing band's normalised log power, shape (batch, bins above, frames)."""
        context = self.config.context
        low = functional.pad(normalised[:, : self.edge], (context, context))
        frames = low.unfold(2, 2 * context + 1, 1)  # (batch, bins, frames, context)
        made: Tensor = self.network(frames.permute(0, 2, 3, 1).flatten(2))
        return made.transpose(1, 2)

    def _phase_above(self, phase: Tensor) -> Tensor:
        """Return the phase of the missing band from that of the low one, shape (batch, bins, frames)."""
        bins = self.config.n_fft // 2 + 1 - self.edge
        if self.config.phase == "flip":
            mirrored = -phase.flip(1)
            period = torch.cat([mirrored, phase], dim=1)
        else:
            period = phase
        repeats = math.ceil(bins / period.shape[1])
        return period.repeat(1, repeats, 1)[:, :bins]

    def _signal(self, spectrum: Tensor, length: int) -> Tensor:
        """Overlap and add the frames; the two windows together sum to a constant."""
        config = self.config
        frames = torch.fft.irfft(spectrum, n=config.n_fft, dim=1) * self.window[:, None]
        total = (spectrum.shape[2] - 1) * config.hop + config.n_fft
        summed = functional.fold(frames, (1, total), (1, config.n_fft), stride=(1, config.hop))[:, 0, 0]
        gain = config.n_fft / config.hop / 2
        return (summed / gain)[:, None, config.n_fft : config.n_fft + length]

    @property
    def stride(self) -> int:
        """Samples between frames."""
        return self.config.hop

    @property
    def reach(self) -> int:
        """Samples on either side that an output depends on."""
        return self.config.n_fft + self.config.context * self.config.hop
