"""Protocols: all that are promised load, differ by signature, and a wrong file is refused with place, key and hint."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from srbench import signature
from srbench.errors import SrbenchError
from srbench.protocols import Protocol, load_protocol, protocol_names

NAMES = sorted(
    [
        "demo",
        *(f"vctk-speaker1{phase}-r{r}" for phase in ("", "-causal") for r in (2, 4, 6)),
        *(f"vctk-multispeaker-r{r}" for r in (2, 4, 6)),
        *(f"vctk-p239-r{r}" for r in (2, 4, 6)),
        *(f"vctk-test8-{k}k-16k" for k in (2, 4, 8)),
        *(f"vctk-test8-{k}k-48k" for k in (8, 12, 16, 24)),
        *(f"vctk-nvsr-{k}k" for k in (4, 8, 12, 16, 24)),
        *(f"vctk-nuwave-r{r}" for r in (2, 3)),
    ]
)
TEXT = """
title = "Mine"
corpus = "demo-1"
split = "demo"
side = "test"
low_rate = 4000
high_rate = 16000
metrics = ["snr", "lsd"]
{more}
[degradation]
{degradation}
"""
CHEBY1 = 'kind = "cheby1"'


def own(folder: Path, more: str = "", degradation: str = CHEBY1, replace: Mapping[str, str] | None = None) -> Path:
    text = TEXT.format(more=more, degradation=degradation)
    for line, other in (replace or {}).items():
        assert line in text
        text = text.replace(line, other)
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def text_of(protocol: Protocol) -> str:
    return str(protocol.signature())


def test_list_of_protocols() -> None:
    assert protocol_names() == NAMES


@pytest.fixture(scope="module")
def named() -> dict[str, Protocol]:
    return {name: load_protocol(name) for name in NAMES}


def test_signatures_are_different(named: dict[str, Protocol]) -> None:
    texts = {name: text_of(protocol) for name, protocol in named.items()}
    for a, b in itertools.combinations(NAMES, 2):
        assert signature.differing_fields(texts[a], texts[b]), f"{a} and {b} are the same"


@pytest.mark.parametrize("name", NAMES)
def test_named_protocol(name: str, named: dict[str, Protocol]) -> None:
    protocol = named[name]
    assert protocol.name == name
    assert protocol.title
    assert protocol.source
    assert protocol.cutoff == float(protocol.low_rate / 2)
    fields = dict(protocol.signature().fields)
    assert signature.parse(text_of(protocol)) == protocol.signature()
    split = protocol.load_split()
    assert fields["corpus"] == protocol.corpus == split.corpus
    assert fields["split"] == f"{split.name}.{protocol.side}.{split.checksum(protocol.side)[:8]}"
    assert (fields["low"], fields["high"]) == (str(protocol.low_rate), str(protocol.high_rate))
    definitions = protocol.define_metrics()
    assert tuple(definitions) == protocol.metrics
    assert {"snr", "lsd", "pesq", "stoi"} <= set(definitions)


def rates(name: str) -> tuple[Any, int]:
    return load_protocol(name).low_rate, load_protocol(name).high_rate


def test_rates_are_those_of_the_names() -> None:
    for family in ("speaker1", "speaker1-causal", "multispeaker", "p239"):
        for r in (2, 4, 6):
            assert rates(f"vctk-{family}-r{r}") == (Fraction(16000, r), 16000)
    for k in (2, 4, 8):
        assert rates(f"vctk-test8-{k}k-16k") == (1000 * k, 16000)
    for k in (8, 12, 16, 24):
        assert rates(f"vctk-test8-{k}k-48k") == (1000 * k, 48000)
    for k in (4, 8, 12, 16, 24):
        assert rates(f"vctk-nvsr-{k}k") == (1000 * k, 44100)
    for r in (2, 3):
        assert rates(f"vctk-nuwave-r{r}") == (48000 / r, 48000)
    assert rates("demo") == (4000, 16000)


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        ("vctk-speaker1", ("vctk-speaker1", "validation", "cheby1")),
        ("vctk-multispeaker", ("vctk-multispeaker", "validation", "subsample")),
        ("vctk-p239", ("vctk-p239", "validation", "cheby1")),
        ("vctk-test8", ("vctk-test8", "test", "sinc")),
        ("vctk-nvsr", ("vctk-test8", "test", "brickwall")),
        ("vctk-nuwave", ("vctk-nuwave", "validation", "brickwall")),
    ],
)
def test_each_family_has_its_split_and_degradation(
    family: str, expected: tuple[str, str, str], named: dict[str, Protocol]
) -> None:
    members = [protocol for name, protocol in named.items() if name.startswith(f"{family}-")]
    told = {(p.load_split().name, p.side, dict(p.signature().fields)["degradation"]) for p in members}
    assert told == {expected}


def test_causal_differs_from_zero_phase_in_nothing_else() -> None:
    for r in (2, 4, 6):
        zero, causal = (text_of(load_protocol(f"vctk-speaker1{phase}-r{r}")) for phase in ("", "-causal"))
        assert signature.differing_fields(zero, causal) == ["phase zero against causal"]


def test_demo_signature_is_this_one() -> None:
    """It stands beside published numbers: whoever changes it changes what they mean."""
    assert text_of(load_protocol("demo")) == (
        "PROTOCOL|corpus:demo-1|split:demo.test.3ad24fea|low:4000|high:16000|resample:soxr-HQ|trim:none|level:none"
        "|crop:whole-low-samples|degradation:cheby1|order:8|ripple:0.05|atten:none|cut:0.8|phase:zero|take:every4"
        "|precision:float64|v:1"
    )


def test_a_protocol_is_frozen() -> None:
    protocol = load_protocol("demo")
    with pytest.raises(dataclasses.FrozenInstanceError):
        protocol.high_rate = 48000  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        protocol.degradation.order = 4  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        protocol.load_split().sides["test"] = None  # type: ignore[index]
    assert hash(protocol) == hash(load_protocol("demo"))


def test_own_protocol_by_path(tmp_path: Path) -> None:
    protocol = load_protocol(own(tmp_path, "trim_top_db = 30\nlevel = 'peak'\nsource = 'me'"))
    assert (protocol.name, protocol.title, protocol.source) == ("mine", "Mine", "me")
    assert (protocol.trim_top_db, protocol.level, protocol.metrics) == (30, "peak", ("snr", "lsd"))
    assert str(load_protocol(str(tmp_path / "mine.toml")).signature()) == text_of(protocol)


def test_own_protocol_with_own_split_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "half.txt").write_text("demo1_001\ndemo1_002\n")
    (tmp_path / "lists" / "half.toml").write_text('corpus = "demo-1"\n[sides.test]\nids = "half.txt"\n')
    path = own(tmp_path, replace={'split = "demo"': 'split = "lists/half.toml"'})
    monkeypatch.chdir(tmp_path.parent)  # the split is looked for beside the protocol, not here
    protocol = load_protocol(path)
    assert protocol.load_split().ids("test") == ("demo1_001", "demo1_002")
    assert dict(protocol.signature().fields)["split"].startswith("half.test.")


def test_scale_without_whole_low_rate(tmp_path: Path) -> None:
    protocol = load_protocol(own(tmp_path, replace={"low_rate = 4000": 'low_rate = "16000/6"'}))
    assert protocol.low_rate == Fraction(8000, 3)
    assert "|low:8000/3|" in text_of(protocol)
    whole = load_protocol(own(tmp_path, replace={"low_rate = 4000": 'low_rate = "16000/4"'}))
    assert whole.low_rate == 4000
    assert isinstance(whole.low_rate, int)


VARIATIONS = {
    "order": 'kind = "cheby1"\norder = 7',
    "ripple": 'kind = "cheby1"\nripple_db = 0.05000001',
    "cut": 'kind = "cheby1"\ncut = 0.8000000000000002',
    "phase": 'kind = "cheby1"\nphase = "causal"',
    "butter": 'kind = "butter"',
    "bessel": 'kind = "bessel"',
    "ellip": 'kind = "ellip"',
    "ellip attenuation": 'kind = "ellip"\nattenuation_db = 61',
    "subsample": 'kind = "subsample"',
    "brickwall": 'kind = "brickwall"',
    "brickwall n_fft": 'kind = "brickwall"\nn_fft = 1024\nhop = 256',
    "brickwall n_fft 2": 'kind = "brickwall"\nn_fft = 2048\nhop = 256',
    "brickwall hop": 'kind = "brickwall"\nn_fft = 1024\nhop = 255',
    "sinc": 'kind = "sinc"',
    "polyphase": 'kind = "sinc"\nengine = "polyphase"',
    "polyphase width": 'kind = "sinc"\nengine = "polyphase"\nwidth = 11',
    "hann": 'kind = "sinc"\nengine = "hann"',
    "hann width": 'kind = "sinc"\nengine = "hann"\nwidth = 7',
    "hann rolloff": 'kind = "sinc"\nengine = "hann"\nrolloff = 0.98',
}


def test_any_change_of_the_degradation_changes_the_signature(tmp_path: Path) -> None:
    texts = {"default": text_of(load_protocol(own(tmp_path)))}
    for what, table in VARIATIONS.items():
        texts[what] = text_of(load_protocol(own(tmp_path, degradation=table)))
    for a, b in itertools.combinations(texts, 2):
        assert texts[a] != texts[b], f"{a} and {b} have one signature"


def test_spelt_out_defaults_do_not_change_the_signature(tmp_path: Path) -> None:
    spelt = 'kind = "cheby1"\norder = 8\nripple_db = 0.05\ncut = 0.8\nphase = "zero"'
    assert text_of(load_protocol(own(tmp_path, degradation=spelt))) == text_of(load_protocol(own(tmp_path)))


@pytest.mark.parametrize(
    ("more", "replace", "field"),
    [
        ("trim_top_db = 15", {}, "trim"),
        ('level = "peak"', {}, "level"),
        ("", {"low_rate = 4000": "low_rate = 8000"}, "low"),
        ("", {"high_rate = 16000": "high_rate = 24000"}, "high"),
    ],
)
def test_any_other_change_changes_the_signature(more: str, replace: dict[str, str], field: str, tmp_path: Path) -> None:
    before = text_of(load_protocol(own(tmp_path)))
    after = text_of(load_protocol(own(tmp_path, more, replace=replace)))
    assert field in {line.split()[0] for line in signature.differing_fields(before, after)}


def test_trims_that_differ_by_little_differ(tmp_path: Path) -> None:
    first, second = (text_of(load_protocol(own(tmp_path, f"trim_top_db = {db}"))) for db in ("15", "15.0000001"))
    assert first != second


def test_the_corpus_and_split_really_used_are_in_the_signature() -> None:
    protocol = load_protocol("demo")
    fields = dict(protocol.signature("folder", "all.12345678").fields)
    assert (fields["corpus"], fields["split"]) == ("folder", "all.12345678")


def test_unknown_name_and_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SrbenchError, match=r"unknown protocol 'vctk-test8-8k-49k'\. Did you mean 'vctk-test8-8k-48k'"):
        load_protocol("vctk-test8-8k-49k")
    with pytest.raises(SrbenchError, match=r"unknown protocol 'zzz'\. Known: demo, "):
        load_protocol("zzz")
    with pytest.raises(SrbenchError, match=r"nowhere\.toml: no such file"):
        load_protocol(tmp_path / "nowhere.toml")


FAULTS = [
    ('title = "Mine"', 'titel = "Mine"', "unknown key 'titel'. Did you mean 'title'?"),
    ('title = "Mine"', "", "title missing"),
    ('title = "Mine"', "title = 3", "title must be a text, not 3"),
    ("high_rate = 16000", "high_rate = 16000.0", "high_rate must be a whole number, not 16000.0"),
    ("high_rate = 16000", "high_rate = true", "high_rate must be a whole number, not True"),
    ("low_rate = 4000", "low_rate = 4000.5", "low_rate must be a whole number or a text, not 4000.5"),
    ("low_rate = 4000", 'low_rate = "many"', "low_rate must be a number of Hz or a text like"),
    ("low_rate = 4000", 'low_rate = "1/0"', "low_rate must be a number of Hz or a text like"),
    ("low_rate = 4000", "low_rate = 16000", "low_rate must be above 0 and below high_rate"),
    ("low_rate = 4000", "low_rate = 0", "low_rate must be above 0 and below high_rate"),
    ('metrics = ["snr", "lsd"]', 'metrics = "snr"', "metrics must be a list, not 'snr'"),
    ('metrics = ["snr", "lsd"]', "metrics = []", "metrics must be a list of different names"),
    ('metrics = ["snr", "lsd"]', 'metrics = ["snr", "snr"]', "metrics must be a list of different names"),
    ('metrics = ["snr", "lsd"]', "metrics = [1]", "metrics must be a list of different names"),
    ('metrics = ["snr", "lsd"]', 'metrics = ["snrr"]', "unknown metric 'snrr'. Did you mean 'snr'?"),
    ('split = "demo"', 'split = "demos"', "unknown split 'demos'. Did you mean 'demo'?"),
    ('split = "demo"', 'split = "gone.toml"', "gone.toml: no such file"),
    ('split = "demo"', 'split = "vctk-p239"', "side of split vctk-p239 'test'"),
    ('corpus = "demo-1"', 'corpus = "vctk-0.80"', "split demo is of corpus demo-1, not vctk-0.80"),
    ('side = "test"', 'side = "tset"', "unknown side of split demo 'tset'. Did you mean 'test'?"),
    ('side = "test"', 'side = "test"\nlevel = "loud"', "level must be none or peak, not 'loud'"),
    ('side = "test"', 'side = "test"\ntrim_top_db = 0', "trim_top_db must be above 0"),
    ('side = "test"', 'side = "test"\ntrim_top_db = "x"', "trim_top_db must be a number, not 'x'"),
    (CHEBY1, "order = 8", "a degradation needs a kind, one of: cheby1"),
    (CHEBY1, 'kind = "chebi1"', "unknown degradation 'chebi1'. Did you mean 'cheby1'?"),
    (CHEBY1, 'kind = "cheby1"\nodrer = 8', "unknown parameter of degradation cheby1 'odrer'. Did you mean 'order'?"),
    (CHEBY1, 'kind = "cheby1"\norder = "8"', "degradation cheby1: order cannot be '8'"),
    (CHEBY1, 'kind = "cheby1"\norder = 0', "order must be 1 to 20, not 0"),
    (CHEBY1, 'kind = "butter"\nripple_db = 1', "degradation butter has no ripple_db"),
    ("[degradation]", "degradation = 3\n[more]", "must be a table"),
    ('side = "test"', "side = ", "is not valid TOML"),
    # what would take all memory or time, or broke down later
    ("low_rate = 4000", 'low_rate = "1e999999999"', "low_rate must be a number of Hz or a text like"),
    ("low_rate = 4000", f"low_rate = {'9' * 5000}", "is not valid TOML: Exceeds the limit"),
    ("low_rate = 4000", f"low_rate = {'[' * 3000}", "is nested too deeply"),
    ("high_rate = 16000", "high_rate = 2147483648", "high_rate must be at most 1000000"),
    ('split = "demo"', 'split = "a\\u0000b.toml"', "must be a file in the folder of mine.toml"),
    ('split = "demo"', f'split = "{"x" * 300}.toml"', "cannot be read as a text file: File name too long"),
    ('title = "Mine"', f'title = "{"x" * 1_000_000}"', "larger than 1 MB"),
    ('side = "test"', 'side = "test"\ntrim_top_db = inf', "trim_top_db must be above 0 and at most 400"),
    (CHEBY1, 'kind = "cheby1"\nripple_db = 1e-320', "ripple_db must be 1e-06 to 300 dB"),
    (CHEBY1, f'kind = "cheby1"\ncut = 1{"0" * 400}', "cut must be 0.001 to 1"),
    (CHEBY1, 'kind = "brickwall"\nn_fft = 65536\nhop = 1', "n_fft 65536 and hop 1 do not make a transform"),
    (CHEBY1, 'kind = "sinc"\nengine = "hann"\nwidth = 1000000000', "width cannot be 1000000000"),
    (CHEBY1, 'kind = "sinc"\nengine = "hann"\nrolloff = 1e-9', "rolloff cannot be 1e-09"),
]


@pytest.mark.parametrize(("line", "other", "message"), FAULTS)
def test_wrong_file_is_refused_with_place_and_reason(line: str, other: str, message: str, tmp_path: Path) -> None:
    path = own(tmp_path, replace={line: other})
    with pytest.raises(SrbenchError) as refused:
        load_protocol(path)
    assert message in str(refused.value)
    assert "mine.toml" in str(refused.value)
    assert len(str(refused.value).splitlines()) <= 2
