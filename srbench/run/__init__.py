"""The engine of the benchmark: plan, pipeline, journal, workers; runs read back from disk."""

from srbench.run.engine import run_entrant
from srbench.run.entrant import FLOOR, ORACLES, Entrant
from srbench.run.folder import Run, find_runs, open_run
from srbench.run.plan import Plan, make_plan
from srbench.run.record import Record
from srbench.run.replay import Signals, entrant_of, signals

__all__ = [
    "FLOOR",
    "ORACLES",
    "Entrant",
    "Plan",
    "Record",
    "Run",
    "Signals",
    "entrant_of",
    "find_runs",
    "make_plan",
    "open_run",
    "run_entrant",
    "signals",
]
