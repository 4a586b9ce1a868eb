"""``srbench inputs``."""

from __future__ import annotations

from pathlib import Path

import click

from srbench.cli.options import channels_option
from srbench.cli.output import echo, json_option, print_json, progress_bar


@click.command("inputs")
@click.argument("protocol", metavar="PROTOCOL|FILE.toml")
@click.option(
    "--data", metavar="DIR", type=click.Path(path_type=Path), help="The corpus: a VCTK folder, or any folder of audio."
)
@click.option("--out", required=True, metavar="DIR", type=click.Path(path_type=Path), help="Folder for the files.")
@click.option(
    "--format",
    "form",
    default="float",
    show_default=True,
    type=click.Choice(["float", "float32", "flac", "pcm16"]),
    help="WAV of 64-bit floats (what a plug-in is given), of 32-bit floats, FLAC of 24 bits, or WAV of 16 bits.",
)
@click.option("--references", is_flag=True, help="Write the references too, into the folder 'references' in DIR.")
@click.option("--split", "side", metavar="SIDE", help="Another side of the protocol's split, or 'all'.")
@channels_option
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Write only the first N utterances.")
@click.option("--allow-partial", is_flag=True, help="Write what is there, even if utterances of the split are missing.")
@json_option
def command(
    protocol: str,
    data: Path | None,
    out: Path,
    form: str,
    references: bool,
    side: str | None,
    channels: str | None,
    limit: int | None,
    allow_partial: bool,
    as_json: bool,
) -> int:
    """Write a protocol's low-resolution files, for a model that runs elsewhere.

    Each file bears the id of its utterance. The file inputs.json holds the protocol's signature, the rates, and the
    SHA-256 of each file. Run your model on the files, then give its outputs to 'srbench run --estimates'.

    Exit status 1: a recording could not be used.
    """
    from srbench.protocols import load_protocol
    from srbench.run import make_plan
    from srbench.run.inputs import MANIFEST, write_inputs

    plan = make_plan(
        load_protocol(protocol), data, side=side, limit=limit, allow_partial=allow_partial, channels=channels
    )
    with progress_bar() as progress:
        written = write_inputs(
            plan,
            out,
            form=form,
            references=references,
            progress=None if progress is None else lambda done, total: progress("inputs", done, total),
        )
    of = plan.protocol
    if as_json:
        print_json(
            {
                "protocol": of.name,
                "protocol_signature": str(plan.signature),
                "folder": str(out),
                "manifest": str(out / MANIFEST),
                "low_rate": str(of.low_rate),
                "high_rate": of.high_rate,
                "n": written.n,
                "clipped_samples": written.clipped,
                "failures": [{"utterance": key, "error": why} for key, why in written.failures.items()],
                "notes": list(plan.notes),
            }
        )
    else:
        echo(f"{written.n} files at {of.low_rate} Hz in {out}, listed in {out / MANIFEST}", *plan.notes)
        echo(f"Your model must make as many files at {of.high_rate} Hz, under the same names. Then:")
        echo(f"  srbench run --estimates NAME=DIR --protocol {protocol}" + (f" --data {data}" if data else ""))
    if written.clipped:
        echo(f"srbench: {written.clipped} samples are beyond full scale and were cut off: use --format float", err=True)
    for key, why in written.failures.items():
        echo(f"srbench: {key} was left out: {why}", err=True)
    return 1 if written.failures else 0
