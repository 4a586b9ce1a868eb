"""The benchmark of the benchmark: every figure a ratio to a named peer or bound, measured in the same run.

    make bench                                          print the table
    make bench BENCH_ARGS=--markdown                    put it into docs/performance.md
    python benchmarks/bench.py metrics ssr_eval         only these parts

A part is a module with a function ``rows`` that returns `measure.Row`s, and stands in PARTS.
"""

from __future__ import annotations

import os

# before NumPy is loaded
os.environ.update(
    dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
)

import argparse
import datetime
import platform
import re
from importlib import metadata
from pathlib import Path

import bench_metrics
import bench_ssr_eval
import bench_stages
import bench_tensors
import bench_workers
from measure import one_core, source

from srbench.run.manifest import circumstances

PARTS = {
    "stages": bench_stages.rows,
    "metrics": bench_metrics.rows,
    "ssr_eval": bench_ssr_eval.rows,
    "tensors": bench_tensors.rows,
    "workers": bench_workers.rows,
}
DOCUMENT = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- made by make bench: begin -->", "<!-- end -->"
PACKAGES = ("numpy", "scipy", "soundfile", "soxr", "pesq", "pystoi", "librosa", "torch")


def main() -> None:
    """Run the parts and print, or keep, the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--markdown", action="store_true", help="write the table into docs/performance.md")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    one_core()
    rows = [row for part in arguments.parts or PARTS for row in PARTS[part]()]
    lines = [where(), "", "| what | ours, ms | peer or bound | theirs, ms | ours / theirs | wanted |"]
    lines += ["|---|---|---|---|---|---|", *(row.line() for row in rows)]
    table = "\n".join(lines)
    print(table)
    if arguments.markdown:
        text = DOCUMENT.read_text("utf-8")
        made = re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{table}\n{END}", text, flags=re.DOTALL)
        DOCUMENT.write_text(made, "utf-8")


def where() -> str:
    """Return the date, the machine, the versions and the speech, in one paragraph."""
    machine = circumstances()["machine"]
    versions = ", ".join(f"{package} {metadata.version(package)}" for package in PACKAGES)
    return (
        f"{datetime.date.today()}; {machine['processor']}, one core of {machine['cpus']}, {platform.system()}, "
        f"Python {platform.python_version()}; {versions}. Speech: {source()}, in pieces of 4 s."
    )


if __name__ == "__main__":
    main()
