"""Tensors: metrics of batches with gradients, as functions and as torchmetrics, and a Dataset of patches.

``srbench.torch.functional`` needs torch (``pip install 'srbench[models]'``), ``srbench.torch.metrics`` torchmetrics too
(``pip install 'srbench[torch]'``). Each is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from srbench.torch import functional as functional
    from srbench.torch import metrics as metrics
    from srbench.torch.dataset import ProtocolDataset as ProtocolDataset

__all__ = ["ProtocolDataset", "functional", "metrics"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'srbench.torch' has no attribute '{name}'; it has {', '.join(__all__)}")
    from importlib import import_module

    from srbench.extras import missing_package

    try:
        if name == "ProtocolDataset":
            return import_module("srbench.torch.dataset").ProtocolDataset
        return import_module(f"srbench.torch.{name}")
    except ImportError as error:
        raise missing_package(f"srbench.torch.{name}", error, extra="torch") from error


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
