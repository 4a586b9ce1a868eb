"""TUNet: a U-Net with a Performer between, on windows of half a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from srbench_systems.graphs import session
from srbench_systems.system import Card, System, installed, need

from srbench import audio
from srbench.audio import Rate, Samples
from srbench.upscaler import READY, upscaler

WINDOW, HOP = 8192, 4096
GRAPH = "lightning_logs/best_model.onnx"
CLONE = "git clone https://github.com/NXTProduct/TUNet.git"


@upscaler("tunet", rates=[(8000, 16000)], description="TUNet: 8 to 16 kHz by a U-Net with a Performer; tunet@FOLDER")
class TUNet(System):
    """TUNet's ONNX graph, of a checkout or by itself.

    Undone: format and length. Its script writes 16 bits and a signal of whole hops. The windows of 8192 samples are
    joined by a periodic Hann window, whose halves add up to one. Its script takes a symmetric one, whose halves do
    not quite (by 0.02 %).

    Parameters
    ----------
    weights : str
        A checkout, or the graph.
    """

    card = Card(
        system="TUNet",
        licence="academic research only",
        paper="https://arxiv.org/abs/2110.13492",
        source="https://github.com/NXTProduct/TUNet",
        weights=f"in the repository: {GRAPH}",
        rates="8 → 16",
        install=f"pip install 'srbench[systems]'; {CLONE}",
        undone="length (whole hops of 4096), 16 bits",
    )

    def __init__(self, weights: str = "") -> None:
        need(self._package())
        if not weights:
            need(self.state())
        path = Path(weights)
        self._graph = path / GRAPH if path.is_dir() else path
        need(READY if self._graph.is_file() else f"weights missing: {self._graph}")
        self._session = session(self._graph)

    @classmethod
    def state(cls) -> str:
        """Return what is missing: the package, or the name of a checkout."""
        package = cls._package()
        return f"checkout wanted: {CLONE}; --model tunet@TUNet" if package == READY else package

    @classmethod
    def _package(cls) -> str:
        return READY if installed("onnxruntime") else "package missing: pip install 'srbench[systems]'"

    def upscale(self, low: Samples, low_rate: Rate, high_rate: int) -> Samples:
        """Return the high-resolution signal."""
        wide = audio.resample(low, low_rate, high_rate)
        n = len(low) * high_rate // low_rate
        length = max(-(-max(n, len(wide)) // HOP), 2) * HOP
        padded = np.pad(wide, (0, length - len(wide)))
        name = self._session.get_inputs()[0].name
        made = np.zeros(length)
        for start in range(0, length - HOP, HOP):
            window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
            if start == 0:
                window[:HOP] = 1
            if start + WINDOW == length:
                window[HOP:] = 1
            given = padded[start : start + WINDOW].astype(np.float32)
            (answer, *_) = self._session.run(None, {name: given[None, None, :]})
            made[start : start + WINDOW] += window * np.asarray(answer, dtype=np.float64).reshape(-1)
        return made[:n]

    def used(self) -> dict[str, Path]:
        """Return the graph in use."""
        return {self._graph.name: self._graph}
