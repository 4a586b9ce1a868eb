"""Lint tables that are made to take long, in a process of its own: ``python lint_hostile.py FOLDER``.

Each is short and of a kind that some pattern would read in a time as the square of its length: hours, not a second.
"""

from __future__ import annotations

import sys
from pathlib import Path

from srbench.errors import SrbenchError
from srbench.lint.lint import lint
from srbench.lint.table import read_table

N = 60_000
_MD = "|model|snr|\n|-|-|\n|"
_TEX = "\\begin{tabular}{cc} model & snr \\\\ "
HOSTILE = {
    "underscores.md": f"{_MD}{'_' * N}x|1|\n",
    "stars.md": f"{_MD}{'*' * N}x|1|\n",
    "spaces.md": f"{_MD}a{' ' * N}x|1|\n",
    "digits.md": f"{_MD}a|{'1' * N}x|\n",
    "tags.md": f"{_MD}{'<sup>' * N}x|1|\n",
    "rules.md": "a|snr\n-|-\n" * (N // 10),
    "digits.csv": f"model,snr\na,{'1' * N}x\n",
    "thousands.csv": f'model,snr\na,"{"1,111" * (N // 3)}x"\n',
    "brackets.csv": f"model,{'(a' * (N // 2)}\na,1\n",
    "same.csv": "model,snr,mse,lsd,pesq\n" + "m,12.34,1e-5,1.1,2.0\n" * 4999,
    "columns.csv": ",".join(["model", *["snr"] * 299]) + "\n" + ",".join(["m", *["12.3"] * 299]) + "\n",
    "spaces.tex": f"{_TEX}\\multirow{' ' * N} & 1 \\\\ \\end{{tabular}}",
    "row.tex": f"{_TEX}{' ' * N} & 1 \\\\ \\end{{tabular}}",
    "braces.tex": f"{_TEX}{'{' * N} & 1 \\\\ \\end{{tabular}}",
    "open.tex": f"{_TEX}a & 1 \\\\ " * (N // 40),
    "wide.tex": f"{_TEX}{chr(92)}multicolumn{{99}}{{c}}{{1}} & 1 \\\\ \\end{{tabular}}",
}

if __name__ == "__main__":
    for name, text in HOSTILE.items():
        path = Path(sys.argv[1]) / name
        print(name, flush=True)
        path.write_text(text, encoding="utf-8")
        try:
            lint(read_table(path))
        except SrbenchError as error:
            if len(str(error).splitlines()) > 2:
                raise AssertionError(f"{error} is too long") from error
