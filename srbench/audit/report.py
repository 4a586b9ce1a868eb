"""Run the laws on a target, then the diagnosis: the audit as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from srbench.audit.diagnosis import Diagnosis, diagnose
from srbench.audit.evidence import is_input_check
from srbench.audit.isolate import IsolatedTarget, modified
from srbench.audit.law import SAMPLE_RATE, Subject, Verdict, laws_for
from srbench.audit.target import Convention, call


@dataclass(frozen=True)
class Report:
    """What an audit found.

    ``verdict`` is ``pass`` when the target computes the declared definition on every pair that has a value, ``error``
    when it cannot be called, else ``fail``. ``input_checks`` is the second verdict: ``missing`` where input that has
    no value gets a number.
    """

    target: str
    declared: str
    declared_signature: str
    checks: tuple[Verdict, ...]
    diagnosis: Diagnosis
    shape: str = "n"

    @property
    def verdict(self) -> str:
        """``pass``, ``fail`` or ``error``."""
        call = next((c.measured for c in self.checks if c.law == "plain_call" and c.verdict == "fail"), None)
        if call is not None:
            return "fail" if "complex" in call or "None" in call else "error"
        broken = [c for c in self.checks if c.verdict == "fail" and not is_input_check(c.law, self.shape)]
        return "fail" if broken or self.diagnosis.bugs else "pass"

    @property
    def input_checks(self) -> str:
        """``pass``, or ``missing`` where a law on input that has no value is broken."""
        return "missing" if self.diagnosis.unchecked else "pass"

    def as_dict(self) -> dict[str, Any]:
        """Return it in the shape of ``srbench audit --json``."""
        return {
            "target": self.target,
            "as": self.declared,
            "declared": self.declared_signature,
            "verdict": self.verdict,
            "checks": [check.as_dict() for check in self.checks],
            "certainty": self.diagnosis.certainty,
            "diagnosis": [bug.as_dict() for bug in self.diagnosis.bugs],
            "input_checks": self.input_checks,
            "unchecked_input": [bug.as_dict() for bug in self.diagnosis.unchecked],
            "computes": self.diagnosis.computes,
            "nearest": list(self.diagnosis.nearest),
        }


def subject_of(
    function: Callable[..., Any],
    declared: str,
    sample_rate: int,
    convention: Convention | None,
    cutoff: float | None = None,
) -> Subject:
    """Return a function of this process as the subject of laws."""
    given = (convention or Convention()).for_function(function)
    return Subject(
        partial(call, function, given, cutoff=cutoff),
        declared,
        sample_rate,
        modifies=partial(modified, function, given),
        takes_rate=given.takes_rate,
        shape=given.shape,
        cutoff=cutoff,
    )


def audit(
    function: Callable[..., Any],
    declared: str,
    *,
    sample_rate: int = SAMPLE_RATE,
    convention: Convention | None = None,
    laws: tuple[str, ...] = (),
    cutoff: float | None = None,
) -> Report:
    """Audit a function in this process.

    Parameters
    ----------
    function : callable
        A metric of ``(reference, estimate)``, or as `convention` says.
    declared : str
        The metric it is held against, one of `auditable`.
    sample_rate : int, in Hz
    convention : Convention, optional
    laws : tuple of str
        Only these.
    cutoff : float, in Hz, optional
        For the metrics of one band.

    Raises
    ------
    SrbenchError
        If the metric or a law is unknown.
    """
    subject = subject_of(function, declared, sample_rate, convention, cutoff)
    return _report(getattr(function, "__qualname__", repr(function)), subject, laws)


def audit_target(
    target: str,
    declared: str,
    *,
    sample_rate: int = SAMPLE_RATE,
    convention: Convention | None = None,
    limit: float = 20.0,
    laws: tuple[str, ...] = (),
    cutoff: float | None = None,
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
    with IsolatedTarget(target, given, limit, cutoff) as isolated:
        subject = Subject(
            isolated,
            declared,
            sample_rate,
            modifies=isolated.modifies,
            takes_rate=isolated.takes_rate,
            shape=given.shape,
            cutoff=cutoff,
        )
        return _report(target, subject, laws)


def _report(name: str, subject: Subject, laws: tuple[str, ...]) -> Report:
    chosen = laws_for(subject, laws)
    first = [law for law in chosen if law.name in ("plain_call", "deterministic")]
    checks = []
    for law in [*first, *(law for law in chosen if law not in first)]:
        checks.append(law.judge(subject))
        if law in first and checks[-1].verdict == "fail":
            break  # no other law means anything
    return Report(
        name,
        subject.metric.name,
        str(subject.definition.signature()),
        tuple(checks),
        diagnose(subject, checks),
        subject.shape,
    )
