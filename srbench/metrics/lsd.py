"""Log-spectral distance, in every convention in use, from one pass over the signals.

Conventions
-----------
With R and E the spectrograms of reference and estimate (frames t, bins f) and D = log R - log E, an LSD
is a mean of a root of a mean of D². The conventions differ in the logarithm, in power or magnitude, in the transform,
in how a floor keeps the logarithm finite, in which mean comes first, and in a cap. There is a conversion only for the
base of the logarithm (ln values are 2.302585 times log10 values), for power against magnitude (2) and for dB (10),
and only while no floor is active; for everything else the value must be recomputed. Hence one name and one signature
for each:

- ``lsd`` (the `nuwave` convention; NU-Wave 1 and 2, AERO, AP-BWE): log10 of power clamped at 1e-8, 2048 / 512,
  periodic Hann, centred with reflection; root of the mean over bins, then the mean over frames. The most comparable
  today.
- ``lsd_hf``, ``lsd_lf``: the same above and below the cutoff. As in NU-Wave 2, the upper band begins with bin
  int((n_fft / 2 + 1) low_rate / high_rate), less than a bin from the cutoff: from 16 to 48 kHz that is bin 341, at
  7992 Hz. The lower band ends with the bin before. The bins stand in the signature.
- ``lsd_paper``: equation (3) of Semeniuta 2019, which names neither the logarithm's base nor the transform. Our
  reading: ln of power, over bins first; transform and clamp as in `nuwave`. It is 2.302585 times ``lsd``.
- ``lsd_kuleshov`` (code of Kuleshov et al. 2017): ln of power + 1e-8, the root of the mean over *frames* (1e-8 added
  under it), then the mean over bins, capped at 10. Theirs joins all patches into one signal; here it is taken per
  utterance, like the rest.
- ``lsd_tunet`` (code of TUNet, `utils.LSD`): as ``lsd_kuleshov``, with no cap.
- ``lsd_nvsr`` (NVSR, ssr_eval): log10(R² / (E + 1e-12)² + 1e-12) of magnitudes, n_fft = int(2048 rate / 44100), hop =
  int(rate / 100). Not symmetric, and not 0 for a copy with digital silence (a bin
  that is exactly 0 counts 12). Reflection at the ends, as torch and librosa < 0.9 do it (later librosa pads with
  zeros: third digit).

Not to be confused with the RMS waveform difference that one code base calls LSD, nor with log10 of log(1 + |S|).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf, log
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from srbench import signature
from srbench.errors import SrbenchError, UndefinedMetric
from srbench.metrics.metric import Metric
from srbench.metrics.pair import Pair
from srbench.metrics.spectra import power_spectra
from srbench.signature import Signature

_FLOOR = re.compile(r"(max|add|ratio)(\d+(?:\.\d+)?(?:e-?\d+)?)")


@dataclass(frozen=True)
class Lsd:
    """One definition of the log-spectral distance.

    Attributes
    ----------
    log : {"10", "e"}
        Base of the logarithm.
    of : {"power", "magnitude"}
        What the logarithm is taken of.
    n_fft, hop : int, in samples
    win : {"hann"}
        Periodic Hann window of n_fft samples.
    center : bool
        Frame t is centred on sample t * hop; the ends are extended by n_fft // 2 samples.
    pad : {"reflect", "zeros"}
        How the ends are extended.
    floor : str
        ``max1e-8``: power clamped from below; ``add1e-8``: added to the power;
        ``ratio1e-12``: log(R / (sqrt(E) + 1e-12)² + 1e-12) of powers R, E, ssr_eval's form.
    eps : float
        Added to the mean of squares, under the root.
    pool : {"rms_f.mean_t", "rms_t.mean_f"}
        Root mean square over bins then mean over frames, or root mean square over frames then mean over bins.
    band : str
        ``full``, ``above8000`` or ``below8000``, in Hz; see `bins` for the edge.
    clip : float or None
        Cap on the value.
    sr : int, in Hz
    """

    VERSION: ClassVar[int] = 1
    log: str = "10"
    of: str = "power"
    n_fft: int = field(default=2048, metadata={"key": "nfft"})
    hop: int = 512
    win: str = "hann"
    center: bool = True
    pad: str = "reflect"
    floor: str = "max1e-8"
    eps: float = 0.0
    pool: str = "rms_f.mean_t"
    band: str = "full"
    clip: float | None = None
    sr: int = 16000

    def __post_init__(self) -> None:
        for name, known in (
            ("log", ("10", "e")),
            ("of", ("power", "magnitude")),
            ("win", ("hann",)),
            ("pad", ("reflect", "zeros")),
            ("pool", ("rms_f.mean_t", "rms_t.mean_f")),
        ):
            if getattr(self, name) not in known:
                raise SrbenchError(f"LSD: {name} must be one of {', '.join(known)}, not '{getattr(self, name)}'")
        if self.n_fft < 2 or self.hop < 1:
            raise SrbenchError(f"LSD: n_fft {self.n_fft} and hop {self.hop} do not make a transform")
        if not _FLOOR.fullmatch(self.floor):
            raise SrbenchError(f"LSD: floor must be like max1e-8, add1e-8 or ratio1e-12, not '{self.floor}'")
        first, last = self.bins()
        if first >= last:
            raise SrbenchError(f"LSD: the band '{self.band}' holds no bin at {self.sr} Hz")

    def signature(self) -> Signature:
        """Return every field, in order, and the first and the last bin of a band."""
        first, end = self.bins()
        of_band = {} if self.band == "full" else {"bins": f"{first}-{end - 1}"}
        return signature.of_fields("LSD", self, **of_band, v=self.VERSION)

    def bins(self) -> tuple[int, int]:
        """Return the first bin of the band and the one past its last; the edge is int(bins cutoff / (sr / 2))."""
        bins = self.n_fft // 2 + 1
        if self.band == "full":
            return 0, bins
        match = re.fullmatch(r"(above|below)([\d.]+)", self.band)
        if not match:
            raise SrbenchError(f"LSD: band must be full, aboveHZ or belowHZ, not '{self.band}'")
        edge = int(bins * float(match[2]) / (self.sr / 2))
        return (min(edge, bins), bins) if match[1] == "above" else (0, min(edge, bins))

    def measure(self, pair: Pair) -> float:
        """Return the distance of a pair.

        Raises
        ------
        UndefinedMetric
            If the reference is silent, or the signals are too short for one frame.
        """
        return pair.once(("lsd", self), lambda: _values(pair, [self])[self])

    def transform(self) -> tuple[object, ...]:
        """Return what must agree for two definitions to be measured in one pass."""
        return self.n_fft, self.hop, self.win, self.center, self.pad

    def squared_differences(self, pair: Pair) -> NDArray[np.float64]:
        """Return (log10 R - log10 E)² of powers, shape (frames, bins)."""
        return np.concatenate([_squared(r, e, self.floor) for r, e in self.powers(pair)])

    def powers(self, pair: Pair) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Return an iterator over the powers of both signals; see `power_spectra`."""
        return power_spectra(pair, self.n_fft, self.hop, self.pad if self.center else None)


def measure_ahead(pair: Pair, definitions: Iterable[object]) -> None:
    """Measure every LSD among the definitions in one pass for each transform; the pair remembers the values.

    What has no value is left to `Lsd.measure`, which says why.
    """
    groups: dict[tuple[object, ...], list[Lsd]] = {}
    for definition in definitions:
        if isinstance(definition, Lsd):
            groups.setdefault(definition.transform(), []).append(definition)
    for group in groups.values():
        try:
            values = _values(pair, group)
        except UndefinedMetric:
            continue
        for definition, value in values.items():
            pair.once(("lsd", definition), lambda value=value: value)  # type: ignore[misc]


def _values(pair: Pair, group: Sequence[Lsd]) -> dict[Lsd, float]:
    """Measure definitions of one transform together.

    Only means are kept of the few frames at hand: whole spectrograms would take longer to store than to compute.
    """
    if not pair.reference.any():
        raise UndefinedMetric("the reference is silent: LSD is undefined")
    means: dict[tuple[object, ...], list[NDArray[np.float64]]] = {_reduction(each): [] for each in group}
    floors = {each.floor for each in group}
    frames = 0
    for r, e in group[0].powers(pair):
        frames += len(r)
        squared = {floor: _squared(r, e, floor) for floor in floors}
        for (floor, pool, band), kept in means.items():
            of_band = squared[floor][:, slice(*band)]  # type: ignore[index, misc]
            if pool == "rms_f.mean_t":
                kept.append(of_band.mean(axis=1))
            else:
                kept[:] = [of_band.sum(axis=0) + (kept[0] if kept else 0.0)]
    values = {}
    for each in group:
        kept = means[_reduction(each)]
        mean = np.concatenate(kept) if each.pool == "rms_f.mean_t" else kept[0] / frames
        scale = (1.0 if each.log == "10" else log(10.0)) * (1.0 if each.of == "power" else 0.5)
        value = float(np.sqrt(scale**2 * mean + each.eps).mean())
        values[each] = value if each.clip is None else min(value, each.clip)
    return values


def _reduction(definition: Lsd) -> tuple[object, ...]:
    """Return what must agree, beside the transform, for two definitions to share their means of squares."""
    return definition.floor, definition.pool, definition.bins()


def _squared(r: NDArray[np.float64], e: NDArray[np.float64], floor: str) -> NDArray[np.float64]:
    """Return (log10 r - log10 e)² of powers, kept finite by a floor as `Lsd` has it."""
    kind, text = _FLOOR.fullmatch(floor).groups()  # type: ignore[union-attr]
    amount = float(text)
    if kind == "max":
        ratio = np.maximum(r, amount)
        ratio /= np.maximum(e, amount)
    elif kind == "add":
        ratio = r + amount
        ratio /= e + amount
    else:
        amplitude = np.sqrt(e)
        amplitude += amount
        ratio = r / np.square(amplitude, out=amplitude)
        ratio += amount
    np.log10(ratio, out=ratio)
    return np.square(ratio, out=ratio)


def nuwave(sr: int, cutoff: float | None = None) -> Lsd:
    """Return the convention of NU-Wave, AERO and AP-BWE: the default ``lsd``."""
    return Lsd(sr=sr)


def paper(sr: int, cutoff: float | None = None) -> Lsd:
    """Return our reading of Semeniuta 2019, eq. (3)."""
    return Lsd(log="e", sr=sr)


def kuleshov(sr: int, cutoff: float | None = None) -> Lsd:
    """Return the convention of the code of Kuleshov et al. 2017."""
    return Lsd(log="e", floor="add1e-8", eps=1e-8, pool="rms_t.mean_f", clip=10.0, sr=sr)


def tunet(sr: int, cutoff: float | None = None) -> Lsd:
    """Return the convention of TUNet's code."""
    return Lsd(log="e", floor="add1e-8", eps=1e-8, pool="rms_t.mean_f", sr=sr)


def nvsr(sr: int, cutoff: float | None = None) -> Lsd:
    """Return the convention of NVSR (ssr_eval)."""
    return Lsd(n_fft=int(2048 * sr / 44100), hop=int(sr / 100), floor="ratio1e-12", sr=sr)


def above(sr: int, cutoff: float | None) -> Lsd:
    """Return LSD-HF: `nuwave` over the band above the cutoff."""
    return Lsd(band=f"above{_edge(cutoff)}", sr=sr)


def below(sr: int, cutoff: float | None) -> Lsd:
    """Return LSD-LF: `nuwave` over the band below the cutoff."""
    return Lsd(band=f"below{_edge(cutoff)}", sr=sr)


def _edge(cutoff: float | None) -> str:
    if cutoff is None:
        raise SrbenchError("an LSD of one band needs the cutoff (half the low rate, in Hz)")
    return signature.value_text(float(cutoff))


def _nyquist(sample_rate: int) -> float:
    return sample_rate / 2


def _metric(name: str, title: str, define: Callable[[int, float | None], Lsd], **more: Any) -> Metric:
    told = {"range": (0.0, inf), "family": "lsd", "spread": 0.15, "hears": _nyquist, **more}
    return Metric(name, title, "1", "lower", define=define, **told)


METRICS = (
    _metric(
        "lsd",
        "Log-spectral distance (NU-Wave, AERO, AP-BWE)",
        nuwave,
        convention="nuwave",
        usual=True,
        also="logspectraldistance lsdnuwave",
        near="log-spectral-distance log-spectral-distortion",
        source="code of Lee and Han 2021 (NU-Wave)",
        cite="lee2021nuwave",
    ),
    _metric(
        "lsd_hf",
        "LSD above the cutoff: the band that the upscaler made",
        above,
        family="lsd_band",
        also="lsdhigh hflsd",
        near="lsd-high hf-lsd hf",
        source="Han and Lee 2022 (NU-Wave 2)",
        cite="han2022nuwave2",
    ),
    _metric(
        "lsd_lf",
        "LSD below the cutoff: the band that it was given",
        below,
        family="lsd_band",
        also="lsdlow lflsd",
        near="lsd-low lf-lsd lf",
        source="Han and Lee 2022 (NU-Wave 2)",
        cite="han2022nuwave2",
    ),
    _metric(
        "lsd_paper",
        "LSD as Semeniuta 2019 eq. (3) reads: ln of power",
        paper,
        label="LSD paper",
        convention="paper",
        source="Semeniuta 2019, eq. (3)",
        cite="semeniuta2019",
    ),
    _metric(
        "lsd_kuleshov",
        "LSD of the code of Kuleshov et al. 2017: ln, over frames first",
        kuleshov,
        range=(0.0, 10.0),
        label="LSD kuleshov",
        convention="kuleshov",
        source="code of Kuleshov et al. 2017",
        cite="kuleshov2017audio",
    ),
    _metric(
        "lsd_nvsr",
        "LSD of NVSR (ssr_eval): asymmetric floor",
        nvsr,
        label="LSD nvsr",
        convention="nvsr",
        source="ssr_eval, code of Liu et al. 2022",
        cite="liu2022nvsr",
    ),
    _metric(
        "lsd_tunet",
        "LSD of TUNet: ln, over frames first, no cap",
        tunet,
        label="LSD tunet",
        convention="tunet",
        source="code of Nguyen et al. 2022 (TUNet)",
        cite="nguyen2022tunet",
    ),
)
