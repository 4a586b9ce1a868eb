"""Search for the definition that a target computes: part by part, on probes that show one part and hide the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import cache, lru_cache
from itertools import islice, product
from typing import Any

import numpy as np

from srbench.audit import probes as sets
from srbench.audit.distance import ENDS, FLOORS, LOG_POOLS, POOLS, SCALES, Distance, Frames, transforms, usual, windowed
from srbench.audit.fit import Asked, Fit, amounts, distance, fit_all, with_constants
from srbench.audit.front import COMMON, FILTERS, FRONTS, PLAIN_FRONTS
from srbench.audit.probes import Array, Probes
from srbench.audit.ratio import FORMS, TARGETS, Error, Ratio, Segments
from srbench.audit.signals import noise

EXACT = 3e-6  # on the probes of the search: what is nearer goes on to the fresh ones
_RARE = ("rect", "hamming", "hann-symmetric", "tukey")  # windows that are looked for with every transform
_RARITY = {name: k for k, name in enumerate(FRONTS)}
SINGLES = [(), *((name,) for name in FRONTS)]
_JOINED = ("mean", "peak", "rms", "clip", "est-rms-to-ref", "emphasis0.97")
PAIRS = [
    pair
    for joined in _JOINED
    for name in PLAIN_FRONTS
    if name != joined
    for pair in ((joined, name), (name, joined))
    if name not in _JOINED or pair[0] == joined
]


def search(asked: Asked, family: str, declared: Any) -> list[Fit]:
    """Return the definitions that fit a target best, the best first; the first may be shown.

    Parameters
    ----------
    asked : Asked
    family : {"ratio", "error", "distance"}
        What the target claims to be: looked for first.
    declared : Ratio, Error or Distance
        Its own definition: tried before all.
    """
    searches: dict[str, Callable[[Asked, Any], list[Fit]]] = {
        "ratio": _ratios,
        "error": _errors,
        "distance": _distances,
    }
    order = [family, *(name for name in ("error", "ratio", "distance") if name != family)]
    found: list[Fit] = []
    for name in order:
        if name == "distance" != family and not _deaf_to_polarity(asked):
            continue  # no distance of spectra hears it
        fits = searches[name](asked, declared if name == family else None)
        near = [_shown(asked, fit) for fit in fits[:12] if fit.error < 20 * EXACT]
        shown = sorted(
            (fit for fit in near if fit.shown),
            key=lambda fit: (not fit.edges, -_met(asked, fit), fit.error > 1e-8, _unusual(fit, declared)),
        )
        if shown:
            return [*shown[:1], *found]
        found = sorted([*found, *fits[:3]], key=lambda fit: fit.error)
    return found


def _deaf_to_polarity(asked: Asked) -> bool:
    y, x = noise(9600, 95, 0.3), noise(9600, 96, 0.2)
    return bool(np.isclose(asked.on_pair(y, y + x), asked.on_pair(y, -y - x), rtol=1e-6))


def _shown(asked: Asked, fit: Fit) -> Fit:
    """Return a fit with the word whether it reproduces the target on fresh probes, and on extreme ones."""
    rate = asked.sample_rate
    if isinstance(fit.point, Distance):
        ordinary, edge = [sets.spectral(rate, True)], [sets.floors(rate), sets.floors(rate, True)]
    else:
        ordinary = [sets.general(rate, True), sets.steady(rate, True)]
        edge = [sets.extreme(rate), sets.extreme(rate, True)]
    asked.on(ordinary[0])
    fit = _snapped(asked, fit)
    shown = all(asked.agrees(fit, probes) for probes in ordinary)
    return replace(fit, shown=shown, edges=shown and all(asked.agrees(fit, probes) for probes in edge))


def _met(asked: Asked, fit: Fit) -> int:
    """Return on how many nearly equal, nearly silent and quiet pairs a definition agrees, where not on all."""
    if fit.edges or isinstance(fit.point, Distance):
        return 0
    probes = sets.extreme(asked.sample_rate)
    return int(np.isclose(fit.predict(probes), asked.on(probes), rtol=1e-6, atol=1e-6).sum())


def _unusual(fit: Fit, declared: Any) -> float:
    """Return in how many parts a definition differs from the declared one, its factor with a name or without."""
    other = declared if isinstance(declared, type(fit.point)) else type(fit.point)()
    parts = [_parts(point) for point in (fit.point, other)]
    rarity = sum(_RARITY[name] for name in fit.point.front)  # of equal ones the one that is commoner
    return sum(bool(a != b) for a, b in zip(*parts, strict=True)) + 1.5 * (factor_name(fit) is None) + 1e-3 * rarity


def _parts(point: Any) -> list[Any]:
    values = [getattr(point, f.name) for f in fields(point)]
    return [part for v in values for part in (_parts(v) if is_dataclass(v) and not isinstance(v, Segments) else [v])]


def factor_name(fit: Fit) -> float | None:
    """Return the plain number that a fit's factor is, but for its sign; None where it is none."""
    bases = (1.0, np.log(10), 1 / np.log10(2))
    factor = np.sqrt(abs(fit.factor)) if getattr(fit.point, "pool", "") == "mean_all" else abs(fit.factor)
    for base, scale in product(bases, (1, 10, 20, 0.5, 2, 5, 0.1, 100)):
        if abs(factor / (base * scale) - 1) < 2e-4:
            return float(base * scale)
    return None


def _snapped(asked: Asked, fit: Fit) -> Fit:
    """Return the fit of rounded answers with a factor that has a name: rounding blurs it."""
    if asked.decimals is None:
        return fit
    for factor in (1.0, 10.0, 20.0, 5.0, 100.0, 0.5, np.log(10), 10 * np.log(10)):
        if abs(abs(fit.factor) / factor - 1) < 0.02:
            return replace(fit, factor=float(np.copysign(factor, fit.factor)))
    return fit


def _limits(asked: Asked) -> tuple[float | None, float | None]:
    """Return above and below what the target never answers, None where it goes on."""
    n = 9600
    y, e, z = noise(n, 90, 0.3), noise(n, 91, 0.3), noise(n, 92, 0.3)
    limits: list[float | None] = []
    for small, large in ((1e-7, 1e-8), (1e6, 1e8)):
        a, b = asked.on_pair(y, y + small * e), asked.on_pair(y, y + large * z)
        limits.append(a if np.isfinite(a) and abs(a - b) <= 1e-9 * abs(a) else None)
    high, low = limits
    return (low, high) if high is not None and low is not None and high < low else (high, low)


# ratios


def _ratios(asked: Asked, declared: Ratio | None) -> list[Fit]:
    cap, least = _limits(asked)
    stages: list[Callable[[], list[Ratio]]] = [lambda: _whole([()])]
    if declared is not None:
        usual = [(name,) for name in ("mean", "z-score", "peak", "est-rms-to-ref")]
        few, steady = _few(asked.sample_rate), _few(asked.sample_rate, "steady")
        twice = [Ratio(pair, declared.target) for pair in PAIRS]
        stages += [lambda: _nearest(asked, _segmented([()]), steady, 150)]
        stages += [lambda: _nearest(asked, _whole(SINGLES[1:]), few, 150)]
        stages += [lambda: _nearest(asked, _segmented(usual), steady), lambda: _nearest(asked, twice, few)]
        stages.insert(0, lambda: [declared])
    found: list[Fit] = []
    edges = lambda fit: asked.agrees(fit, sets.extreme(asked.sample_rate))  # noqa: E731
    for stage in stages:
        found = _ordered([*_fit_ratios(asked, stage(), cap, least), *found], declared, edges)[:12]
        if any(fit.error < EXACT and _shown(asked, fit).shown for fit in found[:4]):
            break
    return found


_OVER = ("power", "sum", "one", "peak", "maximum", "range", "abs", "abs-sum", "var", "mean", "median")
_UNDER = ("power", "sum", "abs", "abs-sum", "var", "mean", "median", "peak")


def _whole(fronts: Sequence[tuple[str, ...]]) -> list[Ratio]:
    """Return ratios of whole signals: every measure and target without a front end, the usual ones with one."""
    if fronts == [()]:
        pairs = sorted(product(_OVER, _UNDER), key=lambda pair: pair[0] != pair[1])
        plain = [Ratio((), t, over, under) for t in TARGETS for over, under in pairs]
        forms = [Ratio((), t, form=form) for t in TARGETS for form in ("log1p", "linear")]
        return [*plain, *forms]
    usual = (("power", "power"), ("one", "power"), ("peak", "power"), ("power", "var"))
    targets = [t for t in TARGETS if t != "filtered"]
    found = []
    for front in fronts:
        wide = targets if front[0] in COMMON or front[0].endswith("mean") else ("reference", "projection")
        found += [Ratio(front, t, *pair) for t in wide for pair in usual]
    return found


def _nearest(asked: Asked, points: Sequence[Any], probes: Probes, count: int = 40) -> list[Any]:
    """Return the definitions that come nearest on a few probes, in the order that they are given."""
    near = {fit.point for fit in fit_all(points, _bases(tuple(points), probes), asked.on(probes))[:count]}
    return [point for point in points if point in near]


@cache
def _few(sample_rate: int, kind: str = "general") -> Probes:
    """Return a few probes, to see what is not worth looking at on all."""
    if kind == "steady":
        return Probes(sets.steady(sample_rate).pairs[:2], sample_rate)
    if kind == "spectral":
        pairs = [sets.spectral(sample_rate).pairs[k] for k in (0, 2, 4, 5)]
        return Probes(tuple(sets.Probe(name, y[:9000], x[:9000]) for name, y, x in pairs), sample_rate)
    return Probes(tuple(sets.general(sample_rate).pairs[k] for k in (2, 4, 6, 7, 8)), sample_rate)


def _segmented(fronts: Iterable[tuple[str, ...]]) -> list[Ratio]:
    lengths = [ms * 16 for ms in (10, 15, 16, 20, 25, 30, 32, 40, 50, 64, 100, 200)]
    lengths += [1, 128, 200, 1024, 2048, 4096, 8192, 400, 441]
    found = []
    for front in fronts:
        for length in dict.fromkeys(lengths):
            for hop in (length, length // 2, length // 4) if length > 1 else (1,):
                for window in ("none", "hann"):
                    for last in ("drop", "keep", "short"):
                        if (front or length == 1) and (window != "none" or last != "drop"):
                            continue
                        segments = Segments(length, hop, window, last)
                        found += [Ratio(front, target, segments=segments) for target in ("reference", "projection")]
                        if hop == length and last == "drop" and window == "none":
                            found.append(Ratio(front, segments=replace(segments, pool="ratios")))
                        if not front and hop == length and window == "none":
                            found.append(Ratio(segments=replace(segments, pool="median")))
                        if not front and window == "none":
                            found += [Ratio(front, "reference", over, segments=segments) for over in ("peak", "one")]
    return found


def _fit_ratios(asked: Asked, points: Sequence[Ratio], cap: float | None, least: float | None) -> list[Fit]:
    """Fit ratios: segments on steady pairs first; then limits, constants and all probes for the nearest."""
    rate = asked.sample_rate
    general, steady, extreme = sets.general(rate), sets.steady(rate), sets.extreme(rate)
    segmented = bool(points and points[0].segments)
    first = steady if segmented else general
    measured = asked.on(first)
    if not np.isfinite(measured).any() or not points:
        return []
    bases = _bases(tuple(points), first)
    used = np.isfinite(measured)
    for limit in (cap, least):
        if limit is not None and not segmented:
            used &= np.abs(measured - limit) > 1e-9 * max(abs(limit), 1.0)
    masked = np.where(used, measured, np.nan)
    constant = np.array([p.over == "one" for p in points])
    fits = fit_all(points, bases, masked)
    if constant.any():
        chosen = [p for p, c in zip(points, constant, strict=True) if c]
        fits = sorted([*fits, *fit_all(chosen, bases[constant], masked, offset=True)], key=lambda fit: fit.error)
    # of what is equally near for now the plainest, which come first, go on
    near = [fit for fit in fits[:60] if fit.error < max(20 * fits[0].error, 2e-4)]
    place = {point: k for k, point in enumerate(points)}
    fits = [_named(fit) for fit in sorted(near, key=lambda fit: place[fit.point])[:10]]
    both = np.concatenate([asked.on(general), asked.on(steady)])

    def judged(fit: Fit) -> Fit:
        predicted = np.concatenate([fit.predict(general), fit.predict(steady)])
        return replace(fit, error=distance(both, predicted, fit.point))

    found = [judged(candidate) for fit in fits for candidate in _limited(fit, cap, least)]
    if not any(fit.error < EXACT and asked.agrees(fit, extreme) for fit in found):
        for fit in fits[:5]:
            if fit.error < 0.3 and fit.point.form == "log":
                for tried in _limited(_named(fit, 0.05), cap, least):
                    found += map(judged, with_constants(tried, asked, [general, steady, extreme])[:3])
    return sorted(found, key=lambda fit: (fit.error > EXACT, not asked.agrees(fit, extreme), fit.error))


def _named(fit: Fit, tolerance: float = 2e-3) -> Fit:
    """Return a fit with the factor and the offset that it nearly has: a constant blurs them."""
    for factor in (10.0, 20.0, 5.0, 1.0, np.log(10), 10 * np.log(10), 20 * np.log(10), 10 / np.log10(2)):
        if abs(abs(fit.factor) / factor - 1) < tolerance:
            fit = replace(fit, factor=float(np.copysign(factor, fit.factor)))
    return replace(fit, offset=0.0) if abs(fit.offset) < 10 * tolerance else fit


def _limited(fit: Fit, cap: float | None, least: float | None) -> list[Fit]:
    """Return a fit as it is, with the limits on its value, and with those on its segments."""
    found = [fit]
    if fit.factor < 0 and (cap is None) != (least is None):  # a loss
        cap, least = least, cap
    if cap is not None or least is not None:
        found.append(replace(fit, cap=cap, least=least))
    point: Ratio = fit.point
    if point.segments and fit.factor:
        ends = [None if v is None else (v - fit.offset) / fit.factor for v in (least, cap)]
        if fit.factor < 0:
            ends.reverse()
        for low, high in {(ends[0], ends[1]), (ends[0], None), (None, ends[1])} - {(None, None)}:
            found.append(replace(fit, point=replace(point, segments=replace(point.segments, low=low, high=high))))
        found += [replace(fit, point=replace(point, segments=replace(point.segments, pool="median")))]
    return found


@lru_cache(maxsize=64)
def _bases(points: tuple[Any, ...], probes: Probes) -> Array:
    """Return the values of definitions on probes: no target changes them, so that they are kept."""
    return np.array([_base(point, probes) for point in points])


def _base(point: Any, probes: Probes) -> Array:
    try:
        return np.asarray(point.base(probes))
    except ValueError:  # too short for a frame after its front end
        return np.full(len(probes.pairs), np.nan)


# errors


def _errors(asked: Asked, declared: Error | None) -> list[Fit]:
    probes = sets.general(asked.sample_rate)
    measured = asked.on(probes)
    _, cap = _limits(asked)  # of huge errors, where an error is greatest
    if cap is not None:
        measured = np.where(np.abs(measured - cap) > 1e-9 * abs(cap), measured, np.nan)
    found: list[Fit] = []
    for fronts in ([()], SINGLES[1:], PAIRS):
        points = [Error(tuple(front), form) for front in fronts for form in FORMS]
        if fronts is PAIRS:
            points = _nearest(asked, points, _few(asked.sample_rate))
        found = sorted([*found, *fit_all(points, _bases(tuple(points), probes), measured)[:6]], key=lambda f: f.error)
        if declared is None or (found and found[0].error < EXACT):
            break
    return [replace(fit, cap=cap) for fit in found]


# distances


def _distances(asked: Asked, declared: Distance | None) -> list[Fit]:
    rate = asked.sample_rate
    spectral, floors = sets.spectral(rate), sets.floors(rate)
    cap, _ = _distance_cap(asked)
    found: list[Fit] = []

    def finish(fits: Sequence[Fit]) -> list[Fit]:
        done = []
        for fit in fits:
            tried = [fit, *([replace(fit, cap=cap)] if cap is not None else [])]
            for f in tried:
                predicted = np.concatenate([f.predict(spectral), f.predict(floors)])
                measured = np.concatenate([asked.on(spectral), asked.on(floors)])
                done.append(replace(f, error=distance(measured, predicted, f.point)))
        return sorted(done, key=lambda f: f.error)

    if declared is not None:
        measured = np.where(np.abs(asked.on(spectral) - (cap or np.inf)) > 1e-9, asked.on(spectral), np.nan)
        found = finish(fit_all([declared], _bases((declared,), spectral), measured))
        if found and found[0].error < EXACT and factor_name(found[0]):
            return found
    cores = _cores(asked, declared)
    ended = _ordered(_with_ends(asked, cores, cap), declared)
    if cores and ended and ended[0].error > EXACT:  # a divisor of each spectrogram hides where the middle differs
        normed = [replace(cores[0], point=replace(cores[0].point, norm=norm)) for norm in ("peak", "rms", "mean")]
        ended = _ordered([*ended, *_with_ends(asked, normed, cap)], declared)
    if not ended or ended[0].error > EXACT:
        plain = [replace(cores[0].point.frames, ends=ends) for ends in ("reflect", "zeros", "none")] if cores else []
        starts = [fit.point for fit in ended[:1]] + [replace(cores[0].point, frames=frames) for frames in plain]
        ended = _ordered([*ended, *_with_fronts(asked, starts, cap)], declared)
    exact = list({fit.point: fit for fit in reversed(ended) if fit.error < EXACT}.values())[:-4:-1]
    plain_fits = [fit for fit in ended if not fit.point.front][:1]  # a front end that changes nothing is as near
    for fit in exact or dict.fromkeys([*plain_fits, *ended[:1]]):
        found += finish(_with_floor(asked, fit))
    return sorted(found, key=lambda fit: fit.error)


def _distance_cap(asked: Asked) -> tuple[float | None, None]:
    loud, soft = noise(12000, 93, 0.3), noise(12000, 94, 0.03)  # a cap is one for both; normalising only looks like it
    small, large = asked.on_pair(loud, 1e6 * loud), asked.on_pair(soft, 1e9 * soft)
    return (small if np.isfinite(small) and abs(small - large) <= 1e-7 * abs(small) else None), None


def _tiers(rate: int) -> Iterator[list[Distance]]:
    """Yield definitions without floors and ends, the usual first."""
    common = [f for f in transforms(rate) if usual(f)]
    plain = Distance(floor="", amount=0.0)
    yield [replace(plain, frames=f, pool=pool) for f in transforms(rate) for pool in LOG_POOLS]
    scales = [scale for scale in SCALES if scale != "log"]
    yield [
        replace(plain, frames=f, pool=pool, scale=scale) for f in transforms(rate) for scale in scales for pool in POOLS
    ]
    mels = [f"mel{n}-{kind}" for n in (128, 80, 40, 64, 26, 23, 100, 20, 24, 32) for kind in ("slaney", "htk")]
    banks = [*mels, *(f"mag-{m}" for m in mels[:6]), *(f"{m}-22050" for m in mels[:2])]
    yield [
        replace(plain, frames=f, bank=bank, scale=scale, pool=pool)
        for f in common
        for bank in banks
        for scale in ("log", "magnitude", "power")
        if scale == "log" or bank in mels[:4]
        for pool in ("rms_f.mean_t", "rms_t.mean_f", "rms_all", "mean_all", "abs_all", "norm_f.mean_t")
    ]
    shares = ((0, 0.25), (0, 0.5), (0, 0.95), (0.25, 1), (0.5, 1), (0, 0.75), (0.75, 1))
    parts = ["bins1:", "bins:-1", "mean4", "mean2", "mean8", *(f"bins{a}-{b}" for a, b in shares)]
    norms = ("frame-rms", "frame-peak", "frame-mean", "peak", "rms", "mean")
    variants = [{"bank": bank} for bank in parts] + [{"norm": norm} for norm in norms]
    variants += [{"after": after} for after in ("frame-mean", "total-mean", "dct0-13", "dct1-13", "dct1-14", "dct1-25")]
    yield [replace(plain, frames=f, pool=pool, **v) for f in common for v in variants for pool in LOG_POOLS]  # type: ignore[arg-type]
    yield [
        replace(plain, frames=f, bank=bank, after=after, pool=pool)
        for f in common
        for bank in mels[:8]
        for after in ("dct0-13", "dct1-13", "dct1-14", "dct1-25")
        for pool in ("norm_f.mean_t", "rms_f.mean_t", "rms_all", "abs_all")
    ]
    yield [
        replace(plain, frames=f, front=(front,), pool=pool)
        for f in common[:6]
        for front in FILTERS
        for pool in LOG_POOLS
    ]


def _cores(asked: Asked, declared: Distance | None) -> list[Fit]:
    """Return definitions without floors and ends that fit where pairs differ in the middle alone, the best first."""
    rate = asked.sample_rate
    probes, loud = sets.local(rate), sets.local(rate, 1000.0)
    found: list[Fit] = []
    logarithm = _logarithm(asked)
    for k, tier in enumerate(islice(_tiers(rate), None if declared is not None else 2)):
        points = tuple(p for p in tier if logarithm in (None, p.scale.startswith("log")))
        if not points:
            continue
        for given in (probes, loud):
            if given is loud and (points[0].scale != "log" or (found[:1] and found[0].error < EXACT)):
                continue
            bases = _bases(points, probes)  # without a floor the level of both changes nothing
            fits = fit_all(points, bases, asked.on(given))
            for near in _windows(fits, wide=k == 0) if fits else []:
                if fits[0].error > EXACT:  # the window is looked for where the transform is near
                    fits += fit_all(near, _bases(tuple(near), probes), asked.on(given))
                    fits.sort(key=lambda f: f.error)
            found = sorted([*found, *fits[:24]], key=lambda f: f.error)
        if found and found[0].error < EXACT:
            return _ordered([f for f in found[:60] if f.error < EXACT], declared)[:30]
    return found[:8]


def _logarithm(asked: Asked) -> bool | None:
    """Tell by gains of 2 and 4 whether logarithms are compared, or nothing of the kind; None where that is open."""
    y = noise(9600, 97, 0.3)
    two, four = asked.on_pair(y, 2 * y), asked.on_pair(y, 4 * y)
    known = {True: (2, 4), False: (3, 9, 5, 25)}
    return next((k for k, steps in known.items() if np.isclose(four, np.multiply(steps, two), rtol=2e-5).any()), None)


def _windows(fits: Sequence[Fit], wide: bool) -> list[list[Distance]]:
    """Return the nearest definitions with other windows: of every transform, the usual first, or of the near ones."""
    points = [fit.point for fit in fits]
    frames = list(dict.fromkeys(point.frames for point in points))
    if not wide:
        best = list(dict.fromkeys(replace(point, frames=frames[0]) for point in points[:3]))
        return [[replace(b, frames=w) for f in frames[:4] for w in windowed(f)[:7] for b in best]]
    pooled = [replace(points[0], pool=pool) for pool in ("rms_f.mean_t", "rms_t.mean_f", "rms_all", "abs_all")]
    common = [w for f in frames if usual(f) for w in windowed(f)]
    rare = [w for f in frames if not usual(f) for w in windowed(f) if w.win in _RARE]
    return [[replace(b, frames=w) for w in part for b in pooled] for part in (common, rare)]


def _ordered(fits: Sequence[Fit], declared: Any, edges: Callable[[Fit], bool] = lambda fit: True) -> list[Fit]:
    """Sort by error; of exact ones those that hold on the edges first, then the most usual."""
    near = [fit for fit in fits if fit.error <= EXACT]
    far = sorted((fit for fit in fits if fit.error > EXACT), key=lambda fit: fit.error)
    return [*sorted(near, key=lambda fit: (not edges(fit), _unusual(fit, declared))), *far]


def _with_ends(asked: Asked, cores: Sequence[Fit], cap: float | None) -> list[Fit]:
    """Return the definitions with every way to extend the ends, and with the mean over patches."""
    probes = sets.spectral(asked.sample_rate)
    centred = ("reflect", "zeros", "scipy", "repeat")
    points = [
        replace(core.point, frames=replace(core.point.frames, ends=ends), patch=patch)
        for core in cores
        for ends in ENDS
        if (ends in centred) == (core.point.frames.ends == "reflect") or _one_grid(core.point.frames)
        for patch in (0, 8192)
    ]
    points = list(dict.fromkeys(points))
    bases = np.array([p.base(probes) for p in points])
    found = []
    for given in (probes, sets.louder(asked.sample_rate)):  # of the loud the same values: no constant shows
        if given is probes or (points and points[0].scale == "log"):
            measured = asked.on(given)
            capped = cap is not None and np.abs(measured) >= abs(cap) * (1 - 1e-9)
            found += fit_all(points, bases, np.where(capped, np.nan, measured))[:12]
    return found


def _one_grid(frames: Frames) -> bool:
    return bool(not frames.hop or frames.size // 2 % frames.hop == 0)


def _with_fronts(asked: Asked, starts: Sequence[Distance], cap: float | None) -> list[Fit]:
    """Return the definitions that fit best with one front end."""
    probes = sets.spectral(asked.sample_rate)
    measured = asked.on(probes)
    if cap is not None:
        measured = np.where(np.abs(measured) >= abs(cap) * (1 - 1e-9), np.nan, measured)
    points = [replace(start, front=(*start.front, name)) for start in dict.fromkeys(starts) for name in FRONTS]
    points = _nearest(asked, points, _few(asked.sample_rate, "spectral"), 30) if points else []
    return fit_all(points, _bases(tuple(points), probes), measured)[:6] if points else []


def _with_floor(asked: Asked, fit: Fit) -> list[Fit]:
    """Return a definition with every kind of floor, its amount solved on the nearly silent signals."""
    if not fit.point.scale.startswith("log"):
        return [fit]
    probes = sets.floors(asked.sample_rate)
    measured, found = asked.on(probes), [fit]
    for k in (0, 2, 1) if fit.error < EXACT else (0,):  # of most floors the first tells the amount
        single = Probes((probes.pairs[k],), asked.sample_rate)
        for name, relative in (*((name, 0.0) for name in FLOORS if name), ("max", 1e-8), ("max", 1e-6)):
            norms = (fit.point.norm, f"{fit.point.norm}-after" if fit.point.norm else "")
            banks = (fit.point.bank, "one-sided" if fit.point.frames.detrend else fit.point.bank)
            for norm, bank in dict.fromkeys(zip(norms, banks, strict=True)):
                point = replace(fit.point, floor=name, relative=relative, norm=norm, bank=bank)

                def value(amount: float, point: Distance = point, single: Probes = single) -> float:
                    return float(fit.factor * replace(point, amount=amount).base(single)[0])

                solved = [replace(point, amount=amount) for amount in amounts(value, measured[k])]
                found += [
                    replace(fit, point=p, error=distance(measured, replace(fit, point=p).predict(probes), p))
                    for p in solved
                ]
        if any(f.error < EXACT for f in found[1:]):
            break
    return sorted(found, key=lambda f: f.error)[:8]
