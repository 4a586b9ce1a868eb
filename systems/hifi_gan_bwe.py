"""HiFi-GAN+ (HiFi-GAN-BWE): a WaveNet on the interpolated signal."""

from __future__ import annotations

from srbench_systems.graphs import INSTALL, Engine
from srbench_systems.system import Card

from srbench.upscaler import upscaler


@upscaler("hifi_gan_bwe", description="HiFi-GAN-BWE: any rate → 48 kHz by a WaveNet of 1 M parameters")
class HiFiGANBWE(Engine):
    """HiFi-GAN-BWE by the engine of ``audiosronnx``.

    Undone: nothing is to be undone. (Its own script ``hifi-synth`` reads 16 bits and fails on less than 30 seconds.)
    """

    engine, graphs = "hifiganbwe", {"_sess": "hifiganbwe_wavenet.onnx"}
    repository, revision = "TigreGotico/audiosronnx-hifiganbwe", "d617931bce0671703b0ac0fbe14cf37d243e5f8c"
    card = Card(
        system="HiFi-GAN-BWE",
        licence="MIT",
        paper="https://doi.org/10.1109/ICASSP39728.2021.9413575",
        source="https://github.com/brentspell/hifi-gan-bwe",
        weights=f"https://huggingface.co/{repository} at {revision[:7]}, made of the author's own",
        rates="any → 48",
        install=INSTALL,
        undone="nothing",
    )
