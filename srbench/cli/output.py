"""What the commands share in talking: JSON on stdout, a progress bar on stderr when it is a terminal."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from srbench.errors import printable

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout, nothing else.")


def echo(*lines: object, err: bool = False, **style: Any) -> None:
    """Print lines: everything that a command tells a person goes through here, names and texts from outside in it.

    Parameters
    ----------
    *lines : str or Path
        Each is one line; a line break within it is escaped, as is whatever else a terminal would obey.
    err : bool
        Print on stderr.
    **style
        Of `click.style`.
    """
    for line in lines:
        click.echo(click.style(printable(str(line)), **style) if style else printable(str(line)), err=err)


def print_json(document: Any) -> None:
    """Print one JSON document; a NaN in it would be a bug and raises."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    click.echo(json.dumps(document, indent=2, ensure_ascii=not utf8, allow_nan=False))


@contextmanager
def stdout_for_results() -> Iterator[None]:
    """Send to stderr what code that is not ours writes to stdout past Python: C libraries, ``os.write(1, …)``."""
    try:
        kept = os.dup(1)
    except OSError:  # closed
        yield
        return
    _flush()
    try:
        with contextlib.suppress(OSError):
            os.dup2(2, 1)
        yield
    finally:
        _flush()
        os.dup2(kept, 1)
        os.close(kept)


def _flush() -> None:
    """Hand on what Python and the C library still hold for stdout."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.__stdout__.flush()  # type: ignore[union-attr]
    with contextlib.suppress(OSError, TypeError, AttributeError):  # Windows has no CDLL(None)
        ctypes.CDLL(None).fflush(None)


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int | None], None] | None]:
    """Offer ``update(what, done, total)``, drawn on stderr if that is a terminal; None otherwise."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def update(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(printable(what), total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield update


def echo_for_paper(paragraphs: Iterable[str], where: str) -> None:
    """Print the sentences that a paper may take over, and the command that gives the references.

    Parameters
    ----------
    paragraphs : iterable of str
    where : str
        What `srbench cite` takes: runs or a leaderboard.
    """
    echo("", f"For your paper (the references: srbench cite {where}):")
    for paragraph in paragraphs:
        echo(*(f"  {line}" for line in textwrap.wrap(printable(paragraph), 96, break_on_hyphens=False)))
