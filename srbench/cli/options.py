"""Options that several commands take, and mean alike."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from srbench.errors import SrbenchError

_F = TypeVar("_F", bound=Callable[..., Any])
_UNREADABLE = "srbench.unreadable_plugins"


def as_metric(context: click.Context, _parameter: click.Parameter, value: Any) -> Any:
    """Return names of metrics as they are registered, however they were spelt; for options that take one or several."""
    from srbench.metrics import get_metric

    try:
        several = isinstance(value, tuple)
        return tuple(get_metric(each).name for each in value) if several else value and get_metric(value).name
    except SrbenchError as error:
        if why := context.meta.get(_UNREADABLE):  # it may be in there
            raise SrbenchError(str(why)) from error
        raise


def _used(context: click.Context, _parameter: click.Parameter, value: tuple[Path, ...]) -> tuple[Path, ...]:
    """Have the metrics of plug-in files known before other options name them.

    A file that cannot be loaded does not end ``srbench run``, which may have other models: it comes to that later.
    """
    if value:
        from srbench.metrics import use_plugins
        from srbench.run.model import readable_plugins

        unreadable: dict[Path, str] = {}
        several = context.command.name == "run"
        use_plugins(readable_plugins([each.resolve() for each in value], unreadable if several else None))
        context.meta[_UNREADABLE] = "; ".join(unreadable.values())
    return value


def with_their_metrics(
    _context: click.Context, _parameter: click.Parameter, value: tuple[Path, ...]
) -> tuple[Path, ...]:
    """Have the metrics of leaderboards and runs known before other options name them; faults are told later."""
    from srbench.results.board_file import read_board
    from srbench.run import find_runs
    from srbench.run.manifest import Manifest

    for place in value:
        with contextlib.suppress(SrbenchError, OSError):
            for each in find_runs(place) if place.is_dir() else [place]:
                Manifest.read(each) if each.is_dir() else read_board(each)
    return value


plugin_option = click.option(
    "--plugin",
    "plugins",
    multiple=True,
    is_eager=True,
    callback=_used,
    metavar="FILE.py",
    type=click.Path(path_type=Path),
    help="A Python file with upscalers, metrics or both. It is run: use only files you trust.",
)
channels_option = click.option(
    "--channels",
    metavar="mix|left|right|N",
    help="Which channel to take of files with several. Without it, they fail.",
)
device_option = click.option("--device", metavar="D", help="Device, for upscalers that take one: cpu, cuda, …")
precision_option = click.option(
    "--precision", type=click.Choice(["fp32", "bf16"]), help="Precision, for models that take one."
)


figure_option = click.option(
    "--out",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Where to write the figure: .png, .svg or .pdf.",
)


def together(*options: Callable[[Any], Any]) -> Callable[[_F], _F]:
    """Return one decorator for several, which apply in the order in which they would stand above the function."""

    def add(function: _F) -> _F:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def metrics_option(help_text: str) -> Callable[[_F], _F]:
    """Return the option ``--metric``, whose help says what the metrics are for."""
    return click.option("--metric", "metrics", multiple=True, callback=as_metric, metavar="NAME", help=help_text)
