"""A corpus: utterances on disk, found by layout, each with an id and a speaker."""

from __future__ import annotations

import hashlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from srbench.audio import AUDIO_SUFFIXES
from srbench.errors import SrbenchError

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
    or ``folder``.
    """

    name: str
    root: Path
    utterances: tuple[Utterance, ...]

    def by_id(self) -> dict[str, Utterance]:
        """Map ids to utterances."""
        return {utterance.id: utterance for utterance in self.utterances}


def file_below(path: Path, root: Path) -> str:
    """Return a file as a record names it: its path below a folder, or its name where it lies elsewhere.

    Both may be relative, to the working directory.
    """
    path, root = path.absolute(), root.absolute()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hex, "" if it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def open_corpus(folder: str | Path, mic: str = "mic1") -> Corpus:
    """Recognise the layout of a folder and list its utterances.

    VCTK 0.80 is ``wav48/pXXX/pXXX_NNN.{wav,flac}``, VCTK 0.92 ``wav48_silence_trimmed/pXXX/pXXX_NNN_mic{1,2}.flac``
    (files of the other microphone are passed over); both are found in the folder itself or one level below it, as the
    archives unpack. A folder of speaker folders with VCTK's file names counts too. Any other folder is read
    recursively: the id is the path without its suffix, the speaker is the file's own folder.

    Parameters
    ----------
    folder : path
    mic : {"mic1", "mic2"}
        Which microphone of VCTK 0.92 to take.

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
    for base in (root, *sorted(child for child in root.iterdir() if child.is_dir())):
        for name, version in (("wav48_silence_trimmed", f"vctk-0.92-{mic}"), ("wav48", "vctk-0.80")):
            audio_folder = base if base.name == name else base / name
            if audio_folder.is_dir():
                return Corpus(version, root, _vctk_utterances(audio_folder, mic))
    return _other_folder(root, mic)


def _other_folder(root: Path, mic: str) -> Corpus:
    files = audio_files(root)
    if not files:
        raise SrbenchError(f"{root}: holds no audio ({', '.join(AUDIO_SUFFIXES)}); give the folder of a corpus")
    if all(_VCTK_FILE.fullmatch(file.stem) for file in files):
        version = f"vctk-0.92-{mic}" if any("_mic" in file.stem for file in files) else "vctk-0.80"
        return Corpus(version, root, _vctk_utterances(root, mic))
    found = []
    for file in files:
        relative = file.relative_to(root)
        found.append(Utterance(relative.with_suffix("").as_posix(), folder_of(file, root), file))
    return Corpus("folder", root, sorted_unique(found))


def folder_of(file: Path, root: Path) -> str:
    """Return the folder of a file below a root, which is its speaker where nothing else is known."""
    relative = file.relative_to(root)
    return relative.parent.as_posix() if relative.parent != Path(".") else root.resolve().name


def speaker_of(file: Path, root: Path) -> str:
    """Return the speaker that a file's name tells as VCTK's do (``p225_001``), else its folder."""
    match = _VCTK_NAME.match(file.name)
    return match[1] if match else folder_of(file, root)


def _vctk_utterances(folder: Path, mic: str) -> tuple[Utterance, ...]:
    found = []
    for file in audio_files(folder):
        match = _VCTK_FILE.fullmatch(file.stem)
        if match and match[3] in (None, mic):
            found.append(Utterance(f"{match[1]}_{match[2]}", match[1], file))
    if not found:
        raise SrbenchError(f"{folder}: looks like VCTK but holds no utterance pXXX_NNN (of {mic}, for VCTK 0.92)")
    return sorted_unique(found)


def audio_files(folder: Path) -> list[Path]:
    """Return the audio files in a folder and below it, sorted; links that lead nowhere too: they are missing files."""
    named = (p for p in folder.rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES)
    found = (p for p in named if p.is_file() or (p.is_symlink() and not p.exists()))
    return sorted(p for p in found if not p.name.startswith("._"))  # macOS leaves these beside the real ones


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
