"""``srbench lint``: the consistency of a results table."""

from __future__ import annotations

from pathlib import Path

import click

from srbench.cli.output import echo, json_option, print_json

_MOST = 10  # things not read that are listed


@click.command("lint", context_settings={"help_option_names": ["-h", "--help"]})  # also when it is invoked alone
@click.argument("table", type=click.Path(path_type=Path))
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="HEADER=METRIC",
    help="Say which metric a column has. Repeat it for more.",
)
@click.option(
    "--convention",
    "conventions",
    multiple=True,
    metavar="HEADER=TEXT",
    help="Say which definition a column uses, e.g. LSD=nuwave. Repeat it for more.",
)
@click.option(
    "--n", "n", type=click.IntRange(1), metavar="N", help="Number of utterances behind each mean, if no column says it."
)
@json_option
def command(table: Path, columns: tuple[str, ...], conventions: tuple[str, ...], n: int | None, as_json: bool) -> int:
    """Check whether a table of results (CSV, Markdown, LaTeX or HTML) can be true.

    The table has one row per model and one column per metric. lint looks for pasted rows, an SNR and an MSE that
    contradict each other, values out of range, models below the spline, and digits that mean nothing.

    Exit status 1: there are errors or warnings.
    """
    from srbench.lint.lint import lint
    from srbench.lint.table import read_table

    read = read_table(table, columns=_pairs(columns, "--column"), conventions=_pairs(conventions, "--convention"))
    findings = lint(read, n=n)
    status = int(any(finding.severity != "note" for finding in findings))
    counts = {word: sum(f.severity == word for f in findings) for word in ("error", "warning", "note")}
    if as_json:
        print_json(
            {
                "table": str(table),
                "rows": len(read.rows),
                "further_tables": read.further,
                "columns": {column.header: column.metric for column in read.metric_columns},
                "not_read": list(read.not_read),
                "counts": counts,
                "findings": [finding.as_dict() for finding in findings],
            }
        )
        return status
    for finding in findings:
        rows = ", ".join(str(row) for row in finding.rows)
        where = f"  row{'s' if len(finding.rows) > 1 else ''} {rows}" if rows else ""
        echo(f"{finding.severity} {finding.rule}{where}: {finding.message}")
        echo(f"    {finding.suggestion}")
    summary = ", ".join(f"{count} {word}{'s' * (count != 1)}" for word, count in counts.items() if count)
    if read.further:
        echo(f"{read.further} more table{'s' * (read.further > 1)} in the file: only the first is read.")
    if left := read.not_read:
        more = f" and {len(left) - _MOST} more" if len(left) > _MOST else ""
        echo(f"Not read: {'; '.join(left[:_MOST])}{more}.")
    known = ", ".join(dict.fromkeys(column.header for column in read.metric_columns))
    echo(f"{read.name}, {len(read.rows)} rows, {known}: {summary or 'nothing found'}.")
    return status


def _pairs(options: tuple[str, ...], name: str) -> dict[str, str]:
    from srbench.errors import SrbenchError

    pairs = {}
    for option in options:
        header, equals, value = option.rpartition("=")
        if not equals or not header.strip() or not value.strip():
            raise SrbenchError(f"{name} needs HEADER=VALUE, not '{option}'")
        pairs[header.strip()] = value.strip()
    return pairs
