"""PESQ: perceptual evaluation of speech quality, by the `pesq` package.

Conventions
-----------
ITU-T P.862.2 (wide band) and P.862 (narrow band) as implemented by `pesq` 0.0.x, which is without
Corrigendum 2 (2018): on the same pairs the corrected code gives other values, so the signature names the variant.
Both modes are computed at 16 kHz; at any other rate the pair is first resampled by soxr, which stands in the
signature too. Wide band hears up to 8 kHz, narrow band up to 3.4 kHz: above that, any estimate is as good as any
other. The value is MOS-LQO.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import metadata
from typing import ClassVar

from srbench import signature
from srbench.audio import RESAMPLER
from srbench.errors import UndefinedMetric
from srbench.metrics.metric import Metric, needs_rate
from srbench.metrics.pair import Pair
from srbench.signature import Signature

_RATE = 16000


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

    def signature(self) -> Signature:
        """Return mode, rate, resampling, implementation and variant."""
        return signature.of_fields(
            "PESQ",
            self,
            resample="none" if self.sr == _RATE else f"{RESAMPLER}-{_RATE}",
            impl=f"pesq-{metadata.version('pesq')}",
            corrigendum2=False,
            v=self.VERSION,
        )

    def measure(self, pair: Pair) -> float:
        """Return the MOS-LQO of a pair.

        Raises
        ------
        UndefinedMetric
            If one signal is silent, shorter than a quarter of a second, or holds nothing that PESQ takes for speech.
        """
        import pesq

        for name, signal in (("reference", pair.reference), ("estimate", pair.estimate)):
            if not signal.any():
                raise UndefinedMetric(f"the {name} is silent: PESQ is undefined")
        reference, estimate = pair.at_rate(_RATE)
        if len(reference) < _RATE // 4:
            raise UndefinedMetric(f"{len(pair.reference)} samples are too short for PESQ, which needs 0.25 s")
        try:
            # The package divides both signals by their common peak; PESQ aligns the levels itself.
            return float(pesq.pesq(_RATE, reference, estimate, self.mode))
        except (pesq.PesqError, ValueError) as error:
            raise UndefinedMetric(f"PESQ finds no speech in the pair ({_reason(error)})") from error


def _reason(error: Exception) -> str:
    text = error.args[0] if error.args else type(error).__name__
    return (text.decode(errors="replace") if isinstance(text, bytes) else str(text)).rstrip(".!")


def _define(mode: str, sr: int) -> Pesq:
    needs_rate("PESQ", sr, _RATE)
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
    ),
    Metric(
        "pesq_nb",
        "PESQ narrow band (P.862)",
        "MOS",
        "higher",
        (1.0, 4.55),
        lambda sr, _: _define("nb", sr),
        lambda sr: min(3400.0, sr / 2),
    ),
)
