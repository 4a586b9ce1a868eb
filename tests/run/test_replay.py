"""The signals behind a row, made again: the same estimate to the last bit, or a plain word why not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from made_runs import telling

from srbench import audio
from srbench.corpora import Corpus, Utterance, demo_corpus
from srbench.errors import SrbenchError
from srbench.metrics import METRICS
from srbench.protocols import Protocol, load_protocol
from srbench.run import Entrant, Run, entrant_of, make_plan, run_entrant, signals
from srbench.threads import single_threaded

PLUGIN = """
    import numpy as np
    from srbench.upscaler import upscaler

    @upscaler("noisy")
    def noisy(low, low_rate, high_rate):
        return low.repeat(4) + 0.01 * np.random.standard_normal(4 * len(low))

    @upscaler("picky")
    def picky(low, low_rate, high_rate):
        raise ValueError("no")
"""


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return load_protocol("demo")


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return demo_corpus()


def run_of(entrant: Entrant, folder: Path, protocol: Protocol, save_audio: bool = False) -> Run:
    return run_entrant(make_plan(protocol, metrics=("snr",), limit=2), entrant, folder, save_audio=save_audio)


@pytest.mark.parametrize(
    "entrant", [Entrant("spline"), Entrant("ceiling", anchor=True), Entrant("reference", anchor=True)]
)
def test_a_run_made_again_has_the_same_value(
    entrant: Entrant, protocol: Protocol, corpus: Corpus, tmp_path: Path
) -> None:
    run = run_of(entrant, tmp_path, protocol)
    again = entrant_of(run, protocol)
    assert again.anchor == entrant.anchor
    for record in run.records:
        with single_threaded():  # sums of several threads differ in the last digit
            made = signals(run, protocol, corpus, record.utterance, again)
            assert METRICS["snr"](made.reference, made.estimate, 16000) == record.values["snr"]
        assert len(made.reference) == len(made.estimate) == 4 * len(made.low) == record.samples
        assert not made.saved


def test_an_upscaler_that_draws_random_numbers_is_seeded_alike(
    protocol: Protocol, corpus: Corpus, plugin: Path, tmp_path: Path
) -> None:
    run = run_of(Entrant("noisy", plugins=(plugin,)), tmp_path, protocol, save_audio=True)
    entrant = entrant_of(run, protocol, [plugin])
    name = run.records[1].utterance
    kept = signals(run, protocol, corpus, name, None)
    assert kept.saved
    (run.folder / "audio" / f"{name}.wav").unlink()
    np.random.seed(5)  # noqa: NPY002
    made = signals(run, protocol, corpus, name, entrant)
    assert not made.saved
    np.testing.assert_array_equal(kept.estimate, made.estimate.astype(np.float32))
    with single_threaded():
        assert METRICS["snr"](made.reference, made.estimate, 16000) == run.records[1].values["snr"]


def test_what_is_not_what_it_was(protocol: Protocol, plugin: Path, tmp_path: Path) -> None:
    run = run_of(Entrant("noisy", plugins=(plugin,)), tmp_path, protocol)
    with pytest.raises(SrbenchError, match="unknown upscaler"):
        entrant_of(run, protocol)
    with pytest.raises(SrbenchError, match="No such file or directory"):
        entrant_of(run, protocol, [tmp_path / "absent.py"])
    other = tmp_path / "mine.py"
    other.write_text(dedent(PLUGIN).replace("0.01", "0.02"))
    with pytest.raises(SrbenchError, match="noisy is not the upscaler of this run: its sha256, source_sha256 differ"):
        entrant_of(run, protocol, [other])
    spline = run_of(Entrant("spline"), tmp_path, protocol)
    older = telling(spline, version="0", extra=1)
    with pytest.raises(SrbenchError, match="spline is not the upscaler of this run: its extra, version differ"):
        entrant_of(older, protocol)


def test_a_run_on_a_device_that_is_not_here(protocol: Protocol, tmp_path: Path) -> None:
    spline = run_of(Entrant("spline"), tmp_path, protocol)
    with pytest.raises(SrbenchError, match="takes no --device"):
        entrant_of(telling(spline, device="cuda"), protocol)


def test_what_cannot_be_made(protocol: Protocol, corpus: Corpus, plugin: Path, tmp_path: Path) -> None:
    run = run_of(Entrant("spline"), tmp_path, protocol)
    name = run.records[0].utterance
    with pytest.raises(SrbenchError, match=f"{run.folder.name} kept no audio of {name}"):
        signals(run, protocol, corpus, name, None)
    with pytest.raises(SrbenchError, match=f"utterance 'x' is not in {run.folder}"):
        signals(run, protocol, corpus, "x", None)
    with pytest.raises(SrbenchError, match=f"utterance '{name}' is not in {corpus.root}"):
        signals(run, protocol, replace(corpus, utterances=()), name, None)
    first = corpus.utterances[0]
    swapped = (Utterance(first.id, first.speaker, corpus.utterances[1].path),)
    with pytest.raises(SrbenchError, match=r"is not the recording that .* scored \(SHA-256 differs\)"):
        signals(run, protocol, replace(corpus, utterances=swapped), name, None)


def test_a_row_that_failed(protocol: Protocol, corpus: Corpus, plugin: Path, tmp_path: Path) -> None:
    run = run_of(Entrant("picky", plugins=(plugin,)), tmp_path, protocol)
    with pytest.raises(SrbenchError, match="failed on demo1_001: upscaler picky raised ValueError: no"):
        signals(run, protocol, corpus, "demo1_001", entrant_of(run, protocol, [plugin]))


@pytest.mark.parametrize(("samples", "rate"), [(100, 16000), (59520, 8000)])
def test_kept_audio_of_something_else(
    samples: int, rate: int, protocol: Protocol, corpus: Corpus, tmp_path: Path
) -> None:
    run = run_of(Entrant("spline"), tmp_path, protocol, save_audio=True)
    audio.write(run.folder / "audio" / "demo1_001.wav", np.zeros(samples), rate)
    with pytest.raises(SrbenchError, match="is not the estimate of demo1_001: another rate or length"):
        signals(run, protocol, corpus, "demo1_001", None)
