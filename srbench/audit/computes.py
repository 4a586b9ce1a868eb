"""What a target computes, as a signature: of the metric where it is one, else in the lattice's own words."""

from __future__ import annotations

import math
from typing import cast

from srbench.audit.fit import Fit, plain_ratio
from srbench.audit.lattice import Distance, Ratio
from srbench.audit.law import Subject
from srbench.metrics.lsd import Lsd
from srbench.signature import Signature, value_text

_LN10 = math.log(10)


def ratio_signature(fit: Fit, subject: Subject) -> str:
    """Return the signature of a fitted ratio."""
    point = cast(Ratio, fit.point)
    plain = point == plain_ratio(subject.metric.name)
    if plain and math.isclose(fit.factor, 10, rel_tol=2e-4) and fit.cap is None:
        return str(subject.definition.signature())
    fields = {
        "factor": f"{fit.factor:.6g}",
        "log": "10",
        "order": point.order.replace(",", "-"),
        "prepare": point.prepare,
        "over": point.target,
        "energy": point.energy,
        "floor": point.floor,
        "patch": point.patch or "none",
        "log1p": point.log1p,
        "clip": None if fit.cap is None else round(fit.cap, 6),
    }
    return str(Signature("RATIO", tuple((key, value_text(value)) for key, value in fields.items())))


def distance_signature(fit: Fit, subject: Subject) -> str:
    """Return the target's definition as an LSD signature, or in the lattice's words where that has none."""
    point, declared = cast(Distance, fit.point), cast(Lsd, subject.definition)
    units: dict[tuple[str, str], float] = {
        ("10", "power"): 1.0,
        ("e", "power"): _LN10,
        ("10", "magnitude"): 0.5,
        ("e", "magnitude"): _LN10 / 2,
    }
    log, of = next((names for names, unit in units.items() if math.isclose(fit.factor, unit, rel_tol=2e-4)), ("", ""))
    floor = point.floor
    if floor.startswith("mag-max"):
        floor = f"max{value_text(float(floor[7:]) ** 2)}"
    plain = (
        point.prepare == "none"
        and point.part == "all"
        and point.of == "power"
        and point.win == "hann"
        and not floor.startswith(("mag", "power-ratio", "peak", "norm"))
    )
    swapped = point.order == "est,ref"
    if log and plain and not swapped and point.pool in ("rms_f.mean_t", "rms_t.mean_f"):
        same_pool = point.pool == declared.pool
        found = Lsd(
            log=log,
            of=of,
            n_fft=point.n_fft,
            hop=point.hop,
            center=point.edges != "none",
            pad="zeros" if point.edges == "zeros" else "reflect",
            floor=floor,
            eps=declared.eps if same_pool else 0.0,  # too small to be seen from outside
            pool=point.pool,
            clip=None if fit.cap is None else round(fit.cap, 6),
            sr=subject.sample_rate,
        )
        return str(found.signature())
    fields = {
        "factor": f"{fit.factor:.6g}",
        "log": "10",
        "of": point.of,
        "nfft": point.n_fft,
        "hop": point.hop,
        "win": point.win,
        "ends": point.edges,
        "floor": point.floor,
        "pool": point.pool,
        "order": point.order.replace(",", "-"),
        "prepare": point.prepare,
        "part": point.part,
        "clip": None if fit.cap is None else round(fit.cap, 6),
        "sr": subject.sample_rate,
    }
    return str(Signature("LSD", tuple((key, value_text(value)) for key, value in fields.items())))
