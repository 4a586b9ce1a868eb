"""The training loop, on Lightning Fabric: one process or many, fp32 or bf16, resumed to the bit on one CPU."""

from __future__ import annotations

import copy
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from srbench_models.checkpoint import save_checkpoint
from srbench_models.dnn_bwe import DNN
from srbench_models.training.card import make_card
from srbench_models.training.discriminators import Discriminators, discriminator_loss, generator_loss
from srbench_models.training.losses import log_mse, mse, multi_resolution_stft
from srbench_models.training.rates import Recordings
from srbench_models.training.recipe import Recipe
from srbench_models.training.state import Progress, load_state, save_state
from srbench_models.training.trackers import Tracker
from srbench_models.training.validation import Scores, Validation, better
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from srbench.errors import SrbenchError
from srbench.torch.dataset import ProtocolDataset
from srbench.torch.patches import Patches

LAST, BEST = "last.safetensors", "best.safetensors"
Report = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """What is trained and on what.

    Attributes
    ----------
    recipe : Recipe
    patches : Patches
    validation : Validation
    origin : mapping
        What the card says of the data.
    folder : Path
        Where state, checkpoints and logs go.
    label : str
        Tells trainings by one recipe apart.
    """

    recipe: Recipe
    patches: Patches | Recordings
    validation: Validation
    origin: dict[str, Any]
    folder: Path
    label: str = ""

    @property
    def best(self) -> Path:
        """The best checkpoint: named by the label, so that two trainings do not make one name of a model."""
        return self.folder / (f"{self.label}.safetensors" if self.label else BEST)


def fit(
    job: Job,
    *,
    device: str = "cpu",
    report: Report = print,
    progress: Callable[[str, int, int], None] | None = None,
    trackers: Sequence[Tracker] = (),
    log_every: int = 20,
    start: nn.Module | None = None,
    started_from: dict[str, Any] | None = None,
) -> Progress:
    """Train until the recipe's steps are done or it stops improving, going on from the folder's state if there is one.

    Parameters
    ----------
    job : Job
    device : str
        ``cpu``, ``cuda``, ``cuda:1``, ``mps``. Under ``torchrun`` every process takes its own.
    report : callable (text)
        Gets a line or a small table for people.
    progress : callable (what, done, total), optional
    trackers : sequence of Tracker
        Get the losses, the scores beside the spline's, and the first validation utterance as the network gives it.
    log_every : int
        Steps between losses in them; the first step's are there too.
    start : Module, optional
        A network of the recipe's configuration to start from, in place of fresh weights.
    started_from : dict, optional
        What the card is to say of ``start``; see `srbench_models.training.card.origin_of`.

    Returns
    -------
    Progress

    Raises
    ------
    SrbenchError
        If the loss or the weights become NaN or infinite, or the state cannot be gone on from. What was saved before
        stays.
    """
    recipe = job.recipe
    fabric = _fabric(device, recipe.precision)
    fabric.launch()
    torch.manual_seed(recipe.seed)
    network = start if start is not None else recipe.configuration().build()
    if start is None and isinstance(network, DNN) and isinstance(job.patches, Patches):
        network.calibrate(*map(torch.from_numpy, job.patches.draw(256, recipe.patch, (recipe.seed, 2**32 - 1))))
    average = copy.deepcopy(network).eval() if recipe.average else None
    kept = average if average is not None else network
    modules = {"network": network, **({"average": average} if average is not None else {})}
    optimizers = {"network": torch.optim.Adam(network.parameters(), recipe.learning_rate, (recipe.beta1, recipe.beta2))}
    judges = Discriminators() if recipe.loss.adversarial else None
    if judges is not None:
        modules["judges"] = judges
        optimizers["judges"] = torch.optim.Adam(judges.parameters(), recipe.learning_rate, (0.8, 0.99))
    done = load_state(job.folder, modules, optimizers) or Progress(started_from=started_from or {})
    if done.step:
        report(f"going on from step {done.step}")
    step_network: Any = torch.compile(network) if recipe.compile else network
    step_network, optimizer = fabric.setup(step_network, optimizers["network"])
    rivals: tuple[Any, Any] | None = fabric.setup(judges, optimizers["judges"]) if judges is not None else None
    if average is not None:
        average.to(fabric.device)
    batches = _batches(job, done.step, fabric.global_rank)
    first = fabric.global_rank == 0
    if first:
        for tracker in trackers:
            tracker.listen("reference", job.validation.prepared[0].reference, done.step)
    started, before = time.monotonic(), done.seconds
    report(_table_head(job))
    while done.step < recipe.steps and not (recipe.stop_after and done.since_best >= recipe.stop_after):
        batch = tuple(each.to(fabric.device) for each in next(batches))
        torch.manual_seed(hash((recipe.seed, done.step, fabric.global_rank)))
        rate = learning_rate(recipe, done.step)
        for chosen in (optimizer, *([rivals[1]] if rivals else [])):
            for group in chosen.param_groups:
                group["lr"] = rate
        step_network.train()
        losses = _step(fabric, recipe, step_network, optimizer, rivals, batch)
        done.step += 1
        if average is not None:
            _follow(average, network, min(recipe.average, done.step / (done.step + 10)))
        if trackers and first and (done.step % log_every == 0 or done.step == 1):
            told = {**{name: float(term) for name, term in losses.items()}, "learning_rate": rate}
            for tracker in trackers:
                tracker.log("loss", told, done.step)
        if progress:
            progress(recipe.name, done.step, recipe.steps)
        if done.step % recipe.validate_every == 0 or done.step == recipe.steps:
            done.seconds = before + time.monotonic() - started
            _refuse_broken(losses, network, done.step)
            if first:
                _validate(job, kept, done, str(fabric.device), losses, report, trackers)
                save_state(job.folder, modules, optimizers, done)
            fabric.barrier()
            if fabric.world_size > 1:
                done = fabric.broadcast(done)
    return done


def learning_rate(recipe: Recipe, step: int) -> float:
    """Return the learning rate of a step, counted from 0: warm-up, then what the recipe's schedule says."""
    rate = recipe.learning_rate
    if step < recipe.warmup:
        return rate * (step + 1) / recipe.warmup
    if recipe.schedule == "constant":
        return rate
    part = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    if recipe.schedule == "trapezoid":
        return rate * (0.01 + 0.99 * min(1.0, 4 * (1 - part)))
    return rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, part))))


def _fabric(device: str, precision: str) -> Fabric:
    kind, _, index = device.partition(":")
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))  # set by torchrun
    nodes = int(os.environ.get("WORLD_SIZE", "1")) // local
    devices: Any = [int(index)] if index else local
    return Fabric(
        accelerator=kind,
        devices=devices,
        num_nodes=nodes,
        precision="bf16-mixed" if precision == "bf16" else "32-true",
        strategy="ddp" if local * nodes > 1 else "auto",
    )


def _batches(job: Job, first: int, rank: int) -> Iterator[tuple[Tensor, ...]]:
    """Yield the batches from a step on, cut in a thread while the step before is computed."""
    recipe = job.recipe

    def cut(step: int) -> tuple[Tensor, ...]:
        if isinstance(job.patches, Patches):
            return _dataset(job, job.patches).draw(step, rank)  # each process has patches of its own, like an epoch
        return tuple(map(torch.from_numpy, job.patches.draw(recipe.batch, recipe.patch, (recipe.seed, step, rank))))

    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(cut, first)
        for step in range(first + 1, recipe.steps + 1):
            ready, following = following, pool.submit(cut, step)
            yield ready.result()
        yield following.result()


def _dataset(job: Job, patches: Patches) -> ProtocolDataset:
    recipe = job.recipe
    return ProtocolDataset.of(
        patches,
        job.validation.protocol,
        patch=recipe.patch,
        batch=recipe.batch,
        filters="random" if recipe.augment_low_pass else "protocol",
        length=recipe.steps,
        seed=recipe.seed,
    )


def _step(
    fabric: Fabric,
    recipe: Recipe,
    network: Any,
    optimizer: Any,
    rivals: tuple[Any, Any] | None,
    batch: tuple[Tensor, ...],
) -> dict[str, Tensor]:
    """Take one step of the optimiser, and of the discriminators' where there are some; return the terms of the loss."""
    weights, terms = recipe.loss, {}
    objective = getattr(network.module, "objective", None)
    if objective is not None:  # a network that is not trained on the waveform
        network.mark_forward_method("objective")
        total = terms["objective"] = network.objective(*batch)
    else:
        low, high = batch
        made = network(low)
        kinds = (("mse", mse), ("log_mse", log_mse), ("stft", multi_resolution_stft))
        terms |= {name: function(made.float(), high) for name, function in kinds if getattr(weights, name)}
        total = torch.stack([getattr(weights, name) * term for name, term in terms.items()]).sum()
        if rivals is not None:
            judges, judging = rivals
            judged = discriminator_loss(judges(high), judges(made.detach()))
            judging.zero_grad()
            fabric.backward(judged)
            judging.step()
            terms["discriminator"] = judged.detach()
            terms["adversarial"] = generator_loss(judges(high), judges(made), weights.features)
            total = total + weights.adversarial * terms["adversarial"]
    optimizer.zero_grad()
    fabric.backward(total)
    if recipe.clip_gradient:
        clip_grad_norm_(network.parameters(), recipe.clip_gradient)
    optimizer.step()
    return {name: term.detach() for name, term in terms.items()}


def _follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move the averaged weights towards the network's; whole numbers and statistics are taken over."""
    with torch.no_grad():
        for old, new in zip(average.parameters(), network.parameters(), strict=True):
            old.lerp_(new, 1 - decay)
        for kept, latest in zip(average.buffers(), network.buffers(), strict=True):
            kept.copy_(latest)


def _refuse_broken(losses: dict[str, Tensor], network: nn.Module, step: int) -> None:
    bad = [name for name, term in losses.items() if not math.isfinite(float(term))]
    if not bad and not all(torch.isfinite(p).all() for p in network.parameters()):
        bad = ["a weight"]
    if bad:
        raise SrbenchError(
            f"at step {step} the training broke: {', '.join(bad)} is NaN or infinite. The last good checkpoint is "
            "kept; try a lower learning_rate, warmup, or clip_gradient."
        )


def _validate(
    job: Job,
    network: nn.Module,
    done: Progress,
    device: str,
    losses: dict[str, Tensor],
    report: Report,
    trackers: Sequence[Tracker],
) -> None:
    """Score the network, print its row beside the spline's, keep it if it is the best, and write both checkpoints."""
    scores = job.validation.scores(network, device)
    metric = job.recipe.stop_metric
    if not math.isfinite(scores[metric]):
        raise SrbenchError(f"at step {done.step} the training broke: {metric} of the validation is not finite")
    row = {"step": done.step, "seconds": round(done.seconds, 1), **scores}
    done.history.append({**row, "loss": {name: round(float(term), 6) for name, term in losses.items()}})
    card = make_card(job.recipe, job.validation, job.origin, done, scores, network)
    job.folder.mkdir(parents=True, exist_ok=True)
    if better(metric, scores[metric], done.best):
        done.best, done.best_step, done.since_best = scores[metric], done.step, 0
        save_checkpoint(job.best, network, card)
    else:
        done.since_best += 1
    save_checkpoint(job.folder / LAST, network, card)
    report(_table_row(f"step {done.step}", scores) + f"  {job.validation.verdict(scores)}")
    for tracker in trackers:
        tracker.log("validation", scores, done.step)
        tracker.log("spline", job.validation.spline, done.step)
    if trackers:
        made = job.validation.first(network, device)
        for tracker in trackers:
            tracker.listen("estimate", made, done.step)


def _table_head(job: Job) -> str:
    names = "".join(f"{name:>9}" for name in job.validation.spline)
    return f"{'':14}{names}\n{_table_row('spline', job.validation.spline)}"


def _table_row(name: str, scores: Scores) -> str:
    return f"{name:14}" + "".join(f"{value:9.3f}" for value in scores.values())
