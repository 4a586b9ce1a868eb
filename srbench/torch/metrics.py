"""The tensor metrics as `torchmetrics.Metric`: update with batches, compute the mean over utterances as boards do.

A class is built with the sample rate in Hz where its function in `srbench.torch.functional` takes one, and with the
cutoff for the bands. ``update(estimate, reference, lengths=None)`` takes a batch, of shape (batch, time). ``compute()``
returns the mean over all signals that have a value, in float64; ``undefined`` counts those that have none. States are
summed over processes.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor
from torchmetrics import Metric

from srbench.metrics import get_metric
from srbench.torch import functional
from srbench.torch.batch import Lengths

__all__ = [
    *("Lsd", "LsdHf", "LsdKuleshov", "LsdLf", "LsdNvsr", "LsdPaper", "LsdTunet"),
    *("Mse", "SiSdr", "Snr"),
]


class UtteranceMean(Metric):
    """The mean of one metric over utterances; its subclasses say of which.

    Attributes
    ----------
    metric : str
        The name in `srbench.METRICS`, and of the function in `srbench.torch.functional`.
    """

    metric: ClassVar[str]
    full_state_update = False
    is_differentiable = True
    total: Tensor
    count: Tensor
    undefined: Tensor

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "metric" in vars(cls):
            cls.higher_is_better = get_metric(cls.metric).better == "higher"

    def __init__(self, *parameters: Any, **options: Any) -> None:
        super().__init__(**options)
        self._parameters_of_metric = parameters
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("undefined", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, estimate: Tensor, reference: Tensor, lengths: Lengths = None) -> None:
        """Add a batch.

        Parameters
        ----------
        estimate, reference : Tensor, shape (batch, time)
        lengths : sequence of int or Tensor, shape (batch,), optional
            The samples of each signal, where they differ.

        Raises
        ------
        SrbenchError
            For shapes, types or lengths that do not fit.
        """
        measure = getattr(functional, self.metric)
        values = measure(estimate, reference, *self._parameters_of_metric, lengths=lengths)
        there = ~values.isnan()
        self.total = self.total + torch.where(there, values, 0.0).sum(dtype=torch.float64)
        self.count = self.count + there.sum()
        self.undefined = self.undefined + (~there).sum()

    def compute(self) -> Tensor:
        """Return the mean over utterances, NaN where none has a value."""
        return self.total / self.count


class _Rated(UtteranceMean):
    def __init__(self, sample_rate: int, **options: Any) -> None:
        super().__init__(sample_rate, **options)
        self.signature = str(get_metric(self.metric).signature(sample_rate))


class _Band(UtteranceMean):
    def __init__(self, sample_rate: int, cutoff: float, **options: Any) -> None:
        super().__init__(sample_rate, cutoff, **options)
        self.signature = str(get_metric(self.metric).signature(sample_rate, cutoff))


class Snr(UtteranceMean):
    """Mean signal-to-noise ratio in dB.

    Examples
    --------
    >>> mean = Snr()
    >>> reference = torch.ones(2, 8000)
    >>> mean.update(0.9 * reference, reference)
    >>> mean.update(torch.tensor([[0.99] * 8000]), torch.ones(1, 8000))
    >>> round(float(mean.compute()), 2)
    26.67
    """

    metric = "snr"


class SiSdr(UtteranceMean):
    """Mean scale-invariant signal-to-distortion ratio in dB."""

    metric = "si_sdr"


class Mse(UtteranceMean):
    """Mean over utterances of the mean squared error."""

    metric = "mse"


class Lsd(_Rated):
    """Mean log-spectral distance (NU-Wave, AERO, AP-BWE); takes the sample rate."""

    metric = "lsd"


class LsdHf(_Band):
    """Mean log-spectral distance above the cutoff; takes the sample rate and the cutoff."""

    metric = "lsd_hf"


class LsdLf(_Band):
    """Mean log-spectral distance below the cutoff; takes the sample rate and the cutoff."""

    metric = "lsd_lf"


class LsdPaper(_Rated):
    """Mean log-spectral distance as Semeniuta 2019 eq. (3) reads; takes the sample rate."""

    metric = "lsd_paper"


class LsdKuleshov(_Rated):
    """Mean log-spectral distance of the code of Kuleshov et al. 2017; takes the sample rate."""

    metric = "lsd_kuleshov"


class LsdTunet(_Rated):
    """Mean log-spectral distance of TUNet's code; takes the sample rate."""

    metric = "lsd_tunet"


class LsdNvsr(_Rated):
    """Mean log-spectral distance of NVSR (ssr_eval); takes the sample rate."""

    metric = "lsd_nvsr"
