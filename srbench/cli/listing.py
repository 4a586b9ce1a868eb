"""``srbench list``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from srbench.cli.options import plugin_option
from srbench.cli.output import echo, json_option, print_json
from srbench.errors import known_name

_KINDS = ("protocols", "upscalers", "metrics", "splits", "degradations")
_NOT_LOADED = "(not loaded: its code is run only when it is asked for)"


def _as_kind(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    plural = f"{value.lower()}s"
    return plural if plural in _KINDS else known_name("kind", value, _KINDS)


@click.command("list")
@click.argument("kind", callback=_as_kind, metavar=f"{{{'|'.join(_KINDS)}}}")
@plugin_option
@click.option(
    "--sample-rate",
    default=16000,
    show_default=True,
    type=click.IntRange(1),
    metavar="HZ",
    help="Rate for the metrics' signatures. The cutoff is a quarter of it.",
)
@json_option
def command(kind: str, plugins: tuple[Path, ...], sample_rate: int, as_json: bool) -> int:
    """List protocols, upscalers, metrics, splits or degradations, with their signatures."""
    sources: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "protocols": _protocols,
        "upscalers": lambda: _upscalers(plugins),
        "metrics": lambda: _metrics(sample_rate),
        "splits": _splits,
        "degradations": _degradations,
    }
    entries = sources[kind]()
    if as_json:
        print_json({kind: entries})
        return 0
    for entry in entries:
        name, *rest = (str(value) for value in entry.values() if value not in (None, ""))
        echo(name, bold=True)
        for line in rest:
            echo(f"    {line}")
    return 0


def _protocols() -> list[dict[str, Any]]:
    from srbench.protocols import load_protocol, protocol_names

    found = [load_protocol(name) for name in protocol_names()]
    return [
        {
            "name": p.name,
            "title": p.title,
            "source": p.source,
            "signature": str(p.signature()),
            "metrics": ", ".join(p.metrics),
        }
        for p in found
    ]


def _upscalers(plugins: tuple[Path, ...]) -> list[dict[str, Any]]:
    from srbench.errors import SrbenchError
    from srbench.upscaler import get_upscaler, registrations

    found = []
    for registration in registrations(plugins):
        try:
            if registration.strange:
                described = _NOT_LOADED
            else:
                distribution = registration.provenance["distribution"]
                described = get_upscaler(f"{distribution}:{registration.name}", plugins)[0].description
        except SrbenchError as error:
            described = str(error)
        found.append({"name": registration.name, "description": described, "origin": registration.origin})
    return found


def _metrics(sample_rate: int) -> list[dict[str, Any]]:
    from srbench.errors import SrbenchError
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
