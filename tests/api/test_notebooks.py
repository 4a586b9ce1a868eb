"""The notebooks of the documents run from top to bottom: in a kernel where one is installed, and cell by cell."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

NEEDED = ("seaborn", "torchmetrics", "safetensors")
NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "docs" / "notebooks").glob("*.ipynb"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(map(find_spec, ("seaborn", "torchmetrics", "safetensors"))), reason="srbench[torch,plots]"
    ),
    # of IPython, its kernel and sockets
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::UserWarning"),
]


def cells(path: Path, kind: str = "code") -> list[dict]:
    return [each for each in json.loads(path.read_text(encoding="utf-8"))["cells"] if each["cell_type"] == kind]


def test_there_are_two():
    assert [path.stem for path in NOTEBOOKS] == ["evaluate", "train"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_outputs_are_kept(path: Path):
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells(path))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_run_in_order(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    if find_spec("IPython") is None:
        display = ModuleType("IPython.display")
        display.Audio = lambda samples, rate: (len(samples), rate)
        display.display = lambda *shown: None
        monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
        monkeypatch.setitem(sys.modules, "IPython.display", display)
    names: dict[str, object] = {"__name__": "notebook"}
    for cell in cells(path):
        exec(compile("".join(cell["source"]), f"{path.name}#{cell['id']}", "exec"), names)
    assert list(tmp_path.iterdir()) == []  # a notebook leaves nothing behind


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_kernel_runs_it_and_shows_tables_figures_and_players(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    nbclient = pytest.importorskip("nbclient", reason="pip install 'srbench[dev]'")
    pytest.importorskip("ipykernel", reason="pip install 'srbench[dev]'")
    import nbformat

    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # threads that wait for each other are slow on a busy machine
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=1800, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [out.get("data", {}) for cell in notebook.cells for out in cell.get("outputs", ())]
    assert {"text/html", "image/png"} <= {kind for each in shown for kind in each}
    players = [each for each in shown if "<audio" in str(each.get("text/html", ""))]
    assert len(players) == (2 if path.stem == "evaluate" else 0)
