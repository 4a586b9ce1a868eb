"""Numbers that papers print, as the page shows them: as printed, with what is doubted, and never in a ranking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from srbench.metrics import METRICS
from srbench.report.headings import heading

if TYPE_CHECKING:
    from srbench.results.literature import Published


def published_rows(published: Sequence[Published]) -> list[dict[str, Any]]:
    """Return the rows of the page, in the order given.

    ``name`` is the metric as tables head it, ``link`` the source where it is an address of the web (else ""),
    ``corrected`` what an erratum makes of the printed number, "" where there is none.
    """
    return [
        {
            "row": each,
            "name": heading(each.metric) if each.metric in METRICS else each.metric,
            "rates": f"{float(each.low_rate) / 1000:.4g} → {each.high_rate / 1000:.4g} kHz",
            "link": each.source if each.source.startswith(("https://", "http://")) else "",
            "corrected": f"{each.value:.4g}" if each.erratum and each.value is not None else "",
            "searched": " ".join((each.system, each.paper, str(each.year), each.corpus, each.metric, each.protocol)),
        }
        for each in published
    ]
