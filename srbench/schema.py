"""What a file holds, checked against a dataclass: the annotations are the schema, and every fault is said at once.

Nothing is converted but lists to tuples, whole numbers to numbers, and tables to dataclasses, where they are asked for.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from srbench.errors import SrbenchError, shown

T = TypeVar("T")
WHOLE = {"whole": True}  # metadata of the field that holds the table itself, with the keys that no other field has
WORDS: Mapping[Any, str] = {
    str: "a text",
    int: "a whole number",
    (float, int): "a number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}
_LONGEST_TEXT = 10_000  # characters: what runs tell comes to stand in leaderboards
_LARGEST_NUMBER = 2**63
_NOTHING: dict[str, Any] = {}  # one for all in which nothing stands; nobody writes into it
_MOST = 5  # of what is wrong, in one message


class _Wrong(Exception):
    """Pairs of a place ("" for the value itself) and what is wrong there."""

    def __init__(self, *faults: tuple[str, str]) -> None:
        super().__init__(*faults)
        self.faults = faults

    def under(self, key: object) -> list[tuple[str, str]]:
        """Return them as what is wrong in the whole of which this value is a part."""
        return [(f"{shown(key, 40)}.{place}" if place else shown(key, 40), text) for place, text in self.faults]


def read(kind: type[T], table: object, what: str) -> T:
    """Return a table, as JSON or TOML gives it, as a dataclass; keys that the class does not know are passed over.

    Parameters
    ----------
    kind : dataclass
        Of texts, numbers, truth values, tuples, mappings of names, other such classes, and any of these or None.
    table : object
    what : str
        The file and what it should be, for the message: ``a.json: is not the manifest of a run``.

    Raises
    ------
    SrbenchError
        Naming every key that is missing, of another kind, or larger than anything that a person writes.
    """
    try:
        made: T = _reader(cast(Any, kind))(table)
    except _Wrong as error:
        told = [f"'{place}' {text}" if place else text for place, text in error.faults]
        more = f"; and {len(told) - _MOST} more" if len(told) > _MOST else ""
        raise SrbenchError(f"{what}: {'; '.join(told[:_MOST])}{more}") from None
    return made


def plain(value: Any) -> Any:
    """Return a value as JSON takes it, in the order of its fields; what is None and need not be told is left out."""
    if dataclasses.is_dataclass(value):
        pairs = [(each, getattr(value, each.name)) for each in dataclasses.fields(value)]
        whole = [found for each, found in pairs if each.metadata == WHOLE]
        told = {each.name: plain(found) for each, found in pairs if found is not None or each.default is not None}
        return plain(whole[0]) if whole else told
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    return list(map(plain, value)) if isinstance(value, (list, tuple)) else value


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    if dataclasses.is_dataclass(kind):
        return _of_class(kind)
    origin, inner = get_origin(kind) or kind, [each for each in get_args(kind) if each not in (NoneType, Ellipsis)]
    if origin in (Union, UnionType):
        of_one = _reader(inner[0])
        return lambda value: None if value is None else of_one(value)
    if origin in (tuple, list):
        of_one = _reader(inner[0])
        return lambda items: origin(_each((n, of_one, item) for n, item in enumerate(_need(list, items), start=1)))
    if origin in (Mapping, dict):
        of_one = _reader(inner[1])
        return lambda table: (
            dict(zip(map(_name, table), _each((k, of_one, v) for k, v in table.items()), strict=True))
            if _need(dict, table)
            else _NOTHING
        )
    return {str: _text, float: _number, Any: _anything}.get(origin) or (lambda value: _anything(_need(origin, value)))


def _of_class(kind: Any) -> Callable[[Any], Any]:
    hints, fields = get_type_hints(kind), dataclasses.fields(kind)
    readers = {each.name: _reader(hints[each.name]) for each in fields if each.metadata != WHOLE}
    whole = [each.name for each in fields if each.metadata == WHOLE]
    needed = {f.name for f in fields if f.default is f.default_factory is dataclasses.MISSING}.difference(whole)

    def reader(table: Any) -> Any:
        _need(dict, table)
        names = [name for name in readers if name in table or name in needed]
        told = _each((name, readers[name], table.get(name, dataclasses.MISSING)) for name in names)
        return kind(**dict(zip(names, told, strict=True)), **{name: _anything(table) for name in whole})

    return reader


def _each(parts: Iterable[tuple[object, Callable[[Any], Any], Any]]) -> list[Any]:
    found, wrong = [], []
    for key, of_part, value in parts:
        try:
            found.append(of_part(value))
        except _Wrong as error:
            wrong += error.under(key)
    if wrong:
        raise _Wrong(*wrong)
    return found


def _need(kind: Any, value: Any) -> Any:
    if value is dataclasses.MISSING:
        raise _Wrong(("", "is missing"))
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _Wrong(("", f"must be {WORDS[kind]}, not {shown(repr(value), 40)}"))
    return value


def _text(value: Any) -> str:
    text: str = _need(str, value)
    if len(text) > _LONGEST_TEXT:
        raise _Wrong(("", f"is a text of {len(text)} characters; {_LONGEST_TEXT} is the most"))
    if not text.isascii() and text != text.encode(errors="replace").decode():
        raise _Wrong(("", "is a text with half a character in it"))  # it goes into no file
    return text


def _name(value: Any) -> str:
    return sys.intern(_text(value))  # a hundred thousand records have the same few


def _number(value: Any) -> float:
    return value if isinstance(value, float) else float(_anything(_need((float, int), value)))


def _anything(value: Any) -> Any:
    """Return a value of any kind, looked through for what is larger than anything that a file of ours holds."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int) and abs(value) >= _LARGEST_NUMBER:
        raise _Wrong(("", "is a number of more than 64 bits"))
    if isinstance(value, dict):
        _each((key, _anything, each) for key, each in value.items())
    elif isinstance(value, list):
        _each((n, _anything, each) for n, each in enumerate(value, start=1))
    elif value is dataclasses.MISSING:
        raise _Wrong(("", "is missing"))
    return value
