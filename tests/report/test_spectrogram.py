"""Spectrograms: what is where on the axes, one colour scale, files in three formats."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srbench.audio import Samples
from srbench.corpora import demo_corpus
from srbench.errors import SrbenchError
from srbench.metrics import METRICS
from srbench.protocols import load_protocol
from srbench.report.figure import Upscaled, entrants_by_name, looks, save, upscale_utterance
from srbench.report.spectrogram import (
    RANGE_DB,
    Panel,
    draw_spectrograms,
    peak_db,
    spectrogram,
    utterance_panels,
    write_spectrogram_png,
)
from srbench.run import Entrant

pytest.importorskip("matplotlib")
pytest.importorskip("seaborn")


def tone(hertz: float, rate: float, seconds: float = 0.5, level: float = 1.0) -> Samples:
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def chirp(rate: int, seconds: float = 1.0) -> Samples:
    """From 1 kHz at the start to 5 kHz at 1 s."""
    time = np.arange(round(seconds * rate)) / rate
    return np.sin(2 * np.pi * (1000 * time + 2000 * time**2))


@given(st.floats(0.05, 0.45), st.sampled_from([4000, Fraction(8000, 3), 16000, 44100, 48000]), st.floats(0.01, 1))
def test_a_tone_stands_at_its_frequency_with_its_level_at_any_rate(part: float, rate: Fraction | int, level: float):
    hertz = part * float(rate)
    made = spectrogram(tone(hertz, float(rate), level=level), rate)
    middle = made.db[:, made.power.shape[1] // 2]
    assert abs(made.hertz[middle.argmax()] - hertz) <= 0.51 * made.bin_hz
    # between two bins a Hann window loses up to 1.43 dB
    assert -1.5 < middle.max() - 20 * np.log10(level) < 0.1


def test_a_click_stands_at_its_time():
    samples = np.zeros(16000)
    samples[12000] = 1.0
    made = spectrogram(samples, 16000)
    assert made.power.sum(axis=0).argmax() * made.hop == pytest.approx(0.75, abs=made.hop / 2)
    assert made.seconds == 1.0


def test_silence_has_a_peak_all_the_same():
    assert peak_db(np.zeros(16000), 16000) == -100
    assert peak_db(tone(1000, 16000), 16000) == pytest.approx(0, abs=0.01)


def test_too_short():
    with pytest.raises(SrbenchError, match="200 samples at 16000 Hz are too short"):
        spectrogram(np.ones(200), 16000)


def brightest(axis: object, column: float) -> tuple[float, float]:
    """Return (seconds, kHz) of the brightest pixel of a column, in the coordinates of the axis, as it is drawn."""
    (image,) = axis.images  # type: ignore[attr-defined]
    left, right, bottom, top = image.get_extent()
    assert (image.origin, left < right, bottom < top) == ("lower", True, True)
    values = np.asarray(image.get_array())
    rows, columns = values.shape
    x = int((column - left) / (right - left) * columns)
    y = int(values[:, x].argmax())
    return left + (x + 0.5) * (right - left) / columns, bottom + (y + 0.5) * (top - bottom) / rows


def test_axes_of_a_grid():
    low, high = tone(1000, 4000), tone(3000, 16000)
    panels = [Panel("low", low, 4000), *(Panel(f"up{i}", high, 16000) for i in range(5)), Panel("ref", high, 16000)]
    figure = draw_spectrograms(panels, peak_db(high, 16000), 8000, 2000, title="title")
    *axes, bar = [axis for axis in figure.axes if axis.get_visible()]
    assert [axis.get_title() for axis in axes] == [panel.title for panel in panels]
    assert bar.get_ylabel() == "dB from the reference's peak"
    assert bar.get_ylim() == (-RANGE_DB, 0)
    for axis in axes:
        assert (axis.get_xlim(), axis.get_ylim()) == ((0, 0.5), (0, 8))
        assert axis.images[0].get_clim() == (-RANGE_DB, 0)
        assert axis.images[0].get_cmap().name == "magma"
        (line,) = axis.lines
        assert list(line.get_ydata()) == [2, 2]
    assert brightest(axes[0], 0.25)[1] == pytest.approx(1, abs=0.001)
    assert brightest(axes[1], 0.25)[1] == pytest.approx(3, abs=0.001)
    assert axes[0].images[0].get_extent()[3] == pytest.approx(2, abs=0.05)  # the low-resolution signal ends there
    # four columns, two rows: below the fourth panel there is none, so it has the label
    assert [bool(axis.get_xlabel()) for axis in axes] == [False, False, False, True, True, True, True]
    assert [axis.get_xlabel() for axis in axes[3:]] == ["time (s)"] * 4
    assert [axis.get_ylabel() for axis in axes] == ["frequency (kHz)", "", "", "", "frequency (kHz)", "", ""]


def test_a_chirp_rises():
    samples = chirp(16000)
    figure = draw_spectrograms([Panel("chirp", samples, 16000)], peak_db(samples, 16000), 8000, 2000)
    for column in (0.2, 0.5, 0.8):
        seconds, khz = brightest(figure.axes[0], column)
        assert khz == pytest.approx(1 + 4 * seconds, abs=0.05)


def test_a_stretch():
    samples = chirp(16000)
    figure = draw_spectrograms([Panel("chirp", samples, 16000)], 0, 8000, 2000, span=(0.25, 0.5))
    assert figure.axes[0].get_xlim() == (0.25, 0.5)


@pytest.fixture(scope="module")
def made() -> Upscaled:
    protocol = load_protocol("demo")
    entrants = entrants_by_name([Entrant("spline"), Entrant("linear")], protocol)
    return upscale_utterance(demo_corpus().utterances[0], entrants, protocol)


def test_panels_of_an_utterance(made: Upscaled):
    panels, scores = utterance_panels(made, load_protocol("demo"))
    snr, lsd = (METRICS[name](made.reference, made.estimates["spline"], 16000) for name in ("snr", "lsd"))
    assert scores["spline"] == {"snr": snr, "lsd": lsd}
    assert [panel.title.split("\n")[0] for panel in panels] == [
        "low resolution, 4 kHz",
        "spline",
        "linear",
        "reference, 16 kHz",
    ]
    assert panels[1].title == f"spline\nSNR {snr:.2f} dB, LSD {lsd:.3f}"
    assert [panel.rate for panel in panels] == [4000, 16000, 16000, 16000]


def test_a_silent_reference_has_no_scores(made: Upscaled):
    silent = made._replace(reference=np.zeros_like(made.reference))
    panels, scores = utterance_panels(silent, load_protocol("demo"))
    assert scores == {"spline": {}, "linear": {}}
    assert panels[1].title == "spline\nSNR –, LSD –"


@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf", ".PNG"])
def test_files_are_the_same_every_time_and_the_callers_style_is_untouched(tmp_path: Path, made: Upscaled, ending: str):
    import matplotlib

    panels, _ = utterance_panels(made, load_protocol("demo"))
    with matplotlib.rc_context({"font.size": 31, "image.origin": "upper", "svg.hashsalt": None}):
        before = dict(matplotlib.rcParams)
        for name in ("one", "two"):
            save(draw_spectrograms(panels, -20, 8000, 2000, title="title"), tmp_path / (name + ending))
        assert dict(matplotlib.rcParams) == before
    one, two = ((tmp_path / (name + ending)).read_bytes() for name in ("one", "two"))
    assert one == two
    assert one.startswith({".svg": b"<?xml", ".pdf": b"%PDF"}.get(ending, b"\x89PNG"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one" + ending, "two" + ending]


def test_where_a_figure_cannot_go(tmp_path: Path):
    from matplotlib.figure import Figure

    (tmp_path / "folder.png").mkdir()
    for name, why in (
        ("a.jpg", "ends in .png, .svg, .pdf"),
        ("a", "ends in .png, .svg, .pdf"),
        ("no/a.png", "there is no folder"),
        ("folder.png", "is a folder"),
    ):
        with pytest.raises(SrbenchError, match=why):
            save(Figure(), tmp_path / name)


def test_looks_are_told_apart_without_colour():
    found = looks(["low resolution", *(f"up{i}" for i in range(40)), "reference"])
    assert len({(look.dashes, look.marker) for look in found.values() if look.marker}) == 40
    assert len({look.color for look in found.values()}) == 10
    assert looks(["a", "b"]) == looks(["a", "b", "reference"])


def test_names_are_in_full_where_two_are_alike(tmp_path: Path):
    plugin = tmp_path / "mine.py"
    plugin.write_text(
        "from srbench.upscaler import upscaler\n"
        "for name in ('spline', 'reference'):\n"
        "    globals()[name] = upscaler(name)(lambda low, low_rate, high_rate: low.repeat(4))\n"
    )
    asked = ["srbench:spline", "mine.py:spline", "reference", "linear"]
    found = entrants_by_name([Entrant(name, plugins=(plugin,)) for name in asked], load_protocol("demo"))
    assert list(found) == ["srbench:spline", "mine.py:spline", "upscaler reference", "linear"]


# the bare image


def pixels(path: Path) -> np.ndarray:
    from PIL import Image

    with Image.open(path) as image:
        assert (image.format, image.mode) == ("PNG", "P")
        return np.asarray(image.convert("RGB")).astype(int).sum(axis=2)


@pytest.mark.parametrize(("rate", "hertz"), [(16000, 3000), (4000, 1500), (48000, 7000), (Fraction(16000, 6), 1000)])
def test_a_tone_in_the_bare_image(tmp_path: Path, rate: Fraction | int, hertz: float):
    path = tmp_path / "tone.png"
    edges = write_spectrogram_png(tone(hertz, float(rate), 1.0), rate, 8000, 0.0, path)
    assert edges == (8000, pytest.approx(1, abs=1e-3))
    image = pixels(path)
    rows, columns = image.shape
    assert (rows, columns) == (200, pytest.approx(250, abs=8))
    from_above = image[:, columns // 2].argmax()
    assert (rows - from_above - 0.5) / rows * 8000 == pytest.approx(hertz, abs=60)
    if rate == 4000:
        assert image[: rows // 2].max() == image.min()  # nothing above what 4 kHz can hold


def test_a_chirp_rises_in_the_bare_image(tmp_path: Path):
    write_spectrogram_png(chirp(16000), 16000, 8000, 0.0, tmp_path / "chirp.png")
    image = pixels(tmp_path / "chirp.png")
    rows, columns = image.shape
    for column in (0.2, 0.5, 0.8):
        row = image[:, int(column * columns)].argmax()
        assert (rows - row - 0.5) / rows * 8000 == pytest.approx(1000 + 4000 * column, abs=80)


def test_bare_images_share_a_scale_and_are_small(tmp_path: Path, made: Upscaled):
    peak = peak_db(made.reference, 16000)
    sizes = []
    for name, samples in (("loud", made.reference), ("quiet", made.reference / 1000), ("gone", made.reference / 1e6)):
        assert write_spectrogram_png(samples, 16000, 8000, peak, tmp_path / name)[1] == len(samples) / 16000
        sizes.append((tmp_path / name).stat().st_size)
    loud, quiet, gone = (pixels(tmp_path / name) for name in ("loud", "quiet", "gone"))
    assert loud.max() > 500 > quiet.max() > gone.max() == gone.min()
    assert loud.shape == (200, 640)
    assert max(sizes) < 60_000


def test_a_silent_reference_is_dark(tmp_path: Path):
    silence = np.zeros(16000)
    write_spectrogram_png(silence, 16000, 8000, peak_db(silence, 16000), tmp_path / "silence.png")
    assert len(np.unique(pixels(tmp_path / "silence.png"))) == 1
