"""The manifest of a run: which definition, which upscaler, which machine; and the identity that names its folder."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from srbench import __version__, schema
from srbench.corpora.splits import checksum
from srbench.errors import SrbenchError, shown
from srbench.files import read_file, whole_file
from srbench.metrics import METRICS, Definition, describe
from srbench.names import check_name
from srbench.run.plan import Plan
from srbench.signature import Signature

MANIFEST = "manifest.json"
FORMAT = 1
# kinds of provenance: an upscaler, one of ours that needs the reference, files that a run was given, a program, and
# files that were scored without a protocol
UPSCALER, ANCHOR, ESTIMATES, COMMAND, AUDIO = "upscaler", "anchor", "estimates", "command", "audio"
_LARGEST = 10_000_000  # bytes of a manifest
_PACKAGES = ("numpy", "scipy", "soundfile", "soxr", "torch")


@dataclass(frozen=True)
class Provenance:
    """Who made the estimates of a run: an upscaler, an anchor, a command, or somebody elsewhere.

    ``told`` is all that it tells of itself, the other fields included: an upscaler may tell what it likes.
    """

    name: str
    kind: str
    distribution: str = ""
    device: str | None = None
    precision: str | None = None
    told: Mapping[str, Any] = field(default_factory=dict, metadata=schema.WHOLE)

    @property
    def anchor(self) -> bool:
        """Whether it is an anchor."""
        return self.kind == ANCHOR

    @property
    def made(self) -> str:
        """How a table says where the estimates come from; "" for what srbench ran itself."""
        return {ESTIMATES: "made elsewhere", COMMAND: "made by a command"}.get(self.kind, "")


@dataclass(frozen=True)
class Utterances:
    """How many utterances a run is of, and the checksum of their ids."""

    n: int
    sha256: str


@dataclass(frozen=True)
class SplitFound:
    """The split and its side, how many utterances it has, and how many of them were there."""

    name: str
    side: str
    expected: int
    found: int


@dataclass(frozen=True)
class CorpusFound:
    """The corpus and its folder's name; of audio made elsewhere also where references and estimates lay."""

    name: str
    folder: str
    root: str | None = None
    estimates: str | None = None


@dataclass(frozen=True)
class Recordings:
    """How many recordings could be read, the SHA-256 of their ids, and that of their ids and samples."""

    n: int
    ids: str
    sha256: str


@dataclass(frozen=True)
class Identity:
    """All that the numbers of a run depend on: two runs of equal identity continue each other."""

    protocol_signature: str
    metrics: Mapping[str, str]
    utterances: Utterances
    upscaler: Provenance
    seed: int
    draws: int = 1

    @property
    def folder_name(self) -> str:
        """The name of a run's folder: the entrant's, with the first 8 hex digits of the identity's SHA-256."""
        known = {each.name: schema.plain(getattr(self, each.name)) for each in fields(Identity)}
        if self.draws == 1:  # as it was before there could be several
            del known["draws"]
        text = json.dumps(known, sort_keys=True, ensure_ascii=False, default=str)
        name = re.sub(r"[^A-Za-z0-9._-]", "_", self.upscaler.name)
        prefix = "anchor-" if self.upscaler.anchor else ""
        return f"{prefix}{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, kw_only=True)
class Manifest(Identity):
    """A run's identity, and what is to be said with its numbers: versions, machine, date.

    ``recordings`` are known when it is finished; version 0.1.0 did not say them.
    """

    format: int
    protocol: str
    protocol_title: str
    split: SplitFound
    own_corpus: bool
    notes: tuple[str, ...]
    corpus: CorpusFound
    aggregation: str = "mean.utterance"
    started: str
    versions: Mapping[str, str]
    machine: Mapping[str, Any]
    warnings: tuple[str, ...]
    recordings: Recordings | None = None

    @staticmethod
    def read(folder: Path) -> Manifest:
        """Read it from a run's folder.

        Raises
        ------
        SrbenchError
            If it is missing, or not one: with all that is wrong in it.
        """
        path = folder / MANIFEST
        try:
            found = json.loads(read_file(path, _LARGEST, links=False))
            json.dumps(found, ensure_ascii=False, allow_nan=False).encode()  # it goes into other files
        except OSError as error:
            raise SrbenchError(f"{path}: {error.strerror or 'cannot be read'}: not the folder of a run") from error
        except (ValueError, RecursionError) as error:
            raise SrbenchError(f"{path}: is not JSON: {shown(error)}") from error
        if isinstance(found, dict) and (other := found.get("format")) not in (None, FORMAT):
            raise SrbenchError(f"{path}: is of format {shown(other)}; this version reads {FORMAT}")
        made = schema.read(Manifest, found, f"{path}: is not the manifest of a run")
        check_name(f"{path}: an upscaler's name", made.upscaler.name)
        try:
            describe(made.metrics)
        except SrbenchError as error:
            raise SrbenchError(f"{path}: {error}") from error
        return made

    def document(self) -> dict[str, Any]:
        """Return it as the file holds it."""
        head = {"format": self.format, "protocol": self.protocol, "protocol_title": self.protocol_title}
        told = {**head, **schema.plain(self)}
        if self.draws == 1:
            del told["draws"]
        return told

    def write(self, folder: Path) -> None:
        """Write it into a run's folder, whole or not at all."""
        with whole_file(folder / MANIFEST) as file:
            file.write(json.dumps(self.document(), indent=2, ensure_ascii=False, default=str) + "\n")


def tell_of(entrant: str, told: Mapping[str, Any]) -> Provenance:
    """Return what an entrant tells of itself.

    Raises
    ------
    SrbenchError
        If that is nothing that a manifest can hold.
    """
    return schema.read(Provenance, told, f"{shown(entrant)}: what it tells of itself is not fit for a manifest")


def elsewhere(name: str) -> Provenance:
    """Return what is known of who made audio elsewhere."""
    return tell_of(name, {"name": name, "kind": AUDIO})


def identity(
    signature: Signature,
    definitions: Mapping[str, Definition],
    ids: Sequence[str],
    upscaler: Provenance,
    seed: int = 0,
    draws: int = 1,
) -> Identity:
    """Return the identity of a run of an entrant over some utterances, by a protocol's or references' signature."""
    signatures = {name: str(definition.signature()) for name, definition in definitions.items()}
    return Identity(str(signature), signatures, Utterances(len(ids), checksum(ids)), upscaler, seed, draws)


def identity_of(plan: Plan, upscaler: Provenance, seed: int, draws: int = 1) -> Identity:
    """Return the identity of the run of an entrant over a plan."""
    return identity(plan.signature, plan.definitions, [each.id for each in plan.utterances], upscaler, seed, draws)


def manifest(plan: Plan, known: Identity, warnings: Sequence[str], estimates: Path | None = None) -> Manifest:
    """Return the manifest of the run of a plan that begins now; ``estimates`` is a folder that they are given in."""
    return begin(
        known,
        protocol=plan.protocol.name,
        protocol_title=plan.protocol.title,
        split=SplitFound(plan.split, plan.side, plan.expected, plan.found),
        own_corpus=plan.own,
        notes=plan.notes,
        corpus=CorpusFound(
            plan.corpus.name, plan.corpus.root.name, estimates=None if estimates is None else str(estimates)
        ),
        warnings=warnings,
    )


def begin(known: Identity, *, warnings: Sequence[str] = (), **told: Any) -> Manifest:
    """Return the manifest of a run of an identity that begins now, with this machine and these versions."""
    return Manifest(
        format=FORMAT,
        **{each.name: getattr(known, each.name) for each in fields(Identity)},
        started=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        versions={"srbench": __version__, "python": platform.python_version(), **versions()},
        machine={"system": platform.platform(), "processor": _processor(), "cpus": os.cpu_count()},
        warnings=tuple(warnings),
        **told,
    )


def versions() -> dict[str, str]:
    """Return the versions of the packages that numbers come from, as far as they are installed."""
    found = {}
    for package in (*_PACKAGES, *(each for metric in METRICS.values() for each in metric.packages)):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    if sys.platform == "linux":
        try:
            cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        except OSError:
            return platform.machine()
        match = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
        return match[1] if match else platform.machine()
    return platform.processor() or platform.machine()
