"""The state of a training run on disk: enough to go on as if it had not been stopped, in safetensors and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as dump_safetensors
from srbench_models.checkpoint import write_whole
from torch import Tensor, nn
from torch.optim import Optimizer

from srbench.errors import SrbenchError, shown

STATE = "state.safetensors"
_ROOM = "progress.json"


@dataclass
class Progress:
    """How far it has come.

    Attributes
    ----------
    step : int
        Steps done.
    seconds : float
        Spent in training.
    best : float or None
        The stop metric's best value.
    best_step : int
    since_best : int
        Validations since then.
    history : list of dict
        One row a validation, with its scores as they are.
    started_from : dict
        What the card is to say of the weights it began with; empty for fresh ones.
    """

    step: int = 0
    seconds: float = 0.0
    best: float | None = None
    best_step: int = 0
    since_best: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    started_from: dict[str, Any] = field(default_factory=dict)

    def kept(self) -> dict[str, Any]:
        """Return the row of the validation whose checkpoint is kept as the best; empty before the first."""
        return next((row for row in self.history if row.get("step") == self.best_step), {})


def save_state(
    folder: Path, modules: Mapping[str, nn.Module], optimizers: Mapping[str, Optimizer], progress: Progress
) -> None:
    """Write it into one file that appears when it is whole.

    Raises
    ------
    OSError
        If it cannot be written; the state before is then still there.
    """
    tensors: dict[str, Tensor] = {}
    for key, module in modules.items():
        tensors |= {f"module.{key}.{name}": t.detach().cpu().clone() for name, t in module.state_dict().items()}
    for key, optimizer in optimizers.items():
        for index, values in optimizer.state_dict()["state"].items():
            tensors |= {
                f"optimizer.{key}.{index}.{name}": value.detach().cpu().clone() for name, value in values.items()
            }
    data = dump_safetensors(tensors, metadata={_ROOM: json.dumps(asdict(progress))})
    write_whole(folder / STATE, data)


def load_state(folder: Path, modules: Mapping[str, nn.Module], optimizers: Mapping[str, Optimizer]) -> Progress | None:
    """Read it back into modules and optimisers; None where there is none.

    Raises
    ------
    SrbenchError
        If the file is damaged or of another run's shape.
    """
    path = folder / STATE
    if not path.exists():
        return None
    try:
        data = path.read_bytes()
        tensors = load_safetensors(data)
        length = int.from_bytes(data[:8], "little")
        progress = _progress(json.loads(json.loads(data[8 : 8 + length])["__metadata__"][_ROOM]))
        for key, module in modules.items():
            module.load_state_dict(_below(tensors, f"module.{key}."))
        for key, optimizer in optimizers.items():
            state: dict[int, dict[str, Tensor]] = {}
            for name, tensor in _below(tensors, f"optimizer.{key}.").items():
                index, _, what = name.partition(".")
                state.setdefault(int(index), {})[what] = tensor
            optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    except (
        *(OSError, SafetensorError, ValueError, KeyError, TypeError),
        *(AttributeError, RuntimeError, RecursionError),
    ) as error:
        reason = shown(" ".join(str(error).split()))
        raise SrbenchError(f"{path}: cannot be gone on from ({reason}); train into another folder") from error
    return progress


def _progress(values: Mapping[str, Any]) -> Progress:
    progress = Progress(**values)
    for name, default in asdict(Progress()).items():
        value = getattr(progress, name)
        kinds = (
            (int, float, type(None))
            if default is None
            else (int, float)
            if isinstance(default, float)
            else type(default)
        )
        if isinstance(value, bool) or not isinstance(value, kinds):
            raise TypeError(f"{name} cannot be {shown(repr(value))}")
    return progress


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
