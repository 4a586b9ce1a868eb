"""Optional packages: which extra of srbench brings each, and the one error for a package that is missing."""

from __future__ import annotations

from srbench.errors import SrbenchError, shown

# what is imported -> the extra that installs it, as in pyproject.toml
EXTRAS = {
    "torch": "models",
    "safetensors": "models",
    "torchmetrics": "torch",
    "lightning_fabric": "train",
    "tensorboard": "train",
    "wandb": "wandb",
    "mlflow": "mlflow",
    "matplotlib": "plots",
    "seaborn": "plots",
    "PIL": "plots",
    "huggingface_hub": "hub",
    "onnx": "onnx",
    "onnxscript": "onnx",
    "onnxruntime": "onnx",
    "audiosronnx": "systems",
    "distributed": "cluster",
    "visqol": "perceptual",
    "speechmos": "perceptual",
}


def missing_package(what: str, error: ImportError, *, extra: str = "") -> SrbenchError:
    """Return the error for an import that failed: the package, and how to install it.

    Parameters
    ----------
    what : str
        What needs it, as a person calls it ("training").
    error : ImportError
    extra : str, optional
        The extra that brings all that ``what`` needs; by default the package's own.
    """
    package = (error.name or "").split(".")[0]
    extra = extra or EXTRAS.get(package, "")
    if not isinstance(error, ModuleNotFoundError) or not package:
        again = f"; install it again: pip install --force-reinstall 'srbench[{extra}]'" if extra else ""
        return SrbenchError(f"{what} cannot be imported: {shown(' '.join(str(error).split()))}{again}")
    return SrbenchError(f"{what} needs the package {shown(package)}, which is not installed{_way(extra)}")


def how_to_install(error: BaseException) -> str:
    """Return how to install what an import did not find, to stand behind the error; "" for any other error."""
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return ""
    return _way(EXTRAS.get(error.name.split(".")[0], ""))


def _way(extra: str) -> str:
    return f": pip install 'srbench[{extra}]'" if extra else "; install it into this environment"
