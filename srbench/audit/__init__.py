"""The audit: laws that a metric must satisfy, run on anyone's metric, and the diagnosis that names the bug."""

from srbench.audit import laws_form, laws_lsd, laws_perceptual, laws_waveform
from srbench.audit.diagnosis import Diagnosis
from srbench.audit.law import LAWS, Law, Verdict, auditable
from srbench.audit.report import Report, audit, audit_target
from srbench.audit.target import Convention
from srbench.audit.testing import parametrize_with_laws
from srbench.audit.words import Bug

__all__ = [
    "LAWS",
    "Bug",
    "Convention",
    "Diagnosis",
    "Law",
    "Report",
    "Verdict",
    "audit",
    "audit_target",
    "auditable",
    "laws_form",
    "laws_lsd",
    "laws_perceptual",
    "laws_waveform",
    "parametrize_with_laws",
]
