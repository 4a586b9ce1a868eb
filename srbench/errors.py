"""The one family of errors: each message is one or two lines that say what was wrong, where, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SrbenchError(ValueError):
    """Misuse or unusable input, told to a person: the command line prints it and exits with status 2."""


class UndefinedMetric(SrbenchError):
    """The metric has no value for this pair (a silent reference, a signal too short); never averaged as a number."""


class UpscalerError(SrbenchError):
    """An upscaler broke its contract, or raised; costs the utterance it happened on and nothing else."""


def shown(value: object, most: int = 200) -> str:
    """Return a text that came from a file as it can stand in a message: printable, on one line, and not too long."""
    text = cut(str(value), most)
    return text if text.isprintable() else repr(text)[1:-1]


def cut(text: str, most: int) -> str:
    """Return a text, and no more than so many characters of it."""
    return text if len(text) <= most else f"{text[:most]}…"


def unknown_name(kind: str, name: str, known: Iterable[str]) -> SrbenchError:
    """Return the error for a name that is not registered: the nearest match where there is one, and the list.

    Parameters
    ----------
    kind : str
        What was looked up, as a person calls it ("protocol", "metric").
    name : str
        What was asked for.
    known : iterable of str
        What there is.
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    hint = f"Did you mean '{near[0]}'? " if near else ""
    return SrbenchError(f"unknown {kind} '{shown(name)}'. {hint}Known: {', '.join(names) if names else 'none'}.")
