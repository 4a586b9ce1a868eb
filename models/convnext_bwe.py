"""Bandwidth extension for any pair of rates: ConvNeXt blocks on spectral frames of 32 ms.

The frames last 32 ms at every rate, 8 ms apart. Bin k is therefore always at k * 31.25 Hz: the network sees the same
numbers at 16, 24 and 48 kHz, and a target of 16 kHz takes the lowest third of its outputs. The low band stays as it is.
Above the cutoff the network gives the magnitudes. The phases are those of the rectified low band, whose harmonics are
multiples of the same fundamental. Just below the cutoff a gate says, for each bin, whether a filter has weakened it.

The blocks are those of ConvNeXt (Liu et al. 2022), on frames as in AP-BWE (Lu et al. 2024). Rectification is the
classical excitation of bandwidth extension (Makhoul and Berouti 1979).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from srbench.audio import Rate, Samples, resample
from srbench.errors import SrbenchError

RATES = (16000, 24000, 48000)  # Hz, at which the network works; other targets are resampled from the next one
SPACING = 31.25  # Hz between bins
TOP, INPUT_TOP = 24000, 12000  # Hz, of what it makes and of what it is given
FRAME, HOP = 0.032, 0.008  # seconds
KEPT = 0.6  # of the cutoff: what is below is never changed
RESYNTHESISED = 0.25  # of a batch at the highest rate, and as many samples of one at a lower rate
RESOLUTIONS = ((2048, 512, 2.0), (512, 128, 1.0))  # of the loss: n_fft, hop, weight
CAREFUL = (16000, 3000)  # Hz: up to this rate and below this cutoff it is careful not to be too loud; see `_caution`
TOO_LOUD = 4.0
SOFTER = 3.0  # dB less there than it learned: on validation speakers PESQ is then less than 0.2 below the sinc's
_QUIET = 1e-7  # amplitude: far below the noise of any recording
_SMOOTH = 13  # bins, 400 Hz: what is finer is harmonics
_POOL = 8  # bins between the values of the rectified band's envelope
_OCTAVES = 6  # in which the network is told the cutoff and the rate
BINS, INPUT_BINS = round(TOP / SPACING) + 1, round(INPUT_TOP / SPACING)
_ENVELOPE = math.ceil(BINS / _POOL)
FEATURES = INPUT_BINS + _ENVELOPE + 4 * _OCTAVES


@dataclass(frozen=True)
class ConvNeXtConfig:
    """Every choice that there is.

    Attributes
    ----------
    width, expansion : int
        Channels between blocks, and how many times as many inside one.
    blocks : int
    kernel : int
        Frames that a block sees; odd.
    """

    width: int = 256
    expansion: int = 3
    blocks: int = 6
    kernel: int = 7

    def __post_init__(self) -> None:
        if not (1 <= self.width <= 1 << 14 and 1 <= self.expansion <= 64 and 1 <= self.blocks <= 100):
            raise SrbenchError("width must be 1 to 16384, expansion 1 to 64, blocks 1 to 100")
        if not 1 <= self.kernel <= 99 or self.kernel % 2 == 0:
            raise SrbenchError(f"kernel must be odd and at most 99, not {self.kernel}")


class _Block(nn.Module):
    """Mixes frames channel by channel, then channels frame by frame."""

    def __init__(self, config: ConvNeXtConfig) -> None:
        super().__init__()
        width, inner = config.width, config.width * config.expansion
        self.frames = nn.Conv1d(width, width, config.kernel, padding=config.kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.widen, self.narrow = nn.Linear(width, inner), nn.Linear(inner, width)
        self.scale = nn.Parameter(torch.full((width,), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        """Return shape (batch, frames, width) from the same."""
        mixed = self.frames(x.transpose(1, 2)).transpose(1, 2)
        made: Tensor = self.narrow(functional.gelu(self.widen(self.norm(mixed))))
        return x + self.scale * made


class Body(nn.Module):
    """From features of frames to what is made of them; all that has weights."""

    def __init__(self, config: ConvNeXtConfig) -> None:
        super().__init__()
        self.enter, self.first = nn.Linear(FEATURES, config.width), nn.LayerNorm(config.width)
        self.blocks = nn.Sequential(*(_Block(config) for _ in range(config.blocks)))
        self.last, self.leave = nn.LayerNorm(config.width), nn.Linear(config.width, 2 * BINS + INPUT_BINS)
        self.mean = nn.Parameter(torch.linspace(-3.5, -5.0, BINS))
        with torch.no_grad():
            self.leave.weight.mul_(0.1)

    def forward(self, features: Tensor, bins: int = 0) -> tuple[Tensor, Tensor, Tensor]:
        """Return log10 amplitude and amount of fine structure of the lowest bins (all by default), and the gates."""
        bins = bins or BINS
        hidden = self.last(self.blocks(self.first(self.enter(features))))
        weight, bias = self.leave.weight, self.leave.bias
        level, fine, gate = (
            functional.linear(hidden, weight[a:b], bias[a:b]).float()
            for a, b in ((0, bins), (BINS, BINS + bins), (2 * BINS, 2 * BINS + min(bins, INPUT_BINS)))
        )
        return self.mean[:bins] + level, fine, functional.hardtanh(gate + 0.5, 0.0, 1.0)


class Frames(NamedTuple):
    """Frames of some signals, shape (batch, frames, bins), and what the network makes of them.

    Attributes
    ----------
    spectrum, excitation : Tensor of complex
        Of the input, and of the input rectified.
    above : Tensor of bool, shape (batch, 1, bins)
        Whether a bin is above the cutoff.
    log, log_made : Tensor
        log10 amplitude of the input, and of what is made.
    gate : Tensor
        0 where the input is kept, 1 where nothing of its magnitude is.
    """

    spectrum: Tensor
    excitation: Tensor
    above: Tensor
    log: Tensor
    log_made: Tensor
    gate: Tensor

    def made(self) -> Tensor:
        """Return the spectrum that is made."""
        direction = torch.where(self.above, self.excitation, self.spectrum)
        made = direction * (10**self.log_made * (_power(direction) + 1e-24).rsqrt())
        return torch.where(self.gate > 0, made, self.spectrum)


class ConvNeXtBWE(nn.Module):
    """From a signal that was resampled to the working rate to one whose missing band is made, shape (batch, 1, n)."""

    input_reach = 400  # low-resolution samples that the resampling before the network needs on either side

    def __init__(self, config: ConvNeXtConfig) -> None:
        super().__init__()
        self.config = config
        self.body = Body(config)

    def forward(self, x: Tensor, cutoff: Tensor, rate: int) -> Tensor:
        """Return the signal with its low band kept and the band above it made.

        Parameters
        ----------
        x : Tensor, shape (batch, 1, n)
        cutoff : Tensor, shape (batch,), in Hz
            Half the low rate.
        rate : int, in Hz
            One of `RATES`.
        """
        frames = self.frames(x[:, 0], cutoff, rate)
        softer = torch.where(frames.above & _careful(cutoff, rate), SOFTER / 20, 0.0)
        frames = frames._replace(log_made=frames.log_made - softer)
        return x + self.signal(frames.made() - frames.spectrum, rate, x.shape[-1])[:, None]

    def frames(self, x: Tensor, cutoff: Tensor, rate: int) -> Frames:
        """Return what the network makes of the frames of signals of shape (batch, n)."""
        spectrum, excitation = self.spectrum(x, rate), self.spectrum(x.abs(), rate)
        log, fine = log_amplitude(spectrum), log_amplitude(excitation)
        envelope = functional.avg_pool1d(fine, _SMOOTH, 1, _SMOOTH // 2, count_include_pad=False)
        bins = spectrum.shape[-1]
        level, amount, learned = self.body(self._features(log, envelope, cutoff, rate), bins)
        level = level + torch.sigmoid(amount) * (fine - envelope).clamp(-2, 2)
        hertz = torch.arange(bins, device=x.device) * SPACING
        above, kept = hertz >= cutoff[:, None, None], hertz < KEPT * cutoff[:, None, None]
        gate = functional.pad(learned, (0, bins - learned.shape[-1]), value=1.0)
        gate = torch.where(above, 1.0, torch.where(kept, 0.0, gate))
        made = torch.where(above, level, log + gate * (level - log)).clamp(math.log10(_QUIET), 1.5)
        return Frames(spectrum, excitation, above, log, made, gate)

    def objective(self, x: Tensor, y: Tensor, cutoff: Tensor, bandwidth: Tensor, rate: Tensor) -> Tensor:
        """Return the loss: log-spectral distances over the bins that are made and that the reference has.

        The distance of the frames as the network makes them counts for all signals; that of the signals which come of
        them, at other resolutions, takes most of the time, and is measured on some.

        Parameters
        ----------
        x, y : Tensor, shape (batch, 1, n)
            Input at the working rate, and reference.
        cutoff, bandwidth : Tensor, shape (batch,), in Hz
            The reference says nothing of what is above its own bandwidth.
        rate : Tensor, shape (1,), in Hz
        """
        hertz, some = int(rate[0]), max(1, round(min(1, RESYNTHESISED * RATES[-1] / float(rate[0])) * len(x)))
        frames = self.frames(x[:, 0], cutoff, hertz)
        target = log_amplitude(self.spectrum(y[:, 0], hertz))
        counts = _counts(target.shape[-1], hertz, cutoff, bandwidth)
        too_loud = _caution(cutoff, hertz)
        total = 2 * _distance(2 * frames.log_made, 2 * target, counts, too_loud)
        near = (frames.log - target).abs() < 0.03  # the input can be kept here
        total = total + 0.5 * (frames.gate * (near & (counts > 0))).mean()
        few = Frames(*(each[:some] for each in frames))
        signal = x[:some, 0] + self.signal(few.made() - few.spectrum, hertz, x.shape[-1])
        for n_fft, hop, weight in RESOLUTIONS:
            window = torch.hann_window(n_fft, device=x.device)
            made, wanted = (
                torch.log10(_power(torch.stft(s, n_fft, hop, window=window, return_complex=True)).clamp_min(1e-8))
                for s in (signal, y[:some, 0])
            )
            counts = _counts(made.shape[-2], hertz, cutoff[:some], bandwidth[:some])
            total = total + weight * _distance(made.transpose(1, 2), wanted.transpose(1, 2), counts, too_loud[:some])
        return total

    def spectrum(self, x: Tensor, rate: int) -> Tensor:
        """Return the STFT of signals of shape (batch, n) as complex amplitudes, shape (batch, frames, bins)."""
        size, hop, window = self._frames(rate, x)
        padded = functional.pad(x, (size, size + (-x.shape[-1]) % hop))
        made = torch.stft(padded, size, hop, window=window, center=False, return_complex=True)
        return made.transpose(1, 2) * (4 / size)

    def signal(self, spectrum: Tensor, rate: int, length: int) -> Tensor:
        """Return the signals of shape (batch, length) that `spectrum` gave."""
        size, hop, window = self._frames(rate, spectrum.real)
        frames = torch.fft.irfft(spectrum * (size / 4), n=size, dim=-1) * window
        total = (frames.shape[1] - 1) * hop + size
        summed = functional.fold(frames.transpose(1, 2), (1, total), (1, size), stride=(1, hop))[:, 0, 0]
        return summed[:, size : size + length] / 1.5  # what four squared Hann windows sum to

    def working_rate(self, high_rate: int) -> int:
        """Return the rate at which a target is made."""
        return next(rate for rate in RATES if rate >= high_rate)

    def raised(self, low: Samples, low_rate: Rate, rate: int) -> Samples:
        """Return the input of the network at a working rate, shape (n,), of a low-resolution signal."""
        return whole(resample(low, low_rate, rate), int(len(low) * Fraction(rate) / Fraction(low_rate)))

    def stride(self, rate: int) -> int:
        """Return the samples between frames."""
        return round(HOP * rate)

    def reach(self, rate: int) -> int:
        """Return the samples on either side that an output depends on."""
        return round(FRAME * rate) + self.config.blocks * (self.config.kernel // 2) * self.stride(rate)

    def _features(self, log: Tensor, envelope: Tensor, cutoff: Tensor, rate: int) -> Tensor:
        low = functional.pad(log[..., :INPUT_BINS], (0, max(0, INPUT_BINS - log.shape[-1])), value=-6.0)
        coarse = functional.pad(envelope[..., ::_POOL], (0, _ENVELOPE - math.ceil(log.shape[-1] / _POOL)), value=-6.0)
        octaves = 2.0 ** torch.arange(_OCTAVES, device=log.device) * math.pi / TOP
        angles = torch.cat([2 * cutoff[:, None] * octaves, rate / 2 * octaves.expand(len(cutoff), -1)], 1)
        told = torch.cat([angles.sin(), angles.cos()], 1)[:, None].expand(-1, log.shape[1], -1)
        return torch.cat([low.clamp_min(-6) / 1.2 + 3, coarse.clamp_min(-6) / 1.2 + 3, told], dim=-1)

    def _frames(self, rate: int, like: Tensor) -> tuple[int, int, Tensor]:
        size = round(FRAME * rate)
        return size, round(HOP * rate), torch.hann_window(size, device=like.device)


def whole(samples: Samples, length: int) -> Samples:
    """Return so many samples of what soxr gave, which rounds the length."""
    return np.pad(samples[:length], (0, max(0, length - len(samples))))


def log_amplitude(spectrum: Tensor) -> Tensor:
    """Return log10 of amplitudes, full scale being 0."""
    return 0.5 * torch.log10(_power(spectrum).clamp_min(_QUIET**2))


def _power(spectrum: Tensor) -> Tensor:
    """Return squared magnitudes; a complex ``abs`` takes a tenth of the time of a step of training."""
    real, imag = spectrum.real, spectrum.imag
    return torch.addcmul(real * real, imag, imag)


def _distance(made: Tensor, wanted: Tensor, counts: Tensor, too_loud: Tensor) -> Tensor:
    """Return the root mean square over the bins that count, and its mean over frames."""
    error = made - wanted
    squared = error**2 * torch.where(error > 0, too_loud, 1.0)
    return ((squared * counts).sum(-1) / counts.sum(-1) + 1e-4).sqrt().mean()


def _caution(cutoff: Tensor, rate: int) -> Tensor:
    """Return how many times as much counts what is too loud as what is too soft, shape (batch, 1, 1).

    Where a narrow band is made wide, most of what PESQ hears as wrong is sound in frames that should have none, such as
    an s where there is a pause. So the network learns to be soft where it is unsure, at 16 kHz from less than 6 kHz. In
    LSD that costs a little.
    """
    return torch.where(_careful(cutoff, rate), TOO_LOUD, 1.0)


def _careful(cutoff: Tensor, rate: int) -> Tensor:
    return ((cutoff < CAREFUL[1]) & (rate <= CAREFUL[0]))[:, None, None]


def _counts(bins: int, rate: int, cutoff: Tensor, bandwidth: Tensor) -> Tensor:
    """Return 1 for the bins of a transform that are made and that the reference has, shape (batch, 1, bins)."""
    hertz = torch.linspace(0, rate / 2, bins, device=cutoff.device)
    kept = (hertz >= KEPT * cutoff[:, None]) & (hertz <= bandwidth[:, None])
    return kept.float()[:, None]
