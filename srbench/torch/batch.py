"""A batch as the tensor metrics take it: checked, and with what lies behind each signal's end left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from srbench.errors import SrbenchError

Lengths = Sequence[int] | Tensor | None


class Batch(NamedTuple):
    """Signals of shape (batch, time); ``lengths`` is None where all are whole, else of shape (batch,)."""

    estimate: Tensor
    reference: Tensor
    lengths: Tensor | None

    @property
    def counts(self) -> Tensor | int:
        """The samples of each signal."""
        return self.estimate.shape[1] if self.lengths is None else self.lengths


def batch_of(estimate: Tensor, reference: Tensor, lengths: Lengths = None) -> Batch:
    """Check a batch, and set to zero what lies behind the ends.

    Parameters
    ----------
    estimate, reference : Tensor, shape (batch, time)
        float32 or float64, of one type on one device.
    lengths : sequence of int or Tensor, shape (batch,), optional
        The samples of each signal; what follows them is padding, whatever it holds.

    Raises
    ------
    SrbenchError
        For another shape, type or device, or lengths that do not fit.
    """
    for name, signal in (("estimate", estimate), ("reference", reference)):
        if not isinstance(signal, Tensor):
            raise SrbenchError(f"the {name} must be a tensor, not {type(signal).__name__}; METRICS takes arrays")
        if signal.ndim != 2 or not signal.numel():
            channel = ". Take a channel: x[:, 0]" if signal.ndim == 3 else ""
            raise SrbenchError(f"the {name} must have shape (batch, time), not {tuple(signal.shape)}{channel}")
        if signal.dtype not in (torch.float32, torch.float64):
            raise SrbenchError(f"the {name} must be float32 or float64, not {signal.dtype}; use .float()")
    one, two = ((each.shape, each.dtype, each.device) for each in (estimate, reference))
    if one != two:
        what = ("shape", "type", "device")[[a == b for a, b in zip(one, two, strict=True)].index(False)]
        raise SrbenchError(
            f"estimate and reference differ in {what}: {_told(estimate, what)}, {_told(reference, what)}"
        )
    if lengths is None:
        return Batch(estimate, reference, None)
    return _cut(estimate, reference, lengths)


def _cut(estimate: Tensor, reference: Tensor, lengths: Lengths) -> Batch:
    size, time = estimate.shape
    ends = torch.as_tensor(lengths, device=estimate.device)
    if ends.shape != (size,) or ends.dtype.is_floating_point or ends.dtype == torch.bool:
        raise SrbenchError(f"lengths must be {size} whole numbers, one for each signal")
    if int(ends.min()) < 1 or int(ends.max()) > time:
        raise SrbenchError(f"lengths must be 1 to {time} samples, not {int(ends.min())} to {int(ends.max())}")
    inside = torch.arange(time, device=estimate.device) < ends[:, None]
    zero = estimate.new_zeros(())
    return Batch(torch.where(inside, estimate, zero), torch.where(inside, reference, zero), ends)


def _told(signal: Tensor, what: str) -> str:
    return str({"shape": tuple(signal.shape), "type": signal.dtype, "device": signal.device}[what])
