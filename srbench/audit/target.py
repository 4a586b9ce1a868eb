"""The function under audit: found by name, called in the way it wants, its answer taken as one float."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from srbench.errors import SrbenchError
from srbench.extras import how_to_install
from srbench.metrics import Metric

SHAPES = ("n", "1n", "n1", "11n")
KINDS = ("numpy", "torch")
_RATE_NAMES = ("sr", "fs", "rate", "sample_rate", "sampling_rate", "samplerate", "fs_sig")


class TargetFault(Exception):
    """The target did not answer with a number: it raised, hung, died, or returned something else. A finding."""

    @property
    def refused(self) -> bool:
        """Whether it said no by raising or by what it returned, and did not hang or die."""
        return str(self).startswith(("raised", "returned"))


@dataclass(frozen=True)
class Convention:
    """How a metric function is called.

    Attributes
    ----------
    order : {"ref,est", "est,ref"}
    call : str
        For other shapes of call: ``f(ref, est, sr)``, with ``ref``, ``est``, ``sr`` and constants, by place or by
        name. Takes precedence over ``order``.
    array : {"numpy", "torch"}
    shape : {"n", "1n", "n1", "11n"}
        ``1n`` is a batch of one signal, ``n1`` a column.
    """

    order: str = "ref,est"
    call: str = ""
    array: str = "numpy"
    shape: str = "n"

    def __post_init__(self) -> None:
        if self.order not in ("ref,est", "est,ref"):
            raise SrbenchError(f"the order is ref,est or est,ref, not '{self.order}'")
        if self.shape not in SHAPES:
            raise SrbenchError(f"the shape is one of {', '.join(SHAPES)}, not '{self.shape}'")
        if self.array not in KINDS:
            raise SrbenchError(f"arrays are numpy or torch, not '{self.array}'")
        self.arguments()

    def for_function(self, function: Callable[..., Any]) -> Convention:
        """Return this convention with the sample rate passed too, if the function has a parameter named like one."""
        if self.call:
            return self
        try:
            names = list(inspect.signature(function).parameters)
        except (TypeError, ValueError):
            return self
        rate = next((name for name in names if name in _RATE_NAMES), None)
        return replace(self, call=f"f({self.order.replace(',', ', ')}, {rate}=sr)") if rate else self

    @property
    def takes_rate(self) -> bool:
        """Whether the sample rate is passed."""
        places, names = self.arguments()
        return Slot("sr") in (*places, *names.values())

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        """Return the call's arguments by place and by name: a name of a signal as ``Slot``, a constant as itself."""
        text = self.call or ("f(ref, est)" if self.order == "ref,est" else "f(est, ref)")
        wrong = SrbenchError(f"--call must be like 'f(ref, est, sr)', with ref, est, sr and constants, not '{text}'")
        try:
            parsed = ast.parse(text, mode="eval").body
        except SyntaxError as error:
            raise wrong from error
        if not isinstance(parsed, ast.Call) or not isinstance(parsed.func, ast.Name):
            raise wrong

        def slot(node: ast.expr) -> Any:
            if isinstance(node, ast.Name) and node.id in ("ref", "est", "sr"):
                return Slot(node.id)
            try:
                return ast.literal_eval(node)
            except ValueError as error:
                raise wrong from error

        if any(keyword.arg is None for keyword in parsed.keywords):
            raise wrong
        return [slot(a) for a in parsed.args], {str(k.arg): slot(k.value) for k in parsed.keywords}


@dataclass(frozen=True)
class Slot:
    """A place in the call for the reference, the estimate or the sample rate."""

    name: str


def load(target: str) -> Callable[..., Any]:
    """Load ``package.module:function`` or ``path/to/file.py:function``, or a metric there by its name. Its code is run.

    Raises
    ------
    SrbenchError
        If there is no such file, module or function.
    """
    where, colon, name = target.rpartition(":")
    if not colon or not name.isidentifier():
        raise SrbenchError(f"a target is package.module:function or file.py:function, not '{target}'")
    try:
        if where.endswith(".py"):
            path = Path(where)
            if not path.is_file():
                raise SrbenchError(f"{where}: no such file")
            spec = importlib.util.spec_from_file_location(f"srbench_target_{path.stem}", path)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[spec.name] = module
            sys.path.insert(0, str(path.parent.resolve()))  # so that it finds its neighbours, as when run itself
            spec.loader.exec_module(module)
        else:
            sys.path.insert(0, os.getcwd())
            module = importlib.import_module(where)
    except SrbenchError:
        raise
    except (Exception, SystemExit) as error:
        raise SrbenchError(
            f"{target} cannot be loaded: {type(error).__name__}: {error}{how_to_install(error)}"
        ) from error
    named = [each for each in vars(module).values() if isinstance(each, Metric) and each.name == name]
    found = named[0] if named else getattr(module, name, None)
    if not callable(found):
        raise SrbenchError(f"{target}: {where} has no function '{name}'")
    function: Callable[..., Any] = found
    return function


def call(
    function: Callable[..., Any], convention: Convention, reference: Any, estimate: Any, sample_rate: int
) -> float:
    """Call a metric function on a pair and return its answer as a float.

    Parameters
    ----------
    function : callable
    convention : Convention
    reference, estimate : ndarray
        Reshaped as the convention says if they have one axis, else given as they are.
    sample_rate : int, in Hz

    Raises
    ------
    TargetFault
        If it raises, or its answer is not one number.
    """
    given = {"ref": _arranged(reference, convention), "est": _arranged(estimate, convention), "sr": sample_rate}
    places, names = convention.arguments()

    def fill(value: Any) -> Any:
        return given[value.name] if isinstance(value, Slot) else value

    try:
        answer = function(*map(fill, places), **{key: fill(value) for key, value in names.items()})
    except (Exception, SystemExit) as error:
        text = " ".join(str(error).split())[:160]
        raise TargetFault(f"raised {type(error).__name__}" + (f": {text}" if text else "")) from error
    return _one_float(answer)


def _arranged(signal: Any, convention: Convention) -> Any:
    array = np.array(signal)  # a copy: what the target does to it is seen only where a law looks for it
    if array.ndim == 1:
        array = {"n": array, "1n": array[None], "n1": array[:, None], "11n": array[None, None]}[convention.shape]
    if convention.array == "torch":
        import torch

        return torch.from_numpy(np.ascontiguousarray(array))
    return array


def _one_float(answer: Any) -> float:
    if hasattr(answer, "detach"):
        answer = answer.detach().cpu().numpy()
    if isinstance(answer, str | bytes):
        raise TargetFault(f"returned {type(answer).__name__}, not a number")
    try:
        array = np.asarray(answer, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TargetFault(f"returned {type(answer).__name__}, not a number") from error
    if array.size != 1:
        raise TargetFault(f"returned {array.size} numbers of shape {array.shape}, not one")
    return float(array.reshape(()))
