"""``srbench train``: hands a recipe to the trainer that an installed package registers."""

from __future__ import annotations

import sys
from contextlib import ExitStack, redirect_stdout
from importlib import metadata
from pathlib import Path
from typing import Any

import click

from srbench.cli.output import echo, json_option, print_json, progress_bar, stdout_for_results
from srbench.errors import unknown_name
from srbench.extras import missing_package

GROUP = "srbench.trainers"


@click.command("train", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("recipe", metavar="RECIPE[.toml]")
@click.option(
    "--data",
    multiple=True,
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="A corpus to train on. Repeat it for more.",
)
@click.option(
    "--out", metavar="DIR", type=click.Path(path_type=Path), help="Folder of the training.  [default: training/RECIPE]"
)
@click.option("--device", default="cpu", show_default=True, metavar="D", help="cpu, cuda, cuda:1, mps.")
@click.option("--resume", is_flag=True, help="Continue from the last state in the folder.")
@click.option(
    "--start",
    metavar="FILE.safetensors",
    type=click.Path(path_type=Path),
    help="Begin with these weights. Those of a narrower network of the same kind are widened.",
)
@click.option("--threads", type=click.IntRange(1), metavar="N", help="CPU threads.  [default: torch's own choice]")
@click.option(
    "--log",
    "log",
    multiple=True,
    metavar="csv|tensorboard|wandb|mlflow",
    help="Where losses and scores go, besides log.csv. Repeat it for more.  [default: tensorboard]",
)
@click.option("--log-every", type=click.IntRange(1), metavar="N", help="Steps between losses there.  [default: 20]")
@click.option("--label", metavar="TEXT", help="Names this training: its folder and its best checkpoint.")
@click.option("--trainer", metavar="NAME", default="srbench", show_default=True, help="Which trainer to use.")
@json_option
def command(
    recipe: str,
    data: tuple[Path, ...],
    out: Path | None,
    device: str,
    resume: bool,
    start: Path | None,
    threads: int | None,
    log: tuple[str, ...],
    log_every: int | None,
    label: str | None,
    trainer: str,
    as_json: bool,
) -> int:
    """Train a network by a recipe: a TOML file, or the name of one that comes with srbench.

    Every validation prints the network's metrics on whole utterances below the spline's. --resume continues a training
    that was stopped.

    Exit status 1: the best checkpoint, which is kept, does not beat the spline, or nothing shows whether it does.
    """
    with ExitStack() as stack:
        if as_json:
            stack.enter_context(stdout_for_results())
            stack.enter_context(redirect_stdout(sys.stderr))
        progress = stack.enter_context(progress_bar())
        train = _trainer(trainer)
        # trainers of other packages need not know these
        more = {"log": log or None, "log_every": log_every, "label": label}
        try:
            result = train(
                recipe,
                data,
                out,
                device=device,
                resume=resume,
                start=start,
                threads=threads,
                report=lambda text: echo(*text.split("\n"), err=as_json),
                progress=progress,
                **{key: value for key, value in more.items() if value is not None},
            )
        except KeyboardInterrupt:
            echo("srbench: stopped. The last validated state is kept: go on with --resume.", err=True)
            return 130
    beats = result.get("beats_the_spline", not result["does_not_beat_the_spline_in"])
    if as_json:
        print_json(result)
    else:
        echo("", f"Best checkpoint: {result['checkpoint']} (step {result['best']['step']})")
        echo(f"It {result['verdict']}.")
    return 0 if beats else 1


def _trainer(name: str) -> Any:
    from srbench.plugins import LOG, found_at

    found = {entry.name: entry for entry in metadata.entry_points(group=GROUP)}
    if name not in found:
        raise unknown_name("trainer", name, found)
    entry = found[name]
    if entry.dist is None or entry.dist.name != "srbench":
        whose = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"
        LOG.info("running code of trainer '%s' of %s (%s)%s", name, whose, entry.value, found_at(entry.value))
    try:
        return entry.load()
    except ImportError as error:
        own = "train" if entry.dist is not None and entry.dist.name == "srbench" else ""
        raise missing_package(f"trainer {name}", error, extra=own) from error
