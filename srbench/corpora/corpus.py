"""A corpus: utterances on disk, found by layout, each with an id and a speaker."""

from __future__ import annotations

import hashlib
import re
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from srbench.audio import AUDIO_SUFFIXES, file_recording_digest
from srbench.corpora.listing import Listing, audio_below
from srbench.errors import SrbenchError, shown
from srbench.files import open_file

FOLDER = "folder"  # what any other folder than VCTK's is called
_VCTK_080 = "vctk-0.80"
_VCTK_FILE = re.compile(r"((?:p|s)\d+)_(\d+)(?:_(mic[12]))?")
_VCTK_NAME = re.compile(r"((?:p|s)\d+)_\d+(?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True, init=False)
class Utterance:
    """One recording: ``id`` unique in its corpus (``p225_001``), its speaker, and where it lies.

    The place is kept as text: a `Path` takes five times the memory, and there may be a hundred thousand.
    """

    id: str
    speaker: str
    place: str

    def __init__(self, id: str, speaker: str, path: str | Path) -> None:
        for name, value in (("id", id), ("speaker", sys.intern(speaker)), ("place", str(path))):
            object.__setattr__(self, name, value)

    @property
    def path(self) -> Path:
        """Its file."""
        return Path(self.place)


@dataclass(frozen=True)
class Corpus:
    """A named collection of utterances, sorted by id.

    ``name`` says what was recognised: ``vctk-0.80``, ``vctk-0.92-mic1`` (or ``-mic2``), ``demo-1`` (the embedded one)
    or ``folder``. ``notes`` say what lies in the folder and was left out.
    """

    name: str
    root: Path
    utterances: tuple[Utterance, ...]
    notes: tuple[str, ...] = ()

    def by_id(self) -> dict[str, Utterance]:
        """Map ids to utterances."""
        return {utterance.id: utterance for utterance in self.utterances}

    def meant(self, unknown: str) -> str | None:
        """Return the id that one which is not there is likely to mean, None where that cannot be told.

        Written with backslashes, with a suffix, with or without the folders before it, or with a microphone after it.
        """
        found = self._by_short_name.get(_short_name(unknown), [])
        return found[0] if len(found) == 1 else None

    @cached_property
    def _by_short_name(self) -> dict[str, list[str]]:
        ids: dict[str, list[str]] = {}
        for utterance in self.utterances:
            ids.setdefault(_short_name(utterance.id), []).append(utterance.id)
        return ids


def _short_name(id_: str) -> str:
    name = id_.replace("\\", "/").rpartition("/")[2]
    stem, dot, suffix = name.rpartition(".")
    name = stem if f"{dot}{suffix}".lower() in AUDIO_SUFFIXES else name
    return name.removesuffix("_mic1").removesuffix("_mic2")


def file_below(path: str | Path, root: str | Path) -> str:
    """Return a file as a record names it: its path below a folder, or its name where it lies elsewhere.

    Both may be relative, to the working directory.
    """
    path, root = Path(path).absolute(), Path(root).absolute()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def file_digest(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes in hex, "" if it cannot be read."""
    try:
        with open_file(path) as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return ""


def samples_digest(path: Path) -> str:
    """Return the digest of a file's samples (`srbench.audio.recording_digest`), "" where it cannot be read."""
    try:
        return file_recording_digest(path)
    except SrbenchError:
        return ""


def open_corpus(folder: str | Path, mic: str = "mic1", wanted: str | None = None) -> Corpus:
    """Recognise the layout of a folder and list its utterances.

    VCTK 0.80 is ``wav48/pXXX/pXXX_NNN.{wav,flac}``, VCTK 0.92 ``wav48_silence_trimmed/pXXX/pXXX_NNN_mic{1,2}.flac``
    (files of the other microphone are passed over); both are found in the folder itself or one level below it, as the
    archives unpack. A folder of files with VCTK's names counts too: without a wish only where all have them, with the
    wish for VCTK where most have. Any other folder is read recursively: the id is the path without its suffix, the
    speaker is told by a name like VCTK's, else it is the file's own folder.

    Parameters
    ----------
    folder : path
    mic : {"mic1", "mic2"}
        Which microphone of VCTK 0.92 to take.
    wanted : str, optional
        The corpus that is asked for, as `Corpus.name` calls it: taken where the folder holds several, and "folder"
        takes any folder as one.

    Raises
    ------
    SrbenchError
        If the folder is missing or holds no audio, or two files claim one id.
    """
    root = Path(folder)
    if not root.is_dir():
        raise SrbenchError(f"{root}: {'is not a folder' if root.exists() else 'no such folder'}; --data takes a corpus")
    if mic not in ("mic1", "mic2"):
        raise SrbenchError(f"unknown microphone '{mic}'; VCTK 0.92 has mic1 and mic2")
    if wanted == FOLDER:
        return _any_folder(root, _some_audio(root))
    layouts = _vctk_layouts(root, mic)
    for version, audio_folder in sorted(layouts, key=lambda each: each[0] != wanted):  # stable: else the first
        return _vctk(version, root, audio_folder, audio_below(audio_folder), mic)
    listing = _some_audio(root)
    named = [match for file in listing.files if (match := _VCTK_FILE.fullmatch(file.stem))]
    wish = wanted is not None and wanted.startswith("vctk-")
    if len(named) == len(listing.files) or (wish and 2 * len(named) > len(listing.files)):
        has_mics, has_plain = (any(bool(match[3]) is told for match in named) for told in (True, False))
        new = wanted != _VCTK_080 if has_mics and has_plain else has_mics
        return _vctk(f"vctk-0.92-{mic}" if new else _VCTK_080, root, root, listing, mic)
    return _any_folder(root, listing)


def _vctk_layouts(root: Path, mic: str) -> list[tuple[str, Path]]:
    """Return the folders that are laid out as VCTK is, with the version each is of."""
    found = []
    for base in (root, *sorted(child for child in root.iterdir() if child.is_dir() and child.name[0] != ".")):
        for name, version in (("wav48_silence_trimmed", f"vctk-0.92-{mic}"), ("wav48", _VCTK_080)):
            audio_folder = base if base.name == name else base / name
            if audio_folder.is_dir():
                found.append((version, audio_folder))
    return found


def _some_audio(root: Path) -> Listing:
    listing = audio_below(root)
    if not listing.files:
        kinds = ", ".join(AUDIO_SUFFIXES)
        raise SrbenchError(
            " ".join((f"{root}: holds no audio ({kinds}); give the folder of a corpus.", *listing.notes))
        )
    return listing


def _any_folder(root: Path, listing: Listing) -> Corpus:
    found = [
        Utterance(file.relative_to(root).with_suffix("").as_posix(), speaker_of(file, root), file)
        for file in listing.files
    ]
    return Corpus(FOLDER, root, sorted_unique(found), listing.notes)


def _vctk(version: str, root: Path, folder: Path, listing: Listing, mic: str) -> Corpus:
    found, others = [], []
    for file in listing.files:
        match = _VCTK_FILE.fullmatch(file.stem)
        if match is None or (match[3] and version == _VCTK_080):
            others.append(file.name)
        elif match[3] in (None, mic):
            found.append(Utterance(f"{match[1]}_{match[2]}", match[1], file))
    if not found:
        raise SrbenchError(f"{folder}: looks like VCTK but holds no utterance pXXX_NNN (of {mic}, for VCTK 0.92)")
    notes = listing.notes
    if others:
        notes += (f"Left out, not named as {version} names its files: {len(others)}, the first {shown(others[0])}.",)
    return Corpus(version, root, sorted_unique(found), notes)


def folder_of(file: Path, root: Path) -> str:
    """Return the folder of a file below a root, which is its speaker where nothing else is known."""
    relative = file.relative_to(root)
    return relative.parent.as_posix() if relative.parent != Path(".") else root.resolve().name


def speaker_of(file: Path, root: Path) -> str:
    """Return the speaker that a file's name tells as VCTK's do (``p225_001``), else its folder."""
    match = _VCTK_NAME.match(file.name)
    return match[1] if match else folder_of(file, root)


def sorted_unique(utterances: list[Utterance]) -> tuple[Utterance, ...]:
    """Sort utterances by id.

    Raises
    ------
    SrbenchError
        If two claim one id, or an id is not UTF-8.
    """
    seen: dict[str, Utterance] = {}
    for utterance in utterances:
        if any("\ud800" <= letter <= "\udfff" for letter in utterance.id):  # how Python holds bytes that are not UTF-8
            raise SrbenchError(f"{utterance.path.name!r}: its name is not UTF-8, and so no id. Rename the file.")
        if utterance.id in seen:
            raise SrbenchError(
                f"two files claim the id '{utterance.id}': {seen[utterance.id].path} and {utterance.path}. Remove one."
            )
        seen[utterance.id] = utterance
    return tuple(seen[key] for key in sorted(seen))
