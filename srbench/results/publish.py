"""Publishing: runs are checked, become rows, and are merged into ``leaderboard/<protocol>.csv``."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from srbench.corpora import Corpus
from srbench.errors import SrbenchError
from srbench.files import alone_in
from srbench.results.aggregate import Aggregate, aggregate_run, real_time_factor
from srbench.results.board import Board, Row, Value, make_board, read_board, recordings_fact, write_board
from srbench.results.intake import Aside, Candidate, corpora_of, corpus_of, take_in
from srbench.results.recheck import DIFFER, SAME, Recheck, agree, recheck
from srbench.results.standing import CEILING, UNKNOWN, Standing, contestant, standings
from srbench.results.validate import check_run
from srbench.run import FLOOR, Run, open_run
from srbench.run.basis import RUN, Basis, Terms
from srbench.run.manifest import MANIFEST
from srbench.run.recordings import recordings, refuse_other_recordings
from srbench.signature import differing_fields

PUBLISHED = "published.csv"  # what others published; it stands among the leaderboards and is none of them
Progress = Callable[[str, int, int], None]


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
class _Sound:
    """A run with nothing wrong in it, and what it makes."""

    run: Run
    row: Row
    again: Recheck


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
    checked: dict[str, list[_Sound]] = {}
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
            board, changes = _update(path, partial(_add, sound=sound, replace=replace, path=path), written)
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
                boards[name], _ = _update(path, partial(_tell, found=rows_found, path=path), written)
    strangers = sorted(set(replace) - {each.row.name for sound in checked.values() for each in sound})
    if strangers:
        why = f"--replace {strangers[0]}: no sound run here is of this upscaler"
        aside.append(Aside(leaderboard, (why,), fault=True))
    # of a leaderboard that was refused too: its rows are still there, and the site shows the runs that are theirs
    runs = {name: tuple(each.run for each in sound) for name, sound in checked.items()}
    return Outcome(tuple(published), tuple(aside), tuple(notes), boards, runs, terms, corpora, tuple(written))


def read_boards(folder: str | Path) -> tuple[list[Board], list[Aside]]:
    """Return all leaderboards of a folder by name, and those that cannot be read."""
    boards, faults = [], []
    for path in sorted(Path(folder).glob("*.csv")):
        if path.name != PUBLISHED:
            try:
                boards.append(read_board(path))
            except SrbenchError as error:
                faults.append(Aside(path, tuple(str(error).splitlines()), fault=True))
    return boards, faults


def _standing(folder: Path) -> dict[str, Terms]:
    """Return the terms of the leaderboards that are there already, by name."""
    first = {board.protocol: board.rows[0] for board in read_boards(folder)[0] if board.rows}
    return {name: Terms(row.facts["protocol_signature"], frozenset(row.values)) for name, row in first.items()}


def make_row(run: Run, aggregates: Mapping[str, Aggregate], protocol: Basis, rechecked: str = "0") -> Row:
    """Return the row of a checked run, with what computing rows again came to; metrics in the protocol's order."""
    manifest, upscaler = run.manifest, run.manifest.upscaler
    told = upscaler.told
    failed = sum(1 for record in run.records if record.error)
    factor = real_time_factor(run)
    machine = manifest.machine
    facts = {
        "upscaler": upscaler.name,
        "kind": "anchor" if upscaler.anchor else "model",
        **{key: told.get(key, "") for key in ("distribution", "version", "num_parameters")},
        **{key: told.get(key, "") for key in ("weights", "weights_sha256", "source_sha256")},
        "trained_on": _trained_on(told),
        "n": len(run.records) - failed,
        "failed": failed,
        "expected": manifest.split.expected,
        "resampled": _resampled(aggregates.values()),
        "real_time_factor": "" if factor is None else f"{factor:.3g}",
        "protocol_signature": manifest.protocol_signature,
        "recordings": recordings_fact(recordings(run.records)),
        "run": run.folder.resolve().name,
        "seed": manifest.seed,
        "date": manifest.started,
        "versions": " ".join(f"{package}={version}" for package, version in manifest.versions.items()),
        "machine": ", ".join(str(machine[key]) for key in ("system", "processor") if key in machine),
        "rechecked": rechecked,
        "warnings": "; ".join(manifest.warnings),
    }
    values = {
        name: Value(a.mean, *a.ci95, a.n, a.signature, a.over) for name in protocol.metrics for a in [aggregates[name]]
    }
    return Row({key: _text(value) for key, value in facts.items()}, values)


def _check(candidate: Candidate, corpus: Corpus | None, rows: int | None, plugins: Sequence[Path]) -> _Sound | _Refused:
    run, basis = candidate.run, candidate.basis
    checked = check_run(run, basis, corpus)
    findings = list(checked.findings)
    again = None
    if checked.aggregates and (not findings or checked.suspects):
        again = recheck(run, basis, corpus, rows=rows, plugins=plugins, suspects=checked.suspects)
        findings = [*again.findings, *findings]
    if findings or again is None:
        differ = again is not None and bool(again.findings)
        row = make_row(run, checked.aggregates, basis, again.cell) if again and differ else None
        return _Refused(Aside(run.folder, tuple(map(str, findings)), fault=True), row)
    return _Sound(run, make_row(run, checked.aggregates, basis, again.cell), again)


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
    return board, changes


def _add(before: Board, sound: Sequence[_Sound], replace: Collection[str], path: Path) -> tuple[Board, list[str]]:
    _refuse_other_definitions(before, sound[0].row, path)
    refuse_other_recordings([(each.row.name, each.run.records) for each in sound])
    board, changes = _merge(before, sound, replace)
    changed = {each.row.name for each, how in zip(sound, changes, strict=True) if how in ("new", "replaced")}
    return _compared(board, _runs_of(board, sound), changed), changes


def _tell(before: Board, found: Sequence[Row], path: Path) -> tuple[Board, list[str]]:
    """Have the rows that stand there already tell what was found, where they are the numbers in which it was found."""
    rows = {row.name: row for row in before.rows}
    for new in found:
        old = rows.get(new.name)
        if old is not None:
            _refuse_other_definitions(before, new, path)
            if not _conflict(old, new) and DIFFER not in old.facts["rechecked"]:
                rows[new.name] = Row({**old.facts, "rechecked": new.facts["rechecked"]}, old.values)
    return make_board(before.protocol, list(rows.values())), []


def _refuse_other_definitions(before: Board, row: Row, path: Path) -> None:
    """Raise SrbenchError where a leaderboard's rows are numbers of another definition than a new row's."""
    if not before.rows:
        return
    first = before.rows[0]
    told = {"protocol": first.facts["protocol_signature"]} | {k: v.signature for k, v in first.values.items()}
    ours = {"protocol": row.facts["protocol_signature"]} | {k: v.signature for k, v in row.values.items()}
    differ = []
    for name in dict.fromkeys([*told, *ours]):
        if name not in told or name not in ours:
            differ.append(f"{name} is only in {'the runs' if name in ours else 'the file'}")
        elif told[name] != ours[name]:
            differ.append(f"{name}: {'; '.join(differing_fields(told[name], ours[name]))}")
    if differ:
        raise SrbenchError(
            f"its rows are numbers of another definition: {', '.join(differ)}.\n"
            f"Publish into another --leaderboard, or remove {path.name} and publish all runs again."
        )


def _merge(before: Board, sound: Sequence[_Sound], replace: Collection[str]) -> tuple[Board, list[str]]:
    """Return the leaderboard with the runs' rows, and for each run what changed.

    Raises
    ------
    SrbenchError
        A line for each upscaler that has other numbers in the leaderboard, and is not to be replaced.
    """
    rows = {row.name: row for row in before.rows}
    changes, conflicts = [], []
    for each in sound:
        name, new = each.row.name, each.row
        old = rows.get(name)
        conflict = _conflict(old, new) if old else ""
        if old is None or (name in replace and old.cells() != new.cells()):
            rows[name] = new
            changes.append("replaced" if old else "new")
        elif conflict:
            conflicts.append(f"{name}: {conflict} ({each.run.folder}). If that is right: --replace {name}")
        elif _weight(old) < _weight(new):
            rows[name] = Row({**old.facts, "rechecked": new.facts["rechecked"]}, old.values)
            changes.append("rechecked")
        else:
            changes.append("the same" if old.facts["run"] == new.facts["run"] else "kept")
    if conflicts:
        raise SrbenchError("\n".join(conflicts))
    return make_board(before.protocol, list(rows.values())), changes


def _runs_of(board: Board, sound: Sequence[_Sound]) -> dict[str, Run]:
    """Return the run behind each row, by name: published now, or beside those runs with the row's very numbers."""
    found = {each.row.name: each.run for each in sound}
    folders = dict.fromkeys(each.run.folder.resolve().parent for each in sound)
    for row in board.rows:
        for place in folders if Path(row.facts["run"]).name == row.facts["run"] else ():
            if row.name in found or not (place / row.facts["run"] / MANIFEST).is_file():
                continue
            try:
                run = open_run(place / row.facts["run"])
                refuse_other_recordings([("", sound[0].run.records), (row.name, run.records)])
                same = run.manifest.metrics == {name: value.signature for name, value in row.values.items()}
                if same and not _differing_means(row, aggregate_run(run)):
                    found[row.name] = run
            except SrbenchError:  # it is not asked for: its row keeps what is known of it
                continue
    return found


def _differing_means(row: Row, aggregates: Mapping[str, Aggregate]) -> str:
    """Return the first metric of a row that a run's aggregates do not give, "" where there is none."""
    for name, told in row.values.items():
        here = aggregates[name]
        if told.n != here.n or not agree(name, told.mean, here.mean, SAME):
            return name
    return ""


def _compared(board: Board, here: Mapping[str, Run], changed: Collection[str]) -> Board:
    """Return a leaderboard whose rows tell how they stand by the paired comparisons of the runs that are here.

    What rests on a run that is not here is kept as it was told, and forgotten where a row that it rests on changed.
    """
    there = [row.name for row in board.rows if row.name in here]
    contestants = {name: contestant(here[name]) for name in there}
    told = dict(zip(there, standings(list(contestants.values()), board.metrics), strict=True))
    models = {row.name for row in board.rows if row.facts["kind"] == "model"}

    def choose(new: str, old: str, on: Collection[str]) -> str:
        if all(name in here for name in on):
            return new
        return "" if any(name in changed for name in on) else old

    rows = []
    for row in board.rows:
        values = {}
        for metric, value in row.values.items():
            new, old = told.get(row.name, {}).get(metric, UNKNOWN), value.paired
            standing = Standing(
                choose(new.floor, old.floor, {row.name, FLOOR}),
                choose(new.ceiling, old.ceiling, {row.name, CEILING}),
                choose(new.best, old.best, models),
            )
            over = contestants[row.name].over(metric) if row.name in here else value.over
            values[metric] = dataclasses.replace(value, over=over, paired=standing)
        facts = dict(row.facts)
        if row.name in here:  # a row of version 0.1.0 does not say it
            facts["recordings"] = recordings_fact(recordings(here[row.name].records))
        rows.append(Row(facts, values))
    return make_board(board.protocol, rows)


def _weight(row: Row) -> int:
    """Return how much a row's recheck says: what differed stays, and no earlier version told how it was computed."""
    told = row.facts["rechecked"]
    return 3 if DIFFER in told else 2 if RUN in told else int(told != "0")


def _conflict(old: Row, new: Row) -> str:
    """Say in what the numbers of two rows of one upscaler differ, "" where they are the same but for last digits."""
    for fact in ("kind", "n", "failed"):
        if old.facts[fact] != new.facts[fact]:
            return f"{fact} is {old.facts[fact]} in the leaderboard, and {new.facts[fact]} in this run"
    for name, there in old.values.items():
        here = new.values[name]
        if there.n != here.n:
            return f"{name} is of {there.n} utterances in the leaderboard, and of {here.n} in this run"
        for what, a, b in (
            (name, there.mean, here.mean),
            (f"the interval of {name}", there.low, here.low),
            (f"the interval of {name}", there.high, here.high),
        ):
            if not agree(name, a, b, SAME):
                return f"{what} is {a!r} in the leaderboard, and {b!r} in this run"
    return ""


def _resampled(aggregates: Iterable[Aggregate]) -> str:
    """Say what the intervals resample, and the least number of it: ``8 speakers``."""
    least: dict[str, int] = {}
    for a in aggregates:
        if a.clusters:
            least[a.resampled] = min(a.clusters, least.get(a.resampled, a.clusters))
    return ", ".join(f"{number} {kind}" for kind, number in sorted(least.items()))


def _trained_on(told: Mapping[str, Any]) -> str:
    corpora, hours, speakers = (told.get(f"training_{key}") for key in ("corpora", "hours", "speakers"))
    parts = [", ".join(map(str, corpora)) if isinstance(corpora, list) else str(corpora or "")]
    if isinstance(hours, (int, float)):
        parts.append(f"{hours:.3g} h")
    if isinstance(speakers, list) and speakers:
        parts.append(f"{len(speakers)} speaker{'s' if len(speakers) > 1 else ''}")
    return "; ".join(filter(None, parts))


def _text(value: Any) -> str:
    """Return a value as one line of text that any file can hold."""
    text = "" if value is None else " ".join(str(value).split())
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
