"""Splits: fixed, named lists of utterance ids, each side with a checksum.

A split may also ship digests of its recordings' samples (``samples = "NAME.samples.txt"``: lines of an id and the first
16 hex digits of `srbench.audio.recording_digest`), so that other recordings of the same ids are noticed.

A split is a TOML file beside plain lists, one id a line; the checksum is the SHA-256 of the sorted ids, each
followed by a newline. An id that appears twice, or on two sides, is refused; so is a speaker on two sides, unless the
split says that it shares speakers (``shares_speakers = true``, the single-speaker splits).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from srbench import toml
from srbench.errors import SrbenchError, shown, unknown_name
from srbench.text import read_text


def _folder() -> Path:
    return Path(str(resources.files("srbench.corpora"))) / "data" / "splits"


@dataclass(frozen=True)
class Side:
    """One side of a split (``train``, ``validation``, ``test``): where its ids stand, and what they must be."""

    name: str
    file: Path
    count: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Split:
    """A named split of one corpus."""

    name: str
    corpus: str
    title: str
    source: str
    sides: Mapping[str, Side] = field(hash=False)
    shares_speakers: bool = False
    samples_file: Path | None = None

    def samples(self) -> Mapping[str, str]:
        """Return the first 16 hex digits of each recording's digest by id; empty where the split ships none.

        Raises
        ------
        SrbenchError
            If the file cannot be read, or a line is not an id and a digest.
        """
        return {} if self.samples_file is None else _read_samples(self.name, self.samples_file)

    def ids(self, side: str) -> tuple[str, ...]:
        """Return the utterance ids of one side, sorted.

        Raises
        ------
        SrbenchError
            If the side is unknown, its list is missing, has duplicates, or does not fit its checksum.
        """
        if side not in self.sides:
            raise unknown_name(f"side of split {self.name}", side, self.sides)
        return _read_ids(self.name, self.sides[side])

    @property
    def mic(self) -> str:
        """The microphone that the corpus name ends in, for the corpora that have two."""
        return "mic2" if self.corpus.endswith("-mic2") else "mic1"

    def checksum(self, side: str) -> str:
        """Return the SHA-256 of one side's sorted ids, in hex."""
        return checksum(self.ids(side))


def checksum(ids: Sequence[str]) -> str:
    """Return the SHA-256 in hex of the sorted ids, each followed by a newline."""
    return hashlib.sha256("".join(f"{i}\n" for i in sorted(ids)).encode()).hexdigest()


def speaker_of(utterance_id: str) -> str:
    """Return the speaker of a VCTK-style id: all that stands before the last underscore."""
    return utterance_id.rpartition("_")[0]


def split_names() -> list[str]:
    """List the splits that come with srbench."""
    return toml.names(_folder())


def load_split(name: str | Path) -> Split:
    """Load a split by name, or a user's own by the path of its TOML file.

    Raises
    ------
    SrbenchError
        If there is no such split or its file is not valid.
    """
    path = toml.find("split", name, _folder())
    table = toml.read(path)
    where = f"split {path}"
    toml.check_keys(
        table,
        where,
        required={"corpus": str, "sides": dict},
        optional={"title": str, "source": str, "shares_speakers": bool, "samples": str},
    )
    sides: dict[str, Side] = {}
    for side, entry in table["sides"].items():
        if not isinstance(entry, dict):
            raise SrbenchError(f"{where}: [sides.{shown(side)}] must be a table")
        told = f"{where}, side {shown(side)}"
        toml.check_keys(entry, told, required={"ids": str}, optional={"count": int, "sha256": str})
        sides[side] = Side(side, toml.beside(path, entry["ids"], told), entry.get("count"), entry.get("sha256"))
    rest: dict[str, Any] = {key: value for key, value in table.items() if key not in ("sides", "samples")}
    if "samples" in table:
        rest["samples_file"] = toml.beside(path, table["samples"], where)
    return Split(path.stem, sides=MappingProxyType(sides), **{"title": "", "source": "", **rest})


def check_sides(split: Split) -> list[str]:
    """Check the sides of a split against each other.

    Returns
    -------
    list of str
        The speakers who stand on several sides, empty for most splits; not empty only where the split says so.

    Raises
    ------
    SrbenchError
        If an utterance stands on two sides, or a speaker does and the split does not say ``shares_speakers``.
    """
    ids = {side: set(split.ids(side)) for side in split.sides}
    twice = sorted(i for i, n in Counter(i for side in ids.values() for i in side).items() if n > 1)
    if twice:
        raise SrbenchError(
            f"split {split.name}: {len(twice)} utterances are on two sides, the first is {shown(twice[0])}"
        )
    speakers = Counter(s for side in ids.values() for s in {speaker_of(i) for i in side})
    shared = sorted(s for s, n in speakers.items() if n > 1)
    if shared and not split.shares_speakers:
        names = shown(", ".join(shared))
        raise SrbenchError(f"split {split.name}: speakers on two sides: {names}. If meant, say shares_speakers = true.")
    return shared


@lru_cache(maxsize=32)
def _read_samples(split: str, file: Path) -> Mapping[str, str]:
    lines = [line.split() for line in read_text(file).splitlines() if line.strip()]
    for number, line in enumerate(lines, start=1):
        if len(line) != 2 or not re.fullmatch("[0-9a-f]{16}", line[1]):
            raise SrbenchError(f"split {split}: {shown(file)}, line {number}: must be an id and 16 hex digits")
    return MappingProxyType(dict((line[0], line[1]) for line in lines))


@lru_cache(maxsize=32)
def _read_ids(split: str, side: Side) -> tuple[str, ...]:
    where = f"split {split}, side {shown(side.name)}"
    try:
        lines = read_text(side.file).splitlines()
    except SrbenchError as error:
        raise SrbenchError(f"{where}: cannot read {error}") from error
    ids = [line.strip() for line in lines if line.strip()]
    repeated = [i for i, n in Counter(ids).items() if n > 1]
    if repeated:
        raise SrbenchError(f"{where}: {len(repeated)} ids appear more than once, the first is {shown(repeated[0])}")
    if side.count is not None and len(ids) != side.count:
        raise SrbenchError(f"{where}: holds {len(ids)} ids, {shown(side.count)} were declared")
    if side.sha256 is not None and checksum(ids) != side.sha256:
        declared = shown(side.sha256[:8])
        raise SrbenchError(f"{where}: the ids in {shown(side.file)} do not match the declared checksum {declared}…")
    if not ids:
        raise SrbenchError(f"{where}: {shown(side.file)} holds no ids")
    return tuple(sorted(ids))
