"""Options that several commands take, and mean alike."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from srbench.cli.output import progress_bar

if TYPE_CHECKING:
    from srbench.run import Entrant, Plan, Run

plugin_option = click.option(
    "--plugin",
    "plugins",
    multiple=True,
    metavar="FILE.py",
    type=click.Path(path_type=Path),
    help="A Python file with upscalers. It is run: use only files you trust.",
)
device_option = click.option("--device", metavar="D", help="For upscalers that take one: cpu, cuda, …")
precision_option = click.option("--precision", type=click.Choice(["fp32", "bf16"]), help="For upscalers that take one.")

_RUN_OPTIONS = (
    click.option(
        "--protocol", default="demo", show_default=True, metavar="NAME|FILE.toml", help="A named protocol, or your own."
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
    click.option(
        "--metric",
        "metrics",
        multiple=True,
        metavar="NAME",
        help="In place of the protocol's metrics; give it again for more.",
    ),
    plugin_option,
    click.option(
        "--workers",
        default=1,
        show_default=True,
        type=click.IntRange(1),
        metavar="N",
        help="Processes. The numbers do not depend on it.",
    ),
    device_option,
    precision_option,
    click.option(
        "--limit", type=click.IntRange(1), metavar="N", help="Score only the first N utterances; the result says so."
    ),
    click.option(
        "--allow-partial", is_flag=True, help="Go on when utterances of the split are absent; the result says so."
    ),
    click.option(
        "--results",
        default="results",
        show_default=True,
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="Where runs are kept, and found again.",
    ),
    click.option(
        "--save-audio", is_flag=True, help="Keep every estimate as a 32-bit float WAV file in its run's folder."
    ),
    click.option("--fresh", is_flag=True, help="Run again what is finished: for a model whose weights changed unseen."),
)


@dataclass(frozen=True)
class RunOptions:
    """What was said about the runs that a command makes or finds again; `run_options` fills it."""

    protocol: str
    data: Path | None
    side: str | None
    metrics: tuple[str, ...]
    plugins: tuple[Path, ...]
    workers: int
    device: str | None
    precision: str | None
    limit: int | None
    allow_partial: bool
    results: Path
    save_audio: bool
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
        )

    def entrants(self, names: Sequence[str]) -> tuple[Entrant, ...]:
        """Return the upscalers of these names, each once."""
        from srbench.run import Entrant

        files = tuple(dict.fromkeys(path.resolve() for path in self.plugins))
        return tuple(
            Entrant(name, plugins=files, device=self.device, precision=self.precision) for name in dict.fromkeys(names)
        )

    def run(self, plans: Sequence[tuple[Entrant, Plan]]) -> list[Run]:
        """Run each entrant over its plan, or find it finished; all are asked before the first is run.

        Raises
        ------
        SrbenchError
            If one cannot be run at all: a misspelt name costs no work.
        """
        from srbench.run import run_entrant

        for entrant, plan in plans:
            entrant.provenance(plan.protocol)
        with progress_bar() as progress:
            return [
                run_entrant(
                    plan,
                    entrant,
                    self.results,
                    workers=self.workers,
                    save_audio=self.save_audio,
                    fresh=self.fresh,
                    progress=progress,
                )
                for entrant, plan in plans
            ]


def run_options(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of `RunOptions`, and hand them to it as the one argument ``options``."""
    names = [field.name for field in dataclasses.fields(RunOptions)]

    @functools.wraps(function)
    def gathered(**given: Any) -> int:
        return function(options=RunOptions(**{name: given.pop(name) for name in names}), **given)

    wrapped: Callable[..., int] = gathered
    for option in reversed(_RUN_OPTIONS):
        wrapped = option(wrapped)
    return wrapped
