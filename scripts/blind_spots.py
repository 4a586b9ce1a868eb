#!/usr/bin/env python3
r"""Measure what each metric cannot hear, and write the tables of docs/blind-spots.md.

    python scripts/blind_spots.py path/to/vctk --speakers p225,p226 --per-speaker 6

Each case is a pair of estimates of one recording: a worse one and a better one. A metric has a blind spot where it
prefers the worse one, or tells no difference.
"""

import argparse
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from srbench import audio
from srbench.audio import Samples
from srbench.corpora import open_corpus
from srbench.metrics import METRICS, Pair, measure_all
from srbench.protocols import Protocol, load_protocol, prepare
from srbench.upscaler import BuiltUpscaler, build_upscaler

PAGE = Path(__file__).resolve().parents[1] / "docs" / "blind-spots.md"
BEGIN, END = "<!-- blind spots: made by scripts/blind_spots.py -->\n", "<!-- end of blind spots -->"
PROTOCOLS = ("vctk-test8-16k-48k", "vctk-p239-r4")
NAMES = ("snr", "si_sdr", "lsd", "lsd_hf", "lsd_lf", "pesq", "stoi", "estoi")
WIDE = "visqol"  # it takes seconds a pair, and hears more than PESQ from 44.1 kHz on
SAME = 0.02  # of the worse value: a smaller difference is none
FOOLED, BLIND, RIGHT = "✗", "=", "✓"


@cache
def _built(upscaler: str) -> BuiltUpscaler:
    return build_upscaler(upscaler)[0]


@dataclass(frozen=True)
class Recording:
    """A reference, its low-resolution signal, and what the rates are."""

    reference: Samples
    low: Samples
    protocol: Protocol

    def by(self, upscaler: str) -> Samples:
        """Return the estimate of a registered upscaler."""
        return _built(upscaler)(self.low, self.protocol.low_rate, self.protocol.high_rate)

    def bands(self) -> tuple[Samples, Samples]:
        """Return the reference below the cutoff, and above it."""
        spectrum = np.fft.rfft(self.reference)
        above = np.fft.rfftfreq(len(self.reference), 1 / self.protocol.high_rate) >= self.protocol.cutoff
        low, high = np.where(above, 0, spectrum), np.where(above, spectrum, 0)
        return np.fft.irfft(low, len(self.reference)), np.fft.irfft(high, len(self.reference))


def folded(of: Recording) -> Samples:
    """Put zeros between the samples: mirrored copies of the low band, at full strength, fill the high band."""
    ratio = of.protocol.high_rate // int(of.protocol.low_rate)
    estimate = np.zeros(len(of.low) * ratio)
    estimate[::ratio] = ratio * of.low
    return estimate


def _above(of: Recording) -> Samples:
    frequencies = np.fft.rfftfreq(len(of.reference), 1 / of.protocol.high_rate)
    return (frequencies >= of.protocol.cutoff).astype(float)


def dull(of: Recording) -> Samples:
    """Turn the true high band down by 8 dB: a little dull."""
    low, high = of.bands()
    return low + 10 ** (-8 / 20) * high


def hiss(of: Recording) -> Samples:
    """Fill the high band with steady noise, as strong as the true high band is over the whole recording."""
    _, high = of.bands()
    noise = np.random.default_rng(0).standard_normal(len(high))
    noise = np.fft.irfft(np.fft.rfft(noise) * _above(of), len(high))
    return of.by("sinc") + noise * np.sqrt(np.mean(high**2) / np.mean(noise**2))


def late(of: Recording) -> Samples:
    """Return the reference itself, 40 samples late."""
    return np.concatenate([np.zeros(40), of.reference[:-40]])


def quiet(of: Recording) -> Samples:
    """Turn the sinc's estimate down by 20 dB."""
    return 0.1 * of.by("sinc")


def late_high_band(of: Recording) -> Samples:
    """Add the true high band a quarter of a second late: each sound hisses afterwards."""
    _, high = of.bands()
    return of.by("sinc") + np.roll(high, of.protocol.high_rate // 4)


def nothing(of: Recording) -> Samples:
    """Add nothing: the sinc's estimate."""
    return of.by("sinc")


def network(of: Recording) -> Samples:
    """Return the estimate of the network for every pair of rates."""
    return of.by("convnext_bwe")


Make = Callable[[Recording], Samples]
CASES: Mapping[str, tuple[Make, Make]] = {
    "the low band mirrored upwards at full strength, against adding nothing": (folded, nothing),
    "steady hiss above the cutoff, against adding nothing": (hiss, nothing),
    "the true high band 0.25 s late, against adding nothing": (late_high_band, nothing),
    "adding nothing, against the true high band 8 dB too quiet": (nothing, dull),
    "adding nothing, against a perfect copy 40 samples late": (nothing, late),
    "adding nothing, against the network `convnext_bwe`": (nothing, network),
    "20 dB too quiet, against the right level": (quiet, nothing),
}


def values(recordings: Iterable[Recording], make: Make, names: tuple[str, ...]) -> dict[str, Samples]:
    """Return the values of each metric over the recordings."""
    found: dict[str, list[float]] = {name: [] for name in names}
    for of in recordings:
        protocol = of.protocol
        pair = Pair(of.reference, make(of), protocol.high_rate, protocol.cutoff)
        measured, _ = measure_all(pair, protocol.define_metrics(names))
        for name in names:
            found[name].append(measured.get(name, np.nan))
    return {name: np.array(each) for name, each in found.items()}


def verdict(name: str, worse: Samples, better: Samples) -> str:
    """Tell whether a metric prefers the better one, the worse one, or tells no difference between the means."""
    up = METRICS[name].better == "higher"
    gain = np.mean(better - worse) * (1 if up else -1)
    if abs(gain) <= SAME * max(abs(np.mean(worse)), abs(np.mean(better))):
        return BLIND
    return RIGHT if gain > 0 else FOOLED


def smallest_sets(verdicts: Mapping[str, Mapping[str, str]]) -> list[tuple[str, ...]]:
    """Return the smallest sets of metrics of which in each case at least one prefers the better estimate."""
    names = list(next(iter(verdicts.values())))
    for size in range(1, len(names) + 1):
        sets = [
            chosen
            for chosen in itertools.combinations(names, size)
            if all(any(case[name] == RIGHT for name in chosen) for case in verdicts.values())
        ]
        if sets:
            return sets
    return []


def table(recordings: list[Recording], names: tuple[str, ...]) -> str:
    """Return the table of one protocol, and the sets that leave no hole."""
    rows = [f"| case | {' | '.join(f'`{name}`' for name in names)} |", "|---|" + "---|" * len(names)]
    found = {make: values(recordings, make, names) for make in {make for case in CASES.values() for make in case}}
    verdicts = {}
    for case, (worse, better) in CASES.items():
        verdicts[case] = {name: verdict(name, found[worse][name], found[better][name]) for name in names}
        means = {name: tuple(np.mean(found[make][name]) for make in (worse, better)) for name in names}
        cells = [f"{verdicts[case][name]} {a:.3g} → {b:.3g}" for name, (a, b) in means.items()]
        rows.append(f"| {case} | {' | '.join(cells)} |")
    sets = [" + ".join(f"`{name}`" for name in names) for names in smallest_sets(verdicts)]
    said = f"Smallest sets that leave no hole here: {'; '.join(sets)}." if sets else "No set leaves no hole here."
    return "\n".join(rows) + f"\n\n{said}\n"


def load(data: Path, speakers: Iterable[str], count: int, protocol: Protocol) -> list[Recording]:
    """Return the first recordings at 48 kHz of each speaker."""
    corpus, found = open_corpus(data), []
    for speaker in speakers:
        own = [u for u in corpus.utterances if u.speaker == speaker and audio.info(u.path).sample_rate == 48000]
        for utterance in own[:count]:
            pair = prepare(*audio.read(utterance.path), protocol)
            found.append(Recording(pair.reference, pair.low, protocol))
    return found


def main() -> None:
    """Measure, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--speakers", required=True)
    parser.add_argument("--per-speaker", type=int, default=6)
    asked = parser.parse_args()
    parts = []
    for name in PROTOCOLS:
        protocol = load_protocol(name)
        recordings = load(asked.data, asked.speakers.split(","), asked.per_speaker, protocol)
        names = (*NAMES, WIDE) if protocol.high_rate >= 44100 else NAMES
        heading = f"### {int(protocol.low_rate) / 1000:g} to {protocol.high_rate / 1000:g} kHz"
        parts.append(f"{heading}\n\n{len(recordings)} recordings, protocol `{name}`.\n\n{table(recordings, names)}")
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.partition(BEGIN)[0], page.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n" + "\n".join(parts) + f"\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
