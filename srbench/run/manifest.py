"""The manifest of a run: which definition, which upscaler, which machine; and the identity that names its folder."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from srbench import __version__
from srbench.corpora.splits import checksum
from srbench.files import whole_file
from srbench.run.plan import Plan

FORMAT = 1
LARGEST = 10_000_000  # bytes of a manifest
_PACKAGES = ("numpy", "scipy", "soundfile", "soxr", "pesq", "pystoi", "visqol-python", "speechmos", "torch")


def identity(plan: Plan, provenance: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Return all that the numbers of a run depend on: two runs of equal identity continue each other."""
    return {
        "protocol_signature": str(plan.signature),
        "metrics": {name: str(definition.signature()) for name, definition in plan.definitions.items()},
        "utterances": {"n": len(plan.utterances), "sha256": checksum([u.id for u in plan.utterances])},
        "upscaler": dict(provenance),
        "seed": seed,
    }


def folder_name(known: Mapping[str, Any]) -> str:
    """Return the name of a run's folder: the entrant's, with the first 8 hex digits of the identity's SHA-256."""
    told = known["upscaler"]
    text = json.dumps(known, sort_keys=True, ensure_ascii=False, default=str)
    name = re.sub(r"[^A-Za-z0-9._-]", "_", str(told["name"]))
    prefix = "anchor-" if told.get("kind") == "anchor" else ""
    return f"{prefix}{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def manifest(plan: Plan, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest of a run: its identity, what is to be said with its numbers, versions, machine, date."""
    protocol = plan.protocol
    return {
        "format": FORMAT,
        "protocol": protocol.name,
        "protocol_title": protocol.title,
        **known,
        "split": {"name": plan.split, "side": plan.side, "expected": plan.expected, "found": plan.found},
        "own_corpus": plan.own,
        "notes": list(plan.notes),
        "corpus": {"name": plan.corpus.name, "folder": plan.corpus.root.name},
        **circumstances(),
    }


def circumstances() -> dict[str, Any]:
    """Return what a manifest says besides: when, with which versions, on which machine."""
    return {
        "aggregation": "mean.utterance",
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "versions": {"srbench": __version__, "python": platform.python_version(), **versions()},
        "machine": {"system": platform.platform(), "processor": _processor(), "cpus": os.cpu_count()},
    }


def write_json(path: Path, document: Any) -> None:
    """Write a JSON file so that it is whole or not there at all."""
    with whole_file(path) as file:
        file.write(json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n")


def versions() -> dict[str, str]:
    """Return the versions of the packages that numbers come from, as far as they are installed."""
    found = {}
    for package in _PACKAGES:
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
