"""MossFormer2-SR (HiFi-SR) of ClearVoice: MossFormer2 on a mel spectrogram, and a HiFi-GAN vocoder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from srbench_systems.system import Card, System, installed, need, with_end

from srbench import audio
from srbench.audio import Rate, Samples
from srbench.errors import UpscalerError
from srbench.upscaler import READY, upscaler

HIGH_RATE, HOP = 48000, 256
MODEL = "MossFormer2_SR_48K"
WEIGHTS = Path("checkpoints", MODEL)
FIRST = "last_best_checkpoint"  # the file that names the others
FETCH = f"hf download alibabasglab/{MODEL} --local-dir {WEIGHTS.as_posix()}"


@upscaler("mossformer2_sr", description="MossFormer2-SR (ClearVoice): below 48 kHz → 48 kHz")
class MossFormer2SR(System):
    """MossFormer2-SR by the package ``clearvoice``.

    Undone: format, length and level. Its reader takes 16 bits and may normalise: the network gets the signal itself,
    resampled as its reader does. It returns whole hops of 256 samples: the input gets zeros at its end. Not to be
    undone: it brings back the low band of the input below the frequency that holds 99 % of its energy.

    Parameters
    ----------
    device : str
    weights : str
        The folder that holds ``checkpoints/MossFormer2_SR_48K``; the working folder by default, as for the package.
    """

    card = Card(
        system="MossFormer2-SR",
        licence="Apache-2.0",
        paper="https://arxiv.org/abs/2501.10045",
        source="https://github.com/modelscope/ClearerVoice-Studio",
        weights=f"https://huggingface.co/alibabasglab/{MODEL}",
        rates="below 48 → 48",
        install="pip install clearvoice (needs NumPy below 2)",
        undone="16 bits, length (whole hops of 256)",
    )

    def __init__(self, device: str = "cpu", weights: str = "") -> None:
        need(self._package())
        folder = Path(weights or ".").absolute()
        need(self._weights(folder))  # without them the package warns, and goes on with a network of chance
        import torch
        from clearvoice import ClearVoice
        from clearvoice.utils.decode import decode_one_audio

        torch.set_num_threads(1)
        here = os.getcwd()
        os.chdir(folder)  # the package looks for its weights in the working folder, and nowhere else
        try:
            self._model: Any = ClearVoice(task="speech_super_resolution", model_names=[MODEL]).models[0]
        finally:
            os.chdir(here)
        self._model.model.to(device)
        self._model.device = torch.device(device)
        self._decode: Any = decode_one_audio
        lines = (folder / WEIGHTS / FIRST).read_text().split()
        self._used = {name: folder / WEIGHTS / name for name in lines}

    @classmethod
    def state(cls) -> str:
        """Return ``ready``, or the command that brings what is missing."""
        package = cls._package()
        return cls._weights(Path()) if package == READY else package

    @classmethod
    def _package(cls) -> str:
        return READY if installed("clearvoice") else "package missing: pip install clearvoice"

    @classmethod
    def _weights(cls, folder: Path) -> str:
        return READY if (folder / WEIGHTS / FIRST).is_file() else f"weights missing: {FETCH}"

    def supports(self, low_rate: Rate, high_rate: int) -> bool:
        """Tell whether it is to 48 kHz."""
        return low_rate < high_rate == HIGH_RATE

    def upscale(self, low: Samples, low_rate: Rate, high_rate: int) -> Samples:
        """Return the high-resolution signal."""
        import torch

        n = len(low) * high_rate // low_rate
        wide = audio.resample(low, low_rate, high_rate)
        whole = with_end(wide, high_rate, more=2 * HOP)
        with torch.no_grad():
            made = self._decode(self._model.model, self._model.device, whole[None], self._model.args)
        made = np.asarray(made, dtype=np.float64).reshape(-1)
        if len(made) < n:
            raise UpscalerError(f"{self.card.system} returned {len(made)} samples of {n}")
        return made[:n]

    def used(self) -> dict[str, Path]:
        """Return the weights in use."""
        return self._used
