"""Results: aggregation with intervals, and the leaderboard as data."""

from srbench.results.aggregate import Aggregate, aggregate_run, write_aggregates
from srbench.results.leaderboard import leaderboard, leaderboard_name, write_leaderboard

__all__ = ["Aggregate", "aggregate_run", "leaderboard", "leaderboard_name", "write_aggregates", "write_leaderboard"]
