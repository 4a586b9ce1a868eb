"""LavaSR: a Vocos network that makes a spectrum of 44.1 kHz from one of 16 kHz."""

from __future__ import annotations

from srbench_systems.graphs import INSTALL, Engine
from srbench_systems.system import Card

from srbench.audio import Rate
from srbench.upscaler import upscaler


@upscaler("lavasr", description="LavaSR: 8 to 24 kHz → 48 kHz by a Vocos network")
class LavaSR(Engine):
    """LavaSR by the engine of ``audiosronnx``, without its denoiser.

    Undone: the estimate is up to two samples too long, and is cut. Not to be undone: the system brings every input to
    16 kHz first, so that an input of 24 kHz loses its band above 8 kHz, and it clips at full scale.
    """

    engine, graphs = "lavasr", {"_backbone": "backbone.onnx", "_head": "spec_head.onnx"}
    repository, revision = "TigreGotico/audiosronnx-lavasr", "b3df8a262cf44e59bf84a40b7084f4479ca566b4"
    options = {"denoise": False}  # noqa: RUF012 (as its base declares it)
    card = Card(
        system="LavaSR",
        licence="Apache-2.0",
        paper="https://arxiv.org/abs/2603.07285",
        source="https://github.com/ysharma3501/LavaSR",
        weights=f"https://huggingface.co/{repository} at {revision[:7]}, made of YatharthS/LavaSR",
        rates="8 to 24 → 48",
        install=INSTALL,
        undone="length; not undone: input brought to 16 kHz, clipping at full scale",
    )

    def supports(self, low_rate: Rate, high_rate: int) -> bool:
        """Tell whether it is from 8 kHz or more to 48 kHz."""
        return super().supports(low_rate, high_rate) and 8000 <= low_rate <= 24000
