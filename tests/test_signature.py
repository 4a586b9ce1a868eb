"""Signatures: read back what was written, refuse what a CSV field cannot hold, and leave no parameter out."""

from __future__ import annotations

import csv
import dataclasses
import io
from fractions import Fraction
from importlib import metadata, resources
from math import inf, isnan, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srbench.degradation import Brickwall, Iir, Sinc, Subsample
from srbench.errors import SrbenchError
from srbench.metrics import METRICS
from srbench.metrics.intelligibility import Stoi
from srbench.metrics.lsd import Lsd
from srbench.metrics.quality import Pesq
from srbench.protocols.protocol import load_protocol, protocol_names
from srbench.signature import Signature, differing_fields, of_fields, parse, value_text

thorough = settings(deadline=None, derandomize=True)
RATES = (8000, 16000, 44100, 48000)
FORBIDDEN = ["a b", "a,b", "a'b", 'a"b', "a|b", "a\tb", "a\nb", "a\u00a0b", "a\u2028b", " ", ","]


def texts(least: int, *, colon: bool) -> st.SearchStrategy[str]:
    alphabet = st.characters(exclude_categories=("Cs",), exclude_characters="|,\"'" + ("" if colon else ":"))
    return st.text(alphabet.filter(lambda c: not c.isspace()), min_size=least, max_size=12)


def signatures() -> st.SearchStrategy[Signature]:
    fields = st.lists(
        st.tuples(texts(1, colon=False), texts(0, colon=True)), max_size=6, unique_by=lambda field: field[0]
    )
    return st.builds(Signature, texts(1, colon=False), fields.map(tuple))


def metric_definitions():
    for metric in METRICS.values():
        if metric.extra:
            needed = {"visqol": "visqol-python", "dnsmos": "speechmos"}[metric.name]
            try:
                metadata.version(needed)
            except metadata.PackageNotFoundError:
                continue
        for rate in RATES:
            try:
                yield pytest.param(metric.define(rate, 1500.0), id=f"{metric.name}-{rate}")
            except SrbenchError:
                assert rate < 16000, f"{metric.name} should be defined at {rate} Hz"


DEGRADATIONS = [
    Iir(),
    Iir(phase="causal"),
    Iir("butter", order=6),
    Iir("ellip", order=6),
    Iir("bessel", order=2, cut=1.0),
    Subsample(),
    Brickwall(),
    Brickwall(1024, 256),
    Sinc(),
    Sinc("polyphase"),
    Sinc("hann"),
]


class TestText:
    @thorough
    @given(signatures())
    def test_parse_inverts_str(self, given_signature: Signature):
        assert parse(str(given_signature)) == given_signature

    def test_layout(self):
        assert str(Signature("NAME", (("b", "2"), ("a", "x:y"), ("c", "")))) == "NAME|b:2|a:x:y|c:"

    @thorough
    @given(signatures())
    def test_needs_no_quotes_in_csv(self, given_signature: Signature):
        line = io.StringIO(newline="")
        csv.writer(line, lineterminator="\n").writerow(["before", str(given_signature), "after"])
        assert line.getvalue() == f"before,{given_signature},after\n"

    @pytest.mark.parametrize("text", [*FORBIDDEN, "a:b", ""])
    def test_refuses_name(self, text: str):
        with pytest.raises(SrbenchError, match=r"cannot hold .* as a name or key"):
            Signature(text, ())

    @pytest.mark.parametrize("text", [*FORBIDDEN, "a:b", ""])
    def test_refuses_key(self, text: str):
        with pytest.raises(SrbenchError, match=r"cannot hold .* as a name or key"):
            Signature("NAME", (("fine", "1"), (text, "1")))

    @pytest.mark.parametrize("text", FORBIDDEN)
    def test_refuses_value(self, text: str):
        with pytest.raises(SrbenchError, match=r"cannot hold .* as the value of 'key'"):
            Signature("NAME", (("key", text),))

    def test_refuses_a_key_twice(self):
        with pytest.raises(SrbenchError, match="names a key twice: a, b, a"):
            Signature("NAME", (("a", "1"), ("b", "2"), ("a", "1")))

    @pytest.mark.parametrize("text", ["NAME|nocolon", "NAME|", "NAME||a:1"])
    def test_parse_refuses_a_field_without_colon(self, text: str):
        with pytest.raises(SrbenchError, match="is not 'key:value'"):
            parse(text)

    @pytest.mark.parametrize("text", ["", "|a:1", "NAME|a:1,2", "NAME|:1", "SNR of:power", "NAME|a:1|a:1"])
    def test_parse_refuses_what_str_cannot_give(self, text: str):
        with pytest.raises(SrbenchError, match=r"cannot hold|names a key twice"):
            parse(text)


class TestValueText:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (None, "none"),
            (True, "yes"),
            (False, "no"),
            (1e-8, "1e-8"),
            (1e-12, "1e-12"),
            (1e20, "1e20"),
            (1.5e300, "1.5e300"),
            (0.0, "0"),
            (10.0, "10"),
            (0.05, "0.05"),
            (2000.0, "2000"),
            (1234567.0, "1234567"),
            (2048, "2048"),
            (0, "0"),
            (-3, "-3"),
            (inf, "inf"),
            (-inf, "-inf"),
            (Fraction(8000, 3), "8000/3"),
            ("hann", "hann"),
            (4000 / 3, "1333.3333333333333"),
            (np.float64(0.1) + np.float64(0.2), "0.30000000000000004"),
        ],
    )
    def test_golden(self, value: object, text: str):
        assert value_text(value) == text

    @thorough
    @given(st.floats(allow_nan=False))
    def test_float_reads_back_to_the_same_float(self, value: float):
        assert float(value_text(value)) == value

    @thorough
    @given(st.floats(allow_nan=False).map(np.float64))
    def test_numpy_float_is_written_like_a_float(self, value: np.float64):
        assert value_text(value) == value_text(float(value))

    def test_nan(self):
        assert isnan(float(value_text(nan)))

    @thorough
    @given(st.floats(), st.text("abc", min_size=1))
    def test_is_always_a_legal_value(self, value: float, key: str):
        Signature("NAME", ((key, value_text(value)),))


class TestOfFields:
    def test_every_field_in_order_then_more(self):
        @dataclasses.dataclass(frozen=True)
        class Config:
            zeta: int = 1
            alpha: float = dataclasses.field(default=0.5, metadata={"key": "a"})
            flag: bool = True

        assert str(of_fields("X", Config(), v=3)) == "X|zeta:1|a:0.5|flag:yes|v:3"

    def test_refuses_more_that_repeats_a_field(self):
        with pytest.raises(SrbenchError, match="names a key twice"):
            of_fields("X", Stoi(), sr=1)


class TestDifferingFields:
    def test_equal(self):
        assert differing_fields(Stoi().signature(), str(Stoi().signature())) == []

    def test_a_value(self):
        found = differing_fields(Lsd().signature(), Lsd(log="e", sr=48000).signature())
        assert found == ["log 10 against e", "sr 16000 against 48000"]

    def test_name_and_absent_keys(self):
        assert differing_fields("A|x:1|y:2", "B|y:2|z:3") == [
            "name A against B",
            "x 1 against (absent)",
            "z (absent) against 3",
        ]

    @thorough
    @given(signatures(), signatures())
    def test_empty_exactly_when_name_and_values_agree(self, a: Signature, b: Signature):
        equal = a.name == b.name and dict(a.fields) == dict(b.fields)
        assert (differing_fields(a, b) == []) == equal
        assert len(differing_fields(a, b)) == len(differing_fields(b, a))


def assert_fit_for_csv(text: str) -> None:
    assert not set(text) & set(",\"' \t\r\n"), text
    assert str(parse(text)) == text


def assert_holds_all_fields(given_signature: Signature, definition: object) -> None:
    """All fields of the dataclass, under their keys, in their order and next to one another."""
    expected = [
        (field.metadata.get("key", field.name), value_text(getattr(definition, field.name)))
        for field in dataclasses.fields(definition)
    ]
    found = list(given_signature.fields)
    if expected:
        start = [key for key, _ in found].index(expected[0][0])
        found = found[start : start + len(expected)]
    else:
        found = []
    assert [key for key, _ in found] == [key for key, _ in expected]
    assert dict(found).items() - dict(expected).items() <= {("engine", "soxr-HQ"), ("engine", "polyphase-kaiser5")}


class TestMetrics:
    @pytest.mark.parametrize("definition", list(metric_definitions()))
    def test_shipped(self, definition):
        made = definition.signature()
        assert_fit_for_csv(str(made))
        assert_holds_all_fields(made, definition)
        assert made.fields[-1] == ("v", str(definition.VERSION))

    def test_different_metrics_have_different_signatures(self):
        for rate in (16000, 48000):
            texts = [str(m.signature(rate, 1500.0)) for m in METRICS.values() if not m.extra]
            assert len(set(texts)) == len(texts)

    def test_golden(self):
        assert str(METRICS["lsd"].signature(16000)) == (
            "LSD|log:10|of:power|nfft:2048|hop:512|win:hann|center:yes|pad:reflect|floor:max1e-8|eps:0"
            "|pool:rms_f.mean_t|band:full|clip:none|sr:16000|v:1"
        )
        assert str(METRICS["lsd_hf"].signature(16000, 2000)) == str(METRICS["lsd"].signature(16000)).replace(
            "band:full|clip:none|sr:16000", "band:above2000|clip:none|sr:16000|bins:256-1024"
        )
        assert str(METRICS["pesq"].signature(48000)) == (
            f"PESQ|mode:wb|in:48000|resample:soxr-HQ-16000|impl:pesq-{metadata.version('pesq')}|corrigendum2:no|v:1"
        )
        assert str(METRICS["snr"].signature(16000)) == "SNR|of:power|log:10log10|floor:none|v:1"

    @pytest.mark.parametrize(
        ("default", "others"),
        [
            (
                Lsd(),
                {
                    "log": "e",
                    "of": "magnitude",
                    "n_fft": 1024,
                    "hop": 256,
                    "center": False,
                    "pad": "zeros",
                    "floor": "add1e-8",
                    "eps": 1e-8,
                    "pool": "rms_t.mean_f",
                    "band": "above4000",
                    "clip": 10.0,
                    "sr": 48000,
                },
            ),
            (Stoi(), {"extended": True, "sr": 48000}),
            (Pesq(), {"mode": "nb", "sr": 48000}),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_each_parameter_shows(self, default, others: dict[str, object]):
        # "win" has one value only; a parameter that comes to a class must come to this list.
        assert {field.name for field in dataclasses.fields(default)} - set(others) <= {"win"}
        made = [dataclasses.replace(default, **{name: value}).signature() for name, value in others.items()]
        assert len({str(s) for s in [default.signature(), *made]}) == len(made) + 1
        for changed in made:
            assert differing_fields(default.signature(), changed)

    def test_rate_shows_in_the_resampling(self):
        for name in ("pesq", "pesq_nb", "stoi", "estoi"):
            fields = {rate: dict(METRICS[name].signature(rate).fields) for rate in (16000, 48000)}
            assert fields[48000]["resample"] != "none"
        assert dict(METRICS["pesq"].signature(16000).fields)["resample"] == "none"
        assert dict(METRICS["stoi"].signature(10000).fields)["resample"] == "none"
        assert dict(METRICS["stoi"].signature(16000).fields)["resample"] == "octave-10000"


class TestDegradations:
    @pytest.mark.parametrize("degradation", DEGRADATIONS, ids=str)
    @pytest.mark.parametrize("rates", [(16000, 4000), (44100, 8000), (16000, Fraction(8000, 3))], ids=str)
    def test_shipped(self, degradation, rates):
        made = degradation.signature(*rates)
        assert_fit_for_csv(str(made))
        assert_holds_all_fields(made, degradation)
        assert ("kind", degradation.kind) in made.fields

    def test_all_differ(self):
        texts = [str(degradation.signature(16000, 4000)) for degradation in DEGRADATIONS]
        assert len(set(texts)) == len(texts)


class TestProtocols:
    @pytest.mark.parametrize("name", protocol_names())
    def test_shipped(self, name: str):
        protocol = load_protocol(name)
        assert_fit_for_csv(str(protocol.signature()))
        keys = [key for key, _ in protocol.signature().fields]
        for key, _ in protocol.degradation.signature(protocol.high_rate, protocol.low_rate).fields:
            assert {"kind": "degradation"}.get(key, key) in keys
        for definition in protocol.define_metrics().values():
            assert_fit_for_csv(str(definition.signature()))

    def test_all_differ(self):
        texts = {name: str(load_protocol(name).signature()) for name in protocol_names()}
        assert len(texts) == len(set(texts.values()))
        assert len(texts) == len(list(resources.files("srbench.protocols").joinpath("named").iterdir())) > 0

    def test_names_what_is_put_in_place_of_its_own_corpus_and_split(self):
        protocol = load_protocol("demo")
        changed = protocol.signature(corpus="folder", split="mine.test.01234567")
        assert dict(changed.fields)["corpus"] == "folder"
        assert len(differing_fields(protocol.signature(), changed)) == 2


def test_what_differs_is_told_in_little_however_long_it_is() -> None:
    """A signature may come from a damaged file; its fields stand in messages of a line."""
    long = "[" * 50_000
    for one, two in [
        (f"A{long}|a:1", "A|a:1"),
        (f"A|a:{long}", "A|a:1"),
        (f"A|a:1|{long}:2", "A|a:1"),
        ("A|a:1", f"A|b{long}:1"),
    ]:
        for told in (differing_fields(one, two), differing_fields(two, one)):
            assert told
            assert all(len(text) < 500 for text in told)
