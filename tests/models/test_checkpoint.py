"""Checkpoints: they come back as they were; whatever is damaged, replaced or pickled is refused in one line."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the networks need torch: pip install 'srbench[models]'")

from srbench_models import checkpoint  # noqa: E402
from srbench_models.checkpoint import card_path, load_checkpoint, save_checkpoint  # noqa: E402
from srbench_models.configurations import configuration  # noqa: E402
from srbench_models.widen import widened  # noqa: E402

from srbench.errors import SrbenchError  # noqa: E402

SMALL = configuration("unet", join="add", blocks=2, first_filters=8, max_filters=16, first_kernel=17)


def drawn(made=SMALL) -> torch.nn.Module:
    torch.manual_seed(0)
    network = made.build()
    torch.nn.init.normal_(network.output.weight, std=0.1)
    return network.eval()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    card = {"name": "small", "configuration": SMALL.as_dict(), "low_rate": 4000, "high_rate": 16000}
    return save_checkpoint(tmp_path / "small.safetensors", drawn(), card)


@pytest.mark.parametrize(("store", "most"), [("float32", 0.0), ("float16", 2e-3), ("bfloat16", 2e-2), ("int8", 2e-2)])
def test_weights_come_back(tmp_path: Path, store: str, most: float):
    network = drawn()
    card = {"configuration": SMALL.as_dict(), "low_rate": 4000, "high_rate": 16000}
    path = save_checkpoint(tmp_path / "w.safetensors", network, card, store=store)
    loaded, told = load_checkpoint(path)
    assert told["stored"] == store
    assert not loaded.training
    x = torch.randn(1, 1, 500)
    with torch.no_grad():
        difference = float((loaded(x) - network(x)).abs().max() / network(x).abs().max())
    assert difference <= most
    assert (difference == 0) == (store == "float32")


def test_narrower_is_smaller(tmp_path: Path):
    card = {"configuration": SMALL.as_dict(), "low_rate": 4000, "high_rate": 16000}
    sizes = [
        save_checkpoint(tmp_path / f"{s}.safetensors", drawn(), card, store=s).stat().st_size
        for s in ("float32", "float16", "int8")
    ]
    assert sizes[0] > 1.5 * sizes[1] > 1.5 * 1.3 * sizes[2]


def refused(path: Path, said: str) -> None:
    with pytest.raises(SrbenchError) as told:
        load_checkpoint(path)
    assert said in str(told.value)
    assert len(str(told.value).splitlines()) <= 2


def retold(path: Path, **changes) -> None:
    """Change the card, and let it vouch for the weights that are there now."""
    card = json.loads(card_path(path).read_text())
    card["weights_sha256"] = checkpoint.hashlib.sha256(path.read_bytes()).hexdigest()
    card_path(path).write_text(json.dumps({**card, **changes}))


def test_damaged_files_are_refused(saved: Path):
    whole = saved.read_bytes()
    saved.write_bytes(whole[: len(whole) // 2])
    refused(saved, "truncated or replaced")
    retold(saved)
    refused(saved, "not a safetensors file")
    changed = bytearray(whole)
    changed[-1] ^= 1
    saved.write_bytes(bytes(changed))
    refused(saved, "SHA-256 differs")
    saved.unlink()
    refused(saved, "No such file")


def test_a_pickle_is_never_read(saved: Path, tmp_path: Path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    for data in (pickle.dumps(Trap()), b"PK\x03\x04" + pickle.dumps(Trap())):
        saved.write_bytes(data)
        retold(saved)
        refused(saved, "not a safetensors file")
    torch.save({"x": torch.zeros(1)}, saved)
    retold(saved)
    refused(saved, "not a safetensors file")
    assert not (tmp_path / "sprung").exists()


def test_weights_of_another_network_are_refused(saved: Path):
    other = configuration("unet", join="concat", blocks=2, first_filters=8, max_filters=16, first_kernel=17)
    retold(saved, configuration=other.as_dict())
    refused(saved, "does not fit the network of its card")
    retold(saved, configuration={**SMALL.as_dict(), "first_filters": 16})
    refused(saved, "has shape")
    retold(saved, configuration={**SMALL.as_dict(), "blocksize": 3})
    refused(saved, "unknown option")
    retold(saved, configuration={"network": "resnet"})
    refused(saved, "unknown network")


def test_weights_that_are_not_finite_are_refused(tmp_path: Path):
    network = drawn()
    network.output.weight.data[0, 0, 0] = float("nan")
    card = {"configuration": SMALL.as_dict(), "low_rate": 4000, "high_rate": 16000}
    refused(save_checkpoint(tmp_path / "n.safetensors", network, card), "output.weight holds NaN")


@pytest.mark.parametrize("training", ["yes", {"training_speakers": "p225"}, {"training_speakers": [1]}])
def test_a_cards_training_is_a_table_with_names(saved: Path, training: object):
    retold(saved, training=training)
    refused(saved, "a list of names")


@pytest.mark.parametrize("text", ["", "[]", "{}", "{", '{"format": 1}', "\x00\xff"])
def test_cards_that_are_none_are_refused(saved: Path, text: str):
    card_path(saved).write_text(text, encoding="latin-1")
    refused(saved, "model card")


def test_a_failed_write_leaves_the_last_good_one(saved: Path, monkeypatch: pytest.MonkeyPatch):
    good = saved.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(saved, drawn(), {"configuration": SMALL.as_dict()})
    assert saved.read_bytes() == good
    assert not list(saved.parent.glob("*.unfinished"))
    load_checkpoint(saved)


@pytest.mark.parametrize("join", ["concat", "add"])
@pytest.mark.parametrize("reduction", ["linear", "pointwise"])
def test_a_widened_network_computes_the_same(join: str, reduction: str):
    narrow = configuration(
        "unet", join=join, blocks=3, first_filters=8, max_filters=16, first_kernel=17, reduction=reduction
    )
    wide = configuration(
        "unet", join=join, blocks=3, first_filters=32, max_filters=64, first_kernel=17, reduction=reduction
    )
    network = drawn(narrow)
    made = widened(network, wide, noise=0.0).eval()
    assert sum(p.numel() for p in made.parameters()) > 10 * sum(p.numel() for p in network.parameters())
    x = torch.randn(1, 1, 700)
    with torch.no_grad():
        assert torch.allclose(made(x), network(x), atol=1e-5)
        assert not torch.allclose(widened(network, wide).eval()(x), network(x), atol=1e-7)
    with pytest.raises(SrbenchError, match=r"do not fit|another kind"):
        widened(network, configuration("unet", join=join, blocks=3, first_filters=12, max_filters=24, first_kernel=17))
