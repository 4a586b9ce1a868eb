"""``srbench data``: verify a corpus, download one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from srbench.cli.output import echo, json_option, print_json, progress_bar

if TYPE_CHECKING:
    from srbench.corpora import Utterance


@click.group("data")
def command() -> None:
    """Verify a corpus, or download one."""


@command.command("verify")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--protocol",
    metavar="NAME|FILE.toml",
    help="Check the utterances of its split against its rate. Without it, check every file against its own rate.",
)
@click.option("--split", "side", metavar="SIDE", help="Another side of the protocol's split (train, validation, test).")
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1), metavar="N", help="Number of processes."
)
@json_option
def verify_command(folder: Path, protocol: str | None, side: str | None, workers: int, as_json: bool) -> int:
    """Report references that cannot be trusted.

    These are missing, unreadable, of the wrong rate, silent, clipped, non-finite, or duplicated. Others hold nothing in
    the upper part of the band that their sample rate claims.

    Exit status 1: there are such references.
    """
    from srbench.corpora import open_corpus
    from srbench.corpora.verify import verify
    from srbench.errors import SrbenchError
    from srbench.protocols import ALL, load_protocol

    if side is not None and protocol is None:
        raise SrbenchError("--split is a side of a protocol's split: say which with --protocol")
    if protocol is None:
        corpus, ids, sample_rate = open_corpus(folder), None, None
    else:
        chosen = load_protocol(protocol)
        split = chosen.load_split()
        corpus = open_corpus(folder, split.mic, chosen.corpus)
        ids, sample_rate = None if ALL in (side, chosen.side) else split.ids(side or chosen.side), chosen.high_rate
    with progress_bar() as progress:
        findings = verify(
            corpus,
            expected_ids=ids,
            sample_rate=sample_rate,
            workers=workers,
            progress=None if progress is None else lambda done, total: progress("verify", done, total),
        )
    rates = Counter(_rate(utterance) for utterance in corpus.utterances)
    checked = len(corpus.utterances) if ids is None else len(ids)
    counts = dict(sorted(Counter(finding.kind for finding in findings).items()))
    if as_json:
        print_json(
            {
                "corpus": corpus.name,
                "folder": str(folder),
                "protocol": protocol,
                "checked": checked,
                "counts": counts,
                "notes": list(corpus.notes),
                "rates": {str(rate): n for rate, n in sorted(rates.items())},
                "findings": [vars(finding) for finding in findings],
            }
        )
        return 1 if findings else 0
    for finding in findings:
        echo(f"{finding.kind:<13} {finding.utterance}: {finding.detail}")
    for note in corpus.notes:
        echo(note)
    summary = ", ".join(f"{n} {kind}" for kind, n in counts.items()) or "nothing wrong"
    told = ", ".join(f"{n} at {rate} Hz" for rate, n in sorted(rates.items()) if rate)
    echo(f"{corpus.name}, {checked} utterances: {summary}. The folder holds {told or 'no readable file'}.")
    return 1 if findings else 0


def _rate(utterance: Utterance) -> int:
    """Return a recording's rate from its header, 0 if it cannot be read."""
    from srbench import audio
    from srbench.errors import SrbenchError

    try:
        return audio.info(utterance.path).sample_rate
    except SrbenchError:
        return 0


@command.command("fetch")
@click.argument("name", metavar="[vctk-0.92|vctk-test8]")
@click.option(
    "--to",
    default="data",
    show_default=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where to put the corpus. It gets its own folder there.",
)
@click.option("--url", metavar="URL", help="A mirror of the same file. The hash must be the same.")
@click.option("--keep-archive", is_flag=True, help="Keep the downloaded file beside the unpacked corpus.")
@json_option
def fetch_command(name: str, to: Path, url: str | None, keep_archive: bool, as_json: bool) -> None:
    """Download a corpus, check its hash, unpack it.

    Give the same command again to resume a download that was stopped.
    """
    from srbench.corpora.fetch import fetch

    with progress_bar() as progress:
        folder = fetch(
            name,
            to,
            url=url,
            keep_archive=keep_archive,
            say=lambda line: echo(line, err=True),
            progress=None if progress is None else lambda done, total: progress(name, done, total),
        )
    if as_json:
        print_json({"name": name, "folder": str(folder)})
    else:
        echo(f"Use it with: --data {folder}")
