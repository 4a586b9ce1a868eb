"""The audio files below a folder: one listing for whoever looks for recordings, with what was left out and why."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from srbench.audio import AUDIO_SUFFIXES
from srbench.errors import SrbenchError, shown

_HIDDEN = ("__macosx", "@eadir", "lost+found", "system volume information", "$recycle.bin")
# What lies beside recordings and is none: not worth a word. Other suffixes are named; they may be audio.
_TEXTS = (
    *("", ".txt", ".csv", ".tsv", ".json", ".jsonl", ".toml", ".yaml", ".yml", ".xml", ".cfg", ".ini", ".log", ".py"),
    *(".md", ".rst", ".html", ".pdf", ".tex", ".png", ".jpg", ".svg", ".lab", ".textgrid", ".trn", ".phn", ".wrd"),
)
_NAMED = 3  # of each kind, in a note


class Listing(NamedTuple):
    """The audio files in a folder and below it, sorted, and a line for each kind of thing that was left out."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]


def audio_below(folder: str | Path) -> Listing:
    """List the audio files in a folder and below it, as every command does.

    Hidden files and folders are left out: names that begin with a dot, and what systems put there (``__MACOSX``,
    ``@eaDir``, ``lost+found``). Folders that are symbolic links are followed, each folder once. A link that leads
    nowhere is a missing file if it is named like audio.

    Raises
    ------
    SrbenchError
        If a folder cannot be read.
    """
    root = Path(folder)
    files: list[Path] = []
    hidden: list[str] = []
    strange: Counter[str] = Counter()
    again: list[str] = []
    lost: list[str] = []
    links: list[Path] = []
    seen: set[str] = set()
    above = [str(each) for each in Path(os.path.realpath(root)).parents]
    waiting = [root]
    while waiting or links:
        # folders first: where one is found both as itself and through a link, its files have their own names
        place = waiting.pop() if waiting else links.pop(0)
        real = os.path.realpath(place)
        if real in seen or real in above:
            again.append(_below(place, root))
            continue
        seen.add(real)
        for entry in _entries(place):
            path = place / entry.name
            is_audio = path.suffix.lower() in AUDIO_SUFFIXES
            is_folder = entry.is_dir()
            if entry.name.startswith(".") or entry.name.lower() in _HIDDEN:
                if is_folder and not entry.is_symlink():
                    hidden += [_below(path, root)] * _audio_in(path)
                elif is_audio:
                    hidden.append(_below(path, root))
            elif is_folder:
                (links if entry.is_symlink() else waiting).append(path)
            elif is_audio and (entry.is_file() or not path.exists()):
                files.append(path)
            elif not path.exists():
                lost.append(_below(path, root))
            elif is_audio or path.suffix.lower() not in _TEXTS:
                strange[path.suffix if not is_audio else f"{path.suffix} that is no regular file"] += 1
        links.sort()
    notes = []
    if hidden:
        notes.append(f"Left out as hidden: {_files(len(hidden))} ({_some(hidden)}).")
    if strange:
        told = ", ".join(f"{count} {shown(suffix)}" for suffix, count in sorted(strange.items()))
        notes.append(f"Left out, not read as audio: {told}.")
    if again:
        notes.append(f"Not walked again through a link: {_some(again)}.")
    if lost:
        notes.append(f"Links that lead nowhere: {_some(lost)}.")
    return Listing(tuple(sorted(files)), tuple(notes))


def _entries(folder: str | Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise SrbenchError(f"{shown(folder)}: cannot be read: {error.strerror or error}") from error


def _audio_in(folder: Path) -> int:
    """Return how many audio files a hidden folder has; what cannot be read is not counted."""
    return sum(Path(name).suffix.lower() in AUDIO_SUFFIXES for _, _, names in os.walk(folder) for name in names)


def _below(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _files(count: int) -> str:
    return f"{count} audio file{'s' if count != 1 else ''}"


def _some(names: list[str]) -> str:
    different = sorted(set(names))
    more = f" and {len(different) - _NAMED} more" if len(different) > _NAMED else ""
    return ", ".join(shown(name) for name in different[:_NAMED]) + more
