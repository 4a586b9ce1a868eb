"""How many stretches of speech PESQ finds in a reference, so that it is never called beyond what its arrays hold.

The C code of the `pesq` package (ITU-T P.862, P.862.2) keeps the stretches that it aligns in arrays of 50 and never
checks them: it writes past their ends, and then crashes or returns a value that depends on luck. It also keeps at most
1000 intervals of badly disturbed frames. Nothing else in it has a fixed size.

The stretches come from the reference alone. We ask the package's own functions for them (``fix_power_level``,
``apply_filter`` or ``IIRFilt``, ``DC_block``, ``apply_filters``, ``apply_VAD``, none of which touches those arrays),
and count as ``id_searchwindows`` and ``id_utterances`` do. Later steps (``utterance_split``) stop at 50 by themselves.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache
from importlib import metadata

import numpy as np
from numpy.typing import NDArray

from srbench.errors import UndefinedMetric

_HOLDS = 50  # MAXNUTTERANCES
_LONGEST = 120  # seconds: 1000 intervals of 5 bad frames, and 3 good ones between, need 8000 frames of 16 ms
_WINDOW = 0.004  # seconds
_MARGIN = 75  # windows of silence that PESQ puts before and after (SEARCHBUFFER)
_PADDING = 0.32  # seconds of silence after that (DATAPADDING_MSECS)
_SHORTEST = 50  # windows of a stretch that counts (MINUTTLENGTH)
_APART = 47  # windows between two stretches: gaps of up to 50 are closed (JOINSPEECHLGTH), others lose 2 on each side
_FADE = 16  # samples at each end, before the filter of wide band
_POINTS = 26  # of the filter of narrow band
_KNOWN = "0.0.4"  # the version whose functions are called here

_Floats = NDArray[np.float32]
_Pointer = ctypes.POINTER(ctypes.c_float)


class _Signal(ctypes.Structure):
    """SIGNAL_INFO of the C code."""

    _fields_ = (
        ("path_name", ctypes.c_char * 512),
        ("file_name", ctypes.c_char * 128),
        ("samples", ctypes.c_long),
        ("apply_swap", ctypes.c_long),
        ("input_filter", ctypes.c_long),
        ("data", _Pointer),
        ("vad", _Pointer),
        ("log_vad", _Pointer),
    )


def refuse_too_long(reference: NDArray[np.float64], peak: float, rate: int, mode: str) -> None:
    """Raise UndefinedMetric if a pair is more than the arrays of PESQ hold. Short ones cost nothing.

    Parameters
    ----------
    reference : ndarray, shape (n,)
    peak : float
        Of reference and estimate, which the package divides both by.
    rate : {8000, 16000}, in Hz
    mode : {"wb", "nb"}
    """
    seconds = len(reference) / rate
    if seconds > _LONGEST:
        raise UndefinedMetric(f"too long for PESQ ({seconds:.0f} s; it holds {_LONGEST} s)")
    if seconds / _WINDOW + 2 * _MARGIN <= _HOLDS * (_SHORTEST + _APART):
        return
    library = _library()
    if library is None:
        raise UndefinedMetric(
            f"too long for PESQ ({seconds:.0f} s; its limit of {_HOLDS} stretches of speech "
            f"can only be checked with pesq {_KNOWN}, built so that its functions can be called)"
        )
    count = _places(_speech(library, (reference / peak).astype(np.float32), rate, mode))
    if count > _HOLDS:
        raise UndefinedMetric(f"too long for PESQ ({count} stretches of speech, it holds {_HOLDS})")


def _places(speech: NDArray[np.bool_]) -> int:
    """Return how many places of the arrays are written to: each stretch that counts moves on to the next."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], speech, [False]])))
    starts, ends = edges[::2], edges[1::2]
    return int(np.count_nonzero((ends - starts)[:-1] >= _SHORTEST)) + 1 if len(starts) else 0


def _speech(library: ctypes.PyDLL, reference: _Floats, rate: int, mode: str) -> NDArray[np.bool_]:
    """Return for each window of 4 ms whether PESQ takes it for speech."""
    per_window = round(_WINDOW * rate)
    margin = _MARGIN * per_window
    samples = len(reference) + 2 * margin
    data = np.zeros(samples + round(_PADDING * rate), np.float32)
    data[margin : margin + len(reference)] = reference
    vad, log_vad = (np.zeros(samples // per_window, np.float32) for _ in range(2))
    signal = _Signal(samples=samples, data=_at(data), vad=_at(vad), log_vad=_at(log_vad))
    library.select_rate(rate, ctypes.byref(ctypes.c_long()), ctypes.byref(ctypes.c_char_p()))
    library.fix_power_level(ctypes.byref(signal), b"", samples)
    if mode == "nb":
        response = (ctypes.c_double * (2 * _POINTS)).in_dll(library, "standard_IRS_filter_dB")
        library.apply_filter(_at(data), samples, _POINTS, response)
    else:
        fade = np.arange(_FADE, dtype=np.float32) / _FADE
        data[margin - 1 : margin - 1 + _FADE] *= fade
        data[samples - margin - _FADE + 1 : samples - margin + 1] *= fade[::-1]
        sections = ctypes.c_long.in_dll(library, "WB_InIIR_Nsos_16k")
        section = (ctypes.c_float * 5).in_dll(library, "WB_InIIR_Hsos_16k")
        library.IIRFilt(section, sections.value, None, _at(data[margin:]), len(reference), None)
    library.DC_block(_at(data), samples)
    library.apply_filters(_at(data), samples)
    library.apply_VAD(ctypes.byref(signal), _at(data), _at(vad), _at(log_vad))
    return np.asarray(vad > 0)


@lru_cache(maxsize=1)
def _library() -> ctypes.PyDLL | None:
    """Return the package's C functions, or None where they cannot be called."""
    from pesq import cypesq

    if metadata.version("pesq") != _KNOWN:
        return None
    library = ctypes.PyDLL(cypesq.__file__)  # with the lock of Python held: they share tables with the package's calls
    any_pointer, long = ctypes.c_void_p, ctypes.c_long
    arguments: dict[str, list[type]] = {
        "select_rate": [long, any_pointer, any_pointer],
        "fix_power_level": [any_pointer, ctypes.c_char_p, long],
        "apply_filter": [any_pointer, long, ctypes.c_int, any_pointer],
        "IIRFilt": [any_pointer, ctypes.c_ulong, any_pointer, any_pointer, ctypes.c_ulong, any_pointer],
        "DC_block": [any_pointer, long],
        "apply_filters": [any_pointer, long],
        "apply_VAD": [any_pointer, any_pointer, any_pointer, any_pointer],
    }
    for name, types in arguments.items():
        function = getattr(library, name, None)
        if function is None:
            return None
        function.argtypes, function.restype = types, None
    return library


def _at(array: _Floats) -> ctypes._Pointer[ctypes.c_float]:
    return array.ctypes.data_as(_Pointer)
