"""Options that several commands take, and mean alike."""

from __future__ import annotations

from pathlib import Path

import click

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
