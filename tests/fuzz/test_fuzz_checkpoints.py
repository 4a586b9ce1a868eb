"""Damaged weights, cards and states of training are refused in a line or two, even where their hash is right."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import answer, damaged_document, damaged_text

torch = pytest.importorskip("torch", reason="the networks need torch: pip install 'srbench[models]'")

from safetensors.torch import save as dump_safetensors  # noqa: E402
from srbench_models.checkpoint import card_path, load_checkpoint, save_checkpoint  # noqa: E402
from srbench_models.configurations import Configuration, configuration  # noqa: E402
from srbench_models.training.state import STATE, Progress, load_state, save_state  # noqa: E402

from srbench.errors import SrbenchError  # noqa: E402
from srbench.run.manifest import Provenance, tell_of  # noqa: E402
from srbench.upscaler import build_upscaler  # noqa: E402

TINY = configuration("unet", join="add", blocks=1, first_filters=2, max_filters=2, first_kernel=9)
SRCNN = configuration("srcnn", filters=[2, 2], kernels=[3, 1, 3])
NETWORKS = {"tiny": TINY, "srcnn": SRCNN, "dnn": configuration("dnn", n_fft=16, hop=8, layers=1, units=2)}
CARD: dict[str, Any] = {
    "name": "tiny",
    "title": "A tiny network",
    "low_rate": 4000,
    "high_rate": 16000,
    "training": {"training_speakers": ["p225"], "corpora": ["vctk"], "hours": 0.5},
}
many = settings(max_examples=120)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


@cache
def whole(folder: Path, made: str = "tiny", store: str = "float32") -> tuple[Path, bytes, bytes]:
    """Write a checkpoint; return its path, its weights and its card, which are once written and then only damaged."""
    torch.manual_seed(0)
    card = {**CARD, "network": made, "configuration": NETWORKS[made].as_dict()}
    path = save_checkpoint(folder / f"{made}-{store}.safetensors", NETWORKS[made].build(), card, store=store)
    return path, path.read_bytes(), card_path(path).read_bytes()


def loaded(path: Path, weights: bytes, card: Any) -> Any:
    """Load weights and card, the card with the hash that these weights have, and use what comes of it."""
    if isinstance(card, dict) and isinstance(card.get("weights_sha256"), str):
        card = {**card, "weights_sha256": hashlib.sha256(weights).hexdigest()}
    path.write_bytes(weights)
    card_path(path).write_text(json.dumps(card), encoding="utf-8")
    made = answer(load_checkpoint, path)
    if isinstance(made, SrbenchError):
        return made
    network, _ = made
    assert all(torch.isfinite(tensor).all() for tensor in network.state_dict().values())
    return network


def with_header(header: Any, rest: bytes, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + rest


@many
@given(st.data())
def test_headers_of_weights(folder: Path, data: st.DataObject) -> None:
    made = data.draw(st.sampled_from(sorted(NETWORKS)))
    path, weights, card = whole(folder, made, data.draw(st.sampled_from(["float32", "float16", "int8"])))
    size = int.from_bytes(weights[:8], "little")
    header, rest = json.loads(weights[8 : 8 + size]), weights[8 + size :]
    length = data.draw(st.none() | st.sampled_from([0, 1, 2**31, 2**40, 2**63, 2**64 - 1]) | st.integers(0, 4000))
    dtypes = ["F64", "F32", "F16", "BF16", "I8", "U8", "I64", "BOOL", "F8_E4M3", "C64", "F4", "X"]
    if data.draw(st.booleans()):
        entry = header[data.draw(st.sampled_from(sorted(set(header) - {"__metadata__"})))]
        entry["dtype"] = data.draw(st.sampled_from(dtypes))
    loaded(path, with_header(data.draw(damaged_document(header)), rest, length), json.loads(card))


@many
@given(st.data())
def test_bytes_of_weights(folder: Path, data: st.DataObject) -> None:
    path, weights, card = whole(folder)
    loaded(path, data.draw(damaged_text(weights)), json.loads(card))


@many
@given(st.data())
def test_cards(folder: Path, data: st.DataObject) -> None:
    path, weights, card = whole(folder, data.draw(st.sampled_from(sorted(NETWORKS))))
    loaded(path, weights, data.draw(damaged_document(json.loads(card))))


@many
@given(st.data())
def test_cards_that_are_no_json(folder: Path, data: st.DataObject) -> None:
    path, weights, card = whole(folder)
    path.write_bytes(weights)
    card_path(path).write_bytes(data.draw(damaged_text(card)))
    answer(load_checkpoint, path)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers(folder: Path, bad: float) -> None:
    path, _, card = whole(folder)
    tensors = {name: tensor.clone() for name, tensor in TINY.build().state_dict().items()}
    tensors["output.bias"][0] = bad
    refused = loaded(path, dump_safetensors(tensors), json.loads(card))
    assert str(refused).endswith("output.bias holds NaN or infinity")


@pytest.mark.parametrize(
    "options",
    [
        {"first_filters": 10**9, "max_filters": 10**9},
        {"first_filters": 65536, "max_filters": 65536, "blocks": 10},
        {"first_kernel": 2**29 + 1},
        {"first_filters": 4096, "max_filters": 4096},
    ],
    ids=str,
)
def test_a_card_that_claims_a_network_larger_than_its_weights(
    folder: Path, options: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a network is never built where it takes memory."""
    places = []
    real = Configuration.build

    def build(self: Configuration) -> Any:
        places.append(torch.empty(0).device.type)
        return real(self)

    monkeypatch.setattr(Configuration, "build", build)
    path, weights, card = whole(folder)
    claimed = json.loads(card)
    claimed["configuration"].update(options)
    refused = loaded(path, weights, claimed)
    assert isinstance(refused, SrbenchError)
    assert "more than 1073741824 weights" in str(refused) or "has shape" in str(refused) or "too many" in str(refused)
    assert places == ["meta"]


@pytest.fixture(scope="module")
def trained(folder: Path) -> tuple[bytes, dict[str, Any], dict[str, Any]]:
    """Return the state of a training run of one step, and the module and the optimiser that it belongs to."""
    torch.manual_seed(0)
    network = SRCNN.build()
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.ones(1, 1, 8)).sum().backward()
    optimizer.step()
    save_state(folder, {"network": network}, {"adam": optimizer}, Progress(step=3, best=1.0, history=[{"step": 1}]))
    return (folder / STATE).read_bytes(), {"network": network}, {"adam": optimizer}


@many
@given(st.data())
def test_states_of_training(folder: Path, trained: Any, data: st.DataObject) -> None:
    state, modules, optimizers = trained
    size = int.from_bytes(state[:8], "little")
    header = json.loads(state[8 : 8 + size])
    if data.draw(st.booleans()):
        progress = json.loads(header["__metadata__"]["progress.json"])
        header["__metadata__"]["progress.json"] = json.dumps(data.draw(damaged_document(progress)))
        damaged = with_header(header, state[8 + size :])
    else:
        damaged = data.draw(damaged_text(state))
    (folder / STATE).write_bytes(damaged)
    done = answer(load_state, folder, modules, optimizers)
    assert isinstance(done, SrbenchError) or (isinstance(done, Progress) and type(done.step) is int)


@many
@given(st.data())
def test_what_a_card_says_is_written_down_with_a_run(folder: Path, data: st.DataObject) -> None:
    path, weights, card = whole(folder, "srcnn")
    path.write_bytes(weights)
    card_path(path).write_text(json.dumps(data.draw(damaged_document(json.loads(card)))), encoding="utf-8")

    def told() -> Provenance:
        built, origin = build_upscaler(f"srcnn@{path}")
        provenance = {**built.describe(), **origin, "name": "srcnn"}
        json.dumps(provenance, ensure_ascii=False).encode()
        return tell_of("srcnn", provenance)

    answer(told)
