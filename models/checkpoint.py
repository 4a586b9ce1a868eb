"""Checkpoints: weights in safetensors beside a card in JSON that says what they are. Nothing is ever unpickled.

``NAME.safetensors`` holds the network's tensors; ``NAME.json``, its card, holds the configuration, the rates, what it
was trained on and how, its scores, and the SHA-256 of the weights. Tensors may be stored narrower than they are used:
float16 or bfloat16 as such, int8 with a scale per filter under ``<tensor>.scale``.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as dump_safetensors
from srbench_models.configurations import Configuration, configuration
from torch import Tensor, nn

from srbench.audio import HIGHEST_RATE, LOWEST_RATE
from srbench.errors import SrbenchError, shown
from srbench.files import beside

FORMAT = 1
SAVE = "srbench_models.checkpoint.save_checkpoint"  # as messages name it
_PICKLES = (".pth", ".pt", ".ckpt", ".bin", ".pkl", ".tar")
_LARGEST_CARD = 10_000_000  # bytes
_HEADER = 10_000_000  # bytes at most of a weights file before its weights


def save_checkpoint(path: str | Path, network: nn.Module, card: Mapping[str, Any], *, store: str = "float32") -> Path:
    """Write weights and card; each file appears when it is whole, the card last.

    Parameters
    ----------
    path : path
        Of the weights, ending in ``.safetensors``.
    network : Module
    card : mapping
        Without ``weights_sha256`` and ``format``, which are added.
    store : {"float32", "float16", "bfloat16", "int8"}

    Raises
    ------
    OSError
        If they cannot be written; a checkpoint that stood there before is then still whole.
    """
    path = Path(path)
    data = dump_safetensors(stored(network.state_dict(), store))
    write_whole(path, data)
    told = {**card, "format": FORMAT, "stored": store, "weights_sha256": hashlib.sha256(data).hexdigest()}
    write_whole(card_path(path), (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode())
    return path


def load_checkpoint(path: str | Path) -> tuple[nn.Module, dict[str, Any]]:
    """Read a checkpoint: the network in eval mode with its weights, and its card.

    Raises
    ------
    SrbenchError
        If a file is missing, the card is not one, the weights do not have the card's hash, are not safetensors, do
        not fit the configuration, or are not finite.
    """
    path = Path(path)
    card = read_card(card_path(path))
    made = _configuration(card, path)
    outline = made.outline().state_dict()  # no memory is given before the weights bear out what the card claims
    data = _bytes(path, _HEADER + 8 * sum(tensor.numel() for tensor in outline.values()))
    if hashlib.sha256(data).hexdigest() != card["weights_sha256"]:
        raise SrbenchError(f"{path}: is not the file that its card describes (SHA-256 differs): truncated or replaced")
    try:
        tensors = restored(load_safetensors(data))
    except (SafetensorError, ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
        reason = shown(" ".join(str(error).split()))
        raise SrbenchError(f"{path}: is not a safetensors file of weights (others are never read): {reason}") from error
    _check_fit(outline, tensors, path)
    network = made.build()
    network.load_state_dict(tensors)
    return network.eval(), card


def check_format(path: Path) -> None:
    """Refuse a checkpoint of torch: it is a pickle, which can run code when it is opened, so it is not opened here.

    Raises
    ------
    SrbenchError
        With the way to convert it, if the name ends as those do.
    """
    if path.suffix.lower() in _PICKLES:
        raise SrbenchError(
            f"{path}: is a pickle ({path.suffix}), which can run code; srbench reads .safetensors only. Convert it "
            f"once, if you trust it: torch.load(…, weights_only=True), load_state_dict, {SAVE} (docs/models.md)"
        )


def card_path(weights: Path) -> Path:
    """Return where the card of a weights file stands."""
    return weights.with_suffix(".json")


def read_card(path: Path) -> dict[str, Any]:
    """Read a card and check that what is needed of it is there.

    Raises
    ------
    SrbenchError
        If it is missing or not a card.
    """
    data = _bytes(path, _LARGEST_CARD)
    try:
        card = json.loads(data)
        data.decode()
        json.dumps(card, ensure_ascii=False, allow_nan=False).encode()  # what it says goes into other files
    except (ValueError, RecursionError) as error:
        raise SrbenchError(f"{path}: is not a model card in JSON: {shown(error)}") from error
    kinds = {"format": int, "configuration": dict, "low_rate": int, "high_rate": int, "weights_sha256": str}
    if not isinstance(card, dict) or any(not isinstance(card.get(key), kind) for key, kind in kinds.items()):
        raise SrbenchError(f"{path}: is not a model card: it needs {', '.join(kinds)}")
    training = card.get("training", {})
    speakers = training.get("training_speakers", []) if isinstance(training, dict) else None
    if not isinstance(speakers, list) or not all(isinstance(speaker, str) for speaker in speakers):
        raise SrbenchError(
            f"{path}: is not a model card: training must be a table, its training_speakers a list of names"
        )
    if card["format"] != FORMAT:
        raise SrbenchError(f"{path}: is of format {shown(card['format'])}; this version reads {FORMAT}")
    if not LOWEST_RATE <= card["low_rate"] <= card["high_rate"] <= HIGHEST_RATE:
        rates = f"{shown(card['low_rate'])} and {shown(card['high_rate'])}"
        raise SrbenchError(f"{path}: the rates must be {LOWEST_RATE} to {HIGHEST_RATE} Hz, not {rates}")
    if card["high_rate"] % card["low_rate"]:
        raise SrbenchError(f"{path}: the high rate must be a multiple of the low one")
    return card


def fit(network: nn.Module, tensors: Mapping[str, Tensor], where: str | Path) -> None:
    """Put tensors into a network.

    Raises
    ------
    SrbenchError
        If a tensor is missing, too many, of another shape, or not finite.
    """
    _check_fit(network.state_dict(), tensors, where)
    network.load_state_dict(dict(tensors))


def _check_fit(wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor], where: str | Path) -> None:
    missing, extra = sorted(wanted.keys() - tensors.keys()), sorted(tensors.keys() - wanted.keys())
    if missing or extra:
        both = ((missing, "missing"), (extra, "too many"))
        prefix = _prefix(wanted, tensors)
        if prefix:
            raise SrbenchError(
                f"{where}: the names of its tensors begin with '{prefix}', which a wrapper (DataParallel, "
                f"torch.compile) puts there; take it off with name.removeprefix('{prefix}') and write the file "
                f"again with {SAVE} (docs/models.md)"
            )
        told = [f"{len(names)} tensors {word}, the first {shown(names[0])}" for names, word in both if names]
        raise SrbenchError(f"{where}: does not fit the network of its card: {'; '.join(told)}")
    for name, tensor in tensors.items():
        if tensor.shape != wanted[name].shape:
            shapes = f"{tuple(tensor.shape)}, not {tuple(wanted[name].shape)}"
            raise SrbenchError(f"{where}: does not fit the network of its card: {name} has shape {shapes}")
        if not torch.isfinite(tensor).all():
            raise SrbenchError(f"{where}: {name} holds NaN or infinity")


def _prefix(wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> str:
    """Return what stands before all names that are wanted, "" if that is not so."""
    first = min(wanted, default="")
    found = [name.removesuffix(first) for name in sorted(tensors) if name.endswith(f".{first}")]
    return next((shown(each) for each in found if {each + name for name in wanted} <= tensors.keys()), "")


def stored(tensors: Mapping[str, Tensor], store: str) -> dict[str, Tensor]:
    """Return tensors as they are stored: floating ones narrowed, int8 for those with more than one axis."""
    if store not in ("float32", "float16", "bfloat16", "int8"):
        raise SrbenchError(f"weights are stored as float32, float16, bfloat16 or int8, not '{store}'")
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        tensor = tensor.detach().cpu().contiguous()
        if not tensor.is_floating_point():
            found[name] = tensor
        elif store == "int8" and tensor.ndim > 1:
            scale = tensor.abs().flatten(1).amax(1).clamp_min(1e-12) / 127
            shape = (-1, *[1] * (tensor.ndim - 1))
            found[name] = torch.round(tensor / scale.view(shape)).to(torch.int8)
            found[f"{name}.scale"] = scale
        else:
            found[name] = tensor if store == "int8" else tensor.to(getattr(torch, store))
    return found


def restored(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return stored tensors as the network uses them, in float32."""
    found = {}
    for name, tensor in tensors.items():
        if name.endswith(".scale") and name.removesuffix(".scale") in tensors:
            continue
        if tensor.dtype == torch.int8:
            scale = tensors[f"{name}.scale"]
            found[name] = tensor.float() * scale.view(-1, *[1] * (tensor.ndim - 1))
        elif tensor.is_floating_point() or tensor.dtype == torch.int64:  # batch norm counts in whole numbers
            found[name] = tensor.float() if tensor.is_floating_point() else tensor
        else:
            raise ValueError(f"{name} is stored as {tensor.dtype}")
    return found


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that appears when it is whole, and on the disk, should the machine go down."""
    with beside(path) as unfinished, unfinished.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _configuration(card: Mapping[str, Any], path: Path) -> Configuration:
    options = dict(card["configuration"])
    try:
        return configuration(str(options.pop("network", "")), **options)
    except (SrbenchError, TypeError) as error:
        raise SrbenchError(f"{card_path(path)}: {error}") from error


def _bytes(path: Path, most: int | None = None) -> bytes:
    try:
        if most is not None and path.stat().st_size > most:
            raise SrbenchError(f"{path}: larger than {most // 1_000_000} MB, more than such a file needs")
        return path.read_bytes()
    except OSError as error:
        raise SrbenchError(f"{path}: {error.strerror or 'cannot be read'}") from error
