"""How functions are called: containers, parts of answers, methods, classes, files; and the second verdict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from srbench.audit import Convention, audit, audit_target
from srbench.audit.target import TargetFault, call, load
from srbench.cli.main import main
from srbench.errors import SrbenchError

TARGETS = """
import numpy as np

def snr(reference, estimate):
    if np.shape(reference) != np.shape(estimate):
        raise ValueError("shapes")
    return float(10 * np.log10(np.sum(reference**2) / np.sum((reference - estimate) ** 2)))

class Meter:
    def measure(self, reference, estimate):
        return {"snr": snr(reference, estimate), "mse": 0.0}

    @staticmethod
    def plain(reference, estimate):
        return snr(reference, estimate)

meter = Meter()

class Running:
    def __init__(self):
        self.values = []

    def update(self, preds, target):
        self.values.append(snr(target, preds))

    def compute(self):
        return np.mean(self.values)

class Callable:
    def __call__(self, reference, estimate):
        return snr(reference, estimate)

class Needs:
    def __init__(self, rate):
        self.rate = rate

def of_paths(reference, estimate):
    import soundfile
    return snr(soundfile.read(reference)[0], soundfile.read(estimate)[0])

def random(reference, estimate):
    n = len(reference) // 2
    start = np.random.randint(0, n)
    return snr(reference[start : start + n], estimate[start : start + n])

def careless(reference, estimate):
    return 10 * np.log10(np.sum(reference**2) / np.sum((reference - estimate) ** 2))
"""
Y = np.array([0.5, -0.25, 0.125, 0.5])
X = np.array([0.4, -0.25, 0.125, 0.4])
DUE = float(10 * np.log10(np.sum(Y**2) / np.sum((Y - X) ** 2)))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("calls") / "targets.py"
    path.write_text(TARGETS)
    return path


def snr(y: np.ndarray, x: np.ndarray) -> float:
    return float(10 * np.log10(np.sum(np.square(y)) / np.sum(np.square(np.subtract(y, x)))))


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("f([est, ref], sr)", lambda pair, rate: snr(pair[1], pair[0])),
        ("f((ref, est))", lambda pair: snr(*pair)),
        ("f({'ref': ref, 'est': est})", lambda pair: snr(pair["ref"], pair["est"])),
        ("f(ref, est - ref)", lambda y, noise: snr(y, y + noise)),
        ("f(0.5 * ref, est / 2)", snr),
        ("f(ref, est)[0]", lambda y, x: (snr(y, x), 7)),
        ("f(ref, est)['snr']", lambda y, x: {"snr": snr(y, x), "mse": 0.0}),
        ("f(ref, est).item()", lambda y, x: np.array(snr(y, x))),
        ("f(ref, est)['all'][-1].item()", lambda y, x: {"all": [1, np.array(snr(y, x))]}),
        ("f(reference=ref, estimate=est, limit=-1.5)", lambda reference, estimate, limit: snr(reference, estimate)),
        ("", lambda y, x: {"snr": snr(y, x)}),
    ],
)
def test_calls_and_parts_of_answers(text: str, function):
    assert call(function, Convention(call=text), Y, X, 16000) == pytest.approx(DUE)


@pytest.mark.parametrize(
    "text", ["f(ref, est)[ref]", "f(ref, est).__class__", "f(ref, est).sum(1)", "f(ref ** est)", "f(ref, est[0])", "f"]
)
def test_other_expressions_are_refused(text: str):
    with pytest.raises(SrbenchError, match="--call must be like"):
        Convention(call=text)


@pytest.mark.parametrize("answer", [None, 1j, "good", [1.0, 2.0]])
def test_an_answer_that_is_no_real_number_is_a_fault(answer):
    with pytest.raises(TargetFault, match="returned"):
        call(lambda y, x: answer, Convention(), Y, X, 16000)


@pytest.mark.parametrize(
    ("name", "text"),
    [("meter.measure", "f(ref, est)['snr']"), ("Meter.measure", "f(ref, est)['snr']"), ("Meter.plain", "")],
)
def test_methods_of_objects_and_classes(file: Path, name: str, text: str):
    assert call(load(f"{file}:{name}"), Convention(call=text), Y, X, 16000) == pytest.approx(DUE)


@pytest.mark.parametrize("name", ["Running", "Callable"])
def test_classes_are_made_and_fed(file: Path, name: str):
    function = load(f"{file}:{name}")
    assert call(function, Convention(), Y, X, 16000) == pytest.approx(DUE)
    assert call(function, Convention(), Y, X, 16000) == pytest.approx(DUE)  # a new one each time


def test_a_class_that_needs_arguments_is_refused(file: Path):
    with pytest.raises(SrbenchError, match="without arguments"):
        load(f"{file}:Needs")


@pytest.mark.parametrize(("kind", "tolerance"), [("files", 1e-12), ("files-float32", 1e-5), ("files-pcm16", 1e-2)])
def test_paths_of_files(file: Path, kind: str, tolerance: float):
    value = call(load(f"{file}:of_paths"), Convention(array=kind), Y, X, 16000)
    assert value == pytest.approx(DUE, rel=tolerance)


def test_a_function_of_paths_passes(file: Path):
    report = audit_target(f"{file}:of_paths", "snr", convention=Convention(array="files"))
    assert report.verdict == "pass", report.diagnosis


def test_a_random_function_stops_the_audit_and_that_is_the_cause(file: Path):
    report = audit_target(f"{file}:random", "snr")
    assert report.verdict == "fail"
    assert "random" in report.diagnosis.bugs[0].bug
    assert report.diagnosis.bugs[0].certainty == "shown"
    assert not report.diagnosis.nearest


def test_a_complex_answer_is_a_finding():
    report = audit(lambda y, x: complex(snr(y, x), 1.0), "snr")
    assert report.verdict == "fail"
    assert "complex" in report.diagnosis.bugs[0].bug


def test_missing_input_checks_leave_the_exit_status_unless_strict(file: Path, capsys: pytest.CaptureFixture[str]):
    def run(*more: str) -> int:
        with pytest.raises(SystemExit) as stopped:
            main(["audit", f"{file}:careless", "--as", "snr", *more])
        return int(stopped.value.code or 0)

    assert run() == 0
    assert "No input checks" in capsys.readouterr().out
    assert run("--strict") == 1


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("rmse", lambda y, x: np.sqrt(np.mean((y - x) ** 2))),
        ("mae", lambda y, x: np.mean(np.abs(y - x))),
        ("nmse", lambda y, x: np.sum((y - x) ** 2) / np.sum(y**2)),
        ("psnr", lambda y, x: 10 * np.log10(1 / np.mean((y - x) ** 2))),
        ("sdr", lambda y, x: 10 * np.log10(np.sum(y**2) / np.sum((y - x) ** 2))),
    ],
)
def test_names_that_srbench_has_no_metric_of(name: str, function):
    report = audit(function, name)
    assert report.verdict == "pass", report.diagnosis


@pytest.mark.parametrize(
    ("name", "function", "word"),
    [
        ("rmse", lambda y, x: np.mean((y - x) ** 2), "mean square"),
        ("segsnr", lambda y, x: 10 * np.log10(np.sum(y**2) / np.sum((y - x) ** 2)), "no segments"),
        ("psnr", lambda y, x: 10 * np.log10(np.sum(y**2) / np.sum((y - x) ** 2)), "SNR"),
        ("si_snr", lambda y, x: 10 * np.log10(np.sum(y**2) / np.sum((y - x) ** 2)), "numerator"),
    ],
)
def test_another_metric_under_a_name_is_told(name: str, function, word: str):
    report = audit(function, name)
    assert report.verdict == "fail"
    assert any(word in bug.bug for bug in report.diagnosis.bugs), report.diagnosis.bugs
