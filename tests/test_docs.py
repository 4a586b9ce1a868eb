"""What the documents say is run: the plug-in example, the commands, the names in the tables."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from srbench.cli.main import cli, main
from srbench.degradation import KINDS
from srbench.metrics import METRICS
from srbench.protocols import load_protocol, protocol_names

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    return int(stopped.value.code or 0)


def test_plugin_example_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    command = re.search(r"^    srbench (run .*)$", (ROOT / "docs/examples/noise_band.py").read_text(), re.MULTILINE)
    assert command
    arguments = command[1].replace("docs/", f"{ROOT}/docs/").split()
    status = run(
        *arguments, "--limit", "3", "--metric", "snr", "--metric", "lsd_hf", "--json", "--results", str(tmp_path)
    )
    result = json.loads(capsys.readouterr().out)
    models = {entry["name"]: entry for entry in [*result["models"], *result["anchors"]]}
    assert status == 0
    assert [entry["n"] for entry in result["models"]] == [3, 3]
    # the example does what it says: noise fills the band that the other leaves empty, at little cost in SNR
    assert models["noise_band"]["metrics"]["lsd_hf"]["mean"] < models["zeros_above"]["metrics"]["lsd_hf"]["mean"] - 1
    assert models["noise_band"]["metrics"]["snr"]["mean"] < models["ceiling"]["metrics"]["snr"]["mean"]


def test_protocol_of_the_documents_loads(tmp_path: Path):
    text = (ROOT / "docs/protocols.md").read_text()
    for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL):
        name = re.match(r"# (\S+\.toml)", block)
        assert name
        (tmp_path / name[1]).write_text(block)
    (tmp_path / "test.txt").write_text("a/one\na/two\n")
    protocol = load_protocol(tmp_path / "my-protocol.toml")
    assert protocol.load_split().ids("test") == ("a/one", "a/two")
    assert "degradation:ellip" in str(protocol.signature())


def test_tables_name_what_there_is():
    metrics = (ROOT / "docs/metrics.md").read_text()
    assert {name for name in METRICS if f"`{name}`" not in metrics} == set()
    protocols = (ROOT / "docs/protocols.md").read_text()
    assert {kind for kind in KINDS if f"`{kind}`" not in protocols} == set()
    # a table row names a family by its first member, the others by what differs at the end
    named = set()
    for row in re.findall(r"^\| (`.*?) \|", protocols, re.MULTILINE):
        first, *rest = re.findall(r"`([^`]+)`", row)
        named |= (
            {first}
            | {first[: -len(tail)] + tail for tail in rest}
            | {re.sub(r"-\d+k(-\d+k)?$", "", first) + t for t in rest}
        )
    assert {name for name in protocol_names() if name not in named} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_and_options_exist(document: Path):
    context = cli.make_context("srbench", ["--help"], resilient_parsing=True)
    blocks = re.findall(r"```\n(.*?)```", document.read_text(), re.DOTALL)
    commands = [line for block in blocks for line in re.findall(r"^srbench ([^#>\n]*)", block, re.MULTILINE)]
    for line in commands:
        command, current = cli, context
        for word in line.split():
            if word.startswith("-"):
                option = word.split("=")[0]
                known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
                assert option in known, f"{document.name}: srbench {line}: no option {option}"
            elif hasattr(command, "get_command"):
                command = command.get_command(current, word)
                assert command is not None, f"{document.name}: no command {word}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path):
    for target in re.findall(r"\]\(([^)#: ]+)\)", document.read_text()):
        assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_recipe_of_the_documents_loads_and_the_names_are_all_there(tmp_path: Path):
    pytest.importorskip("torch", reason="recipes name networks, which need torch: pip install 'srbench[models]'")
    from srbench_models.configurations import CONFIGURATIONS
    from srbench_models.training.recipe import load_recipe
    from srbench_models.weights import index

    text = (ROOT / "docs/models.md").read_text()
    (block,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "mine.toml").write_text(block)
    loaded = load_recipe(tmp_path / "mine.toml")
    assert loaded.configuration().config.slope == 0.1
    assert {name for name in (*CONFIGURATIONS, *index().aliases) if f"`{name}`" not in text} == set()
