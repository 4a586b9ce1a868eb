"""UDM+: an unconditional diffusion model of speech, held to the input while it samples."""

from __future__ import annotations

from srbench_systems.by_command import ByCommand
from srbench_systems.system import Card

from srbench.upscaler import upscaler


@upscaler("udm_plus", description="UDM+: ×2, ×3 → 48 or 16 kHz by diffusion; stochastic; needs a GPU; by --command")
class UDMPlus(ByCommand):
    """UDM+ by its script, with the 50 steps and the options of its paper.

    Undone: its demand for the reference. The script low-passes what it reads, so it gets the input interpolated to the
    high rate. Not to be undone: its own low-pass works a second time just below the cutoff.
    """

    name, arguments = "udm_plus", "--checkout ./diffwave-sr --high-rate {high_rate}"
    card = Card(
        system="UDM+",
        licence="MIT",
        paper="https://arxiv.org/abs/2210.15793",
        source="https://github.com/yoyololicon/diffwave-sr",
        weights="in the repository: ckpt/vctk_48k_udm, ckpt/vctk_16k_udm",
        rates="16, 24 → 48; 8 → 16",
        install="git clone --recursive https://github.com/yoyololicon/diffwave-sr.git, and its requirements.txt",
        undone="length; not undone: a second low-pass at the cutoff",
    )
