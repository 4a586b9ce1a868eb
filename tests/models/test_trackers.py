"""Where a training's losses and scores go: each tracker behind one interface, the log on disk, the label."""

from __future__ import annotations

import csv
import json
import sys
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from kit import Cli, refused

for package in ("torch", "lightning_fabric", "safetensors", "tensorboard"):
    pytest.importorskip(package, reason="pip install 'srbench[train]'")

from srbench_models.training.trackers import TRACKERS, Told, open_trackers  # noqa: E402

from srbench import audio  # noqa: E402
from srbench.corpora import demo_corpus  # noqa: E402
from srbench.errors import SrbenchError  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")


def told(folder: Path) -> Told:
    return Told(folder, "tiny-wide", {"steps": 4}, 16000)


def use(names: list[str] | None, folder: Path, said: list[str] | None = None) -> None:
    """Open trackers, log as a training does, and close them."""
    with ExitStack() as stack:
        for tracker in open_trackers(names, told(folder), stack, (said if said is not None else []).append):
            tracker.listen("reference", np.zeros(100), 0)
            tracker.log("loss", {"mse": 0.5}, 1)
            tracker.log("validation", {"snr": 12.0}, 4)


class Called(ModuleType):
    """A package that only remembers what it was asked."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.calls: list[tuple[object, ...]] = []

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*arguments: object, **named: object) -> Called:
            self.calls.append((name, *arguments, named))
            return self

        return call


def test_csv_has_a_row_for_each_value_and_goes_on(tmp_path: Path):
    use(["csv"], tmp_path)
    use(["csv"], tmp_path)
    rows = list(csv.reader((tmp_path / "log.csv").open(encoding="utf-8", newline="")))
    assert rows[0] == ["step", "group", "name", "value"]
    assert rows[1:] == 2 * [["1", "loss", "mse", "0.5"], ["4", "validation", "snr", "12.0"]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.csv"]


def test_wandb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    wandb = Called("wandb")
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    use(["wandb"], tmp_path)
    name, options = wandb.calls[0]
    assert (name, options["name"], options["config"], options["dir"]) == (
        "init",
        "tiny-wide",
        {"steps": 4},
        str(tmp_path),
    )
    assert ("log", {"loss/mse": 0.5}, {"step": 1}) in wandb.calls
    assert wandb.calls[-1][0] == "finish"
    assert (tmp_path / "log.csv").is_file()


def test_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    mlflow = Called("mlflow")
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    use(["mlflow"], tmp_path)
    assert mlflow.calls[:2] == [("start_run", {"run_name": "tiny-wide"}), ("log_params", {"steps": 4}, {})]
    assert ("log_metrics", {"validation/snr": 12.0}, {"step": 4}) in mlflow.calls
    assert mlflow.calls[-1] == ("end_run", {})


@pytest.mark.parametrize("name", ["wandb", "mlflow", "tensorboard"])
def test_a_missing_package_is_an_error_where_it_was_asked_for(name: str, tmp_path: Path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard" if name == "tensorboard" else name, None)
    extra = "train" if name == "tensorboard" else name
    with pytest.raises(SrbenchError, match=rf"srbench\[{extra}\]"):
        use([name], tmp_path)
    said: list[str] = []
    if name == "tensorboard":
        use(None, tmp_path, said)
        assert len(said) == 1
        assert said[0].startswith("no curves")


def test_a_service_that_is_not_reached_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Down(Called):
        def init(self, **_: object) -> None:
            raise RuntimeError("no\nroute")

    monkeypatch.setitem(sys.modules, "wandb", Down("wandb"))
    with pytest.raises(SrbenchError, match=r"--log wandb cannot be opened: RuntimeError: no route"):
        use(["wandb"], tmp_path)


def test_an_unknown_tracker_gets_the_nearest(tmp_path: Path):
    with pytest.raises(SrbenchError, match="Did you mean 'wandb'"):
        use(["wanbd"], tmp_path)
    assert set(TRACKERS) == {"csv", "tensorboard", "wandb", "mlflow"}


RECIPE = """
network = "additive_b5_small"
protocol = "vctk-speaker1-r4"
steps = 5
batch = 2
patch = 1024
validate_every = 4

[options]
blocks = 2
first_filters = 8
max_filters = 16

[data]
validation_speakers = ["b"]
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for index, utterance in enumerate(demo_corpus().utterances[:3]):
        samples, rate = audio.read(utterance.path)
        folder = tmp_path / "speech" / ("b" if index > 1 else "a")
        folder.mkdir(parents=True, exist_ok=True)
        audio.write(folder / f"{index}.wav", samples[:rate], rate)
    (tmp_path / "tiny.toml").write_text(RECIPE)
    return tmp_path / "speech"


@pytest.mark.slow
def test_the_command_logs_every_n_steps_and_names_the_training_by_its_label(cli: Cli, data: Path):
    options = ["--data", data, "--log", "csv", "--log-every", "2", "--label", "wide", "--json"]
    status, out, _ = cli("train", "tiny.toml", *options)
    assert status in (0, 1)
    folder = Path("training/tiny-wide")
    assert Path(json.loads(out)["checkpoint"]) == folder / "wide.safetensors"
    assert (folder / "wide.safetensors").is_file()
    assert not (folder / "curves").exists()
    rows = list(csv.DictReader((folder / "log.csv").open(encoding="utf-8", newline="")))
    steps = {
        group: sorted({int(row["step"]) for row in rows if row["group"] == group}) for group in ("loss", "validation")
    }
    assert steps == {"loss": [1, 2, 4], "validation": [4, 5]}
    assert {row["name"] for row in rows if row["group"] == "spline"} >= {"snr", "lsd"}
    card = json.loads(Path(json.loads(out)["card"]).read_text())
    assert card["name"] == "tiny-wide"


def test_a_label_that_is_no_name_is_refused(cli: Cli, data: Path):
    refused(cli("train", "tiny.toml", "--data", data, "--label", "../x"), "--label", "../x")
