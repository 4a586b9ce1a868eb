"""Files held against dataclasses: what is read, what is refused, and that all that is wrong is said at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from srbench import schema
from srbench.errors import SrbenchError


@dataclass(frozen=True)
class Part:
    name: str
    size: float = 1.0


@dataclass(frozen=True)
class Whole:
    count: int
    good: bool
    part: Part
    words: tuple[str, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    folder: str | None = None
    anything: Any = 0


@dataclass(frozen=True)
class Open:
    name: str
    told: Mapping[str, Any] = field(default_factory=dict, metadata=schema.WHOLE)


GOOD: dict[str, Any] = {"count": 3, "good": True, "part": {"name": "a", "size": 2}}


def test_what_is_read_is_typed() -> None:
    told = {**GOOD, "words": ["x", "y"], "values": {"snr": 1.5}, "parts": [{"name": "b"}], "folder": None, "new": 1}
    assert schema.read(Whole, told, "f") == Whole(
        3, True, Part("a", 2.0), ("x", "y"), {"snr": 1.5}, (Part("b"),), None, 0
    )


def test_what_is_written_is_what_was_read() -> None:
    told = {**GOOD, "words": ["x"], "values": {"snr": 1.5}, "parts": [{"name": "b", "size": 1.0}], "anything": [1]}
    assert schema.plain(schema.read(Whole, told, "f")) == told


def test_the_rest_of_an_open_table_is_kept_in_its_order() -> None:
    told = {"zoo": [1, {"a": None}], "name": "n", "b": 2}
    read = schema.read(Open, told, "f")
    assert read.name == "n"
    assert list(schema.plain(read).items()) == list(told.items())


def test_all_that_is_wrong_is_said_at_once() -> None:
    told = {"good": 1, "part": {"size": "big"}, "words": ["x", 2], "values": {"snr": None}}
    with pytest.raises(SrbenchError) as error:
        schema.read(Whole, told, "a.json: is not fit")
    for said in (
        "a.json: is not fit: ",
        "'count' is missing",
        "'good' must be true or false, not 1",
        "'part.name' is missing",
        "'part.size' must be a number, not 'big'",
        "'words.2' must be a text, not 2",
        "and 1 more",
    ):
        assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"count": True}, "'count' must be a whole number, not True"),
        ({"count": 1.0}, "'count' must be a whole number, not 1.0"),
        ({"count": 2**63}, "'count' is a number of more than 64 bits"),
        ({"part": {"name": "x" * 10_001}}, "'part.name' is a text of 10001 characters"),
        ({"part": {"name": "\ud800"}}, "'part.name' is a text with half a character"),
        ({"part": {"name": "a", "size": 10**400}}, "'part.size' is a number of more than 64 bits"),
        ({"part": None}, "'part' must be a table, not None"),
        ({"words": "abc"}, "'words' must be a list, not 'abc'"),
        ({"anything": [1, {"deep": 2**70}]}, "'anything.2.deep' is a number of more than 64 bits"),
        ({"folder": 1}, "'folder' must be a text, not 1"),
    ],
)
def test_what_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(SrbenchError) as error:
        schema.read(Whole, {**GOOD, **change}, "f")
    assert str(error.value).startswith(f"f: {said}")


def test_what_is_no_table() -> None:
    with pytest.raises(SrbenchError, match="f: must be a table, not \\[\\]"):
        schema.read(Whole, [], "f")
