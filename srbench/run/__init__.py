"""The engine of the benchmark: plan, pipeline, journal, workers."""

from srbench.run.engine import Run, run_entrant
from srbench.run.entrant import FLOOR, ORACLES, Entrant
from srbench.run.pipeline import Record
from srbench.run.plan import Plan, make_plan

__all__ = ["FLOOR", "ORACLES", "Entrant", "Plan", "Record", "Run", "make_plan", "run_entrant"]
