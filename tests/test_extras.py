"""Optional packages: hidden one by one, the command that needs it names the extra that brings it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import tomllib

from srbench.extras import EXTRAS

ROOT = Path(__file__).parents[1]
COMMANDS = [
    ("torch", "models", ["run", "--model", "additive", "--limit", "1"]),
    ("safetensors", "models", ["run", "--model", "additive", "--limit", "1"]),
    ("torch", "models", ["run", "--model", "mine", "--plugin", "mine.py", "--limit", "1"]),
    ("torch", "models", ["audit", "mine.py:snr", "--as", "snr"]),
    ("torch", "train", ["train", "additive_b5_small", "--data", "."]),
    ("lightning_fabric", "train", ["train", "additive_b5_small", "--data", "."]),
    ("matplotlib", "plots", ["plot", "spectrogram", "--model", "spline", "--out", "a.png"]),
    ("seaborn", "plots", ["plot", "spectrogram", "--model", "spline", "--out", "a.png"]),
    ("torch", "models", ["export", "a.onnx", "--model", "additive"]),
    ("onnx", "onnx", ["export", "a.onnx", "--model", "additive"]),
    ("onnxscript", "onnx", ["export", "a.onnx", "--model", "additive"]),
    ("onnxruntime", "onnx", ["export", "a.onnx", "--model", "additive"]),
    ("distributed", "cluster", ["run", "--model", "spline", "--dask", "tcp://127.0.0.1:1", "--limit", "1"]),
    ("visqol", "perceptual", ["run", "--model", "spline", "--metric", "visqol", "--limit", "1"]),
    ("speechmos", "perceptual", ["run", "--model", "spline", "--metric", "dnsmos", "--limit", "1"]),
    ("huggingface_hub", "hub", ["run", "--model", "additive@hf:owner/name", "--limit", "1"]),
]


def without(package: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in processes where a package cannot be imported, as where it is not installed."""
    (folder / "hidden").mkdir()
    (folder / "hidden" / "sitecustomize.py").write_text(f"import sys\nsys.modules[{package!r}] = None\n")
    (folder / "mine.py").write_text("import torch\n")
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "srbench", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "hidden")},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize(("package", "extra", "command"), COMMANDS, ids=lambda value: str(value).split(",")[0])
def test_a_missing_package_names_its_extra_in_a_line(package: str, extra: str, command: list[str], tmp_path: Path):
    if package != "torch" and command[0] in ("export", "train"):
        pytest.importorskip("torch", reason="the networks need torch: pip install 'srbench[models]'")
    if "hf:" in str(command):
        pytest.importorskip("torch", reason="the networks need torch: pip install 'srbench[models]'")
    done = without(package, *command, folder=tmp_path)
    assert done.returncode in (1, 2), done.stderr
    lines = [line for line in (done.stdout + done.stderr).splitlines() if f"pip install 'srbench[{extra}]'" in line]
    assert lines, done.stderr
    assert package in lines[0]
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 3, done.stderr  # one of them names the plug-in that is run


def test_upscalers_are_listed_with_their_descriptions_without_torch(tmp_path: Path):
    done = without("torch", "list", "upscalers", folder=tmp_path)
    assert done.returncode == 0
    assert "additive U-Net" in done.stdout
    assert "cannot be loaded" not in done.stdout


def test_a_package_of_no_extra_is_to_be_installed_into_this_environment(tmp_path: Path):
    (tmp_path / "other.py").write_text("import no_such_package_anywhere\n")
    done = without("torch", "run", "--model", "x", "--plugin", "other.py", folder=tmp_path)
    assert done.returncode == 2
    assert "no_such_package_anywhere" in done.stderr
    assert "install it into this environment" in done.stderr


def test_the_table_of_extras_is_that_of_pyproject_and_of_the_documents():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    called = {"PIL": "pillow", "lightning_fabric": "lightning-fabric", "visqol": "visqol-python"}
    for package, extra in EXTRAS.items():
        assert any(line.startswith(called.get(package, package)) for line in extras[extra]), package
    for extra in set(EXTRAS.values()):
        assert f"srbench[{extra}]" in page
