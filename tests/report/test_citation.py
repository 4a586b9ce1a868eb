"""The sentences and references of a paper: every key has an entry, and what is told is what the runs tell."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from made_runs import made_manifest

from srbench.metrics import METRICS
from srbench.protocols import load_protocol, protocol_names
from srbench.report.bibliography import bibtex, entries, key_of_corpus
from srbench.report.citation import Measured, keys_of, measured_by, sentences
from srbench.run import Record, Run
from srbench.signature import short


def measured(protocol: str = "vctk-test8-8k-48k", **told: object) -> Measured:
    loaded = load_protocol(protocol)
    metrics = {name: str(METRICS[name].signature(loaded.high_rate, loaded.cutoff)) for name in ("snr", "lsd", "stoi")}
    values = {"n": 2937, "expected": 2937, "speakers": 8, "resampled": "speakers", "systems": 2}
    versions = {"srbench": "0.1.0", "pystoi": "0.4.1"}
    return Measured(protocol, str(loaded.signature()), metrics, versions=versions, **(values | told))


def test_every_key_of_metrics_and_protocols_has_an_entry():
    asked = {metric.cite for metric in METRICS.values()} | {load_protocol(name).cite for name in protocol_names()}
    assert asked - {""} <= entries().keys()
    assert all(load_protocol(name).cite for name in protocol_names())
    assert {key_of_corpus(load_protocol(name).corpus) for name in protocol_names()} - {""} <= entries().keys()


@pytest.mark.parametrize("key", entries())
def test_entries_are_whole(key: str):
    entry = entries()[key]
    assert entry.count("{") == entry.count("}")
    assert {"title", "author"} <= set(re.findall(r"^  (\w+) *=", entry, re.MULTILINE)) or "institution" in entry
    assert re.search(r"^  year +=", entry, re.MULTILINE)


def test_the_sentences_tell_what_was_measured():
    told = sentences(measured())
    for part in ("n = 2937 utterances by 8 speakers", "vctk-0.92-mic1", "vctk-test8", "8 to 48 kHz", "windowed-sinc"):
        assert part in told
    for signature in (measured().signature, *measured().metrics.values()):
        assert short(signature) in told
    assert "pystoi 0.4.1" in told
    assert "Holm" in told
    assert "n = 37 of 2937 utterances" in sentences(measured(n=37))


def test_one_system_is_compared_with_nobody():
    assert "Holm" not in sentences(measured(systems=1))


def test_keys_are_those_of_the_sentences():
    keys = keys_of(measured())
    assert keys == ["srbench", "yamagishi2019vctk", "lu2024apbwe", "lee2021nuwave", "taal2011stoi"]
    cited = {
        key for told in re.findall(r"\\cite\{([^}]*)\}", sentences(measured(), "latex")) for key in told.split(",")
    }
    assert cited == set(keys)
    assert set(re.findall(r"^@\w+\{([^,]+),", bibtex(keys), re.MULTILINE)) == set(keys)
    assert "% no entry for the key strangers2020" in bibtex(["strangers2020"])


def test_names_from_outside_are_escaped():
    strange = replace(measured(), protocol="50%_of_it", signature="PROTOCOL|corpus:a_b%c|v:1")
    told = sentences(strange, "latex")
    assert r"50\%\_of\_it" in told
    assert r"a\_b\%c" in told
    assert "lu2024apbwe" not in keys_of(strange)  # of another's protocol nothing is known


def test_a_protocol_of_the_same_name_is_not_taken_for_ours():
    assert "lu2024apbwe" not in keys_of(replace(measured(), signature="PROTOCOL|low:4000|high:48000|v:1"))


def test_runs_tell_their_speakers_and_not_the_anchors():
    records = tuple(Record(f"{speaker}/1", speaker, "f", "s", values={"snr": 1.0}) for speaker in "ab")
    run = Run(Path("x"), made_manifest(utterances={"n": 2}, split={"expected": 9}), records)
    anchor = Run(Path("y"), made_manifest(upscaler={"name": "reference", "kind": "anchor"}), records)
    found = measured_by([run, anchor])
    assert (found.n, found.expected, found.speakers, found.resampled, found.systems) == (2, 9, 2, "speakers", 1)
