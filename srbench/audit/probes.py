"""Sets of pairs that tell definitions apart: some isolate one part, some show all, and fresh ones no fit has seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from srbench.audio import Samples
from srbench.audit.front import prepared
from srbench.audit.signals import low_passed, noise, orthogonal, voice
from srbench.audit.target import TargetFault

Array = NDArray[np.float64]


class Probe(NamedTuple):
    """A named pair of signals."""

    name: str
    reference: Samples
    estimate: Samples


@dataclass(frozen=True, eq=False)
class Probes:
    """A set of pairs at one sample rate; equal only to itself, so that what is computed of it can be kept."""

    pairs: tuple[Probe, ...]
    sample_rate: int

    def after(self, front: tuple[str, ...]) -> list[tuple[Array, Array]]:
        """Return the pairs after front ends."""
        return [prepared(p.reference, p.estimate, self.sample_rate, front) for p in self.pairs]


def answers(target: Callable[[Any, Any], float], probes: Probes | Sequence[Probe]) -> Array:
    """Return the target's answers, NaN where it gives none."""
    found = []
    for probe in probes.pairs if isinstance(probes, Probes) else probes:
        try:
            found.append(target(probe.reference, probe.estimate))
        except TargetFault:
            found.append(float("nan"))
    return np.array(found, dtype=np.float64)


@cache
def general(sample_rate: int, fresh: bool = False) -> Probes:
    """Return pairs on which hardly any added constant shows: levels, offsets, delays, pauses, beyond full scale."""
    s = 100 if fresh else 0
    a = 1.13 if fresh else 1.0
    n = 9973 if fresh else 9600
    m = n + 1311  # another length: sums are told from means
    speech, other = voice(n, sample_rate, s), a * 0.8 * voice(m, sample_rate, s + 1)
    loud = noise(n, s, 1.0) * np.linspace(0.02, 2, n) * a
    wide = noise(m, s + 2, 0.3 * a)
    bent = np.abs(noise(n, s + 3, 0.2 * a)) * np.where(np.arange(n) % 3 == 0, -0.4, 1)
    return Probes(
        (
            Probe("noise 12 dB down", wide, wide + orthogonal(wide, 12 * a, s + 4)),
            Probe("half the level and noise", speech, 0.5 * speech + noise(n, s + 5, 0.02)),
            Probe("an offset", 0.5 * wide + 0.02, 0.5 * wide + 0.08 * a + noise(m, s + 6, 0.03)),
            Probe("a growing level", loud, loud + noise(n, s + 7, 0.05)),
            Probe("louder than the reference", other, 1.7 * other + noise(m, s + 8, 0.02)),
            Probe("a delay", wide, np.roll(wide, 1) + noise(m, s + 9, 0.01)),
            Probe("beyond full scale", 70 * loud, -60 * loud + noise(n, s + 10, 9.0)),
            Probe("late by five samples", speech, np.roll(speech, 5) + noise(n, s + 11, 0.01)),
            Probe("lopsided", bent + 0.01, 0.8 * bent + 0.3 * a * bent**2 + noise(n, s + 12, 0.004)),
            Probe(
                "a pause", other * (np.arange(m) > m // 3), other * (np.arange(m) > m // 4) + noise(m, s + 13, 0.004)
            ),
        ),
        sample_rate,
    )


@cache
def steady(sample_rate: int, fresh: bool = False) -> Probes:
    """Return pairs whose SNR moves slowly between 4 and 22 dB: means over segments show, their limits do not."""
    s = 200 if fresh else 20
    found = []
    for k, (n, period) in enumerate(((9600, 2311), (11311, 4013), (20007, 977))):
        y = noise(n, s + 3 * k, 0.2) * (1 + 0.5 * np.sin(np.arange(n) / 777))
        error = noise(n, s + 3 * k + 1, 0.04) * 10 ** (0.3 * np.sin(np.arange(n) / period * 6.3))
        found.append(Probe(f"noise of a varying level {k + 1}", y, y + error))
    return Probes(tuple(found), sample_rate)


@cache
def extreme(sample_rate: int, fresh: bool = False) -> Probes:
    """Return pairs on which an added constant shows: nearly equal, nearly silent, quiet."""
    s, a = (300, 1.7) if fresh else (30, 1.0)
    n = 9600
    y, q = noise(n, s, 0.2), voice(n, sample_rate, s)
    return Probes(
        (
            Probe("nearly equal", y, y + noise(n, s + 1, 2e-9 * a)),
            Probe("nearly silent reference", 2e-9 * a * y, noise(n, s + 2, 0.3)),
            Probe("nearly silent estimate", a * y, 1e-12 * noise(n, s + 3)),
            Probe("quiet", 1e-3 * a * q, 1e-3 * a * q + noise(n, s + 4, 2e-5)),
            Probe("very quiet", 1e-5 * a * q, 1e-5 * a * q + noise(n, s + 5, 1e-6)),
            Probe("48 dB down", q, q + noise(n, s + 6, 4e-4 * a)),
            Probe("114 dB down", y, y + noise(n, s + 7, 4e-7 * a)),
        ),
        sample_rate,
    )


@cache
def local(sample_rate: int, level: float = 1.0) -> Probes:
    """Return loud pairs that are equal but for a middle: transform and pooling show, ends, floors and levels do not.

    Samples are multiples of 1/64 without a mean and with a peak of 1, so that centring, rounding, clipping and
    normalising change next to nothing.
    """
    found = []
    n = 13000
    for k, (start, stop) in enumerate(((6100, 7300), (6400, 6900), (6150, 7250))):
        y, x = noise(n, 40 + k, 0.3), noise(n, 50 + k, 0.3)
        shape = np.linspace(0.4, 1.6, stop - start) if k != 1 else 1.0
        middle = x[start:stop] * shape if k != 2 else low_passed(y, 0.45, 0.3)[start:stop]
        y, middle = (np.clip(np.round(64 * v), -63, 63) / 64 for v in (y, middle))
        y[:4] = 1, -1, 1, -1
        z = y.copy()
        z[start:stop] = middle
        for v in (y, z):  # no mean, spread over the middle in steps of 1/64
            v[start : start + round(abs(64 * v.sum()))] -= np.sign(v.sum()) / 64
        found.append(Probe(f"a change in the middle {k + 1}", level * y, level * z))
    return Probes(tuple(found), sample_rate)


@cache
def spectral(sample_rate: int, fresh: bool = False) -> Probes:
    """Return pairs for log-spectral distances on which no floor shows: ends, levels, offsets, lengths."""
    s, a = (400, 1.3) if fresh else (60, 1.0)
    n = 12289 if fresh else 12000
    other = noise(n + 9000, s + 2, 0.3 * a)  # of another length and two patches long
    steep = noise(n, s + 3, 0.3) * np.linspace(0.3, 1, n)
    third = len(other) // 3
    return Probes(
        (
            Probe("two noises", noise(n, s), steep + 0.3 * low_passed(noise(n, s + 1, 0.3), 0.4)),
            Probe("a gain on a part", other, np.concatenate([other[:third], 5 * a * other[third:]])),
            Probe("an offset", other + 0.03, 0.5 * a * other[::-1] - 0.05),
            Probe("a gain", steep, 0.4 * a * steep + noise(n, s + 4, 0.02)),
            Probe("beyond full scale", 9 * steep, 7 * steep + 5 * noise(n, s + 5)),
            Probe("a delay", other, np.roll(other, 6) + noise(len(other), s + 6, 0.02)),
        ),
        sample_rate,
    )


@cache
def louder(sample_rate: int, factor: float = 1000.0) -> Probes:
    """Return the pairs for log-spectral distances so loud that no constant shows."""
    pairs = [Probe(name, factor * y, factor * x) for name, y, x in spectral(sample_rate).pairs]
    return Probes(tuple(pairs), sample_rate)


@cache
def floors(sample_rate: int, fresh: bool = False) -> Probes:
    """Return pairs for log-spectral distances on which a floor shows, a nearly silent estimate first."""
    s, a = (500, 1.4) if fresh else (70, 1.0)
    n = 12289 if fresh else 12000
    speech = a * voice(n, sample_rate, s)
    late = np.arange(n) > 7000
    gated = speech * (np.arange(n) % 4000 < 3000)
    return Probes(
        (
            Probe("a nearly silent estimate", noise(n, s, 0.3 * a), 1e-30 * noise(n, s + 1)),
            Probe("a nearly silent reference", 1e-30 * noise(n, s + 1), noise(n, s, 0.3 * a)),
            Probe("an empty band", speech, low_passed(speech, 0.3, floor=0.0)),
            Probe("pauses", speech, gated),
            Probe("noise in a pause", speech * late, speech * late + noise(n, s + 5, 1e-4)),
            Probe("a million times as loud", noise(n, s + 6, 0.3), 1e6 * noise(n, s + 6, 0.3 * a)),
            Probe("a quiet signal", 0.003 * speech, 0.003 * low_passed(gated, 0.5, floor=1e-3)),
        ),
        sample_rate,
    )


@cache
def spoken(sample_rate: int, fresh: bool = False) -> Probes:
    """Return pairs for PESQ and STOI."""
    n, s = (2 * sample_rate, 7) if fresh else (2 * sample_rate, 0)
    first, second = voice(n, sample_rate, s), voice(n, sample_rate, s + 1)
    gated = first * (np.arange(n) % (n // 5) < n // (8 if fresh else 7))
    return Probes(
        (
            Probe("noisy", first, first + noise(n, s + 1, 0.08 if fresh else 0.05)),
            Probe("band-limited", first, low_passed(first, 0.3, floor=0.01) + 0.02),
            Probe("gated", second, 0.4 * gated + noise(n, s + 2, 0.01)),
        ),
        sample_rate,
    )
