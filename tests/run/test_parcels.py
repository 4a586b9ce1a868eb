"""Utterances on workers of somebody else's that have none of our files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from srbench.metrics import forget_plugins, use_plugins
from srbench.protocols import load_protocol
from srbench.run import Entrant, make_plan, run_entrant
from srbench.run.parcels import ForeignWorkers
from srbench.run.workers import Where

METRIC = """
    from srbench.metrics import metric

    @metric("loudest", better="lower")
    def loudest(reference, estimate, sample_rate):
        return abs(reference - estimate).max()
"""


class Elsewhere(Executor):
    """A worker on which a file is not there."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        done: Future[Any] = Future()
        hidden = self.file.rename(self.file.with_suffix(".hidden"))
        try:
            done.set_result(call(*arguments, **named))
        finally:
            hidden.rename(self.file)
        return done


@pytest.fixture(autouse=True)
def nothing_known_afterwards() -> Iterator[None]:
    yield
    forget_plugins()


@pytest.mark.parametrize("send", [True, False])
def test_file_of_a_metric_is_sent_along(tmp_path: Path, send: bool) -> None:
    file = tmp_path / "mine.py"
    file.write_text(dedent(METRIC))
    use_plugins(file)
    plan = make_plan(load_protocol("demo"), metrics=["snr", "loudest"], limit=1)
    where = Where(executor=ForeignWorkers(Elsewhere(file), send), sends=send)
    (record,) = run_entrant(plan, Entrant("linear"), tmp_path / "results", where=where).records
    assert ("loudest" in record.values) == send
    assert ("loudest" in record.undefined) != send
