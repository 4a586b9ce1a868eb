"""The upscaler contract and its registry: what is accepted, what is refused, and in which words."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest

from srbench.errors import SrbenchError, UpscalerError
from srbench.upscaler import Upscaler, check_estimate, get_upscaler, registrations, upscaler

LOW = np.array([0.5, -0.25, 0.125])
Make = Callable[..., Path]


def repeat(low: Any, low_rate: Any, high_rate: int) -> Any:
    """Repeat each sample.

    Not this line.
    """
    return low.repeat(high_rate // low_rate)


def test_decorated_function() -> None:
    made = upscaler()(repeat)
    assert (made.name, made.description, made.rates) == ("repeat", "Repeat each sample.", None)
    np.testing.assert_array_equal(made(LOW, 8000, 16000), LOW.repeat(2))
    assert made(LOW, 8000, 16000).dtype == np.float64
    named = upscaler("other", rates=[(8000, 16000)], description="told")(repeat)
    assert (named.name, named.description, named.rates) == ("other", "told", ((8000, 16000),))


def test_decorated_function_without_docstring() -> None:
    assert upscaler()(lambda low, low_rate, high_rate: low).description == ""


def test_decorated_class_is_built_once() -> None:
    built = []

    @upscaler("counted")
    class Counted:
        """A class."""

        num_parameters = 12

        def __init__(self) -> None:
            built.append(self)

        def upscale(self, low: Any, low_rate: Any, high_rate: int) -> Any:
            return low.repeat(2)

        def describe(self) -> dict[str, Any]:
            return {"weights": "abc"}

    ready = Counted.build()
    for _ in range(3):
        np.testing.assert_array_equal(ready(LOW, 8000, 16000), LOW.repeat(2))
    assert len(built) == 1
    assert ready.describe() == {
        "name": "counted",
        "description": "A class.",
        "num_parameters": 12,
        "weights": "abc",
    }


def test_number_of_parameters_may_be_a_method() -> None:
    @upscaler()
    class Model:
        def upscale(self, low: Any, low_rate: Any, high_rate: int) -> Any:
            return low

        def num_parameters(self) -> np.int64:
            return np.int64(7)

    assert Model.build().describe()["num_parameters"] == 7


def test_class_that_cannot_be_built_or_used() -> None:
    @upscaler()
    class Broken:
        def __init__(self) -> None:
            raise FileNotFoundError("weights.pt\n is not here")

    @upscaler()
    class Exits:
        def __init__(self) -> None:
            sys.exit("gone")

    @upscaler()
    class Empty:
        pass

    with pytest.raises(UpscalerError, match=r"^upscaler Broken cannot be built: FileNotFoundError: weights.pt is not"):
        Broken.build()
    with pytest.raises(UpscalerError, match=r"^upscaler Exits cannot be built: SystemExit: gone$"):
        Exits.build()
    with pytest.raises(UpscalerError, match=r"^upscaler Empty: class Empty has no method upscale$"):
        Empty.build()


def test_device_goes_only_to_those_who_take_one() -> None:
    @upscaler()
    class Takes:
        def __init__(self, device: str = "cpu") -> None:
            self.device = device

        def upscale(self, low: Any, low_rate: Any, high_rate: int) -> Any:
            return low

    @upscaler()
    class Not:
        def upscale(self, low: Any, low_rate: Any, high_rate: int) -> Any:
            return low

    assert Takes.build().instance.device == "cpu"
    assert Takes.build("cuda").instance.device == "cuda"
    for other in (Not, upscaler()(repeat)):
        with pytest.raises(UpscalerError, match=r"runs on the CPU only; it takes no --device$"):
            other.build("cpu")


def test_rates() -> None:
    fixed = upscaler("fixed", rates=[(8000, 16000), (Fraction(8000, 3), 16000)])(repeat).build()
    fixed.check_rates(8000, 16000)
    fixed.check_rates(Fraction(8000, 3), 16000)
    with pytest.raises(UpscalerError, match=r"fixed does not support 4000 to 16000 Hz, only 8000 to 16000 Hz, 8000/3"):
        fixed.check_rates(4000, 16000)
    upscaler()(repeat).build().check_rates(1, 7)

    @upscaler()
    class Doubles:
        def upscale(self, low: Any, low_rate: Any, high_rate: int) -> Any:
            return low

        def supports(self, low_rate: Any, high_rate: int) -> bool:
            return bool(high_rate == 2 * low_rate)

    Doubles.build().check_rates(8000, 16000)
    with pytest.raises(UpscalerError, match=r"Doubles does not support 8000 to 48000 Hz$"):
        Doubles.build().check_rates(8000, 48000)


def test_length_at_a_scale_without_whole_low_rate() -> None:
    made = upscaler("six")(lambda low, low_rate, high_rate: low.repeat(6))
    assert made(LOW, Fraction(8000, 3), 16000).shape == (18,)


class Tensor:
    def detach(self) -> Any: ...


VIOLATIONS: dict[str, tuple[Any, str]] = {
    "NaN": (np.array([np.nan, 0, 0, 0, 0, np.nan]), "returned 2 NaN or infinite samples of 6"),
    "infinity": (np.array([0, 0, np.inf, 0, 0, 0]), "returned 1 NaN or infinite samples of 6"),
    "short": (np.zeros(5), r"returned shape \(5,\), not \(6,\)"),
    "long": (np.zeros(7), r"returned shape \(7,\), not \(6,\)"),
    "two channels": (np.zeros((1, 6)), r"returned shape \(1, 6\), not \(6,\)"),
    "column": (np.zeros((6, 1)), r"returned shape \(6, 1\), not \(6,\)"),
    "scalar": (np.float64(3), "returned float64, not a NumPy array"),
    "list": ([0.0] * 6, "returned list, not a NumPy array"),
    "None": (None, "returned NoneType, not a NumPy array"),
    "int16": (np.zeros(6, dtype=np.int16), "returned int16 samples, not floats with full scale 1.0"),
    "bool": (np.zeros(6, dtype=bool), "returned bool samples, not floats"),
    "complex": (np.zeros(6, dtype=complex), "returned complex128 samples, not floats"),
    "object": (np.zeros(6, dtype=object), "returned object samples, not floats"),
    "tensor": (Tensor(), r"returned a tensor; return a NumPy array \(tensor\.cpu\(\)\.numpy\(\)\)"),
}


@pytest.mark.parametrize("what", VIOLATIONS)
def test_violation_of_the_contract(what: str) -> None:
    estimate, message = VIOLATIONS[what]
    with pytest.raises(UpscalerError, match=f"^upscaler bad {message}"):
        upscaler("bad")(lambda low, low_rate, high_rate: estimate)(LOW, 8000, 16000)
    with pytest.raises(UpscalerError, match=message):
        check_estimate("bad", estimate, 6)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_any_floats_are_accepted(dtype: type) -> None:
    made = upscaler()(lambda low, low_rate, high_rate: low.repeat(2).astype(dtype))
    estimate = made(LOW, 8000, 16000)
    assert estimate.dtype == np.float64
    np.testing.assert_array_equal(estimate, LOW.repeat(2))


RAISED: dict[str, tuple[BaseException, str]] = {
    "one line": (ValueError("no"), "ValueError: no"),
    "many lines": (RuntimeError("a\n  b\t c\n"), "RuntimeError: a b c"),
    "no message": (KeyError(), "KeyError"),
    "exit": (SystemExit(3), "SystemExit: 3"),
    "long": (ValueError("x" * 5000), "ValueError: " + "x" * 200),
}


@pytest.mark.parametrize("what", RAISED)
def test_exception_is_told_in_one_line(what: str) -> None:
    error, message = RAISED[what]

    def raises(low: Any, low_rate: Any, high_rate: int) -> Any:
        raise error

    with pytest.raises(UpscalerError) as told:
        upscaler()(raises)(LOW, 8000, 16000)
    assert str(told.value) == f"upscaler raises raised {message}"
    assert told.value.__cause__ is error


def test_exception_that_cannot_be_printed() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    def raises(low: Any, low_rate: Any, high_rate: int) -> Any:
        raise Mute

    with pytest.raises(UpscalerError, match="upscaler raises raised Mute"):
        upscaler()(raises)(LOW, 8000, 16000)


def test_interrupt_is_let_through() -> None:
    def raises(low: Any, low_rate: Any, high_rate: int) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        upscaler()(raises)(LOW, 8000, 16000)


def test_input_is_not_shared() -> None:
    def writes(low: Any, low_rate: Any, high_rate: int) -> Any:
        low[:] = 9
        return low.repeat(2)

    low = LOW.copy()
    upscaler()(writes)(low, 8000, 16000)
    np.testing.assert_array_equal(low, LOW)


def test_output_of_an_upscaler_stays_off_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    def talks(low: Any, low_rate: Any, high_rate: int) -> Any:
        print("working")
        return low.repeat(2)

    upscaler()(talks)(LOW, 8000, 16000)
    assert capsys.readouterr() == ("", "working\n")


def test_output_of_a_class_stays_off_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    @upscaler()
    class Talks:
        def __init__(self) -> None:
            print("loading")

        def upscale(self, low: Any, low_rate: Any, high_rate: int) -> Any:
            return low

        def supports(self, low_rate: Any, high_rate: int) -> bool:
            print("asked")
            return True

        def describe(self) -> dict[str, Any]:
            print("describing")
            return {}

    built = Talks.build()
    built.check_rates(8000, 16000)
    built.describe()
    assert capsys.readouterr() == ("", "loading\nasked\ndescribing\n")


DESCRIPTIONS: dict[str, Any] = {
    "raises": lambda: 1 / 0,
    "nothing": lambda: None,
    "a list": lambda: [1, 2],
    "not for JSON": lambda: {"weights": object()},
    "NaN": lambda: {"loss": float("nan")},
    "speakers that are no list": lambda: {"training_speakers": 5},
}


@pytest.mark.parametrize("what", DESCRIPTIONS)
def test_description_that_cannot_be_recorded(what: str) -> None:
    @upscaler()
    class Bad:
        def upscale(self, low: Any, low_rate: Any, high_rate: int) -> Any:
            return low

        def describe(self) -> Any:
            return DESCRIPTIONS[what]()

    with pytest.raises(UpscalerError, match=r"^upscaler Bad: describe\(\)"):
        Bad.build().describe()


def test_description_is_made_of_plain_values() -> None:
    @upscaler()
    class Good:
        def upscale(self, low: Any, low_rate: Any, high_rate: int) -> Any:
            return low

        def describe(self) -> dict[str, Any]:
            return {"weights": Path("x"), "n": np.int64(3), "rate": np.float32(0.5), "training_speakers": ("p1", "p2")}

    told = Good.build().describe()
    del told["name"], told["description"]
    json.dumps(told, sort_keys=True, allow_nan=False)
    assert told == {"weights": "x", "n": 3, "rate": 0.5, "training_speakers": ["p1", "p2"]}
    assert {type(value) for value in told.values()} == {str, int, float, list}


def test_description_cannot_change_who_it_is() -> None:
    @upscaler("real")
    class Liar:
        def upscale(self, low: Any, low_rate: Any, high_rate: int) -> Any:
            return low

        def describe(self) -> dict[str, Any]:
            return {"name": "other"}

    assert Liar.build().describe()["name"] == "real"


@pytest.mark.parametrize("attribute", ["num_parameters", "supports"])
def test_other_attributes_that_fail(attribute: str) -> None:
    def fails(*_: Any) -> Any:
        raise RuntimeError("boom")

    model = type("Model", (), {"upscale": lambda self, low, low_rate, high_rate: low, attribute: fails})
    built = upscaler()(model).build()
    with pytest.raises(UpscalerError, match=f"^upscaler Model: {attribute}"):
        built.describe() if attribute == "num_parameters" else built.check_rates(8000, 16000)


def test_decorator_without_brackets_is_refused() -> None:
    with pytest.raises(SrbenchError, match="brackets"):
        upscaler(repeat)  # type: ignore[arg-type]


def test_name_that_could_not_be_asked_for_is_refused() -> None:
    with pytest.raises(SrbenchError, match="colon"):
        upscaler("a:b")(repeat)


# --- entry points


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Return a function that puts a distribution, with one module and one entry point, on the path."""

    def make(name: str, entry: str, code: str = "", version: str = "1.2") -> Path:
        folder = tmp_path / name
        info = folder / f"{name}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[srbench.upscalers]\n{entry}\n")
        (folder / f"{name}_module.py").write_text(dedent(code))
        monkeypatch.syspath_prepend(folder)
        monkeypatch.delitem(sys.modules, f"{name}_module", raising=False)
        return folder

    return make


GOOD = """
    from srbench.upscaler import upscaler
    @upscaler("shout")
    def shout(low, low_rate, high_rate):
        return 2 * low.repeat(high_rate // low_rate)
"""


def test_baselines_are_registered_as_anybodys() -> None:
    names = {r.name for r in registrations()}
    assert {"hold", "linear", "spline", "sinc", "replicate"} <= names
    spline, told = get_upscaler("spline")
    assert isinstance(spline, Upscaler)
    assert told["distribution"] == "srbench"
    assert told["object"] == "srbench_baselines.interpolation:spline"
    assert get_upscaler("srbench:spline")[0] is spline


def test_entry_point_of_another_package(distribution: Make) -> None:
    distribution("alpha", "shout = alpha_module:shout", GOOD)
    (registered,) = [r for r in registrations() if r.name == "shout"]
    assert registered.origin == "alpha 1.2 (alpha_module:shout)"
    assert registered.provenance == {"distribution": "alpha", "version": "1.2", "object": "alpha_module:shout"}
    loaded, told = get_upscaler("shout")
    # the version of an edited checkout stays the same, the hash of its source does not
    assert told == {**registered.provenance, "source_sha256": hashlib.sha256(dedent(GOOD).encode()).hexdigest()}
    np.testing.assert_array_equal(loaded(LOW, 8000, 16000), 2 * LOW.repeat(2))


def test_listing_loads_nothing(distribution: Make) -> None:
    distribution("alpha", "shout = alpha_module:shout", GOOD)
    distribution("beta", "cry = beta_module:cry", "raise RuntimeError('broken')")
    assert {"shout", "cry"} <= {r.name for r in registrations()}
    assert not {"alpha_module", "beta_module"} & set(sys.modules)


@pytest.mark.parametrize(
    ("entry", "code", "reason"),
    [
        ("cry = beta_module:cry", "raise RuntimeError('broken')", "cannot be loaded: RuntimeError: broken"),
        ("cry = beta_module:cry", "import sys\nsys.exit(3)", "cannot be loaded: SystemExit: 3"),
        ("cry = beta_module:cry", "import no_such_thing", "cannot be loaded: ModuleNotFoundError: No module named"),
        ("cry = beta_module:cry", "x = (", "cannot be loaded: SyntaxError"),
        ("cry = beta_module:cry", "", "cannot be loaded: AttributeError"),
        ("cry = nowhere_module:cry", "", "cannot be loaded: ModuleNotFoundError"),
        ("cry = beta_module:cry", "def cry(low, low_rate, high_rate): ...", "is not made with @upscaler"),
    ],
)
def test_broken_package_fails_only_when_asked_for(entry: str, code: str, reason: str, distribution: Make) -> None:
    distribution("alpha", "shout = alpha_module:shout", GOOD)
    distribution("beta", entry, code)
    assert get_upscaler("shout")[0].name == "shout"
    with pytest.raises(SrbenchError) as refused:
        get_upscaler("cry")
    assert f"upscaler 'cry' of beta 1.2 ({entry.split(' = ')[1]}) {reason}" in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_one_name_of_two_packages(distribution: Make) -> None:
    distribution("alpha", "shout = alpha_module:shout", GOOD)
    distribution("beta", "shout = beta_module:shout", GOOD.replace("2 *", "3 *"))
    with pytest.raises(SrbenchError) as refused:
        get_upscaler("shout")
    message = str(refused.value)
    assert "alpha 1.2 (alpha_module:shout)" in message
    assert "beta 1.2 (beta_module:shout)" in message
    assert "alpha:shout" in message or "beta:shout" in message
    for name, factor in (("alpha", 2), ("beta", 3)):
        loaded, told = get_upscaler(f"{name}:shout")
        assert told["distribution"] == name
        np.testing.assert_array_equal(loaded(LOW, 8000, 16000), factor * LOW.repeat(2))
    with pytest.raises(SrbenchError, match="unknown upscaler 'gamma:shout'"):
        get_upscaler("gamma:shout")


def test_one_package_found_twice_is_one(distribution: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = distribution("alpha", "shout = alpha_module:shout", GOOD)
    again = tmp_path / "again" / "alpha.dist-info"
    again.mkdir(parents=True)
    for file in (folder / "alpha.dist-info").iterdir():
        (again / file.name).write_text(file.read_text().replace("1.2", "1.1"))
    monkeypatch.syspath_prepend(folder)
    sys.path.append(str(again.parent))
    try:
        assert [r.provenance["version"] for r in registrations() if r.name == "shout"] == ["1.2"]
    finally:
        sys.path.remove(str(again.parent))


def test_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(SrbenchError, match=r"unknown upscaler 'splin'\. Did you mean 'spline'\? Known: .*sinc"):
        get_upscaler("splin")
    with pytest.raises(SrbenchError, match=r"unknown upscaler 'zzz'\. Known: "):
        get_upscaler("zzz")
    with pytest.raises(SrbenchError, match="unknown upscaler ''"):
        get_upscaler("")


# --- plug-in files


def plugin(folder: Path, code: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(dedent(code))
    return path


def test_plugin_file(tmp_path: Path) -> None:
    path = plugin(tmp_path, GOOD)
    (registered,) = [r for r in registrations([path]) if r.name == "shout"]
    assert registered.origin == f"plug-in {path}"
    loaded, told = get_upscaler("shout", [path])
    assert told["distribution"] == "mine.py"
    assert len(told["sha256"]) == 64
    np.testing.assert_array_equal(loaded(LOW, 8000, 16000), 2 * LOW.repeat(2))
    assert get_upscaler("mine.py:shout", [path])[0] is loaded
    with pytest.raises(SrbenchError, match="unknown upscaler 'shout'"):
        get_upscaler("shout")


def test_changed_plugin_file_is_another(tmp_path: Path) -> None:
    before, told_before = get_upscaler("shout", [plugin(tmp_path, GOOD)])
    after, told_after = get_upscaler("shout", [plugin(tmp_path, GOOD.replace("2 *", "5 *"))])
    assert told_before["sha256"] != told_after["sha256"]
    np.testing.assert_array_equal(before(LOW, 8000, 16000), 2 * LOW.repeat(2))
    np.testing.assert_array_equal(after(LOW, 8000, 16000), 5 * LOW.repeat(2))


def test_plugin_with_the_name_of_a_baseline(tmp_path: Path) -> None:
    path = plugin(tmp_path, GOOD.replace('"shout"', '"spline"'))
    with pytest.raises(SrbenchError, match=r"'spline' is claimed by srbench .* and plug-in .*mine\.py"):
        get_upscaler("spline", [path])
    assert get_upscaler("mine.py:spline", [path])[1]["distribution"] == "mine.py"
    assert get_upscaler("srbench:spline", [path])[1]["distribution"] == "srbench"


def test_plugin_with_one_name_twice(tmp_path: Path) -> None:
    path = plugin(tmp_path, GOOD + GOOD.replace("2 *", "3 *").replace("def shout", "def other"))
    with pytest.raises(SrbenchError, match=r"mine\.py: .*'shout'.* twice"):
        registrations([path])


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("x = (", "cannot be loaded: SyntaxError"),
        ("import no_such_thing", "cannot be loaded: ModuleNotFoundError: No module named 'no_such_thing'"),
        ("raise SystemExit('bye')", "cannot be loaded: SystemExit: bye"),
        ("1 / 0", "cannot be loaded: ZeroDivisionError: division by zero"),
        (
            "def up(low, low_rate, high_rate): ...",
            "holds no upscaler and no metric at its top level; decorate a function or class there with @upscaler",
        ),
        ("", "holds no upscaler"),
        ("from srbench.upscaler import upscaler\nf = upscaler(rates=[8000])(print)", "cannot be loaded: TypeError"),
    ],
)
def test_plugin_that_cannot_be_used(code: str, reason: str, tmp_path: Path) -> None:
    path = plugin(tmp_path, code)
    for _ in range(2):  # a half-loaded module must not be found the second time
        with pytest.raises(SrbenchError) as refused:
            registrations([path])
        assert str(refused.value).startswith("plug-in ")
        assert "mine.py" in str(refused.value)
        assert reason in str(refused.value)
        assert len(str(refused.value).splitlines()) == 1


def test_plugin_that_is_not_there_or_no_python(tmp_path: Path) -> None:
    with pytest.raises(SrbenchError, match=r"gone\.py: No such file or directory"):
        registrations([tmp_path / "gone.py"])
    with pytest.raises(SrbenchError, match="Is a directory"):
        registrations([tmp_path])
    with pytest.raises(SrbenchError, match=r"notes\.txt: is not a Python file \(\.py\)"):
        registrations([plugin(tmp_path, GOOD, "notes.txt")])


def test_equal_plugins_in_two_folders_each_know_their_place(tmp_path: Path) -> None:
    """Weights lie beside the file."""
    code = GOOD.replace('"shout"', "__file__.replace(':', '')")
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        names = [r.name for r in registrations([plugin(tmp_path / folder, code)])]
        assert str(tmp_path / folder / "mine.py") in names
