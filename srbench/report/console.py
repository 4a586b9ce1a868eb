"""The console that tables for people are printed on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srbench.errors import printable

if TYPE_CHECKING:
    from rich.console import Console


def escaped(document: Any) -> Any:
    """Return a document in which no text holds what a terminal would obey: names and errors come from outside."""
    if isinstance(document, str):
        return printable(document)
    if isinstance(document, dict):
        return {escaped(key): escaped(value) for key, value in document.items()}
    return [escaped(each) for each in document] if isinstance(document, list | tuple) else document


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
