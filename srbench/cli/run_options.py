"""What was said about runs: the options of commands that make runs or find them again, and what follows."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from srbench.cli.options import (
    channels_option,
    device_option,
    metrics_option,
    plugin_option,
    precision_option,
    together,
)
from srbench.cli.output import progress_bar
from srbench.errors import SrbenchError, UpscalerError, shown

if TYPE_CHECKING:
    from srbench.run import Entrant, Plan, Run
    from srbench.run.workers import Where

GPU_BATCH = 16


def _a_number(_context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and math.isnan(value):  # which is in every range
        raise click.BadParameter("nan is not a number.", param=parameter)
    return value


_RUN_OPTIONS = together(
    click.option(
        "--protocol",
        default="demo",
        show_default=True,
        metavar="NAME|FILE.toml",
        help="A named protocol, or your own file.",
    ),
    click.option(
        "--data",
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="The corpus: a VCTK folder, or any folder of audio.",
    ),
    click.option(
        "--split",
        "side",
        metavar="SIDE",
        help="Another side of the protocol's split (train, validation, test), or 'all': every file of the corpus.",
    ),
    metrics_option("Use this metric in place of the protocol's. Repeat it for more."),
    channels_option,
    plugin_option,
    click.option(
        "--estimates",
        multiple=True,
        metavar="NAME=DIR",
        help="Files that a model made elsewhere, found by utterance. Repeat it for more.",
    ),
    click.option(
        "--command",
        "commands",
        multiple=True,
        metavar="NAME=PROGRAM…",
        help="A program that reads the files in {in} and writes into {out}, or {in_file} and {out_file}. No shell.",
    ),
    click.option(
        "--pattern",
        metavar="NAME",
        help="How --estimates and --command name their files, such as '{id}_up.wav'. Default: as the inputs.",
    ),
    click.option(
        "--cwd",
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="Folder in which a --command starts. Default: a fresh one, for each start.",
    ),
    click.option(
        "--input-format",
        default="float",
        show_default=True,
        type=click.Choice(["float", "float32", "flac", "pcm16"]),
        help="Files that a --command is given: WAV of 64-bit or 32-bit floats, FLAC of 24 bits, WAV of 16 bits.",
    ),
    click.option(
        "--workers",
        default=1,
        show_default=True,
        type=click.IntRange(1),
        metavar="N",
        help="Number of processes. It does not change the results.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True, max=1e7),
        callback=_a_number,
        metavar="SECONDS",
        help="Limit for one utterance. If a model takes longer, the utterance fails and the run continues.",
    ),
    click.option(
        "--dask",
        metavar="ADDRESS",
        help="Run on a Dask cluster: the scheduler's address, or its file. Not with --workers.",
    ),
    click.option(
        "--send-data", is_flag=True, help="With --dask: send recordings to workers that do not see your files."
    ),
    device_option,
    precision_option,
    click.option(
        "--batch",
        type=click.IntRange(1),
        metavar="N",
        help="Utterances at once, for models that take several. 16 on a GPU by default, else 1.",
    ),
    click.option(
        "--seeds",
        "draws",
        default=1,
        show_default=True,
        type=click.IntRange(1, 1000),
        metavar="N",
        help="Run each model N times with different seeds. Values are means over them, and the spread is shown.",
    ),
    click.option(
        "--limit",
        type=click.IntRange(1),
        metavar="N",
        help="Score only the first N utterances by id, not N of each speaker. The result says so.",
    ),
    click.option(
        "--allow-partial", is_flag=True, help="Run even if utterances of the split are missing. The result says so."
    ),
    click.option(
        "--results",
        default="results",
        show_default=True,
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="Folder of the runs. A finished run is found there again.",
    ),
    click.option(
        "--save-audio", is_flag=True, help="Save every estimate as a 32-bit float WAV file in the folder of its run."
    ),
    click.option(
        "--keep",
        default=10.0,
        show_default=True,
        type=click.FloatRange(min=0, max=1e9),
        callback=_a_number,
        metavar="GB",
        help="Cache slow estimates, up to GB gigabytes, so that adding a metric does not run the model again.",
    ),
    click.option(
        "--fresh", is_flag=True, help="Run finished runs again, for a model whose weights srbench cannot see."
    ),
)


@dataclass(frozen=True)
class RunOptions:
    """What was said about the runs that a command makes or finds again; `run_options` fills it."""

    protocol: str
    data: Path | None
    side: str | None
    metrics: tuple[str, ...]
    channels: str | None
    plugins: tuple[Path, ...]
    estimates: tuple[str, ...]
    commands: tuple[str, ...]
    pattern: str | None
    cwd: Path | None
    input_format: str
    workers: int
    timeout: float | None
    dask: str | None
    send_data: bool
    device: str | None
    precision: str | None
    batch: int | None
    draws: int
    limit: int | None
    allow_partial: bool
    results: Path
    save_audio: bool
    keep: float
    fresh: bool

    @property
    def asked_metrics(self) -> tuple[str, ...] | None:
        """The metrics that were asked for, each once; None where the protocol's are meant."""
        return tuple(dict.fromkeys(self.metrics)) or None

    def plan(self) -> Plan:
        """Find the utterances; see `srbench.run.make_plan` for what it raises."""
        from srbench.protocols import load_protocol
        from srbench.run import make_plan

        return make_plan(
            load_protocol(self.protocol),
            self.data,
            side=self.side,
            metrics=self.asked_metrics,
            limit=self.limit,
            allow_partial=self.allow_partial,
            channels=self.channels,
        )

    def given_names(self) -> tuple[str, ...]:
        """Return the names of the folders of estimates and of the commands.

        Raises
        ------
        SrbenchError
            If one is not ``NAME=…``, two have one name, or one has an anchor's.
        """
        from srbench.run import FLOOR, ORACLES

        names = (*self._by_name("--estimates", self.estimates), *self._by_name("--command", self.commands))
        for name in names:
            if name in (FLOOR, *ORACLES):
                raise SrbenchError(
                    f"'{name}' is the name of an anchor, which stands on every leaderboard: take another"
                )
        return names

    def _by_name(self, option: str, given: Sequence[str]) -> dict[str, str]:
        pairs = [(name, rest) for name, _, rest in (each.partition("=") for each in given)]
        for (name, rest), told in zip(pairs, given, strict=True):
            if not name or not rest:
                raise SrbenchError(f"{option} is NAME=…, as in mynet=…, not {shown(told)!r}")
        everything = [each.partition("=")[0] for each in (*self.estimates, *self.commands)]
        twice = next((name for name in everything if everything.count(name) > 1), None)
        if twice is not None:
            raise SrbenchError(f"{option}: the name {shown(twice)!r} was given twice")
        return dict(pairs)

    def entrants(self, names: Sequence[str], plan: Plan, left_out: dict[str, str] | None = None) -> tuple[Entrant, ...]:
        """Return who bears these names, each once: upscalers, folders of estimates, commands.

        Parameters
        ----------
        names : sequence of str
        plan : Plan
        left_out : dict of str to str, optional
            Takes the names of those that cannot be loaded, and why. Without it such a one is an error.

        Raises
        ------
        SrbenchError
            If a name is not known, or there is nobody.
        """
        from srbench.run.model import readable_plugins

        folders = self._by_name("--estimates", self.estimates)
        lines = self._by_name("--command", self.commands)
        files = tuple(dict.fromkeys(path.resolve() for path in self.plugins))
        unreadable: dict[Path, str] = {}
        files = readable_plugins(files, None if left_out is None or len(names) == 1 else unreadable)
        found = []
        for name in dict.fromkeys(names):
            try:
                if name in folders:
                    found.append(self._found_in(name, folders[name], plan))
                elif name in lines:
                    found.append(self._parsed(name, lines[name]))
                else:
                    found.append(self._upscaler(name, files, "; ".join(unreadable.values())))
            except UpscalerError as error:
                if left_out is None or len(names) == 1:
                    raise
                left_out[name] = str(error)
        if left_out is not None:
            blamed = "; ".join(left_out.values())
            left_out |= {str(file): why for file, why in unreadable.items() if why not in blamed}
        return tuple(found)

    def _found_in(self, name: str, folder: str, plan: Plan) -> Entrant:
        from srbench.run.elsewhere import found_in

        try:
            return found_in(name, folder, plan.corpus.by_id(), self.pattern)
        except SrbenchError as error:
            raise UpscalerError(str(error)) from error

    def _parsed(self, name: str, line: str) -> Entrant:
        from srbench.run.command import parsed

        folder = None if self.cwd is None else self.cwd.absolute()
        return parsed(
            name, line, pattern=self.pattern, working=folder, input_format=self.input_format, batch=self.batch or 1
        )

    def _upscaler(self, name: str, plugins: tuple[Path, ...], unreadable: str) -> Entrant:
        from srbench.run import Entrant
        from srbench.run.model import own_plugins

        try:
            own = own_plugins(name, plugins)
        except SrbenchError as error:
            if unreadable:  # it may be in there
                raise UpscalerError(unreadable) from error
            raise
        made = Entrant(name, plugins=own, device=self.device, precision=self.precision)
        return dataclasses.replace(made, batch=self._batch(made))

    def _batch(self, entrant: Entrant) -> int:
        if self.batch is not None:
            return self.batch
        on_gpu = self.device is not None and not self.device.startswith("cpu") and self.dask is None
        return GPU_BATCH if on_gpu and self.draws == 1 and entrant.takes_batches() else 1

    @contextlib.contextmanager
    def where(self) -> Iterator[Where]:
        """Offer the place where utterances are evaluated.

        Raises
        ------
        SrbenchError
            If what was asked for does not go together, or no cluster answers.
        """
        from srbench.run.workers import Where

        if (self.batch or 1) > 1 and self.dask is not None:
            raise SrbenchError("--batch does not work with --dask")
        if self.dask is None:
            if self.send_data:
                raise SrbenchError("--send-data needs a cluster: give --dask ADDRESS")
            yield Where(self.workers, self.timeout)
            return
        if self.workers > 1:
            raise SrbenchError("--dask has workers of its own: leave out --workers")
        if self.send_data and self.save_audio:
            raise SrbenchError("--save-audio does not work with --send-data: its workers must see your files")
        from srbench.run.cluster import dask_cluster

        with dask_cluster(self.dask, send=self.send_data, timeout=self.timeout) as where:
            yield where

    def run(
        self,
        plans: Sequence[tuple[Entrant, Plan]],
        beside: Sequence[tuple[Entrant, Plan]] = (),
        left_out: dict[str, str] | None = None,
    ) -> list[Run]:
        """Run each entrant over its plan, or find it finished; all are asked before the first is run.

        Parameters
        ----------
        plans : sequence of (Entrant, Plan)
        beside : sequence of (Entrant, Plan)
            Run after those. Nobody asked for them by name, so another command that makes them just now is waited for.
        left_out : dict of str to str, optional
            Takes the names of those of `plans` that cannot be run, and why; the others are run all the same. Without
            it such a one ends the command.

        Raises
        ------
        SrbenchError
            If one cannot be run and is not to be left out, or none can.
        """
        from srbench.run import run_entrant

        able = []
        for entrant, plan in plans:
            try:
                entrant.provenance(plan.protocol)
                able.append((entrant, plan))
            except SrbenchError as error:
                if left_out is None or (len(plans) == 1 and not left_out):
                    raise
                left_out[entrant.name] = str(error)
        if left_out and not able:
            raise SrbenchError("\n".join(dict.fromkeys(left_out.values())))
        for entrant, plan in beside:
            entrant.provenance(plan.protocol)
        with self.where() as where, progress_bar() as progress:
            return [
                run_entrant(
                    plan,
                    entrant,
                    self.results,
                    where=where,
                    save_audio=self.save_audio,
                    fresh=self.fresh,
                    wait=wait,
                    keep_gigabytes=self.keep,
                    draws=1 if wait else self.draws,
                    progress=progress,
                )
                for group, wait in ((able, False), (beside, True))
                for entrant, plan in group
            ]


def run_options(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of `RunOptions`, and hand them to it as the one argument ``options``."""
    names = [field.name for field in dataclasses.fields(RunOptions)]

    @functools.wraps(function)
    def gathered(**given: Any) -> int:
        return function(options=RunOptions(**{name: given.pop(name) for name in names}), **given)

    return _RUN_OPTIONS(gathered)
