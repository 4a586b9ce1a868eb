"""AERO: a U-Net on the complex spectrogram."""

from __future__ import annotations

from srbench_systems.by_command import ByCommand
from srbench_systems.system import Card

from srbench.upscaler import upscaler


@upscaler("aero", description="AERO: 4, 8 → 16, 8 → 24, 12 → 48 kHz by a spectral U-Net; needs a GPU; by --command")
class AERO(ByCommand):
    """AERO by its script, which has the GPU fixed.

    Undone: level. The script divides an estimate above full scale by its peak. The input is lowered before, and the
    estimate raised after. The network itself normalises, and does not see it.
    """

    name = "aero"
    arguments = "--checkout ./aero --weights ./CHECKPOINT --options dset=4-16 experiment=aero_4-16_512_64"
    card = Card(
        system="AERO",
        licence="MIT",
        paper="https://arxiv.org/abs/2211.12232",
        source="https://github.com/slp-rl/aero",
        weights="Google Drive, linked in the repository",
        rates="4, 8 → 16; 8 → 24; 12 → 48",
        install="git clone https://github.com/slp-rl/aero.git, and its requirements.txt",
        undone="level (peak, where above full scale), length",
    )
