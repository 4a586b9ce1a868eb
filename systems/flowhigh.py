"""FLowHigh: flow matching on a mel spectrogram, and a BigVGAN vocoder."""

from __future__ import annotations

from typing import Any

import numpy as np
from srbench_systems.graphs import HIGH_RATE, INSTALL, Engine
from srbench_systems.system import Card, with_end

from srbench.audio import Rate, Samples
from srbench.upscaler import upscaler

PEAK = 0.99  # to which the engine brings every estimate


@upscaler("flowhigh", description="FLowHigh: any rate → 48 kHz by flow matching; stochastic")
class FLowHigh(Engine):
    """FLowHigh by the engine of ``audiosronnx``, with its four steps.

    Undone: level and length. The engine brings the input to a peak of 1 and the estimate to one of 0.99. The adapter
    does the first itself and notes the peak of the estimate before the second, so that both are taken back. The end,
    up to 479 samples that make no whole hop, comes from zeros after the input. It draws from NumPy's global generator,
    which srbench seeds for each utterance.
    """

    engine, graphs, lost = "flowhigh", {"_flow": "flowfield.onnx", "_voc": "bigvgan.onnx"}, 480
    repository, revision = "TigreGotico/audiosronnx-flowhigh", "0e9984c96ee5e61188c4506ebb4743e061c557cb"
    options = {"seed": None}  # noqa: RUF012 (as its base declares it)
    card = Card(
        system="FLowHigh",
        licence="MIT",
        paper="https://arxiv.org/abs/2501.04926",
        source="https://github.com/jjunak-yun/FLowHigh_code",
        weights=f"https://huggingface.co/{repository} at {revision[:7]}, made of the authors' own",
        rates="below 48 → 48",
        install=INSTALL,
        undone="level (peaks of 1 and 0.99), length (whole hops of 480)",
    )

    def __init__(self, weights: str = "") -> None:
        super().__init__(weights)
        blend, self._loudest = self.engine_object._blend, 0.0

        def noted(generated: Any, source: Any) -> Any:
            made = blend(generated, source)
            self._loudest = float(np.max(np.abs(made)))
            return made

        self.engine_object._blend = noted

    def upscale(self, low: Samples, low_rate: Rate, high_rate: int) -> Samples:
        """Return the high-resolution signal at the level of the input."""
        from scipy.signal import resample_poly

        n = len(low) * high_rate // low_rate
        whole = with_end(low, low_rate, more=-(-self.lost * int(low_rate) // HIGH_RATE))
        wide = resample_poly(whole, HIGH_RATE, int(low_rate))
        peak = float(np.max(np.abs(wide)))
        if peak == 0:
            return np.zeros(n)
        estimate, _ = self.engine_object.upscale(wide / peak, HIGH_RATE)
        return np.asarray(estimate[:n], dtype=np.float64) * (self._loudest / PEAK * peak)
