"""Signatures: the exact definition behind a number, as one line of text.

``NAME|key:value|key:value|…`` holds every parameter of a metric, a degradation or a protocol, always all of them and
always in the same order, so that two numbers are comparable exactly when their signatures are the same text. There is
no comma, quote or white space in it: it goes unquoted into a CSV file.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from typing import Any

from srbench.errors import SrbenchError, shown

_NAME = re.compile(r"[^\s|:,\"']+")
_VALUE = re.compile(r"[^\s|,\"']*")


@dataclasses.dataclass(frozen=True)
class Signature:
    """A name and its ordered ``(key, value)`` fields; ``parse(str(signature)) == signature``.

    Raises
    ------
    SrbenchError
        If a name, key or value holds white space, a comma, a quote or a vertical bar (or a name or key a colon), or a
        key appears twice.
    """

    name: str
    fields: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        for text in (self.name, *(key for key, _ in self.fields)):
            if not _NAME.fullmatch(text):
                raise SrbenchError(f"a signature cannot hold {shown(repr(text))} as a name or key")
        for key, value in self.fields:
            if not _VALUE.fullmatch(value):
                raise SrbenchError(f"a signature cannot hold {shown(repr(value))} as the value of '{shown(key)}'")
        keys = [key for key, _ in self.fields]
        if len(set(keys)) != len(keys):
            raise SrbenchError(f"signature {shown(self.name)} names a key twice: {shown(', '.join(keys))}")

    def __str__(self) -> str:
        return "|".join([self.name, *(f"{key}:{value}" for key, value in self.fields)])


def parse(text: str) -> Signature:
    """Read a signature back from its text; the inverse of ``str``.

    Raises
    ------
    SrbenchError
        If the text is not a signature.
    """
    name, *fields = text.split("|")
    pairs = []
    for field in fields:
        key, colon, value = field.partition(":")
        if not colon:
            raise SrbenchError(f"not a signature: '{shown(field)}' in '{shown(text)}' is not 'key:value'")
        pairs.append((key, value))
    return Signature(name, tuple(pairs))


def short(signature: str | Signature) -> str:
    """Return a signature in a few characters: its name, a hyphen, and the first 8 hex digits of its text's SHA-256.

    A paper prints it; ``srbench signature`` gives the whole text back.

    Examples
    --------
    >>> short("SNR|v:1")
    'SNR-7d21d87d'
    """
    text = str(signature)
    return f"{text.partition('|')[0]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def value_text(value: Any) -> str:
    """Write one parameter: yes/no for a bool, the shortest exact decimal for a float (``1e-8``), ``none`` for None."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        text = f"{value:.12g}"
        if float(text) != value:
            text = repr(float(value))
        return re.sub(r"e([+-])0*(\d)", lambda m: "e" + m[1].replace("+", "") + m[2], text)
    return str(value)


def of_fields(name: str, config: Any, **more: Any) -> Signature:
    """Build the signature of a frozen dataclass: every field in order, then ``more``.

    A field may carry ``metadata={"key": …}`` to be written under a shorter name. No field is ever left out, so a
    parameter that changes the value cannot be missing from the signature.
    """
    pairs = [
        (field.metadata.get("key", field.name), value_text(getattr(config, field.name)))
        for field in dataclasses.fields(config)
    ]
    pairs += [(key, value_text(value)) for key, value in more.items()]
    return Signature(name, tuple(pairs))


def differing_fields(a: str | Signature, b: str | Signature) -> list[str]:
    """List in words what differs between two signatures, field by field; empty when they are equal."""
    first, second = (parse(s) if isinstance(s, str) else s for s in (a, b))
    found = [f"name {shown(first.name)} against {shown(second.name)}"] if first.name != second.name else []
    left, right = dict(first.fields), dict(second.fields)
    for key in dict.fromkeys([*left, *right]):
        if left.get(key) != right.get(key):
            found.append(
                f"{shown(key, 60)} {shown(left.get(key, '(absent)'))} against {shown(right.get(key, '(absent)'))}"
            )
    return found
