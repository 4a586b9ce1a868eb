"""Run the laws on a target, then the diagnosis: the audit as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from srbench.audit.diagnosis import Diagnosis, diagnose
from srbench.audit.isolate import IsolatedTarget, modified
from srbench.audit.law import SAMPLE_RATE, Subject, Verdict, laws_for
from srbench.audit.target import Convention, call


@dataclass(frozen=True)
class Report:
    """What an audit found.

    ``verdict`` is ``pass`` when no law is broken and the target computes the declared definition (or one that obeys
    the same laws), ``error`` when it gives no number at all, else ``fail``.
    """

    target: str
    declared: str
    declared_signature: str
    checks: tuple[Verdict, ...]
    diagnosis: Diagnosis

    @property
    def verdict(self) -> str:
        """``pass``, ``fail`` or ``error``."""
        broken = {check.law for check in self.checks if check.verdict == "fail"}
        return "error" if "plain_call" in broken else "fail" if broken or self.diagnosis.bugs else "pass"

    def as_dict(self) -> dict[str, Any]:
        """Return it in the shape of ``srbench audit --json``."""
        return {
            "target": self.target,
            "as": self.declared,
            "declared": self.declared_signature,
            "verdict": self.verdict,
            "checks": [check.as_dict() for check in self.checks],
            "diagnosis": [bug.as_dict() for bug in self.diagnosis.bugs],
            "computes": self.diagnosis.computes,
            "nearest": list(self.diagnosis.nearest),
        }


def subject_of(function: Callable[..., Any], declared: str, sample_rate: int, convention: Convention | None) -> Subject:
    """Return a function of this process as the subject of laws."""
    given = (convention or Convention()).for_function(function)
    return Subject(
        partial(call, function, given),
        declared,
        sample_rate,
        modifies=partial(modified, function, given),
        takes_rate=given.takes_rate,
        shape=given.shape,
    )


def audit(
    function: Callable[..., Any],
    declared: str,
    *,
    sample_rate: int = SAMPLE_RATE,
    convention: Convention | None = None,
    laws: tuple[str, ...] = (),
) -> Report:
    """Audit a function in this process.

    Parameters
    ----------
    function : callable
        A metric of ``(reference, estimate)``, or as `convention` says.
    declared : str
        The metric it is held against, a name in `srbench.metrics.METRICS`.
    sample_rate : int, in Hz
    convention : Convention, optional
    laws : tuple of str
        Only these.

    Raises
    ------
    SrbenchError
        If the metric or a law is unknown.
    """
    subject = subject_of(function, declared, sample_rate, convention)
    return _report(getattr(function, "__qualname__", repr(function)), subject, laws)


def audit_target(
    target: str,
    declared: str,
    *,
    sample_rate: int = SAMPLE_RATE,
    convention: Convention | None = None,
    limit: float = 20.0,
    laws: tuple[str, ...] = (),
) -> Report:
    """Audit ``module:function`` or ``file.py:function`` in a process of its own; see `audit`.

    Parameters
    ----------
    limit : float
        Seconds that one call may take; a call that takes longer is stopped, which is a finding.

    Raises
    ------
    SrbenchError
        Also if the target cannot be loaded.
    """
    given = convention or Convention()
    with IsolatedTarget(target, given, limit) as isolated:
        subject = Subject(
            isolated,
            declared,
            sample_rate,
            modifies=isolated.modifies,
            takes_rate=isolated.takes_rate,
            shape=given.shape,
        )
        return _report(target, subject, laws)


def _report(name: str, subject: Subject, laws: tuple[str, ...]) -> Report:
    chosen = laws_for(subject, laws)
    first = next((law for law in chosen if law.name == "plain_call"), None)
    checks = []
    if first is not None:
        checks.append(first.judge(subject))
    if not checks or checks[0].verdict == "pass":
        checks += [law.judge(subject) for law in chosen if law is not first]
    return Report(
        name, subject.metric.name, str(subject.definition.signature()), tuple(checks), diagnose(subject, checks)
    )
