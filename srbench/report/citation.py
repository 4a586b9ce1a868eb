"""The sentences of a paper about some numbers: what was measured, on what, how, with which versions, and whom to cite.

Everything is read off runs or a leaderboard: signatures, counts, versions. Metrics and protocol carry short signatures
(`srbench.signature.short`), from which ``srbench signature`` gives the whole definition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from srbench import __version__
from srbench.errors import SrbenchError
from srbench.level import PERCENT, SIGNIFICANCE
from srbench.metrics import METRICS, get_metric
from srbench.protocols import load_protocol
from srbench.report.bibliography import OURSELVES, key_of_corpus
from srbench.report.headings import core_metrics, heading
from srbench.report.tables import latex_text, markdown_text
from srbench.results.board import Board
from srbench.run import Run
from srbench.signature import parse, short

_FILTERS = {"cheby1": "Chebyshev type I", "butter": "Butterworth", "ellip": "elliptic", "bessel": "Bessel"}
_OTHERS = {
    "subsample": "subsampling without a low-pass filter",
    "brickwall": "setting the spectrum above the cutoff to zero",
    "sinc": "windowed-sinc resampling",
}


@dataclass(frozen=True)
class Measured:
    """What numbers of one protocol rest on.

    Attributes
    ----------
    protocol : str
        Its name.
    signature : str
        The protocol's.
    metrics : mapping of metric name to signature
    n, expected : int
        Utterances that were scored, and those of the split.
    speakers : int
        0 where that is not known.
    resampled : str
        What the intervals resample: ``speakers``, ``utterances``, both words, or "".
    versions : mapping of package to version
    systems : int
        How many there are; of several it is said how they are compared.
    """

    protocol: str
    signature: str
    metrics: Mapping[str, str]
    n: int
    expected: int
    speakers: int
    resampled: str
    versions: Mapping[str, str]
    systems: int


def measured_by(runs: Sequence[Run], metrics: Sequence[str] | None = None) -> Measured:
    """Return what the numbers of some runs of one protocol rest on.

    Parameters
    ----------
    runs : sequence of Run
        At least one.
    metrics : sequence of str, optional
        In place of those that srbench shows where there is room for a few (`core_metrics`).
    """
    manifest, records = runs[0].manifest, runs[0].records
    chosen = metrics or core_metrics(tuple(manifest.metrics), manifest.protocol_signature)
    speakers = {record.speaker for record in records}
    return Measured(
        manifest.protocol,
        manifest.protocol_signature,
        {name: text for name, text in manifest.metrics.items() if name in chosen},
        len(records),
        manifest.split.expected,
        len(speakers),
        "" if len(records) < 2 else "speakers" if len(speakers) > 1 else "utterances",
        manifest.versions,
        sum(not run.manifest.upscaler.anchor for run in runs),
    )


def measured_in(board: Board, metrics: Sequence[str] | None = None) -> Measured:
    """Return what the numbers of a leaderboard rest on.

    Raises
    ------
    SrbenchError
        If it has no row.
    """
    if not board.rows:
        raise SrbenchError(f"{board.protocol}: the leaderboard has no row")
    first = board.rows[0]
    chosen = metrics or core_metrics(board.metrics, board.signature)
    told = {word: number for row in board.rows for number, word in row.resampled}
    return Measured(
        board.protocol,
        board.signature,
        {name: value.signature for name, value in first.values.items() if name in chosen},
        max(row.n for row in board.rows),
        first.expected,
        told.get("speakers", 0),
        " or ".join(sorted(told)),
        dict(part.split("=", 1) for part in first.versions.split() if "=" in part),
        sum(not row.anchor for row in board.rows),
    )


@dataclass(frozen=True)
class Markup:
    """How a format writes a text, a name of srbench, and a reference."""

    text: Callable[[str], str]
    name: Callable[[str], str]
    cite: Callable[[Sequence[str]], str]


FORMATS: Mapping[str, Markup] = {
    "text": Markup(str, str, lambda keys: f" [{', '.join(keys)}]"),
    "markdown": Markup(
        markdown_text, lambda name: f"`{name.replace('`', '')}`", lambda keys: f" [{'; '.join(f'@{k}' for k in keys)}]"
    ),
    "latex": Markup(
        latex_text, lambda name: rf"\texttt{{{latex_text(name)}}}", lambda keys: rf"~\cite{{{','.join(keys)}}}"
    ),
}


def keys_of(measured: Measured) -> list[str]:
    """Return the BibTeX keys of all that is used: srbench, the corpus, the protocol, the metrics; each once."""
    found = [OURSELVES, key_of_corpus(_fields(measured).get("corpus", "")), _key_of_protocol(measured)]
    found += [METRICS[name].cite for name in measured.metrics if name in METRICS]
    return [key for key in dict.fromkeys(found) if key]


def sentences(measured: Measured, format_: str = "text") -> str:
    """Return two or three sentences for a paper, in one paragraph.

    Parameters
    ----------
    measured : Measured
    format_ : {"text", "markdown", "latex"}
    """
    markup = FORMATS[format_]
    told = [_what(measured, markup), _metrics(measured, markup)]
    if measured.systems > 1 and measured.resampled:
        told.append(_tests(measured, markup))
    return " ".join(told)


def _what(measured: Measured, markup: Markup) -> str:
    fields, text = _fields(measured), markup.text
    corpus = fields.get("corpus", "")
    of = f" of {measured.expected}" if measured.n != measured.expected else ""
    by = f" by {measured.speakers} speaker{'s' * (measured.speakers != 1)}" if measured.speakers else ""
    parts = [
        text(f"We evaluate with srbench {measured.versions.get('srbench', __version__)}") + _cite(markup, OURSELVES),
        f" {text('with the protocol')} {markup.name(measured.protocol)} ({markup.name(short(measured.signature))})",
        _cite(markup, _key_of_protocol(measured)),
        f" {text('on')} {markup.name(corpus)}{_cite(markup, key_of_corpus(corpus))}" if corpus else "",
        text(f", split {fields['split'].rpartition('.')[0].replace('.', ', side ')}" if "split" in fields else ""),
        text(f" (n = {measured.n}{of} utterances{by})"),
        text(_degraded(fields)),
    ]
    return "".join(parts) + text(".")


def _cite(markup: Markup, key: str) -> str:
    return markup.cite([key]) if key else ""


def _degraded(fields: Mapping[str, str]) -> str:
    low, high, kind = (fields.get(key, "") for key in ("low", "high", "degradation"))
    if not low or not high:
        return ""
    rates = f", from {_kilohertz(low)} to {_kilohertz(high)} kHz"
    if kind in _FILTERS:
        how = f"an order-{fields.get('order', '?')} {_FILTERS[kind]} low-pass ({fields.get('phase', '?')} phase)"
        return (
            f"{rates}; the input is made by {how.replace('zero phase', 'zero-phase').replace('causal phase', 'causal')}"
        )
    return f"{rates}; the input is made by {_OTHERS.get(kind, kind)}" if kind else rates


def _kilohertz(rate: str) -> str:
    above, _, below = rate.partition("/")
    return f"{float(above) / float(below or 1) / 1000:.4g}"


def _metrics(measured: Measured, markup: Markup) -> str:
    named = [
        f"{markup.text(heading(name, with_unit=False))} ({markup.name(short(text))})"
        + _cite(markup, get_metric(name).cite)
        for name, text in measured.metrics.items()
    ]
    listed = markup.text(", ").join(named[:-1]) + markup.text(" and ") * (len(named) > 1) + named[-1]
    interval = f" with {PERCENT} bootstrap intervals over {measured.resampled}" if measured.resampled else ""
    packages = dict.fromkeys(p for name in measured.metrics for p in get_metric(name).packages)
    made = [f"{package} {measured.versions[package]}" for package in packages if package in measured.versions]
    versions = f" ({', '.join(made)})" if made else ""
    return f"{markup.text('We report')} {listed}{markup.text(f' as means over utterances{interval}{versions}.')}"


def _tests(measured: Measured, markup: Markup) -> str:
    over = "speakers" if "speakers" in measured.resampled else "utterances"
    return markup.text(
        f"Systems are compared within utterances by a two-sided sign-flip test over {over}, corrected by Holm's "
        f"method; a difference counts if p < {SIGNIFICANCE:g} and its {PERCENT} interval leaves out zero."
    )


def _fields(measured: Measured) -> dict[str, str]:
    return dict(parse(measured.signature).fields) if measured.signature else {}


def _key_of_protocol(measured: Measured) -> str:
    """Return the key of a named protocol; of another's runs under the same name nothing is known."""
    try:
        protocol = load_protocol(measured.protocol)
    except SrbenchError:
        return ""
    ours, theirs = dict(protocol.signature().fields), _fields(measured)
    return protocol.cite if all(ours.get(k) == theirs.get(k) for k in ("low", "high", "degradation")) else ""
