"""Pages of the documentation's site that are not files of docs/: a hook of mkdocs, which mkdocs.yml names.

The first page is the README. The reference of the commands comes from the commands themselves, and that of the Python
functions from the list of public names. A link that leads out of docs/ goes to the page made of that file, or, where
there is none, becomes plain text: the site stands alone.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[1]
FROM_ROOT = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "leaderboard/README.md": "leaderboard.md",
}
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)#\s]*)(#[^)\s]*)?\)")
_BLOCK = re.compile(r"(^```.*?^```[^\n]*$)", re.MULTILINE | re.DOTALL)


def on_files(files: Any, config: Any) -> Any:
    """Add the pages; mkdocs calls it."""
    from mkdocs.structure.files import File

    made = {
        target: relinked((ROOT / source).read_text(encoding="utf-8"), source) for source, target in FROM_ROOT.items()
    }
    made |= {"cli.md": commands_page(), "api.md": python_page()}
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Send the links that lead out of docs/ to the pages made of those files; mkdocs calls it."""
    uri = page.file.src_uri
    if uri == "choosing.md":
        page.meta["search"] = {"boost": 5}  # what most people look for: which metric, which protocol
    return markdown if uri in (*FROM_ROOT.values(), "cli.md", "api.md") else relinked(markdown, f"docs/{uri}")


def relinked(text: str, source: str) -> str:
    """Return a document whose links are those of the site.

    Parameters
    ----------
    text : str
        Markdown.
    source : str
        Its path in the repository.
    """

    def target(match: re.Match[str]) -> str:
        image, words, address, anchor = match[1], match[2], match[3], match[4] or ""
        if not address or ":" in address:
            return match[0]
        words = _LINK.sub(target, words)
        path = (ROOT / source).parent.joinpath(address).resolve()
        name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else address
        if name in FROM_ROOT:
            return f"{image}[{words}]({FROM_ROOT[name]}{anchor})"
        if name.startswith("docs/") and path.is_file() and not name.startswith("docs/examples/"):
            return f"{image}[{words}]({name.removeprefix('docs/')}{anchor})"
        return words

    blocks = _BLOCK.split(text)
    return "".join(block if _BLOCK.fullmatch(block) else _LINK.sub(target, block) for block in blocks)


def commands_page() -> str:
    """Return the reference of the command line, as Markdown."""
    from srbench.cli.main import cli

    context = click.Context(cli, info_name="srbench")
    parts = [
        "# Commands",
        "Every command answers `--help`. `--json` prints one JSON document on stdout and nothing else there.",
        "Exit status: 0 all is well; 1 a check failed, or some utterances did; 2 misuse or unusable input.",
    ]
    return "\n\n".join([*parts, *_commands(cli, context)]) + "\n"


def _commands(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context)
        yield f"## {inner.command_path}"
        usage = command.get_usage(inner).removeprefix("Usage: ")
        yield f"```\n{' '.join(usage.split())}\n```"
        yield from (_text(" ".join(part.split())) for part in (command.help or "").split("\n\n"))
        if rows := [row for parameter in command.params for row in _row(parameter, inner)]:
            yield "\n".join(["| option | |", "|---|---|", *rows])
        if isinstance(command, click.Group):
            yield from _commands(command, inner)


def _row(parameter: click.Parameter, context: click.Context) -> Iterator[str]:
    told = parameter.get_help_record(context)
    if told is not None:
        name, text = told
        yield f"| `{name}` | {_text(text)} |"  # a bar within code ends no cell


def _text(text: str) -> str:
    escaped = re.sub(r"([\\`*_\[\]<>])", r"\\\1", text).replace("|", "&#124;")
    escaped = re.sub(r"'(srbench [^']*)'", r"`\1`", escaped)
    return re.sub(r"(?<![\w`/-])(--[a-z][a-z-]*)(?![^`]*`(?:[^`]*`[^`]*`)*[^`]*$)", r"`\1`", escaped)


def python_page() -> str:
    """Return the reference of the public functions and classes, as directives of mkdocstrings."""
    sys.path.insert(0, str(ROOT))
    import srbench

    parts = ["# Python", "What `import srbench` offers. [The library by example](library.md) shows its use."]
    for name in srbench.__all__:
        home = srbench._HOMES.get(name, "srbench")
        if name not in ("torch", "METRICS", "__version__"):  # the first needs torch, the others are no functions
            parts.append(f"::: {home}.{name}")
    return "\n\n".join(parts) + "\n"
