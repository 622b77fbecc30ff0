"""What a screen found, as data.

It must not evaluate or judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.numerics.measurement import Booleans, Floats, Indices, Measurement
from pytest_gradcheck.numerics.scale import Scales
from pytest_gradcheck.numerics.screening.finding import Finding
from pytest_gradcheck.numerics.screening.sights import Sight

__all__ = ["UNRESOLVED", "Screened", "reference"]

#: What is seen of a segment says little where an error of this share of a typical claim
#: could hide in it.
UNRESOLVED = 0.1


#: Where all claims vanish an error is large against this share of an output's size.
VANISHING = 1e-4


def reference(typical: Floats, claimed: Floats, sizes: Floats) -> Floats:
    """Return what an error is large against, shape (segments, m).

    Typical claims; where none were seen the largest of other segments, where there are
    none what is claimed along a direction, where that is nothing a share of the output.

    Examples
    --------
    >>> typical, claimed = np.array([[2.0, 0.0], [0.0, 0.0]]), np.array([5.0, 3.0])
    >>> reference(typical, claimed, np.ones(2)).tolist()
    [[2.0, 3.0], [2.0, 3.0]]
    """
    against = np.where(typical > 0, typical, typical.max(axis=0, initial=0.0))
    against = np.where(against > 0, against, np.abs(claimed))
    return np.where(against > 0, against, VANISHING * sizes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """What a screen found, of segments and m outputs.

    Attributes
    ----------
    sights : tuple of Sight
        Along directions over everything, as they were seen first.
    visible : ndarray, shape (segments, m)
        The smallest error of one derivative that would have been seen, times the scale of
        its coordinate; infinite where nothing could be seen.
    typical : ndarray, shape (segments, m)
        How large claims of a segment are that are not zero, likewise.
    swept : mapping of int to Measurement
        Segments that were measured entry by entry instead, by their number.
    findings : tuple of Finding
        Where claims are off.
    unexplained : ndarray of bool, shape (segments, m)
        Where claims may be off beside what was found.
    sizes : ndarray, shape (m,)
        How large the outputs are.
    scales : Scales
        Natural step of each coordinate.
    least : ndarray, shape (segments,)
        The smallest of them in each segment.
    held : ndarray of int
        Coordinates that are zero and were not looked at: the function has a kink there.
    """

    sights: tuple[Sight, ...]
    visible: Floats
    typical: Floats
    swept: Mapping[int, Measurement]
    findings: tuple[Finding, ...]
    unexplained: Booleans
    sizes: Floats
    scales: Scales
    least: Floats
    held: Indices

    @property
    def share(self) -> Floats:
        """The smallest error that would have been seen, relative to a typical claim.

        Where even the smallest would have been, as of an output that is 0 throughout, it is 0.
        """
        against = reference(self.typical, self.sights[0].claimed, self.sizes)
        with np.errstate(all="ignore"):
            share = self.visible / against
        return np.where(self.visible == 0, 0.0, np.where(against > 0, share, np.inf))

    def natural(self, indices: Indices) -> Floats:
        """Return outputs over scales, what a vanishing derivative is small against."""
        scale = self.scales.meaningful(indices)
        with np.errstate(over="ignore"):
            return np.asarray(self.sizes / scale[:, None])
