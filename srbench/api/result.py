"""`Result`: one upscaler's run over one protocol, as a value to look at, compare, draw and keep."""

from __future__ import annotations

import html
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srbench.api import plot
from srbench.api.comparison import Comparison, compare
from srbench.api.opened import HasRun, opened
from srbench.corpora import demo_corpus, open_corpus
from srbench.corpora.demo import NAME as DEMO
from srbench.errors import SrbenchError, unknown_name
from srbench.level import PERCENT
from srbench.metrics import get_metric
from srbench.protocols import load_protocol
from srbench.report.headings import heading, number
from srbench.results.aggregate import aggregate_row, aggregate_run, write_aggregates
from srbench.results.board import plain
from srbench.run import Entrant, Plan, Run, Signals, entrant_of, signals
from srbench.run.record import COLUMNS
from srbench.threads import single_threaded

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame


_NUMBERS = ("file_rate", "samples")  # columns of whole numbers; the others are texts
KINDS = ("distribution", "speakers", "spectrogram", "spectrum", "lsd")


@dataclass(frozen=True, eq=False)
class Result:
    """What came of one upscaler on one protocol.

    `srbench.evaluate` makes one, `srbench.load_results` reads one back.

    Attributes
    ----------
    run : srbench.run.Run
        The run itself: its folder, manifest and records.
    """

    run: Run
    _plan: Plan | None = field(default=None, repr=False)
    _entrant: Entrant | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The upscaler's name."""
        return self.run.manifest.upscaler.name

    @property
    def protocol(self) -> str:
        """The protocol's name."""
        return self.run.manifest.protocol

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics, in the protocol's order."""
        return tuple(self.run.manifest.metrics)

    @property
    def signatures(self) -> dict[str, str]:
        """The signature of the protocol (key ``"protocol"``) and of every metric by its name."""
        return {"protocol": self.run.manifest.protocol_signature, **self.run.manifest.metrics}

    @property
    def notes(self) -> tuple[str, ...]:
        """What has to stand beside the numbers: a part of the split, another corpus, training speakers."""
        return (*self.run.manifest.notes, *self.run.manifest.warnings)

    @property
    def failures(self) -> dict[str, str]:
        """Why utterances have no values, by their ids."""
        return {record.utterance: record.error for record in self.run.records if record.error}

    def to_dataframe(self) -> DataFrame:
        """Return one row per utterance, in the order of ``utterances.csv``.

        Returns
        -------
        pandas.DataFrame
            Columns ``utterance``, ``speaker``, ``file``, ``file_rate`` (Hz), ``samples`` (at the high rate),
            ``status`` (``ok`` or ``failed``), ``error``, ``undefined`` (why values are missing), then each metric in
            its unit, float64, NaN where it has no value. Last the timings ``seconds`` (of audio),
            ``upscale_seconds`` and ``metric_seconds``.

        Examples
        --------
        >>> import srbench
        >>> result = srbench.evaluate("hold", limit=2, metrics=["snr"])
        >>> result.to_dataframe()[["utterance", "speaker", "status"]]
           utterance speaker status
        0  demo1_001   demo1     ok
        1  demo1_002   demo1     ok
        """
        import pandas as pd

        columns: dict[str, Any] = {
            name: [told(record) for record in self.run.records] for name, told in COLUMNS.items()
        }
        for name in _NUMBERS:
            columns[name] = pd.array([getattr(record, name) for record in self.run.records], dtype="Int64")
        columns |= {name: self.run.columns[name] for name in self.metrics}
        for name in ("seconds", "upscale_seconds", "metric_seconds"):
            values = [getattr(record, name) for record in self.run.records]
            columns[name] = [math.nan if value is None else value for value in values]
        table: DataFrame = pd.DataFrame(columns)
        return table

    def summary(self) -> DataFrame:
        """Return one row per metric: the mean over utterances, its 95 % interval, and what they rest on.

        Returns
        -------
        pandas.DataFrame
            Index ``metric``; columns as in ``aggregates.csv`` (docs/results.md): ``mean``, ``ci95_low``,
            ``ci95_high``, ``resampled``, ``n``, ``undefined``, ``failed``, ``expected``, ``unit``, ``better``,
            ``signature``, ``aggregation``, ``protocol_signature``.

        Examples
        --------
        >>> import srbench
        >>> summary = srbench.evaluate("hold", limit=4, metrics=["snr", "lsd"]).summary()
        >>> summary[["n", "unit", "better"]]  # doctest: +NORMALIZE_WHITESPACE
                n unit  better
        metric
        snr     4   dB  higher
        lsd     4    1   lower
        """
        import pandas as pd

        rows = [aggregate_row(self.run, each) for each in aggregate_run(self.run).values()]
        table: DataFrame = pd.DataFrame(rows).set_index("metric")
        return table

    def compare(self, other: HasRun | str | Path, metrics: str | Sequence[str] | None = None) -> Comparison:
        """Compare with another result utterance by utterance, this one minus the other; see `srbench.compare`."""
        return compare(self, other, metrics=metrics)

    def signals(self, utterance: str | None = None, data: str | Path | None = None) -> Signals:
        """Return the signals behind one row: ``reference``, ``low`` and ``estimate``, made again.

        Parameters
        ----------
        utterance : str, optional
            Its id; the first without values missing by default.
        data : path, optional
            The corpus, of a result that was read from a folder. The demo corpus needs none.

        Returns
        -------
        Signals
            float64, shape (n,) at the protocol's high rate; ``low`` at its low rate, shape (n * low_rate / high_rate,).

        Raises
        ------
        SrbenchError
            If the utterance is not in the run, failed, or its recording is not there; or the upscaler is not to be
            had any more, as a function of an earlier session is not.
        """
        identity = utterance if utterance is not None else self._first()
        if identity not in self.run.by_id:
            raise unknown_name("utterance", identity, self.run.by_id)
        plan, entrant = self._plan, self._entrant
        if plan is not None:
            protocol, corpus = plan.protocol, plan.corpus
        else:
            protocol = load_protocol(self.protocol)
            if data is None and self.run.manifest.corpus.name != DEMO:
                raise SrbenchError(f"say where the corpus is ({self.run.manifest.corpus.name}): signals(data=…)")
            corpus = demo_corpus() if data is None else open_corpus(data, protocol.load_split().mic, protocol.corpus)
            entrant = None if (self.run.folder / "audio").is_dir() else entrant_of(self.run, protocol)
        with single_threaded():  # as in a run, so that it is the same estimate to the last digit
            return signals(self.run, protocol, corpus, identity, entrant)

    def plot(
        self,
        kind: str = "distribution",
        *,
        metrics: str | Sequence[str] | None = None,
        utterance: str | None = None,
        data: str | Path | None = None,
        ax: Axes | None = None,
    ) -> Figure:
        """Draw the result.

        Parameters
        ----------
        kind : str
            ``"distribution"`` or ``"speakers"`` of metrics over utterances; or of one utterance the
            ``"spectrogram"``, the long-term ``"spectrum"``, or ``"lsd"`` over frequency.
        metrics : str or sequence of str, optional
            For the first two; SNR and LSD by default.
        utterance, data : optional
            For the other three; see `signals`.
        ax : matplotlib Axes, optional
            Where to draw, one metric or one signal; a new figure by default.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        SrbenchError
            If there is nothing to draw, or matplotlib is not installed.
        """
        if kind in ("distribution", "speakers"):
            by = "speaker" if kind == "speakers" else "upscaler"
            return plot.distribution(self, metrics=metrics, by=by, ax=ax)
        if kind not in KINDS:
            raise unknown_name("kind of figure", kind, KINDS)
        made = self.signals(utterance, data)
        high, cutoff = self._rates()
        estimates = {self.name: made.estimate}
        if kind == "spectrogram":
            shown_here = estimates if ax is not None else {**estimates, "reference": made.reference}
            return plot.spectrogram(shown_here, high, cutoff=cutoff, reference=made.reference, ax=ax)
        if kind == "spectrum":
            return plot.spectrum({**estimates, "reference": made.reference}, high, cutoff=cutoff, ax=ax)
        return plot.lsd(made.reference, estimates, high, cutoff=cutoff, ax=ax)

    def save(self, results: str | Path) -> Path:
        """Keep the run on disk, as ``srbench run --results`` would have.

        Parameters
        ----------
        results : path
            The folder of runs; the run's own folder is made below it, ``PROTOCOL/NAME-IDENTITY``.

        Returns
        -------
        Path
            The run's folder, which `srbench.load_results`, ``srbench compare`` and ``srbench publish`` take. Nobody
            can run a function of a session again, so a leaderboard shows its row as not checked.

        Raises
        ------
        SrbenchError
            If it cannot be written, or another run stands there.
        """
        target = Path(results) / self.protocol / self.run.folder.name
        try:
            if target.exists() and target.samefile(self.run.folder):
                return target
            if target.exists():
                raise SrbenchError(f"{target}: already exists; save into another folder, or remove it")
            write_aggregates(self.run, aggregate_run(self.run))
            shutil.copytree(self.run.folder, target, ignore=shutil.ignore_patterns("*.lock"))
        except OSError as error:
            raise SrbenchError(f"{target}: cannot be written: {error.strerror or error}") from error
        return target

    def _first(self) -> str:
        good = (record.utterance for record in self.run.records if not record.error)
        return next(good, self.run.records[0].utterance)

    def _rates(self) -> tuple[int, float]:
        protocol = self._plan.protocol if self._plan else load_protocol(self.protocol)
        return protocol.high_rate, protocol.cutoff

    def __repr__(self) -> str:
        n = len(self.run.records) - len(self.failures)
        told = ", ".join(f"{name} {text}" for name, text in self._means().items())
        return f"<Result: {self.name} on {self.protocol}, {n} utterances; {told}>"

    def _means(self) -> dict[str, str]:
        return {name: number(plain(a.mean), get_metric(name).digits) for name, a in aggregate_run(self.run).items()}

    def _repr_html_(self) -> str:
        """Return the summary as a table for notebooks; every text from outside is escaped."""
        n, failed = len(self.run.records), len(self.failures)
        rows = []
        for name, a in aggregate_run(self.run).items():
            digits = get_metric(name).digits
            low, high = (number(plain(bound), digits) for bound in a.interval)
            cells = (heading(name), number(plain(a.mean), digits), f"[{low}, {high}]", str(a.n))
            rows.append("".join(f"<td>{html.escape(cell)}</td>" for cell in cells))
        counted = f"{n - failed} of {self.run.manifest.split.expected} utterances"
        caption = "<br>".join(map(html.escape, (f"{self.name} on {self.protocol}, {counted}", *self.notes)))
        head = f"<tr><th>metric</th><th>mean</th><th>{PERCENT}</th><th>n</th></tr>"
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return f"<table><caption>{caption}</caption><thead>{head}</thead><tbody>{body}</tbody></table>"


def load_results(folder: str | Path) -> Result:
    """Read a finished run back from its folder.

    Parameters
    ----------
    folder : path
        A run's folder, or one with exactly one run below it.

    Returns
    -------
    Result

    Raises
    ------
    SrbenchError
        If there is no finished run, several, or one that was edited.

    Examples
    --------
    >>> import tempfile, srbench
    >>> with tempfile.TemporaryDirectory() as results:
    ...     saved = srbench.evaluate("hold", limit=2, metrics=["snr"]).save(results)
    ...     again = srbench.load_results(saved)
    >>> again.name, again.metrics
    ('hold', ('snr',))
    """
    return Result(opened(folder))
