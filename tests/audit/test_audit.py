"""The audit on targets whose faults are known: loading, calling, isolation, reports, the pytest front end."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from srbench.audit import LAWS, Convention, audit, audit_target, auditable, isolate, parametrize_with_laws
from srbench.audit.isolate import IsolatedTarget
from srbench.audit.law import Subject, laws_for
from srbench.audit.target import TargetFault, call
from srbench.cli.main import main
from srbench.errors import SrbenchError
from srbench.metrics import METRICS

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # targets divide by zero: that is their business

TARGETS = """
import os, time
import numpy as np

def snr(reference, estimate):
    return 10 * np.log10(np.sum(reference**2) / np.sum((reference - estimate) ** 2))

def natural(reference, estimate):
    return 10 * np.log(np.sum(reference**2) / np.sum((reference - estimate) ** 2))

def exchanged(estimate, reference):
    return snr(reference, estimate)

def by_name(*, target, preds, rate, scale=1.0):
    assert rate == 16000
    return scale * snr(target, preds)

def batched(reference, estimate):
    assert reference.shape[0] == 1 and reference.ndim == 2
    return snr(reference, estimate)

def hangs(reference, estimate):
    time.sleep(60)

calls = []

def hangs_later(reference, estimate):
    calls.append(1)
    time.sleep(60 if len(calls) == 2 else 0)
    return 1.0

def imports_at_first(reference, estimate):
    if not calls:
        calls.append(1)
        time.sleep(2)
    return snr(reference, estimate)

def lacks(reference, estimate):
    import no_such_module_at_all

def dies(reference, estimate):
    os._exit(3)

def raises(reference, estimate):
    raise KeyError("no such thing")

def talks(reference, estimate):
    print("noise on stdout")
    return snr(reference, estimate)

def text(reference, estimate):
    return "good"

def frames(reference, estimate):
    return np.ones(7)

number = 3
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("targets") / "targets.py"
    path.write_text(TARGETS)
    return path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    return int(stopped.value.code or 0)


@pytest.mark.parametrize("name", [name for name in auditable() if name in METRICS])
def test_srbenchs_own_metrics_obey_and_are_recognised(name: str):
    banded = name in ("lsd_hf", "lsd_lf")
    report = audit(METRICS[name], name, convention=Convention(call="f(ref, est, sr, cutoff)") if banded else None)
    assert [check.law for check in report.checks if check.verdict == "fail"] == []
    assert report.verdict == "pass"
    assert report.diagnosis.bugs == ()
    assert report.diagnosis.computes == str(METRICS[name].signature(16000, 4000.0 if banded else None))


def test_natural_logarithm_is_named_with_its_correction(file: Path):
    report = audit_target(f"{file}:natural", "snr")
    assert report.verdict == "fail"
    assert report.diagnosis.bugs[0].bug == "natural logarithm"
    assert "Divide by 2.302585" in report.diagnosis.bugs[0].correction


def test_the_same_convention_is_no_fault_where_it_is_declared():
    """The paper's LSD is in ln: held against that it passes, held against log10 it is told."""
    assert audit(METRICS["lsd_paper"], "lsd_paper").verdict == "pass"
    report = audit(METRICS["lsd_paper"], "lsd")
    assert report.diagnosis.bugs[0].bug == "natural logarithm"
    assert report.diagnosis.computes == str(METRICS["lsd_paper"].signature(16000))


@pytest.mark.parametrize(
    ("function", "convention"),
    [
        ("exchanged", Convention(order="est,ref")),
        ("by_name", Convention(call="f(target=ref, preds=est, rate=sr, scale=1.0)")),
        ("batched", Convention(shape="1n")),
    ],
)
def test_conventions_of_calling(file: Path, function: str, convention: Convention):
    laws = ("plain_call", "known_noise_level", "snr_gain", "zero_estimate")
    report = audit_target(f"{file}:{function}", "snr", convention=convention, laws=laws)
    assert [check.verdict for check in report.checks] == ["pass"] * 4
    assert not report.diagnosis.bugs


def test_exchanged_arguments_are_told(file: Path):
    report = audit_target(f"{file}:exchanged", "snr")
    assert report.diagnosis.bugs[0].bug == "swapped arguments"


@pytest.mark.parametrize(
    ("function", "told"),
    [
        ("dies", "process died"),
        ("raises", "KeyError"),
        ("text", "returned str"),
        ("frames", "returned 7 numbers"),
    ],
)
def test_a_target_that_gives_no_number_is_a_finding(file: Path, function: str, told: str):
    report = audit_target(f"{file}:{function}", "lsd")
    assert report.verdict == "error"
    assert told in report.checks[0].measured
    assert report.diagnosis.bugs[0].bug == "no number"


@pytest.mark.parametrize(
    ("function", "advice"),
    [
        ("dies", "ends the process"),
        ("lacks", "Install"),
        ("raises", "--call"),
        ("frames", "one number"),
    ],
)
def test_the_advice_fits_the_cause(file: Path, function: str, advice: str):
    assert advice in audit_target(f"{file}:{function}", "lsd").diagnosis.bugs[0].correction


def test_what_a_function_imports_at_its_first_call_does_not_count(file: Path):
    """As librosa does it: the first call takes longer than the limit, no other one does."""
    report = audit_target(f"{file}:imports_at_first", "snr", limit=1.0, laws=("plain_call", "snr_gain"))
    assert [check.verdict for check in report.checks] == ["pass", "pass"]


def test_after_the_first_call_the_limit_holds(file: Path):
    with IsolatedTarget(f"{file}:hangs_later", Convention(), limit=0.5) as target:
        assert target(np.ones(8), np.ones(8), 16000) == 1.0
        with pytest.raises(TargetFault, match=r"no answer within 0\.5 s"):
            target(np.ones(8), np.ones(8), 16000)
        assert target(np.ones(8), np.ones(8), 16000) == 1.0


def test_a_target_that_hangs_is_stopped_and_the_next_call_is_answered(file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(isolate, "FIRST_LIMIT", 1.0)
    started = time.monotonic()
    report = audit_target(f"{file}:hangs", "snr", limit=0.5)
    assert time.monotonic() - started < 30
    assert "within 1 s and was stopped" in report.checks[0].measured
    assert "--limit" in report.diagnosis.bugs[0].correction
    with IsolatedTarget(f"{file}:dies", Convention()) as target:
        for _ in range(2):
            with pytest.raises(TargetFault, match="died"):
                target(np.ones(8), np.ones(8), 16000)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nowhere.py:snr", "no such file"),
        ("{file}:nothing", "no function 'nothing'"),
        ("{file}:number", "no function 'number'"),
        ("{file}", "a target is"),
        ("no_such_module_at_all:snr", "cannot be loaded"),
    ],
)
def test_targets_that_cannot_be_loaded(file: Path, target: str, message: str, capsys: pytest.CaptureFixture[str]):
    assert run("audit", target.format(file=file), "--as", "snr") == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert len(error.strip().splitlines()) <= 2


@pytest.mark.parametrize(
    "call_text", ["f(ref, est", "ref", "f(ref, __import__('os'))", "f(*ref)", "f(**ref)", "f(other)"]
)
def test_calls_are_not_evaluated(call_text: str):
    with pytest.raises(SrbenchError, match="--call must be like"):
        Convention(call=call_text)


def test_unknown_metric_and_law(file: Path, capsys: pytest.CaptureFixture[str]):
    assert run("audit", f"{file}:snr", "--as", "snrr") == 2
    assert "'snr'" in capsys.readouterr().err
    assert run("audit", f"{file}:snr", "--as", "snr", "--law", "snr_gian") == 2
    assert "snr_gain" in capsys.readouterr().err
    assert run("audit", f"{file}:snr", "--as", "visqol") == 2


def test_json_is_one_document_in_the_documented_shape(file: Path):
    done = subprocess.run(
        [sys.executable, "-m", "srbench", "audit", f"{file}:talks", "--as", "snr", "--json", "--law", "snr_gain"],
        capture_output=True,
        text=True,
        check=False,
    )
    document = json.loads(done.stdout)
    assert {"target", "as", "verdict", "checks", "diagnosis", "computes"} <= document.keys()
    assert document["verdict"] == "pass"
    assert done.returncode == 0
    assert document["checks"][0].keys() == {"law", "verdict", "statement", "expected", "measured"}


def test_print_names_laws_bugs_and_signatures(file: Path, capsys: pytest.CaptureFixture[str]):
    assert run("audit", f"{file}:natural", "--as", "snr", "-v") == 1
    printed = capsys.readouterr().out
    assert re.search(r"FAIL  snr_gain: An estimate with gain g has an SNR of -20 log10\|1 - g\|", printed)
    assert "expected 6.0206 dB" in printed
    assert "measured 13.8629 dB" in printed
    assert re.search(r"PASS  zero_estimate", printed)
    assert "1. natural logarithm (shown)" in printed
    assert "declared  SNR|" in printed
    assert re.search(r"computes  RATIO\|.*\|factor:23.0259", printed)


def test_audit_of_an_lsd_is_quick_enough_to_use():
    started = time.process_time()
    audit(METRICS["lsd"], "lsd")
    assert time.process_time() - started < 20


def test_input_is_not_modified_by_the_audit_itself():
    seen = []

    def target(reference, estimate):
        seen.append(reference)
        reference += 1.0
        return 0.0

    pair = np.zeros(4), np.zeros(4)
    call(target, Convention(), *pair, 16000)
    assert not pair[0].any()
    assert seen[0].all()
    report = audit(target, "mse", laws=("inputs_unchanged",))
    assert report.checks[0].measured == "the reference changed"


@pytest.mark.parametrize("name", ["snr", "si_sdr", "mse", "lsd", "pesq", "stoi"])
def test_every_law_states_itself_in_a_sentence(name: str):
    for law in laws_for(Subject(METRICS[name], name, 16000)):
        assert law.statement.endswith(".")
        assert len(law.statement) < 130
        assert law.name in LAWS


def test_laws_in_another_projects_tests(tmp_path: Path):
    """The front end for pytest: one test a law, strict expected failures, misspelt laws refused."""
    (tmp_path / "test_theirs.py").write_text(
        textwrap.dedent(
            """
            import numpy as np
            from srbench.audit import parametrize_with_laws

            def natural(reference, estimate):
                if reference.shape != estimate.shape or reference.ndim != 1 or len(reference) == 0:
                    raise ValueError("shape")
                reference, estimate = reference.astype(float), estimate.astype(float)
                with np.errstate(all="ignore"):
                    return 10 * np.log(np.sum(reference**2) / np.sum((reference - estimate) ** 2))

            VALUE = ["known_noise_level", "snr_gain", "snr_mean_is_kept"]

            @parametrize_with_laws(natural, "snr", expected_failures=dict.fromkeys(VALUE, "ln by design"))
            def test_natural(check):
                check()

            @parametrize_with_laws(natural, "snr", expected_failures={"zero_estimate": "holds after all"})
            def test_strict(check):
                check()
            """
        )
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "3 xfailed" in done.stdout, done.stdout
    assert "test_strict[zero_estimate]" in done.stdout
    assert "XPASS(strict)" in done.stdout
    assert "test_natural[snr_gain]" not in done.stdout.split("short test summary")[-1]
    with pytest.raises(SrbenchError, match="unknown law"):
        parametrize_with_laws(METRICS["snr"], "snr", expected_failures={"nothing": "?"})


TENSORS = Convention(order="est,ref", array="torch")


@pytest.mark.parametrize(
    ("name", "declared", "convention"),
    [
        ("torchmetrics.functional.audio:signal_noise_ratio", "snr", TENSORS),
        ("torchmetrics.functional.audio:scale_invariant_signal_distortion_ratio", "si_sdr", TENSORS),
        ("fast_bss_eval:si_sdr", "si_sdr", Convention(shape="1n")),
        ("fast_bss_eval:si_sdr", "si_sdr", Convention(array="torch", shape="1n")),
    ],
)
def test_published_functions_pass_as_their_packages_give_them(name: str, declared: str, convention: Convention):
    """They refuse equal signals, or make 0 dB of nothing against nothing: neither is claimed otherwise."""
    module, function = name.split(":")
    pytest.importorskip("torch", reason="needs torch")
    published = getattr(pytest.importorskip(module, reason=f"needs {module.split('.')[0]}"), function)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of the shapes and goes on
        report = audit(published, declared, convention=convention)
    assert [(check.law, check.measured) for check in report.checks if check.verdict == "fail"] == []
    assert report.verdict == "pass"
    assert report.diagnosis.computes == str(METRICS[declared].signature(16000))


def test_broadcasting_of_a_published_function_is_told():
    """mse_loss of torch measures (n,) against (n, 1) as n by n differences, with a warning."""
    published = pytest.importorskip("torch.nn.functional", reason="needs torch").mse_loss
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = audit(published, "mse", convention=TENSORS)
    assert [check.law for check in report.checks if check.verdict == "fail"] == ["column_against_row"]
    assert "broadcasting" in report.diagnosis.unchecked[0].bug
    assert report.verdict == "pass"
    assert report.input_checks == "missing"


def test_single_precision_passes():
    """In float32 torchmetrics adds 1.2e-7 to both energies, too little for any law that its definition claims."""
    published = pytest.importorskip("torchmetrics.functional.audio", reason="needs torchmetrics")

    def narrow(reference, estimate):
        return published.signal_noise_ratio(estimate.float(), reference.float())

    report = audit(narrow, "snr", convention=Convention(array="torch"))
    assert [check.law for check in report.checks if check.verdict == "fail"] == []
    assert report.verdict == "pass"
