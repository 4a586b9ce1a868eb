"""The one-way order of imports, and what `import srbench` may pull in."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# a module may import from its own room and from rooms of a lower rank
RANK = {
    "cli": 8,
    "report": 7,
    "results": 6,
    "scoring": 5,
    "run": 4,
    "protocols": 3,
    "audit": 3,
    "lint": 3,
    "metrics": 2,
    "corpora": 2,
    "upscaler": 2,
    "plugins": 1.5,
    "threads": 0,
    "upscale": 3,
    "apart": 1,
    "apart_start": 0,
    "upscaler_sources": 0,
    "degradation": 1,
    "bandwidth": 1,
    "audio": 0,
    "container": 0,
    "memory": 1,
    "signature": 0,
    "table": 1,
    "names": 0,
    "extras": 0,
    "files": 0,
    "schema": 0,
    "toml": 0,
    "text": 0,
    "errors": 0,
}
BOTTOM = {"errors"}


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {
                f"{node.module}.{alias.name}" if node.module == "srbench" else str(node.module) for alias in node.names
            }
    return names


def sources(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found
    return found


@pytest.mark.parametrize("path", sources("srbench"), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_point_one_way(path: Path):
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    here = room(module)
    if here in ("", "__init__", "__main__"):
        assert not {room(name) for name in imported(path) if name.startswith("srbench.")} - {"cli", "errors", "scoring"}
        return
    for name in imported(path):
        assert not name.startswith(("baselines", "models", "srbench_baselines", "srbench_models")), (
            f"{module} imports {name}"
        )
        there = room(name) if name.startswith("srbench.") else here
        if there in ("__version__", here) or here in BOTTOM:
            continue
        assert RANK[there] < RANK[here] or RANK[there] == RANK["audio"] < RANK["degradation"] == 1, (
            f"{module} imports {name}: {there} is not below {here}"
        )


def test_no_one_imports_the_checkout_folders():
    for folder in ("srbench", "baselines", "models", "tests", "scripts", "docs"):
        for path in sources(folder):
            assert not {name for name in imported(path) if name.split(".")[0] in ("baselines", "models")}, path


def test_baselines_use_only_public_ground():
    for path in sources("baselines"):
        rooms = {room(name) for name in imported(path) if name.startswith("srbench.")}
        assert rooms <= {"audio", "upscaler", "degradation"}, path


@pytest.mark.parametrize("statement", ["import srbench", "import srbench.cli.main", "import srbench.metrics"])
def test_import_is_light(statement: str):
    code = f"{statement}; import sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"torch", "matplotlib", "librosa", "pandas", "scipy.signal", "pesq", "pystoi", "rich", "requests", "numba"}
    assert not heavy & set(loaded)
    if statement != "import srbench.metrics":
        assert "numpy" not in loaded
