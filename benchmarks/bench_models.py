"""What srbench adds to a network's own cost: inference and training beside the bare loops, memory of a long file.

    make bench-models

Every figure is a ratio of two measured in this run, alternating, the best of several rounds each.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import torch
from srbench_models.checkpoint import save_checkpoint
from srbench_models.configurations import CONFIGURATIONS
from srbench_models.inference import margins, upscale_all, windows
from srbench_models.training import load_recipe
from srbench_models.training.loop import Job, fit
from srbench_models.training.losses import log_mse, multi_resolution_stft
from srbench_models.training.validation import make_validation
from srbench_models.weights import load_weights

from srbench.corpora import demo_corpus
from srbench.torch.patches import make_patches

ROUNDS = 3


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    rows = [
        ("inference, of the bare forward pass's speed", inference(), "0.9 or more"),
        ("training steps a second, of the bare loop's", training(), "0.9 or more"),
        ("peak memory, a 60-minute file to a 2-minute one", memory(), "1.2 or less"),
    ]
    print("| what | ratio | wanted |\n|---|---|---|")
    for what, ratio, wanted in rows:
        print(f"| {what} | {ratio:.2f} | {wanted} |")


def inference() -> float:
    """Return the time of the forward passes alone over the time of the whole way, spline and windows included."""
    network, _ = load_weights("additive")
    low = 0.1 * np.random.default_rng(0).standard_normal(60 * 4000)
    step, margin, _ = margins(network, 4, 4000)
    inputs = [torch.randn(1, 1, 4 * (w.last - w.first)) for w in windows(len(low), step, margin)]

    def bare() -> None:
        with torch.inference_mode():
            for x in inputs:
                network(x)

    return ratio(bare, lambda: upscale_all(network, [low], 4000, 16000, batch=1))


def training() -> float:
    """Return the time of a bare loop on random tensors over the time of as many steps of `fit`."""
    recipe = load_recipe("additive_b5_small")
    steps = 12
    chosen = type(recipe)(**{**vars(recipe), "steps": steps, "validate_every": 10**6, "cache": False})
    utterances = demo_corpus().utterances
    protocol = recipe.load_protocol()
    patches = make_patches(utterances, protocol, None)
    validation = make_validation(utterances[:1], protocol, ())

    def ours() -> None:
        with tempfile.TemporaryDirectory() as folder:
            job = Job(chosen, patches, validation, {}, Path(folder))
            stopped = {"at": 0.0}

            def progress(_: str, done: int, __: int) -> None:
                if done == steps - 1:  # without the validation that the last step brings
                    stopped["at"] = time.perf_counter() - begun[0]

            begun[0] = time.perf_counter()
            fit(job, report=lambda _: None, progress=progress)
            spent.append(stopped["at"])

    def bare() -> float:
        torch.manual_seed(0)
        network = recipe.configuration().build().train()
        optimizer = torch.optim.Adam(network.parameters(), 1e-3)
        low, high = (0.1 * torch.randn(recipe.batch, 1, recipe.patch) for _ in range(2))
        started = time.perf_counter()
        for _ in range(steps - 1):
            optimizer.zero_grad()
            made = network(low)
            (log_mse(made, high) + 0.3 * multi_resolution_stft(made, high)).backward()
            optimizer.step()
        return time.perf_counter() - started

    begun, spent, bares = [0.0], [], []
    for _ in range(ROUNDS):
        bares.append(bare())
        ours()
    return min(bares) / min(spent)


def memory() -> float:
    """Return the peak memory of `srbench upscale` on a 60-minute file over that on a 2-minute one."""
    peaks = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = CONFIGURATIONS["srcnn"]
        card = {"configuration": made.as_dict(), "low_rate": 4000, "high_rate": 16000}
        weights = save_checkpoint(folder / "w.safetensors", made.build(), card)
        for minutes in (2, 60):
            source = folder / f"{minutes}.wav"
            with soundfile.SoundFile(str(source), "w", 4000, 1, "PCM_16") as file:
                for _ in range(minutes):
                    file.write(0.1 * np.random.default_rng(0).standard_normal(60 * 4000))
            command = [sys.executable, __file__, "--upscale", str(source), str(folder / "out.wav"), f"srcnn@{weights}"]
            peaks[minutes] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return peaks[60] / peaks[2]


def ratio(peer: Callable[[], object], ours: Callable[[], object]) -> float:
    """Return the peer's time over ours, best of the rounds, alternating."""
    times: dict[int, list[float]] = {0: [], 1: []}
    for _ in range(ROUNDS):
        for which, function in enumerate((peer, ours)):
            started = time.perf_counter()
            function()
            times[which].append(time.perf_counter() - started)
    return min(times[0]) / min(times[1])


if __name__ == "__main__":
    if "--upscale" in sys.argv:
        from srbench.upscaling import upscale_file

        upscale_file(*sys.argv[2:5], overwrite=True)
        print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
    else:
        main()
