"""Training: it learns, goes on to the bit after it was killed, says what breaks, and shows the spline beside itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the networks need torch: pip install 'srbench[models]'")
pytest.importorskip("lightning_fabric", reason="training needs lightning-fabric: pip install 'srbench[train]'")

from safetensors.torch import load_file  # noqa: E402
from srbench_models.checkpoint import load_checkpoint  # noqa: E402
from srbench_models.configurations import configuration  # noqa: E402
from srbench_models.training import choose, load_recipe, prepare_job, recipe_names  # noqa: E402
from srbench_models.training.loop import fit, learning_rate  # noqa: E402
from srbench_models.training.losses import log_mse, mse, multi_resolution_stft  # noqa: E402
from srbench_models.training.validation import Validation, Verdict  # noqa: E402

from srbench import audio  # noqa: E402
from srbench.cli.main import main  # noqa: E402
from srbench.corpora import demo_corpus, load_split  # noqa: E402
from srbench.errors import SrbenchError  # noqa: E402
from srbench.torch.patches import make_patches  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")

RECIPE = """
network = "additive_b5_small"
protocol = "vctk-speaker1-r4"
steps = {steps}
batch = 2
patch = 1024
learning_rate = 1e-3
validate_every = {every}
stop_metric = "snr"
{more}

[options]
blocks = 2
first_filters = 8
max_filters = 16
first_kernel = 17
dropout = 0.5

[data]
validation_speakers = ["b"]
validation_utterances = 2

[loss]
log_mse = 1.0
{loss}
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two speakers' folders of a second of speech each."""
    root = tmp_path_factory.mktemp("speech")
    for index, utterance in enumerate(demo_corpus().utterances[:5]):
        samples, rate = audio.read(utterance.path)
        folder = root / ("b" if index > 2 else "a")
        folder.mkdir(exist_ok=True)
        audio.write(folder / f"{index}.wav", samples[:rate], rate)
    return root


def recipe(tmp_path: Path, steps: int = 8, every: int = 4, more: str = "", loss: str = "") -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE.format(steps=steps, every=every, more=more, loss=loss))
    return path


def train(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(["train", *map(str, arguments)])
    return int(stopped.value.code or 0)


def test_one_patch_is_learnt_to_above_30_db():
    """The first test of any training code: 300 steps on one patch of speech, low-passed and decimated by the spline."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    network = configuration("unet", join="add", blocks=3, first_filters=16, max_filters=64, dropout=0.0).build().train()
    protocol = load_recipe("additive_b5_small").load_protocol()
    patches = make_patches(demo_corpus().utterances[:1], protocol, None)
    low, high = map(torch.from_numpy, patches.draw(1, 2048, (3,)))
    optimizer = torch.optim.Adam(network.parameters(), 5e-3)
    for step in range(300):
        for group in optimizer.param_groups:
            group["lr"] = 5e-3 * (1 - step / 300) + 1e-5
        optimizer.zero_grad()
        loss = log_mse(network(low), high)
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        made = network(low)
    snr = 10 * torch.log10(high.square().sum() / (high - made).square().sum())
    assert snr > 30


@pytest.mark.parametrize("more", ["", "average = 0.9\nclip_gradient = 0.5\nschedule = 'cosine'\nwarmup = 2"])
def test_stopped_and_resumed_is_as_if_it_had_not_been(data: Path, tmp_path: Path, more: str, capsys):
    """Dropout, batch norm, Adam, averages: the same bits."""
    whole = recipe(tmp_path, 8, 4, more)
    train(whole, "--data", data, "--out", tmp_path / "whole", "--threads", 1)
    job = prepare_job(load_recipe(whole), [data], tmp_path / "part")

    class Stopped(Exception):
        pass

    def stop(_, done: int, __) -> None:
        if done == 6:  # after the validation at 4, before that at 8
            raise Stopped

    with pytest.raises(Stopped):
        fit(job, report=lambda _: None, progress=stop)
    fit(job, report=lambda _: None)
    a, b = (load_file(tmp_path / name / "last.safetensors") for name in ("whole", "part"))
    assert a.keys() == b.keys()
    assert all(torch.equal(a[key], b[key]) for key in a)


def test_kill_9_and_resume(data: Path, tmp_path: Path):
    path = recipe(tmp_path, 60, 2)
    command = [sys.executable, "-W", "ignore", "-m", "srbench", "train", path, "--data", data, "--threads", "1"]
    killed = tmp_path / "killed"
    process = subprocess.Popen(
        [*map(str, command), "--out", str(killed)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 600
    while not (killed / "state.safetensors").exists() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert (killed / "state.safetensors").exists()
    assert train(path, "--data", data, "--out", killed, "--threads", 1, "--resume") in (0, 1)
    assert train(path, "--data", data, "--out", tmp_path / "whole", "--threads", 1) in (0, 1)
    a, b = (load_file(tmp_path / name / "last.safetensors") for name in ("whole", "killed"))
    assert all(torch.equal(a[key], b[key]) for key in a)


def test_the_splines_row_stands_above_the_models(data: Path, tmp_path: Path, capsys):
    status = train(recipe(tmp_path, 2, 2), "--data", data, "--out", tmp_path / "run")
    lines = capsys.readouterr().out.splitlines()
    rows = [line for line in lines if line.startswith(("spline", "step"))]
    assert [row.split()[0] for row in rows] == ["spline", "step"]
    assert rows[1].endswith("beats the spline") or "does not beat the spline in" in rows[1]
    assert status == int("does not beat" in rows[1])


def test_the_card_tells_what_the_checkpoint_is(data: Path, tmp_path: Path, capsys):
    train(recipe(tmp_path, 2, 2), "--data", data, "--out", tmp_path / "run", "--json")
    result = json.loads(capsys.readouterr().out)
    network, card = load_checkpoint(Path(result["checkpoint"]))
    assert card["num_parameters"] == sum(p.numel() for p in network.parameters())
    assert card["training"]["training_speakers"] == ["a"]
    assert card["training"]["utterances"] == 3
    assert card["training"]["validation_ids"] == ["b/3", "b/4"]
    assert 'network = "additive_b5_small"' in card["training"]["recipe"]
    assert card["validation"]["protocol"].startswith("PROTOCOL|")
    assert card["validation"]["signatures"]["lsd"].startswith("LSD|log:10")
    assert {"snr", "lsd"} <= card["validation"]["spline"].keys()
    assert (card["low_rate"], card["high_rate"]) == (4000, 16000)


def test_the_card_names_what_the_training_started_from(data: Path, tmp_path: Path):
    train(recipe(tmp_path, 2, 2), "--data", data, "--out", tmp_path / "first")
    first = tmp_path / "first" / "last.safetensors"
    card = json.loads(first.with_suffix(".json").read_text())
    card["training"]["training_speakers"].append("z")
    first.with_suffix(".json").write_text(json.dumps(card))
    path = recipe(tmp_path, 4, 2)
    train(path, "--data", data, "--out", tmp_path / "second", "--start", first)
    told = json.loads((tmp_path / "second" / "last.json").read_text())["training"]
    assert told["started_from"]["weights_sha256"] == card["weights_sha256"]
    assert told["started_from"]["steps"] == 2
    assert told["training_speakers"] == ["a", "z"]  # what it has learned from, by way of the first


def test_a_trained_checkpoint_runs_as_a_model(data: Path, tmp_path: Path, capsys):
    wide = "\n".join(RECIPE.split("[options]")[0:1]).format(steps=1, every=1, more="", loss="")
    path = tmp_path / "full.toml"
    path.write_text(wide + '\n[data]\nvalidation_speakers = ["b"]\n')
    train(path, "--data", data, "--out", tmp_path / "run", "--threads", 1)
    capsys.readouterr()
    name = f"additive_b5_small@{tmp_path / 'run' / 'best.safetensors'}"
    with pytest.raises(SystemExit) as stopped:
        main(
            ["run", "--model", name, "--data", str(data), "--metric", "snr", "--results", str(tmp_path / "r"), "--json"]
        )
    document = json.loads(capsys.readouterr().out)
    assert not stopped.value.code
    (entry,) = document["models"]
    assert entry["name"] == "additive_b5_small@best.safetensors"
    assert entry["failed"] == 0
    assert entry["provenance"]["training_speakers"] == ["a"]
    assert any("trained on 1 of the speakers" in text for text in entry["warnings"])


def test_a_loss_that_breaks_is_told_and_the_good_checkpoint_stays(data: Path, tmp_path: Path):
    job = prepare_job(load_recipe(recipe(tmp_path, 8, 2)), [data], tmp_path / "run")
    fit(job, report=lambda _: None, progress=lambda _, done, __: None)
    good = (tmp_path / "run" / "best.safetensors").read_bytes()
    broken = prepare_job(
        load_recipe(recipe(tmp_path, 20, 2)).__class__(
            **{**vars(load_recipe(recipe(tmp_path, 20, 2))), "learning_rate": 1e30}
        ),
        [data],
        tmp_path / "run",
    )
    with pytest.raises(SrbenchError, match=r"the training broke: .*(NaN|not finite)"):
        fit(broken, report=lambda _: None)
    assert (tmp_path / "run" / "best.safetensors").read_bytes() == good


def test_early_stopping(data: Path, tmp_path: Path):
    path = recipe(tmp_path, 50, 1, "stop_after = 2\n").read_text().replace("1e-3", "1e-12")
    (tmp_path / "still.toml").write_text(path)
    job = prepare_job(load_recipe(tmp_path / "still.toml"), [data], tmp_path / "run")
    done = fit(job, report=lambda _: None)
    assert done.step < 50
    assert done.since_best == 2


@pytest.mark.parametrize(
    ("more", "loss"),
    [
        ("augment_low_pass = true", ""),
        ("precision = 'bf16'", ""),
        ("cache = false", "stft = 0.5\nmse = 1.0"),
        ("", "adversarial = 0.1"),
    ],
)
def test_options_train(data: Path, tmp_path: Path, more: str, loss: str):
    if "stft" in loss:
        more += "\npatch = 4096"
    text = recipe(tmp_path, 2, 2, "", loss).read_text()
    for line in more.split("\n"):
        key = line.split(" ")[0]
        kept = [old for old in text.split("\n") if not old.startswith(f"{key} =")] if key else text.split("\n")
        text = "\n".join([kept[0], line, *kept[1:]])
    (tmp_path / "o.toml").write_text(text)
    job = prepare_job(load_recipe(tmp_path / "o.toml"), [data], tmp_path / "run")
    done = fit(job, report=lambda _: None)
    assert done.step == 2
    assert all(np.isfinite(list(done.history[-1]["loss"].values())))


def test_patches_depend_on_seed_and_step_alone_and_fit_their_references(data: Path, tmp_path: Path):
    loaded = load_recipe(recipe(tmp_path))
    training, _ = choose(loaded, [data])
    first, again = (make_patches(training, loaded.load_protocol(), tmp_path / "cache") for _ in range(2))
    assert isinstance(again.joined, np.memmap)
    for step in range(3):
        (a, b), (c, d) = first.draw(4, 1000, (0, step, 0)), again.draw(4, 1000, (0, step, 0))
        assert np.array_equal(a, c)
        assert np.array_equal(b, d)
        aligned = np.corrcoef(a.ravel(), b.ravel())[0, 1]
        assert aligned > 0.9  # the spline of a decimated signal is the signal, but for its high band
    assert not np.array_equal(first.draw(4, 1000, (0, 0, 0))[1], first.draw(4, 1000, (0, 1, 0))[1])
    assert not np.array_equal(first.draw(4, 1000, (0, 0, 0))[1], first.draw(4, 1000, (0, 0, 1))[1])
    filtered, reference = first.draw_filtered(4, 2000, (0, 0, 0), 4000, 16000)
    assert np.corrcoef(filtered.ravel(), reference.ravel())[0, 1] > 0.9
    short, _ = first.draw(1, 100_000, (0, 0, 0))
    assert not short[0, 0, -1000:].any()


def test_schedule():
    plain = load_recipe("additive_b5_small")
    chosen = type(plain)(**{**vars(plain), "warmup": 10, "steps": 110, "learning_rate": 0.1, "schedule": "cosine"})
    rates = [learning_rate(chosen, step) for step in range(110)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == pytest.approx(0.1)
    assert rates[60] == pytest.approx(0.0505, rel=0.01)
    assert rates[-1] == pytest.approx(0.001, rel=0.05)


def test_losses_have_their_closed_forms():
    torch.manual_seed(0)
    y = torch.randn(3, 1, 8192)
    noise = 0.1 * torch.randn(3, 1, 8192)
    assert mse(y + 0.5, y) == pytest.approx(0.25, rel=1e-5)
    assert log_mse(y + noise, y) == pytest.approx(-2.0, abs=0.02)  # an SNR of 20 dB
    assert log_mse(0 * y, y) == pytest.approx(0.0, abs=1e-6)
    assert multi_resolution_stft(y, y) == 0
    # a gain of 2: |2Y - Y| / |Y| = 1, and half of |ln 4|
    assert multi_resolution_stft(2 * y, y) == pytest.approx(1 + 0.5 * np.log(4), rel=1e-3)


def test_shipped_recipes_load_and_leave_out_the_evaluation_speakers():
    assert recipe_names()
    for name in recipe_names():
        loaded = load_recipe(name)
        assert loaded.configuration()
        if not loaded.data.side:
            assert {"p225", "p240", "p241", "p243", "p244", "p245", "p246"} <= set(loaded.data.exclude_speakers)
            assert set(load_split("vctk-p239").ids("validation")) <= set(loaded.data.exclude_utterances)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("learning_rat = 1", "did you mean"),
        ('network = "additive_b6"', "Did you mean"),
        ('protocol = "vctk"', "unknown protocol"),
        ("steps = 0", "steps must be at least 1"),
        ("steps = 1.5", "steps must be a whole number"),
        (f"steps = 1{'0' * 400}", "steps must be a number up to 1000000000"),
        ("clip_gradient = nan", "clip_gradient must be a number up to"),
        ("beta1 = 1.5", "beta1 and beta2 must be at least 0 and below 1"),
        ("batch = 100000\npatch = 100000", "batch times patch must be at most"),
        ("[options]\nfirst_filters = 1000000\nmax_filters = 1000000", "more than 1073741824 weights"),
        ("[options]\nnetwork = ['unet']", "unknown network"),
        ('schedule = "linear"', "unknown schedule"),
        ('precision = "fp8"', "precision is fp32 or bf16"),
        ("learning_rate = 2.0", "learning_rate must be"),
        ('stop_metric = "snrr"', "unknown metric"),
        ("[loss]\nmse = 0.0", "one of mse, log_mse and stft"),
        ("[data]\nspeakers = 3", "unknown key"),
        ("[options]\nblocks = 'x'", "must be like 4"),
        ('[data]\nside = "validation"', "train on another"),
        ("[data]\nvalidation_utterances = 0", "validation_utterances must be at least 1"),
        ("patch = 1024\n[loss]\nstft = 0.3", "patch must be above 1024 for the loss term stft"),
        ("[options]\nslope = -3.0", "slope must be at least 0"),
    ],
)
def test_wrong_recipes_are_told(data: Path, tmp_path: Path, change: str, said: str, capsys):
    lines = {"network": 'network = "additive_b5_small"', "protocol": 'protocol = "vctk-speaker1-r4"'}
    lines.pop(change.split(" ")[0], None)
    (tmp_path / "r.toml").write_text("\n".join([*lines.values(), change]))
    assert train(tmp_path / "r.toml", "--data", data) == 2
    error = capsys.readouterr().err
    assert said.lower() in error.lower(), error
    assert len(error.strip().splitlines()) <= 2


def test_unusable_data_and_folders_are_told(data: Path, tmp_path: Path, capsys):
    path = recipe(tmp_path)
    (tmp_path / "empty").mkdir()
    assert train(path, "--data", tmp_path / "empty", "--out", tmp_path / "o") == 2
    assert "holds no audio" in capsys.readouterr().err
    assert train(path, "--data", data / "a", "--out", tmp_path / "o") == 2
    assert "no utterance to validate with of validation_speakers b" in capsys.readouterr().err
    assert train(path, "--data", data, "--out", tmp_path / "o", "--device", "cuda:9") == 2
    assert "device cuda:9 cannot be used" in capsys.readouterr().err
    train(path, "--data", data, "--out", tmp_path / "o", "--threads", 1)
    capsys.readouterr()
    assert train(path, "--data", data, "--out", tmp_path / "o") == 2
    assert "--resume" in capsys.readouterr().err
    (tmp_path / "o" / "state.safetensors").write_bytes(b"torn")
    assert train(path, "--data", data, "--out", tmp_path / "o", "--resume") == 2
    assert "cannot be gone on from" in capsys.readouterr().err
    path.write_text(path.read_text().replace("steps = 8", "steps = 9"))
    assert train(path, "--data", data, "--out", tmp_path / "o", "--resume") == 2
    assert "is another recipe" in capsys.readouterr().err


def test_a_full_disk_is_told_and_the_last_checkpoint_stays(data: Path, tmp_path: Path, monkeypatch, capsys):
    path = recipe(tmp_path, 4, 2)
    train(path, "--data", data, "--out", tmp_path / "o", "--threads", 1)
    good = (tmp_path / "o" / "best.safetensors").read_bytes()
    path.write_text(path.read_text().replace("steps = 4", "steps = 6"))
    (tmp_path / "o" / "recipe.toml").write_text(path.read_text())

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("srbench_models.checkpoint.os.fsync", full)
    capsys.readouterr()
    assert train(path, "--data", data, "--out", tmp_path / "o", "--threads", 1, "--resume") == 2
    assert "No space left on device" in capsys.readouterr().err
    monkeypatch.undo()
    assert (tmp_path / "o" / "best.safetensors").read_bytes() == good
    load_checkpoint(tmp_path / "o" / "best.safetensors")


def test_stopping_it_says_how_to_go_on(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("srbench_models.training.fit", interrupted)
    assert train(recipe(tmp_path), "--data", data, "--out", tmp_path / "run") == 130
    assert "--resume" in capsys.readouterr().err


def test_curves_and_audio_are_written(data: Path, tmp_path: Path):
    pytest.importorskip("tensorboard", reason="curves need tensorboard: pip install 'srbench[train]'")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(recipe(tmp_path, 20, 10), "--data", data, "--out", tmp_path / "run", "--threads", 1)
    found = EventAccumulator(str(tmp_path / "run" / "curves"))
    found.Reload()
    tags = found.Tags()
    assert {"validation/snr", "validation/snr of the spline", "loss/log_mse"} <= set(tags["scalars"])
    assert {"reference", "estimate"} <= set(tags["audio"])
    assert [event.step for event in found.Scalars("validation/lsd")] == [10, 20]


def test_two_processes_may_make_one_cache(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As those of one training do: the second finishes while the first is writing."""
    loaded = load_recipe(recipe(tmp_path))
    training, _ = choose(loaded, [data])
    wanted = training, loaded.load_protocol(), tmp_path / "cache"
    save, pid, others = np.save, os.getpid(), []

    def save_while_another_does(*arguments, **named):
        save(*arguments, **named)
        if not others:
            monkeypatch.setattr(os, "getpid", lambda: pid + 1)
            others.append(None)
            others[0] = make_patches(*wanted)
            monkeypatch.setattr(os, "getpid", lambda: pid)

    monkeypatch.setattr(np, "save", save_while_another_does)
    np.testing.assert_array_equal(make_patches(*wanted).joined, others[0].joined)
    assert sorted(path.suffix for path in (tmp_path / "cache").iterdir()) == [".json", ".npy"]


def test_two_processes_train_one_network(data: Path, tmp_path: Path):
    """DDP over gloo, as torchrun starts it: both take steps, one writes, and the weights are of both."""
    path = recipe(tmp_path, 4, 2)
    port = str(20000 + os.getpid() % 20000)
    command = [sys.executable, "-W", "ignore", "-m", "srbench", "train", str(path), "--data", str(data)]
    command += ["--out", str(tmp_path / "two"), "--threads", "1"]
    shared = {**os.environ, "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    shared |= {"TORCHELASTIC_RUN_ID": "test", "GROUP_RANK": "0", "TORCHELASTIC_RESTART_COUNT": "0"}
    processes = [
        subprocess.Popen(
            command,
            env={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    outputs = [process.communicate(timeout=600)[0] for process in processes]
    assert all(process.returncode in (0, 1) for process in processes), outputs
    assert outputs[0].count("step 4 ") == 1
    assert "step 4 " not in outputs[1]
    train(path, "--data", data, "--out", tmp_path / "one", "--threads", 1)
    two, one = (load_file(tmp_path / name / "last.safetensors") for name in ("two", "one"))
    assert any(not torch.equal(two[key], one[key]) for key in one if key.endswith("conv.weight"))


def fit_with_scores(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *gains: float) -> tuple[int, dict]:
    """Train with steps that change nothing, so that each validation is of the spline, moved by a gain in turn."""
    made, turn = Validation._upscaled, iter(gains)

    def moved(self, network, prepared, device):
        gain = next(turn)
        spline_alone = made(self, network, prepared, device)
        pairs = zip(spline_alone, prepared, strict=True)
        return [estimate + gain * (each.reference - estimate) for estimate, each in pairs]

    monkeypatch.setattr(Validation, "_upscaled", moved)
    monkeypatch.setattr(Validation, "first", lambda *_: np.zeros(10))
    path = recipe(tmp_path, len(gains), 1)
    path.write_text(path.read_text().replace("1e-3", "1e-12"))
    status = train(path, "--data", data, "--out", tmp_path / "run", "--threads", 1, "--json")
    return status, json.loads((tmp_path / "run" / "best.json").read_text())["validation"]


@pytest.mark.parametrize(
    ("gains", "best", "beats"), [((0.5, -0.5), 1, True), ((-0.5, 0.5), 2, True), ((-0.2, -0.5), 1, False)]
)
def test_the_verdict_is_that_of_the_checkpoint_that_is_kept(
    gains: tuple[float, ...], best: int, beats: bool, data: Path, tmp_path: Path, monkeypatch, capsys
):
    status, card = fit_with_scores(data, tmp_path, monkeypatch, *gains)
    result = json.loads(capsys.readouterr().out)
    assert result["best"]["step"] == best
    assert status == int(not beats)
    assert result["beats_the_spline"] is card["beats_the_spline"] is beats
    assert result["does_not_beat_the_spline_in"] == card["does_not_beat_the_spline_in"]
    assert {name: result["best"][name] for name in card["scores"]} == card["scores"]


def test_a_lead_below_the_fifth_digit_is_a_lead():
    spline = {"snr": 10.0, "lsd": 1.0}
    assert Verdict.of({"snr": 10 + 1e-9, "lsd": 1 - 1e-9}, spline).beats is True
    assert Verdict.of({"snr": 10 - 1e-9, "lsd": 1 - 1e-9}, spline).worse == ("snr",)


def test_no_verdict_is_claimed_of_what_has_no_value():
    spline = {"snr": 10.0, "lsd": 1.0}
    told = Verdict.of({"snr": 11.0, "lsd": float("nan")}, spline)
    assert (told.beats, told.worse, told.unknown) == (None, (), ("lsd",))
    assert Verdict.of({}, spline).beats is None
    assert Verdict.of({"snr": 9.0, "lsd": float("nan")}, spline).beats is False
    assert Verdict.of({"snr": 11.0, "lsd": 0.5}, spline).beats is True


def speech(root: Path, **gains: float) -> Path:
    samples, rate = audio.read(demo_corpus().utterances[0].path)
    for name, gain in gains.items():
        (root / name[0]).mkdir(parents=True, exist_ok=True)
        audio.write(root / name[0] / f"{name}.wav", gain * samples[:rate], rate)
    return root


@pytest.mark.parametrize(
    ("gains", "said"),
    [
        ({"a1": 1.0, "b1": 0.0, "b2": 0.0}, "none of 2 validation utterances can be scored"),
        ({"a1": 0.0, "b1": 1.0}, "all of 1 recordings to train on are silent"),
    ],
)
def test_silence_is_told_before_the_first_step(gains: dict[str, float], said: str, tmp_path: Path, capfd):
    assert train(recipe(tmp_path), "--data", speech(tmp_path / "d", **gains), "--out", tmp_path / "o", "--json") == 2
    out, err = capfd.readouterr()
    assert (out, said in err, "Warning" in err) == ("", True, False), err
    assert "step" not in err


def test_a_silent_utterance_of_several_is_left_out_of_validation_and_named(tmp_path: Path, capfd):
    corpus = speech(tmp_path / "d", a1=1.0, b1=1.0, b2=0.0)
    train(recipe(tmp_path, 1, 1), "--data", corpus, "--out", tmp_path / "o", "--threads", 1, "--json")
    out, err = capfd.readouterr()
    assert isinstance(json.loads(out)["best"]["lsd"], float)
    assert "left out: b/b2" in err
    assert json.loads((tmp_path / "o" / "best.json").read_text())["training"]["validation_ids"] == ["b/b1"]


def test_patches_longer_than_all_recordings_are_told_before_the_first_step(data: Path, tmp_path: Path, capsys):
    path = recipe(tmp_path)
    path.write_text(path.read_text().replace("patch = 1024", "patch = 65536"))
    assert train(path, "--data", data, "--out", tmp_path / "o") == 2
    assert "longer than every recording to train on (the longest has 16000)" in capsys.readouterr().err


def test_json_is_one_document_beside_tensorboard(tmp_path: Path):
    """In a process of its own: torch prints where audio is clipped, and other packages what they please."""
    corpus = speech(tmp_path / "d", a1=1.0, b1=40.0)
    command = [sys.executable, "-m", "srbench", "train", recipe(tmp_path, 1, 1), "--data", corpus, "--json"]
    done = subprocess.run([*map(str, command)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["steps"] == 1, done.stderr
    assert "Warning" not in done.stderr


def test_what_a_killed_training_left_unfinished_is_cleared_when_it_starts_again(data: Path, tmp_path: Path):
    path, folder = recipe(tmp_path, 2, 2), tmp_path / "o"
    train(path, "--data", data, "--out", folder, "--threads", 1)
    code = """
import os, sys
from contextlib import ExitStack
from srbench.files import beside
stack = ExitStack()
for path in sys.argv[1:]:
    stack.enter_context(beside(path)).write_bytes(b"half")
os._exit(9)
"""
    left = [folder / "last.safetensors", folder / "cache" / "x.npy"]
    subprocess.run([sys.executable, "-c", code, *map(str, left)], check=False)
    assert len(list(folder.rglob("*.unfinished"))) == 2
    train(path, "--data", data, "--out", folder, "--threads", 1, "--resume")
    assert not list(folder.rglob("*.unfinished"))
