"""One profile for Hypothesis: the same examples on every machine, no deadlines on busy ones."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("srbench", deadline=None, derandomize=True)
# mutmut runs a test class several times in one process, which is the one thing this health check is about
settings.register_profile(
    "mutants", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.differing_executors]
)
settings.load_profile("mutants" if "MUTANT_UNDER_TEST" in os.environ else "srbench")
