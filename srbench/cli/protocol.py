"""``srbench protocol``: a protocol for somebody's own recordings."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from srbench.cli.output import echo, json_option, print_json

if TYPE_CHECKING:
    from srbench.corpora import Corpus
    from srbench.protocols import Protocol

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@click.group("protocol")
def command() -> None:
    """Write a protocol for your own recordings."""


@command.command("new")
@click.argument("name")
@click.option(
    "--from",
    "base",
    required=True,
    metavar="PROTOCOL",
    help="The protocol whose rates, degradation and metrics it takes. 'srbench list protocols' shows them.",
)
@click.option(
    "--data", required=True, metavar="DIR", type=click.Path(path_type=Path), help="Your recordings: a folder of audio."
)
@click.option("--channels", metavar="mix|left|right|N", help="Which channel to take of recordings with several.")
@click.option("--force", is_flag=True, help="Overwrite NAME.toml.")
@json_option
def new_command(name: str, base: str, data: Path, channels: str | None, force: bool, as_json: bool) -> int:
    """Write NAME.toml: another protocol's experiment on every recording of your folder.

    Its runs are listed, compared and published under its own name. The signature holds a checksum over the samples of
    the recordings. So numbers of other recordings never stand beside them.

    Exit status 1: recordings in the folder cannot be used. The others can.
    """
    from srbench.audio import check_channels
    from srbench.corpora import open_corpus
    from srbench.errors import SrbenchError, shown
    from srbench.files import whole_file
    from srbench.protocols import ALL, load_protocol, protocol_names
    from srbench.report.headings import khz

    if not _NAME.fullmatch(name) or name in protocol_names():
        why = (
            "is the name of a protocol of srbench" if name in protocol_names() else "must be letters, digits, . _ and -"
        )
        raise SrbenchError(f"{shown(name)}: {why}; take another name")
    check_channels(channels)
    path = Path(f"{name}.toml")
    if path.exists() and not force:
        raise SrbenchError(f"{path} already exists; use --force to overwrite it")
    extended, corpus = load_protocol(base), open_corpus(data)
    if base.endswith(".toml") and Path(base).parent != Path("."):
        raise SrbenchError(f"--from {base}: a file must lie where {path} is written, in this folder")
    told = {
        "title": f"{corpus.root.resolve().name}: {khz(extended.low_rate)} to {khz(extended.high_rate)} kHz",
        "source": f"Every recording of {corpus.root.resolve().name}, by {extended.name}",
        "extends": base,
        "corpus": corpus.name,
        "split": ALL,
        **({"channels": channels} if channels else {}),
    }
    with whole_file(path) as file:
        file.writelines(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in told.items())
    protocol = load_protocol(path)
    faults = _faults(corpus, protocol)
    if as_json:
        print_json(
            {"protocol": name, "file": str(path), "utterances": len(corpus.utterances), "faults": faults, **told}
        )
    else:
        echo(f"{path}: {len(corpus.utterances)} recordings of {data}, {protocol.low_rate} to {protocol.high_rate} Hz")
        echo(f"  srbench run --protocol {path} --data {data} --model spline")
        echo(f"  srbench publish results --protocol {path} --data {data} --leaderboard leaderboard")
    for fault, count in faults.items():
        echo(f"srbench: {count} of {len(corpus.utterances)} recordings {fault}", err=True)
    return 1 if faults else 0


def _faults(corpus: Corpus, protocol: Protocol) -> dict[str, int]:
    """Count the recordings that will fail, by what is wrong with their headers."""
    from srbench import audio
    from srbench.errors import SrbenchError

    found: Counter[str] = Counter()
    for utterance in corpus.utterances:
        try:
            header = audio.info(utterance.path)
        except SrbenchError:
            found["cannot be read"] += 1
            continue
        if header.sample_rate < protocol.high_rate:
            found[f"have a rate below {protocol.high_rate} Hz"] += 1
        elif header.channels > 1 and protocol.channels is None:
            found["have several channels: choose one with --channels"] += 1
    return dict(found)
