"""Audio files by id: what a folder holds, and which of its files are meant by ids that are known."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from pathlib import Path

from srbench.corpora.corpus import Utterance, sorted_unique, speaker_of
from srbench.corpora.listing import audio_below
from srbench.errors import SrbenchError


def files_by_id(place: str | Path, pattern: str | None = None) -> dict[str, Utterance]:
    """Return the audio files of a folder, or the one file, by id.

    Parameters
    ----------
    place : path
        A folder is searched with all that are below it.
    pattern : str, optional
        A file's name with ``{id}`` in it, such as ``{id}.hr.wav``; ``*`` stands for any letters. The id is then what
        stands there, with the folder before it. Without a pattern the id is the path below the folder, without its
        suffix. Files that do not fit a pattern are not of this side. An id is in Unicode's composed form, however the
        file's name is written.

    Raises
    ------
    SrbenchError
        If there is nothing, two files claim one id, or the pattern has not one ``{id}``.
    """
    place = Path(place)
    if place.is_file():
        return {_composed(place.stem): Utterance(_composed(place.stem), place.resolve().parent.name, place)}
    if not place.is_dir():
        raise SrbenchError(f"{place}: no such file or folder")
    expression = None if pattern is None else _expression(_composed(pattern))
    found = []
    listing = audio_below(place)
    for file in listing.files:
        relative = file.relative_to(place)
        if expression is None:
            name = _composed(relative.with_suffix("").as_posix())
        else:
            match = expression.fullmatch(_composed(relative.name))
            if match is None:
                continue
            name = _composed((relative.parent / match["id"]).as_posix())
        found.append(Utterance(name, speaker_of(file, place), file))
    if not found:
        what = "no audio" if pattern is None else f"no audio file named like '{pattern}'"
        raise SrbenchError(" ".join((f"{place}: holds {what}.", *listing.notes)))
    return {each.id: each for each in sorted_unique(found)}


def _composed(name: str) -> str:
    """Return a name with its accents in its letters (NFC): some systems write file names so, some apart from them."""
    return unicodedata.normalize("NFC", name)


def match(known: dict[str, Utterance], files: dict[str, Utterance]) -> dict[str, Utterance]:
    """Return the files by the known ids that they are of.

    They pair by id. Where not one id is a known one, they pair by file name alone, wherever the files lie.
    """
    same = {key: files[key] for key in known if key in files}
    if same:
        return same
    by_name = [_by_name(side) for side in (known, files)]
    return {key: by_name[1][name] for key in known if (name := _name(key)) in by_name[0] and name in by_name[1]}


def _by_name(side: dict[str, Utterance]) -> dict[str, Utterance]:
    """Return the files whose name stands once in a side, by that name."""
    times = Counter(_name(key) for key in side)
    return {_name(key): each for key, each in side.items() if times[_name(key)] == 1}


def _name(key: str) -> str:
    return key.rpartition("/")[2]


def _expression(pattern: str) -> re.Pattern[str]:
    if pattern.count("{id}") != 1 or "/" in pattern:
        raise SrbenchError(f"--pattern: '{pattern}' must be a file name with one {{id}} in it, such as '{{id}}.hr.wav'")
    before, after = (".*".join(map(re.escape, part.split("*"))) for part in pattern.split("{id}"))
    return re.compile(f"{before}(?P<id>.+){after}")
