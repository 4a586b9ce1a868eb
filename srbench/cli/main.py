"""Entry point of ``srbench``: finds the command, loads only it, and turns errors into a line and an exit status."""

from __future__ import annotations

import importlib
import io
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic
from typing import Any

import click

from srbench import __version__
from srbench.cli.output import echo
from srbench.errors import SrbenchError

# command -> its module in srbench.cli (attribute `command`) and one line of help, so that --help loads none of them
_COMMANDS = {
    "run": ("run", "Run upscalers through a protocol and print the leaderboard."),
    "inputs": ("inputs", "Write the low-resolution files of a protocol, for a model that runs elsewhere."),
    "score": ("score", "Score audio made elsewhere, and check each pair for faults."),
    "compare": ("compare", "Compare upscalers utterance by utterance: differences, intervals, p-values."),
    "plot": ("plot", "Draw spectrograms, spectra, LSD over frequency, distributions."),
    "publish": ("publish", "Check runs, merge them into leaderboards, write tables and a listening site."),
    "table": ("table", "Write a paper's table: LaTeX, Markdown, HTML or CSV."),
    "cite": ("cite", "Write a paper's sentences and references about some runs."),
    "signature": ("signature", "Print the whole signature behind a short one."),
    "upscale": ("upscale", "Upscale an audio file."),
    "train": ("train", "Train a network by a recipe."),
    "export": ("export", "Write a network as an ONNX file."),
    "audit": ("audit", "Run the laws on a metric function and name its bug."),
    "lint": ("lint", "Check a table of results against itself."),
    "protocol": ("protocol", "Write a protocol for your own recordings."),
    "data": ("data", "Verify a corpus, or download one."),
    "list": ("listing", "List protocols, upscalers, metrics, splits or degradations."),
}


_PATIENCE = 2.0  # seconds that stopping may take before another Ctrl-C is more than impatience
_READER_GONE = 141  # 128 + SIGPIPE, what the shell tells of cat or git in that place; 1 would be a failed check


class _ReaderGone(Exception):
    """The reader of our output (head, less) has seen enough. Of a `BrokenPipeError` click would make a status of 1."""


@contextmanager
def _reader() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise _ReaderGone from error


class _ToStderr(logging.Handler):
    """Shows what the log tells a person, each line once: foreign code that is run, what a run waits for."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        if line not in self.shown:
            self.shown.add(line)
            echo(f"srbench: {line}", err=True)


@contextmanager
def _log_shown() -> Iterator[None]:
    log, handler = logging.getLogger("srbench"), _ToStderr()
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


class _LazyGroup(click.Group):
    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with _reader():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with _reader():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"srbench.cli.{_COMMANDS[cmd_name][0]}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, "--version", prog_name="srbench")
def cli() -> None:
    """Benchmark audio super-resolution of speech.

    Start with:  srbench run --model spline --model sinc --model linear
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit.

    0 fine, 1 a check failed or utterances failed, 2 misuse or unusable input, 130 interrupted, 141 nobody reads its
    output any more, 143 terminated.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal or pipe that cannot write an arrow gets a question mark
    try:
        with _orderly_stop(), _log_shown():
            status: Any = cli.main(args=arguments, prog_name="srbench", standalone_mode=False)
    except SrbenchError as error:
        _stop(str(error), 2)
    except click.exceptions.NoArgsIsHelpError as error:
        echo(*(error.ctx.get_help() if error.ctx else "").split("\n"), err=True)
        sys.exit(2)
    except click.ClickException as error:
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "srbench"
        _stop(f"{' '.join(error.format_message().split())} See '{where} --help'.", 2)
    except (click.Abort, KeyboardInterrupt) as stop:
        _stop(
            "stopped. What is finished is kept: give the same command again to resume.",
            143 if isinstance(stop, _Terminated) else 130,
        )
    except _ReaderGone:
        # as the documentation of Python's signal has it: the last flush must find somewhere to write to
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_READER_GONE)
    except OSError as error:
        _stop(f"{error.filename or 'input or output'}: {error.strerror or error}", 2)
    sys.exit(status if isinstance(status, int) else 0)


class _Terminated(KeyboardInterrupt):
    """SIGTERM came, as from a batch system that sends SIGKILL soon."""


@contextmanager
def _orderly_stop() -> Iterator[None]:
    """Have SIGTERM end what is under way as Ctrl-C does, and know either where an import made another error of it.

    Ctrl-C again within two seconds, while workers are being ended, changes nothing; later it raises again, for a model
    may have caught the first. Once the command is stopped none is heard any more: Python would end in a traceback.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[type[KeyboardInterrupt]] = []
    heard = -inf

    def stop(number: int, _: object) -> None:
        nonlocal heard
        if monotonic() - heard < _PATIENCE:
            return
        heard = monotonic()
        came.append(_Terminated if number == signal.SIGTERM else KeyboardInterrupt)
        raise came[-1]

    numbers = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) not in (signal.SIG_IGN, None)]
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    except Exception as error:
        if came:
            raise came[-1] from error
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if came and number == signal.SIGINT else handler)


def _stop(message: str, status: int) -> None:
    first, *more = message.split("\n")
    echo(f"srbench: {first}", *(f"         {line}" for line in more), err=True)  # indented: they pose as nothing else
    sys.exit(status)
