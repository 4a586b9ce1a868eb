"""The upscaler contract and its registry.

An upscaler maps a low-resolution signal to a high-resolution one::

    upscale(low: float array (n,), low_rate: int, high_rate: int) -> float array (n * high_rate // low_rate,)

aligned with the reference (no delay) and finite. ``low_rate`` is a whole number of Hz but for scales that have none
(16 kHz at scale 6), where it is an exact ``fractions.Fraction``; the formula for the length holds for both. A
function or a class becomes one with the decorator `upscaler`; it is found through the entry-point group
``srbench.upscalers`` of any installed package, or in a single file named with ``--plugin``. What comes with srbench
is registered in just the same way.
"""

from srbench.upscaler.contract import READY, BuiltUpscaler, Upscaler, check_estimate, upscaler
from srbench.upscaler.registry import build_upscaler, find_registration, get_upscaler, registrations

__all__ = [
    "READY",
    "BuiltUpscaler",
    "Upscaler",
    "build_upscaler",
    "check_estimate",
    "find_registration",
    "get_upscaler",
    "registrations",
    "upscaler",
]
