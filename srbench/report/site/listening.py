"""The pages to listen on: each utterance becomes one script that holds its audio, and a picture of each version.

A page opened from ``file://`` may load scripts but not data, so the audio is FLAC in base64 inside a script, which is
loaded when its utterance is chosen.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from srbench.corpora import Corpus
from srbench.errors import SrbenchError
from srbench.files import beside
from srbench.metrics import USUAL, get_metric
from srbench.report.figure import require_plots
from srbench.report.headings import heading, number
from srbench.report.site.names import file_names
from srbench.report.site.output import Output
from srbench.report.site.versions import LOW, REFERENCE, Clip, choose_utterances, make_clip, players
from srbench.report.spectrogram import peak_db, write_spectrogram_png
from srbench.run import Run
from srbench.run.basis import Basis
from srbench.run.engine import Progress


@dataclass(frozen=True)
class Heard:
    """What the pages must know of the clips.

    Attributes
    ----------
    clips : list of dict
        ``id``, ``file`` (relative to the protocol's folder), ``gain_db``, ``megabytes``.
    versions : list of dict
        ``key``, ``name``, ``kind`` (reference, low, model, anchor).
    pictures : bool
        Whether there are spectrograms.
    notes : list of str
    chosen : bool
        Whether somebody named the utterances.
    """

    clips: list[dict[str, Any]]
    versions: list[dict[str, str]]
    pictures: bool
    notes: list[str]
    chosen: bool


def write_clips(
    output: Output,
    folder: str,
    protocol: Basis,
    runs: Sequence[Run],
    corpus: Corpus,
    *,
    plugins: Sequence[Path],
    count: int,
    only: Sequence[str],
    progress: Progress | None,
) -> Heard:
    """Write the clips of one protocol below ``folder`` and return what the pages must know.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    chosen = choose_utterances(runs, corpus, count, only)
    heard = players(protocol, runs, corpus, plugins)
    kinds = {REFERENCE: "reference", LOW: "low"} | {
        player.name: "anchor" if player.run.manifest.upscaler.anchor else "model" for player in heard
    }
    keys, files = file_names(kinds), file_names(chosen)
    notes: list[str] = []
    told: list[dict[str, Any]] = []
    present: set[str] = set()
    try:
        require_plots()
        pictures = True
    except SrbenchError as error:
        notes.append(f"{protocol.name}: no spectrograms: {error}")
        pictures = False
    drawn = False
    for place, utterance in enumerate(chosen):
        if progress:
            progress(f"{protocol.name}: listening", place, len(chosen))
        clip, said = make_clip(protocol.high_rate, heard, utterance)
        notes += said
        if clip is None:
            continue
        present |= clip.versions.keys()
        path = f"{folder}/clips/{files[utterance]}"
        images: dict[str, str] = {}
        if pictures:
            try:
                images = _write_pictures(output, path, clip, keys)
                drawn = True
            except SrbenchError as error:  # too short for one
                notes.append(f"{utterance}: no spectrogram: {error}")
        text = _script(clip, keys, {name: image.removeprefix(f"{folder}/") for name, image in images.items()})
        output.text(f"{path}.js", text)
        file = f"clips/{files[utterance]}.js"
        told.append({"id": utterance, "file": file, "gain_db": clip.gain_db, "megabytes": len(text) / 1e6})
    if progress:
        progress(f"{protocol.name}: listening", len(chosen), len(chosen))
    versions = [
        {"name": _title(name), "key": keys[name], "kind": kind} for name, kind in kinds.items() if name in present
    ]
    return Heard(told, versions, drawn, list(dict.fromkeys(notes)), bool(only))


def _title(name: str) -> str:
    return "low resolution" if name == LOW else name


def _write_pictures(output: Output, path: str, clip: Clip, keys: Mapping[str, str]) -> dict[str, str]:
    samples = {name: each / 32768 for name, each in clip.versions.items()}
    peak = peak_db(samples[REFERENCE], clip.rate)
    found = {}
    for name, each in samples.items():
        found[name] = f"{path}/{keys[name]}.png"
        with beside(output.place(found[name])) as unfinished:
            write_spectrogram_png(each, clip.rate, clip.rate / 2, peak, unfinished)
    return found


def _script(clip: Clip, keys: Mapping[str, str], images: Mapping[str, str]) -> str:
    versions = {}
    for name, samples in clip.versions.items():
        values = clip.scores.get(name, {})
        shown = [m for m in USUAL if m in values] or list(values)[: len(USUAL)]
        versions[keys[name]] = {
            "scores": [[heading(m), number(values[m], get_metric(m).digits)] for m in shown],
            "image": images.get(name, ""),
            "flac": base64.b64encode(flac(samples, clip.rate)).decode("ascii"),
        }
    document = {"id": clip.utterance, "seconds": len(clip.versions[REFERENCE]) / clip.rate, "versions": versions}
    # "<" is written as an escape so that the text stays data wherever the script may be pasted
    return f"srbenchClip({json.dumps(document, indent=0).replace('<', chr(92) + 'u003c')});\n"


def flac(samples: np.ndarray[Any, np.dtype[np.int16]], rate: int) -> bytes:
    """Return 16-bit samples, shape (n,), as FLAC."""
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()
