"""``srbench export``."""

from __future__ import annotations

from pathlib import Path

import click

from srbench.cli.output import echo, json_option, print_json
from srbench.errors import SrbenchError


@click.command("export", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("target", metavar="OUT.onnx", type=click.Path(path_type=Path))
@click.option("--model", required=True, metavar="NAME", help="A network, or NAME@WEIGHTS.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@json_option
def command(target: Path, model: str, force: bool, as_json: bool) -> int:
    """Write a network as an ONNX file, and check it in onnxruntime against torch."""
    from srbench.upscaler import build_upscaler

    if target.exists() and not force:
        raise SrbenchError(f"{target}: already exists; use --force to overwrite it")
    built, _ = build_upscaler(model)
    export = getattr(built.instance, "export", None)
    if not callable(export):
        raise SrbenchError(f"upscaler {model} has no ONNX form: its object offers no export(path)")
    target.parent.mkdir(parents=True, exist_ok=True)
    deviation = export(target)
    if as_json:
        print_json({"model": model, "file": str(target), "deviation": deviation})
    else:
        echo(f"{target}: {model}, within {deviation:.1g} of it in onnxruntime")
    return 0
