"""The function under audit: found by name, called in the way it wants, its answer taken as one float."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import operator
import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from srbench.errors import SrbenchError
from srbench.extras import how_to_install

SHAPES = ("n", "1n", "n1", "11n")
KINDS = ("numpy", "torch", "files", "files-float32", "files-pcm16")
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
        For other shapes of call: ``f(ref, est, sr)``, with ``ref``, ``est``, ``sr``, ``cutoff`` and constants, by
        place or by name, in lists and dictionaries, added and subtracted (``f(ref, est - ref)``); with ``[0]``,
        ``['snr']``, ``.name`` or ``.item()`` behind it for the answer. Takes precedence over ``order``.
    array : {"numpy", "torch", "files", "files-float32", "files-pcm16"}
        ``files``: paths of WAV files, of 64-bit floats or of the named samples.
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
            raise SrbenchError(f"the input is one of {', '.join(KINDS)}, not '{self.array}'")
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
        return any(isinstance(node, ast.Name) and node.id == "sr" for node in ast.walk(self.arguments()))

    def arguments(self) -> ast.expr:
        """Return the call, parsed and checked: nothing but the names, constants, containers and plain arithmetic."""
        text = self.call or ("f(ref, est)" if self.order == "ref,est" else "f(est, ref)")
        wrong = SrbenchError(
            "--call must be like 'f(ref, est, sr)' or \"f([est, ref])['snr']\", with ref, est, sr, cutoff and "
            f"constants, not '{text}'"
        )
        try:
            parsed = ast.parse(text, mode="eval").body
        except SyntaxError as error:
            raise wrong from error
        inner = parsed
        while isinstance(inner, ast.Subscript | ast.Attribute) or (
            isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and not inner.args + inner.keywords
        ):
            if isinstance(inner, ast.Subscript) and not isinstance(inner.slice, ast.Constant | ast.UnaryOp):
                raise wrong
            if isinstance(inner, ast.Attribute) and inner.attr.startswith("_"):
                raise wrong
            inner = inner.func if isinstance(inner, ast.Call) else inner.value
        if not isinstance(inner, ast.Call) or not isinstance(inner.func, ast.Name):
            raise wrong
        given = [*inner.args, *(keyword.value for keyword in inner.keywords)]
        if any(keyword.arg is None for keyword in inner.keywords) or not all(map(_allowed, given)):
            raise wrong
        return parsed

    def answer(self, function: Callable[..., Any], given: dict[str, Any]) -> Any:
        """Call a function with ``ref``, ``est``, ``sr`` and ``cutoff`` in their places; return what the call says."""
        return _evaluated(self.arguments(), {**given, "f": function})


_OPERATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def _allowed(node: ast.expr | None) -> bool:
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.Name):
        return node.id in ("ref", "est", "sr", "cutoff")
    if isinstance(node, ast.BinOp):
        return type(node.op) in _OPERATIONS and _allowed(node.left) and _allowed(node.right)
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.USub) and _allowed(node.operand)
    if isinstance(node, ast.List | ast.Tuple):
        return all(map(_allowed, node.elts))
    return isinstance(node, ast.Dict) and all(map(_allowed, [*node.keys, *node.values]))


def _evaluated(node: Any, names: dict[str, Any]) -> Any:
    """Return the value of an expression that `Convention.arguments` has checked."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.BinOp):
        return _OPERATIONS[type(node.op)](_evaluated(node.left, names), _evaluated(node.right, names))
    if isinstance(node, ast.UnaryOp):
        return -_evaluated(node.operand, names)
    if isinstance(node, ast.List | ast.Tuple):
        return (list if isinstance(node, ast.List) else tuple)(_evaluated(part, names) for part in node.elts)
    if isinstance(node, ast.Dict):
        return {_evaluated(k, names): _evaluated(v, names) for k, v in zip(node.keys, node.values, strict=True)}
    if isinstance(node, ast.Subscript):
        return _evaluated(node.value, names)[_evaluated(node.slice, names)]
    if isinstance(node, ast.Attribute):
        return getattr(_evaluated(node.value, names), node.attr)
    places = [_evaluated(part, names) for part in node.args]
    return _evaluated(node.func, names)(*places, **{k.arg: _evaluated(k.value, names) for k in node.keywords})


def load(target: str) -> Callable[..., Any]:
    """Load ``package.module:function``, ``path/to/file.py:function`` or ``…:OBJECT.method``. Its code is run.

    A class is made without arguments: with update and compute it is fed one pair and asked, else it is called.

    Raises
    ------
    SrbenchError
        If there is no such file, module or function.
    """
    where, colon, name = target.rpartition(":")
    if not colon or not all(part.isidentifier() for part in name.split(".")):
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
    found: Any = module
    try:
        for part in name.split("."):
            found = getattr(found() if isinstance(found, type) and not _static(found, part) else found, part, None)
        if isinstance(found, type):
            found = _fed(found) if hasattr(found, "update") and hasattr(found, "compute") else found()
    except (Exception, SystemExit) as error:
        raise SrbenchError(f"{target} cannot be made without arguments: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise SrbenchError(f"{target}: {where} has no function '{name}'")
    function: Callable[..., Any] = found
    return function


def _static(owner: type, name: str) -> bool:
    return isinstance(inspect.getattr_static(owner, name, None), staticmethod | classmethod | type)


def _fed(metric: type[Any]) -> Callable[..., Any]:
    """Return a class with update and compute as a function of one pair; ``preds, target`` are given by their names."""
    names = list(inspect.signature(metric.update).parameters)[1:]
    if {"preds", "target"} <= set(names):

        def by_name(reference: Any, estimate: Any) -> Any:
            made = metric()
            made.update(preds=estimate, target=reference)
            return made.compute()

        return by_name

    def by_place(*places: Any, **named: Any) -> Any:
        made = metric()
        made.update(*places, **named)
        return made.compute()

    return by_place


def call(
    function: Callable[..., Any],
    convention: Convention,
    reference: Any,
    estimate: Any,
    sample_rate: int,
    cutoff: float | None = None,
) -> float:
    """Call a metric function on a pair and return its answer as a float.

    Parameters
    ----------
    function : callable
    convention : Convention
    reference, estimate : ndarray
        Reshaped as the convention says if they have one axis, else given as they are.
    sample_rate : int, in Hz
    cutoff : float, in Hz, optional
        A quarter of the rate without one.

    Raises
    ------
    TargetFault
        If it raises, or its answer is not one number.
    """
    try:
        with TemporaryDirectory() if convention.array.startswith("files") else nullcontext("") as folder:
            given: dict[str, Any] = {"sr": sample_rate, "cutoff": sample_rate / 4 if cutoff is None else cutoff}
            for name, signal in (("ref", reference), ("est", estimate)):
                arranged = _arranged(signal, convention)
                given[name] = _written(arranged, sample_rate, convention, folder, name) if folder else arranged
            answer = convention.answer(function, given)
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


def _written(signal: Any, sample_rate: int, convention: Convention, folder: str, name: str) -> str:
    import soundfile

    subtype = {"files-float32": "FLOAT", "files-pcm16": "PCM_16"}.get(convention.array, "DOUBLE")
    path = Path(folder) / f"{name}.wav"
    soundfile.write(path, np.asarray(signal, np.float64), sample_rate, subtype=subtype)
    return str(path)


def _one_float(answer: Any) -> float:
    if isinstance(answer, dict) and len(answer) == 1:
        answer = next(iter(answer.values()))
    if hasattr(answer, "detach"):
        answer = answer.detach().cpu().numpy()
    if isinstance(answer, str | bytes):
        raise TargetFault(f"returned {type(answer).__name__}, not a number")
    if answer is None:
        raise TargetFault("returned None, not a number")
    if np.iscomplexobj(answer):
        raise TargetFault(f"returned a complex number: {answer}"[:160])
    try:
        array = np.asarray(answer, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TargetFault(f"returned {type(answer).__name__}, not a number") from error
    if array.size != 1:
        raise TargetFault(f"returned {array.size} numbers of shape {array.shape}, not one")
    return float(array.reshape(()))
