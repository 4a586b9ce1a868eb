"""What ``srbench train`` runs: a recipe on corpora, with curves, a progress bar, and a clean end when it is stopped."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from srbench.errors import SrbenchError, shown
from srbench.files import clear_unfinished, whole_file

Progress = Callable[[str, int, int], None]
LOG_EVERY = 20  # steps
_LABEL = r"[A-Za-z0-9][A-Za-z0-9._-]*"


def train(
    recipe: str,
    data: Sequence[Path],
    folder: Path | None,
    *,
    device: str,
    resume: bool,
    start: Path | None,
    threads: int | None,
    report: Callable[[str], None],
    progress: Progress | None,
    log: Sequence[str] | None = None,
    log_every: int = LOG_EVERY,
    label: str = "",
) -> dict[str, Any]:
    """Train by a recipe, and return what came of it as plain values.

    Parameters
    ----------
    recipe : str
        A recipe's name, or the path of its TOML file.
    data : sequence of Path
    folder : Path or None
        ``training/<recipe>`` by default, with ``-<label>`` behind it where there is one.
    device : str
    resume : bool
        Go on from the folder's state. Without it, a folder that holds one is refused.
    start : Path or None
        A checkpoint whose weights to start from.
    threads : int or None
        Of torch on the CPU.
    report : callable (text)
    progress : callable (what, done, total) or None
    log : sequence of str or None
        Trackers, of `srbench_models.training.trackers.TRACKERS`; TensorBoard by default. A CSV file is always written.
    log_every : int
        Steps between losses in them.
    label : str
        Tells trainings by one recipe apart: it names the folder, the card, and the best checkpoint's file.

    Raises
    ------
    SrbenchError
        If something that was given cannot be used, a package is missing, or the training breaks.
    """
    import torch
    from srbench_models.checkpoint import card_path, check_format
    from srbench_models.inference import check_device
    from srbench_models.training import fit, load_recipe, prepare_job
    from srbench_models.training.card import plain
    from srbench_models.training.loop import LAST
    from srbench_models.training.state import STATE
    from srbench_models.training.trackers import open_trackers

    chosen = load_recipe(recipe)
    if label:
        if not re.fullmatch(_LABEL, label):
            raise SrbenchError(
                f"--label takes letters, digits, and . _ - after the first of them, not '{shown(label)}'"
            )
        chosen = replace(chosen, name=f"{chosen.name}-{label}")
    folder = folder or Path("training") / chosen.name
    if (folder / STATE).exists() and not resume:
        raise SrbenchError(f"{folder} holds a training run: go on with it (--resume), or name another folder (--out)")
    if (folder / STATE).exists() and start is not None:
        raise SrbenchError("--start begins a training, --resume goes on with one: give one of them")
    if resume and not (folder / STATE).exists():
        report(f"nothing to go on from in {folder}: it begins")
    if start is not None:
        check_format(start)
    if threads:
        torch.set_num_threads(threads)
    check_device(device)
    network, started_from = _starting(start, chosen) if start is not None else (None, {})
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for place in (folder, folder / "cache"):
            clear_unfinished(place)
        _keep_recipe(folder, chosen)
        job = replace(prepare_job(chosen, data, folder, progress=progress), label=label)
        for reason in job.origin["left_out"]:
            report(f"left out: {reason}")
        report(f"{job.origin['utterances']} utterances, {job.origin['hours']:.2f} hours, to {folder}")
        with ExitStack() as stack:
            kept_in = open_trackers(log, _told(job), stack, report)
            done = fit(
                job,
                device=device,
                report=report,
                progress=progress,
                trackers=kept_in,
                log_every=log_every,
                start=network,
                started_from=started_from,
            )
    except OSError as error:
        kept = " The last checkpoint that was whole is kept." if (folder / LAST).exists() else ""
        raise SrbenchError(f"{error.filename or folder}: {error.strerror or error}.{kept}") from error
    best = done.kept()
    verdict = job.validation.verdict(best)
    return {
        "recipe": chosen.name,
        "folder": str(folder),
        "steps": done.step,
        "seconds": round(done.seconds, 1),
        "best": plain(best),
        "last": plain(done.history[-1]) if done.history else {},
        "spline": plain(job.validation.spline),
        "does_not_beat_the_spline_in": list(verdict.worse),
        "beats_the_spline": verdict.beats,
        "verdict": str(verdict),
        "checkpoint": str(job.best),
        "card": str(card_path(job.best)),
    }


def _starting(start: Path, recipe: Any) -> tuple[Any, dict[str, Any]]:
    """Return the network to start with, widened where it is narrower, and what the card is to say of it."""
    from srbench_models.checkpoint import load_checkpoint
    from srbench_models.training.card import origin_of
    from srbench_models.widen import widened

    network, card = load_checkpoint(start)
    return widened(network, recipe.configuration()), origin_of(card)


def _keep_recipe(folder: Path, recipe: Any) -> None:
    """Write the recipe beside the run; where another one has left its state, it is refused."""
    from srbench_models.training.state import STATE

    path = folder / "recipe.toml"
    if (folder / STATE).exists() and path.exists() and path.read_text(encoding="utf-8") != recipe.text:
        raise SrbenchError(f"{path}: is another recipe than {recipe.name}; name another folder (--out)")
    with whole_file(path) as file:
        file.write(recipe.text)


def _told(job: Any) -> Any:
    """Return what trackers are told of a training."""
    from srbench_models.training.trackers import Told

    recipe = job.recipe
    plain = {
        key: value for key, value in vars(recipe).items() if isinstance(value, (str, int, float)) and key != "text"
    }
    losses = {f"loss.{key}": value for key, value in vars(recipe.loss).items()}
    return Told(job.folder, recipe.name, {**plain, **losses}, job.validation.protocol.high_rate)
