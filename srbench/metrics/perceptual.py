"""ViSQOL and DNSMOS, from the optional dependencies ``srbench[perceptual]``.

Conventions
-----------
- ``visqol`` (Hines et al. 2015, Chinen et al. 2020; package visqol-python): MOS-LQO. From 44.1 kHz up in audio mode
  at 48 kHz (support vector mapping, hears all that 48 kHz holds), below in speech mode at 16 kHz (deep-lattice
  mapping, hears up to 8 kHz), as AERO and AP-BWE report it. The package aligns the signals itself.
- ``dnsmos`` (Reddy et al. 2021; package speechmos): the overall MOS that a network predicts from the *estimate
  alone*, at 16 kHz. It has no reference: a clean recording of something else scores well. The package takes samples up
  to 1.0. An estimate that peaks above that at 16 kHz, as loud ones do by resampling, is divided by its peak.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from importlib import metadata
from typing import Any, ClassVar

import numpy as np

from srbench import signature
from srbench.audio import RESAMPLER
from srbench.errors import UndefinedMetric
from srbench.extras import missing_package
from srbench.metrics.metric import Metric, needs_rate
from srbench.metrics.pair import Pair
from srbench.signature import Signature

_DNSMOS_RATE = 16000


@dataclass(frozen=True)
class Visqol:
    """ViSQOL as MOS-LQO, in the mode that its rate calls for."""

    VERSION: ClassVar[int] = 1
    mode: str
    mapper: str
    sr: int = field(metadata={"key": "in"})

    @property
    def rate(self) -> int:
        """The rate in Hz that the mode works at."""
        return 48000 if self.mode == "audio" else 16000

    def signature(self) -> Signature:
        """Return mode, mapper, rate, resampling and implementation."""
        return signature.of_fields(
            "VISQOL",
            self,
            resample="none" if self.sr == self.rate else f"{RESAMPLER}-{self.rate}",
            impl=f"visqol-python-{_version('visqol-python')}",
            v=self.VERSION,
        )

    def measure(self, pair: Pair) -> float:
        """Return the MOS-LQO of a pair; undefined for a silent signal and for less than a second."""
        _refuse_silence(pair, "ViSQOL")
        reference, estimate = pair.at_rate(self.rate)
        if len(reference) < self.rate:
            raise UndefinedMetric(f"{len(pair.reference)} samples are too short for ViSQOL, which needs one second")
        api = _visqol(self.mode)
        try:
            return float(api.measure_from_arrays(reference, estimate, self.rate).moslqo)
        except (ValueError, RuntimeError) as error:
            raise UndefinedMetric(f"ViSQOL has no value: {error}") from error


@dataclass(frozen=True)
class Dnsmos:
    """Overall DNSMOS of the estimate (P.835 model)."""

    VERSION: ClassVar[int] = 2
    of: str = "estimate"
    over1: str = "divided-by-peak"
    sr: int = field(default=_DNSMOS_RATE, metadata={"key": "in"})

    def signature(self) -> Signature:
        """Return the rule for peaks above 1, the rate, the resampling and the implementation."""
        return signature.of_fields(
            "DNSMOS",
            self,
            resample="none" if self.sr == _DNSMOS_RATE else f"{RESAMPLER}-{_DNSMOS_RATE}",
            impl=f"speechmos-{_version('speechmos')}",
            v=self.VERSION,
        )

    def measure(self, pair: Pair) -> float:
        """Return the predicted MOS of the estimate; undefined for silence."""
        _refuse_silence(pair, "DNSMOS")
        estimate = pair.at_rate(_DNSMOS_RATE)[1]
        estimate = estimate / max(1.0, float(np.abs(estimate).max()))
        return float(_dnsmos().run(estimate, _DNSMOS_RATE)["ovrl_mos"])


def _refuse_silence(pair: Pair, metric: str) -> None:
    for name, signal in (("reference", pair.reference), ("estimate", pair.estimate)):
        if not signal.any():
            raise UndefinedMetric(f"the {name} is silent: {metric} is undefined")


@lru_cache(maxsize=2)
def _visqol(mode: str) -> Any:
    try:
        from visqol import VisqolApi

        api = VisqolApi()
        api.create(mode=mode, use_lattice_model=True if mode == "speech" else None)
    except ImportError as error:
        raise missing_package("metric visqol", error, extra="perceptual") from error
    return api


def _dnsmos() -> Any:
    try:
        from speechmos import dnsmos
    except ImportError as error:
        raise missing_package("metric dnsmos", error, extra="perceptual") from error
    return dnsmos


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError as error:
        metric = {"speechmos": "dnsmos"}.get(distribution, "visqol")
        raise missing_package(f"metric {metric}", error, extra="perceptual") from error


def _define_visqol(sr: int) -> Visqol:
    needs_rate("ViSQOL", sr, 16000)
    return Visqol("audio", "svr", sr) if sr >= 44100 else Visqol("speech", "lattice", sr)


def _define_dnsmos(sr: int) -> Dnsmos:
    needs_rate("DNSMOS", sr, _DNSMOS_RATE)
    return Dnsmos(sr=sr)


METRICS = (
    Metric(
        "visqol",
        "ViSQOL",
        "MOS",
        "higher",
        (1.0, 5.0),
        lambda sr, _: _define_visqol(sr),
        lambda sr: sr / 2 if sr >= 44100 else 8000.0,
        label="ViSQOL",
        family="mos",
        spread=0.3,
        slow=True,
        packages=("visqol-python",),
        source="Hines et al. 2015, Chinen et al. 2020",
        cite="chinen2020visqol",
        extra="perceptual",
        foreign=True,
    ),
    Metric(
        "dnsmos",
        "DNSMOS overall, of the estimate alone",
        "MOS",
        "higher",
        (1.0, 5.0),
        lambda sr, _: _define_dnsmos(sr),
        lambda sr: min(8000.0, sr / 2),
        family="mos",
        spread=0.3,
        slow=True,
        near="mos ovrl p808",
        packages=("speechmos",),
        source="Reddy et al. 2021",
        cite="reddy2021dnsmos",
        extra="perceptual",
        foreign=True,
    ),
)
