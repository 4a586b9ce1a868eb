"""PESQ: perceptual evaluation of speech quality, by the `pesq` package.

Conventions
-----------
ITU-T P.862.2 (wide band) and P.862 (narrow band) as implemented by `pesq` 0.0.x, which is without
Corrigendum 2 (2018): on the same pairs the corrected code gives other values, so the signature names the variant.
Both modes are computed at 16 kHz, and narrow band of rates below that at 8 kHz, the two rates that the package has; at
any other rate the pair is first resampled by soxr, which stands in the signature too. Wide band hears up to 8 kHz,
narrow band up to 3.4 kHz: above that, any estimate is as good as any other. The value is MOS-LQO.

The package holds 50 stretches of speech and two minutes; for more there is no value (see `pesq_speech`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import metadata
from typing import ClassVar

import numpy as np

from srbench import signature
from srbench.audio import RESAMPLER
from srbench.errors import UndefinedMetric
from srbench.metrics.metric import Metric, needs_rate
from srbench.metrics.pair import Pair
from srbench.metrics.pesq_speech import refuse_too_long
from srbench.signature import Signature

_RATE, _NARROW = 16000, 8000


@dataclass(frozen=True)
class Pesq:
    """PESQ as MOS-LQO.

    Attributes
    ----------
    mode : {"wb", "nb"}
    sr : int, in Hz
        Rate of the signals given.
    """

    VERSION: ClassVar[int] = 1
    mode: str = "wb"
    sr: int = field(default=_RATE, metadata={"key": "in"})

    @property
    def rate(self) -> int:
        """The rate in Hz that PESQ works at here."""
        return _NARROW if self.mode == "nb" and self.sr < _RATE else _RATE

    def signature(self) -> Signature:
        """Return mode, rate, resampling, implementation and variant."""
        return signature.of_fields(
            "PESQ",
            self,
            resample="none" if self.sr == self.rate else f"{RESAMPLER}-{self.rate}",
            impl=f"pesq-{metadata.version('pesq')}",
            corrigendum2=False,
            v=self.VERSION,
        )

    def measure(self, pair: Pair) -> float:
        """Return the MOS-LQO of a pair.

        Raises
        ------
        UndefinedMetric
            If one signal is silent, shorter than a quarter of a second, holds nothing that PESQ takes for speech, or
            more of it than PESQ has room for.
        """
        import pesq

        for name, signal in (("reference", pair.reference), ("estimate", pair.estimate)):
            if not signal.any():
                raise UndefinedMetric(f"the {name} is silent: PESQ is undefined")
        reference, estimate = pair.at_rate(self.rate)
        if len(reference) < self.rate // 4:
            raise UndefinedMetric(f"{len(pair.reference)} samples are too short for PESQ, which needs 0.25 s")
        peak = max(float(np.abs(signal).max()) for signal in (reference, estimate))
        refuse_too_long(reference, peak, self.rate, self.mode)
        try:
            # The package divides both signals by their common peak; PESQ aligns the levels itself.
            return float(pesq.pesq(self.rate, reference, estimate, self.mode))
        except (pesq.PesqError, ValueError) as error:
            raise UndefinedMetric(f"PESQ finds no speech in the pair ({_reason(error)})") from error


def _reason(error: Exception) -> str:
    text = error.args[0] if error.args else type(error).__name__
    return (text.decode(errors="replace") if isinstance(text, bytes) else str(text)).rstrip(".!")


def _define(mode: str, sr: int) -> Pesq:
    if mode == "wb":
        needs_rate("PESQ wide band (pesq; pesq_nb is narrow band, from 8000 Hz)", sr, _RATE)
    else:
        needs_rate("PESQ narrow band (pesq_nb)", sr, _NARROW)
    return Pesq(mode, sr)


METRICS = (
    Metric(
        "pesq",
        "PESQ wide band (P.862.2)",
        "MOS",
        "higher",
        (1.0, 4.65),
        lambda sr, _: _define("wb", sr),
        lambda sr: min(8000.0, sr / 2),
        label="PESQ-WB",
        family="pesq",
        convention="wb",
        spread=0.4,
        usual=True,
        also="pesqwb wbpesq",
        near="pesq-wb wb-pesq wideband-pesq",
        packages=("pesq",),
        foreign=True,
        source="ITU-T P.862.2",
        cite="itu2007p8622",
    ),
    Metric(
        "pesq_nb",
        "PESQ narrow band (P.862)",
        "MOS",
        "higher",
        (1.0, 4.55),
        lambda sr, _: _define("nb", sr),
        lambda sr: min(3400.0, sr / 2),
        family="pesq",
        convention="nb",
        spread=0.4,
        also="nbpesq",
        near="nb-pesq narrowband-pesq",
        packages=("pesq",),
        foreign=True,
        source="ITU-T P.862",
        cite="itu2001p862",
    ),
)
