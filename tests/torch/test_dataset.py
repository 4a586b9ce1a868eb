"""`ProtocolDataset`: every item by seed, epoch and index alone, in any worker; the trainer's steps in a user's loop."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from kit import Cli

import srbench
from srbench import audio
from srbench.corpora import demo_corpus
from srbench.corpora.splits import checksum

torch = pytest.importorskip("torch", reason="tensors need torch: pip install 'srbench[models]'")
pytest.importorskip("safetensors", reason="pip install 'srbench[models]'")
from torch.utils.data import DataLoader  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
SOME = {"side": "all", "patch": 2048, "keep": lambda u: u.id < "demo1_004"}


def dataset(**more: object):
    return srbench.torch.ProtocolDataset("demo", **{**SOME, **more})


def test_items_depend_on_seed_epoch_and_index_alone():
    one, two = dataset(length=6), dataset(length=6)
    order = [4, 1, 5, 1]
    first = [one[i] for i in range(6)]
    for i in order:
        assert torch.equal(two[i][0], first[i][0])
        assert torch.equal(two[i][1], first[i][1])
    assert not torch.equal(first[0][1], first[1][1])
    assert not torch.equal(dataset(length=6, seed=1)[0][1], first[0][1])
    two.set_epoch(1)
    assert not torch.equal(two[0][1], first[0][1])
    two.set_epoch(0)
    assert torch.equal(two[0][1], first[0][1])
    assert torch.equal(one[-1][1], first[5][1])
    with pytest.raises(IndexError):
        one[6]


def test_an_input_is_the_raised_low_resolution_signal_of_its_reference():
    low, high = dataset()[0]
    assert low.shape == high.shape == (1, 2048)
    assert low.dtype == high.dtype == torch.float32
    lows, highs = dataset(batch=16)[0]
    assert np.corrcoef(lows.ravel(), highs.ravel())[0, 1] > 0.9
    random = dataset(filters="random")[0]
    assert torch.equal(dataset(filters="random")[0][0], random[0])
    assert not torch.equal(random[0], low)
    assert dataset(batch=3)[0][0].shape == (3, 1, 2048)


@pytest.mark.slow
@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_draw_the_same_and_see_a_new_epoch(tmp_path: Path, context: str):
    whole = srbench.torch.ProtocolDataset("demo", side="all", patch=512, batch=2, length=8, cache=tmp_path)
    loader = DataLoader(whole, batch_size=None, num_workers=2, persistent_workers=True, multiprocessing_context=context)
    for epoch in (0, 3):
        whole.set_epoch(epoch)
        for index, (_, high) in enumerate(loader):
            assert torch.equal(high, whole.draw(index, epoch)[1])


def test_a_cache_is_mapped_and_found_again_also_where_it_is_sent(tmp_path: Path):
    one, two = dataset(cache=tmp_path), dataset(cache=tmp_path)
    sent = pickle.loads(pickle.dumps(two._patches))
    for patches in (one._patches, two._patches, sent):
        assert isinstance(patches.joined, np.memmap)
    assert len(pickle.dumps(two._patches)) < 1000
    assert torch.equal(one[0][0], two[0][0])
    assert torch.equal(one[0][0], dataset()[0][0])
    assert len(list(tmp_path.glob("*.npy"))) == 1


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"side": "test"}, "train on another"),
        ({"side": "train"}, "side of split demo"),
        ({"filters": "rand"}, "Did you mean 'random'"),
        ({"patch": 0}, "patch must be at least 1"),
        ({"batch": 0}, "batch must be at least 1"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"keep": lambda u: False}, "keep leaves none"),
        ({"patch": 10**7}, "longer than every recording"),
    ],
)
def test_what_cannot_be_is_refused(more: dict[str, object], told: str):
    with pytest.raises(srbench.SrbenchError, match=told):
        dataset(**more)


def test_the_example_runs():
    found = doctest.testmod(importlib.import_module("srbench.torch.dataset"))
    assert found.attempted
    assert not found.failed


@pytest.fixture
def protocol(tmp_path: Path) -> Path:
    """Return a protocol whose split has a side to train on and one to validate with, over a folder of speech."""
    sides: dict[str, list[str]] = {"train": [], "test": []}
    (tmp_path / "data").mkdir()
    for number, utterance in enumerate(demo_corpus().utterances[:8]):
        samples, rate = audio.read(utterance.path)
        audio.write(tmp_path / "data" / f"{utterance.id}.wav", samples[: 2 * rate], rate)
        sides["test" if number > 5 else "train"].append(utterance.id)
    text = 'corpus = "folder"\n'
    for side, ids in sides.items():
        (tmp_path / f"{side}.txt").write_text("".join(f"{each}\n" for each in ids))
        text += f'[sides.{side}]\nids = "{side}.txt"\ncount = {len(ids)}\nsha256 = "{checksum(ids)}"\n'
    (tmp_path / "mine.toml").write_text(f"shares_speakers = true\n{text}")
    demo = (srbench.load_protocol("demo").folder / "demo.toml").read_text()
    demo = demo.replace('corpus = "demo-1"', 'corpus = "folder"').replace('split = "demo"', 'split = "mine.toml"')
    (tmp_path / "mine-4k.toml").write_text(demo)
    return tmp_path / "mine-4k.toml"


RECIPE = """
network = "additive_b5_small"
protocol = "{protocol}"
steps = 50
batch = 4
patch = 4096
learning_rate = 1e-3
validate_every = 50
stop_metric = "snr"

[data]
side = "train"
"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
def test_thirty_lines_train_to_the_numbers_of_the_command(cli: Cli, protocol: Path, tmp_path: Path):
    pytest.importorskip("lightning_fabric", reason="pip install 'srbench[train]'")
    example = ROOT / "docs" / "examples" / "train_small.py"
    assert len(example.read_text().splitlines()) <= 35
    spec = importlib.util.spec_from_file_location("train_small", example)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "recipe.toml").write_text(RECIPE.format(protocol=protocol))
    data = tmp_path / "data"
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        _, out, _ = cli("train", tmp_path / "recipe.toml", "--data", data, "--threads", "1", "--json")
        told = json.loads(out)["last"]
        network = module.train(protocol, data, steps=50)
        result = srbench.evaluate(
            module.as_function(network), protocol, data, metrics=["snr", "si_sdr", "lsd", "lsd_hf", "lsd_lf"]
        )
    finally:
        torch.set_num_threads(before)
    means = result.summary()["mean"]
    assert {name: told[name] for name in means.index} == pytest.approx(dict(means), rel=1e-9)
    spline = srbench.evaluate("spline", protocol, data, metrics="snr").summary()["mean"]["snr"]
    assert means["snr"] != pytest.approx(spline, rel=1e-3)  # it has learned something
