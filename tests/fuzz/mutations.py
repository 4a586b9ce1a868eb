"""Damage to text and to documents, as Hypothesis draws it; and what a reader may answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from srbench.errors import SrbenchError

# Whatever stands in quotes, numbers, words: what an edit replaces by something else of the kind that a format has.
_TOKEN = re.compile(rb'"[^"\n]*"|[-+]?\d[\d.eE+_/-]*|true|false|null|[A-Za-z_][\w.-]*|,')
_DAMAGE = (
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\r",
    b"\n",
    b'"',
    b"[" * 3000,
    b"{" * 3000,
    b"\xed\xa0\x80",
    "\u2028é".encode(),
)
NUMBERS = (
    b"0",
    b"-1",
    b"-0.0",
    b"1e400",
    b"nan",
    b"inf",
    b"-inf",
    b"1e-320",
    b"2147483648",
    b"9" * 400,
    b"9" * 5000,
    b"0.5",
)
EDITS = ("token", "token", "token", "drop", "double", "move", "insert", "cut", "flip", "many")
CHANGES = ("set", "set", "set", "drop", "rename", "repeat")
TEXTS = (b'""', b'"1e999999999"', b'"1/0"', b'"\\u0000"', b'"' + b"x" * 20_000 + b'"', b'"../x.toml"', b'"=1+1"')


def damaged_text(text: bytes, tokens: tuple[bytes, ...] = (*NUMBERS, *TEXTS)) -> st.SearchStrategy[bytes]:
    """Return a text after one to four edits: lines lost, doubled, moved; tokens replaced; bytes inserted; a cut."""

    def apply(edits: list[tuple[str, int, int]]) -> bytes:
        found = text
        for kind, where, what in edits:
            found = edited(found, kind, where, what, tokens)
        return found

    edit = st.tuples(
        st.sampled_from(EDITS),
        st.integers(0, 10**6),
        st.integers(0, 10**6),
    )
    return st.lists(edit, min_size=1, max_size=4).map(apply)


def edited(text: bytes, kind: str, where: int, what: int, tokens: tuple[bytes, ...]) -> bytes:
    """Return a text after one edit of a kind of `EDITS`."""
    if not text:
        return text
    at = where % len(text)
    if kind == "token":
        found = list(_TOKEN.finditer(text))
        if not found:
            return text
        match = found[where % len(found)]
        return text[: match.start()] + tokens[what % len(tokens)] + text[match.end() :]
    if kind == "insert":
        return text[:at] + _DAMAGE[what % len(_DAMAGE)] + text[at:]
    if kind == "cut":
        return text[:at]
    if kind == "flip":
        return text[:at] + bytes([text[at] ^ 1 << what % 8]) + text[at + 1 :]
    lines = text.splitlines(keepends=True)
    line = lines[where % len(lines)]
    if kind == "drop":
        del lines[where % len(lines)]
    elif kind == "double":
        lines.insert(what % (len(lines) + 1), line)
    elif kind == "move":
        lines[where % len(lines)], lines[what % len(lines)] = lines[what % len(lines)], line
    elif len(text) < 50_000:  # or four of these edits would make it as large as the memory
        lines[where % len(lines)] = line * 200
    return b"".join(lines)


ODD_NUMBERS = (0, -1, 1, 2**31, 2**63, 10**400, 0.0, -0.0, 1e308, float("nan"), float("inf"), float("-inf"))
ODD_TEXTS = ("", " ", "x", "\0", "\n", "\ud800", "=1", "1e999999999", "x" * 20_000, "../..", "/dev/zero", "é" * 300)
ODD_DOCUMENTS: tuple[Any, ...] = ([], [[]], {}, {"a": {}}, [None], [1, "a"], {"": 0})
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(ODD_NUMBERS),
    st.sampled_from(ODD_TEXTS),
    st.sampled_from(ODD_DOCUMENTS),
    st.text(max_size=8),
    st.integers(),
    st.floats(),
)


def damaged_document(document: Any) -> st.SearchStrategy[Any]:
    """Return a JSON document with one to four values replaced, keys lost, renamed or doubled, lists cut or repeated."""

    def apply(edits: list[tuple[str, int, Any]]) -> Any:
        found = document
        for kind, where, value in edits:
            paths = list(places(found))
            found = changed(found, paths[where % len(paths)], kind, value)
        return found

    edit = st.tuples(st.sampled_from(CHANGES), st.integers(0, 10**6), ODD)
    return st.lists(edit, min_size=1, max_size=4).map(apply)


def places(document: Any, path: tuple[Any, ...] = ()) -> Any:
    """Yield the paths to all values of a document."""
    yield path
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in items:
        yield from places(value, (*path, key))


def changed(document: Any, path: tuple[Any, ...], kind: str, value: Any) -> Any:
    """Return a document after one change of a kind of `CHANGES`, at a path."""
    if not path:
        return value if kind == "set" else document
    copy: Any = dict(document) if isinstance(document, dict) else list(document)
    key, *rest = path
    if rest:
        copy[key] = changed(document[key], tuple(rest), kind, value)
    elif kind == "set":
        copy[key] = value
    elif kind == "repeat" and isinstance(copy, list):
        copy.extend([copy[key]] * 50)
    else:
        kept = copy.pop(key)
        if kind == "rename" and isinstance(copy, dict):
            copy[str(value)[:50]] = kept
    return copy


def answer(reader: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a reader makes of its arguments, or the one exception it may raise: a SrbenchError of a line or two.

    Everything else that it raises, a warning included, is for the test to fail on.
    """
    try:
        return reader(*arguments)
    except SrbenchError as error:
        message = str(error)
        assert 1 <= len(message.splitlines()) <= 2, message
        assert len(message) < 3000, message
        message.encode()  # a terminal can be told
        return error
