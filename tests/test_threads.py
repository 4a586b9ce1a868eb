"""One thread a process, wherever utterances are evaluated, and everything as before afterwards."""

from __future__ import annotations

import json
import os
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from srbench.protocols import load_protocol
from srbench.run import Entrant, make_plan, run_entrant
from srbench.run.workers import Where
from srbench.threads import single_threaded

PLUGIN = """
    import json, os
    import numpy as np
    from srbench.upscaler import upscaler

    @upscaler("counts")
    class Counts:
        def upscale(self, low, low_rate, high_rate):
            import scipy.linalg, torch
            from threadpoolctl import threadpool_info
            a = np.random.standard_normal((400, 400))
            scipy.linalg.solve(a @ a, a), torch.from_numpy(a) @ torch.from_numpy(a)
            told = {each["filepath"]: each["num_threads"] for each in threadpool_info()}
            told["torch"] = torch.get_num_threads()
            with open(os.environ["TOLD"], "a") as file:
                file.write(json.dumps(told) + "\\n")
            return low.repeat(high_rate // low_rate)
"""


@pytest.mark.parametrize("where", [Where(), Where(2), Where(1, timeout=60)], ids=["here", "workers", "timeout"])
def test_every_library_has_one_thread(where: Where, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.setenv("TOLD", str(tmp_path / "told"))
    (tmp_path / "mine.py").write_text(dedent(PLUGIN))
    plan = make_plan(load_protocol("demo"), metrics=("snr", "pesq", "stoi"), limit=4)
    run = run_entrant(plan, Entrant("counts", plugins=(tmp_path / "mine.py",)), tmp_path / "r", where=where)
    assert not any(record.error for record in run.records)
    told = [json.loads(line) for line in (tmp_path / "told").read_text().splitlines()]
    assert len(told) == 4
    for each in told:
        assert len(each) >= 3, "NumPy's, SciPy's or torch's libraries were not looked at"
        assert set(each.values()) == {1}


def test_everything_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with threadpool_limits(limits=2):
            np.ones((2, 2)) @ np.ones((2, 2))
            blas = [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]
            with single_threaded():
                assert torch.get_num_threads() == 1
                assert os.environ["OMP_NUM_THREADS"] == os.environ["MKL_NUM_THREADS"] == "1"
                assert {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"} == {1}
            assert [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"] == blas
        assert torch.get_num_threads() == 3
        assert os.environ["OMP_NUM_THREADS"] == "7"
        assert "MKL_NUM_THREADS" not in os.environ
    finally:
        torch.set_num_threads(before)
