"""Where weights come from: those that ship with srbench by name, a path, or a Hugging Face repository."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from srbench_models.checkpoint import SAVE, card_path, check_format, load_checkpoint, read_card
from srbench_models.configurations import CONFIGURATIONS
from torch import nn

from srbench import toml
from srbench.corpora.corpus import file_digest
from srbench.errors import SrbenchError
from srbench.extras import missing_package

HUB = "hf:"
_REPOSITORY = re.compile(r"(?!.*\.\.)[\w.-]+/[\w.-]+(@[\w./-]+)?")


@dataclass(frozen=True)
class Index:
    """What ships: the SHA-256 of each weights file by configuration, and which is the best of its kind."""

    sha256: Mapping[str, str]
    aliases: Mapping[str, str]


@lru_cache(maxsize=1)
def index() -> Index:
    """Return the index of the weights that ship with srbench."""
    table = toml.read(_folder() / "index.toml")
    toml.check_keys(table, "weights/index.toml", required={"sha256": dict, "aliases": dict}, optional={})
    return Index(MappingProxyType(table["sha256"]), MappingProxyType(table["aliases"]))


def load_weights(name: str, where: str = "") -> tuple[nn.Module, dict[str, Any]]:
    """Return the network of a configuration with its weights, and its card.

    Parameters
    ----------
    name : str
        A named configuration, or an alias.
    where : str
        The path of a ``.safetensors`` file; ``hf:owner/repository`` (with ``@revision``), which holds
        ``model.safetensors`` and ``model.json``; or a word, for weights that ship as ``name-word``. Without it, the
        weights that ship under the name.

    Raises
    ------
    SrbenchError
        If there are none, they are damaged, or they are of another configuration.
    """
    name = index().aliases.get(name, name)
    if not where or f"{name}-{where}" in index().sha256:
        path = _shipped(f"{name}-{where}" if where else name)
    elif where.startswith(HUB):
        path = _from_hub(where.removeprefix(HUB))
    else:
        path = Path(where)
        check_format(path)
        if path.suffix != ".safetensors":
            words = [key.removeprefix(f"{name}-") for key in index().sha256 if key.startswith(f"{name}-")]
            shipped = f", or a word for what ships: {', '.join(words)}" if words else ""
            raise SrbenchError(f"{where}: weights are a .safetensors file or hf:owner/repository{shipped}")
        if not path.is_file():
            raise SrbenchError(f"{where}: no such file")
        if not card_path(path).is_file():
            missing = card_path(path).name
            raise SrbenchError(
                f"{where}: its model card, {missing}, is not beside it; 'srbench train' writes both, and for weights "
                f"from elsewhere {SAVE} does"
            )
    card = read_card(card_path(path))
    wanted, found = CONFIGURATIONS[name].as_dict(), card["configuration"]
    differ = sorted(key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key))
    trained_as_this = card.get("network") == name and "network" not in differ  # by a recipe with options of its own
    if set(differ) - {"dropout"} and not trained_as_this:
        told = ", ".join(f"{key} {found.get(key)}, not {wanted.get(key)}" for key in differ)
        raise SrbenchError(f"{path}: holds another network than {name}: {told}")
    return load_checkpoint(path)


def _shipped(name: str) -> Path:
    if name not in index().sha256:
        known = ", ".join(index().sha256) or "none"
        raise SrbenchError(
            f"no weights of {name} ship with srbench (only of {known}): train them with 'srbench train', and name the "
            f"checkpoint: {name}@path/to/best.safetensors"
        )
    path = _folder() / f"{name}.safetensors"
    if file_digest(path) != index().sha256[name]:
        raise SrbenchError(f"{path}: is missing, truncated or replaced (SHA-256 differs); install srbench again")
    return path


def _from_hub(repository: str) -> Path:
    if not _REPOSITORY.fullmatch(repository):
        raise SrbenchError(
            f"a Hugging Face repository is hf:owner/name or hf:owner/name@revision, not '{HUB}{repository}'"
        )
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as error:
        raise missing_package("a Hugging Face repository", error, extra="hub") from error
    place, _, revision = repository.partition("@")
    try:
        found = [
            hf_hub_download(place, file, revision=revision or None) for file in ("model.json", "model.safetensors")
        ]
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        reason = str(error).strip().split("\n")[0][:200]
        raise SrbenchError(f"{HUB}{repository}: cannot be downloaded: {reason}") from error
    return Path(found[1])


def _folder() -> Path:
    return Path(str(resources.files("srbench_models"))) / "weights"
