"""The site's files: all pages, names as text, audio to the sample, the same bytes again."""

from __future__ import annotations

import base64
import dataclasses
import html
import io
import json
import math
import re
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import example, given
from hypothesis import strategies as st

from srbench import audio
from srbench.corpora import Corpus, demo_corpus
from srbench.errors import SrbenchError
from srbench.metrics import METRICS
from srbench.protocols import Protocol, load_protocol
from srbench.protocols import prepare as prepare_pair
from srbench.report.notes import ABOVE_CEILING, BELOW_FLOOR
from srbench.report.site import build_site, details
from srbench.report.site.names import file_names
from srbench.report.site.output import Output
from srbench.report.site.tables import columns, lines
from srbench.report.site.versions import choose_utterances
from srbench.results.aggregate import aggregate_run
from srbench.results.board import Board, Row, Value, make_board
from srbench.results.literature import COLUMNS, load_published
from srbench.results.rows import make_row
from srbench.results.standing import parse_standing
from srbench.run import Entrant, Run, make_plan, run_entrant

SCRIPT, IMAGE = "<script>alert(1)</script>", '"><img src=x onerror=1>'
PLUGIN = f"""
from srbench.upscaler import upscaler

@upscaler({SCRIPT!r}, description="<b>bold</b>")
def loud(low, low_rate, high_rate):
    return 3 * low.repeat(high_rate // low_rate)

@upscaler({IMAGE!r})
def negative(low, low_rate, high_rate):
    return -low.repeat(high_rate // low_rate)
"""
PUBLISHED = f"""\
{",".join(COLUMNS)}
Net,2019,arXiv:1,https://example.org/paper,yes,Table 1,vctk-0.80,its own,,4000,16000,SNR?,9.9,19.8,dB,,doubled: norms,
<i>Net</i>,2020,arXiv:2,a digest,no,,vctk-0.80,its own,,8000/3,16000,LSD?,1.23,1.23,1,unstated,,"which <LSD>?"
Other,2021,arXiv:3,javascript:alert(1),yes,,vctk-0.80,its own,,8000,16000,LSD?,1.00,1.00,1,unstated,,
"""


def small_protocol() -> Protocol:
    return dataclasses.replace(load_protocol("demo"), metrics=("snr", "lsd"))


def small_runs(folder: Path, count: int = 3) -> tuple[list[Run], Path]:
    """Run the classical upscalers, two with bad names, and the anchors over a few utterances."""
    plugin = folder / "bad_names.py"
    plugin.write_text(PLUGIN)
    plan = make_plan(small_protocol(), limit=count)
    entrants = [
        *(Entrant(name) for name in ("spline", "sinc", "linear")),
        *(Entrant(name, plugins=(plugin,)) for name in (SCRIPT, IMAGE)),
        *(Entrant(name, anchor=True) for name in ("ceiling", "reference")),
    ]
    return [run_entrant(plan, entrant, folder / "results") for entrant in entrants], plugin


def board_of(runs: Sequence[Run]) -> Board:
    return make_board("demo", [make_row(run, aggregate_run(run), small_protocol().metrics) for run in runs])


def small_site(folder: Path, runs: Sequence[Run], plugin: Path, **options: Any) -> list[str]:
    published = folder.with_name("published.csv")
    published.write_text(PUBLISHED)
    return build_site(
        folder,
        [board_of(runs)],
        {"demo": runs},
        **{"corpora": {"demo": demo_corpus()}, "published": load_published(published)} | options,
        plugins=(plugin,),
        utterances=2,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Run], Path]:
    return small_runs(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def site(made: tuple[list[Run], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "site"
    assert small_site(folder, *made) == []
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def clip(folder: Path, utterance: str) -> dict[str, Any]:
    text = (folder / f"demo/clips/{utterance}.js").read_text()
    return json.loads(text.removeprefix("srbenchClip(").removesuffix(");\n"))  # type: ignore[no-any-return]


def heard(version: dict[str, Any]) -> tuple[np.ndarray, int]:
    return soundfile.read(io.BytesIO(base64.b64decode(version["flac"])))  # type: ignore[no-any-return]


def test_pages_are_there_and_every_link_leads_to_a_file(site: Path):
    pages = {p.relative_to(site).as_posix() for p in site.rglob("*.html")}
    bad = file_names([SCRIPT, IMAGE])
    assert pages == {
        "index.html",
        "published.html",
        *(
            f"demo/{name}.html"
            for name in ("index", "listen", "abx", "spline", "sinc", "linear", "ceiling", "reference")
        ),
        *(f"demo/{name}.html" for name in bad.values()),
    }
    for page in pages:
        text = (site / page).read_text()
        targets = re.findall(r'(?:href|src)="([^"]*)"', text)
        assert targets
        for target in map(html.unescape, targets):
            if not target.startswith(("#", "https://example.org/")):
                assert (site / page).parent.joinpath(target.split("#")[0]).is_file(), f"{page}: {target}"


def test_every_page_allows_its_own_scripts_and_nothing_else(site: Path):
    """``file:`` is what 'self' means to a browser that opens the page from a disk."""
    for page in site.rglob("*.html"):
        head = page.read_text().partition("</head>")[0]
        (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', head)
        assert not re.search(r"<(script|link|style|base)", head.partition(policy)[0]), "it holds for what follows only"
        rules = {name: sources for name, *sources in map(str.split, policy.split(";"))}
        own = ["'self'", "file:"]
        assert rules == {
            "default-src": ["'none'"],
            "script-src": own,
            "style-src": own,
            "img-src": own,
            "base-uri": ["'none'"],
            "form-action": ["'none'"],
        }, page


def test_nothing_is_loaded_from_elsewhere_and_nothing_inline(site: Path):
    for page in site.rglob("*.html"):
        text = page.read_text()
        assert "Content-Security-Policy" in text
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=(?!1&gt;)|javascript:alert\(1\)\"", text), page
        assert not re.search(r"<script(?![^>]*\ssrc=)[^>]*>", text), page
        assert all(t.startswith("https://example.org/") for t in re.findall(r'(?:href|src)="(\w+:[^"]*)"', text))
    for script in (site / "static").glob("*.js"):
        assert not re.search(r"fetch\(|XMLHttpRequest|import\(|innerHTML|eval\(|https?:", script.read_text()), script


def test_names_from_outside_are_text(site: Path):
    for path in site.rglob("*"):
        assert re.fullmatch(r"[A-Za-z0-9._-]+", path.name), path
        if path.suffix in (".html", ".js"):
            text = path.read_text()
            assert "<script>alert" not in text
            assert "<img src=x" not in text
            assert "<i>Net" not in text
            assert "<b>bold" not in text
    board = (site / "demo/index.html").read_text()
    assert html.escape(SCRIPT) in board
    assert "&#34;&gt;&lt;img src=x onerror=1&gt;" in board


def outside_run(folder: Path) -> tuple[Run, Corpus]:
    """Run an upscaler that fails now and then over recordings whose names, and whose errors, are HTML."""
    sound, rate = audio.read(demo_corpus().utterances[0].path)
    plugin = folder / "says.py"
    plugin.write_text(
        "from srbench.upscaler import upscaler\n@upscaler()\ndef says(low, low_rate, high_rate):\n"
        f"    if len(low) < 3000: raise ValueError({SCRIPT!r})\n    return low.repeat(4)\n"
    )
    for speaker, name, length in (("<b>Ann", "<img src=x onerror=1>", rate), ("<b>Ann", "short", rate // 2)):
        (folder / "corpus" / speaker).mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / "corpus" / speaker / f"{name}.wav", sound[:length], rate)
    plan = dataclasses.replace(make_plan(small_protocol(), folder / "corpus"), notes=("<i>note</i>",))
    return run_entrant(plan, Entrant("says", plugins=(plugin,)), folder / "results"), plan.corpus


def test_utterances_speakers_errors_and_notes_are_text(tmp_path: Path):
    run, corpus = outside_run(tmp_path)
    assert [bool(record.error) for record in run.records] == [False, True]
    plugins = (tmp_path / "says.py",)
    build_site(tmp_path / "site", [board_of([run])], {"demo": [run]}, corpora={"demo": corpus}, plugins=plugins)
    pages = {p.relative_to(tmp_path / "site").as_posix(): p.read_text() for p in (tmp_path / "site").rglob("*.html")}
    assert {"demo/says.html", "demo/listen.html", "demo/abx.html"} <= pages.keys()
    for name, text in pages.items():
        assert not re.search(r"<(script>|img src=x|b>Ann|i>note)", text), name
    told = "".join(pages.values())
    for text in ("<img src=x onerror=1>", "<b>Ann", SCRIPT, "<i>note</i>"):
        assert html.escape(text) in told
    for path in (tmp_path / "site").rglob("*"):
        assert re.fullmatch(r"[A-Za-z0-9._-]+", path.name), path


def test_the_same_input_gives_the_same_files(made: tuple[list[Run], Path], site: Path, tmp_path: Path):
    small_site(tmp_path / "again", *made)
    assert files_of(tmp_path / "again") == files_of(site)


def test_a_new_build_takes_away_what_has_no_place_and_nothing_else(made: tuple[list[Run], Path], tmp_path: Path):
    runs, plugin = made
    small_site(tmp_path / "site", runs, plugin)
    (tmp_path / "site/CNAME").write_text("mine")
    (tmp_path / "keep").write_text("mine")
    with (tmp_path / "site/srbench-site.txt").open("a") as listing:
        listing.write("../keep\n/etc/hostname\n")
    small_site(tmp_path / "site", runs[:3], plugin, published=())
    left = files_of(tmp_path / "site")
    assert "demo/spline.html" in left
    assert "CNAME" in left
    assert not {"published.html", "demo/ceiling.html", f"demo/{file_names([SCRIPT])[SCRIPT]}.html"} & left.keys()
    assert (tmp_path / "keep").exists()


def test_a_folder_of_something_else_is_refused_and_links_lead_nowhere(made: tuple[list[Run], Path], tmp_path: Path):
    runs, plugin = made
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "index.html").write_text("mine")
    with pytest.raises(SrbenchError, match="holds other files than a site"):
        small_site(tmp_path / "figures", runs, plugin)
    assert (tmp_path / "figures" / "index.html").read_text() == "mine"
    small_site(tmp_path / "site", runs[:2], plugin)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "victim").write_text("mine")
    (tmp_path / "site" / "link").symlink_to(tmp_path / "outside")
    with (tmp_path / "site/srbench-site.txt").open("ab") as listing:
        listing.write(b"link/victim\n\xff\ndemo\n")
    small_site(tmp_path / "site", runs[:2], plugin)
    assert (tmp_path / "outside" / "victim").exists()


def test_audio_is_the_versions_to_16_bit_scaled_alike(site: Path):
    protocol, corpus = small_protocol(), demo_corpus().by_id()
    names = file_names(["reference", "low-resolution", "spline", SCRIPT])
    ids = [path.stem for path in (site / "demo/clips").glob("*.js")]
    assert len(ids) == 2
    for utterance in ids:
        document = clip(site, utterance)
        prepared = prepare_pair(*audio.read(corpus[utterance].path), protocol)
        loud = 3 * prepared.low.repeat(4)
        gain = min(1.0, 32767 / 32768 / max(abs(loud).max(), abs(prepared.reference).max()))
        low = audio.resample(prepared.low, 4000, 16000)
        for name, wanted in (("reference", prepared.reference), ("low-resolution", low), (SCRIPT, loud)):
            samples, rate = heard(document["versions"][names[name]])
            assert rate == 16000
            assert len(samples) == len(prepared.reference)
            np.testing.assert_allclose(samples, gain * wanted, rtol=0, atol=0.5001 / 32768)
        assert document["seconds"] == len(prepared.reference) / 16000
        assert document["versions"][names["spline"]]["scores"][0][0] == "SNR dB ↑"
        page = (site / "demo/listen.html").read_text()
        told = re.search(rf'data-id="{utterance}" data-gain="([^"]*)"', page)
        assert told
        assert float(told[1]) == pytest.approx(20 * math.log10(gain), abs=0.05)


def test_every_version_has_a_picture_of_it(site: Path):
    pytest.importorskip("matplotlib")
    for script in (site / "demo/clips").glob("*.js"):
        for key, version in clip(site, script.stem)["versions"].items():
            assert version["image"] == f"clips/{script.stem}/{key}.png"
            assert (site / "demo" / version["image"]).read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_there_are_no_pictures_and_it_is_said(
    made: tuple[list[Run], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("srbench.report.figure.find_spec", lambda name: None)
    notes = small_site(tmp_path / "site", *made)
    assert len(notes) == 1
    assert "pip install 'srbench[plots]'" in notes[0]
    assert not list((tmp_path / "site").rglob("*.png"))
    page = (tmp_path / "site/demo/listen.html").read_text()
    assert "data-picture" not in page
    assert "srbench[plots]" in page


def test_what_is_not_here_has_no_page_and_it_is_said(made: tuple[list[Run], Path], tmp_path: Path):
    runs, plugin = made
    for number, (options, reason) in enumerate(
        [
            ({"runs": {"demo": runs}, "corpora": {}}, "its recordings are not here"),
            ({"runs": {}, "corpora": {"demo": demo_corpus()}}, "none of its runs is here"),
        ]
    ):
        folder = tmp_path / str(number)
        notes = build_site(folder, [board_of(runs)], **options, plugins=(plugin,))  # type: ignore[arg-type]
        assert notes == [f"demo: no listening page: {reason}"]
        assert f"There is no listening page: {reason}." in (folder / "demo/index.html").read_text()
        assert not (folder / "demo/listen.html").exists()
        assert not (folder / "published.html").exists()
    assert "The run itself is not here" in (tmp_path / "1/demo/spline.html").read_text()
    assert "By speaker" in (tmp_path / "0/demo/spline.html").read_text()


def test_a_plugin_that_is_not_given_cannot_be_heard_and_the_rest_can(made: tuple[list[Run], Path], tmp_path: Path):
    runs, _ = made
    notes = build_site(
        tmp_path, [board_of(runs)], {"demo": runs}, corpora={"demo": demo_corpus()}, only=["demo1_002", "nobody"]
    )
    assert sum("is not to be heard: unknown upscaler" in note for note in notes) == 2
    assert notes[-1] == "nobody: no run here scored it: not to be heard"
    assert set(clip(tmp_path, "demo1_002")["versions"]) == {
        *("reference", "low-resolution", "spline", "sinc", "linear", "ceiling")
    }


def test_a_run_that_is_not_the_rows_is_not_shown_as_it(made: tuple[list[Run], Path], tmp_path: Path):
    runs, plugin = made
    board = board_of(runs)
    row = board.row("sinc")
    assert row is not None
    changed = dataclasses.replace(row, values={**row.values, "snr": dataclasses.replace(row.values["snr"], mean=99.0)})
    board = make_board("demo", [changed if r.name == "sinc" else r for r in board.rows])
    notes = build_site(tmp_path, [board], {"demo": runs}, corpora={}, plugins=(plugin,))
    assert f"demo: the run {runs[1].folder.name} is not what stands in the leaderboard: its snr is" in notes[0]
    assert "The run itself is not here" in (tmp_path / "demo/sinc.html").read_text()


def test_speakers_and_extremes_are_those_of_the_table(made: tuple[list[Run], Path]):
    runs, _ = made
    found, _ = details.find_runs_of(board_of(runs), runs)
    table = pd.DataFrame(found["linear"].columns)
    (speaker,) = details.speakers(found["linear"], ("snr", "lsd"))
    assert speaker["cells"][0][0] == f"{table['snr'].mean():.2f}"
    snr, lsd = details.extremes(found["linear"], ("snr", "lsd"))
    assert snr["worst"][0].utterance == table.loc[table["snr"].idxmin(), "utterance"]
    assert snr["best"][0].utterance == table.loc[table["snr"].idxmax(), "utterance"]
    assert lsd["worst"][0].utterance == table.loc[table["lsd"].idxmax(), "utterance"]
    assert lsd["best"][0].utterance == table.loc[table["lsd"].idxmin(), "utterance"]


def test_leaderboards_that_cannot_be_are_refused(made: tuple[list[Run], Path], tmp_path: Path):
    board = board_of(made[0])
    with pytest.raises(SrbenchError, match="two leaderboards of this protocol"):
        build_site(tmp_path, [board, board], {}, corpora={})
    with pytest.raises(SrbenchError, match="is empty"):
        build_site(tmp_path, [Board("demo", ())], {}, corpora={})
    (tmp_path / "file").write_text("")
    with pytest.raises(SrbenchError, match="cannot write the site to"):
        build_site(tmp_path / "file", [board], {}, corpora={})


def made_up_board(
    rows: dict[str, tuple[str, dict[str, float]]], n: dict[str, int] | None = None, stands: dict[str, str] | None = None
) -> Board:
    signature = str(load_protocol("demo").signature())
    found = []
    for name, (kind, means) in rows.items():
        count, paired = (n or {}).get(name, 28), parse_standing((stands or {}).get(name, ""))
        values = {
            metric: Value(
                mean, mean - 0.1, mean + 0.1, count, str(METRICS[metric].signature(16000, 2000.0)), "", paired
            )
            for metric, mean in means.items()
        }
        facts = {"n": count, "expected": 28, "protocol_signature": signature, "num_parameters": 1234567}
        found.append(Row(name, kind, **facts, values=values))
    return make_board("demo", found)


def test_marks_best_and_order():
    board = made_up_board(
        {
            "spline": ("model", {"snr": 12.0, "lsd": 3.0}),
            "good": ("model", {"snr": 13.0, "lsd": 2.0}),
            "worse": ("model", {"snr": 11.0, "lsd": 3.0}),
            "too_good": ("model", {"snr": 15.0, "lsd": math.nan}),
            "few": ("model", {"snr": 13.5, "lsd": 0.1}),
            "ceiling": ("anchor", {"snr": 14.0, "lsd": 4.0}),
        },
        n={"few": 3},
        stands={
            "too_good": "floor:better ceiling:above",
            "good": "floor:better best:yes",
            "worse": "floor:same best:no",
        },
    )
    shown = {line.row.name: {cell.metric: cell for cell in line.cells} for line in lines(board)}
    assert list(shown) == ["too_good", "few", "good", "spline", "worse", "ceiling"]
    marks = {name: cells["snr"].mark for name, cells in shown.items() if cells["snr"].mark}
    assert marks == {"too_good": ABOVE_CEILING, "worse": BELOW_FLOOR}
    assert [name for name, cells in shown.items() if cells["snr"].best] == ["good"]
    assert shown["too_good"]["lsd"].text == "–"
    assert shown["too_good"]["lsd"].sort == ""
    assert [column.better for column in columns(board)] == ["higher", "lower"]


def test_fifty_upscalers_by_fourteen_metrics_stay_small(tmp_path: Path):
    metrics = load_protocol("demo").metrics
    assert len(metrics) == 14
    rng = np.random.default_rng(0)
    board = made_up_board(
        {f"upscaler_{k:02}": ("model", dict(zip(metrics, rng.uniform(1, 9, 14), strict=True))) for k in range(50)}
    )
    build_site(tmp_path, [board], {}, corpora={})
    shared = sum(path.stat().st_size for path in (tmp_path / "static").iterdir())
    assert (tmp_path / "index.html").stat().st_size + shared < 400_000


def test_the_first_page_lists_protocols_where_there_are_several(tmp_path: Path):
    board = made_up_board({"spline": ("model", {"snr": 12.0})})
    other = Board("my <own>", board.rows)
    notes = build_site(tmp_path, [board, other], {}, corpora={})
    text = (tmp_path / "index.html").read_text()
    assert "data-board" not in text
    folder = file_names(["my <own>"])["my <own>"]
    assert f'<a href="{folder}/index.html"><bdi>my &lt;own&gt;</bdi></a>' in text
    assert (tmp_path / folder / f"{folder}.csv").exists()
    assert "my <own>: is not a protocol that comes with srbench" in notes


def test_published_numbers_stand_apart_with_their_errata(site: Path):
    text = (site / "published.html").read_text()
    assert "Not measured here" in text
    assert "corrected: 19.8" in text
    assert "which &lt;LSD&gt;?" in text
    assert '<a href="https://example.org/paper" rel="noopener noreferrer">arXiv:1</a>' in text
    assert "2.667 → 16 kHz" in text
    for page in ("index.html", "demo/index.html"):
        assert "19.8" not in (site / page).read_text()


@given(st.lists(st.text(max_size=90), max_size=12))
@example(["x y", "x-y-887fcea6"])
def test_file_names_are_safe_and_differ_even_by_case(names: list[str]):
    found = file_names(names)
    assert found.keys() == set(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,80}", file) for file in found.values())
    assert len({file.casefold() for file in found.values()}) == len(found)


@pytest.mark.parametrize("name", ["index", "listen", "LISTEN", "abx", "con", "aux.x", "..", "", "A/../../b", "a" * 300])
def test_names_of_other_things_are_not_taken(name: str):
    (file,) = file_names([name]).values()
    assert file not in (name, "..")
    assert "/" not in file


def test_a_fit_name_stays_as_it_is():
    assert file_names(["stacked_b4@best.safetensors", "NU-Wave_2.1"])["NU-Wave_2.1"] == "NU-Wave_2.1"
    assert file_names(["Net"])["Net"] == "Net"
    assert file_names(["Net", "net"]).keys() == {"Net", "net"}


@pytest.mark.parametrize(
    ("count", "wanted"), [(1, [2]), (2, [1, 3]), (3, [0, 2, 4]), (5, [0, 1, 2, 3, 4]), (9, [0, 1, 2, 3, 4])]
)
def test_utterances_are_evenly_spaced(tmp_path: Path, count: int, wanted: list[int]):
    run = run_entrant(make_plan(small_protocol(), limit=5), Entrant("linear"), tmp_path)
    ids = [record.utterance for record in run.records]
    assert choose_utterances([run], demo_corpus(), count) == [ids[place] for place in wanted]


def test_a_first_build_that_was_killed_is_continued(made: tuple[list[Run], Path], tmp_path: Path):
    runs, plugin = made
    for stopped_after in (1, 3):
        out = tmp_path / str(stopped_after)
        output = Output(out)
        for number in range(stopped_after):
            output.text(f"stray/{number}.html", "half a site")  # and no `finish`
        small_site(out, runs, plugin)
        assert (out / "index.html").is_file()
        assert not list(out.glob("stray/*.html"))


def test_a_full_disk_names_the_file_and_leaves_no_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    output = Output(tmp_path)
    output.text("a.html", "before")
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(signal, "SIGXFSZ", signal.signal(signal.SIGXFSZ, signal.SIG_IGN), raising=False)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))  # as near to a full disk as a test comes
    try:
        with pytest.raises(OSError, match="too large") as caught:
            output.text("a.html", "x" * 20_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.filename == str(tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text() == "before"
    assert {path.name for path in tmp_path.iterdir()} == {"a.html", "srbench-site.txt"}
