"""``srbench signature``."""

from __future__ import annotations

from pathlib import Path

import click

from srbench.cli.options import plugin_option
from srbench.cli.output import echo, json_option, print_json
from srbench.errors import SrbenchError


@click.command("signature", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("short_form", metavar="SHORT")
@click.argument("places", nargs=-1, metavar="[RUN_DIR|BOARD.csv …]", type=click.Path(path_type=Path, exists=True))
@plugin_option
@json_option
def command(short_form: str, places: tuple[Path, ...], plugins: tuple[Path, ...], as_json: bool) -> int:
    """Print the whole signature behind a short one, such as SNR-c39a9a75.

    It knows the named protocols and their metrics, and all runs and leaderboards in 'results', in 'leaderboard' and in
    the places that you name. A whole signature is answered with its short form.
    """
    from srbench.results.signatures import find_signature
    from srbench.signature import parse, short

    if "|" in short_form:
        text, where = str(parse(short_form)), "the signature that was given"
    else:
        here = tuple(path for path in (Path("results"), Path("leaderboard")) if path.is_dir())
        found = find_signature(short_form, (*places, *here))
        if found is None:
            raise SrbenchError(
                f"no signature is known whose short form is {short_form}. "
                "Name the folder of the run, or the leaderboard, that it comes from."
            )
        text, where = found
    if as_json:
        fields = dict(parse(text).fields)
        print_json({"short": short(text), "signature": text, "fields": fields, "source": where})
    else:
        echo(short(text), f"    {text}", f"    {where}")
    return 0
