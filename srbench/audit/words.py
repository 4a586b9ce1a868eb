"""The words of the diagnosis: names, effects and corrections, read from words.toml."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from srbench.toml import read

NO_CORRECTION = "Published numbers cannot be corrected; recompute them."
WORDS = read(Path(__file__).with_name("words.toml"))
_SAID = {
    "rms": "RMS",
    "max": "greatest sample, sign included,",
    "std": "standard deviation",
    "est": "estimate",
    "ref": "reference",
}
_WHO = {"est": "The estimate is", "ref": "The reference is"}


@dataclass(frozen=True)
class Bug:
    """One departure from the declared definition, or what is known of it.

    Attributes
    ----------
    bug : str
        Its name.
    explanation, correction : str
        What it does, and what to do with published numbers.
    certainty : {"shown", "consistent", "unknown"}
        ``shown``: a definition with it reproduces the target on signals that no fit has seen, or it was seen itself;
        ``consistent``: a law is broken, and this is what that says; ``unknown``: no definition fits.
    """

    bug: str
    explanation: str
    correction: str = NO_CORRECTION
    certainty: str = "shown"

    def as_dict(self) -> dict[str, str]:
        """Return it as the audit's JSON shows it."""
        return dict(vars(self))


def front_end(name: str) -> tuple[str, str]:
    """Return the name as a bug of a front end, and its words."""
    for pattern, (bug, text) in WORDS["front"].items():
        if found := re.fullmatch(pattern, name):
            groups = [_SAID.get(group, group) for group in found.groups()]
            return bug, text.format(*groups, who=_WHO.get(name[:3], "Both signals are"))
    raise KeyError(name)
