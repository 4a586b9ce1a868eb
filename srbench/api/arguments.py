"""What several functions of the library take, and mean alike."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from srbench.metrics import get_metric
from srbench.metrics.arguments import as_names
from srbench.protocols import Protocol, load_protocol


def the_protocol(protocol: str | Path | Protocol) -> Protocol:
    """Return the protocol of a name, a file, or itself."""
    return protocol if isinstance(protocol, Protocol) else load_protocol(protocol)


def the_metrics(metrics: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """Return names of metrics as they are registered, None where the protocol's are meant.

    Raises
    ------
    SrbenchError
        If there is none, or one is unknown.
    """
    return None if metrics is None else tuple(dict.fromkeys(get_metric(name).name for name in as_names(metrics)))
