"""What a screen found, as data.

It must not evaluate or judge.
"""

# MERGED What a search finds: suspects, and boxes in which claims are off.
#
# It must not measure anything, or name what is off.

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.numerics.measurement import Booleans, Floats, Indices, Measurement
from pytest_gradcheck.numerics.screening.array_regions import Box
from pytest_gradcheck.numerics.screening.directional_derivative import DirectionalDerivative
from pytest_gradcheck.numerics.step_size import Scales

__all__ = ["UNRESOLVED", "Finding", "ScreenResult", "Suspect", "reference_magnitude"]


@dataclass(frozen=True, slots=True)
class Suspect:
    """A coordinate whose claim explains a residual: not confirmed yet.

    Attributes
    ----------
    box : Box
        The coordinate.
    error, bound : float
        By how much more is claimed than is true, and how well that is known.
    step : float
        That it was seen with, in its own units.
    measured : Measurement or None
        What was measured of it by itself, if anything.
    """

    box: Box
    error: float
    bound: float
    step: float
    measured: Measurement | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A box in which claims are off.

    Attributes
    ----------
    box : Box
        Where; a single coordinate, a row, or all of a segment.
    output : int
        Of which output.
    measured : tuple of (int, Measurement)
        Coordinates in it that were measured one by one.
    wrong : int
        How many of these are off.
    relative_error : float or None
        By which share of itself every claim in it is off, None where that varies.
    relative_error_bound : float
        How uncertain the share is.
    """

    box: Box
    output: int
    measured: tuple[tuple[int, Measurement], ...]
    wrong: int
    relative_error: float | None = None
    relative_error_bound: float = 0.0


#: What is seen of a segment says little where an error of this share of a typical claim
#: could hide in it.
UNRESOLVED = 0.1


#: Where all claims vanish an error is large against this share of an output's size.
VANISHING = 1e-4


def reference_magnitude(typical: Floats, claimed: Floats, sizes: Floats) -> Floats:
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
class ScreenResult:
    """What a screen found, of segments and m outputs.

    Attributes
    ----------
    directional_derivatives : tuple of DirectionalDerivative
        Along directions over everything, as they were seen first.
    detection_limit : ndarray, shape (segments, m)
        The smallest error of one derivative that would have been seen, times the scale of
        its coordinate; infinite where nothing could be seen.
    typical_claim : ndarray, shape (segments, m)
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
    smallest_scale : ndarray, shape (segments,)
        The smallest of them in each segment.
    fixed : ndarray of int
        Coordinates that are zero and were not looked at: the function has a kink there.
    """

    directional_derivatives: tuple[DirectionalDerivative, ...]
    detection_limit: Floats
    typical_claim: Floats
    swept: Mapping[int, Measurement]
    findings: tuple[Finding, ...]
    unexplained: Booleans
    sizes: Floats
    scales: Scales
    smallest_scale: Floats
    fixed: Indices

    @property
    def relative_detection_limit(self) -> Floats:
        """The smallest error that would have been seen, relative to a typical claim.

        Where even the smallest would have been, as of an output that is 0 throughout, it is 0.
        """
        against = reference_magnitude(
            self.typical_claim, self.directional_derivatives[0].claimed, self.sizes
        )
        with np.errstate(all="ignore"):
            share = self.detection_limit / against
        return np.where(self.detection_limit == 0, 0.0, np.where(against > 0, share, np.inf))

    def natural_slopes(self, indices: Indices) -> Floats:
        """Return outputs over scales, what a vanishing derivative is small against."""
        scale = self.scales.meaningful(indices)
        with np.errstate(over="ignore"):
            return np.asarray(self.sizes / scale[:, None])
