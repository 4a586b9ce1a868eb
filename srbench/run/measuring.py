"""Metrics measured so that none takes others along: those of other packages in a process of their own.

A metric that crashes in C, hangs or eats all memory costs its own value of that utterance. While that process works,
this one measures the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from srbench.apart import Answer, Apart, Died, Overdue, Words
from srbench.audio import Samples
from srbench.errors import SrbenchError, UndefinedMetric
from srbench.metrics import Definition, Pair, define, get_metric, measure_all
from srbench.metrics.plugins import Elsewhere, patience
from srbench.run.model import settle

T = TypeVar("T")
_DIED, _LATE = "failed: ", "late: "
_UNABLE = "unable: "


def measure(pair: Pair, definitions: Mapping[str, Definition]) -> tuple[dict[str, float], dict[str, str]]:
    """Measure one pair by many definitions.

    Parameters
    ----------
    pair : Pair
    definitions : mapping of metric name to its definition at the pair's rate

    Returns
    -------
    values : dict of metric name to float
        Only the metrics that have a value.
    undefined : dict of metric name to str
        For the others, why not.

    Raises
    ------
    SrbenchError
        If a metric cannot be measured at all, as where its package is missing.
    """
    # those of plug-ins have processes of their own
    foreign = [name for name, d in definitions.items() if not isinstance(d, Elsewhere) and get_metric(name).foreign]
    if foreign:
        _begin(pair, foreign)
    try:
        values, undefined = measure_all(pair, {name: each for name, each in definitions.items() if name not in foreign})
    except BaseException:  # what was asked for is not waited for, and must not be taken for the next pair's
        while _PROCESS:
            _PROCESS.pop().close()
        raise
    limit = patience(pair)
    unable = ""
    for done, name in enumerate(foreign, start=1):
        value, why = _answer(name, limit)
        if why.startswith(_DIED):  # perhaps something else killed it: each metric has two tries
            _begin(pair, foreign[done - 1 :])
            value, why = _answer(name, limit)
        if why.startswith(_UNABLE):
            unable = unable or why.removeprefix(_UNABLE)
        elif value is not None:
            values[name] = value
        else:
            undefined[name] = why
        if why.startswith((_DIED, _LATE)) and foreign[done:]:
            _begin(pair, foreign[done:])
    if unable:
        raise SrbenchError(unable)
    return _ordered(values, definitions), _ordered(undefined, definitions)


def _ordered(found: Mapping[str, T], definitions: Mapping[str, Definition]) -> dict[str, T]:
    return {name: found[name] for name in definitions if name in found}


# --- the process; there is one for each process that measures

_PROCESS: list[Apart] = []


def _begin(pair: Pair, names: list[str]) -> None:
    if not _PROCESS:
        _PROCESS.append(Apart(f"{__name__}:serve"))
    words = {"rate": pair.sample_rate, "cutoff": pair.cutoff, "names": names}
    _PROCESS[0].send(words, [pair.reference, pair.estimate])


def _answer(name: str, limit: float) -> tuple[float | None, str]:
    """Return the value of a metric, or None and why there is none."""
    try:
        told, _ = _PROCESS[0].receive(limit)
    except Overdue:
        why = f"{_LATE}{name}: it took longer than {limit:g} s"
    except Died as died:
        why = f"{_DIED}{name}: {died}"
    else:
        value = told.get("value")
        return (value, "") if isinstance(value, float) else (None, str(told.get("undefined")))
    _PROCESS.clear()
    return None, why


def serve(words: Words, arrays: list[Samples]) -> Iterator[Answer]:
    """Answer in the process of the metrics: one answer for each metric that is asked for, in order."""
    settle()
    rate, cutoff = words["rate"], words["cutoff"]
    reference, estimate = arrays
    pair = Pair(reference, estimate, rate, cutoff)
    for name in words["names"]:
        try:
            values, undefined = measure_all(pair, define([name], rate, cutoff))
            yield ({"value": values[name]} if name in values else {"undefined": undefined[name]}), []
        except UndefinedMetric as reason:
            yield {"undefined": str(reason)}, []
        except SrbenchError as error:
            yield {"undefined": f"{_UNABLE}{error}"}, []
        except BaseException as error:  # an answer is due
            yield {"undefined": f"{name} raised {type(error).__name__}: {error}"}, []
