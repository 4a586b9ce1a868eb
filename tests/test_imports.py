"""The one-way order of imports, computed from the imports themselves, and what `import srbench` may pull in."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOP = {"srbench", "srbench.__main__"}  # the package's own front, which only forwards


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path) -> set[str]:
    """Return all that a file imports, wherever in it: at its top, in a function, for the type checker only."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in modules() else str(node.module) for name in inside}
    return names


@cache
def modules() -> Mapping[str, Path]:
    return {module(path): path for path in sources("srbench")}


@cache
def graph() -> Mapping[str, set[str]]:
    """Return for each module of srbench the modules of srbench that it imports."""
    return {name: (imported(path) & modules().keys()) - {name} - TOP for name, path in modules().items()}


def room(name: str) -> str:
    return name.split(".")[1] if "." in name else ""


@cache
def below() -> Mapping[str, set[str]]:
    """Return for each room the rooms that it imports."""
    found: dict[str, set[str]] = {room(name): set() for name in graph().keys() - TOP}
    for name in graph().keys() - TOP:
        found[room(name)] |= {room(there) for there in graph()[name]} - {room(name)}
    return found


def floors(rooms: Mapping[str, set[str]]) -> dict[str, int]:
    """Return how many rooms stand on top of each other below each; a circle has no floor and raises CycleError."""
    found: dict[str, int] = {}
    for name in TopologicalSorter(rooms).static_order():
        found[name] = max((found[there] + 1 for there in rooms[name]), default=0)
    return found


def sources(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found
    return found


def above(rooms: Mapping[str, set[str]], name: str) -> set[str]:
    """Return all rooms that a room stands upon, directly or not."""
    found, left = set[str](), [name]
    while left:
        new = rooms[left.pop()] - found
        found |= new
        left += new
    return found


def test_no_module_imports_itself_by_way_of_others():
    try:
        floors(graph())
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' → '.join(error.args[1])}")


def test_rooms_stand_on_floors():
    try:
        floors(below())
    except CycleError as error:
        pytest.fail(f"an import runs up: {' → '.join(error.args[1])}")


def test_a_circle_is_found():
    with pytest.raises(CycleError):
        floors({"a": {"b"}, "b": {"c"}, "c": {"a"}})


def test_the_order_is_the_one_that_contributing_tells():
    text = re.search(r"Imports point one way: ([^.]*)\.", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert text
    steps = [re.findall(r"\w+", step) for step in text[1].split("→")]
    found = floors(below())
    heights = [[found[name] for name in step] for step in steps]
    assert all(min(high) > max(low) for high, low in pairwise(heights)), heights
    assert set(heights[0]) == {max(found.values())}


@pytest.mark.parametrize("name", ["audit", "lint", "scoring"])
def test_rooms_that_stand_low(name: str):
    """A function's audit, a table's lint and a pair's score know of no run, no protocol, and not of each other."""
    assert not above(below(), name) & {"audit", "lint", "scoring", "protocols", "run", "folders", "results"}


def test_the_command_only_forwards():
    reached = {room(each) for each in imported(modules()["srbench.__main__"]) & modules().keys()} - {""}
    assert reached <= {"cli", "errors"}


def test_the_core_imports_no_upscalers():
    for path in sources("srbench"):
        for name in imported(path):
            assert not name.startswith(("baselines", "models", "systems")), (path, name)
            assert not name.startswith(("srbench_baselines", "srbench_models", "srbench_systems")), (path, name)


def test_no_one_imports_the_checkout_folders():
    folders = {"baselines", "models", "systems"}
    for folder in ("srbench", *folders, "tests", "scripts", "docs"):
        for path in sources(folder):
            assert not {name for name in imported(path) if name.split(".")[0] in folders}, path


@pytest.mark.parametrize(
    ("folder", "ground"),
    [("baselines", {"audio", "upscaler", "degradation"}), ("systems", {"audio", "upscaler", "errors"})],
)
def test_what_registers_itself_uses_only_public_ground(folder: str, ground: set[str]):
    for path in sources(folder):
        assert {room(name) for name in imported(path) if name.startswith("srbench.")} <= ground, path


def test_listing_the_systems_imports_none_of_their_packages():
    code = "from importlib.metadata import entry_points as e; import sys; "
    code += "[u.state() for x in e(group='srbench.upscalers') if 'systems' in x.value for u in [x.load()]]"
    code += "; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "srbench_systems.novasr" in loaded
    assert not {"audiosronnx", "onnxruntime", "torch", "clearvoice", "audiosr", "scipy"} & set(loaded)


@pytest.mark.parametrize(
    "statement", ["import srbench; dir(srbench)", "import srbench.cli.main", "import srbench.metrics"]
)
def test_import_is_light(statement: str):
    code = f"{statement}; import sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"torch", "matplotlib", "librosa", "pandas", "scipy.signal", "pesq", "pystoi", "rich", "requests", "numba"}
    assert not heavy & set(loaded)
    if statement != "import srbench.metrics":
        assert "numpy" not in loaded
