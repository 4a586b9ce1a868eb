"""What a function can be declared as: the definition it is held against, and the parts that its name leaves open."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from srbench.audit.distance import Distance, Frames
from srbench.audit.fit import Fit
from srbench.audit.opinion import Opinion
from srbench.audit.ratio import Error, Ratio, Segments
from srbench.errors import SrbenchError
from srbench.metrics import METRICS, Definition, Metric, get_metric
from srbench.metrics.lsd import Lsd
from srbench.signature import Signature, value_text

_LN10 = math.log(10)


@dataclass(frozen=True)
class Declared:
    """A name that a function can be declared as.

    Attributes
    ----------
    metric : Metric
    definition : Definition
        At the sample rate.
    laws : str
        The family of laws that apply, ``other`` for those of form alone.
    family : {"ratio", "error", "distance", "opinion"}
        Where its definition is looked for first.
    fits : tuple of Fit
        What it may be, the usual first.
    free : frozenset of str
        Parts that the name leaves open.
    """

    metric: Metric
    definition: Definition
    laws: str
    family: str
    fits: tuple[Fit, ...]
    free: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Open:
    """The definition of a name that srbench has no metric of."""

    name: str
    point: Any

    def signature(self) -> Signature:
        return words_of(self.name.upper().replace("_", "-"), self.point)

    def measure(self, pair: Any) -> float:
        raise NotImplementedError


def words_of(name: str, point: Any, **more: Any) -> Signature:
    """Return a definition that srbench has no metric of as a signature."""
    fields: dict[str, str] = {}
    for key, value in vars(point).items():
        if key == "front":
            fields[key] = "+".join(value) or "none"
        elif isinstance(value, Frames | Segments):
            parts = {k: v for k, v in vars(value).items() if v not in (None, "", False)}
            fields[key] = ".".join(f"{k}-{value_text(v)}" for k, v in parts.items())
        elif key != "amount" or getattr(point, "floor", ""):
            fields[key] = value_text(value) or "none"
    fields |= {key: value_text(value) for key, value in more.items()}
    clean = {key: re.sub(r"[\s,\"|:]+", "-", value) for key, value in fields.items()}
    return Signature(name, tuple(clean.items()))


def _fit(point: Any, factor: float = 1.0, cap: float | None = None) -> Fit:
    return Fit(point, factor, 0.0, cap=cap)


_MELS = Distance(bank="mel80-slaney", floor="max", amount=1e-5)
_OPEN: dict[str, tuple[str, str, str, tuple[Fit, ...], frozenset[str]]] = {
    # name: unit, better, family, what it may be, what is open
    "segsnr": (
        *("dB", "higher", "ratio"),
        (_fit(Ratio(segments=Segments(320, 320)), 10.0),),
        frozenset({"segments", "floor"}),
    ),
    "psnr": ("dB", "higher", "ratio", (_fit(Ratio(over="one"), 10.0),), frozenset({"over", "floor"})),
    "si_snr": (
        *("dB", "higher", "ratio"),
        (_fit(Ratio(("mean",), "projection"), 10.0),),
        frozenset({"floor"}),
    ),
    "sdr": (
        *("dB", "higher", "ratio"),
        (_fit(Ratio(target="filtered"), 10.0), _fit(Ratio(), 10.0)),
        frozenset({"floor"}),
    ),
    "nmse": (
        *("1", "lower", "error"),
        (_fit(Error(form="over-reference")), _fit(Error(form="dB-over-reference"), 10.0)),
        frozenset(),
    ),
    "rmse": ("1", "lower", "error", (_fit(Error(form="root")),), frozenset()),
    "mae": ("1", "lower", "error", (_fit(Error(form="abs")),), frozenset()),
    "log_mel": (
        *("1", "lower", "distance"),
        (_fit(_MELS),),
        frozenset({"bank", "floor", "frames", "factor", "pool"}),
    ),
    "mcd": (
        *("dB", "lower", "distance"),
        (_fit(Distance(bank="mel80-slaney", after="dct1-13", pool="norm_f.mean_t")),),
        frozenset({"bank", "floor", "frames", "factor", "after", "pool"}),
    ),
    "spectral_convergence": (
        *("1", "lower", "distance"),
        (
            _fit(Distance(scale="magnitude", pool="convergence")),
            _fit(Distance(scale="magnitude", pool="convergence_t")),
        ),
        frozenset({"frames", "floor"}),
    ),
}


_KINDS = {
    "lsd": "distance",
    "lsd_band": "distance",
    "snr": "ratio",
    "si_sdr": "ratio",
    "mse": "error",
    "pesq": "opinion",
    "stoi": "opinion",
}


def names() -> list[str]:
    """Return what a function can be declared as."""
    return [*(metric.name for metric in METRICS.values() if metric.family in _KINDS and not metric.home), *_OPEN]


def declared_as(name: str, sample_rate: int, cutoff: float | None) -> Declared:
    """Return what a function is held against.

    Parameters
    ----------
    name : str
        However it is spelt.
    sample_rate : int, in Hz
    cutoff : float or None, in Hz
        For the metrics of one band.

    Raises
    ------
    SrbenchError
        If there is no such name, or it is not defined at the rate.
    """
    if (spelt := name.casefold().replace("-", "_")) in _OPEN:
        name = spelt
        unit, better, family, fits, free = _OPEN[name]
        definition: Definition = _Open(name, fits[0].point)
        make: Callable[[int, float | None], Definition] = lambda rate, cut: definition  # noqa: E731
        metric = Metric(name, name, unit, better, (-math.inf, math.inf), make, lambda rate: rate / 2)
        return Declared(metric, definition, "other", family, fits, free)
    metric = get_metric(name)
    if metric.name not in names():
        raise SrbenchError(f"there are no laws for {metric.name} yet; audit as one of {', '.join(names())}")
    family = metric.family
    definition = metric.define(sample_rate, cutoff if family == "lsd_band" else None)
    point: Any = {
        "snr": Ratio(),
        "si_sdr": Ratio(target="projection"),
        "mse": Error(),
        "pesq": Opinion(metric.name),
        "stoi": Opinion(metric.name),
    }.get(family)
    fit = of_lsd(cast(Lsd, definition)) if point is None else _fit(point, 10.0 if _KINDS[family] == "ratio" else 1.0)
    return Declared(metric, definition, "other" if family == "lsd_band" else family, _KINDS[family], (fit,))


def of_lsd(definition: Lsd) -> Fit:
    """Return an LSD of srbench as a definition with its factor and cap."""
    kind, amount = re.fullmatch(r"([a-z]+)(.+)", definition.floor).groups()  # type: ignore[union-attr]
    first, last = definition.bins()
    whole = (first, last) == (0, definition.n_fft // 2 + 1)
    point = Distance(
        frames=Frames(definition.n_fft, definition.hop, ends=_ends(definition)),
        bank="all" if whole else f"bins@{first}-{last}",
        floor=kind,
        amount=float(amount),
        pool=definition.pool,
    )
    unit = (_LN10 if definition.log == "e" else 1.0) * (0.5 if definition.of == "magnitude" else 1.0)
    return _fit(point, unit, definition.clip)


def _ends(definition: Lsd) -> str:
    return "none" if not definition.center else "zeros" if definition.pad == "zeros" else "reflect"


def signature_of(fit: Fit, declared: Declared, sample_rate: int) -> str:
    """Return what a target computes: the declared signature, another of srbench's, or the parts in words."""
    if isinstance(fit.point, Distance):
        for metric in METRICS.values():
            if metric.family == "lsd" and not metric.home:
                other = of_lsd(cast(Lsd, metric.define(sample_rate, None)))
                if same(fit, other):
                    return str(metric.signature(sample_rate))
    elif (
        isinstance(fit.point, Opinion) and not fit.offset and fit.point == Opinion(fit.point.metric) and fit.factor == 1
    ):
        return str(METRICS[fit.point.metric].signature(sample_rate))
    if any(same(fit, other) for other in declared.fits[:1]):
        return str(declared.definition.signature())
    name = type(fit.point).__name__.upper()
    more: dict[str, Any] = {"factor": f"{fit.factor:.6g}"}
    if fit.offset:
        more["offset"] = f"{fit.offset:.6g}"
    more |= {key: f"{v:.6g}" for key, v in (("clip", fit.cap), ("least", fit.least)) if v is not None}
    if isinstance(fit.point, Ratio):
        more["log"] = "10"
    return str(words_of(name, fit.point, **more, sr=sample_rate))


def same(fit: Fit, other: Fit) -> bool:
    """Tell whether two fits are one definition."""
    caps = [(f.cap is None, round(f.cap or 0, 3)) for f in (fit, other)]
    return (
        fit.point == other.point
        and math.isclose(fit.factor, other.factor, rel_tol=2e-4)
        and caps[0] == caps[1]
        and fit.least is None
        and abs(fit.offset) < 1e-6
    )
