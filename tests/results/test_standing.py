"""Rows meet only on one set of recordings, and every mark of every table is what the paired comparison says."""

from __future__ import annotations

import io
import json
from itertools import product
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from tiny_runs import IDS, make_protocol, make_run, ship_digests

from srbench.cli.main import cli
from srbench.corpora import demo_corpus
from srbench.errors import SrbenchError
from srbench.metrics import get_metric
from srbench.protocols import load_protocol
from srbench.report.distribution import collect
from srbench.report.notes import mark
from srbench.report.site import build_site
from srbench.report.tables import markdown
from srbench.results import compare_runs, leaderboard
from srbench.results.board import Board
from srbench.results.board_file import read_board, write_board
from srbench.results.intake import known_protocols
from srbench.results.publish import Outcome, publish
from srbench.results.standing import Standing, contestant, parse_standing, standings
from srbench.run import Entrant, Run, make_plan, run_entrant
from srbench.run.record import Record
from srbench.run.recordings import refuse_other_recordings

PLUGIN = """
    import numpy as np
    from scipy.signal import resample_poly
    from srbench.upscaler import upscaler

    def made(low, noise):
        drawn = np.random.default_rng(int(1e6 * abs(low[len(low) // 2])))
        return resample_poly(low, 4, 1) + noise * drawn.standard_normal(4 * len(low))

    @upscaler("clean")
    def clean(low, low_rate, high_rate):
        return made(low, 0)

    @upscaler("noisy")
    def noisy(low, low_rate, high_rate):
        return made(low, 0.0003)

    @upscaler("noisier")
    def noisier(low, low_rate, high_rate):
        return made(low, 0.2)

    @upscaler("like_clean")
    def like_clean(low, low_rate, high_rate):
        peak = np.abs(low).max()
        return made(low, 0) * (0.999 if peak < 0.1 or 0.22 < peak < 0.55 else 1.001)

    @upscaler("no_first")
    def no_first(low, low_rate, high_rate):
        if 0.22 < np.abs(low).max() < 0.55:
            raise ValueError("no")
        return made(low, 0)

    @upscaler("no_last")
    def no_last(low, low_rate, high_rate):
        if 0.55 < np.abs(low).max():
            raise ValueError("no")
        return made(low, 0.2)
"""


def as_ogg(samples: np.ndarray, rate: int) -> np.ndarray:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="OGG", subtype="VORBIS")
    file.seek(0)
    return soundfile.read(file)[0][: len(samples)]


TREATMENTS = {
    "true": lambda samples, rate: samples,
    "vorbis": as_ogg,
    "normalised": lambda samples, rate: 0.99 * samples / np.abs(samples).max(),
    "trimmed": lambda samples, rate: samples[rate // 10 :],
}


def treated(folder: Path, treatment: str) -> Path:
    """Make a protocol whose corpus is of six recordings of the embedded one, treated so."""
    protocol = make_protocol(folder)
    for name, utterance in zip(IDS, demo_corpus().utterances, strict=False):
        samples, rate = soundfile.read(utterance.path)
        soundfile.write(folder / "corpus" / f"{name}.wav", TREATMENTS[treatment](samples, rate), rate, subtype="PCM_16")
    return protocol


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """One upscaler each on four differently treated copies of the same recordings."""
    root = tmp_path_factory.mktemp("four")
    (root / "plugin.py").write_text(dedent(PLUGIN))
    found = {}
    for treatment, name in zip(TREATMENTS, ("spline", "clean", "noisy", "noisier"), strict=True):
        entrant = Entrant(name) if name == "spline" else Entrant(name, plugins=(root / "plugin.py",))
        found[treatment] = make_run(treated(root / treatment, treatment), root / "results", entrant)
    return found


def published(tmp_path: Path, places: list[Path], protocol: Path, **more: Any) -> Outcome:
    told = {"protocols": known_protocols([protocol]), "rows": 0, **more}
    return publish(places, tmp_path / "leaderboard", **told)


def protocol_of(run: Run) -> Path:
    return run.folder.parents[2] / "true" / "tiny.toml"


def test_four_treatments_of_one_corpus_make_no_common_leaderboard(four: dict[str, Run], tmp_path: Path) -> None:
    run = four["true"]
    outcome = published(tmp_path, [run.folder.parents[1]], protocol_of(run))
    assert not outcome.published
    (fault,) = (each for each in outcome.aside if each.fault)
    assert "6 of 6 recordings are not the same samples, the first a/1" in " ".join(fault.reasons)
    assert not (tmp_path / "leaderboard" / "tiny.csv").exists()


def test_a_leaderboard_takes_no_row_of_other_recordings(four: dict[str, Run], tmp_path: Path) -> None:
    """Also when the runs behind its rows are gone."""
    run = four["true"]
    assert published(tmp_path, [run.folder], protocol_of(run)).published
    before = (tmp_path / "leaderboard" / "tiny.csv").read_bytes()
    for treatment in ("vorbis", "normalised", "trimmed"):
        outcome = published(tmp_path, [four[treatment].folder], protocol_of(run))
        assert not outcome.published
        assert "of other recordings with the same ids" in str(outcome.aside)
    assert (tmp_path / "leaderboard" / "tiny.csv").read_bytes() == before


def test_a_partial_run_of_other_recordings_is_refused_too(four: dict[str, Run], tmp_path: Path) -> None:
    """Over other ids their digests tell nothing, so the runs behind the rows are asked, and must be here."""
    run = four["true"]
    root = run.folder.parents[2]
    assert published(tmp_path, [run.folder], protocol_of(run)).published
    before = (tmp_path / "leaderboard" / "tiny.csv").read_bytes()
    for treatment, word in (("normalised", "are not the same samples"), ("true", "whose run is not here")):
        part = make_run(root / treatment / "tiny.toml", tmp_path / treatment, Entrant("hold"), limit=4)
        known = [part.folder] if treatment == "true" else [part.folder, run.folder]
        outcome = published(tmp_path, known, protocol_of(run), allow_partial=True)
        assert not outcome.published
        assert word in str(outcome.aside)
    assert (tmp_path / "leaderboard" / "tiny.csv").read_bytes() == before
    assert len(published(tmp_path, [part.folder, run.folder], protocol_of(run), allow_partial=True).published) == 2


def test_runs_are_held_against_all_others_and_not_against_the_first_alone() -> None:
    """The second and the third share an utterance that the first lacks."""
    one, two, other = (
        [Record(n, "s", n, s, 16000, 9, 0.5, recording=s)] for n, s in (("a", "1"), ("b", "2"), ("b", "3"))
    )
    refuse_other_recordings([("x", one), ("y", two)])
    with pytest.raises(SrbenchError, match=r"y and z cannot be compared"):
        refuse_other_recordings([("x", one), ("y", two), ("z", other)])


def test_figures_and_comparisons_take_no_other_recordings(four: dict[str, Run]) -> None:
    for other in ("vorbis", "normalised", "trimmed"):
        for meet in (collect, compare_runs):
            with pytest.raises(SrbenchError, match="6 of 6 recordings are not the same samples, the first a/1"):
                meet([four["true"], four[other]])


def test_a_split_that_ships_digests_knows_its_recordings(tmp_path: Path) -> None:
    """Publish leaves out what is not the protocol's own, and refuses a run that says it is."""
    protocol = treated(tmp_path / "own", "true")
    ship_digests(protocol)
    assert make_run(protocol, tmp_path / "results", Entrant("spline")).manifest.own_corpus
    path = tmp_path / "own" / "corpus" / f"{IDS[2]}.wav"
    samples, rate = soundfile.read(path)
    soundfile.write(path, 0.5 * samples, rate)
    run = make_run(protocol, tmp_path / "results", Entrant("linear"))
    assert not run.manifest.own_corpus
    assert f"1 of 6 recordings are not the protocol's own samples; the first: {IDS[2]}" in run.manifest.notes[0]
    outcome = published(tmp_path, [run.folder], protocol)
    assert [(each.fault, "not the protocol's own samples" in each.reasons[0]) for each in outcome.aside] == [
        (True, True)
    ]
    manifest = json.loads((run.folder / "manifest.json").read_text())
    (run.folder / "manifest.json").write_text(json.dumps({**manifest, "own_corpus": True}))
    outcome = published(tmp_path, [run.folder], protocol)
    assert not outcome.published
    assert "not the protocol's own samples" in str(outcome.aside)


@pytest.fixture(scope="module")
def raced(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Run]]:
    """Several models, two of them alike, the spline and the ceiling; two fail, each on another utterance."""
    root = tmp_path_factory.mktemp("raced")
    (root / "plugin.py").write_text(dedent(PLUGIN))
    protocol = treated(root, "true")
    for number, name in enumerate(IDS):
        path = root / "corpus" / f"{name}.wav"
        samples, rate = soundfile.read(path)
        peak = (0.5, 0.1, 0.12, 0.14, 0.16, 0.95)[number]
        soundfile.write(path, peak * samples / np.abs(samples).max(), rate)
    mine = ("clean", "noisy", "noisier", "like_clean", "no_first", "no_last")
    entrants = [Entrant(name, plugins=(root / "plugin.py",)) for name in mine]
    entrants += [Entrant("spline"), Entrant("ceiling", anchor=True)]
    return protocol, [make_run(protocol, root / "results", entrant) for entrant in entrants]


def interval_of(runs: dict[str, Run], one: str, other: str, metric: str) -> tuple[float | None, float | None]:
    pair = compare_runs([runs[one], runs[other]])["pairs"][0]["metrics"][metric]
    return tuple(pair["ci95"])


def test_every_mark_is_what_compare_says(raced: tuple[Path, list[Run]], tmp_path: Path) -> None:
    protocol, everyone = raced
    runs = {r.manifest.upscaler.name: r for r in everyone if not r.manifest.upscaler.name.startswith("no_")}
    published(tmp_path, [run.folder for run in runs.values()], protocol)
    board = read_board(tmp_path / "leaderboard" / "tiny.csv")
    plan = make_plan(load_protocol(protocol), protocol.parent / "corpus")
    document = leaderboard(plan, list(runs.values())[:-1], [runs["ceiling"]], tmp_path).document()
    of_run = {each["name"]: each["metrics"] for each in (*document["models"], *document["anchors"])}
    models = [name for name in runs if name != "ceiling"]
    seen: set[str] = set()
    for name, metric in product(models, ("snr", "lsd")):
        row = board.row(name)
        assert row is not None
        told = row.values[metric].paired
        assert told == Standing(**of_run[name][metric]["paired"]), "run and publish say one thing"
        sign = 1 if get_metric(metric).better == "higher" else -1
        if name != "spline":
            low, high = interval_of(runs, name, "spline", metric)
            assert low is not None
            assert high is not None
            shown = low > 0 if sign > 0 else high < 0
            above = metric == "snr" and interval_of(runs, name, "ceiling", metric)[0] > 0
            assert mark(told) == ("‡" if shown and above else "" if shown else "†")
            seen.add(mark(told))
        means = {each: sign * of_run[each][metric]["mean"] for each in models}
        best = max(means, key=lambda each: means[each])
        low, high = (0, 0) if name == best else interval_of(runs, best, name, metric)
        assert (told.best == "yes") == (low <= 0 <= high)
    assert seen >= {"†", ""}
    assert 1 < len([row for row in board.rows if row.values["snr"].paired.best == "yes"]) < len(models)
    assert markdown(board).count("**") == 2 * sum(v.paired.best == "yes" for r in board.rows for v in r.values.values())


def test_models_that_failed_on_other_utterances_carry_no_mark(raced: tuple[Path, list[Run]], tmp_path: Path) -> None:
    """Both are of 5 of 6: what differs is which."""
    protocol, everyone = raced
    runs = {r.manifest.upscaler.name: r for r in everyone}
    chosen = [runs[name] for name in ("no_first", "no_last", "spline")]
    assert [sum(bool(r.error) for r in run.records) for run in chosen] == [1, 1, 0]
    outcome = published(tmp_path, [run.folder for run in chosen], protocol, allow_partial=True)
    board = outcome.boards["tiny"]
    assert {value.paired for row in board.rows for value in row.values.values()} == {Standing()}
    note = "Means over different utterances do not compare, and carry no marks: no_first, no_last"
    assert note in markdown(board).replace("\\_", "_")
    assert len({row.values["snr"].over for row in board.rows}) == 3
    build_site(tmp_path / "site", [board], {}, corpora={})
    page = (tmp_path / "site" / "tiny" / "index.html").read_text()
    assert note in page
    assert 'class="best"' not in page
    assert 'class="mark"' not in page
    plan = make_plan(load_protocol(protocol), protocol.parent / "corpus")
    board = leaderboard(plan, chosen[:2], chosen[2:], tmp_path)
    document = board.document()
    assert {str(Standing(**v["paired"])) for e in document["models"] for v in e["metrics"].values()} == {""}


def test_what_rests_on_runs_that_are_not_here_is_kept_or_forgotten(
    raced: tuple[Path, list[Run]], tmp_path: Path
) -> None:
    protocol, everyone = raced
    runs = {r.manifest.upscaler.name: r for r in everyone}

    def elsewhere(name: str) -> Path:
        """A results folder of its own: no other run lies beside it."""
        import shutil

        return shutil.copytree(runs[name].folder, tmp_path / name / "tiny" / runs[name].folder.name)

    first = published(tmp_path, [elsewhere("clean"), elsewhere("spline")], protocol).boards["tiny"]
    assert first.row("clean").values["snr"].paired.best  # type: ignore[union-attr]
    again = published(tmp_path, [tmp_path / "clean"], protocol)
    assert again.boards["tiny"] == first
    assert not again.written
    more = published(tmp_path, [elsewhere("noisy")], protocol).boards["tiny"]
    for name in ("clean", "noisy", "spline"):
        assert more.row(name).values["snr"].paired.best == ""  # type: ignore[union-attr]
    assert more.row("clean").values["snr"].paired.floor == first.row("clean").values["snr"].paired.floor  # type: ignore[union-attr]
    assert more.row("noisy").values["snr"].paired.floor == ""  # type: ignore[union-attr]
    assert "publish them together" in markdown(more)


def test_systems_that_were_scored_on_other_utterances_say_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(4):
        samples = rng.uniform(-0.3, 0.3, 8000)
        for side, noise in (("ref", 0), ("a", 0.01), ("b", 0.02)):
            if (side, number) in (("a", 0), ("b", 3)):
                continue
            path = tmp_path / side / f"{number}.wav"
            path.parent.mkdir(exist_ok=True)
            soundfile.write(path, samples + noise * rng.standard_normal(8000), 16000)
    arguments = ["score", str(tmp_path / "ref"), "--systems", f"a={tmp_path / 'a'}", f"b={tmp_path / 'b'}"]
    result = CliRunner().invoke(cli, [*arguments, "--results", str(tmp_path / "results")])
    assert "Means over different utterances do not compare, and carry no marks:" in result.output
    assert "3 utterances are too few" in result.output or "too few" in result.output


def test_a_standing_is_read_back() -> None:
    for told in product(("", "better", "same", "worse"), ("", "above", "same", "below"), ("", "yes", "no")):
        assert parse_standing(str(Standing(*told))) == Standing(*told)
    for cell in ("floor:best", "best:yes floor:same", "floor", "mark:yes", "floor:same  best:yes"):
        with pytest.raises(SrbenchError, match="does not say how a mean stands"):
            parse_standing(cell)


def test_one_utterance_marks_nothing(raced: tuple[Path, list[Run]], tmp_path: Path) -> None:
    protocol, _ = raced
    plan = make_plan(load_protocol(protocol), protocol.parent / "corpus", limit=1)
    runs = [run_entrant(plan, Entrant(name), tmp_path) for name in ("spline", "linear")]
    assert {s for of in standings([contestant(run) for run in runs], ("snr", "lsd")) for s in of.values()} == {
        Standing()
    }


def test_leaderboards_of_0_1_0_are_read_and_carry_no_marks(tmp_path: Path) -> None:
    """The file of that version lacks the columns; its rows are as they were, digest and all."""
    path = Path(__file__).with_name("data") / "demo-0.1.0.csv"
    board: Board = read_board(path)
    assert {row.recordings for row in board.rows} == {""}
    assert {value.paired for row in board.rows for value in row.values.values()} == {Standing()}
    write_board(board, tmp_path / "demo-0.1.0.csv")
    assert read_board(tmp_path / "demo-0.1.0.csv") == board
