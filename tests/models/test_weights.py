"""The weights that ship, and those that are named by path or repository."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the networks need torch: pip install 'srbench[models]'")

from srbench_models import weights  # noqa: E402
from srbench_models.checkpoint import card_path, read_card, save_checkpoint  # noqa: E402
from srbench_models.configurations import CONFIGURATIONS, configuration  # noqa: E402
from srbench_models.training.validation import make_validation  # noqa: E402
from srbench_models.weights import index, load_weights  # noqa: E402

from srbench import audio  # noqa: E402
from srbench.corpora import demo_corpus, open_corpus  # noqa: E402
from srbench.errors import SrbenchError, UpscalerError  # noqa: E402
from srbench.protocols import load_protocol  # noqa: E402
from srbench.upscaler import get_upscaler  # noqa: E402

EVALUATION = ("p225", "p240", "p241", "p243", "p244", "p245", "p246")
FOLDER = Path(weights.__file__).parent / "weights"


def test_every_file_is_in_the_index_and_small_enough_for_git():
    files = {path.stem: path for path in FOLDER.glob("*.safetensors")}
    assert files.keys() == index().sha256.keys()
    assert {"stacked", "additive"} <= index().aliases.keys()
    assert set(index().aliases.values()) <= files.keys()
    sizes = [path.stat().st_size for path in files.values()]
    assert max(sizes) < 50e6
    assert sum(sizes) < 150e6


@pytest.mark.parametrize("name", index().sha256)
def test_shipped_weights_load_and_their_card_is_honest(name: str):
    network, card = load_weights(*name.split("-"))
    assert all(torch.isfinite(p).all() for p in network.parameters())
    assert not set(card["training"]["training_speakers"]) & set(EVALUATION)
    assert card["training"]["steps"] > 0
    for score in card["scores"]:
        for metric, value in score["model"].items():
            assert value == pytest.approx(score["full_precision"][metric], abs=0.01), "narrowing moved a metric"
        worse = [m for m in ("snr", "lsd") if (score["model"][m] > score["spline"][m]) != (m == "snr")]
        assert score["does_not_beat_the_spline_in"] == worse


@pytest.mark.parametrize("name", ["stacked", "additive"])
def test_the_best_of_each_kind_beats_the_spline_on_the_embedded_corpus(name: str):
    validation = make_validation(demo_corpus().utterances[::7], load_protocol("demo"), ())
    scores = validation.scores(load_weights(name)[0], "cpu")
    assert validation.verdict(scores).beats


@pytest.mark.parametrize("name", ["stacked", "additive"])
@pytest.mark.skipif("SRBENCH_VCTK" not in os.environ, reason="SRBENCH_VCTK names no folder of VCTK recordings")
def test_the_best_of_each_kind_beats_the_spline_on_speakers_it_has_not_seen(name: str):
    found = [u for u in open_corpus(os.environ["SRBENCH_VCTK"]).utterances if u.speaker in EVALUATION]
    usable = [u for u in found if audio.info(u.path).sample_rate >= 16000][:8]
    assert usable
    validation = make_validation(usable, load_protocol("vctk-speaker1-r4"), ())
    scores = validation.scores(load_weights(name)[0], "cpu")
    assert validation.verdict(scores).beats


def test_the_page_says_what_the_cards_say():
    root = Path(__file__).parents[2]
    spec = importlib.util.spec_from_file_location("ship_weights", root / "scripts" / "ship_weights.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    page = (root / "docs" / "models.md").read_text(encoding="utf-8")
    assert script.with_scores(page) == page, "run scripts/ship_weights.py"


def test_a_name_without_weights_says_how_to_get_them():
    missing = next(name for name in CONFIGURATIONS if name not in index().sha256)
    with pytest.raises(SrbenchError, match=rf"no weights of {missing} ship .*srbench train.*{missing}@"):
        load_weights(missing)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("best.npz", "a .safetensors file or hf:owner/repository"),
        ("p2399", "a .safetensors file or hf:owner/repository"),
        ("none.safetensors", "none.safetensors: no such file"),
        ("hf:no-owner", "hf:owner/name"),
        ("hf:../../etc", "hf:owner/name"),
        ("hf:../etc", "hf:owner/name"),
        ("hf:owner/name@../../refs", "hf:owner/name"),
    ],
)
def test_wrong_places_are_told(where: str, said: str):
    with pytest.raises(SrbenchError, match=r"weights|hf:|no such") as told:
        load_weights("stacked_b4_small", where)
    assert said in str(told.value)


def test_weights_without_their_card_are_told(tmp_path: Path):
    (tmp_path / "w.safetensors").touch()
    with pytest.raises(SrbenchError, match=r"w\.safetensors: its model card, w\.json, is not beside it"):
        load_weights("stacked_b4_small", str(tmp_path / "w.safetensors"))


def test_weights_of_another_configuration_are_refused(tmp_path: Path):
    made = CONFIGURATIONS["stacked_b4_small"]
    card = {"configuration": made.as_dict(), "low_rate": 4000, "high_rate": 16000}
    path = save_checkpoint(tmp_path / "w.safetensors", made.build(), card)
    load_weights("stacked_b4_small", str(path))
    with pytest.raises(SrbenchError, match="holds another network than additive_b5_small: blocks 4, not 5"):
        load_weights("additive_b5_small", str(path))


def test_weights_trained_under_a_name_with_options_of_their_own_run_under_it(tmp_path: Path):
    """What a recipe's [options] changed stands in the card, and the network is built by it."""
    plain = CONFIGURATIONS["stacked_b4_small"].as_dict()
    made = configuration(**{**plain, "slope": 0.1, "blocks": 2})
    card = {"network": "stacked_b4_small", "configuration": made.as_dict(), "low_rate": 4000, "high_rate": 16000}
    path = save_checkpoint(tmp_path / "w.safetensors", made.build(), card)
    network, _ = load_weights("stacked_b4_small", str(path))
    assert network.config.slope == 0.1
    with pytest.raises(SrbenchError, match="holds another network"):
        load_weights("additive_b5_small", str(path))


def test_a_repository_gives_card_and_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    hub = pytest.importorskip("huggingface_hub", reason="repositories need huggingface_hub: pip install 'srbench[hub]'")
    made = CONFIGURATIONS["srcnn"]
    card = {"configuration": made.as_dict(), "low_rate": 4000, "high_rate": 16000}
    save_checkpoint(tmp_path / "model.safetensors", made.build(), card)
    asked = []

    def download(repository: str, file: str, revision: str | None = None) -> str:
        asked.append((repository, file, revision))
        return str(tmp_path / file)

    monkeypatch.setattr(hub, "hf_hub_download", download)
    load_weights("srcnn", "hf:owner/name@v1")
    assert asked == [("owner/name", "model.json", "v1"), ("owner/name", "model.safetensors", "v1")]


def test_a_network_says_its_rates_and_refuses_others():
    upscaler, _ = get_upscaler("additive")
    built = upscaler.build()
    built.check_rates(4000, 16000)
    with pytest.raises(UpscalerError, match="only 4000 to 16000 Hz"):
        built.check_rates(8000, 16000)
    told = built.describe()
    assert (
        told["weights_sha256"]
        == read_card(card_path(FOLDER / f"{index().aliases['additive']}.safetensors"))["weights_sha256"]
    )
    for wrong in ({"device": "cuda:7"}, {"precision": "fp8"}):
        with pytest.raises(UpscalerError, match=r"cannot be (built|used)"):
            upscaler.build(**wrong)


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".ckpt"])
def test_a_pickle_is_never_opened_and_the_message_says_how_to_convert_it(suffix: str, tmp_path: Path):
    path = tmp_path / f"w{suffix}"
    path.write_bytes(b"cos\nsystem\n(S'touch opened'\ntR.")
    with pytest.raises(SrbenchError, match=r"is a pickle.*torch\.load\(.*weights_only=True\).*save_checkpoint"):
        load_weights("srcnn", str(path))


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod."])
def test_a_wrappers_prefix_is_named_and_how_to_take_it_off(prefix: str, tmp_path: Path):
    made = CONFIGURATIONS["srcnn"]
    network = made.build()
    card = {"configuration": made.as_dict(), "low_rate": 4000, "high_rate": 16000}
    wrapped = torch.nn.Module()
    monkey = {f"{prefix}{name}": tensor for name, tensor in network.state_dict().items()}
    wrapped.state_dict = lambda: monkey
    path = save_checkpoint(tmp_path / "w.safetensors", wrapped, card)
    with pytest.raises(SrbenchError, match=rf"begin with '{prefix}'.*removeprefix\('{prefix}'\).*save_checkpoint"):
        load_weights("srcnn", str(path))


def test_the_lines_of_the_documents_convert_a_checkpoint_of_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    lines = page.split("## Weights from elsewhere")[1].split("```python\n")[1].split("```")[0]
    network = CONFIGURATIONS["stacked_b4_small"].build()
    torch.save({f"module.{name}": tensor for name, tensor in network.state_dict().items()}, tmp_path / "mine.pth")
    monkeypatch.chdir(tmp_path)
    exec(lines, {})
    loaded, card = load_weights("stacked_b4_small", "mine.safetensors")
    assert all(
        torch.equal(a, b) for a, b in zip(loaded.state_dict().values(), network.state_dict().values(), strict=True)
    )
    assert card["high_rate"] == 16000
