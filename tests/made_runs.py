"""Runs that were never run: values typed in, and a manifest of which only what matters to a test is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from srbench import schema
from srbench.run import Run
from srbench.run.manifest import Manifest

TOLD: dict[str, Any] = {
    "format": 1,
    "protocol": "p",
    "protocol_title": "P",
    "protocol_signature": "PROTOCOL|low:4000|high:16000|v:1",
    "metrics": {"snr": "SNR|v:1"},
    "utterances": {"n": 1, "sha256": "0"},
    "upscaler": {"name": "linear", "kind": "upscaler"},
    "seed": 0,
    "split": {"name": "s", "side": "test", "expected": 1, "found": 1},
    "own_corpus": True,
    "notes": [],
    "corpus": {"name": "demo-1", "folder": "demo"},
    "started": "2020-01-01T00:00:00+00:00",
    "versions": {"srbench": "0.1.0"},
    "machine": {"cpus": 1},
    "warnings": [],
}


def made_manifest(**told: Any) -> Manifest:
    """Return a manifest that says this, and of tables within it the part that is given."""
    document = {
        key: {**default, **told[key]} if key in ("split", "utterances") and key in told else told.get(key, default)
        for key, default in TOLD.items()
    }
    return schema.read(Manifest, document, "the test's manifest")


def telling(run: Run, **upscaler: Any) -> Run:
    """Return a run whose upscaler tells something else of itself."""
    document = run.manifest.document()
    told = {**document, "upscaler": {**document["upscaler"], **upscaler}}
    return replace(run, manifest=schema.read(Manifest, told, "the test's manifest"))
