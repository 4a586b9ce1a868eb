"""Rows of checked runs put into a leaderboard: what is new, replaced or kept, and how the means stand then."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from srbench.errors import SrbenchError, shown
from srbench.results.aggregate import Aggregate, aggregate_run
from srbench.results.board import Board, Row, make_board
from srbench.results.board_file import cells
from srbench.results.recheck import DIFFER, SAME, Recheck, agree
from srbench.results.rows import recordings_fact
from srbench.results.standing import CEILING, UNKNOWN, Standing, contestant, standings
from srbench.run import FLOOR, Run, open_run
from srbench.run.basis import RUN
from srbench.run.manifest import MANIFEST
from srbench.run.recordings import recordings, refuse_other_recordings
from srbench.signature import differing_fields


@dataclass(frozen=True)
class Sound:
    """A run with nothing wrong in it, and what it makes."""

    run: Run
    row: Row
    again: Recheck


def add(before: Board, sound: Sequence[Sound], replace: Collection[str], path: Path) -> tuple[Board, list[str]]:
    """Return a leaderboard with the rows of some runs, compared, and for each run what changed.

    Raises
    ------
    SrbenchError
        If the runs are of another definition or other recordings, or a row would change that is not to be replaced.
    """
    _refuse_other_definitions(before, sound[0].row, path)
    refuse_other_recordings([(each.row.name, each.run.records) for each in sound])
    standing = _standing_runs(before, sound)
    _refuse_unknown_recordings(before, sound, standing)
    board, changes = _merge(before, sound, replace)
    changed = {each.row.name for each, how in zip(sound, changes, strict=True) if how in ("new", "replaced")}
    return _compared(board, _on_our_recordings(sound, standing), changed), changes


def tell(before: Board, found: Sequence[Row], path: Path) -> tuple[Board, list[str]]:
    """Have the rows that stand there already tell what was found, where they are the numbers in which it was found."""
    rows = {row.name: row for row in before.rows}
    for new in found:
        old = rows.get(new.name)
        if old is not None:
            _refuse_other_definitions(before, new, path)
            if not _conflict(old, new) and DIFFER not in old.rechecked:
                rows[new.name] = dataclasses.replace(old, rechecked=new.rechecked)
    return make_board(before.protocol, list(rows.values())), []


def _refuse_other_definitions(before: Board, row: Row, path: Path) -> None:
    """Raise SrbenchError where a leaderboard's rows are numbers of another definition than a new row's."""
    if not before.rows:
        return
    told, ours = before.signatures, Board(before.protocol, (row,)).signatures
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


def _refuse_unknown_recordings(before: Board, sound: Sequence[Sound], standing: Mapping[str, Run]) -> None:
    """Raise SrbenchError where runs over other utterances than the rows are not shown to be of the same recordings.

    Rows tell the digest of their set of recordings: of the same ids that decides, of other ids the runs must be here.
    """
    told = {_ids(row): row.name for row in before.rows if _ids(row)}
    new = [each for each in sound if told and _ids(each.row) and _ids(each.row) not in told]
    if not new:
        return
    here = {**standing, **{each.row.name: each.run for each in sound}}
    behind = [(row.name, here[row.name].records) for row in before.rows if row.name in here]
    refuse_other_recordings([*behind, *((each.row.name, each.run.records) for each in new)])
    seen = {_ids(row) for row in before.rows if row.name in here}
    for ids, name in told.items():
        if ids not in seen:
            stands = shown(name)
            raise SrbenchError(
                f"{shown(new[0].row.name)} is over other utterances than {stands}, whose run is not here: nobody can "
                f"tell whether both are of one corpus.\nPublish the run of {stands} in the same command, or use "
                "another --leaderboard."
            )


def _ids(row: Row) -> str:
    return row.recordings.rpartition(".")[0]


def _merge(before: Board, sound: Sequence[Sound], replace: Collection[str]) -> tuple[Board, list[str]]:
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
        if old is None or (name in replace and cells(old) != cells(new)):
            rows[name] = new
            changes.append("replaced" if old else "new")
        elif conflict:
            conflicts.append(f"{name}: {conflict} ({each.run.folder}). If that is right: --replace {name}")
        elif _weight(old) < _weight(new):
            rows[name] = dataclasses.replace(old, rechecked=new.rechecked)
            changes.append("rechecked")
        else:
            changes.append("the same" if old.run == new.run else "kept")
    if conflicts:
        raise SrbenchError("\n".join(conflicts))
    return make_board(before.protocol, list(rows.values())), changes


def _standing_runs(before: Board, sound: Sequence[Sound]) -> dict[str, Run]:
    """Return the runs behind other rows that lie beside those of this time and have the rows' very numbers, by name."""
    ours = {each.row.name for each in sound}
    folders = dict.fromkeys(each.run.folder.resolve().parent for each in sound)
    found = {}
    for row in before.rows:
        for place in folders if Path(row.run).name == row.run else ():
            if row.name in ours or row.name in found or not (place / row.run / MANIFEST).is_file():
                continue
            with suppress(SrbenchError):
                run = open_run(place / row.run)
                same = run.manifest.metrics == {name: value.signature for name, value in row.values.items()}
                if same and not _differing_means(row, aggregate_run(run)):
                    found[row.name] = run
    return found


def _on_our_recordings(sound: Sequence[Sound], standing: Mapping[str, Run]) -> dict[str, Run]:
    """Return the runs of this time, and those of the standing ones that are on the same recordings."""
    found = {each.row.name: each.run for each in sound}
    for name, run in standing.items():
        with suppress(SrbenchError):  # it is not asked for: its row keeps what is known of it
            refuse_other_recordings([("", sound[0].run.records), (name, run.records)])
            found[name] = run
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
    models = {row.name for row in board.rows if not row.anchor}

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
        # a row of version 0.1.0 does not say its recordings
        told_of = recordings_fact(recordings(here[row.name].records)) if row.name in here else row.recordings
        rows.append(dataclasses.replace(row, recordings=told_of, values=values))
    return make_board(board.protocol, rows)


def _weight(row: Row) -> int:
    """Return how much a row's recheck says: what differed stays, and no earlier version told how it was computed."""
    told = row.rechecked
    return 3 if DIFFER in told else 2 if RUN in told else int(told != "0")


def _conflict(old: Row, new: Row) -> str:
    """Say in what the numbers of two rows of one upscaler differ, "" where they are the same but for last digits."""
    for fact in ("kind", "n", "failed"):
        if (there := getattr(old, fact)) != (here := getattr(new, fact)):
            return f"{fact} is {there} in the leaderboard, and {here} in this run"
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
