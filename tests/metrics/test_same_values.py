"""The whole set, measured together, has the values of pesq, pystoi and librosa called one after the other: to 1e-9."""

from __future__ import annotations

import os

import numpy as np
import pytest

from srbench import audio
from srbench.audit.signals import voice
from srbench.corpora import demo_corpus, open_corpus
from srbench.metrics import METRICS, Pair, define, measure_all

WHOLE = [name for name in METRICS if name not in ("visqol", "dnsmos")]


def recordings(rate: int) -> list[np.ndarray]:
    utterances = demo_corpus().utterances[:2]
    if "SRBENCH_VCTK" in os.environ:
        found = open_corpus(os.environ["SRBENCH_VCTK"]).utterances
        utterances += tuple(each for each in found if audio.info(each.path).sample_rate >= rate)[:3]
    return [audio.resample(samples, own, rate)[: 4 * rate] for samples, own in (audio.read(u.path) for u in utterances)]


def estimates(reference: np.ndarray, rate: int) -> list[np.ndarray]:
    low = audio.resample(audio.resample(reference, rate, 8000), 8000, rate)
    low = np.pad(low, (0, max(0, len(reference) - len(low))))[: len(reference)]
    return [low, 0.7 * reference + 0.01 * np.random.default_rng(0).standard_normal(len(reference))]


@pytest.mark.parametrize("rate", [16000, 44100])
def test_of_the_whole_set(rate):
    librosa = pytest.importorskip("librosa")
    from pesq import pesq
    from pystoi import stoi

    definitions = define(WHOLE, rate, 4000.0)
    for reference in recordings(rate):
        for estimate in estimates(reference, rate):
            values, undefined = measure_all(Pair(reference, estimate, rate, 4000.0), definitions)
            assert not undefined
            at_16 = [audio.resample(signal, rate, 16000) for signal in (reference, estimate)]
            logs = [
                np.log10(np.maximum(np.abs(librosa.stft(x, n_fft=2048, hop_length=512, pad_mode="reflect")) ** 2, 1e-8))
                for x in (reference, estimate)
            ]
            theirs = {
                "pesq": pesq(16000, *at_16, "wb"),
                "pesq_nb": pesq(16000, *at_16, "nb"),
                "stoi": stoi(reference, estimate, rate),
                "estoi": stoi(reference, estimate, rate, extended=True),
                "lsd": float(np.sqrt(((logs[0] - logs[1]) ** 2).mean(axis=0)).mean()),
            }
            assert {name: values[name] for name in theirs} == pytest.approx(theirs, abs=1e-9, rel=0)


@pytest.mark.parametrize("n", [3000, 16001])
@pytest.mark.parametrize("cutoff", [None, 2000.0])
def test_together_as_alone(n, cutoff):
    """What is measured in one pass with others has the value that it has by itself, to the last bit."""
    reference = voice(n, 16000, 3)
    estimate = reference + 0.01 * np.random.default_rng(1).standard_normal(n)
    names = [name for name in WHOLE if n > 8000 or not name.startswith(("pesq", "stoi", "estoi"))]
    definitions = define([name for name in names if cutoff or name not in ("lsd_hf", "lsd_lf")], 16000, cutoff)
    together, _ = measure_all(Pair(reference, estimate, 16000, cutoff), definitions)
    alone = {name: each.measure(Pair(reference, estimate, 16000, cutoff)) for name, each in definitions.items()}
    assert together == alone


def test_what_is_undefined_together_is_undefined_alone():
    definitions = define(["snr", "lsd", "lsd_nvsr"], 16000, None)
    values, undefined = measure_all(Pair(np.zeros(4000), np.ones(4000), 16000), definitions)
    assert values == {}
    assert undefined["lsd"] == undefined["lsd_nvsr"] == "the reference is silent: LSD is undefined"
    short = np.random.default_rng(0).standard_normal(1000)
    values, undefined = measure_all(Pair(short, -short, 16000), definitions)
    assert set(values) == {"snr", "lsd_nvsr"}
    assert undefined == {"lsd": "1000 samples are too short for an LSD with n_fft 2048"}
