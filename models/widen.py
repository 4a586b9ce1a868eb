"""Function-preserving widening (Net2Net, Chen et al. 2016): a wider U-Net that computes what a narrower one does.

Every channel is repeated; a layer that reads repeated channels divides its weights among them. A little noise then lets
training tell the copies apart.
"""

from __future__ import annotations

from typing import Any

import torch
from srbench_models.configurations import Configuration
from torch import Tensor, nn

from srbench.errors import SrbenchError

NOISE = 0.01  # of a weight's size, relative


def widened(network: nn.Module, wanted: Configuration, noise: float = NOISE) -> nn.Module:
    """Return a network of the wanted configuration that computes what ``network`` does; itself if it is one already.

    Parameters
    ----------
    network : Module
        Of the same kind, with the same options, whose filters divide the wanted ones.
    wanted : Configuration
    noise : float
        Relative to each weight; breaks the symmetry between copies.

    Raises
    ------
    SrbenchError
        If one does not fit into the other.
    """
    wide = wanted.build()
    if getattr(wanted.config, "reduction", "") in ("maxpool", "avgpool"):
        raise SrbenchError("a network that pools its skips' channels cannot be widened: copies would be pooled")
    source, target = network.state_dict(), wide.state_dict()
    if source.keys() != target.keys():
        raise SrbenchError("the weights to start from are of another kind of network")
    generator = torch.Generator().manual_seed(0)
    found = {}
    for name, old in source.items():
        shape = target[name].shape
        if old.shape == shape:
            found[name] = old
            continue
        if old.ndim != len(shape) or any(b % a for a, b in zip(old.shape, shape, strict=True)):
            raise SrbenchError(
                f"the weights to start from do not fit: {name} is {tuple(old.shape)}, not {tuple(shape)}"
            )
        made = _repeated(old, shape, shuffled=name.startswith("up.") and ".conv." in name)
        if made.is_floating_point() and made.ndim > 1:
            made = made * (1 + noise * torch.randn(made.shape, generator=generator))
        found[name] = made
    wide.load_state_dict(found)
    return wide


def _repeated(old: Tensor, shape: Any, shuffled: bool) -> Tensor:
    times = shape[0] // old.shape[0]
    if shuffled:  # channels 2 c and 2 c + 1 become one: pairs are repeated, not channels
        made = old.view(-1, 2, *old.shape[1:]).repeat_interleave(times, dim=0).view(shape[0], *old.shape[1:])
    else:
        made = old.repeat_interleave(times, dim=0)
    if made.ndim > 1 and shape[1] != old.shape[1]:
        times = shape[1] // old.shape[1]
        made = made.repeat_interleave(times, dim=1) / times
    return made
