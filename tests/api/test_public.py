"""What is public in Python: shown, listed, documented; and no change of it goes by without the changelog."""

from __future__ import annotations

import doctest
import hashlib
import importlib
import inspect
import os
import re
import subprocess
import sys
from dataclasses import is_dataclass
from pathlib import Path

import pytest

import srbench

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LISTED = HERE / "public_names.txt"
DOCTESTED = (
    "srbench.api.audio",
    "srbench.api.comparison",
    "srbench.api.evaluation",
    "srbench.api.measuring",
    "srbench.api.plot",
    "srbench.api.result",
    "srbench.scoring.pair",
    "srbench.upscaler.contract",
)


def described(name: str, value: object) -> list[str]:
    """Return a public name as lines: its signature, and for our own classes those of its public members."""
    if inspect.ismodule(value):
        public = getattr(value, "__all__", None) or [n for n in dir(value) if not n.startswith("_")]
        return [line for each in sorted(public) for line in described(f"{name}.{each}", getattr(value, each))]
    if inspect.isclass(value):
        ours = [cls for cls in value.__mro__[::-1] if cls.__module__.startswith("srbench")]
        members = {key: member for cls in ours for key, member in vars(cls).items()}
        fields = [key for key in getattr(value, "__annotations__", {}) if key[0] != "_"]
        made = "" if is_dataclass(value) or issubclass(value, (Exception, tuple)) else str(inspect.signature(value))
        lines = [f"{name}{made} (class)", *(f"{name}.{key}" for key in fields)]
        for key in sorted(members):
            if key[0] != "_" and f"{name}.{key}" not in lines:
                lines += described(f"{name}.{key}", inspect.unwrap(getattr(members[key], "__func__", members[key])))
        return lines
    if inspect.isfunction(value):
        return [f"{name}{inspect.signature(value)}"]
    return [name]


def public_names() -> str:
    pytest.importorskip("torchmetrics", reason="pip install 'srbench[torch]'")
    names = srbench.__all__
    lines = [line for name in sorted(names) for line in described(f"srbench.{name}", getattr(srbench, name))]
    return "".join(f"{line}\n" for line in lines)


def test_a_change_of_public_names_stands_in_the_changelog():
    now = public_names()
    if LISTED.read_text(encoding="utf-8") != now:
        (HERE / "public_names.now.txt").write_text(now, encoding="utf-8")
        pytest.fail("public names changed: say so in CHANGELOG.md, and take over tests/api/public_names.now.txt")
    digest = hashlib.sha256(now.encode()).hexdigest()[:8]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"`{digest}`" in changelog, f"CHANGELOG.md must name the list of public names by its digest `{digest}`"


def test_tab_completion_shows_what_is_public():
    assert set(srbench.__all__) <= set(dir(srbench))
    shown = {name for name in dir(srbench) if not name.startswith("__")}
    assert shown == set(srbench.__all__) - {"__version__"}
    for name in srbench.__all__:
        assert getattr(srbench, name) is not None


def test_what_is_declared_for_type_checkers_is_what_is_loaded():
    source = (ROOT / "srbench" / "__init__.py").read_text(encoding="utf-8")
    declared = dict(
        (name, home) for home, name in re.findall(r"^    from (\S+) import \w+ as (\w+)$", source, re.MULTILINE)
    )
    assert declared == srbench._HOMES


def test_an_unknown_name_is_an_attribute_error_that_lists_what_there_is():
    with pytest.raises(AttributeError, match="evaluate"):
        srbench.run_everything  # noqa: B018


def test_public_functions_say_what_they_take_give_and_raise():
    for line in public_names().splitlines():
        name = re.match(r"srbench\.([\w.]+)\(", line)
        if not name:
            continue
        value: object = srbench
        for part in name[1].split("."):
            value = getattr(value, part)
        assert inspect.getdoc(value), line
        if "." not in name[1] and value.__module__.startswith("srbench.api"):
            text = inspect.getdoc(value) or ""
            assert all(part in text for part in ("Parameters\n", "Returns\n", "Raises\n", "Examples\n")), line


@pytest.mark.parametrize("module", DOCTESTED)
def test_examples_run(module: str):
    loaded = importlib.import_module(module)
    found = doctest.testmod(loaded)
    assert found.attempted
    assert not found.failed


def test_the_room_is_doctested_whole():
    with_examples = {
        f"srbench.api.{path.stem}" for path in (ROOT / "srbench" / "api").glob("*.py") if ">>>" in path.read_text()
    }
    assert with_examples <= set(DOCTESTED)


def test_the_users_script_uses_every_public_name():
    script = (HERE / "user_script.py").read_text(encoding="utf-8")
    unused = [name for name in srbench.__all__ if not re.search(rf"\b{name}\b", script)]
    assert set(unused) <= {"__version__", "METRICS", "Upscaler", "UtterancePair", "use_plugins"}


@pytest.mark.slow
def test_a_users_script_passes_mypy_strict(tmp_path: Path):
    options = ["--strict", "--follow-imports=silent", "--ignore-missing-imports", "--config-file="]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, f"--cache-dir={tmp_path}", str(HERE / "user_script.py")],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
