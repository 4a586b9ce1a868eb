"""Systems whose ONNX graphs run in this process, on one thread of the CPU, by onnxruntime.

Five of them through the package ``audiosronnx``, which holds what stands around the graphs. The adapters give it the
sessions instead of letting it make them: its own take all cores, download when they are first used, and take a file of
the graph's name in the working folder for the graph.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from srbench_systems.system import System, installed, need, with_end

from srbench.audio import Rate, Samples
from srbench.errors import UpscalerError
from srbench.upscaler import READY

PACKAGE, HIGH_RATE = "audiosronnx", 48000
INSTALL = "pip install 'srbench[systems]'"


def session(path: Path) -> Any:
    """Return a session of onnxruntime on one thread of the CPU: its numbers do not depend on the machine's load.

    Raises
    ------
    UpscalerError
        If the file is no graph that onnxruntime can run.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(str(path), sess_options=options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own kinds have no common base
        raise UpscalerError(f"{path}: is no graph for onnxruntime: {' '.join(str(error).split())[:200]}") from error


class Engine(System):
    """A system of ``audiosronnx``.

    Parameters
    ----------
    weights : str
        A folder with the graphs, under their names in `graphs`; by default where ``audiosronnx`` keeps them.
    """

    engine: ClassVar[str]
    repository: ClassVar[str]
    revision: ClassVar[str]
    graphs: ClassVar[Mapping[str, str]]  # the attribute of the engine that holds the session -> its file
    options: ClassVar[Mapping[str, Any]] = {}
    lost: ClassVar[int] = 0  # samples at 48 kHz that the engine may leave out at the end

    def __init__(self, weights: str = "") -> None:
        need(self._package())
        folder = Path(weights) if weights else self.folder()
        need(self._graphs(folder))
        from audiosronnx import load_sr

        self.engine_object = load_sr(self.engine, **self.options)
        self._used = {file: folder / file for file in self.graphs.values()}
        for attribute, file in self.graphs.items():
            if not hasattr(self.engine_object, attribute):
                raise UpscalerError(f"this version of {PACKAGE} is not one that srbench knows: {INSTALL}")
            setattr(self.engine_object, attribute, session(folder / file))

    @classmethod
    def folder(cls) -> Path:
        """Return where ``audiosronnx`` keeps the graphs of this system, whether they are there or not."""
        data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
        return Path(data, PACKAGE, "hf", f"models--{cls.repository.replace('/', '--')}", "snapshots", cls.revision)

    @classmethod
    def state(cls) -> str:
        """Return ``ready``, or the command that brings what is missing."""
        package = cls._package()
        return cls._graphs(cls.folder()) if package == READY else package

    @classmethod
    def _package(cls) -> str:
        if installed(PACKAGE, (0, 9)) and installed("onnxruntime"):
            return READY
        return f"package missing: {INSTALL}"

    @classmethod
    def _graphs(cls, folder: Path) -> str:
        missing = [file for file in cls.graphs.values() if not (folder / file).is_file()]
        if not missing:
            return READY
        if folder != cls.folder():
            return f"weights missing: {', '.join(missing)} in {folder}"
        files, cache = " ".join(cls.graphs.values()), folder.parents[2]
        return f"weights missing: hf download {cls.repository} {files} --revision {cls.revision} --cache-dir '{cache}'"

    def supports(self, low_rate: Rate, high_rate: int) -> bool:
        """Tell whether the pair is one that the engine was made for."""
        return low_rate == int(low_rate) and low_rate < high_rate == HIGH_RATE

    def upscale(self, low: Samples, low_rate: Rate, high_rate: int) -> Samples:
        """Return the high-resolution signal."""
        whole = with_end(low, low_rate, more=-(-self.lost * int(low_rate) // HIGH_RATE))
        estimate, _ = self.engine_object.upscale(whole, int(low_rate))
        return np.asarray(estimate[: len(low) * high_rate // low_rate])

    def used(self) -> dict[str, Path]:
        """Return the graphs in use."""
        return self._used

    def describe(self) -> dict[str, Any]:
        """Return the card, the graphs' SHA-256, and the packages that run them."""
        from importlib import metadata

        packages = {name: metadata.version(name) for name in (PACKAGE, "onnxruntime")}
        return {**super().describe(), "packages": packages, "options": dict(self.options)}
