"""AudioSR: latent diffusion on a mel spectrogram, and a vocoder."""

from __future__ import annotations

from srbench_systems.by_command import ByCommand
from srbench_systems.system import Card

from srbench.upscaler import upscaler


@upscaler("audiosr", description="AudioSR: any rate → 48 kHz by latent diffusion; stochastic; by --command")
class AudioSR(ByCommand):
    """AudioSR by its package, which needs NumPy 1.23.5 or older: in an environment of its own.

    Undone: level and length. It brings the input to a peak of 0.5, and the estimate again, and removes the mean. The
    script brings the estimate to the gain at which its low band fits the input best. It cuts the padding to 5.12 s.
    """

    name = "audiosr"
    card = Card(
        system="AudioSR",
        licence="MIT",
        paper="https://arxiv.org/abs/2309.07314",
        source="https://github.com/haoheliu/versatile_audio_super_resolution",
        weights="https://huggingface.co/haoheliu/audiosr_basic, audiosr_speech",
        rates="any → 48",
        install="pip install audiosr, in an environment of its own (Python 3.9)",
        undone="level (peaks of 0.5, mean), length (5.12 s)",
    )
