"""Which file belongs to which: two folders, or two files, to pairs by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from srbench.corpora.by_id import files_by_id, match
from srbench.corpora.corpus import Utterance
from srbench.corpora.listing import audio_below
from srbench.errors import SrbenchError


@dataclass(frozen=True)
class FilePair:
    """A reference and what is to be scored against it; ``estimate`` is None where a system has none.

    ``low`` is the low-resolution file that the estimate was made from, where one was given. ``recording`` is the digest
    of the reference's samples, where it was taken and they can be read.
    """

    id: str
    speaker: str
    reference: Path
    estimate: Path | None
    low: Path | None = None
    recording: str = ""


@dataclass(frozen=True)
class Pairs:
    """The pairs of one system, sorted by id, what is left over on either side, and the folder of its estimates.

    ``expected`` is the number of references in all. One that another system has an estimate for is in a pair, without
    an estimate, and not left over. ``notes`` say what else lies in the folders and was left out.
    """

    pairs: tuple[FilePair, ...]
    root: Path
    expected: int
    lonely_references: tuple[Path, ...] = ()
    lonely_estimates: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def pair_up(
    reference: str | Path,
    estimates: Sequence[str | Path],
    patterns: tuple[str, str] | None = None,
    low: str | Path | None = None,
) -> list[Pairs]:
    """Pair every system's files with the references.

    Files pair by id. Where not one id of a system is a reference's, they pair by file name alone, wherever the files
    lie. Of several systems, each has a pair for every reference that any of them has an estimate for, so that their
    means are over the same utterances.

    Parameters
    ----------
    reference : path
    estimates : sequence of path
        One for each system.
    patterns : (str, str), optional
        Of the references and of the estimates; see `files_by_id`.
    low : path, optional
        The low-resolution files, named as the references are or as the estimates.

    Returns
    -------
    list of Pairs
        One for each system.

    Raises
    ------
    SrbenchError
        See `files_by_id`; also if a system has no pair at all, files are paired with folders, a low-resolution file
        is missing, or a system's folder is that of the references.
    """
    of_reference, of_estimate = patterns or (None, None)
    references = files_by_id(reference, of_reference)
    for each in estimates:
        if patterns is None and Path(reference).is_dir() and Path(each).resolve() == Path(reference).resolve():
            raise SrbenchError(
                f"{each}: is the folder of the references itself, every file would be compared with itself. "
                "--pattern REFERENCE ESTIMATE tells two kinds of files in one folder apart"
            )
    sides = [files_by_id(each, of_estimate) for each in estimates]
    matched = [match(references, side) for side in sides]
    if Path(reference).is_file() and all(Path(each).is_file() for each in estimates):
        matched = [{key: next(iter(side.values())) for key in references} for side in sides]
    for place, pairs, side in zip(estimates, matched, sides, strict=True):
        if not pairs:
            raise SrbenchError(
                f"{place}: no file pairs with one of {reference}: '{next(iter(references))}' there, "
                f"'{next(iter(side))}' here. --pattern REFERENCE ESTIMATE says how they are named, e.g. "
                "'{id}.hr.wav' '{id}.pr.wav'"
            )
    wanted = {key: None for key in references if any(key in pairs for pairs in matched)}
    lows = {} if low is None else _lows(low, references, list(wanted), patterns)
    others = _of_no_side((reference, *estimates), (references, *sides)) if patterns else [()] * (1 + len(sides))
    return [
        Pairs(
            tuple(
                FilePair(
                    key,
                    references[key].speaker,
                    references[key].path,
                    pairs[key].path if key in pairs else None,
                    lows.get(key),
                )
                for key in wanted
            ),
            _root(place),
            len(references),
            tuple(each.path for key, each in references.items() if key not in wanted) + others[0],
            tuple(sorted({each.path for each in side.values()} - {each.path for each in pairs.values()})) + rest,
            tuple(dict.fromkeys((*_left_out("references", reference), *_left_out("estimates", place)))),
        )
        for place, pairs, side, rest in zip(estimates, matched, sides, others[1:], strict=True)
    ]


def _root(place: str | Path) -> Path:
    place = Path(place).absolute()
    return place if place.is_dir() else place.parent


def _left_out(side: str, place: str | Path) -> list[str]:
    return [f"Of the {side}: {note}" for note in (audio_below(place).notes if Path(place).is_dir() else ())]


def _of_no_side(places: Sequence[str | Path], sides: Sequence[dict[str, Utterance]]) -> list[tuple[Path, ...]]:
    """Return for each folder the audio files that fit no pattern."""
    known = {each.path.resolve() for side in sides for each in side.values()}
    files = [audio_below(place).files if Path(place).is_dir() else () for place in places]
    return [tuple(file for file in found if file.resolve() not in known) for found in files]


def _lows(
    low: str | Path, references: dict[str, Utterance], wanted: list[str], patterns: tuple[str, str] | None
) -> dict[str, Path]:
    side = files_by_id(low)
    if Path(low).is_file() and len(wanted) == 1:
        return {wanted[0]: Path(low)}
    for pattern in patterns or ():
        try:
            side = files_by_id(low, pattern)
            break
        except SrbenchError:
            continue
    matched = match(references, side)
    missing = [key for key in wanted if key not in matched]
    if missing:
        raise SrbenchError(
            f"{low}: has no low-resolution file for {len(missing)} of {len(wanted)} utterances, the first {missing[0]}"
        )
    return {key: matched[key].path for key in wanted}
