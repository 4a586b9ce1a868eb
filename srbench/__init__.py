"""srbench: a benchmark for audio super-resolution (bandwidth extension) whose numbers can be trusted.

What is public in Python is what `__all__` names: docs/library.md shows its use. A name is loaded when it is first used,
so that ``import srbench`` itself loads nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from srbench import torch as torch
    from srbench.api import plot as plot
    from srbench.api.audio import UtterancePair as UtterancePair
    from srbench.api.audio import degrade as degrade
    from srbench.api.audio import load_pairs as load_pairs
    from srbench.api.audio import upscale as upscale
    from srbench.api.comparison import Comparison as Comparison
    from srbench.api.comparison import compare as compare
    from srbench.api.evaluation import evaluate as evaluate
    from srbench.api.measuring import measure as measure
    from srbench.api.result import Result as Result
    from srbench.api.result import load_results as load_results
    from srbench.errors import SrbenchError as SrbenchError
    from srbench.errors import UndefinedMetric as UndefinedMetric
    from srbench.errors import UpscalerError as UpscalerError
    from srbench.metrics import METRICS as METRICS
    from srbench.metrics import use_plugins as use_plugins
    from srbench.protocols import Protocol as Protocol
    from srbench.protocols import load_protocol as load_protocol
    from srbench.run import find_runs as find_runs
    from srbench.scoring import Score as Score
    from srbench.scoring import score as score
    from srbench.upscaler import Upscaler as Upscaler

__version__ = "0.1.0"

_HOMES = {
    "Comparison": "srbench.api.comparison",
    "METRICS": "srbench.metrics",
    "Protocol": "srbench.protocols",
    "Result": "srbench.api.result",
    "Score": "srbench.scoring",
    "SrbenchError": "srbench.errors",
    "UndefinedMetric": "srbench.errors",
    "Upscaler": "srbench.upscaler",
    "UpscalerError": "srbench.errors",
    "UtterancePair": "srbench.api.audio",
    "compare": "srbench.api.comparison",
    "degrade": "srbench.api.audio",
    "evaluate": "srbench.api.evaluation",
    "find_runs": "srbench.run",
    "load_pairs": "srbench.api.audio",
    "load_protocol": "srbench.protocols",
    "load_results": "srbench.api.result",
    "measure": "srbench.api.measuring",
    "plot": "srbench.api",  # a module
    "score": "srbench.scoring",
    "torch": "srbench",
    "upscale": "srbench.api.audio",
    "use_plugins": "srbench.metrics",
}
_MODULES = ("plot", "torch")
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'srbench' has no attribute '{name}'; it has {', '.join(sorted(_HOMES))}")
    from importlib import import_module

    home = _HOMES[name]
    return import_module(f"{home}.{name}") if name in _MODULES else getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
