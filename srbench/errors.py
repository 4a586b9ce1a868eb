"""The one family of errors: each message is one or two lines that say what was wrong, where, and what to do."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping

# What people call something that has another name here; `folded` makes one of "SI-SNR" and "sisnr".
_CALLED = {
    "spline": "cubic bicubic cubic-spline interpolation",
    "hold": "nearest repeat zoh",
    "cheby1": "chebyshev",
    "butter": "butterworth",
    "ellip": "elliptic cauer",
    "subsample": "decimate decimation aliased",
    "upscalers": "models baselines",
}


class SrbenchError(ValueError):
    """Misuse or unusable input, told to a person: the command line prints it and exits with status 2."""


class UndefinedMetric(SrbenchError):
    """The metric has no value for this pair (a silent reference, a signal too short); never averaged as a number."""


class UpscalerError(SrbenchError):
    """An upscaler broke its contract, or raised; costs the utterance it happened on and nothing else."""


def shown(value: object, most: int = 200) -> str:
    """Return a text that came from a file as it can stand in a message: printable, on one line, and not too long."""
    return printable(cut(str(value), most))


def printable(text: str) -> str:
    r"""Return a text with everything escaped that a terminal would obey: line breaks, ESC, what turns its direction.

    Examples
    --------
    >>> printable("a\x1b[2J\u202eb") == r"a\x1b[2J\u202eb"
    True
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or unicodedata.category(c) == "Zs" else repr(c)[1:-1] for c in text)


def cut(text: str, most: int) -> str:
    """Return a text, and no more than so many characters of it."""
    return text if len(text) <= most else f"{text[:most]}…"


def known_name(kind: str, name: str, known: Iterable[str], near: Mapping[str, str] = _CALLED) -> str:
    """Return the name that is meant: another case, hyphens and blanks make no difference.

    Parameters
    ----------
    kind : str
        What is looked up, as a person calls it ("protocol", "metric").
    name : str
        What was asked for.
    known : iterable of str
        What there is.
    near : mapping of name to other words for it, optional
        Blanks between them.

    Raises
    ------
    SrbenchError
        If it is none of them; see `unknown_name`.
    """
    names = sorted(known)
    alike = [each for each in names if folded(each) == folded(name)]
    if name in names or len(alike) == 1:
        return name if name in names else alike[0]
    raise unknown_name(kind, name, names, near)


def folded(name: str) -> str:
    """Return a name without what makes no difference: case, hyphens and blanks."""
    return re.sub(r"[-_\s]", "", name).lower()


def unknown_name(kind: str, name: str, known: Iterable[str], near: Mapping[str, str] = _CALLED) -> SrbenchError:
    """Return the error for a name that is not registered: the one it means or is spelt like, and the list.

    Parameters
    ----------
    kind : str
        What was looked up, as a person calls it ("protocol", "metric").
    name : str
        What was asked for.
    known : iterable of str
        What there is.
    near : mapping of name to other words for it, optional
        Blanks between them.
    """
    names = sorted(known)
    meant = [each for each in names if folded(each) == folded(name)]
    meant += [each for each, words in near.items() if each in names and folded(name) in map(folded, words.split())]
    meant += difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    hint = f"Did you mean '{meant[0]}'? " if meant else ""
    return SrbenchError(f"unknown {kind} '{shown(name)}'. {hint}Known: {', '.join(names) if names else 'none'}.")
