"""The laws in other projects' tests: ``@parametrize_with_laws(my_snr, "snr")``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from srbench.audit.law import LAWS, SAMPLE_RATE, Law, Subject, laws_for
from srbench.audit.report import subject_of
from srbench.audit.target import Convention
from srbench.errors import unknown_name


def parametrize_with_laws(
    function: Callable[..., Any],
    declared: str,
    *,
    expected_failures: Mapping[str, str] | None = None,
    sample_rate: int = SAMPLE_RATE,
    convention: Convention | None = None,
) -> Any:
    """Return a pytest mark that runs the test once for each law that applies, with the argument ``check``.

    An expected failure is strict: a law that holds after all fails the test.

    Parameters
    ----------
    function : callable
        The metric.
    declared : str
        What it claims to be, a name in `srbench.metrics.METRICS`.
    expected_failures : mapping of law to reason, optional
    sample_rate : int, in Hz
    convention : Convention, optional

    Raises
    ------
    SrbenchError
        If a law or the metric is unknown.

    Examples
    --------
    ::

        @parametrize_with_laws(my_snr, "snr", expected_failures={"unequal_lengths": "cuts by design"})
        def test_my_snr(check):
            check()
    """
    import pytest

    expected = dict(expected_failures or {})
    for name in expected:
        if name not in LAWS:
            raise unknown_name("law", name, LAWS)
    subject = subject_of(function, declared, sample_rate, convention)

    def parameter(law: Law) -> Any:
        marks = [pytest.mark.xfail(reason=expected[law.name], strict=True)] if law.name in expected else []
        return pytest.param(partial(_check, law, subject), id=law.name, marks=marks)

    return pytest.mark.parametrize("check", [parameter(law) for law in laws_for(subject)])


def _check(law: Law, subject: Subject) -> None:
    verdict = law.judge(subject)
    if verdict.verdict == "fail":
        raise AssertionError(f"{law.statement} Expected {verdict.expected}, measured {verdict.measured}.")
