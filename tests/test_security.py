"""What the sources never do: run text as code, unpickle, start a shell, unpack or load what nobody named.

Ruff's rules S hold most of it (`make lint`); here is that they are switched on, and what they do not look for.
"""

from __future__ import annotations

import ast
import csv
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("srbench", "baselines", "models", "systems", "scripts", "benchmarks")

# Where code is run that is not ours, and why that is so. It is named before, on the command line or in docs/plugins.md.
LOADS_CODE = {
    "srbench/plugins.py": "plug-ins: a file named with --plugin, an entry point asked for by name",
    "srbench/cli/train.py": "trainers: an entry point asked for by name",
    "srbench/audit/target.py": "the function that `srbench audit` was told to run",
    "srbench/apart.py": "our own functions: what answers in a process apart, by the name that the source gives",
    "srbench/apart_start.py": "our own modules: what every process apart needs, by the names in its table",
    "srbench/cli/main.py": "our own commands, by the names in its table",
    "srbench/__init__.py": "our own modules: what is public, by the names in its table",
    "srbench/torch/__init__.py": "our own modules, by the names in its table",
    "systems/checkout.py": "a published system's own code, from the folder named after its @",
}
UNPICKLES = {
    "srbench/api/function.py": "the user's own function, in a worker process that the same session has started",
}
UNPACKS = {
    "scripts/soak/kinds.py": "archives of its own making, to be damaged",
    "srbench/corpora/unpack.py": "the one place that opens archives; looks at every member first",
}

NO_MODULE = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "jsonpickle", "pty", "code"}
NO_CALL = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "os.system",
    "os.popen",
    "torch.load",
    "pandas.read_pickle",
    "pd.read_pickle",
    "yaml.load",
    "yaml.unsafe_load",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
}
NO_PREFIX = ("os.exec", "os.spawn", "runpy.")
CODE = {"import_module", "exec_module", "load_module", "spec_from_file_location"}
ARCHIVE = {"tarfile", "zipfile", "shutil.unpack_archive"}


def faults(source: str, path: str = "") -> list[str]:
    """Return what a source does that it must not, one line each; ``path`` may stand in the tables above."""
    found = []
    tree = ast.parse(source)
    names = _imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [a.name for a in node.names] if isinstance(node, ast.Import) else [str(node.module)]
            found += [
                f"line {node.lineno}: imports {m}"
                for m in modules
                if m.split(".")[0] in NO_MODULE and path not in UNPICKLES
            ]
            if ARCHIVE & {*modules} and path not in UNPACKS:
                found.append(f"line {node.lineno}: opens archives")
        if not isinstance(node, ast.Call):
            continue
        called, short = _name(node.func, names), _name(node.func, {}).rpartition(".")[2]
        if (called in NO_CALL or called.startswith(NO_PREFIX)) and not _only_numbers(called, node):
            found.append(f"line {node.lineno}: calls {called}")
        if short in CODE and path not in LOADS_CODE:
            found.append(f"line {node.lineno}: loads code by {short}")
        entry_point = short == "load" and isinstance(node.func, ast.Attribute) and not node.args and not node.keywords
        if entry_point and path not in LOADS_CODE:
            found.append(f"line {node.lineno}: loads code by an entry point")
        if called in ARCHIVE:
            found.append(f"line {node.lineno}: calls {called}")
        for keyword in node.keywords:
            off = isinstance(keyword.value, ast.Constant) and not keyword.value.value
            if keyword.arg in ("shell", "allow_pickle") and not off:
                found.append(f"line {node.lineno}: {keyword.arg}")
    return found


def _only_numbers(called: str, node: ast.Call) -> bool:
    """Tell whether torch is told to read numbers and names only: for weights that lie beside code that is run."""
    told = {keyword.arg: keyword.value for keyword in node.keywords}.get("weights_only")
    return called == "torch.load" and isinstance(told, ast.Constant) and told.value is True


def _imported(tree: ast.AST) -> dict[str, str]:
    """Return what local names stand for: ``from os import system as run`` makes ``run`` ``os.system``."""
    known = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            known |= {alias.asname: alias.name for alias in node.names if alias.asname}
    return known


def _name(node: ast.expr, names: dict[str, str]) -> str:
    """Return the dotted name of what is called, "" where its base is no name; a method of anything is ``?.method``."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id).removeprefix("builtins.")
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value, names) or '?'}.{node.attr}".removeprefix("builtins.")
    return ""


def _sources() -> list[Path]:
    found = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    assert len(found) > 100
    return found


@pytest.mark.parametrize("path", _sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_source_runs_what_comes_from_outside(path: Path):
    assert faults(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()) == []


@pytest.mark.parametrize("path", [*LOADS_CODE, *UNPACKS, *UNPICKLES])
def test_the_exceptions_are_needed(path: str):
    """A place that no longer loads or unpacks anything leaves the list."""
    assert faults((ROOT / path).read_text(encoding="utf-8")) != []


BAD = [
    "eval(text)",
    "exec(text)",
    "compile(text, 'x', 'exec')",
    "import builtins\nbuiltins.eval(text)",
    "__import__(name)",
    "import pickle",
    "from pickle import loads",
    "import joblib as j",
    "import marshal, json",
    "import shelve",
    "import torch\ntorch.load(path)",
    "import torch\ntorch.load(path, weights_only=False)",
    "import torch\ntorch.load(path, weights_only=trusted)",
    "import torch as t\nt.load(path)",
    "from torch import load\nload(path)",
    "import numpy as np\nnp.load(path, allow_pickle=True)",
    "import numpy as np\nnp.load(path, allow_pickle=trusted)",
    "import yaml\nyaml.load(text)",
    "import pandas as pd\npd.read_pickle(path)",
    "import os\nos.system(command)",
    "import os\nos.popen(command)",
    "from os import system as run\nrun(command)",
    "import os\nos.execvp(file, arguments)",
    "import subprocess\nsubprocess.run(command, shell=True)",
    "import subprocess as s\ns.Popen(command, shell=flag)",
    "import subprocess\nsubprocess.getoutput(command)",
    "import tarfile\ntarfile.open(path).extractall(folder)",
    "import zipfile\nzipfile.ZipFile(path).extract(member)",
    "from zipfile import ZipFile",
    "import shutil\nshutil.unpack_archive(path)",
    "from shutil import unpack_archive\nunpack_archive(path)",
    "import importlib\nimportlib.import_module(name)",
    "import importlib.util as u\nu.spec_from_file_location(name, path)",
    "import runpy\nrunpy.run_path(path)",
    "for entry in entry_points(group='x'): entry.load()",
]


@pytest.mark.parametrize("source", BAD)
def test_the_walk_finds(source: str):
    assert faults(source) != []


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np\nnp.load(path, mmap_mode='r')",
        "network.eval()",
        "import re\nre.compile(text)",
        "import ast\nast.literal_eval(text)",
        "import subprocess\nsubprocess.run(['git', 'log'], shell=False)",
        "import json\njson.load(file)",
    ],
)
def test_the_walk_passes(source: str):
    assert faults(source) == []


RUFF = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
REFUSED = {
    "S102": "exec(text)",
    "S202": "import tarfile\n\ntarfile.open(path).extractall(folder)",
    "S301": "import pickle\n\npickle.loads(data)",
    "S307": "eval(text)",
    "S501": "import requests\n\nrequests.get(url, verify=False, timeout=1)",
    "S113": "import requests\n\nrequests.get(url)",
    "S506": "import yaml\n\nyaml.load(text, yaml.Loader)",
    "S602": "import subprocess\n\nsubprocess.run(f'ls {name}', shell=True)",
    "S605": "import os\n\nos.system(f'ls {name}')",
    "S701": "import jinja2\n\njinja2.Environment()",
}


@pytest.mark.skipif(RUFF is None, reason="ruff is not installed")
@pytest.mark.parametrize("rule", REFUSED)
@pytest.mark.parametrize("folder", FOLDERS)
def test_ruff_refuses(rule: str, folder: str):
    """In the configuration of this project, in the place of a new module."""
    command = [str(RUFF), "check", "--no-cache", "--output-format", "concise", "--stdin-filename", f"{folder}/new.py"]
    done = subprocess.run([*command, "-"], input=REFUSED[rule], capture_output=True, text=True, cwd=ROOT, check=False)
    assert f" {rule} " in done.stdout, done.stdout + done.stderr


def test_ruff_is_nowhere_told_to_look_away():
    for path in _sources():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            codes = line.partition("# noqa")[2].replace(",", " ").replace(":", " ").split("(")[0].split()
            assert not any(code.startswith("S") and code[1:].isdecimal() for code in codes), f"{path}:{number}"


PRINTS = {
    "srbench/cli/output.py": {"click.echo", "rich.console.Console"},
    "srbench/report/console.py": {"rich.console.Console"},
}


def test_nothing_is_printed_past_the_two_places_that_escape_it():
    """What is printed holds names, paths and errors from outside: `echo` and `escaped` are its only ways."""
    for path in sorted((ROOT / "srbench").rglob("*.py")):
        tree, place = ast.parse(path.read_text(encoding="utf-8")), path.relative_to(ROOT).as_posix()
        names = _imported(tree)
        called = {_name(node.func, names) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        ways = {"print", "click.echo", "click.secho", "click.echo_via_pager", "rich.print", "rich.console.Console"}
        assert called & ways <= PRINTS.get(place, set()), place
        if "srbench.report.console.open_console" in called and place != "srbench/report/console.py":
            assert "srbench.report.console.escaped" in called, place


def test_no_table_that_ships_holds_a_formula():
    from srbench.table import guarded

    tables = [path for folder in ("leaderboard", "docs", "srbench") for path in (ROOT / folder).rglob("*.csv")]
    assert len(tables) >= 3
    for path in tables:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                assert [cell for cell in row if guarded(cell) != cell] == [], path


def test_what_security_md_says_is_linked_and_there():
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert "SECURITY.md" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "SECURITY.md" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for word in ("Report a vulnerability", "--plugin", "srbench audit", "safetensors", "content-security policy"):
        assert word in text
