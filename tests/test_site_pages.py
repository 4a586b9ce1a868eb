"""The documentation's site: every document, command and public name has its place, and every link leads on."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest

import srbench
from srbench.cli.main import cli

ROOT = Path(__file__).resolve().parents[1]


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_pages", ROOT / "scripts" / "site_pages.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGES = _script()


def test_every_document_has_a_place_in_the_site():
    named = set(re.findall(r"(\S+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE))
    assert named == {path.name for path in (ROOT / "docs").glob("*.md")} | {
        *PAGES.FROM_ROOT.values(),
        "cli.md",
        "api.md",
    }


def test_every_command_and_option_is_in_the_reference():
    page = PAGES.commands_page()

    def walk(group: click.Group, context: click.Context) -> None:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command
            inner = click.Context(command, info_name=name, parent=context)
            assert f"## {inner.command_path}\n" in page
            for parameter in command.params:
                if isinstance(parameter, click.Option) and not parameter.hidden:
                    assert parameter.opts[0] in page
            if isinstance(command, click.Group):
                walk(command, inner)

    walk(cli, click.Context(cli, info_name="srbench"))


def test_every_public_function_is_in_the_reference():
    page = PAGES.python_page()
    for name in set(srbench.__all__) - {"torch", "METRICS", "__version__"}:
        assert re.search(rf"^::: srbench\.[a-z.]*{name}$", page, re.MULTILINE), name


def test_links_out_of_the_documents_go_to_pages_or_become_text():
    text = "[a](../CHANGELOG.md) [b](../leaderboard/README.md#x) [c](../tests/kit.py) [d](lint.md#y) [e](https://e.org)"
    told = PAGES.relinked(text, "docs/compare.md")
    assert told == "[a](changelog.md) [b](leaderboard.md#x) c [d](lint.md#y) [e](https://e.org)"
    assert PAGES.relinked("[`x`](docs/lint.md)", "README.md") == "[`x`](lint.md)"
    block = "```\n[a](../CHANGELOG.md)\n```"
    assert PAGES.relinked(block, "docs/compare.md") == block


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_its_search_finds_which_metric(tmp_path: Path):
    pytest.importorskip("mkdocstrings", reason="the site needs pip install 'srbench[docs]'")
    site = tmp_path / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    titles = " ".join(entry["title"].casefold() for entry in index["docs"])
    assert "which metric" in titles or "which protocol, which metrics" in titles
    loaded = re.compile(r'<(?:script|link|img)[^>]+(?:src|href)="https?://[^"]+"')
    outside = {match for page in site.rglob("*.html") for match in loaded.findall(page.read_text(encoding="utf-8"))}
    assert {match for match in outside if 'rel="canonical"' not in match} == set()
