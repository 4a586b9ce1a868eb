"""Metrics of plug-in files and of installed packages: declared, measured apart, and never at another's cost."""

from __future__ import annotations

import os
import re
import sys
from math import inf
from pathlib import Path

import numpy as np
import pytest

from srbench.errors import SrbenchError, UndefinedMetric
from srbench.metrics import (
    METRICS,
    Pair,
    define,
    describe,
    forget_plugins,
    get_metric,
    measure_all,
    metric,
    use_plugins,
)
from srbench.metrics.declaration import COLUMNS, ENDINGS
from srbench.results.board_file import _SUFFIXES, FACTS
from srbench.run.measuring import measure
from srbench.run.record import COLUMNS as RUN_COLUMNS

HEAD = "import os\nfrom dataclasses import dataclass\nimport numpy as np\nfrom srbench.metrics import metric\n"
RATE = 16000


@pytest.fixture(autouse=True)
def no_plugins_afterwards():
    yield
    forget_plugins()


def plugin(folder: Path, text: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(HEAD + text)
    return path


def pair() -> Pair:
    reference = np.random.default_rng(0).standard_normal(RATE) / 10
    return Pair(reference, reference * 0.9, RATE, 2000.0)


def function(name: str, body: str, declared: str = "better='higher'") -> str:
    return f"@metric({name!r}, {declared})\ndef f_{abs(hash(name))}(reference, estimate, sample_rate):\n    {body}\n"


def test_decorated_function_measures_and_signs_itself():
    @metric("peak_error", better="lower", range=(0, inf), unit="1", hears=4000.0)
    def peak_error(reference, estimate, sample_rate):
        """Return the largest error."""
        return np.abs(reference - estimate).max()

    assert peak_error(np.zeros(4), np.array([0, 0.5, 0, -0.25]), RATE) == 0.5
    declared = "from:test_plugins|label:PEAK-ERROR|unit:1|better:lower|range:0..inf|hears:4000|digits:.3f"
    signature = re.sub("from:[a-z.]*test_plugins", "from:test_plugins", str(peak_error.signature(RATE)))
    assert re.sub("src:[0-9a-f]{8}", "src:8", signature) == f"PEAK_ERROR|{declared}|src:8|sr:16000|v:1"
    assert (peak_error.title, peak_error.hears(48000), peak_error.hears(4000)) == (
        "Return the largest error.",
        4000.0,
        2000.0,
    )


def test_parameters_of_a_dataclass_stand_in_the_signature(tmp_path: Path):
    text = "@metric('seg', better='lower')\n@dataclass(frozen=True)\nclass Seg:\n    frame: int = 512\n"
    text += "    def measure(self, reference, estimate, sample_rate):\n        return float(self.frame)\n"
    use_plugins([plugin(tmp_path, text)])
    definitions = define(["seg"], RATE, None)
    assert "|frame:512|sr:16000|v:1" in str(definitions["seg"].signature())
    assert measure_all(pair(), definitions) == ({"seg": 512.0}, {})


@pytest.mark.parametrize("changed", ["mine.py", "beside.py"])
def test_signature_changes_with_the_source_and_with_what_it_imports(tmp_path: Path, changed: str):
    (tmp_path / "beside.py").write_text("ONE = 1.0\n")
    file = plugin(tmp_path, "from beside import ONE\n" + function("mine", "return ONE"))
    use_plugins([file])
    before = str(get_metric("mine").signature(RATE))
    with (tmp_path / changed).open("a") as more:
        more.write("# changed\n")
    use_plugins([file])
    assert str(get_metric("mine").signature(RATE)) != before
    assert measure_all(pair(), define(["mine"], RATE, None))[0] == {"mine": 1.0}
    assert "src:unknown" not in before


def test_code_of_a_plugin_runs_in_a_process_of_its_own(tmp_path: Path):
    before = set(sys.modules)
    text = f"open({str(tmp_path / 'pids')!r}, 'a').write(f'{{os.getpid()}} ')\n" + function(
        "mine", "return os.getpid()"
    )
    use_plugins([plugin(tmp_path, text)])
    values, _ = measure_all(pair(), define(["mine"], RATE, None))
    pids = {int(each) for each in (tmp_path / "pids").read_text().split()}
    assert os.getpid() not in pids
    assert int(values["mine"]) in pids
    assert not any(name.startswith("srbench_plugin_mine") for name in set(sys.modules) - before)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("raise ValueError('no way')", "ValueError: no way"),
        ("raise SystemExit", "SystemExit"),
        ("return float('nan')", "NaN"),
        ("return 'loud'", "str"),
        ("return None", "NoneType"),
        ("return np.zeros(2)", "ndarray"),
        ("return True", "bool"),
        ("return 1 + 2j", "complex"),
        ("return 1e9", "range"),
        ("os._exit(3)", "exit status 3"),
        ("os.kill(os.getpid(), 11)", "SIGSEGV"),
        ("reference[:] = 0; raise KeyboardInterrupt", "KeyboardInterrupt"),
    ],
)
def test_bad_metric_costs_its_own_value_and_is_named_with_the_reason(tmp_path: Path, body: str, why: str):
    bad = function("bad", body, "better='higher', range=(0, 100)")
    use_plugins([plugin(tmp_path, bad + function("good", "reference[:] = 0; return np.float32(7)"))])
    values, undefined = measure(pair(), define(["snr", "bad", "good", "lsd"], RATE, None))
    assert (sorted(values), values["good"]) == (["good", "lsd", "snr"], 7.0)
    assert values["snr"] == pytest.approx(20.0)
    assert list(undefined) == ["bad"]
    assert why in undefined["bad"]


def test_reason_of_an_undefined_metric_is_kept(tmp_path: Path):
    text = "from srbench.errors import UndefinedMetric\n"
    use_plugins([plugin(tmp_path, text + function("mine", "raise UndefinedMetric('nothing to hear')"))])
    with pytest.raises(UndefinedMetric, match=r"^nothing to hear$"):
        define(["mine"], RATE, None)["mine"].measure(pair())


def test_source_that_changes_during_a_run_has_no_value(tmp_path: Path):
    file = plugin(tmp_path, function("mine", "return 1.0"))
    use_plugins([file])
    definitions = define(["mine"], RATE, None)
    file.write_text(HEAD + function("mine", "return 2.0"))
    assert "changed" in measure_all(pair(), definitions)[1]["mine"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "..",
        "=1+1",
        "a b",
        "a:b",
        "a|b",
        "a,b",
        "a\nb",
        "../x",
        "1a",
        "status",
        "n",
        "N",
        "failed",
        "a-b",
        "größe",
        "ｓｎｒ",
        "снр",
        "<b>x</b>",
        "_x",
        "x" * 41,
    ],
)
def test_name_that_cannot_stand_in_tables_is_refused(tmp_path: Path, name: str):
    with pytest.raises(SrbenchError, match="a metric's name cannot be"):
        use_plugins([plugin(tmp_path, function(name, "return 1.0"))])


@pytest.mark.parametrize("name", ["snr", "SNR", "si_sdr", "SiSdr", "snr_n", "lsd_over", "pesq_signature"])
def test_name_that_is_taken_is_refused_with_both_named(tmp_path: Path, name: str):
    with pytest.raises(SrbenchError, match=f"'{name}' of plug-in .*mine.py.* of srbench"):
        use_plugins([plugin(tmp_path, function(name, "return 1.0"))])


def test_two_files_with_one_name_are_refused_with_both_named(tmp_path: Path):
    files = [plugin(tmp_path, function("mine", "return 1.0"), name) for name in ("one.py", "two.py")]
    with pytest.raises(SrbenchError, match=r"two\.py.*one\.py"):
        use_plugins(files)
    assert "mine" not in METRICS


def test_names_of_all_table_columns_are_reserved():
    assert {*FACTS, *RUN_COLUMNS, "digest"} <= COLUMNS
    assert {end for end in _SUFFIXES if end} == set(ENDINGS)


@pytest.mark.parametrize(
    "declared",
    [
        "better='up'",
        "better='lower', range=(1, 0)",
        "better='lower', range=1",
        "better='lower', hears=-1",
        "better='lower', digits='x'",
        "better='lower', unit=''",
        "better='lower', unit=None",
        "better='lower', unit='a\\nb'",
        "better='lower', label='x' * 41",
        "better='lower', digits='999999999.2f'",
        "",
    ],
)
def test_declaration_that_cannot_be_is_refused_in_a_line(tmp_path: Path, declared: str):
    with pytest.raises(SrbenchError, match="mine") as told:
        use_plugins([plugin(tmp_path, function("mine", "return 1.0", declared))])
    assert "\n" not in str(told.value)


def test_metrics_that_a_plugin_imports_from_srbench_are_not_its_own(tmp_path: Path):
    text = "from srbench.metrics import METRICS\nsnr = METRICS['snr']\n"
    use_plugins([plugin(tmp_path, text + function("mine", "return snr(reference, estimate, sample_rate)"))])
    assert measure_all(pair(), define(["mine"], RATE, None))[0]["mine"] == pytest.approx(20.0)


def package(folder: Path, name: str, metric_name: str = "boxed", entry: str = "boxed") -> Path:
    """Make what pip would have installed: a module, and its metadata with an entry point."""
    folder.mkdir(exist_ok=True)
    loaded = f"open({str(folder / 'loaded')!r}, 'a').write(f'{{os.getpid()}} ')\n"
    (folder / f"{name}.py").write_text(
        HEAD
        + loaded
        + f"@metric({metric_name!r}, better='higher')\ndef f(reference, estimate, sample_rate): return 3\n"
    )
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[srbench.metrics]\n{entry} = {name}:f\n")
    return folder


@pytest.fixture
def on_path(monkeypatch: pytest.MonkeyPatch):
    def put(folder: Path) -> None:
        monkeypatch.syspath_prepend(folder)
        before = os.environ.get("PYTHONPATH", "")
        monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{before}")

    return put


def test_metric_of_an_installed_package_is_found_by_name_and_measured_apart(tmp_path: Path, on_path, caplog):
    caplog.set_level("INFO", "srbench.plugins")
    on_path(package(tmp_path / "site", "boxes"))
    assert "boxed" not in list(METRICS)
    assert not (tmp_path / "site/loaded").exists()
    assert measure_all(pair(), define(["boxed"], RATE, None)) == ({"boxed": 3.0}, {})
    assert "running code of metric 'boxed' of boxes 1.0" in caplog.text
    assert str(os.getpid()) not in (tmp_path / "site/loaded").read_text().split()


def test_numbers_of_a_package_are_read_without_its_code_and_measured_with_it(tmp_path: Path, on_path):
    on_path(package(tmp_path / "site", "boxes"))
    signature = str(get_metric("boxed").signature(RATE))
    (tmp_path / "site/loaded").unlink()
    forget_plugins()  # as for another command
    describe({"boxed": signature})
    assert (get_metric("boxed").better, (tmp_path / "site/loaded").exists()) == ("higher", False)
    assert measure_all(pair(), define(["boxed"], RATE, None)) == ({"boxed": 3.0}, {})
    assert (tmp_path / "site/loaded").exists()


def test_two_packages_with_one_name_are_refused_with_both_named(tmp_path: Path, on_path):
    for name in ("boxes", "crates"):
        package(tmp_path / "site", name)
    on_path(tmp_path / "site")
    with pytest.raises(SrbenchError, match=r"1\.0.* and .* 1\.0") as told:
        get_metric("boxed")
    assert "boxes" in str(told.value)
    assert "crates" in str(told.value)


def test_file_that_is_named_again_takes_the_place_of_what_it_held(tmp_path: Path):
    first = plugin(tmp_path, function("one", "return 1.0") + function("two", "return 2.0"))
    second = plugin(tmp_path, function("three", "return 3.0"), "second.py")
    use_plugins(first)
    use_plugins([second])
    assert {"one", "two", "three"} <= set(METRICS)
    with pytest.raises(SrbenchError):
        use_plugins([plugin(tmp_path, function("three", "return 1.0"), "first.py"), second])
    plugin(tmp_path, function("two", "return 4.0"))
    use_plugins(first)
    assert {"one", "two", "three"} & set(METRICS) == {"two", "three"}
    assert measure_all(pair(), define(["two", "three"], RATE, None))[0] == {"two": 4.0, "three": 3.0}
