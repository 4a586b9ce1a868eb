"""Figures of a leaderboard: what they show, under which names, how wide."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit import Cli, refused

pytest.importorskip("seaborn", reason="figures need pip install 'srbench[plots]'")

from srbench.errors import SrbenchError
from srbench.report.means import Sizes, draw_means, draw_tradeoff
from srbench.results.board_file import read_board

BOARD = Path(__file__).parents[2] / "leaderboard" / "demo.csv"


def test_means_are_dots_on_their_intervals():
    board = read_board(BOARD)
    figure = draw_means(board, ["snr", "lsd"], Sizes(width=7.0, title=False, labels={"sinc": "Sinc"}))
    assert figure.get_size_inches()[0] == 7.0
    assert figure.get_suptitle() == ""
    panels = figure.axes
    assert [panel.get_xlabel() for panel in panels] == ["SNR dB ↑", "LSD ↓"]
    assert [text.get_text() for text in panels[0].get_yticklabels()] == [
        "Sinc" if row.name == "sinc" else row.name for row in board.rows
    ]
    drawn = [container.lines[0].get_xdata()[0] for container in panels[1].containers]
    assert drawn == [row.values["lsd"].mean for row in board.rows]
    assert len(panels[0].containers) == len(board.rows) - 1  # the reference's SNR is infinite


def test_tradeoff_shows_each_system_once():
    board = read_board(BOARD)
    figure = draw_tradeoff(board, "snr", "lsd", Sizes())
    (panel,) = figure.axes
    assert len(panel.containers) == len(board.rows) - 1
    assert "28 utterances" in figure.get_suptitle()
    (legend,) = figure.legends
    assert {text.get_text() for text in legend.get_texts()} == {r.name for r in board.rows} - {"reference"}


def test_nothing_to_draw_is_told():
    board = read_board(BOARD)
    with pytest.raises(SrbenchError, match="dnsmos"):
        draw_means(board, ["dnsmos"], Sizes())


def test_the_commands(cli: Cli):
    assert cli("plot", "means", BOARD, "--out", "means.svg", "--width", "89mm", "--label", "sinc=Sinc")[0] == 0
    assert "Sinc" in Path("means.svg").read_text(encoding="utf-8") or Path("means.svg").stat().st_size > 5000
    assert cli("plot", "tradeoff", BOARD, "--y", "pesq", "--out", "trade.pdf", "--no-title")[0] == 0
    refused(cli("plot", "means", BOARD, "--out", "a.png", "--width", "3"), "3.5in")
    refused(cli("plot", "means", BOARD, "--out", "a.png", "--metric", "dnsmos"), "dnsmos")
    refused(cli("plot", "means", BOARD, "--out", "a.png", "--label", "sin=x"), "sinc")
