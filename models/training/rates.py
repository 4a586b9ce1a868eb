"""Patches for a network that serves any pair of rates: rates and low-pass filters are drawn anew for every patch.

A patch is cut from a recording at the recording's own rate, so that nothing is upsampled. A step works at one rate;
what is above a recording's bandwidth is left out of the loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from srbench_models.convnext_bwe import RATES

from srbench import audio
from srbench.audio import Rate, resample
from srbench.bandwidth import bandwidth
from srbench.corpora import Utterance
from srbench.degradation import Brickwall, Degradation, Iir, Sinc, Subsample, degrade
from srbench.errors import SrbenchError

LOW_RATES: Mapping[int, Mapping[Rate, float]] = {  # of each working rate, and how often
    48000: {2000: 0.03, 4000: 0.1, 8000: 0.27, 12000: 0.2, 16000: 0.2, 24000: 0.2},
    24000: {4000: 0.2, 8000: 0.5, 12000: 0.3},
    16000: {2000: 0.2, Fraction(8000, 3): 0.1, 4000: 0.4, 8000: 0.3},
}
SHARES = {48000: 0.5, 24000: 0.05, 16000: 0.45}  # of the steps
_MARGIN = 0.04  # seconds on either side of a patch, for the filters' ends
_MINUTE = 60.0  # seconds of a speaker after which more do not make the speaker likelier
_QUIET = 1e-3  # RMS under which a patch is drawn again, as most of its frames are pauses
_LOUDER = 6.0  # dB, the most that a patch is made louder or softer


@dataclass(frozen=True)
class Recordings:
    """Recordings at their own rates, and how likely each is drawn.

    Attributes
    ----------
    samples : tuple of ndarray of float32
    rates : ndarray of int, in Hz
    bandwidths : ndarray of float, in Hz
        How far up a recording really goes (`srbench.bandwidth`).
    likelihoods : ndarray of float
        Of a second of it: speakers count the same, those with less than a minute by their length.
    seconds : float
        In all.
    refused : tuple of str
        Why recordings were left out.
    """

    samples: tuple[NDArray[np.float32], ...]
    rates: NDArray[np.int64]
    bandwidths: NDArray[np.float64]
    likelihoods: NDArray[np.float64]
    seconds: float
    refused: tuple[str, ...] = ()

    def draw(self, size: int, patch: int, seed: Sequence[int]) -> tuple[NDArray[np.float32], ...]:
        """Return inputs and references, shape (size, 1, n), cutoffs and bandwidths, shape (size,), and the rate, (1,).

        ``patch`` counts samples at the highest working rate; n lasts as long.
        """
        random = np.random.default_rng(seed)
        possible = [rate for rate in SHARES if (self.rates >= rate).any()]
        shares = np.array([SHARES[rate] for rate in possible])
        rate = possible[random.choice(len(possible), p=shares / shares.sum())]
        n = patch * rate // RATES[-1]
        made = np.zeros((2, size, 1, n), np.float32)
        cutoffs, bandwidths = np.zeros(size, np.float32), np.zeros(size, np.float32)
        fits = np.where(self.rates >= rate, self.likelihoods, 0.0)
        for row in range(size):
            low_rate = _choose(random, LOW_RATES[rate])
            wanted = fits * (self.bandwidths > 0.7 * low_rate)  # something must be missing
            wanted = wanted if wanted.any() else fits
            which = int(random.choice(len(fits), p=wanted / wanted.sum()))
            made[:, row, 0] = self._pair(which, low_rate, rate, n, random)
            cutoffs[row], bandwidths[row] = float(low_rate) / 2, self.bandwidths[which]
        return made[0], made[1], cutoffs, bandwidths, np.array([rate], np.float32)

    def _pair(self, which: int, low_rate: Rate, rate: int, n: int, random: Generator) -> NDArray[np.float32]:
        """Return one input and its reference, shape (2, n)."""
        whole, own = self.samples[which], int(self.rates[which])
        margin = int(_MARGIN * rate) // 240 * 240  # whole low-resolution samples at every rate
        length = -(-(n + 2 * margin + 240) * own // rate)
        for _ in range(4):
            start = int(random.integers(max(len(whole) - length, 0) + 1))
            cut = whole[start : start + length].astype(np.float64)
            if np.sqrt(np.mean(cut**2)) > _QUIET:
                break
        high = resample(np.pad(cut, (0, length - len(cut))), own, rate)
        high = high[: (n + 2 * margin) // 240 * 240 + 240] * 10 ** (random.uniform(-_LOUDER, _LOUDER) / 20)
        low = degrade(high, rate, low_rate, _degradation(random, rate))
        raised = resample(low, low_rate, rate)
        return np.stack([each[margin : margin + n] for each in (raised, high)]).astype(np.float32)


def make_recordings(
    utterances: Sequence[Utterance], progress: Callable[[str, int, int], None] | None = None
) -> Recordings:
    """Read utterances for training.

    Raises
    ------
    SrbenchError
        If none can be used. Some that cannot are left out, and said in ``refused``.
    """
    samples, rates, bandwidths, speakers, refused = [], [], [], [], []
    for done, utterance in enumerate(utterances):
        try:
            read, rate = audio.read(utterance.path)
            if rate < RATES[0]:
                raise SrbenchError(f"recorded at {rate} Hz, below {RATES[0]}")
            samples.append(read.astype(np.float32))
            rates.append(rate)
            bandwidths.append(bandwidth(read, rate))
            speakers.append(utterance.speaker)
        except SrbenchError as error:
            refused.append(f"{utterance.id}: {error}")
        if progress:
            progress("preparing", done + 1, len(utterances))
    if not samples:
        why = f"; the first: {refused[0]}" if refused else ""
        raise SrbenchError(f"none of {len(utterances)} recordings can be trained on{why}")
    seconds = np.array([len(each) / rate for each, rate in zip(samples, rates, strict=True)])
    names = np.array(speakers)
    likelihoods = np.zeros(len(samples))
    for speaker in set(speakers):
        own = names == speaker
        likelihoods[own] = seconds[own] / max(seconds[own].sum(), _MINUTE)
    return Recordings(
        tuple(samples), np.array(rates), np.array(bandwidths), likelihoods, float(seconds.sum()), tuple(refused)
    )


def _choose(random: Generator, chances: Mapping[Rate, float]) -> Rate:
    chosen = random.choice(len(chances), p=np.array(list(chances.values())) / sum(chances.values()))
    return list(chances)[chosen]


def _degradation(random: Generator, rate: int) -> Degradation:
    """Draw a low-pass: the field's usual ones more often than others."""
    at = random.random()
    papers = 0.3 if rate == RATES[0] else 0.12  # scipy.signal.decimate, of most work at 16 kHz
    if at < papers:
        return Iir()
    if at < 0.5:
        return Sinc("hann") if random.random() < 0.6 else Sinc()
    if at < 0.6:
        return Sinc("polyphase")
    if at < 0.75:
        return Brickwall(*((0, 0), (1024, 256), (2048, 441), (2048, 512))[random.integers(4)])
    if at < 0.85:
        return Subsample()
    kind = ("cheby1", "butter", "ellip", "bessel")[random.integers(4)]
    return Iir(kind, int(random.integers(2, 11)), cut=float(random.uniform(0.65, 1.0)))
