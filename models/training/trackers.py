"""Where a training's losses and scores go: a CSV file, TensorBoard, Weights & Biases, MLflow, behind one interface.

A tracker is a function of `Told` that opens it; `TRACKERS` names them. To add one, write such a function, and name it
there and in pyproject.toml's extras.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from srbench.audio import Samples
from srbench.errors import SrbenchError, unknown_name
from srbench.extras import missing_package

CSV = "log.csv"
COLUMNS = ("step", "group", "name", "value")


@dataclass(frozen=True)
class Told:
    """What a tracker is told when it opens.

    Attributes
    ----------
    folder : Path
        Of the training.
    name : str
        Of the training, with its label.
    settings : mapping
        The recipe's choices, as plain values.
    rate : int, in Hz
        Of audio.
    """

    folder: Path
    name: str
    settings: Mapping[str, Any]
    rate: int


class Tracker(Protocol):
    """What every tracker offers."""

    def log(self, group: str, values: Mapping[str, float], step: int) -> None:
        """Keep values of one step: of the group ``loss``, or of ``validation`` or ``spline``."""
        ...

    def listen(self, name: str, samples: Samples, step: int) -> None:
        """Keep a signal, shape (n,), where the tracker can play it."""
        ...

    def close(self) -> None:
        """End."""
        ...


class CsvTracker:
    """A row per value in ``log.csv``. A training that is resumed adds the steps since its last state again."""

    def __init__(self, told: Told) -> None:
        path = told.folder / CSV
        begins = not path.exists()
        self._file = path.open("a", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file)
        if begins:
            self._rows.writerow(COLUMNS)

    def log(self, group: str, values: Mapping[str, float], step: int) -> None:
        """Write a row per value."""
        self._rows.writerows((step, group, name, repr(float(value))) for name, value in values.items())
        self._file.flush()

    def listen(self, name: str, samples: Samples, step: int) -> None:
        """Do nothing: a table plays no audio."""

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class TensorBoardTracker:
    """Curves and audio below ``curves/``."""

    def __init__(self, told: Told) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(str(told.folder / "curves"))
        self._rate = told.rate

    def log(self, group: str, values: Mapping[str, float], step: int) -> None:
        """Add a point to each curve; the spline's stand beside the network's."""
        for name, value in values.items():
            title = f"validation/{name} of the spline" if group == "spline" else f"{group}/{name}"
            self._writer.add_scalar(title, value, step)

    def listen(self, name: str, samples: Samples, step: int) -> None:
        """Add a player."""
        self._writer.add_audio(name, samples[None].clip(-1, 1), step, self._rate)  # else torch prints that it clips

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


class WandbTracker:
    """A run of Weights & Biases, in the project ``srbench`` unless ``WANDB_PROJECT`` names another."""

    def __init__(self, told: Told) -> None:
        import os

        import wandb

        self._wandb: Any = wandb
        self._run: Any = wandb.init(
            project=os.environ.get("WANDB_PROJECT", "srbench"),
            name=told.name,
            dir=str(told.folder),
            config=dict(told.settings),
        )
        self._rate = told.rate

    def log(self, group: str, values: Mapping[str, float], step: int) -> None:
        """Log the values of a step."""
        self._run.log({f"{group}/{name}": float(value) for name, value in values.items()}, step=step)

    def listen(self, name: str, samples: Samples, step: int) -> None:
        """Log a player."""
        self._run.log({name: self._wandb.Audio(samples.clip(-1, 1), sample_rate=self._rate)}, step=step)

    def close(self) -> None:
        """End the run."""
        self._run.finish()


class MlflowTracker:
    """A run of MLflow, where ``MLFLOW_TRACKING_URI`` says, or in its own default place."""

    def __init__(self, told: Told) -> None:
        import mlflow

        self._mlflow: Any = mlflow
        mlflow.start_run(run_name=told.name)
        mlflow.log_params(dict(told.settings))

    def log(self, group: str, values: Mapping[str, float], step: int) -> None:
        """Log the values of a step."""
        self._mlflow.log_metrics({f"{group}/{name}": float(value) for name, value in values.items()}, step=step)

    def listen(self, name: str, samples: Samples, step: int) -> None:
        """Do nothing: MLflow has no players."""

    def close(self) -> None:
        """End the run."""
        self._mlflow.end_run()


TRACKERS: Mapping[str, Callable[[Told], Tracker]] = {
    "csv": CsvTracker,
    "tensorboard": TensorBoardTracker,
    "wandb": WandbTracker,
    "mlflow": MlflowTracker,
}


def open_trackers(
    names: Sequence[str] | None, told: Told, stack: ExitStack, report: Callable[[str], None]
) -> list[Tracker]:
    """Open trackers, each closed with the stack; the CSV file is always among them.

    Parameters
    ----------
    names : sequence of str or None
        None for TensorBoard where it is installed; where it is not, that is reported.
    told : Told
    stack : ExitStack
    report : callable (text)

    Raises
    ------
    SrbenchError
        If a name is unknown, or a tracker that was asked for is not installed or cannot be opened.
    """
    found: list[Tracker] = []
    for name in dict.fromkeys(("csv", *(names if names is not None else ("tensorboard",)))):
        if name not in TRACKERS:
            raise unknown_name("tracker", name, TRACKERS)
        try:
            tracker = TRACKERS[name](told)
        except ImportError as error:
            why = missing_package(f"--log {name}", error, extra="train" if name == "tensorboard" else name)
            if names is not None:
                raise why from error
            report(f"no curves: {why}")
            continue
        except OSError:
            raise
        except Exception as error:  # whatever a service raises when it is not reached
            text = " ".join(str(error).split())[:300]
            raise SrbenchError(f"--log {name} cannot be opened: {type(error).__name__}: {text}") from error
        stack.callback(tracker.close)
        found.append(tracker)
    return found
