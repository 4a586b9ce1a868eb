"""``srbench list``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from srbench.cli.options import plugin_option
from srbench.cli.output import echo, json_option, print_json
from srbench.errors import SrbenchError, known_name, shown

if TYPE_CHECKING:
    from srbench.audio import Rate
    from srbench.protocols import Protocol

_KINDS = ("protocols", "upscalers", "metrics", "splits", "degradations")
_NOT_LOADED = "(not loaded: its code is run only when it is asked for)"


def _as_kind(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    plural = f"{value.lower()}s"
    return plural if plural in _KINDS else known_name("kind", value, _KINDS)


@click.command("list")
@click.argument("kind", callback=_as_kind, metavar=f"{{{'|'.join(_KINDS)}}}")
@click.argument("name", required=False, metavar="[PROTOCOL]")
@click.option("--rates", metavar="LOW,HIGH", help="Only the protocols with these rates in Hz, such as 8000,16000.")
@plugin_option
@click.option(
    "--sample-rate",
    default=16000,
    show_default=True,
    type=click.IntRange(1),
    metavar="HZ",
    help="Rate for the metrics' signatures. The cutoff is a quarter of it.",
)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="List upscalers that still need a package or weights too, each with its licence and what it needs.",
)
@json_option
def command(
    kind: str,
    name: str | None,
    rates: str | None,
    plugins: tuple[Path, ...],
    sample_rate: int,
    everything: bool,
    as_json: bool,
) -> int:
    """List protocols, upscalers, metrics, splits or degradations, with their signatures.

    'srbench list protocols' is a table. With the name of a protocol, or a file, it shows all of that one.
    """
    if kind != "protocols" and (name or rates):
        raise click.UsageError(f"Only protocols can be chosen: srbench list protocols {name or '--rates LOW,HIGH'}.")
    sources: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "protocols": lambda: _protocols(name, rates),
        "upscalers": lambda: _upscalers(plugins, everything),
        "metrics": lambda: _metrics(sample_rate),
        "splits": _splits,
        "degradations": _degradations,
    }
    entries = sources[kind]()
    if as_json:
        print_json({kind: entries})
        return 0
    if kind == "protocols" and name is None:
        _print_table(entries)
        return 0
    if name is not None:
        (entry,) = entries
        echo(str(entry.pop("name")), bold=True)
        for key, value in entry.items():
            echo(f"    {key}: {value}")
        return 0
    for entry in entries:
        title, *rest = (str(value) for value in entry.values() if value not in (None, ""))
        echo(title, bold=True)
        for line in rest:
            echo(f"    {line}")
    if kind == "upscalers" and not everything:
        echo("(published systems that still need a package, weights or a command of yours: --all)")
    return 0


_TABLE = ("name", "rates", "corpus", "utterances", "degradation", "papers")


def _protocols(name: str | None, rates: str | None) -> list[dict[str, Any]]:
    from srbench.protocols import load_protocol, protocol_names

    found = [load_protocol(each) for each in ([name] if name else protocol_names())]
    if rates is not None:
        known = sorted({(float(each.low_rate), each.high_rate) for each in found})
        wanted = _rates(rates)
        found = [each for each in found if (each.low_rate, each.high_rate) == wanted]
        if not found:
            told = " ".join(f"{low:.7g},{high}" for low, high in known)
            raise SrbenchError(f"no protocol goes from {wanted[0]} to {wanted[1]} Hz; there are: {told}")
    return [_told(each) for each in found]


def _told(protocol: Protocol) -> dict[str, Any]:
    from srbench.report.headings import khz

    made = dict(protocol.degradation.signature(protocol.high_rate, protocol.low_rate).fields)
    split = protocol.load_split()
    count = len(split.ids(protocol.side)) if protocol.side in split.sides else "all"
    return {
        "name": protocol.name,
        "title": protocol.title,
        "source": protocol.source,
        "rates": f"{khz(protocol.low_rate)} to {khz(protocol.high_rate)} kHz",
        "corpus": protocol.corpus,
        "split": f"{split.name}, {protocol.side}",
        "utterances": count,
        "degradation": " ".join(
            made[key] for key in ("kind", "engine", "phase") if made.get(key) not in (None, "none")
        ),
        "papers": protocol.source.partition(":")[0].partition(",")[0] or "–",
        "signature": str(protocol.signature()),
        "metrics": ", ".join(protocol.metrics),
    }


def _rates(text: str) -> tuple[Rate, int]:
    from srbench.audio import parse_rate

    try:
        low, high = (parse_rate(each.strip()) for each in text.split(","))
    except ValueError as error:
        raise SrbenchError(f"--rates are two in Hz, such as 8000,16000, not {shown(text)!r}") from error
    return low, int(high)


def _print_table(entries: list[dict[str, Any]]) -> None:
    rows = [_TABLE, *(tuple(str(entry[column]) for column in _TABLE) for entry in entries)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_TABLE))]
    for number, row in enumerate(rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        echo("  ".join(cells).rstrip(), bold=number == 0)
    echo("", "All of one: srbench list protocols NAME. What its numbers depend on is its signature.")


def _upscalers(plugins: tuple[Path, ...], everything: bool) -> list[dict[str, Any]]:
    """Return what is registered; what is not ready to run only if everything is asked for."""
    from srbench.upscaler import READY, get_upscaler, registrations

    found = []
    for registration in registrations(plugins):
        licence, state = "", READY
        try:
            if registration.strange:
                described, state = _NOT_LOADED, ""
            else:
                distribution = registration.provenance["distribution"]
                known, _ = get_upscaler(f"{distribution}:{registration.name}", plugins)
                described, licence, state = known.description, known.licence, known.state()
        except SrbenchError as error:
            described = str(error)
        more = {"licence": licence, "state": state} if everything else {}
        if everything or state in (READY, ""):
            found.append({"name": registration.name, "description": described, **more, "origin": registration.origin})
    return found


def _metrics(sample_rate: int) -> list[dict[str, Any]]:
    from srbench.metrics import METRICS
    from srbench.plugins import installed

    found = []
    for metric in METRICS.values():
        try:
            signature = str(metric.signature(sample_rate, sample_rate / 4))
        except SrbenchError as error:
            signature = str(error)
        low, high = metric.range
        told = (
            f"unit {metric.unit}, {metric.better} is better, range {low:g} to {high:g}, "
            f"hears up to {metric.hears(sample_rate):g} Hz"
        )
        entry = {"name": metric.name, "title": metric.title, "facts": told, "signature": signature}
        found.append({**entry, "source": metric.source, "origin": metric.home})
    found += [
        {"name": each.name, "title": _NOT_LOADED, "facts": "", "signature": "", "source": "", "origin": each.origin}
        for each in installed("metric")
    ]
    return found


def _splits() -> list[dict[str, Any]]:
    from srbench.corpora import check_sides, load_split, split_names

    found = []
    for name in split_names():
        split = load_split(name)
        shared = check_sides(split)
        sides = "; ".join(
            f"{side} {len(split.ids(side))} utterances, sha256 {split.checksum(side)}" for side in split.sides
        )
        note = f"the sides share speakers: {', '.join(shared)}" if shared else "no speaker stands on two sides"
        entry = {"name": name, "title": split.title, "corpus": split.corpus, "sides": sides, "speakers": note}
        found.append({**entry, "source": split.source})
    return found


def _degradations() -> list[dict[str, Any]]:
    from srbench.degradation import KINDS, from_table

    made = {kind: from_table({"kind": kind}) for kind in KINDS}
    return [
        {
            "name": kind,
            "description": KINDS[kind],
            "signature": str(d.signature(16000, 4000)),
        }
        for kind, d in made.items()
    ]
