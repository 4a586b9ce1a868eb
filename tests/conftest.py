"""One profile for Hypothesis, the tests that are slow, and the fixtures `cli` and `plugin`."""

import os
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import HealthCheck, settings
from kit import Answer, Cli

HERE = Path(__file__).parent
SLOW = {  # `make check` leaves them out, with all that is marked slow; `make test` runs them
    "audit/test_planted_bugs.py",
    "fuzz",
    "metrics/test_laws_hypothesis.py",
    "models/test_rates.py",
    "models/test_training.py",
    "report/test_site_browser.py",
    "run/test_cluster.py",
    "run/test_run_faults.py",
    "folders/test_score_resume.py",
    "test_extras.py",
    "test_packaging.py",
}

# the same examples on every machine, no deadlines on busy ones
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        place = item.path.relative_to(HERE)
        if SLOW & {str(place), place.parts[0]}:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="module")
def plugin(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a plug-in file: the module's PLUGIN."""
    path = tmp_path_factory.mktemp("plugin") / "mine.py"
    path.write_text(dedent(request.module.PLUGIN))
    return path


@pytest.fixture
def cli(
    request: pytest.FixtureRequest,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Cli:
    """Return a function that runs ``srbench`` in an empty folder; the module's COMMAND comes first if it has one."""
    from srbench.cli.main import main
    from srbench.metrics import forget_plugins

    monkeypatch.chdir(tmp_path)
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: object, command: str = getattr(request.module, "COMMAND", "")) -> Answer:
        forget_plugins()  # each command is a process of its own
        with pytest.raises(SystemExit) as stop:
            main([*command.split(), *map(str, arguments)])
        assert isinstance(stop.value.code, int)
        return stop.value.code, *capfd.readouterr()

    return call
