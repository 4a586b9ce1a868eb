"""SpeechSR of HierSpeech++: a small BigVGAN generator on the waveform, 16 to 24 or 48 kHz."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from srbench_systems.checkout import code_of, load_state, module
from srbench_systems.system import Card, System, installed, need

from srbench.audio import Rate, Samples
from srbench.errors import UpscalerError
from srbench.upscaler import READY, upscaler

NETWORKS = {24000: ("speechsr24k", "G_340000.pth"), 48000: ("speechsr48k", "G_100000.pth")}
UNUSED = ("timm.models.vision_transformer", "torchaudio", "einops")
CLONE = "git clone https://github.com/sh-lee-prml/HierSpeechpp.git"


@upscaler(
    "speechsr",
    rates=[(16000, 24000), (16000, 48000)],
    description="SpeechSR (HierSpeech++): 16 to 24 or 48 kHz by a small BigVGAN generator; speechsr@FOLDER",
)
class SpeechSR(System):
    """SpeechSR's own module of a checkout of HierSpeech++, whose weights lie in the repository.

    Undone: level and format. Its script brings every output to a peak of 0.999 (up to 14.8 dB too loud) and writes 16
    bits; the module itself does neither.

    Parameters
    ----------
    device : str
    weights : str
        The checkout.
    """

    card = Card(
        system="SpeechSR",
        licence="MIT",
        paper="https://arxiv.org/abs/2311.12454",
        source="https://github.com/sh-lee-prml/HierSpeechpp",
        weights="in the repository: speechsr24k/G_340000.pth, speechsr48k/G_100000.pth",
        rates="16 → 24, 16 → 48",
        install=f"pip install 'srbench[models]'; {CLONE}",
        undone="level (peak of 0.999), 16 bits",
        sha256={
            "speechsr24k/G_340000.pth": "94bc84b6f8bdb375e2027bc7a3222730d29f9d4c042fd9edce0024806d5c4320",
            "speechsr48k/G_100000.pth": "62c70874ac4efeb4dc9c8aa9dc0a611a951e1c36292abeb4c406d7fb91e0eefc",
        },
    )

    def __init__(self, device: str = "cpu", weights: str = "") -> None:
        need(READY if weights and installed("torch") else self.state())
        import torch

        torch.set_num_threads(1)
        self._device, self._networks, self._used = device, dict[int, Any](), dict[str, Path]()
        folder = Path(weights)
        for rate, (name, file) in NETWORKS.items():
            if (folder / name / file).is_file():
                self._networks[rate] = self._load(folder, name, file)
        if not self._networks:
            raise UpscalerError(f"weights missing: {folder} holds neither of {self.card.weights}")

    @classmethod
    def state(cls) -> str:
        """Return what is missing: the package, or the name of a checkout."""
        if not installed("torch"):
            return "package missing: pip install 'srbench[models]'"
        return f"checkout wanted: {CLONE}; --model speechsr@HierSpeechpp"

    def _load(self, folder: Path, name: str, file: str) -> Any:
        options = json.loads((folder / name / "config.json").read_text())
        with code_of(folder, UNUSED):
            kind = module(f"{name}.speechsr").SynthesizerTrn
            data, segment = options["data"], options["train"]["segment_size"]
            network = kind(data["n_mel_channels"], segment // data["hop_length"], **options["model"])
        network.load_state_dict(load_state(folder / name / file, "cpu")["model"])
        self._used |= {f"{name}/{each}": folder / name / each for each in (file, "config.json", "speechsr.py")}
        return network.eval().to(self._device)

    def supports(self, low_rate: Rate, high_rate: int) -> bool:
        """Tell whether the checkout holds the network for this pair."""
        return low_rate == 16000 and high_rate in self._networks

    def upscale(self, low: Samples, low_rate: Rate, high_rate: int) -> Samples:
        """Return the high-resolution signal."""
        import torch

        given = torch.from_numpy(low.astype(np.float32))[None, None].to(self._device)
        with torch.no_grad():
            made = self._networks[high_rate](given)
        return np.asarray(made.cpu().numpy().reshape(-1)[: len(low) * high_rate // 16000])

    def used(self) -> dict[str, Path]:
        """Return weights and sources in use."""
        return self._used
