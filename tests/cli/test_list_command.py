"""``srbench list``: every kind as text and as one JSON document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from kit import Cli, refused

from srbench import signature
from srbench.corpora import split_names
from srbench.degradation import KINDS
from srbench.metrics import METRICS
from srbench.protocols import load_protocol, protocol_names

COMMAND = "list"
NAMES = {
    "protocols": protocol_names(),
    "metrics": list(METRICS),
    "splits": split_names(),
    "degradations": list(KINDS),
}


def entries(cli: Cli, kind: str, *more: object, said: str = "") -> dict[str, Any]:
    status, out, err = cli(kind, "--json", *more)
    assert (status, err) == (0, said)
    document = json.loads(out)
    assert list(document) == [kind]
    return {entry["name"]: entry for entry in document[kind]}


@pytest.mark.parametrize("kind", NAMES)
def test_all_names_are_listed(kind: str, cli: Cli) -> None:
    assert list(entries(cli, kind)) == list(NAMES[kind])
    status, out, err = cli(kind)
    assert (status, err) == (0, "")
    if kind == "protocols":  # a table: a row each between its head and a line about the rest
        assert [line.split()[0] for line in out.splitlines()[1:-2]] == NAMES[kind]
    else:
        assert [line for line in out.splitlines() if not line.startswith(" ")] == list(NAMES[kind])


def test_protocols_have_title_source_and_signature(cli: Cli) -> None:
    for name, entry in entries(cli, "protocols").items():
        assert entry["signature"] == str(load_protocol(name).signature())
        assert entry["title"]
        assert entry["source"]
        assert "snr" in entry["metrics"].split(", ")


def test_protocols_by_their_rates(cli: Cli) -> None:
    found = entries(cli, "protocols", "--rates", "8000,16000")
    assert "vctk-test8-8k-16k" in found
    assert {(load_protocol(name).low_rate, load_protocol(name).high_rate) for name in found} == {(8000, 16000)}
    assert "vctk-p239-r6" in entries(cli, "protocols", "--rates", "8000/3,16000")
    refused(cli("protocols", "--rates", "8000,17000"), "8000,16000")
    refused(cli("protocols", "--rates", "8000"), "--rates")


def test_one_protocol(cli: Cli) -> None:
    status, out, err = cli("protocols", "vctk-test8-8k-16k")
    assert (status, err) == (0, "")
    for part in ("2937", "8 to 16 kHz", "AP-BWE", str(load_protocol("vctk-test8-8k-16k").signature())):
        assert part in out
    refused(cli("protocols", "vctk-test8-8k-16"), "vctk-test8-8k-16k")
    refused(cli("metrics", "snr"), "protocols")


def test_metrics_depend_on_the_sample_rate(cli: Cli) -> None:
    default, high = entries(cli, "metrics"), entries(cli, "metrics", "--sample-rate", 48000)
    for listed, rate in ((default, 16000), (high, 48000)):
        for name in ("snr", "lsd", "stoi"):
            assert listed[name]["signature"] == str(METRICS[name].signature(rate, rate / 4))
    assert default["lsd"]["signature"] != high["lsd"]["signature"]
    assert "higher is better" in default["snr"]["facts"]
    assert "lower is better" in default["lsd"]["facts"]


def test_metric_that_is_not_defined_at_the_rate_says_so(cli: Cli) -> None:
    assert "4000" in entries(cli, "metrics", "--sample-rate", 4000)["pesq"]["signature"]


@pytest.mark.parametrize("rate", ["0", "-1"])
def test_sample_rate_that_is_none(rate: str, cli: Cli) -> None:
    status, out, err = cli("metrics", "--sample-rate", rate)
    assert (status, out) == (2, "")
    assert "--sample-rate" in err


def test_splits_tell_counts_checksums_and_shared_speakers(cli: Cli) -> None:
    listed = entries(cli, "splits")
    assert "test 2937 utterances, sha256 e352fd5b" in listed["vctk-test8"]["sides"]
    assert "train 40936 utterances, sha256 11670e5c" in listed["vctk-test8"]["sides"]
    assert listed["vctk-test8"]["speakers"] == "no speaker stands on two sides"
    assert listed["vctk-speaker1"]["speakers"] == "the sides share speakers: p225"


def test_degradations_have_their_own_words_and_signature(cli: Cli) -> None:
    listed = entries(cli, "degradations")
    assert len({entry["description"] for entry in listed.values()}) == len(listed)
    for name, entry in listed.items():
        assert dict(signature.parse(entry["signature"]).fields)["kind"] == name


def test_upscalers_tell_where_they_come_from(cli: Cli) -> None:
    listed = entries(cli, "upscalers")
    assert {"hold", "linear", "spline", "sinc", "replicate"} <= set(listed)
    assert "srbench_baselines.interpolation:spline" in listed["spline"]["origin"]
    assert "spline" in listed["spline"]["description"]
    status, out, _ = cli("upscalers")
    assert status == 0
    assert "(srbench_baselines.interpolation:spline)" in out


def test_upscalers_of_a_plugin(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "from srbench.upscaler import upscaler\n"
        '@upscaler()\ndef mine(low, low_rate, high_rate):\n    """My own."""\n    return low\n'
    )
    said = f"srbench: running code of plug-in {path}\n"
    mine = entries(cli, "upscalers", "--plugin", path, said=said)["mine"]
    assert mine == {"name": "mine", "description": "My own.", "origin": f"plug-in {path}"}
    status, out, err = cli("upscalers", "--plugin", tmp_path / "gone.py")
    assert (status, out) == (2, "")
    assert err.startswith("srbench: plug-in ")
    assert "running code" not in err


def test_another_package_is_listed_and_not_loaded(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "beta.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: beta\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[srbench.upscalers]\ncry = beta_module_that_is_not_there:cry\n")
    monkeypatch.syspath_prepend(tmp_path)
    listed = entries(cli, "upscalers")
    assert listed["cry"]["description"] == "(not loaded: its code is run only when it is asked for)"
    assert listed["cry"]["origin"] == "beta 1.2 (beta_module_that_is_not_there:cry)"
    assert "spline" in listed


def test_unknown_kind(cli: Cli) -> None:
    status, out, err = cli("upscaling")
    assert (status, out) == (2, "")
    assert "unknown kind 'upscaling'. Did you mean 'upscalers'?" in err
    assert len(err.splitlines()) == 1


def test_kind_that_is_missing_is_told_in_two_lines(cli: Cli) -> None:
    status, out, err = cli()
    assert (status, out) == (2, "")
    assert len(err.splitlines()) <= 2


@pytest.mark.parametrize("kind", ["protocol", "Metrics", "split"])
def test_a_kind_in_the_singular_or_with_a_capital_is_that_kind(kind: str, cli: Cli) -> None:
    status, out, _ = cli(kind)
    assert (status, out) == (0, cli(next(name for name in NAMES if name.startswith(kind.lower())))[1])


def test_a_kind_that_is_none_gets_the_nearest(cli: Cli) -> None:
    status, _, err = cli("protokols")
    assert (status, "Did you mean 'protocols'?" in err) == (2, True)
