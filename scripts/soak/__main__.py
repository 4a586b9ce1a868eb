"""Longer tests of what must never happen: ``python scripts/soak`` (``make soak``); see docs/reliability.md.

Three parts: kills at random moments, mutated inputs, misbehaving models. Each prints a line. What is found is written
to a file, with the way to repeat it, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import inputs
import kills
import neighbours


def main() -> int:
    """Run the parts that are asked for; return the exit status."""
    parser = argparse.ArgumentParser(prog="soak", description="Kills, mutated inputs, misbehaving models.")
    parser.add_argument("--kills", type=int, default=200, metavar="N")
    parser.add_argument("--inputs", type=int, default=20_000, metavar="N")
    parser.add_argument("--models", type=int, default=73, metavar="N")
    parser.add_argument("--seed", type=int, default=14, metavar="S")
    parser.add_argument("--only", choices=("kills", "inputs", "models"))
    parser.add_argument("--input", type=int, metavar="N", help="read one input again, which a finding names")
    parser.add_argument("--findings", type=Path, default=Path("soak-findings.txt"), metavar="FILE")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what is started here is ended
    parts = {"kills": kills.soak, "inputs": inputs.soak, "models": neighbours.soak}
    findings = []
    work = Path(tempfile.mkdtemp(prefix="srbench-soak-"))
    try:
        if asked.input is not None:
            print(inputs.once(asked.input, asked.seed, work))
            return 0
        for name, part in parts.items():
            if asked.only in (None, name):
                place = work / name
                place.mkdir()
                line, found = part(getattr(asked, name), asked.seed, place)
                print(line, flush=True)
                again = f"{sys.executable} {Path(__file__).parent} --only {name} --{name} {getattr(asked, name)}"
                findings += [f"{name}: {each}\n  all of it again: {again} --seed {asked.seed}" for each in found]
    finally:
        if not findings:
            shutil.rmtree(work, ignore_errors=True)
    if findings:
        asked.findings.write_text("\n".join(findings) + f"\nfiles: {work}\n", encoding="utf-8")
        print(f"{len(findings)} findings: {asked.findings}", file=sys.stderr)
    return int(bool(findings))


if __name__ == "__main__":
    sys.exit(main())
