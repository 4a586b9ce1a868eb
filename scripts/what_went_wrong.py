"""Write docs/what-went-wrong.md: its text from here, its outputs from the commands that it shows.

python scripts/what_went_wrong.py          writes the page
python scripts/what_went_wrong.py --check  exits with 1 if the page is not what it would write
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "what-went-wrong.md"
TABLE = (
    ("stacked B=4 M=512", 45.8967),
    ("stacked B=5 M=512", 45.9406),
    ("stacked B=5 M=1024", 48.5504),
    ("additive B=5 M=1024", 47.5956),
)

TEXT = """# What went wrong in 2019

A class project of 2019 (Semeniuta) re-implemented an audio U-Net, added a variant with additive skips, and reported
an SNR of 45.9 dB and an LSD of 1.2 for outputs that, in its author's words, sounded very poor. The author suspected
the metrics, and was right. Every output on this page is what the command above it printed.

## The table, without any audio

Its Table 1 is [examples/founding_table1.csv](examples/founding_table1.csv):

{table}

{lint}

MSE · 10^(SNR/10) is the mean power of the reference, so a table with both columns can be checked without a single
file. As printed, the reference would be louder than full scale, and not the same for one validation set. Row 4 is row
1 pasted: the author's own log has 47.5956, 1.10706 and 3.57351e-5 for it.

## The SNR

The function, restated in [examples/founding_metrics.py](examples/founding_metrics.py), is `10 * np.log(…)`.

{snr}

So the printed SNRs can be corrected, exactly: divide by ln 10 = 2.302585.

{corrected}

The row that was pasted over is corrected from the author's log.

## The LSD

The function takes log10 of a spectrogram that already is log(1 + |S|).

{lsd}

These values cannot be corrected: the logarithm of a logarithm is not a constant times the logarithm, so silence and
quiet bins dominate and a gain is no constant. They would have to be computed again from the audio. What the networks'
LSD was is not known.

## NU-Wave: a factor of two

NU-Wave's code (2021) took 10·log10 of a ratio of *norms*; its authors found it and published an erratum. The same
audit finds it:

{nuwave}

Its published SNRs are therefore exactly half of the true ones.
"""


def shown(*arguments: str) -> str:
    """Return a command and what it prints, as a block."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "srbench", *arguments],
        cwd=ROOT / "docs",
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 1:
        raise SystemExit(f"srbench {' '.join(arguments)} exited with {done.returncode}:\n{done.stderr}")
    return "```\n$ srbench " + " ".join(arguments) + "\n" + done.stdout.strip("\n") + "\n```"


def page() -> str:
    """Return the page."""
    rows = ["| model | as printed or logged | SNR |", "|---|---|---|"]
    rows += [f"| {name} | {snr} | {snr / math.log(10):.2f} dB |" for name, snr in TABLE]
    metrics = "examples/founding_metrics.py"
    return TEXT.format(
        table="```\n" + (ROOT / "docs/examples/founding_table1.csv").read_text(encoding="utf-8").strip() + "\n```",
        lint=shown("lint", "examples/founding_table1.csv"),
        snr=shown("audit", f"{metrics}:snr", "--as", "snr"),
        lsd=shown("audit", f"{metrics}:lsd", "--as", "lsd"),
        corrected="\n".join(rows),
        nuwave=shown(
            "audit", f"{metrics}:nuwave_snr", "--as", "snr", "--law", "known_noise_level", "--law", "snr_gain"
        ),
    )


def main() -> int:
    """Write the page, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    if parser.parse_args().check:
        same = PAGE.read_text(encoding="utf-8") == page()
        print(f"{PAGE.name} is {'what' if same else 'not what'} this script writes")
        return 0 if same else 1
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
