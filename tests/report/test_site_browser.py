"""The site in a real browser, opened from ``file://``: tables, player, blind test; nothing asked of any host."""

from __future__ import annotations

import csv
import itertools
import math
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_site import SCRIPT, made_up_board, small_runs, small_site

from srbench.protocols import load_protocol
from srbench.report.site import build_site
from srbench.report.site.names import file_names
from srbench.table import read_table

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
LOCAL = ("file://", "data:", "blob:")
Page = Any
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    small_site(folder / "site", *small_runs(folder))
    return folder / "site"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any, site: Path) -> Iterator[Open]:
    """Open pages; in the end none may have complained, nor asked for what is not a file."""
    complaints: list[str] = []
    contexts = []

    def open_(path: str, folder: Path = site, width: int = 1280, scheme: str = "light") -> Page:
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda r: r.url.startswith(LOCAL) or complaints.append(f"request: {r.url}"))
        # what was still loading when the page was left is no failure
        page.on("requestfailed", lambda r: "ABORTED" in r.failure or complaints.append(f"failed: {r.url}: {r.failure}"))
        page.goto(f"file://{folder}/{path}")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


def names(page: Page, kind: str = ":not([data-is-anchors])") -> list[str]:
    return page.eval_on_selector_all(  # type: ignore[no-any-return]
        f"tbody{kind} tr", "rows => rows.filter(row => row.checkVisibility()).map(row => row.dataset.name)"
    )


def column(page: Page, metric: str) -> list[float]:
    return page.eval_on_selector_all(  # type: ignore[no-any-return]
        f'tbody:not([data-is-anchors]) td[data-column="{metric}"]', "cells => cells.map(c => Number(c.dataset.value))"
    )


def state(page: Page) -> dict[str, Any]:
    return page.evaluate("srbenchPlayer.state()")  # type: ignore[no-any-return]


def wait_for(page: Page, condition: str, seconds: float = 300) -> None:
    """Wait until an expression of the player's state ``s`` holds (the page's own policy forbids Playwright's way)."""
    until = time.monotonic() + seconds
    while not page.evaluate(f"(() => {{ const s = srbenchPlayer.state(); return {condition}; }})()"):
        assert time.monotonic() < until, f"{condition}: {state(page)}"
        page.wait_for_timeout(20)


def listening(open_page: Open, **options: Any) -> Page:
    page = open_page("demo/listen.html", **options)
    page.wait_for_selector("[data-ready]")
    return page


INJECTED = """
<script>document.documentElement.dataset.ran = "script"</script>
<img src="x" onerror="document.documentElement.dataset.ran = 'onerror'">
<svg onload="document.documentElement.dataset.ran = 'onload'"></svg>
<a id="link" href="javascript:void(document.documentElement.dataset.ran = 'href')">link</a>
<style>body { display: none }</style>
<iframe srcdoc="<script>parent.document.documentElement.dataset.ran = 'frame'</script>"></iframe>
<script src="https://example.org/x.js"></script>
<img src="https://example.org/x.png">
<form id="form" action="https://example.org/"><input name="a"></form>
<base href="https://example.org/">
"""


@pytest.mark.parametrize("name", ["index", "demo/index", "demo/spline", "demo/listen", "demo/abx", "published"])
def test_the_policy_stops_what_would_be_injected(browser: Any, site: Path, tmp_path: Path, name: str):
    """Were a name ever written unescaped: none of it runs, is shown, or is asked for."""
    copy = tmp_path / "site"
    shutil.copytree(site, copy)
    file = copy / f"{name}.html"
    file.write_text(file.read_text().replace('<main id="main">', f'<main id="main">{INJECTED}'))
    context = browser.new_context()
    try:
        page = context.new_page()
        asked: list[str] = []
        refused: list[str] = []
        # what leaves the browser: the event "request" also tells what the policy stops
        page.route("https://**", lambda route: (asked.append(route.request.url), route.fulfill(body="")))
        page.on("console", lambda message: refused.append(message.text))
        page.goto(f"file://{file}")
        page.click("#link")
        page.evaluate("document.getElementById('form').submit()")
        page.wait_for_timeout(100)
        assert page.evaluate("document.documentElement.dataset.ran ?? ''") == ""
        assert page.is_visible("h1")
        assert page.evaluate("document.baseURI").startswith("file:")
        assert asked == []
        assert sum("Content Security Policy" in text for text in refused) >= 8
    finally:
        context.close()


def test_sorting_by_mouse_and_keyboard(open_page: Open):
    page = open_page("demo/index.html")
    head = page.locator('th[data-column="lsd"]')
    assert page.get_attribute('th[data-column="snr"]', "aria-sort") == "descending"
    assert column(page, "snr") == sorted(column(page, "snr"), reverse=True)
    head.locator("[data-sort]").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert page.get_attribute('th[data-column="snr"]', "aria-sort") == "none"
    assert column(page, "lsd") == sorted(column(page, "lsd"))
    page.keyboard.press("Enter")  # the button has the focus
    assert head.get_attribute("aria-sort") == "descending"
    assert column(page, "lsd") == sorted(column(page, "lsd"), reverse=True)
    page.locator("th").first.locator("[data-sort]").click()
    assert names(page)[-3:] == ["linear", "sinc", "spline"]
    assert set(names(page, "[data-is-anchors]")) == {"ceiling", "reference"}


def test_infinity_is_more_than_any_number_and_nothing_is_last(open_page: Open, tmp_path: Path):
    rows = {"a": math.nan, "b": 3.0, "c": math.inf, "d": -math.inf, "e": 12.0}
    build_site(tmp_path, [made_up_board({k: ("model", {"snr": v}) for k, v in rows.items()})], {}, corpora={})
    page = open_page("demo/index.html", folder=tmp_path)
    assert names(page) == ["c", "e", "b", "d", "a"]
    page.click('th[data-column="snr"] [data-sort]')
    assert names(page) == ["d", "b", "e", "c", "a"]


def test_filtering_anchors_and_columns(open_page: Open):
    page = open_page("demo/index.html")
    page.fill("[data-filter]", "IN")
    assert set(names(page)) == {"linear", "spline", "sinc"}
    assert page.inner_text("[data-count]") == "4 of 7 rows"  # the ceiling too
    page.uncheck("[data-anchors]")
    assert names(page, "[data-is-anchors]") == []
    page.fill("[data-filter]", "<script>")
    assert names(page) == [SCRIPT]
    page.click(".metrics summary")
    page.uncheck('input[data-column="snr"]')
    assert not page.is_visible('td[data-column="snr"]')
    assert page.locator('td[data-column="lsd"]:visible').count() == 1


def test_signatures_by_focus_hover_and_escape(open_page: Open):
    page = open_page("demo/index.html")
    tip = page.locator("#tip")
    button = page.locator('th[data-column="lsd"] .about')
    page.locator('th[data-column="lsd"] [data-sort]').focus()
    page.keyboard.press("Tab")
    assert "LSD|log:10|of:power" in tip.inner_text()
    assert button.get_attribute("aria-describedby") == "tip"
    page.keyboard.press("Escape")
    assert tip.is_hidden()
    page.hover('th[data-column="snr"] .about')
    assert "SNR|of:power" in tip.inner_text()
    narrow = open_page("demo/index.html", width=360)
    narrow.locator('th[data-column="lsd"] .about').focus()  # which scrolls
    narrow.wait_for_timeout(200)
    box = narrow.locator("#tip").bounding_box()
    assert 0 <= box["x"] < box["x"] + box["width"] <= 360


def test_a_hostile_name_is_text_everywhere(open_page: Open):
    page = open_page("demo/index.html")
    page.click(f"text={SCRIPT}")
    assert page.inner_text("h1") == SCRIPT
    assert page.inner_text(".lead") == "<b>bold</b>"
    page = listening(open_page)
    assert SCRIPT in page.inner_text(".versions")
    assert SCRIPT in open_page("demo/abx.html").inner_text('[data-side="A"]')
    assert page.locator("script:not([src])").count() == 0


def test_play_switch_and_seek(open_page: Open):
    page = listening(open_page)
    assert state(page)["duration"] > 1
    page.keyboard.press("Space")
    wait_for(page, "s.playing && s.position > 0.2")
    assert state(page)["gains"]["reference"] == 1
    assert page.inner_text("[data-play]") == "Pause"
    # switching keeps the position and changes what is heard, and nothing else
    before, after = page.evaluate(
        """() => {
            const before = srbenchPlayer.state();
            document.querySelector('input[value="spline"]').click();
            return [before, srbenchPlayer.state()];
        }"""
    )
    assert before["current"] == "reference"
    assert after["current"] == "spline"
    assert abs(after["position"] - before["position"]) < 0.3  # it goes on; a busy machine reads late
    wait_for(page, "s.gains.spline === 1")
    gains = state(page)["gains"]
    assert {key for key, gain in gains.items() if gain} == {"spline"}
    page.keyboard.press("2")
    wait_for(page, "s.gains['low-resolution'] === 1 && s.gains.spline === 0")
    assert state(page)["playing"]
    assert page.evaluate("(srbenchPlayer.seek(1), srbenchPlayer.position())") == pytest.approx(
        1, abs=0.5
    )  # it may play on meanwhile
    wait_for(page, "s.position > 1.05")
    page.keyboard.press("Space")
    paused = state(page)
    assert not paused["playing"]
    page.keyboard.press("ArrowLeft")
    assert state(page)["position"] == pytest.approx(paused["position"] - 0.5, abs=0.01)
    assert float(page.input_value("[data-seek]")) == pytest.approx(paused["position"] - 0.5, abs=0.02)
    assert all(gain == 0 for gain in state(page)["gains"].values())


def test_the_position_is_that_of_the_sound(open_page: Open):
    """Over half a second, with a change of version in it, the position runs with the audio clock."""
    page = listening(open_page)
    page.click("[data-play]")
    wait_for(page, "s.position > 0.1")
    samples = page.evaluate(
        """async () => {
            const seen = [], clock = srbenchPlayer.context;
            const began = [clock.currentTime, srbenchPlayer.position()];
            srbenchPlayer.choose("sinc");
            const until = clock.currentTime + 0.5;
            while (clock.currentTime < until) {
                seen.push([clock.currentTime - began[0], srbenchPlayer.position() - began[1]]);
                await new Promise((resolve) => setTimeout(resolve, 3));
            }
            return seen;
        }"""
    )
    assert len(samples) >= 3  # a busy machine draws few frames
    assert all(abs(clock - position) < 0.02 for clock, position in samples)


def test_what_is_heard_to_the_sample(open_page: Open):
    """Rendered by the browser without a sound card: the position sought, then a crossfade into the other version."""
    page = listening(open_page)
    heard, reference, spline = map(
        np.array,
        page.evaluate(
            """async () => {
                class Offline extends OfflineAudioContext {
                    constructor({ sampleRate }) { super(1, sampleRate, sampleRate); }
                    async resume() {}
                    goOn() { return super.resume(); }
                }
                window.AudioContext = Offline;
                const player = new Player(16000), { buffers } = srbenchPlayer;
                player.load(buffers, "reference");
                player.seek(0.5);
                player.play();
                player.context.suspend(0.4).then(() => { player.choose("spline"); player.context.goOn(); });
                const rendered = await player.context.startRendering();
                return [rendered, buffers.get("reference"), buffers.get("spline")].map((b) => [...b.getChannelData(0)]);
            }"""
        ),
    )
    start, switch, fade, edge = 320, 6400, 160, 80  # samples: LEAD, the time above, FADE, EDGE
    heard, reference, spline = heard[start:], reference[8000:], spline[8000:]
    switch -= start
    np.testing.assert_allclose(heard[edge:switch], reference[edge:switch], atol=1e-6)
    late = slice(switch + fade + 128, len(heard))
    np.testing.assert_allclose(heard[late], spline[late], atol=1e-6)
    assert np.abs(spline[late] - reference[late]).max() > 1e-3
    apart = np.flatnonzero(np.abs(spline - reference)[: len(heard)] > 1e-4)
    apart = apart[(apart >= switch) & (apart < switch + fade)]
    share = (heard - reference[: len(heard)])[apart] / (spline - reference)[apart]
    np.testing.assert_allclose(share, (apart - switch) / fade, atol=0.02)  # as much of the one as lacks of the other


def test_loop_end_and_another_utterance(open_page: Open):
    page = listening(open_page)
    page.evaluate("srbenchPlayer.loop(true, [0.5, 0.7])")
    page.click("[data-play]")
    assert page.is_checked("[data-loop]")
    seen = page.evaluate(
        """async () => {
            const seen = [];
            for (let k = 0; k < 40; k++) {
                seen.push(srbenchPlayer.position());
                await new Promise((resolve) => setTimeout(resolve, 15));
            }
            return seen;
        }"""
    )
    assert all(0.5 <= at < 0.7 for at in seen)
    assert sum(later < earlier for earlier, later in itertools.pairwise(seen)) >= 2
    page.keyboard.press("l")  # from the button: the key is the page's
    assert not page.is_checked("[data-loop]")
    page.evaluate("srbenchPlayer.seek(srbenchPlayer.duration - 0.1)")
    wait_for(page, "!s.playing && s.position === 0")
    first = page.get_attribute("[data-deck]", "data-ready")
    page.select_option("[data-utterance]", index=1)
    page.wait_for_selector(f'[data-ready]:not([data-ready="{first}"])')
    assert "turned down by" in page.inner_text("[data-status]")  # one of the upscalers is three times too loud
    assert page.locator("[data-scores]").first.inner_text().startswith("SNR")


def test_a_click_in_a_spectrogram_plays_that_version_from_there(open_page: Open):
    pytest.importorskip("matplotlib")
    page = listening(open_page)
    picture = page.locator('[data-version="linear"] [data-picture]')
    picture.scroll_into_view_if_needed()
    assert picture.locator("img").evaluate("image => image.complete && image.naturalHeight > 0")
    box = picture.bounding_box()
    picture.click(position={"x": box["width"] / 2, "y": 20})
    found = state(page)
    assert found["playing"]
    assert found["current"] == "linear"
    assert -0.05 < found["position"] - found["duration"] / 2 < 0.8  # it plays while it is asked
    page.keyboard.press("Space")
    head = picture.locator("[data-head]").bounding_box()
    middle = picture.bounding_box()["x"] + box["width"] * state(page)["position"] / found["duration"]
    assert head["x"] + head["width"] / 2 == pytest.approx(middle, abs=2)
    assert page.locator('[data-version="linear"] [data-seconds] span').count() >= 3


def test_blind_test_from_begin_to_csv(open_page: Open, tmp_path: Path):
    page = open_page("demo/abx.html")
    page.select_option('[data-side="B"]', "reference")
    page.fill("[data-trials]", "6")
    page.click("[data-setup] button[type=submit]")
    assert "choose two" in page.inner_text("[data-status]")
    page.select_option('[data-side="B"]', label=SCRIPT)
    page.click("[data-setup] button[type=submit]")
    drawn = ""
    for trial in range(1, 7):
        page.wait_for_selector(f'[data-number="{trial}"]')
        assert f"Trial {trial} of 6: A is reference, B is {SCRIPT}" in page.inner_text("[data-heading]")
        page.keyboard.press("x")
        page.keyboard.press("Space")
        wait_for(page, "s.playing && s.gains.X === 1")
        side = page.evaluate(
            """() => {
                const of = (key) => srbenchPlayer.buffers.get(key).getChannelData(0);
                return of("X").every((value, place) => value === of("A")[place]) ? "A" : "B";
            }"""
        )
        drawn += side
        answer = "A" if side == "B" and trial == 2 else "B" if trial == 2 else side  # one wrong
        page.keyboard.press(f"Shift+{answer}")
    assert page.inner_text("[data-score]") == f"5 of 6 right: reference against {SCRIPT}"
    assert float(page.get_attribute("[data-result]", "data-p")) == pytest.approx(7 / 64)
    assert "p = 0.1094" in page.inner_text("[data-verdict]")
    with page.expect_download() as download:
        page.click("[data-download]")
    download.value.save_as(tmp_path / "abx.csv")
    with (tmp_path / "abx.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert "".join(row["x"] for row in rows) == drawn
    assert [row["correct"] for row in rows] == ["1", "0", "1", "1", "1", "1"]
    assert {(row["a"], row["b"], row["planned"]) for row in rows} == {("reference", SCRIPT, "6")}
    assert len({row["utterance"] for row in rows}) == 2  # all in turn
    page.click("[data-again]")
    assert page.is_visible("[data-setup]")


def test_the_results_of_a_blind_test_hold_no_formula(open_page: Open, tmp_path: Path):
    page = open_page("demo/abx.html")
    names_ = ["=1+1", "'=1"]
    for letter, name in zip("AB", names_, strict=True):
        page.evaluate(
            "([select, name]) => { document.querySelector(select).selectedOptions[0].textContent = name; }",
            [f"[data-side={letter}]", name],
        )
    page.fill("[data-trials]", "1")
    page.click("[data-setup] button[type=submit]")
    page.wait_for_selector('[data-number="1"]')
    page.keyboard.press("Shift+A")
    with page.expect_download() as download:
        page.click("[data-download]")
    download.value.save_as(tmp_path / "abx.csv")
    with (tmp_path / "abx.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["a"], row["b"]) == ("'=1+1", "''=1")
    header, values = read_table(tmp_path / "abx.csv")
    assert dict(zip(header, values, strict=True)) == {**row, "a": names_[0], "b": names_[1]}


def test_blind_test_draws_both_sides_and_stops_without_a_p_value(open_page: Open):
    page = open_page("demo/abx.html")
    page.fill("[data-trials]", "30")
    page.select_option("[data-utterance]", index=1)
    page.click("[data-setup] button[type=submit]")
    page.wait_for_selector('[data-number="1"]')
    for trial in range(2, 22):
        page.keyboard.press("Shift+A")
        page.wait_for_selector(f'[data-number="{trial}"]')
    page.click("[data-stop]")
    right = int(page.get_attribute("[data-result]", "data-right"))
    assert 0 < right < 20  # a fair coin fails this once in half a million
    assert "there is no p-value" in page.inner_text("[data-verdict]")


def test_published_numbers_are_filtered_and_cannot_be_sorted(open_page: Open):
    page = open_page("published.html")
    assert page.locator("[data-sort]").count() == 0
    assert page.locator("tbody tr").count() == 3
    page.select_option('[data-select="metric"]', "LSD?")
    assert page.inner_text("[data-count]") == "2 of 3 rows"
    page.uncheck("[data-doubted]")
    assert page.inner_text("[data-count]") == "1 of 3 rows"
    assert page.locator('a[href^="javascript"]').count() == 0


PAGES = ("index", "demo/index", "demo/spline", "demo/listen", "demo/abx", "published")


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_is_wider_than_the_screen(open_page: Open, site: Path, tmp_path: Path, width: int):
    hostile = file_names([SCRIPT])[SCRIPT]
    page = open_page("index.html", width=width)
    for name in (*PAGES, f"demo/{hostile}"):
        page.goto(f"file://{site}/{name}.html")
        page.wait_for_load_state()
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name
    means = dict.fromkeys(load_protocol("demo").metrics, 1.5)
    build_site(tmp_path, [made_up_board({"a": ("model", means), "b": ("model", means)})], {}, corpora={})
    page.goto(f"file://{tmp_path}/demo/index.html")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    box, first = page.locator(".scroll"), page.locator("tbody th").first
    left = first.bounding_box()["x"]
    box.evaluate("box => { box.scrollLeft = 200; }")
    assert first.bounding_box()["x"] == left  # the names stay


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_in_light_and_dark(open_page: Open, site: Path, scheme: str):
    """Text against what is behind it: 4.5 to 1 at the least (WCAG AA)."""
    page = open_page("index.html", scheme=scheme)
    for name in PAGES:
        page.goto(f"file://{site}/{name}.html")
        low = page.evaluate(
            """() => {
                const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
                const rgba = (colour) => {
                    canvas.clearRect(0, 0, 1, 1);
                    canvas.fillStyle = colour;
                    canvas.fillRect(0, 0, 1, 1);
                    return canvas.getImageData(0, 0, 1, 1).data;
                };
                const light = (colour) => rgba(colour).slice(0, 3).reduce((sum, part, place) => {
                    const c = part / 255;
                    const linear = c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
                    return sum + [0.2126, 0.7152, 0.0722][place] * linear;
                }, 0);
                const behind = (element) => {
                    for (let each = element; each; each = each.parentElement) {
                        const colour = getComputedStyle(each).backgroundColor;
                        if (rgba(colour)[3] === 255) return colour;
                    }
                    return "white";
                };
                const holds = (element) => [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
                const texts = [...document.querySelectorAll("body *")]
                    .filter((element) => element.checkVisibility() && holds(element));
                return texts.map((element) => {
                    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))];
                    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
                    return [element.outerHTML.slice(0, 90), ratio];
                }).filter(([, ratio]) => ratio < 4.5);
            }"""
        )
        assert low == [], name
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, paper[4:-1].split(","))) < 3 * 128) == (scheme == "dark")


def test_fifty_upscalers_by_fourteen_metrics_open_and_sort(open_page: Open, tmp_path: Path):
    metrics = load_protocol("demo").metrics
    rows = {f"upscaler_{k:02}": ("model", {name: ((k * 37 + 1) % 50) + 0.5 for name in metrics}) for k in range(50)}
    build_site(tmp_path, [made_up_board(rows)], {}, corpora={})
    page = open_page("index.html", folder=tmp_path)
    assert page.locator("tbody tr").count() == 50
    page.locator("[data-column=lsd] [data-sort]").first.click()
    assert "upscaler_27" in page.locator("tbody tr").first.inner_text()  # 0.5, the lowest
