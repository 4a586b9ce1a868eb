"""AP-BWE: amplitude and phase of the spectrum, side by side, by ConvNeXt blocks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from srbench_systems.checkout import code_of, load_state, module
from srbench_systems.graphs import Engine
from srbench_systems.system import Card, System, installed, need, with_end

from srbench.audio import Rate, Samples
from srbench.errors import UpscalerError
from srbench.upscaler import READY, upscaler

PAIRS = ((2000, 16000), (4000, 16000), (8000, 16000), *((low, 48000) for low in (8000, 12000, 16000, 24000)))
CLONE = "git clone https://github.com/yxlu-0102/AP-BWE.git"


class _Graph(Engine):
    """The network of 12 to 48 kHz, by the engine of ``audiosronnx``."""

    engine, graphs, lost = "apbwe", {"_sess": "apbwe.onnx"}, 80
    repository, revision = "TigreGotico/audiosronnx-apbwe", "22d116972f09802273d9e26851f004da0bfbd58a"
    card = Card("", "", "", "", "", "", "", "")

    def supports(self, low_rate: Rate, high_rate: int) -> bool:
        """Tell whether it is 12 to 48 kHz: the engine takes others, and makes 12 kHz of them."""
        return (low_rate, high_rate) == (12000, 48000)


class _Checkout:
    """The networks of a checkout, one for each pair of rates."""

    def __init__(self, folder: Path, device: str) -> None:
        need(READY if installed("torch") else "package missing: pip install 'srbench[models]' torchaudio")
        need(READY if installed("torchaudio") else "package missing: pip install torchaudio")
        import torch

        torch.set_num_threads(1)
        self.device = device
        names = {pair: f"{pair[0] // 1000}kto{pair[1] // 1000}k" for pair in PAIRS}
        self.weights = {
            pair: folder / "checkpoints" / name / f"g_{name}"
            for pair, name in names.items()
            if (folder / "checkpoints" / name / f"g_{name}").is_file()
        }
        if not self.weights:
            raise UpscalerError(f"weights missing: no checkpoints/8kto16k/g_8kto16k or its like in {folder}")
        with code_of(folder, ("matplotlib.pylab",)):
            self.kind = module("models.model").APNet_BWE_Model
            self.settings, spectrum = module("env").AttrDict, module("datasets.dataset")
            self.stft, self.istft = spectrum.amp_pha_stft, spectrum.amp_pha_istft
        self.networks = {pair: self._load(path) for pair, path in self.weights.items()}

    def _load(self, path: Path) -> tuple[Any, Any]:
        settings = self.settings(json.loads((path.parent / "config.json").read_text()))
        network = self.kind(settings)
        network.load_state_dict(load_state(path, "cpu")["generator"])
        return network.eval().to(self.device), settings

    def supports(self, low_rate: Rate, high_rate: int) -> bool:
        return (low_rate, high_rate) in self.networks

    def upscale(self, low: Samples, low_rate: Rate, high_rate: int) -> Samples:
        import torch
        from torchaudio.functional import resample

        network, settings = self.networks[int(low_rate), high_rate]
        hop = settings.hop_size
        whole = with_end(low, low_rate, more=-(-hop * int(low_rate) // high_rate))
        wide = resample(torch.from_numpy(whole.astype(np.float32)), int(low_rate), high_rate)[None].to(self.device)
        with torch.no_grad():
            amplitude, phase, _ = self.stft(wide, settings.n_fft, hop, settings.win_size)
            amplitude, phase, _ = network(amplitude, phase)
            made = self.istft(amplitude, phase, settings.n_fft, hop, settings.win_size)
        return np.asarray(made.cpu().numpy().reshape(-1)[: len(low) * high_rate // int(low_rate)])

    def used(self) -> dict[str, Path]:
        return {path.name: path for path in self.weights.values()}


@upscaler("ap_bwe", description="AP-BWE: amplitude and phase by ConvNeXt blocks; 12 to 48 kHz, others by ap_bwe@FOLDER")
class APBWE(System):
    """AP-BWE: the network of 12 to 48 kHz by ``audiosronnx``, or those of a checkout, on torch.

    Undone: length and format. It returns whole hops of 80 samples, up to 79 short: the input gets zeros at its end.
    Its script writes 16 bits, and resamples its input to the low rate and back: the low rate is given here.

    Parameters
    ----------
    device : str
        For a checkout.
    weights : str
        A checkout with ``checkpoints/8kto16k/g_8kto16k`` and ``config.json`` beside it, or others of its pairs; or a
        folder with ``apbwe.onnx``.
    """

    card = Card(
        system="AP-BWE",
        licence="MIT",
        paper="https://arxiv.org/abs/2401.06387",
        source="https://github.com/yxlu-0102/AP-BWE",
        weights=f"https://huggingface.co/{_Graph.repository} at {_Graph.revision[:7]} (12 → 48); others: Google Drive, "
        "linked in the repository",
        rates="12 → 48; with a checkout 2, 4, 8 → 16 and 8, 12, 16, 24 → 48",
        install=f"pip install 'srbench[systems]'; others: {CLONE} and its checkpoints",
        undone="length (whole hops of 80), 16 bits",
    )

    def __init__(self, device: str = "cpu", weights: str = "") -> None:
        folder = Path(weights)
        self._network: Any
        if weights and (folder / "models" / "model.py").is_file():
            self._network = _Checkout(folder, device)
        else:
            self._network = _Graph(weights)

    @classmethod
    def state(cls) -> str:
        """Return ``ready`` if the network of 12 to 48 kHz is, or what is missing for it."""
        return _Graph.state()

    def supports(self, low_rate: Rate, high_rate: int) -> bool:
        """Tell whether there is a network for this pair."""
        return bool(self._network.supports(low_rate, high_rate))

    def upscale(self, low: Samples, low_rate: Rate, high_rate: int) -> Samples:
        """Return the high-resolution signal."""
        made: Samples = self._network.upscale(low, low_rate, high_rate)
        return made

    def used(self) -> dict[str, Path]:
        """Return the weights in use."""
        files: dict[str, Path] = self._network.used()
        return files
