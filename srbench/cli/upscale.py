"""``srbench upscale``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from srbench.cli.options import device_option, plugin_option, precision_option
from srbench.cli.output import echo, json_option, print_json, progress_bar


@click.command("upscale", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("source", metavar="IN.wav", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT.wav", type=click.Path(path_type=Path))
@click.option("--model", required=True, metavar="NAME", help="An upscaler, or NAME@WEIGHTS.")
@click.option(
    "--rate", type=click.IntRange(1), metavar="HZ", help="The rate to upscale to, for models that offer several."
)
@device_option
@precision_option
@plugin_option
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@json_option
def command(
    source: Path,
    target: Path,
    model: str,
    rate: int | None,
    device: str | None,
    precision: str | None,
    plugins: tuple[Path, ...],
    force: bool,
    as_json: bool,
) -> int:
    """Upscale an audio file (wav, flac or ogg; every channel by itself).

    WAV is written as 32-bit floats, so that nothing is clipped. For other formats, samples beyond full scale are
    counted and reported.
    """
    from srbench.upscaling import upscale_file

    with progress_bar() as progress:
        done: dict[str, Any] = upscale_file(
            source,
            target,
            model,
            rate=rate,
            device=device,
            precision=precision,
            plugins=plugins,
            overwrite=force,
            progress=progress,
        )
    if as_json:
        print_json(done)
        return 0
    echo(
        f"{source}: {done['seconds']:.2f} s at {done['low_rate']} Hz, {done['channels']} "
        f"channel{'s' if done['channels'] > 1 else ''} -> {target}: {done['high_rate']} Hz by {done['model']}"
    )
    if done["clipped"]:
        echo(f"{done['clipped']} samples beyond full scale were clipped; a .wav file keeps them.", err=True)
    return 0
