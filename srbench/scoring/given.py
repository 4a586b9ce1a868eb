"""A pair as it was given: of one rate and finite, but perhaps not of one length, as `srbench.metrics.Pair` wants it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from srbench.audio import Samples
from srbench.metrics import Pair


@dataclass(frozen=True)
class Given:
    """A reference and an estimate, shapes (n,) and (m,), their rate in Hz, and the cutoff in Hz where it is known."""

    reference: Samples
    estimate: Samples
    sample_rate: int
    cutoff: float | None = None

    @property
    def lengths(self) -> tuple[int, int]:
        """The samples of the reference, and of the estimate."""
        return len(self.reference), len(self.estimate)

    @property
    def even(self) -> bool:
        """Whether they are of one length."""
        return len(self.reference) == len(self.estimate)

    @property
    def common(self) -> Given:
        """The samples from the start that both have."""
        n = min(self.lengths)
        return self.having(self.reference[:n], self.estimate[:n])

    def having(self, reference: Samples, estimate: Samples) -> Given:
        """Return it with other samples."""
        return replace(self, reference=reference, estimate=estimate)

    def over(self, delay: float) -> Given:
        """Return the parts that lie over each other once a delay is taken out, in whole samples.

        Parameters
        ----------
        delay : float
            In samples, positive where the estimate comes late; taken for 0 where it would leave nothing.
        """
        of_reference, of_estimate = self.slices(delay)
        return self.having(self.reference[of_reference], self.estimate[of_estimate])

    def slices(self, delay: float) -> tuple[slice, slice]:
        """Return where those parts lie in the reference and in the estimate."""
        n, m = self.lengths
        whole = round(delay)
        if not -n < whole < m:
            whole = 0
        first, last = max(0, -whole), min(n, m - whole)
        return slice(first, last), slice(first + whole, last + whole)

    def pair(self) -> Pair:
        """Return it as what metrics measure.

        Raises
        ------
        SrbenchError
            If they are not of one length, or nothing is left of them.
        """
        return Pair(self.reference, self.estimate, self.sample_rate, self.cutoff)
