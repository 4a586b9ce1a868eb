"""Damaged TOML: protocols, splits and recipes load or are refused in a line or two, and what loads can be used."""

from __future__ import annotations

from importlib import resources
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import NUMBERS, TEXTS, answer, damaged_text

from srbench.corpora import check_sides, load_split
from srbench.errors import SrbenchError
from srbench.protocols import Protocol, load_protocol, prepare

NAMED = Path(str(resources.files("srbench.protocols"))) / "named"
SOUND = 0.1 * np.random.default_rng(0).standard_normal(6000)
# of TOML alone, and words that protocols and recipes know
TOKENS = (
    *NUMBERS,
    *TEXTS,
    *(b"[]", b"[[1]]", b"{}", b"{ a = 1 }", b"true", b"1979-05-27", b"'''\n'''", b"0xffff", b"[" * 900 + b"]" * 900),
    *(b'"16000/6"', b'"16000/7"', b'"15999/16000"', b"15999", b"4000", b'"/dev/zero"', b'"demo"', b'"all"', b'["snr"]'),
    *(b'"sinc"', b'"brickwall"', b'"subsample"', b'"ellip"', b'"hann"', b'"polyphase"', b'"causal"', b'"peak"'),
    *(
        b"engine",
        b"width",
        b"n_fft",
        b"hop",
        b"cut",
        b"order",
        b"ripple_db",
        b"attenuation_db",
        b"trim_top_db",
        b"level",
    ),
)
many = settings(max_examples=200)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("toml")


def used(path: Path) -> Protocol:
    """Load a protocol and do with it what a run does."""
    protocol = load_protocol(path)
    protocol.define_metrics()
    str(protocol.signature())
    for rate in {protocol.high_rate, 48000}:
        made = answer(prepare, SOUND, rate, protocol)
        if not isinstance(made, SrbenchError):
            assert np.isfinite(made.low).all()
            assert len(made.low) < len(made.reference) <= len(SOUND)
    return protocol


DEGRADATIONS = (
    b'kind = "cheby1"\norder = 8\nripple_db = 0.05\ncut = 0.8\nphase = "zero"\n',
    b'kind = "ellip"\norder = 6\nripple_db = 0.1\nattenuation_db = 60\ncut = 0.9\nphase = "causal"\n',
    b'kind = "brickwall"\nn_fft = 1024\nhop = 256\n',
    b'kind = "sinc"\nengine = "hann"\nwidth = 6\nrolloff = 0.99\n',
    b'kind = "sinc"\nengine = "polyphase"\nwidth = 10\n',
)
WHOLE = [(NAMED / f"{name}.toml").read_bytes() for name in ("demo", "vctk-nuwave-r2", "vctk-speaker1-causal-r6")]
WHOLE += [WHOLE[0].partition(b"kind =")[0] + each for each in DEGRADATIONS]


@many
@given(st.sampled_from(WHOLE).flatmap(lambda content: damaged_text(content, TOKENS)))
def test_protocols(folder: Path, content: bytes) -> None:
    path = folder / "mine.toml"
    path.write_bytes(content)
    answer(used, path)


@pytest.mark.parametrize("content", WHOLE, ids=range(len(WHOLE)))
def test_what_is_damaged_there_is_whole(folder: Path, content: bytes) -> None:
    (folder / "whole.toml").write_bytes(content)
    assert used(folder / "whole.toml").name == "whole"


NUMBERS_OF_FOLDERS = count()
SPLIT = b"""corpus = "mine"
title = "A split"
source = "us"
shares_speakers = false

[sides.train]
ids = "train.txt"
count = 3

[sides.test]
ids = "test.txt"
sha256 = "7019374093888d86d927f8070b58c49abf53017c4fd7ab24c47d104ee8d33876"
"""


def read_split(path: Path) -> None:
    split = load_split(path)
    for side in split.sides:
        answer(split.ids, side)
    check_sides(split)


@many
@given(damaged_text(SPLIT, TOKENS), damaged_text(b"p1_1\np1_2\np2_1\n"))
def test_splits(folder: Path, content: bytes, ids: bytes) -> None:
    place = folder / str(next(NUMBERS_OF_FOLDERS))  # lists of ids are remembered by the path of their file
    place.mkdir()
    (place / "split.toml").write_bytes(content)
    (place / "train.txt").write_bytes(ids)
    (place / "test.txt").write_text("p3_1\n")
    answer(read_split, place / "split.toml")


@many
@given(st.data())
def test_recipes(folder: Path, data: st.DataObject) -> None:
    recipe = pytest.importorskip("srbench_models.training.recipe")
    names = ["additive_b5_small", "stacked_b4_small", "p239_additive_b5_small"]
    recipes = Path(str(resources.files("srbench_models"))) / "recipes"
    whole = (
        recipes / f"{data.draw(st.sampled_from(names))}.toml"
    ).read_bytes() + b"\n[options]\nblocks = 3\nslope = 0.1\n"
    (folder / "recipe.toml").write_bytes(data.draw(damaged_text(whole, TOKENS)))
    answer(recipe.load_recipe, folder / "recipe.toml")
