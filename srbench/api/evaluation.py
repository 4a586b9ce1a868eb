"""`srbench.evaluate`: one upscaler over one protocol, by the engine of ``srbench run``."""

from __future__ import annotations

import shutil
import tempfile
import warnings
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srbench.api.arguments import the_metrics, the_protocol
from srbench.api.function import FunctionEntrant, forget, function_entrant
from srbench.api.result import Result
from srbench.errors import SrbenchError, UpscalerError
from srbench.metrics import use_plugins
from srbench.protocols import Protocol
from srbench.run import Entrant, make_plan, run_entrant
from srbench.run.engine import Progress
from srbench.run.model import own_plugins
from srbench.run.workers import Where
from srbench.upscaler import Upscaler

if TYPE_CHECKING:
    from numpy.typing import NDArray


def evaluate(
    upscaler: str | Upscaler | Callable[..., NDArray[Any]],
    protocol: str | Path | Protocol = "demo",
    data: str | Path | None = None,
    *,
    metrics: str | Sequence[str] | None = None,
    side: str | None = None,
    limit: int | None = None,
    allow_partial: bool = False,
    channels: str | None = None,
    workers: int = 1,
    timeout: float | None = None,
    device: str | None = None,
    precision: str | None = None,
    plugins: str | Path | Sequence[str | Path] = (),
    name: str | None = None,
    results: str | Path | None = None,
    save_audio: bool = False,
    progress: Progress | None = None,
) -> Result:
    """Evaluate an upscaler on every utterance of a protocol; the numbers are those of ``srbench run`` to the last bit.

    Parameters
    ----------
    upscaler : str, callable or Upscaler
        A registered name, which may name weights (``"additive@mine.safetensors"``), and runs in a process of its own.
        Or a function ``(low, low_rate, high_rate) -> high`` of arrays of shapes (n,) and
        (n * high_rate // low_rate,), full scale 1.0. It is your own code, so it runs in this process.
    protocol : str, path or Protocol
        A name, a TOML file, or what `srbench.load_protocol` returned.
    data : path, optional
        The folder of the corpus; the embedded one by default.
    metrics : str or sequence of str, optional
        In place of the protocol's.
    side : str, optional
        Another side of the protocol's split, or ``"all"``: every file of the corpus.
    limit : int, optional
        Only the first so many utterances; the result says so.
    allow_partial : bool
        Go on where utterances of the split are missing; the result says so.
    channels : str, optional
        Which channel to take of files with several: ``"mix"``, ``"left"``, ``"right"``, or a number from 1.
    workers : int
        Processes. A function is sent to them by value, also from a notebook. That cannot be done where it holds an
        open file, a lock or the like; then an error says so before anything is run.
    timeout : float, in seconds, optional
        For one utterance, of a registered upscaler. A function of this session cannot be stopped.
    device, precision : str, optional
        For upscalers that take them.
    plugins : path or sequence of path
        Python files with upscalers, metrics or both; see `srbench.use_plugins`.
    name : str, optional
        Of a function, in tables.
    results : path, optional
        Folder of runs, as ``srbench run --results``. A finished run of a registered upscaler is found there again; a
        function is always run. Without it, the run lies in a temporary folder until the result is forgotten.
    save_audio : bool
        Keep every estimate as a WAV file in the run's folder.
    progress : callable (name, done, total), optional

    Returns
    -------
    Result

    Raises
    ------
    SrbenchError
        If an argument or the corpus cannot be used, or the upscaler cannot be built, cannot be sent to workers, does
        not support the protocol's rates, or fails on every utterance.

    Warns
    -----
    UserWarning
        If it fails on some utterances; `Result.failures` says why.

    Examples
    --------
    >>> import numpy as np
    >>> def repeat(low, low_rate, high_rate):
    ...     return np.repeat(low, high_rate // low_rate)
    >>> result = evaluate(repeat, protocol="demo", metrics=["snr", "lsd"])
    >>> len(result.to_dataframe())
    28
    >>> hold = evaluate("hold", protocol="demo", metrics=["snr", "lsd"])
    >>> bool((result.to_dataframe()["lsd"] == hold.to_dataframe()["lsd"]).all())
    True
    """
    files = tuple(Path(file).resolve() for file in ([plugins] if isinstance(plugins, (str, Path)) else plugins))
    if files:
        use_plugins(files)
    plan = make_plan(
        the_protocol(protocol),
        data,
        side=side,
        metrics=the_metrics(metrics),
        limit=limit,
        allow_partial=allow_partial,
        channels=channels,
    )
    entrant: Entrant
    if isinstance(upscaler, str):
        if name is not None:
            raise SrbenchError(f"name= is for a function: {upscaler} has its name")
        entrant = Entrant(upscaler, plugins=own_plugins(upscaler, files), device=device, precision=precision)
    else:
        entrant = function_entrant(upscaler, name=name, workers=workers, device=device, precision=precision)
    where = tempfile.mkdtemp(prefix="srbench-") if results is None else None
    try:
        run = run_entrant(
            plan,
            entrant,
            where or str(results),
            where=Where(workers, timeout),
            save_audio=save_audio,
            fresh=isinstance(entrant, FunctionEntrant),
            progress=progress,
        )
        failed = [record for record in run.records if record.error]
        if len(failed) == len(run.records):
            raise UpscalerError(f"{entrant.name} failed on all {len(failed)} utterances; the first: {failed[0].error}")
    except BaseException:
        if where:
            shutil.rmtree(where, ignore_errors=True)
        raise
    if failed:
        told = f"{entrant.name} failed on {len(failed)} of {len(run.records)} utterances; the first: {failed[0].error}"
        warnings.warn(told, stacklevel=2)
    result = Result(run, plan, entrant)
    if where:
        weakref.finalize(result, shutil.rmtree, where, ignore_errors=True)
    if isinstance(entrant, FunctionEntrant):
        weakref.finalize(result, forget, entrant)
    return result
