"""One profile for Hypothesis: the same examples on every machine, no deadlines on busy ones."""

import os
import sys

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("srbench", deadline=None, derandomize=True)
# mutmut runs a test class several times in one process, which is the one thing this health check is about
settings.register_profile(
    "mutants", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.differing_executors]
)
settings.load_profile("mutants" if "MUTANT_UNDER_TEST" in os.environ else "srbench")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Forget what the metrics keep: mutmut tests each mutant in a copy of a process that ran all tests before."""
    if "MUTANT_UNDER_TEST" in os.environ:
        for name, module in list(sys.modules.items()):
            if name.startswith("srbench.metrics"):
                for value in vars(module).values():
                    getattr(value, "cache_clear", lambda: None)()
