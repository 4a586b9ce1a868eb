"""`srbench.plot`: figures that a notebook shows, and what is drawn into the caller's axes."""

from __future__ import annotations

from pathlib import Path

import pytest

import srbench

figure_module = pytest.importorskip("matplotlib.figure")
pytest.importorskip("seaborn")


@pytest.fixture(scope="module")
def results() -> list[srbench.Result]:
    return [srbench.evaluate(name, metrics=["snr", "lsd"], limit=4) for name in ("spline", "hold")]


def axes():
    return figure_module.Figure().subplots()


def test_figures_show_themselves_and_are_saved(results: list[srbench.Result], tmp_path: Path):
    figure = srbench.plot.distribution(results)
    assert figure._repr_png_()[:4] == b"\x89PNG"
    srbench.plot.save(figure, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize("by", ["upscaler", "speaker"])
def test_distribution_into_given_axes(results: list[srbench.Result], by: str):
    ax = axes()
    assert srbench.plot.distribution(results, metrics="lsd", by=by, ax=ax) is ax.get_figure()
    assert ax.get_xlabel().startswith("LSD")
    assert ax.has_data()
    with pytest.raises(srbench.SrbenchError, match="ax holds one metric, not 2"):
        srbench.plot.distribution(results, by=by, ax=ax)


def test_differences_into_given_axes(results: list[srbench.Result]):
    ax, comparison = axes(), srbench.compare(*results)
    assert comparison.plot(metrics="snr", ax=ax) is ax.get_figure()
    assert ax.get_ylabel() == "spline − hold, dB"
    offsets = sorted(y for points in ax.collections for _, y in points.get_offsets())
    assert offsets == pytest.approx(sorted(comparison.differences("snr")["difference"]))
    assert len(comparison.plot().axes) == 2


@pytest.mark.parametrize("kind", ["spectrogram", "spectrum", "lsd"])
def test_one_utterance(results: list[srbench.Result], kind: str):
    ax = axes()
    assert results[0].plot(kind, utterance="demo1_002", ax=ax) is ax.get_figure()
    assert "kHz" in ax.get_xlabel() + ax.get_ylabel()
    assert results[0].plot(kind)._repr_png_()


def test_kinds_and_names_are_checked(results: list[srbench.Result]):
    with pytest.raises(srbench.SrbenchError, match="Did you mean 'spectrogram'"):
        results[0].plot("spectogram")
    with pytest.raises(srbench.SrbenchError, match="called 'reference'"):
        srbench.plot.spectrum({"a": results[0].signals().estimate}, 16000, cutoff=2000)
    with pytest.raises(srbench.SrbenchError, match="mapping"):
        srbench.plot.spectrogram(results[0].signals().estimate, 16000, cutoff=2000)
    with pytest.raises(srbench.SrbenchError, match="by is"):
        srbench.plot.distribution(results, by="utterance")
