"""Publishing: runs are checked, become rows, and are merged into ``leaderboard/<protocol>.csv``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from srbench.corpora import Corpus
from srbench.errors import SrbenchError
from srbench.files import alone_in
from srbench.results.board import Board, Row
from srbench.results.board_file import PUBLISHED, read_board, read_boards, write_board
from srbench.results.intake import Aside, Candidate, corpora_of, corpus_of, take_in
from srbench.results.merge import Sound, add, tell
from srbench.results.recheck import recheck
from srbench.results.rows import make_row
from srbench.results.validate import check_run
from srbench.run import FLOOR, Run
from srbench.run.basis import Basis, Terms
from srbench.run.engine import Progress


@dataclass(frozen=True)
class Entry:
    """A run that stands in a leaderboard now.

    ``change`` is ``new``, ``replaced``, ``the same`` (nothing was written) or ``kept`` (the row is another run's, with
    the same numbers). ``rechecked`` rows were computed again, and ``how``; ``note`` says why not more.
    """

    protocol: str
    upscaler: str
    run: Path
    change: str
    rechecked: int
    how: str
    note: str


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes
    ----------
    published : tuple of Entry
    aside : tuple of Aside
    notes : tuple of str
    boards : mapping of protocol name to Board
        The leaderboards that were written, or found to be so already.
    runs : mapping of protocol name to runs
        Those of `published`.
    protocols : mapping of protocol name to Basis
    corpora : mapping of protocol name to Corpus
        As far as they are here.
    written : tuple of Path
        CSV files that changed.
    """

    published: tuple[Entry, ...]
    aside: tuple[Aside, ...]
    notes: tuple[str, ...]
    boards: Mapping[str, Board]
    runs: Mapping[str, tuple[Run, ...]]
    protocols: Mapping[str, Basis]
    corpora: Mapping[str, Corpus]
    written: tuple[Path, ...]


@dataclass(frozen=True)
class _Refused:
    """A run that is not taken; ``row`` is the one it would make, where rows computed again differ from it."""

    aside: Aside
    row: Row | None = None


def publish(
    places: Sequence[str | Path],
    leaderboard: str | Path,
    *,
    protocols: Mapping[str, Basis],
    data: Sequence[str | Path] = (),
    plugins: Sequence[str | Path] = (),
    rows: int | None = 3,
    allow_partial: bool = False,
    replace: Collection[str] = (),
    progress: Progress | None = None,
) -> Outcome:
    """Check the runs in some folders and merge them into the leaderboards of their protocols.

    Parameters
    ----------
    places : sequence of path
        Run folders, or folders with runs below them. A run that does not belong into a leaderboard is a fault where it
        was named itself, and is passed over where it was found.
    leaderboard : path
        The folder of the leaderboards.
    protocols : mapping of name to Basis
        From `known_protocols`.
    data : sequence of path
        Corpora, to compute rows again.
    plugins : sequence of path
        Plug-in files of upscalers, to the same end.
    rows : int or None
        How many rows of a run are computed again, None for all.
    allow_partial : bool
        Take runs that lack utterances; their n says so.
    replace : collection of str
        Upscalers whose rows may change.
    progress : callable (what, done, total), optional

    Raises
    ------
    SrbenchError
        If a place holds no run.
    OSError
        If a leaderboard cannot be written.
    """
    leaderboard, folders, files = Path(leaderboard), [*map(Path, data)], [*map(Path, plugins)]
    found, aside, notes = take_in([*map(Path, places)], protocols, allow_partial, _standing(leaderboard))
    terms = {candidate.basis.name: candidate.basis for candidate in found}
    there = corpora_of(terms.values(), folders)
    of_runs = [corpus_of(candidate.run, there[candidate.basis.name]) for candidate in found]
    used = {corpus.root for corpus in of_runs if corpus}
    notes += [f"{folder}: no run that is to be published is on this corpus" for folder in folders if folder not in used]
    checked: dict[str, list[Sound]] = {}
    corpora: dict[str, Corpus] = {}
    refuted: dict[str, list[Row]] = {}
    for number, (candidate, corpus) in enumerate(zip(found, of_runs, strict=True)):
        if progress:
            progress("check", number, len(found))
        done = _check(candidate, corpus, rows, files)
        if isinstance(done, _Refused):
            aside.append(done.aside)
            if done.row is not None:
                refuted.setdefault(candidate.basis.name, []).append(done.row)
        else:
            if corpus:
                corpora.setdefault(candidate.basis.name, corpus)
            checked.setdefault(candidate.basis.name, []).append(done)
    published: list[Entry] = []
    boards: dict[str, Board] = {}
    written: list[Path] = []
    for name, sound in checked.items():
        path = leaderboard / f"{name}.csv"
        try:
            if path.name.casefold() in (PUBLISHED, "readme.csv"):
                raise SrbenchError(f"{path.name} is another file's name in this folder: give the protocol another name")
            board, changes = _update(path, partial(add, sound=sound, replace=replace, path=path), written)
        except SrbenchError as error:
            aside.append(Aside(path, tuple(str(error).splitlines()), fault=True))
            continue
        if board.row(FLOOR) is None and terms[name].has_floor:
            notes.append(f"{name}: has no row of the {FLOOR}, the floor of every leaderboard; run and publish it too")
        boards[name] = board
        published += [
            Entry(name, each.row.name, each.run.folder, change, each.again.rows, each.again.how, each.again.note)
            for each, change in zip(sound, changes, strict=True)
        ]
    for name, rows_found in refuted.items():
        path = leaderboard / f"{name}.csv"
        if path.exists():
            with suppress(SrbenchError):  # that it cannot be read was said, where it was to be written
                boards[name], _ = _update(path, partial(tell, found=rows_found, path=path), written)
    strangers = sorted(set(replace) - {each.row.name for sound in checked.values() for each in sound})
    if strangers:
        why = f"--replace {strangers[0]}: no sound run here is of this upscaler"
        aside.append(Aside(leaderboard, (why,), fault=True))
    # of a leaderboard that was refused too: its rows are still there, and the site shows the runs that are theirs
    runs = {name: tuple(each.run for each in sound) for name, sound in checked.items()}
    return Outcome(tuple(published), tuple(aside), tuple(notes), boards, runs, terms, corpora, tuple(written))


def _standing(folder: Path) -> dict[str, Terms]:
    """Return the terms of the leaderboards that are there already, by name."""
    first = {board.protocol: board.rows[0] for board in read_boards(folder)[0] if board.rows}
    return {name: Terms(row.protocol_signature, frozenset(row.values)) for name, row in first.items()}


def _check(candidate: Candidate, corpus: Corpus | None, rows: int | None, plugins: Sequence[Path]) -> Sound | _Refused:
    run, basis = candidate.run, candidate.basis
    checked = check_run(run, basis, corpus)
    findings = list(checked.findings)
    again = None
    if checked.aggregates and (not findings or checked.suspects):
        again = recheck(run, basis, corpus, rows=rows, plugins=plugins, suspects=checked.suspects)
        findings = [*again.findings, *findings]
    if findings or again is None:
        differ = again is not None and bool(again.findings)
        row = make_row(run, checked.aggregates, basis.metrics, again.cell) if again and differ else None
        return _Refused(Aside(run.folder, tuple(map(str, findings)), fault=True), row)
    return Sound(run, make_row(run, checked.aggregates, basis.metrics, again.cell), again)


def _update(
    path: Path, change: Callable[[Board], tuple[Board, list[str]]], written: list[Path]
) -> tuple[Board, list[str]]:
    """Read a leaderboard, change it and write it, alone there; it is added to what was written where it is another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with alone_in(path.parent, wait=True, instead="--leaderboard"):
        before = read_board(path) if path.exists() else Board(path.stem, ())
        board, changes = change(before)
        if board != before:
            write_board(board, path)
            written.append(path)
            board = read_board(path)  # with the digits that the file has
    return board, changes
