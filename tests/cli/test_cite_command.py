"""``srbench cite`` and ``srbench signature``: sentences, references, and the way back from a short signature."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kit import Cli, refused

from srbench.metrics import METRICS
from srbench.protocols import load_protocol
from srbench.signature import parse, short

RESULTS = Path(__file__).parents[1] / "data" / "0.1.0" / "results" / "short"


def test_srbench_itself(cli: Cli):
    status, out, _ = cli("cite")
    assert status == 0
    assert out.startswith("@software{srbench,")


@pytest.mark.parametrize("format_", ["text", "markdown", "latex", "bibtex"])
def test_runs_give_sentences_and_references(cli: Cli, format_: str):
    status, out, err = cli("cite", RESULTS, "--format", format_)
    assert (status, err) == (0, "")
    assert ("@software{srbench," in out) == (format_ != "latex")
    assert ("We evaluate with" in out) == (format_ != "bibtex")
    assert (r"\cite{srbench}" in out) == (format_ == "latex")


def test_json_holds_the_same(cli: Cli):
    status, out, _ = cli("cite", RESULTS, "--metric", "snr", "--json")
    told = json.loads(out)
    assert status == 0
    assert "SNR-" in told["paragraphs"][0]["sentences"]
    assert set(told["bibtex"]) == {"srbench"}


def test_a_metric_that_is_not_there(cli: Cli):
    refused(cli("cite", RESULTS, "--metric", "dnsmos"), "dnsmos")


def test_short_signatures_lead_back(cli: Cli):
    protocol = load_protocol("vctk-test8-16k-48k")
    for signature in (protocol.signature(), METRICS["lsd_hf"].signature(protocol.high_rate, protocol.cutoff)):
        status, out, _ = cli("signature", short(signature), "--json")
        assert status == 0
        assert json.loads(out)["signature"] == str(signature)
        assert json.loads(out)["fields"] == dict(signature.fields)


def test_short_signatures_of_runs_lead_back(cli: Cli):
    scored = RESULTS.parent / "folder"
    manifest = json.loads((scored / "hold-b8d4c4a7" / "manifest.json").read_text())
    wanted = manifest["protocol_signature"]
    refused(cli("signature", short(wanted)), short(wanted))
    status, out, _ = cli("signature", short(wanted), scored)
    assert status == 0
    assert wanted in out


def test_a_whole_signature_gives_its_short_one(cli: Cli):
    status, out, _ = cli("signature", "SNR|v:1")
    assert status == 0
    assert out.splitlines()[0] == short(parse("SNR|v:1"))


def test_run_compare_and_publish_end_with_the_sentences(cli: Cli):
    runs = ("run", "--model", "linear", "--limit", "2", "--metric", "snr", "--no-anchors")
    status, out, _ = cli(*runs, "--model", "hold")
    assert status == 0
    assert "For your paper" in out
    folders = sorted(Path("results/demo").glob("*/"))
    told = json.loads(cli("compare", *folders, "--json")[1])["for_your_paper"]
    assert "n = 2 of 28 utterances" in told
    assert told in " ".join(out.split())
    status, out, _ = cli("publish", "--allow-partial", "--recheck", "0", "--json")
    assert status == 0
