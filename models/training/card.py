"""The model card: what a checkpoint is, what it was trained on and how, and what it scored."""

from __future__ import annotations

import math
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from srbench_models.training.recipe import Recipe
from srbench_models.training.state import Progress
from srbench_models.training.validation import Scores, Validation
from torch import nn

import srbench


def make_card(
    recipe: Recipe, validation: Validation, origin: dict[str, Any], done: Progress, scores: Scores, network: nn.Module
) -> dict[str, Any]:
    """Return the card as plain values; the weights' hash is added where they are written."""
    protocol = validation.protocol
    return {
        "name": recipe.name,
        "title": recipe.title,
        "network": recipe.network,
        "configuration": recipe.configuration().as_dict(),
        "num_parameters": sum(p.numel() for p in network.parameters()),
        "low_rate": int(protocol.low_rate),
        "high_rate": protocol.high_rate,
        "training": {
            **origin,
            "training_speakers": sorted(
                {*origin["training_speakers"], *done.started_from.get("training_speakers", [])}
            ),
            "started_from": {key: told for key, told in done.started_from.items() if key != "training_speakers"},
            "recipe": recipe.text,
            "steps": done.step,
            "of_steps": recipe.steps,
            "seconds": round(done.seconds, 1),
            "machine": _machine(),
            "srbench": srbench.__version__,
            "torch": torch.__version__,
            "commit": _commit(),
        },
        "validation": {
            "protocol": str(protocol.signature()),
            "utterances": len(validation.prepared),
            "scores": plain(scores),
            "spline": plain(validation.spline),
            "does_not_beat_the_spline_in": list(validation.verdict(scores).worse),
            "beats_the_spline": validation.verdict(scores).beats,
            "signatures": {name: str(d.signature()) for name, d in validation.definitions.items()},
        },
    }


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as JSON takes it: a number that is not finite is null."""
    return {k: None if isinstance(value, float) and not math.isfinite(value) else value for k, value in row.items()}


def origin_of(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the card of a training is to say of the checkpoint that it starts from.

    Its training speakers count as the new network's too: it has learned from them.
    """
    training = card.get("training", {})
    return {
        "name": card.get("name", ""),
        "network": card.get("network", ""),
        "weights_sha256": card["weights_sha256"],
        "steps": training.get("steps"),
        "hours": training.get("hours"),
        "training_speakers": training.get("training_speakers", []),
    }


def _machine() -> str:
    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()}, {platform.system()}"
    return f"{torch.get_num_threads()} CPU threads, {platform.machine()}, {platform.system()}"


def _commit() -> str:
    """Return the commit of the checkout that the code is run from, "" where there is none."""
    folder = Path(__file__).parent
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "rev-parse", "HEAD"], capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
