"""Tiny random graphs with the in- and outputs of the released ones, put where ``audiosronnx`` keeps those."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from srbench.upscaler import Upscaler

ENGINES = ("ap_bwe", "flowhigh", "hifi_gan_bwe", "lavasr", "novasr")
RNG = np.random.default_rng(0)


def systems() -> dict[str, Upscaler]:
    """Return every adapter by name."""
    entries = metadata.entry_points(group="srbench.upscalers")
    found = {e.name: e.load() for e in entries if e.value.startswith("srbench_systems.")}
    assert len(found) >= 13, "install the checkout again: pip install -e ."
    return found


def random(*shape: int) -> np.ndarray:
    return (0.05 * RNG.standard_normal(shape)).astype(np.float32)


def graph(path: Path, inputs: dict[str, list[Any]], outputs: list[str], weights: dict[str, np.ndarray], *nodes: Any):
    """Write a graph of float tensors; a node is (operator, inputs, output, attributes)."""
    from onnx import TensorProto, helper, numpy_helper, save

    made = helper.make_graph(
        [helper.make_node(kind, given, [out], **attributes) for kind, given, out, attributes in nodes],
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    save(helper.make_model(made, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), str(path))


def convolution(path: Path, given: int, made: int, *, width: int = 1, outputs: int = 1, inputs: int = 1):
    """Write one convolution for each output, of all inputs' sum, which keeps the length."""
    names = [f"in{i}" for i in range(inputs)]
    nodes: list[Any] = [("Sum", names, "all", {})]
    weights = {}
    for number in range(outputs):
        weights[f"w{number}"] = random(made, given, width)
        pads = {"pads": [width // 2, width // 2]}
        nodes.append(("Conv", ["all", f"w{number}"], f"out{number}", pads))
    shapes: dict[str, list[Any]] = {name: [1, given, "frames"] for name in names}
    graph(path, shapes, [f"out{i}" for i in range(outputs)], weights, *nodes)


def put(name: str, folder: Path):
    """Write the graphs of a system into a folder."""
    if name == "novasr":  # four samples fewer than three times its input
        weights, shape = {"w": random(1, 1, 11)}, {"x": [1, 1, "n"]}
        node = ("ConvTranspose", ["x", "w"], "y", {"strides": [3], "pads": [6, 6]})
        graph(folder / "novasr.onnx", shape, ["y"], weights, node)
    elif name == "hifi_gan_bwe":
        convolution(folder / "hifiganbwe_wavenet.onnx", 1, 1, width=3)
    elif name == "ap_bwe":
        convolution(folder / "apbwe.onnx", 513, 513, inputs=2, outputs=2)
    elif name == "lavasr":
        convolution(folder / "backbone.onnx", 80, 8)
        convolution(folder / "spec_head.onnx", 8, 1025, outputs=2)
    elif name == "flowhigh":
        shapes = {"x": [1, "t", 256], "times": [1], "cond": [1, "t", 256]}
        first = ("Mul", ["x", "times"], "a", {})
        second = ("Sub", ["cond", "a"], "b", {})
        third = ("MatMul", ["b", "w"], "velocity", {})
        graph(folder / "flowfield.onnx", shapes, ["velocity"], {"w": random(256, 256)}, first, second, third)
        node = ("ConvTranspose", ["mel", "w"], "y", {"strides": [480]})
        graph(folder / "bigvgan.onnx", {"mel": [1, 256, "t"]}, ["y"], {"w": random(256, 1, 480)}, node)
    else:
        raise AssertionError(name)
