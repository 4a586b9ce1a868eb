"""A MUSHRA listening test for webMUSHRA: its configuration, and the WAV files it plays.

The folder's contents go into webMUSHRA's ``configs/``; ``?config=<protocol>.yaml`` then opens the test. webMUSHRA
adds the hidden reference to every page by itself and puts the conditions in random order.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from srbench.corpora import Corpus
from srbench.errors import SrbenchError
from srbench.files import beside, whole_file
from srbench.report.site.names import file_names
from srbench.report.site.versions import LOW, REFERENCE, Clip, choose_utterances, make_clip, players
from srbench.run import Run
from srbench.run.basis import Basis

# what ITU-R BS.1534 allows, and webMUSHRA insists on unless a page says `strict: false`
_MOST_CONDITIONS = 12
_LONGEST_SECONDS = 12.0
_ANCHORS = {"createAnchor35": 3500.0, "createAnchor70": 7000.0}  # low-passed references that webMUSHRA makes, in Hz
_CONTENT = (
    "Rate the quality of each condition against the reference. One of them is the reference itself, and one is "
    "the recording at the low sample rate."
)


def export_mushra(
    folder: Path,
    protocol: Basis,
    runs: Sequence[Run],
    corpus: Corpus,
    *,
    plugins: Sequence[Path] = (),
    utterances: int = 6,
    only: Sequence[str] = (),
) -> list[str]:
    """Write a webMUSHRA test: a page an utterance, a condition an upscaler.

    The low-resolution signal, resampled, is the low anchor of every page. webMUSHRA's own anchors at 3.5 and 7 kHz
    are asked for only where they are below the protocol's cutoff: above it they would be better than what is
    tested.

    Parameters
    ----------
    folder : Path
        Made where it is absent: ``<protocol>.yaml`` and a folder of WAV files, 16 bit, all versions of an utterance
        scaled alike.
    protocol : Basis
    runs : sequence of Run
        Anchors among them are passed over.
    corpus : Corpus
    plugins : sequence of Path
        Plug-in files of upscalers that have to be run again to be heard.
    utterances : int
        How many, evenly spaced through those that every run scored.
    only : sequence of str
        The ids of the utterances, in place of a number.

    Returns
    -------
    list of str
        What a person should know.

    Raises
    ------
    SrbenchError
        If there is nothing to be heard, or the folder cannot be written.
    """
    tested = [run for run in runs if not run.manifest.upscaler.anchor]
    chosen = choose_utterances(tested, corpus, utterances, only)
    heard = players(protocol, tested, corpus, plugins)
    name = file_names([protocol.name])[protocol.name]
    keys, files = file_names([REFERENCE, LOW, *(player.name for player in heard)]), file_names(chosen)
    pages = []
    notes = [f"{protocol.name}: no run here scored {each}: not in the test" for each in only if each not in chosen]
    try:
        for utterance in chosen:
            clip, said = make_clip(protocol.high_rate, heard, utterance)
            notes += said
            if clip is None:
                continue
            paths = _write_audio(folder, f"{name}/{files[utterance]}", clip, keys)
            pages.append(_page(utterance, paths, protocol, clip, notes))
        if not pages:
            return [*dict.fromkeys(notes), f"{protocol.name}: no listening test, there is nothing to be heard"]
        document = {
            "testname": f"srbench: {protocol.name}",
            "testId": name,
            "bufferSize": 2048,
            "stopOnErrors": True,
            "showButtonPreviousPage": True,
            "remoteService": "service/write.php",
            "pages": [*pages, _finish()],
        }
        text = "".join(f"{line}\n" for line in _yaml(document))
        with whole_file(folder / f"{name}.yaml", newline="\n") as file:
            file.write(text)
    except OSError as error:
        why = f"{error.filename or folder}: {error.strerror or error}"
        raise SrbenchError(f"cannot write the listening test to {folder}: {why}") from error
    return list(dict.fromkeys(notes))


def _write_audio(folder: Path, place: str, clip: Clip, keys: Mapping[str, str]) -> dict[str, str]:
    """Write the versions of an utterance and return their paths as webMUSHRA sees them, from its own root."""
    import soundfile

    os.makedirs(folder / place, exist_ok=True)
    paths = {}
    for name, samples in clip.versions.items():
        file = f"{place}/{keys[name]}.wav"
        with beside(folder / file) as unfinished:
            try:
                soundfile.write(unfinished, samples, clip.rate, format="WAV", subtype="PCM_16")
            except soundfile.SoundFileError as error:
                raise OSError(errno.EIO, "audio cannot be written") from error
        paths[name] = f"configs/{file}"
    return paths


def _page(utterance: str, paths: Mapping[str, str], protocol: Basis, clip: Clip, notes: list[str]) -> dict[str, Any]:
    anchors = {key: protocol.cutoff is None or hertz < protocol.cutoff for key, hertz in _ANCHORS.items()}
    count = len(paths) + sum(anchors.values())  # the hidden reference takes the reference's place
    seconds = len(clip.versions[REFERENCE]) / clip.rate
    if count > _MOST_CONDITIONS:
        notes.append(
            f"{count} conditions a page: BS.1534 asks for {_MOST_CONDITIONS} at the most; take fewer upscalers"
        )
    if seconds > _LONGEST_SECONDS:
        notes.append(f"{utterance} takes {seconds:.1f} s: BS.1534 asks for {_LONGEST_SECONDS:g} s at the most")
    return {
        "type": "mushra",
        "id": Path(paths[REFERENCE]).parent.name,
        "name": escape(utterance),  # webMUSHRA shows it as HTML
        "content": _CONTENT,
        "showWaveform": True,
        "enableLooping": True,
        "strict": count <= _MOST_CONDITIONS and seconds <= _LONGEST_SECONDS,
        "randomize": True,
        "showConditionNames": False,
        "reference": paths[REFERENCE],
        **anchors,
        "stimuli": {Path(path).stem: path for name, path in paths.items() if name != REFERENCE},
    }


def _finish() -> dict[str, Any]:
    return {
        "type": "finish",
        "name": "Thank you",
        "content": "Thank you for listening.",
        "showResults": True,
        "writeResults": True,
    }


def _yaml(document: Mapping[str, Any], indent: str = "") -> list[str]:
    """Return mappings and lists of mappings as block YAML, every scalar as in JSON.

    webMUSHRA's parser does not read a mapping in braces that goes over several lines, which JSON of this size would.
    """
    found = []
    for key, value in document.items():
        if isinstance(value, Mapping):
            found += [f"{indent}{key}:", *_yaml(value, indent + "    ")]
        elif isinstance(value, list):
            found.append(f"{indent}{key}:")
            for each in value:
                first, *rest = _yaml(each, indent + "      ")
                found += [f"{indent}    - {first.strip()}", *rest]
        else:
            found.append(f"{indent}{key}: {json.dumps(value)}")
    return found
