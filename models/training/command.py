"""What ``srbench train`` runs: a recipe on corpora, with curves, a progress bar, and a clean end when it is stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from srbench.errors import SrbenchError
from srbench.extras import missing_package
from srbench.files import clear_unfinished, whole_file

Progress = Callable[[str, int, int], None]


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
) -> dict[str, Any]:
    """Train by a recipe, and return what came of it as plain values.

    Parameters
    ----------
    recipe : str
        A recipe's name, or the path of its TOML file.
    data : sequence of Path
    folder : Path or None
        ``training/<recipe>`` by default.
    device : str
    resume : bool
        Go on from the folder's state. Without it, a folder that holds one is refused.
    start : Path or None
        A checkpoint whose weights to start from.
    threads : int or None
        Of torch on the CPU.
    report : callable (text)
    progress : callable (what, done, total) or None

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
    from srbench_models.training.loop import BEST, LAST
    from srbench_models.training.state import STATE

    chosen = load_recipe(recipe)
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
        job = prepare_job(chosen, data, folder, progress=progress)
        for reason in job.origin["left_out"]:
            report(f"left out: {reason}")
        report(f"{job.origin['utterances']} utterances, {job.origin['hours']:.2f} hours, to {folder}")
        with ExitStack() as stack:
            log, listen = _curves(folder, job, stack, report)
            done = fit(
                job,
                device=device,
                report=report,
                progress=progress,
                log=log,
                listen=listen,
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
        "checkpoint": str(folder / BEST),
        "card": str(card_path(folder / BEST)),
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


def _curves(folder: Path, job: Any, stack: ExitStack, report: Callable[[str], None]) -> tuple[Any, Any]:
    """Return what writes TensorBoard curves, and the validation's first utterance as audio; None twice without it."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        report(f"no curves: {missing_package('TensorBoard', error, extra='train')}")
        return None, None
    writer: Any = SummaryWriter(str(folder / "curves"))
    stack.callback(writer.close)
    first, rate = job.validation.prepared[0], job.validation.protocol.high_rate
    writer.add_audio("reference", first.reference[None].clip(-1, 1), 0, rate)  # else torch prints that it clips

    def log(group: str, values: dict[str, float], step: int) -> None:
        for name, value in values.items():
            writer.add_scalar(f"{group}/{name}", value, step)
        if group == "validation":
            for name, value in job.validation.spline.items():
                writer.add_scalar(f"validation/{name} of the spline", value, step)

    def listen(samples: Any, step: int) -> None:
        writer.add_audio("estimate", samples[None].clip(-1, 1), step, rate)

    return log, listen
