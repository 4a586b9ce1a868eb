"""What the header of a column says: a metric, in the words that people use for it, or what else is there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from srbench.lint.grid import plain_text
from srbench.lint.number import SUPERSCRIPTS
from srbench.metrics import METRICS

LSD_CONVENTIONS = {m.convention: m.name for m in METRICS.values() if m.family == "lsd"}
ROLES = ("n", "model", "group", "other")

METRIC_KEYS = {
    key: metric.name
    for metric in METRICS.values()
    for key in (re.sub(r"[\W_]+", "", metric.name), *metric.also.split())
}
_ROLE_WORDS = {
    "n": "n utterances utts utt files clips samples count numutterances numfiles nutterances nfiles",
    "model": "model models method methods system systems upscaler network name approach algorithm",
    "group": (
        "dataset data corpus split testset set protocol rate inputrate input sr inputsr targetsr target lowrate "
        "highrate samplerate samplingrate scale r ratio factor kind source scalefactor upscalingratio upscalingfactor "
        "upsamplingratio upsamplingfactor cutoff bandwidth task condition setting speaker filter degradation"
    ),
}
# beside the name of a metric they make another quantity of it
_NOT_THE_METRIC = {
    *("improvement", "improved", "gain", "delta", "δ", "diff", "difference", "change", "reduction", "loss", "error"),
    *("std", "sd", "stdev", "se", "sem", "ci", "interval", "variance", "var", "median", "min", "max", "best", "worst"),
    *("weight", "rank", "p", "n", "count", "unit", "paired", "over", "draws", "signature", "ci95", "lower", "upper"),
}
ROLE_KEYS = {word: role for role, words in _ROLE_WORDS.items() for word in words.split()}
HEADER_FACTOR = re.compile(r"[×x*]\s*1(0{2,6})\b", re.IGNORECASE)
HEADER_POWER = re.compile(r"(?:[×x]\s*)?(?:10\^?([-+]?\d{1,2})|\b1e([-+]?\d{1,2}))(?!\d)")


class Heading(NamedTuple):
    """A metric's name or a role, the convention that the header states, and what else it says (``VCTK``, ``2x``)."""

    name: str
    convention: str | None = None
    setting: str = ""


def fold(header: str) -> str:
    """Return a header in the form in which two are compared."""
    return " ".join(plain_text(header).casefold().split())


def recognise(header: str, given: Mapping[str, str]) -> Heading:
    """Return what a header says; ``given`` are the folded headers that the caller explains."""
    if fold(header) in given:
        return Heading(given[fold(header)])
    printed = re.sub(r"[↑↓#]", " ", header.translate(SUPERSCRIPTS))
    printed = HEADER_POWER.sub(" ", HEADER_FACTOR.sub(" ", printed))
    words = printed.casefold()
    aside = " ".join(re.findall(r"[\(\[]([^()\[\]]*)[\)\]]", words))
    plain = re.sub(r"[\(\[][^()\[\]]*[\)\]]?", " ", printed)
    key = _key(re.sub(r"\b(mean|avg|average)\b", "", plain.casefold().replace("_", " ")))
    inner = _key(aside)
    if "mse" in key and inner == "db":
        return Heading("other")
    for base in (key + inner, key, key.removesuffix("db")):
        if base in METRIC_KEYS:
            return Heading(METRIC_KEYS[base], _stated_convention(METRIC_KEYS[base], base, inner))
    if key in ROLE_KEYS:
        return Heading(ROLE_KEYS[key])
    if inner in METRIC_KEYS:  # 'Ours (LSD)'
        return Heading(METRIC_KEYS[inner], None, " ".join(plain.split()))
    return _with_setting(plain, inner)


def _key(words: str) -> str:
    return re.sub(r"[\W_]+", "", words)


def _with_setting(header: str, inner: str) -> Heading:
    """Return the metric that a header names before or behind other words, and those words."""
    tokens = re.split(r"[\s_@:,/]+", header.strip())
    folded = [token.casefold().strip(".") for token in tokens]
    if not _NOT_THE_METRIC.isdisjoint(folded) or len(tokens) > 6:
        return Heading("other")
    for length in range(min(4, len(tokens) - 1), 0, -1):
        for part, rest in ((folded[-length:], tokens[:-length]), (folded[:length], tokens[length:])):
            name = METRIC_KEYS.get(_key("".join(part)))
            if name:
                setting = " ".join(rest)
                return Heading(name, _stated_convention(name, _key("".join(part)), inner or _key(setting)), setting)
    return Heading("other")


def _stated_convention(metric: str, key: str, inner: str) -> str | None:
    if metric.startswith("lsd"):
        if key.removeprefix("lsd") in LSD_CONVENTIONS:
            return key.removeprefix("lsd")
        return inner if inner in LSD_CONVENTIONS or inner.startswith(("log", "ln")) else None
    if metric.startswith("pesq"):
        return "wb" if "wb" in key + inner else "nb" if "nb" in key + inner else None
    return None
