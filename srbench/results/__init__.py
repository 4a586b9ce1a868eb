"""Results: aggregation with intervals, paired comparison, and the leaderboard as data."""

from srbench.results.aggregate import Aggregate, aggregate_run, write_aggregates
from srbench.results.comparison import compare_runs, refuse_different
from srbench.results.leaderboard import leaderboard, leaderboard_name, write_leaderboard

__all__ = [
    "Aggregate",
    "aggregate_run",
    "compare_runs",
    "leaderboard",
    "leaderboard_name",
    "refuse_different",
    "write_aggregates",
    "write_leaderboard",
]
