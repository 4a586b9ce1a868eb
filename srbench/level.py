"""The level of every interval, here and nowhere else."""

from __future__ import annotations

LEVEL = 0.95
PERCENT = f"{100 * LEVEL:g} %"  # as people read it
CI = f"ci{100 * LEVEL:g}"  # as documents and columns name it
SIGNIFICANCE = round(1 - LEVEL, 12)  # a p-value below shows a difference
UPPER = (1 + LEVEL) / 2  # the quantile of the upper bound
