"""A plug-in's metric is described by its signature to whoever does not have the plug-in."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

import pytest

from srbench.errors import SrbenchError
from srbench.metrics import METRICS, Metric, describe, forget_plugins, get_metric, metric
from srbench.metrics.declaration import described
from srbench.signature import parse

RATE = 16000
GOOD = "MINE|from:own.py|label:Mine|unit:dB|better:lower|range:0..9|hears:4000|digits:.1f|src:0|sr:16000|v:1"


@pytest.fixture(autouse=True)
def nothing_known_afterwards() -> Iterator[None]:
    yield
    forget_plugins()


def made(**declared: object) -> Metric:
    @metric("mine", **{"better": "lower", **declared})  # type: ignore[arg-type]
    def mine(reference: object, estimate: object, sample_rate: int) -> float:
        return 0.0

    return mine


@pytest.mark.parametrize(
    "declared",
    [
        {},
        {"better": "higher", "unit": "dB SPL", "range": (-10, 35.5), "hears": 3400.5, "digits": ".2e"},
        {"label": """a|b, "c" 'd' %20 <b>é</b>""", "range": (-inf, 1e-9)},
    ],
)
def test_signature_says_all_that_a_reader_needs(declared: dict[str, object]) -> None:
    one = made(**declared)
    text = str(one.signature(RATE))
    assert str(parse(text)) == text
    other = described("mine", text)
    assert other is not None
    for key in ("name", "label", "unit", "better", "range", "digits"):
        assert getattr(other, key) == getattr(one, key), key
    assert [other.hears(rate) for rate in (4000, RATE, 192000)] == [one.hears(rate) for rate in (4000, RATE, 192000)]
    assert one.home in other.home
    assert one.home in other.title


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("better:lower", "better:up"),
        ("range:0..9", "range:9..0"),
        ("range:0..9", "range:0"),
        ("range:0..9", "range:0..nan"),
        ("digits:.1f", "digits:999999999.2f"),
        ("unit:dB", "unit:"),
        ("unit:dB", "unit:a%0Ab"),
        ("hears:4000", "hears:-1"),
        ("hears:4000", "hears:low"),
        ("|label:Mine", ""),
        ("from:own.py", "of:own.py"),
        ("|from", "|no field|from"),
    ],
)
def test_signature_that_does_not_describe_a_metric_makes_none_known(old: str, new: str) -> None:
    text = GOOD.replace(old, new)
    assert described("mine", GOOD)
    assert text != GOOD
    assert described("mine", text) is None
    describe({"mine": text})
    assert "mine" not in METRICS


@pytest.mark.parametrize("name", ["n", "upscaler", "=1", "a b", "größe", ""])
def test_name_that_cannot_be_is_not_described(name: str) -> None:
    assert described(name, GOOD) is None


def test_metric_that_is_only_described_is_known_but_not_listed_and_says_whose_it_is() -> None:
    describe({"mine": GOOD, "snr": str(METRICS["snr"].signature(RATE))})
    assert get_metric("mine").label == "Mine"
    assert "mine" not in list(METRICS)
    with pytest.raises(SrbenchError, match=r"mine .*own\.py.* --plugin"):
        get_metric("mine").define(RATE, None)


@pytest.mark.parametrize("change", [("better:lower", "better:higher"), ("unit:dB", "unit:1")])
def test_one_name_of_two_metrics_is_refused(change: tuple[str, str]) -> None:
    describe({"mine": GOOD})
    describe({"mine": GOOD.replace("src:0", "src:1")})
    with pytest.raises(SrbenchError, match=r"'mine' of own\.py"):
        describe({"mine": GOOD.replace(*change)})


def test_name_of_ours_is_not_described_as_another() -> None:
    with pytest.raises(SrbenchError, match=r"'snr' of own\.py .* srbench"):
        describe({"snr": GOOD})
