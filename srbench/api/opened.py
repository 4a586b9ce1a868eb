"""Runs as functions of the library take them: a result, or the folder of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from srbench.errors import SrbenchError, shown
from srbench.run import Run, find_runs, open_run

_NAMED = 4  # folders in a message


class HasRun(Protocol):
    """A result: whatever holds a run."""

    @property
    def run(self) -> Run:
        """The run."""
        ...


def opened(result: HasRun | str | Path) -> Run:
    """Return the run of a result, or of a folder with exactly one run in it or below.

    Raises
    ------
    SrbenchError
        If there is no finished run, several, or one that was edited.
    """
    if not isinstance(result, (str, Path)):
        return result.run
    runs = find_runs(result)
    if len(runs) > 1:
        some = ", ".join(shown(run.name) for run in runs[:_NAMED])
        raise SrbenchError(
            f"{result}: holds {len(runs)} runs ({some}{', …' if len(runs) > _NAMED else ''}). Name one of them; "
            "srbench.find_runs lists their folders"
        )
    return open_run(runs[0])
