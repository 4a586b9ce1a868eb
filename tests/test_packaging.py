"""The wheel: everything in it, nothing else, and it works outside the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {
    "srbench": "srbench",
    "baselines": "srbench_baselines",
    "models": "srbench_models",
    "systems": "srbench_systems",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of what git would give, so that stale build folders cannot help."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for name in FOLDERS:
        for path in (ROOT / name).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                target = source / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)],
        check=True,
        capture_output=True,
    )
    (built,) = out.glob("*.whl")
    return built


def test_wheel_holds_every_file_of_the_packages(wheel: Path):
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {
        (Path(package) / path.relative_to(ROOT / folder)).as_posix()
        for folder, package in FOLDERS.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert inside == expected
    assert {name.split("/")[0] for name in inside} == set(FOLDERS.values())


def test_wheel_works_outside_the_checkout(wheel: Path, tmp_path: Path):
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site)]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=elsewhere, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = run("-c", "import srbench, srbench_baselines; print(srbench.__file__); print(srbench_baselines.__file__)")
    assert all(line.startswith(str(site)) for line in where.split())
    listed = json.loads(run("-m", "srbench", "list", "upscalers", "--json"))["upscalers"]
    assert {entry["name"] for entry in listed} >= {"spline", "linear", "sinc", "hold", "replicate"}
    assert all("cannot be loaded" not in entry["description"] for entry in listed)
    options = ["--model", "spline", "--limit", "2", "--workers", "2", "--metric", "snr", "--json"]
    result = json.loads(run("-m", "srbench", "run", *options))
    assert result["models"][0]["n"] == 2
    assert list((elsewhere / "results" / "demo").glob("leaderboard-*.csv"))
    assert (site / "bin" / "srbench").is_file()
