"""Signals for scripts and notebooks: a protocol's pairs, one degradation, one upscaler."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from srbench import audio
from srbench.api.arguments import the_protocol
from srbench.audio import Rate, Samples
from srbench.corpora import Utterance
from srbench.degradation import Degradation, from_table
from srbench.degradation import degrade as degrade_by
from srbench.errors import SrbenchError
from srbench.metrics.arguments import as_rate, as_samples
from srbench.protocols import Protocol, prepare
from srbench.run import Plan, make_plan
from srbench.upscaler import BuiltUpscaler, build_upscaler
from srbench.upscaling import only_rate


class UtterancePair(NamedTuple):
    """One utterance of a protocol.

    Attributes
    ----------
    utterance : srbench.corpora.Utterance
        With its ``id``, ``speaker`` and ``path``.
    reference : ndarray of float64, shape (n,), at the protocol's high rate
    low : ndarray of float64, shape (n * low_rate / high_rate,), at its low rate
    """

    utterance: Utterance
    reference: Samples
    low: Samples


def load_pairs(
    protocol: str | Path | Protocol = "demo",
    data: str | Path | None = None,
    *,
    side: str | None = None,
    limit: int | None = None,
    allow_partial: bool = False,
    channels: str | None = None,
) -> Iterator[UtterancePair]:
    """Iterate over a protocol's utterances: what a run gives an upscaler, and what it compares with.

    Parameters
    ----------
    protocol : str, path or Protocol
    data : path, optional
        The folder of the corpus; the embedded one by default.
    side, limit, allow_partial, channels
        As for `srbench.evaluate`.

    Returns
    -------
    iterator of UtterancePair
        Sorted by id. Each recording is read when its turn comes.

    Raises
    ------
    SrbenchError
        At once if the corpus cannot be used; at its turn if a recording cannot, named by its id.

    Examples
    --------
    >>> for utterance, reference, low in load_pairs("demo", limit=2):
    ...     print(utterance.id, reference.shape, low.shape)
    demo1_001 (59520,) (14880,)
    demo1_002 (75200,) (18800,)
    """
    plan = make_plan(
        the_protocol(protocol), data, side=side, limit=limit, allow_partial=allow_partial, channels=channels
    )
    return _pairs(plan)


def _pairs(plan: Plan) -> Iterator[UtterancePair]:
    for utterance in plan.utterances:
        try:
            prepared = prepare(*audio.read(utterance.path, plan.protocol.channels), plan.protocol)
        except SrbenchError as error:
            raise SrbenchError(f"utterance {utterance.id}: {error}") from error
        yield UtterancePair(utterance, *prepared)


def degrade(
    samples: Any, rate: int, low_rate: Rate, degradation: str | Degradation = "cheby1", **parameters: Any
) -> Samples:
    """Make the low-resolution version of a signal: low-pass and decimation, by name.

    Parameters
    ----------
    samples : ndarray of floats, shape (n,)
        n must be a whole number of low-resolution samples: a multiple of ``rate / low_rate`` for whole scales.
    rate, low_rate : int, in Hz
        ``low_rate`` may be a `fractions.Fraction`.
    degradation : str or Degradation
        ``"cheby1"`` (the usual one, `scipy.signal.decimate`), ``"butter"``, ``"ellip"``, ``"bessel"``,
        ``"subsample"``, ``"brickwall"``, ``"sinc"``; or a protocol's own, ``load_protocol(name).degradation``.
    **parameters
        Of a named one, as in a protocol's file (docs/protocols.md), such as ``order=4``.

    Returns
    -------
    ndarray of float64, shape (n * low_rate / rate,)

    Raises
    ------
    SrbenchError
        If the name, a parameter, the rates or the length cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    >>> degrade(tone, 16000, 4000).shape
    (4000,)
    >>> degrade(tone, 16000, 4000, "butter", order=4).shape
    (4000,)
    """
    if isinstance(degradation, str):
        made = from_table({"kind": degradation, **parameters})
    elif parameters:
        raise SrbenchError(f"parameters ({', '.join(parameters)}) go with a degradation's name, not with a built one")
    else:
        made = degradation
    return degrade_by(as_samples(samples, "signal"), as_rate(rate), low_rate, made)


def upscale(
    samples: Any,
    rate: Rate,
    to: int | None = None,
    model: str = "spline",
    *,
    device: str | None = None,
    precision: str | None = None,
    plugins: str | Path | Sequence[str | Path] = (),
) -> Samples:
    """Upscale a signal with any registered upscaler, in this process.

    Parameters
    ----------
    samples : ndarray of floats, shape (n,)
    rate : int, in Hz
    to : int, in Hz, optional
        By default the only rate that the upscaler offers from this one.
    model : str
        An upscaler's name, or ``name@weights``. It is built once and kept.
    device, precision : str, optional
        For upscalers that take them.
    plugins : path or sequence of path
        Python files with upscalers. They are run in this process.

    Returns
    -------
    ndarray of float64, shape (n * to // rate,)

    Raises
    ------
    SrbenchError
        If the upscaler is unknown, does not support the rates, or fails.

    Examples
    --------
    >>> import numpy as np
    >>> low = np.sin(2 * np.pi * 440 * np.arange(4000) / 4000)
    >>> upscale(low, 4000, to=16000).shape
    (16000,)
    """
    low = as_samples(samples, "signal")
    if what := audio.damage(low):
        raise SrbenchError(f"the signal holds {what}")
    files = [plugins] if isinstance(plugins, (str, Path)) else plugins
    built = _built(model, tuple(Path(file).resolve() for file in files), device, precision)
    high_rate = only_rate(built, rate) if to is None else as_rate(to, "the rate to upscale to")
    if not rate < high_rate:
        raise SrbenchError(f"the rate to upscale to must be above {rate} Hz, not {high_rate}")
    built.check_rates(rate, high_rate)
    return built(low, rate, high_rate)


@lru_cache(maxsize=4)
def _built(model: str, plugins: tuple[Path, ...], device: str | None, precision: str | None) -> BuiltUpscaler:
    return build_upscaler(model, plugins, device=device, precision=precision)[0]
