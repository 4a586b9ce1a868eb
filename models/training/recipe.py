"""A recipe: what is trained, on what, and how, as one TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from srbench_models.configurations import CONFIGURATIONS, Configuration, configuration
from srbench_models.training.losses import RESOLUTIONS

from srbench import toml
from srbench.errors import SrbenchError, shown, unknown_name
from srbench.metrics import get_metric
from srbench.protocols import Protocol, load_protocol

_MOST = 10**9  # of any number in a recipe
_MOST_SAMPLES = 1 << 28  # a step: 1 GiB of inputs, and as much of references
SCHEDULES = ("constant", "cosine", "trapezoid")


@dataclass(frozen=True)
class Data:
    """Which utterances of the given corpora train and which validate.

    Attributes
    ----------
    side : str
        A side of the protocol's split to train on, its own side then validating; "" for every utterance there is.
    exclude_speakers, exclude_utterances : tuple of str
        Never trained on nor validated with.
    validation_speakers : tuple of str
        Where there is no split: kept from training to validate with.
    validation_utterances : int
        At most so many, spread evenly over the sorted ids.
    """

    side: str = ""
    exclude_speakers: tuple[str, ...] = ()
    exclude_utterances: tuple[str, ...] = ()
    validation_speakers: tuple[str, ...] = ()
    validation_utterances: int = 16


@dataclass(frozen=True)
class Loss:
    """Weights of the terms of the loss; a term of weight 0 is not computed. See `srbench_models.training.losses`."""

    mse: float = 1.0
    log_mse: float = 0.0
    stft: float = 0.0
    adversarial: float = 0.0
    features: float = 2.0  # of the discriminators' feature matching, beside the adversarial term


@dataclass(frozen=True)
class Recipe:
    """All choices of a training run.

    Attributes
    ----------
    name : str
        The file's, without its suffix.
    text : str
        The file, as the card keeps it.
    network : str
        A named configuration, changed by ``options``.
    protocol : str
        Whose rates and degradation make the inputs.
    steps, batch, patch : int
        Steps of the optimiser, patches a step, samples a patch.
    learning_rate, beta1, beta2 : float
        Of Adam.
    schedule : {"constant", "cosine", "trapezoid"}
        Cosine falls to a hundredth at the last step; trapezoid stays, and falls so far over the last quarter.
    warmup : int
        Steps over which the learning rate grows from 0.
    clip_gradient : float
        Greatest norm of the gradient; 0 for none.
    average : float
        Decay of the moving average of the weights, which is then what is validated and kept; 0 for none.
    precision : {"fp32", "bf16"}
    compile : bool
        Whether the network goes through ``torch.compile``.
    cache : bool
        Whether inputs are made once, in a memory-mapped file, or for every patch anew.
    augment_low_pass : bool
        Whether every patch's input is made by a random low-pass filter, not the protocol's.
    validate_every : int
        Steps between validations.
    stop_metric : str
        The validated metric that the best checkpoint is chosen by.
    stop_after : int
        Stop when it has not improved for so many validations; 0 for never.
    seed : int
    """

    name: str
    text: str
    network: str
    protocol: str
    title: str = ""
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    data: Data = Data()
    loss: Loss = Loss()
    steps: int = 20000
    batch: int = 64
    patch: int = 8192
    learning_rate: float = 5e-5
    beta1: float = 0.9
    beta2: float = 0.999
    schedule: str = "constant"
    warmup: int = 0
    clip_gradient: float = 0.0
    average: float = 0.0
    precision: str = "fp32"
    compile: bool = False
    cache: bool = True
    augment_low_pass: bool = False
    validate_every: int = 1000
    stop_metric: str = "lsd"
    stop_after: int = 0
    seed: int = 0

    def configuration(self) -> Configuration:
        """Return the network's configuration."""
        plain = CONFIGURATIONS[self.network].as_dict()
        return configuration(**{**plain, **self.options})

    def load_protocol(self) -> Protocol:
        """Return the protocol."""
        return load_protocol(self.protocol)


def recipe_names() -> list[str]:
    """List the recipes that come with srbench."""
    return toml.names(_folder())


def load_recipe(name: str | Path) -> Recipe:
    """Load a recipe by name, or by the path of its TOML file.

    Raises
    ------
    SrbenchError
        If there is none, a key is unknown, or a value is not possible.
    """
    path = toml.find("recipe", name, _folder())
    table = toml.read(path)
    where = f"recipe {path}"
    recipe = Recipe(path.stem, path.read_text(encoding="utf-8"), **_checked(table, where))
    try:
        _check_values(recipe)
    except SrbenchError as error:
        raise SrbenchError(f"{where}: {error}") from error
    return recipe


def _checked(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    skipped = ("name", "text", "network", "protocol", "options", "data", "loss")
    plain = {key: type(value) for key, value in _defaults(Recipe).items() if key not in skipped}
    toml.check_keys(
        table,
        where,
        required={"network": str, "protocol": str},
        optional={**plain, "options": dict, "data": dict, "loss": dict},
    )
    found = dict(table)
    parts: tuple[tuple[str, Any], ...] = (("data", Data), ("loss", Loss))
    for key, kind in parts:
        part = found.get(key, {})
        kinds = {name: list if isinstance(value, tuple) else type(value) for name, value in _defaults(kind).items()}
        toml.check_keys(part, f"{where}, [{key}]", required={}, optional=kinds)
        given: dict[str, Any] = {n: tuple(map(str, v)) if isinstance(v, list) else v for n, v in part.items()}
        found[key] = kind(**given)
    return found


def _defaults(kind: type) -> dict[str, Any]:
    return {name: f.default for name, f in kind.__dataclass_fields__.items()}  # type: ignore[attr-defined]


def _check_values(recipe: Recipe) -> None:
    if recipe.network not in CONFIGURATIONS:
        raise unknown_name("network", recipe.network, CONFIGURATIONS)
    recipe.configuration().outline()
    protocol = recipe.load_protocol()
    if protocol.high_rate % protocol.low_rate:
        raise SrbenchError(f"protocol {protocol.name} has no whole scale: networks are trained for whole ones")
    if recipe.data.side:
        protocol.load_split().ids(recipe.data.side)
        if recipe.data.side == protocol.side:
            raise SrbenchError(f"side {recipe.data.side} is what protocol {protocol.name} scores; train on another")
    get_metric(recipe.stop_metric)
    for key, value in [*vars(recipe).items(), *vars(recipe.loss).items(), *vars(recipe.data).items()]:
        if isinstance(value, (int, float)) and not abs(value) <= _MOST:  # nor is this so of NaN
            raise SrbenchError(f"{key} must be a number up to {_MOST}, not {shown(value)}")
    if recipe.batch * recipe.patch > _MOST_SAMPLES:
        raise SrbenchError(f"batch times patch must be at most {_MOST_SAMPLES} samples")
    if not 0 <= recipe.beta1 < 1 or not 0 <= recipe.beta2 < 1:
        raise SrbenchError("beta1 and beta2 must be at least 0 and below 1")
    for key in ("steps", "batch", "patch", "validate_every"):
        if getattr(recipe, key) < 1:
            raise SrbenchError(f"{key} must be at least 1, not {getattr(recipe, key)}")
    for key in ("warmup", "clip_gradient", "stop_after", "seed"):
        if getattr(recipe, key) < 0:
            raise SrbenchError(f"{key} must be at least 0, not {getattr(recipe, key)}")
    if not 0 < recipe.learning_rate < 1 or not 0 <= recipe.average < 1:
        raise SrbenchError("learning_rate must be above 0 and below 1, average at least 0 and below 1")
    if recipe.schedule not in SCHEDULES:
        raise unknown_name("schedule", recipe.schedule, SCHEDULES)
    if recipe.precision not in ("fp32", "bf16"):
        raise SrbenchError(f"precision is fp32 or bf16, not '{shown(recipe.precision)}'")
    if min(vars(recipe.loss).values()) < 0 or not max(recipe.loss.mse, recipe.loss.log_mse, recipe.loss.stft):
        raise SrbenchError("the weights of the loss must be at least 0, and one of mse, log_mse and stft above it")

    if recipe.loss.stft and recipe.patch <= RESOLUTIONS[0][0] // 2:
        raise SrbenchError(f"patch must be above {RESOLUTIONS[0][0] // 2} for the loss term stft, not {recipe.patch}")
    if recipe.data.validation_utterances < 1:
        raise SrbenchError(f"validation_utterances must be at least 1, not {recipe.data.validation_utterances}")


def _folder() -> Path:
    return Path(str(resources.files("srbench_models"))) / "recipes"
