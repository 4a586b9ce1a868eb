"""NU-Wave 2: diffusion on the waveform, conditioned on the band of the input."""

from __future__ import annotations

from srbench_systems.by_command import ByCommand
from srbench_systems.system import Card

from srbench.upscaler import upscaler


@upscaler("nuwave2", description="NU-Wave 2: 6 to 48 kHz → 48 kHz by diffusion; stochastic; by --command")
class NUWave2(ByCommand):
    """NU-Wave 2 by its script, which needs torch 1 and pytorch-lightning 1.2.

    Undone: level and length. The script brings the input to a peak of 1 and drops what makes no whole hop of 256. Not
    to be undone: it clips at that scale.
    """

    name, arguments = "nuwave2", "--checkout ./nuwave2 --weights ./CHECKPOINT"
    card = Card(
        system="NU-Wave 2",
        licence="BSD-3-Clause",
        paper="https://arxiv.org/abs/2206.08545",
        source="https://github.com/maum-ai/nuwave2",
        weights="Google Drive, linked in the repository",
        rates="6 to 48 → 48",
        install="git clone --recursive https://github.com/maum-ai/nuwave2.git, and its requirements.txt",
        undone="level (peak of 1), length (whole hops of 256); not undone: clipping at the peak",
    )
