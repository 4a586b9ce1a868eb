"""The console that tables for people are printed on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from srbench.errors import printable

if TYPE_CHECKING:
    from rich.console import Console


_FAILURES = 3  # of one upscaler, that are named
T = TypeVar("T")


def escaped(value: T) -> T:
    """Return a value in which no text holds what a terminal would obey: names and errors come from outside."""
    made: Any = value
    if isinstance(value, str):
        made = printable(value)
    elif isinstance(value, Mapping):
        made = {escaped(key): escaped(each) for key, each in value.items()}
    elif isinstance(value, list | tuple):
        made = type(value)(escaped(each) for each in value)
    elif is_dataclass(value) and not isinstance(value, type):
        made = replace(value, **{each.name: escaped(getattr(value, each.name)) for each in fields(value)})
    return cast("T", made)


def print_faults(console: Console, name: str, warnings: Sequence[str], failures: Sequence[tuple[str, str]]) -> None:
    """Print the warnings of an upscaler, and its first failures: (utterance, error) each."""
    lines = [f"warning: {name}: {warning}" for warning in warnings]
    lines += [f"failed: {name} on {utterance}: {error}" for utterance, error in failures[:_FAILURES]]
    if len(failures) > _FAILURES:
        lines.append(f"        … and {len(failures) - _FAILURES} more of {name}")
    for line in lines:
        console.print(line, soft_wrap=True, style="red", markup=False)


def open_console(width: int) -> Console:
    """Return a console on stdout, `width` columns wide where that is no terminal: a file or a pipe has no width.

    A pipe that was closed raises `BrokenPipeError` from it, as from any other output; rich alone would end the process
    with the status of a failed check.
    """
    from rich.console import Console

    class Raising(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    console = Raising(highlight=False)
    return console if console.is_terminal else Raising(highlight=False, width=width)
