"""Training a network by a recipe: ``srbench train RECIPE --data DIR``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from srbench_models.training.loop import Job, fit
from srbench_models.training.rates import Recordings, make_recordings
from srbench_models.training.recipe import Recipe, load_recipe, recipe_names
from srbench_models.training.state import Progress
from srbench_models.training.validation import make_validation

from srbench.corpora import Utterance, open_corpus
from srbench.corpora.splits import checksum
from srbench.errors import SrbenchError
from srbench.torch.patches import Patches, make_patches

__all__ = ["Job", "Progress", "Recipe", "choose", "fit", "load_recipe", "prepare_job", "recipe_names"]


def prepare_job(
    recipe: Recipe,
    data: Sequence[str | Path],
    folder: Path,
    *,
    progress: Callable[[str, int, int], None] | None = None,
) -> Job:
    """Find the utterances, make the patches, and score the spline.

    Parameters
    ----------
    recipe : Recipe
    data : sequence of path
        Corpora, as `srbench.corpora.open_corpus` takes them.
    folder : Path
        Of the run; the cache goes below it.
    progress : callable (what, done, total), optional

    Raises
    ------
    SrbenchError
        If a corpus cannot be used, nothing is left to train on or to validate with, or patches are too long.
    """
    training, validating = choose(recipe, data)
    protocol = recipe.load_protocol()
    validation = make_validation(validating, protocol, (recipe.stop_metric,))  # first: it is quick, patches are not
    patches: Patches | Recordings
    if recipe.network == "convnext_bwe":
        patches = make_recordings(training, progress)
        seconds = patches.seconds
    else:
        patches = make_patches(training, protocol, folder / "cache" if recipe.cache else None, progress)
        longest = int(np.diff(patches.ends, prepend=0).max())
        if recipe.patch > longest:
            raise SrbenchError(
                f"recipe {recipe.name}: a patch of {recipe.patch} samples is longer than every recording to train on "
                f"(the longest has {longest}); set a smaller patch"
            )
        seconds = float(patches.ends[-1]) / protocol.high_rate
    origin: dict[str, Any] = {
        "corpora": [Path(d).resolve().name for d in data],
        "utterances": len(training) - len(patches.refused),
        "left_out": [*patches.refused, *validation.refused],
        "hours": round(seconds / 3600, 4),
        "training_speakers": sorted({u.speaker for u in training}),
        "ids_sha256": checksum([u.id for u in training]),
        "validation_ids": list(validation.ids),
    }
    return Job(recipe, patches, validation, origin, folder)


def choose(recipe: Recipe, data: Sequence[str | Path]) -> tuple[list[Utterance], list[Utterance]]:
    """Return the utterances to train on and those to validate with; none is both.

    Raises
    ------
    SrbenchError
        If either is empty.
    """
    chosen = recipe.data
    protocol = recipe.load_protocol()
    split = protocol.load_split() if chosen.side else None
    found: list[Utterance] = []
    for folder in data:
        corpus = open_corpus(folder, split.mic if split else "mic1", protocol.corpus)
        found += [
            u
            for u in corpus.utterances
            if u.speaker not in chosen.exclude_speakers and u.id not in chosen.exclude_utterances
        ]
    found = list({u.id: u for u in found}.values())
    if split is not None:
        here = {u.id: u for u in found}
        training = [here[i] for i in split.ids(chosen.side) if i in here]
        validating = [here[i] for i in split.ids(protocol.side) if i in here]
    else:
        training = [u for u in found if u.speaker not in chosen.validation_speakers]
        validating = [u for u in found if u.speaker in chosen.validation_speakers]
    most = chosen.validation_utterances
    validating = (
        [validating[i * len(validating) // most] for i in range(most)] if len(validating) > most else validating
    )
    where = ", ".join(map(str, data))
    if not training or not validating:
        what = "to train on" if not training else "to validate with"
        asked = f" of validation_speakers {', '.join(chosen.validation_speakers) or '(none)'}"
        how = "" if not training or split is not None else asked
        raise SrbenchError(f"recipe {recipe.name} finds no utterance {what}{how} in {where} ({len(found)} are usable)")
    return training, validating
