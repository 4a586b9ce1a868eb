"""A path may be a text wherever the public functions take one."""

from __future__ import annotations

import os

import numpy as np
import pytest

import srbench
from srbench import audio
from srbench.corpora import open_corpus
from srbench.corpora.corpus import file_below, file_digest
from srbench.errors import SrbenchError
from srbench.folders.job import make_job, score_system
from srbench.protocols import load_protocol
from srbench.report.tables import write_tables
from srbench.results.aggregate import aggregate_run
from srbench.results.board_file import read_board, read_boards
from srbench.results.intake import known_protocols
from srbench.results.publish import publish
from srbench.results.scoring import score_document, write_score_table
from srbench.run import Entrant, find_runs, make_plan, open_run, run_entrant
from srbench.table import read_table, write_table


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        samples = np.random.default_rng(ord(name)).standard_normal(8000) / 9
        for folder in ("data", "made"):
            (tmp_path / folder).mkdir(exist_ok=True)
            audio.write(f"{folder}/{name}.wav", samples + (0 if folder == "data" else 0.01), 16000)


@pytest.mark.usefixtures("here")
def test_tables_runs_boards_and_corpora_take_texts():
    write_table("all.csv", ["x"], [["1"]])
    assert read_table("all.csv") == [["x"], ["1"]]
    corpus = open_corpus("data")
    assert file_below("data/a.wav", "data") == "a.wav"
    assert file_digest("data/a.wav") == file_digest(corpus.utterances[0].path)
    run = run_entrant(make_plan(load_protocol("demo"), "data", metrics=("snr",)), Entrant("spline"), "results")
    assert find_runs("results") == find_runs(["results"]) == [run.folder]
    again = open_run(str(run.folder))
    assert again.columns["utterance"] == ["a", "b"]
    assert aggregate_run(again)["snr"].n == 2
    job = make_job("data", {"made": "made"})
    made = score_system(job, "made", "results")
    score_document(job, [made])
    write_score_table([made], "pairs.csv")
    publish([str(made.folder)], "boards", protocols=known_protocols())
    (board,) = read_boards("boards")[0]
    assert read_board("boards/score.csv") == board
    write_tables(board, "boards")
    assert os.path.isfile("boards/score.md")


@pytest.mark.usefixtures("here")
def test_a_folder_of_runs_that_is_not_there_is_named_whole():
    with pytest.raises(SrbenchError, match="nowhere: no such folder"):
        find_runs("nowhere")
    assert srbench.score is not None
