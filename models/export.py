"""Export a network to ONNX, and check it there against torch."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from srbench_models.convnext_bwe import FEATURES, ConvNeXtBWE
from srbench_models.dnn_bwe import DNN
from torch import Tensor, nn

from srbench.errors import SrbenchError
from srbench.extras import missing_package
from srbench.files import beside

TOLERANCE = 1e-4  # of the greatest sample: float32 in another order of operations


def export_onnx(network: nn.Module, path: str | Path) -> float:
    """Write a network as an ONNX file, and return its greatest deviation from torch in onnxruntime.

    The graph takes ``low``, the spline-upsampled signals, shape (batch, 1, n) with n a multiple of the network's
    stride, and gives ``high`` of the same shape. Of a `ConvNeXtBWE` it is the body: ``features``, shape (batch, frames,
    FEATURES), to ``level``, ``fine`` and ``gate``; the transforms around it have no ONNX form.

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
        import onnx  # noqa: F401
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise missing_package("the export", error, extra="onnx") from error
    batch, frames = torch.export.Dim("batch"), torch.export.Dim("frames", min=1)
    example: Callable[[int], Tensor]
    if isinstance(network, ConvNeXtBWE):
        network, example, dynamic = network.body, lambda n: torch.zeros(3, n, FEATURES), {0: batch, 1: frames}
        names, outputs = ["features"], ["level", "fine", "gate"]
    else:
        stride: Any = network.stride
        example, dynamic = lambda n: torch.zeros(3, 1, n * stride), {0: batch, 2: stride * frames}
        names, outputs = ["low"], ["high"]
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            (example(40),),
            dynamo=True,
            dynamic_shapes=(dynamic,),
            input_names=names,
            output_names=outputs,
            verbose=False,
        )
    assert program is not None
    with beside(path) as unfinished:
        program.save(str(unfinished))
        session = onnxruntime.InferenceSession(unfinished.read_bytes(), providers=["CPUExecutionProvider"])
        deviation = max(_deviation(network, session, names[0], example(n)) for n in (1, 50))
        if not deviation < TOLERANCE:
            raise SrbenchError(f"{path}: the export deviates by {deviation:.2g} from torch: it is not kept")
    return deviation


def _deviation(network: nn.Module, session: Any, name: str, shape: Tensor) -> float:
    given = 0.1 * torch.randn(shape.shape, generator=torch.Generator().manual_seed(shape.numel()))
    with torch.no_grad():
        expected = network(given)
    found = session.run(None, {name: given.numpy()})
    pairs = zip(found, [expected] if torch.is_tensor(expected) else expected, strict=True)
    return max(float(np.abs(made - e.numpy()).max() / e.abs().max()) for made, e in pairs)
