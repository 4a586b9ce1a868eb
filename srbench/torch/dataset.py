"""`ProtocolDataset`: patches of a protocol's training side for a DataLoader. srbench's trainer draws from it too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from srbench.corpora import Utterance
from srbench.errors import SrbenchError, unknown_name
from srbench.protocols import Protocol, load_protocol
from srbench.run import make_plan
from srbench.torch.patches import Patches, make_patches

FILTERS = ("protocol", "random")


class ProtocolDataset(Dataset[tuple[Tensor, Tensor]]):
    """Patches of inputs and references, cut at random from the recordings of one side of a protocol's split.

    An input is the low-resolution signal raised to the high rate by the cubic spline, so both have one length. Item i
    depends on the seed, the epoch and i alone, whichever worker draws it: a training that was stopped goes on with the
    very patches it would have seen. An utterance is drawn in proportion to its length; one that is shorter than a patch
    is extended by zeros.

    Parameters
    ----------
    protocol : str, path or Protocol
    data : path, optional
        The folder of the corpus; the embedded one by default. Utterances of the split that are not there are left out.
    side : str
        A side of the protocol's split, or ``"all"``: every file. The side that the protocol scores is refused.
    patch : int, in samples
        At the high rate.
    batch : int, optional
        Patches of an item. With it an item is a batch; give the DataLoader ``batch_size=None``.
    filters : {"protocol", "random"}
        Whether the protocol's low-pass makes the inputs, or another random one each (Sulun and Davies 2020).
    length : int, optional
        Items of an epoch; by default as many as the recordings hold without overlap.
    seed : int
    keep : callable Utterance -> bool, optional
        Which utterances to use, such as ``lambda u: u.speaker != "p225"``.
    cache : path, optional
        A folder for a memory-mapped file of all inputs, which is found again and shared by workers. Without it they are
        held in memory.
    progress : callable (what, done, total), optional

    Attributes
    ----------
    refused : tuple of str
        Why recordings were left out.

    Raises
    ------
    SrbenchError
        If the corpus or the side cannot be used, no recording is left, or a patch is longer than all of them.

    Examples
    --------
    >>> dataset = ProtocolDataset("demo", side="all", patch=4096, length=100, keep=lambda u: u.id < "demo1_003")
    >>> low, high = dataset[3]
    >>> low.shape, high.shape, len(dataset)
    (torch.Size([1, 4096]), torch.Size([1, 4096]), 100)
    >>> bool((dataset[3][0] == low).all())
    True
    """

    def __init__(
        self,
        protocol: str | Path | Protocol,
        data: str | Path | None = None,
        *,
        side: str = "train",
        patch: int = 8192,
        batch: int | None = None,
        filters: str = "protocol",
        length: int | None = None,
        seed: int = 0,
        keep: Callable[[Utterance], bool] | None = None,
        cache: str | Path | None = None,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> None:
        known = protocol if isinstance(protocol, Protocol) else load_protocol(protocol)
        if side == known.side:
            raise SrbenchError(f"side {side} is what protocol {known.name} scores; train on another")
        plan = make_plan(known, data, side=side, allow_partial=True)
        chosen = [each for each in plan.utterances if keep is None or keep(each)]
        if not chosen:
            raise SrbenchError(f"keep leaves none of {len(plan.utterances)} utterances")
        patches = make_patches(chosen, plan.protocol, None if cache is None else Path(cache), progress)
        longest = int(np.diff(patches.ends, prepend=0).max())
        if patch > longest:
            raise SrbenchError(
                f"a patch of {patch} samples is longer than every recording (of {longest} samples the longest)"
            )
        self._set(patches, plan.protocol, patch, batch, filters, length, seed)

    @classmethod
    def of(
        cls,
        patches: Patches,
        protocol: Protocol,
        *,
        patch: int,
        batch: int | None = None,
        filters: str = "protocol",
        length: int | None = None,
        seed: int = 0,
    ) -> ProtocolDataset:
        """Return a dataset of patches that are made already; see `srbench.torch.patches.make_patches`."""
        made = cls.__new__(cls)
        made._set(patches, protocol, patch, batch, filters, length, seed)
        return made

    def _set(
        self,
        patches: Patches,
        protocol: Protocol,
        patch: int,
        batch: int | None,
        filters: str,
        length: int | None,
        seed: int,
    ) -> None:
        if filters not in FILTERS:
            raise unknown_name("kind of filters", filters, FILTERS)
        for name, value in (("patch", patch), ("batch", batch), ("length", length)):
            if value is not None and value < 1:
                raise SrbenchError(f"{name} must be at least 1, not {value}")
        if seed < 0:
            raise SrbenchError(f"seed must be at least 0, not {seed}")
        if filters == "random" and protocol.high_rate % protocol.low_rate:
            raise SrbenchError(f"protocol {protocol.name} has no whole scale: random filters are for whole ones")
        self._patches, self._protocol = patches, protocol
        self._patch, self._batch, self._filters, self._seed = patch, batch, filters, seed
        self._length = length or max(1, int(patches.ends[-1]) // (patch * (batch or 1)))
        self._epoch: Tensor = torch.zeros(1, dtype=torch.int64)
        self._epoch.share_memory_()  # type: ignore[no-untyped-call]  # workers that live on see a new epoch too

    @property
    def refused(self) -> tuple[str, ...]:
        """Why recordings were left out."""
        return self._patches.refused

    def set_epoch(self, epoch: int) -> None:
        """Draw other patches, from now on, also in the workers of a DataLoader.

        Parameters
        ----------
        epoch : int
            Counted from 0.
        """
        self._epoch.fill_(epoch)

    def __len__(self) -> int:
        """Return the items of an epoch."""
        return self._length

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return input and reference: float32, shape (1, patch), or (batch, 1, patch) where items are batches."""
        if not -self._length <= index < self._length:
            raise IndexError(f"item {index} of {self._length}")
        low, high = self.draw(index % self._length, int(self._epoch))
        return (low, high) if self._batch is not None else (low[0], high[0])

    def draw(self, index: int, epoch: int) -> tuple[Tensor, Tensor]:
        """Return inputs and references of one item of any epoch, shape (batch or 1, 1, patch)."""
        seed, size = (self._seed, index, epoch), self._batch or 1
        if self._filters == "random":
            rates = int(self._protocol.low_rate), self._protocol.high_rate
            low, high = self._patches.draw_filtered(size, self._patch, seed, *rates)
        else:
            low, high = self._patches.draw(size, self._patch, seed)
        return torch.from_numpy(low), torch.from_numpy(high)
