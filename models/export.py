"""Export a network to ONNX, and check it there against torch."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from srbench_models.dnn_bwe import DNN
from torch import nn

from srbench.errors import SrbenchError
from srbench.files import beside

TOLERANCE = 1e-4  # of the greatest sample: float32 in another order of operations


def export_onnx(network: nn.Module, path: str | Path) -> float:
    """Write a network as an ONNX file, and return its greatest deviation from torch in onnxruntime.

    The graph takes ``low``, the spline-upsampled signals, shape (batch, 1, n) with n a multiple of the network's
    stride, and gives ``high`` of the same shape.

    Parameters
    ----------
    network : Module
        In eval mode, on the CPU.
    path : path
        Ending in ``.onnx``.

    Raises
    ------
    SrbenchError
        If a package is missing, the network has no ONNX form, or what was exported does not compute the same.
    OSError
        If it cannot be written.
    """
    path = Path(path)
    if path.suffix != ".onnx":
        raise SrbenchError(f"{path}: an ONNX file ends in .onnx")
    if isinstance(network, DNN):
        raise SrbenchError("networks on spectral frames are not exported: ONNX has no inverse of their transform")
    try:
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise SrbenchError(f"the export needs {error.name}: pip install 'srbench[onnx]'") from error
    stride: Any = network.stride
    batch, frames = torch.export.Dim("batch"), torch.export.Dim("frames", min=1)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            (torch.zeros(2, 1, 40 * stride),),
            dynamo=True,
            dynamic_shapes=({0: batch, 2: stride * frames},),
            input_names=["low"],
            output_names=["high"],
            verbose=False,
        )
    assert program is not None
    with beside(path) as unfinished:
        program.save(str(unfinished))
        session = onnxruntime.InferenceSession(unfinished.read_bytes(), providers=["CPUExecutionProvider"])
        deviation = max(_deviation(network, session, n * stride) for n in (1, 50))
        if not deviation < TOLERANCE:
            raise SrbenchError(f"{path}: the export deviates by {deviation:.2g} from torch: it is not kept")
    return deviation


def _deviation(network: nn.Module, session: Any, n: int) -> float:
    low = 0.1 * torch.randn(3, 1, n, generator=torch.Generator().manual_seed(n))
    with torch.no_grad():
        expected = network(low).numpy()
    (made,) = session.run(None, {"low": low.numpy()})
    return float(np.abs(made - expected).max() / np.abs(expected).max())
