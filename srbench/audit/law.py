"""What a law is: a function that states itself in one sentence and tells what it expected and what it measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from srbench.audio import Samples
from srbench.audit.declared import Declared, declared_as, names
from srbench.audit.probes import Probe, Probes
from srbench.audit.target import TargetFault
from srbench.errors import SrbenchError, unknown_name
from srbench.metrics import METRICS, Definition, Metric

SAMPLE_RATE = 16000


@dataclass(frozen=True)
class Outcome:
    """Whether a law holds, with the expected and the measured value in words."""

    holds: bool
    expected: str
    measured: str


@dataclass(frozen=True)
class Verdict:
    """The outcome of one law on one target."""

    law: str
    verdict: str
    statement: str
    expected: str
    measured: str

    def as_dict(self) -> dict[str, str]:
        """Return it as the audit's JSON shows it."""
        return dict(vars(self))


class Subject:
    """A target together with the definition that it is held against.

    Attributes
    ----------
    metric : Metric
        The metric that the target is audited as.
    definition : Definition
        Its definition at the sample rate.
    sample_rate : int, in Hz
    shape : str
        The shape in which the target takes one signal, see `Convention`.
    cutoff : float, in Hz
        For the metrics of one band: a quarter of the sample rate without one.
    """

    def __init__(
        self,
        target: Callable[..., float],
        declared: str,
        sample_rate: int,
        *,
        modifies: Callable[..., list[str]] | None = None,
        takes_rate: bool = True,
        shape: str = "n",
        cutoff: float | None = None,
    ) -> None:
        self.cutoff = sample_rate / 4 if cutoff is None else cutoff
        self.declared: Declared = declared_as(declared, sample_rate, self.cutoff)
        self.metric: Metric = self.declared.metric
        self.definition: Definition = self.declared.definition
        self.family = self.declared.laws
        self.sample_rate = sample_rate
        self.modifies = modifies
        self.takes_rate = takes_rate
        self.shape = shape
        self._target = target

    def value(self, reference: Any, estimate: Any, sample_rate: int | None = None) -> float:
        """Return the target's answer; TargetFault if it gives none."""
        return self._target(reference, estimate, self.sample_rate if sample_rate is None else sample_rate)

    def answer(self, reference: Any, estimate: Any) -> float | str:
        """Return the target's answer, or in words why there is none."""
        try:
            return self.value(reference, estimate)
        except TargetFault as fault:
            return str(fault)

    def ours(self, reference: Samples, estimate: Samples) -> float:
        """Return the declared definition's own value."""
        if self.metric.name not in METRICS:
            return float(self.declared.fits[0].predict(Probes((Probe("", reference, estimate),), self.sample_rate))[0])
        return self.metric(reference, estimate, self.sample_rate, self.cutoff if "lsd_" in self.metric.name else None)


@dataclass(frozen=True)
class Law:
    """A registered law."""

    name: str
    families: frozenset[str]
    statement: str
    check: Callable[[Subject], Outcome]

    def judge(self, subject: Subject) -> Verdict:
        """Hold the law against a subject; a target that does not answer breaks it."""
        try:
            outcome = self.check(subject)
        except TargetFault as fault:
            outcome = Outcome(False, "a number", str(fault))
        except ArithmeticError as error:  # a share of a distance of 0
            outcome = Outcome(False, "a distance above 0", f"{type(error).__name__}: {error}")
        word = "pass" if outcome.holds else "fail"
        return Verdict(self.name, word, self.statement, outcome.expected, outcome.measured)


LAWS: dict[str, Law] = {}
_ALL = ("snr", "si_sdr", "mse", "lsd", "pesq", "stoi", "other")


def law(*families: str) -> Callable[[Callable[[Subject], Outcome]], Callable[[Subject], Outcome]]:
    """Register a law for families of metrics (all without an argument); its statement is its docstring's first line."""

    def register(check: Callable[[Subject], Outcome]) -> Callable[[Subject], Outcome]:
        name = check.__name__
        assert name not in LAWS, f"two laws are called {name}"
        assert check.__doc__, f"law {name} does not state itself"
        assert set(families) <= set(_ALL), f"law {name} is for unknown families"
        LAWS[name] = Law(name, frozenset(families or _ALL), check.__doc__.split("\n")[0], check)
        return check

    return register


def laws_for(subject: Subject, names: tuple[str, ...] = ()) -> list[Law]:
    """Return the laws that apply to a subject, or of these the named ones.

    Raises
    ------
    SrbenchError
        If a name is of no law, or of one of another family.
    """
    for name in names:
        if name not in LAWS:
            raise unknown_name("law", name, LAWS)
        if subject.family not in LAWS[name].families:
            raise SrbenchError(
                f"law {name} is of {', '.join(sorted(LAWS[name].families))}, not of {subject.metric.name}"
            )
    return [law for law in LAWS.values() if subject.family in law.families and (not names or law.name in names)]


def auditable() -> list[str]:
    """Return the names that a function can be declared as."""
    return names()


def near(measured: float, expected: float, *, relative: float = 0.0, absolute: float = 0.0, unit: str = "") -> Outcome:
    """Return the outcome of a comparison with a tolerance; infinite values must be equal."""
    holds = bool(np.isclose(measured, expected, rtol=relative, atol=absolute))
    return Outcome(holds, number(expected, unit), number(measured, unit))


def number(value: float | str, unit: str = "") -> str:
    """Write a value for people."""
    return value if isinstance(value, str) else f"{value:.6g}{' ' + unit if unit else ''}"
