"""Building the site: which pages there are, and what each is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srbench import __version__
from srbench.corpora import Corpus
from srbench.errors import SrbenchError
from srbench.folders.references import is_scored
from srbench.level import PERCENT
from srbench.protocols import load_protocol
from srbench.report.notes import ABOVE_CEILING, BELOW_FLOOR, footnotes, mark, one_speaker
from srbench.report.site.details import extremes, find_runs_of, provenance, speakers
from srbench.report.site.listening import Heard, write_clips
from srbench.report.site.names import file_names
from srbench.report.site.output import Output
from srbench.report.site.published import published_rows
from srbench.report.site.tables import columns, interval, lines, text
from srbench.results.board import Board, Row
from srbench.results.board_file import write_board
from srbench.run import FLOOR, Run
from srbench.run.basis import Basis, of_protocol
from srbench.run.engine import Progress

if TYPE_CHECKING:
    from srbench.results.literature import Published


def build_site(
    folder: Path,
    boards: Sequence[Board],
    runs: Mapping[str, Sequence[Run]],
    *,
    corpora: Mapping[str, Corpus],
    published: Sequence[Published] = (),
    plugins: Sequence[Path] = (),
    utterances: int = 6,
    only: Sequence[str] = (),
    protocols: Mapping[str, Basis] | None = None,
    progress: Progress | None = None,
) -> list[str]:
    """Write the site; the same input gives the same files.

    Parameters
    ----------
    folder : Path
        Made where it is absent. Files of an earlier site there are replaced, those that have no place any more removed.
    boards : sequence of Board
    runs : mapping of protocol name to runs
        What the pages of upscalers and the listening pages are made from, where it is here.
    corpora : mapping of protocol name to Corpus
        Where the recordings are; without one a protocol has no listening page.
    published : sequence of Published
    plugins : sequence of Path
        Plug-in files of upscalers that have to be run again to be heard.
    utterances : int
        How many to listen to, of each protocol.
    only : sequence of str
        The ids of those to listen to, in place of a number.
    protocols : mapping of name to Basis, optional
        Those that do not come with srbench.
    progress : callable (name, done, total), optional

    Returns
    -------
    list of str
        What a person should know: which pages are absent, and why.

    Raises
    ------
    SrbenchError
        If two leaderboards are of one protocol, one is empty, or the folder cannot be written.
    """
    names = [board.protocol for board in boards]
    for board in boards:
        if names.count(board.protocol) > 1:
            raise SrbenchError(f"{board.protocol}: there are two leaderboards of this protocol")
        if not board.rows:
            raise SrbenchError(f"{board.protocol}: its leaderboard is empty")
    site = _Site(Output(folder), boards, bool(published))
    notes: list[str] = []
    audible: set[str] = set()
    try:
        for board in boards:
            protocol, said = _protocol(board, protocols or {})
            behind, more = find_runs_of(board, runs.get(board.protocol, ()))
            notes += [*said, *more]
            heard = None
            if protocol and board.protocol in corpora and behind:
                heard = write_clips(
                    site.output,
                    site.folders[board.protocol],
                    protocol,
                    list(behind.values()),
                    corpora[board.protocol],
                    plugins=plugins,
                    count=utterances,
                    only=only,
                    progress=progress,
                )
                notes += heard.notes
            why = _no_listening(protocol, board.protocol in corpora, behind, heard)
            notes += [f"{board.protocol}: {why}"] if why else []
            audible |= {clip["id"] for clip in heard.clips} if heard else set()
            site.protocol_pages(board, protocol, behind, heard, why)
        site.front_pages(published)
        site.output.finish()
    except OSError as error:
        why = f"{error.filename or folder}: {error.strerror or error}"
        raise SrbenchError(f"cannot write the site to {folder}: {why}") from error
    return notes + [f"{each}: no run here scored it: not to be heard" for each in only if each not in audible]


class _Site:
    """The pages, rendered: each method writes those of one kind."""

    def __init__(self, output: Output, boards: Sequence[Board], published: bool) -> None:
        self.output = output
        self.boards = boards
        self.folders = file_names(board.protocol for board in boards)
        self.published = published
        self.summaries: list[dict[str, Any]] = []
        self._environment = _environment()

    def protocol_pages(
        self, board: Board, protocol: Basis | None, behind: Mapping[str, Run], heard: Heard | None, why: str
    ) -> None:
        """Write the leaderboard of one protocol, its table as CSV, its upscalers' pages and its listening pages."""
        folder = self.folders[board.protocol]
        files = file_names(row.name for row in board.rows)
        csv_name = f"{folder}.csv"
        write_board(board, self.output.place(f"{folder}/{csv_name}"))
        listening = heard is not None and bool(heard.clips)
        known = {
            "board": board,
            "protocol": protocol,
            "title": protocol.title if protocol else "",
            "source": protocol.source if protocol else "",
            "columns": columns(board),
            "lines": lines(board),
            "files": {name: f"{file}.html" for name, file in files.items()},
            "csv": csv_name,
            "listening": listening,
            "why": why,
            "notes": _notes_of(board, behind),
            "folder": folder,
        }
        self.summaries.append(known)
        self._page(f"{folder}/index.html", "leaderboard.html", active="leaderboard", **known)
        clips = {clip["id"] for clip in heard.clips} if heard else set()
        for row in board.rows:
            self._upscaler(row, board, behind.get(row.name), clips, known)
        if listening:
            self._page(f"{folder}/listen.html", "listen.html", active="listen", heard=heard, **known)
            self._page(f"{folder}/abx.html", "abx.html", active="abx", heard=heard, **known)

    def front_pages(self, published: Sequence[Published]) -> None:
        """Write the first page, the page of published numbers, and what all pages share."""
        self._page("index.html", "index.html", active="index", summaries=self.summaries)
        if published:
            self._page("published.html", "published.html", active="published", rows=published_rows(published))
        for file in sorted(_inside("static").iterdir()):
            if file.suffix in (".css", ".js"):
                self.output.text(f"static/{file.name}", file.read_text(encoding="utf-8"))

    def _upscaler(self, row: Row, board: Board, run: Run | None, clips: set[str], known: Mapping[str, Any]) -> None:
        values = [
            {
                "column": column,
                "mean": text(column.metric, row.values[column.metric].mean),
                "interval": interval(column.metric, row.values[column.metric]),
                "n": row.values[column.metric].n,
                "mark": mark(row.values[column.metric].paired),
            }
            for column in known["columns"]
        ]
        self._page(
            f"{known['folder']}/{known['files'][row.name]}",
            "upscaler.html",
            active="upscaler",
            row=row,
            values=values,
            speakers=speakers(run, board.metrics) if run else [],
            extremes=extremes(run, board.metrics) if run else [],
            provenance=provenance(row, run),
            description=str(run.manifest.upscaler.told.get("description", "")) if run else "",
            failures=[record for record in run.records if record.error] if run else [],
            here=run is not None,
            clips=clips,
            **known,
        )

    def _page(self, name: str, template: str, **known: Any) -> None:
        told = {
            "root": "../" * name.count("/"),
            "version": __version__,
            "boards": [(board.protocol, self.folders[board.protocol]) for board in self.boards],
            "published": self.published,
            "floor": FLOOR,
            "below_floor": BELOW_FLOOR,
            "above_ceiling": ABOVE_CEILING,
            "level": PERCENT,
        }
        self.output.text(name, self._environment.get_template(template).render(**told, **known))


def _protocol(board: Board, given: Mapping[str, Basis]) -> tuple[Basis | None, list[str]]:
    try:
        return given.get(board.protocol) or of_protocol(load_protocol(board.protocol)), []
    except SrbenchError:
        if is_scored(board.signature):  # of references, which are no protocol
            return None, []
        return None, [f"{board.protocol}: is not a protocol that comes with srbench"]


def _no_listening(protocol: Basis | None, corpus: bool, behind: Mapping[str, Run], heard: Heard | None) -> str:
    """Say why a protocol has no listening page, "" where it has one."""
    if heard is not None and heard.clips:
        return ""
    if not behind:
        return "no listening page: none of its runs is here"
    if not corpus:
        return "no listening page: its recordings are not here"
    if protocol is None:
        return "no listening page: its definition is not here"
    return "no listening page: no utterance that was asked for can be heard"


def _notes_of(board: Board, behind: Mapping[str, Run]) -> list[str]:
    """Return what is to be said with every number of a leaderboard."""
    notes = dict.fromkeys(note for run in behind.values() for note in run.manifest.notes)
    return [*footnotes(board), *one_speaker(board), *notes]


def _inside(folder: str) -> Path:
    return Path(str(resources.files("srbench.report.site"))) / folder


def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(_inside("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
