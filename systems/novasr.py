"""NovaSR: ten small convolutions, 16 to 48 kHz, without a transform."""

from __future__ import annotations

from srbench_systems.graphs import INSTALL, Engine
from srbench_systems.system import Card

from srbench.upscaler import upscaler


@upscaler("novasr", rates=[(16000, 48000)], description="NovaSR: 16 to 48 kHz by ten small convolutions")
class NovaSR(Engine):
    """NovaSR by the engine of ``audiosronnx``.

    Undone: the graph returns four samples fewer than three times its input. The input gets zeros at its end, and the
    estimate is cut to the length.
    """

    engine, graphs, lost = "novasr", {"_sess": "novasr.onnx"}, 4
    repository, revision = "TigreGotico/audiosronnx-novasr", "5d92bf1488aae6d92356ef5951c7ef9bf9f9801b"
    card = Card(
        system="NovaSR",
        licence="Apache-2.0",
        paper="none",
        source="https://github.com/ysharma3501/NovaSR",
        weights=f"https://huggingface.co/{repository} at {revision[:7]}, made of YatharthS/NovaSR",
        rates="16 → 48",
        install=INSTALL,
        undone="length (4 samples short)",
    )
