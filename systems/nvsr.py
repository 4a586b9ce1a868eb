"""NVSR: a U-Net on a mel spectrogram, and a neural vocoder."""

from __future__ import annotations

from srbench_systems.by_command import ByCommand
from srbench_systems.system import Card

from srbench.upscaler import upscaler


@upscaler("nvsr", description="NVSR: any rate → 44.1 kHz by a U-Net and a vocoder; by --command")
class NVSR(ByCommand):
    """NVSR by the class of its example, with its own post-processing.

    Undone: length (whole hops of 441), and the GPU that the class demands.
    """

    name, arguments = "nvsr", "--checkout ./ssr_eval"
    card = Card(
        system="NVSR",
        licence="MIT (as its package ssr_eval states; the repository has no licence file)",
        paper="https://arxiv.org/abs/2203.14941",
        source="https://github.com/haoheliu/ssr_eval",
        weights="https://zenodo.org/record/6370601",
        rates="any → 44.1",
        install="git clone https://github.com/haoheliu/ssr_eval.git, and examples/NVSR/requirements.txt",
        undone="length (whole hops of 441)",
    )
