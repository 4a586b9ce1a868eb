"""Mutate srbench/metrics with mutmut and hold its survivors against the list of equivalent mutants.

A mutant survives where no test of tests/metrics fails on it. It is accepted where it changes nothing but the text of
an error message, or where ``tests/metrics/equivalent_mutants.toml`` says why it changes no value. Entries are matched
by function and changed lines: the numbers that mutmut gives shift with the code. mutmut mutates the bodies of
functions, not what stands at the level of a module or class.

    python scripts/mutants.py            run what has no verdict yet or survives without being accepted
    python scripts/mutants.py --fresh    run everything
    python scripts/mutants.py --report   run nothing, read the last verdicts
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
COPY = ROOT / "mutants"
EQUIVALENT = ROOT / "tests" / "metrics" / "equivalent_mutants.toml"
# Exit codes: a test failed (1) or pytest did (3), a time-out as mutmut counts them (who runs on and on is noticed), or
# a crash.
NOTICED = {1, 3} | {24, 36, 152, 255, -24} | {-11, -9}


class Mutant(NamedTuple):
    """One mutant that no test killed."""

    function: str
    removed: str
    added: str
    is_text: bool


def verdicts() -> Iterator[tuple[Path, str, int | None]]:
    """Yield the mutated file, the name of the function in it and the exit code of the tests, for every mutant."""
    for path in sorted(COPY.rglob("*.py.meta")):
        for name, code in json.loads(path.read_text("utf-8"))["exit_code_by_key"].items():
            yield path.with_suffix(""), name.rpartition(".")[2], code


def accepted() -> set[tuple[str, str, str]]:
    """Read the list: function, removed lines, added lines."""
    entries = tomllib.loads(EQUIVALENT.read_text("utf-8"))["equivalent"]
    return {(entry["function"], entry["removed"], added) for entry in entries for added in entry["added"]}


def forget_survivors() -> None:
    """Make mutmut run again what survived and is not accepted: it keeps the verdict even where tests were added."""
    listed = accepted()
    for path in COPY.rglob("*.py.meta"):
        known = json.loads(path.read_text("utf-8"))
        for name, code in known["exit_code_by_key"].items():
            if code is not None and code not in NOTICED:
                one = mutant(path.with_suffix(""), name.rpartition(".")[2])
                if not one.is_text and one[:3] not in listed:
                    known["exit_code_by_key"][name] = None
        path.write_text(json.dumps(known, indent=4), "utf-8")


def is_text_only(before: ast.AST, after: ast.AST, raised: bool = False) -> bool:
    """Tell whether two trees differ in nothing but texts inside the exceptions that they raise."""
    if isinstance(before, ast.JoinedStr) or (isinstance(before, ast.Constant) and isinstance(before.value, str)):
        return raised or ast.dump(before) == ast.dump(after)
    if type(before) is not type(after):
        return False
    for field in before._fields:
        old, new = getattr(before, field, None), getattr(after, field, None)
        inside = raised or (isinstance(before, ast.Raise) and field == "exc")
        if isinstance(before, ast.FunctionDef) and field == "name":
            continue  # mutmut's own
        olds, news = (value if isinstance(value, list) else [value] for value in (old, new))
        if len(olds) != len(news):
            return False
        for one, other in zip(olds, news, strict=True):
            if not (is_text_only(one, other, inside) if isinstance(one, ast.AST) else one == other):
                return False
    return True


def mutant(path: Path, name: str) -> Mutant:
    """Read one mutant from mutmut's copy of the source, which holds all variants of each function."""
    source = path.read_text("utf-8")
    functions = {node.name: node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)}
    before, after = functions[name.rpartition("__mutmut_")[0] + "__mutmut_orig"], functions[name]
    # the first line is the definition's, under mutmut's name; a changed default value is not seen in it
    head = name.rpartition("__mutmut_")[0]
    texts = [
        [line.strip().replace(node.name, head) for line in (ast.get_source_segment(source, node) or "").splitlines()]
        for node in (before, after)
    ]
    changes = [line for line in difflib.ndiff(texts[0], texts[1]) if line[:2] in ("- ", "+ ")]
    module = ".".join(path.relative_to(COPY).with_suffix("").parts).removesuffix(".__init__")
    return Mutant(
        function=module + "." + head.replace("xǁ", "", 1).replace("ǁ", ".").removeprefix("x_"),
        removed="\n".join(line[2:] for line in changes if line[0] == "-"),
        added="\n".join(line[2:] for line in changes if line[0] == "+"),
        is_text=is_text_only(before, after),
    )


def main() -> int:
    """Run, compare, report; 1 where a mutant survives unlisted, or an entry of the list matches none."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--fresh", action="store_true", help="run everything anew")
    parser.add_argument("--report", action="store_true", help="run nothing, read the last verdicts")
    options = parser.parse_args()
    if options.fresh:
        shutil.rmtree(COPY, ignore_errors=True)
    if not options.report:
        forget_survivors()
        subprocess.run([Path(sys.executable).with_name("mutmut"), "run"], cwd=ROOT, check=True)

    found = list(verdicts())
    survivors = [mutant(path, name) for path, name, code in found if code not in NOTICED | {None}]
    unknown = sum(code is None for *_, code in found)
    listed = accepted()
    texts = [one for one in survivors if one.is_text]
    equivalent = [one for one in survivors if not one.is_text and one[:3] in listed]
    surviving = [one for one in survivors if not one.is_text and one[:3] not in listed]
    stale = listed - {one[:3] for one in equivalent}
    for title, mutants in (("survives", [one[:3] for one in surviving]), ("listed in vain", sorted(stale))):
        for function, removed, added in mutants:
            print(f"\n{title}: {function}")
            print("\n".join([*(f"- {line}" for line in removed.split("\n")), *(f"+ {x}" for x in added.split("\n"))]))
    print(
        f"\n{len(found)} mutants: {len(found) - len(survivors) - unknown} killed, {len(texts)} change texts, "
        f"{len(equivalent)} listed as equivalent, {len(surviving)} surviving, {unknown} without a verdict; "
        f"{len(stale)} stale entries in the list"
    )
    return 1 if surviving or stale or unknown or not found else 0


if __name__ == "__main__":
    sys.exit(main())
