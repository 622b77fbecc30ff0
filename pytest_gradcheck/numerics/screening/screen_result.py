"""The result of a screen, as data: suspects, findings, and the smallest error that would show.

It does not evaluate, measure or judge anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.numerics.coordinate_scales import Scales
from pytest_gradcheck.numerics.measurement import Booleans, Floats, Indices, Measurement
from pytest_gradcheck.numerics.screening.direction_weights import CodedDirections
from pytest_gradcheck.numerics.screening.directional_derivative import DirectionalDerivative
from pytest_gradcheck.numerics.screening.subarrays import Box, whole_region

__all__ = ["UNRESOLVED", "Finding", "ScreenResult", "Suspect", "reference_magnitude"]

#: A segment is not resolved where an error of this share of a typical claim could go undetected.
UNRESOLVED = 0.1

#: Where all claims vanish, an error is compared with this share of the size of an output.
VANISHING = 1e-4


@dataclass(frozen=True, slots=True)
class Suspect:
    """A coordinate whose error would explain a residual, and that is not confirmed yet.

    Attributes
    ----------
    box : Box
        The coordinate.
    error, bound : float
        The claim minus the derivative, and a bound on the error of this difference.
    step : float
        The step of the coordinate that the residual was measured with, in its own units.
    measured : Measurement or None
        The derivative with respect to the coordinate alone, where it was measured.
    """

    box: Box
    error: float
    bound: float
    step: float
    measured: Measurement | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A box in which the claims about one output are wrong.

    Attributes
    ----------
    box : Box
        A single coordinate, a row, a block or a whole segment.
    output : int
        The output.
    measured : tuple of (int, Measurement)
        Coordinates in the box that were measured one by one.
    wrong : int
        The number of these whose claims are wrong.
    relative_error : float or None
        The relative error that all claims in the box have in common, None where it varies.
    relative_error_bound : float
        A bound on the error of `relative_error`.
    """

    box: Box
    output: int
    measured: tuple[tuple[int, Measurement], ...]
    wrong: int
    relative_error: float | None = None
    relative_error_bound: float = 0.0


def reference_magnitude(typical: Floats, claimed: Floats, sizes: Floats) -> Floats:
    """Return the magnitude that errors of claims are relative to, shape (segments, m).

    It is the typical claim of the segment. Where that is zero, it is the largest typical claim of
    other segments; where all are zero, the claimed derivative along a direction; and where that
    is zero, too, a share of the size of the output.

    Parameters
    ----------
    typical : ndarray, shape (segments, m)
        Typical claims, see `ScreenResult`.
    claimed : ndarray, shape (m,)
        Claimed derivatives along a direction.
    sizes : ndarray, shape (m,)
        The sizes of the outputs.

    Examples
    --------
    >>> typical, claimed = np.array([[2.0, 0.0], [0.0, 0.0]]), np.array([5.0, 3.0])
    >>> reference_magnitude(typical, claimed, np.ones(2)).tolist()
    [[2.0, 3.0], [2.0, 3.0]]
    """
    reference = np.where(typical > 0, typical, typical.max(axis=0, initial=0.0))
    reference = np.where(reference > 0, reference, np.abs(claimed))
    return np.where(reference > 0, reference, VANISHING * sizes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenResult:
    """The result of a screen, of m outputs.

    Attributes
    ----------
    directional_derivatives : tuple of DirectionalDerivative
        Derivatives along directions over everything, as they were first measured.
    detection_limit : ndarray, shape (segments, m)
        The smallest error of one claim that would have been detected, times the scale of its
        coordinate; infinite where none would have been.
    typical_claim : ndarray, shape (segments, m)
        The median magnitude of the claims of a segment that are not zero, in the same units.
    swept : mapping of int to Measurement
        The segments that were measured coordinate by coordinate instead, by their number.
    findings : tuple of Finding
        Where claims are wrong.
    unexplained : ndarray of bool, shape (segments, m)
        Where claims may be wrong beyond the findings.
    sizes : ndarray, shape (m,)
        The sizes of the outputs.
    scales : Scales
        The natural step of each coordinate.
    smallest_scale : ndarray, shape (segments,)
        The smallest scale in each segment.
    fixed : ndarray of int
        Coordinates that no direction moved: they make outputs far noisier than others do, or are
        zero, where the function may have a kink or the edge of its domain.
    directions : CodedDirections or None
        Draws the directions again; None where other directions were measured.
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
    directions: CodedDirections | None = None

    def direction(self, which: int) -> Floats:
        """Return a direction over everything, drawn again."""
        if self.directions is None:
            raise ValueError("other directions were measured than those that are drawn")
        segments = self.directions.segments
        drawn = np.zeros(segments[-1].start + segments[-1].size)
        self.directions.draw(drawn, which, whole_region(segments))
        return drawn

    @property
    def relative_detection_limit(self) -> Floats:
        """The detection limit relative to a typical claim, shape (segments, m).

        It is zero where the detection limit is, as for an output that is zero everywhere.
        """
        claimed = self.directional_derivatives[0].claimed
        reference = reference_magnitude(self.typical_claim, claimed, self.sizes)
        with np.errstate(all="ignore"):
            relative = self.detection_limit / reference
        relative = np.where(reference > 0, relative, np.inf)
        return np.where(self.detection_limit == 0, 0.0, relative)

    def natural_slopes(self, indices: Indices) -> Floats:
        """Return the sizes of outputs over the scales of some coordinates, shape (k, m).

        A derivative vanishes where it is small compared with its natural slope.
        """
        scale = self.scales.meaningful(indices)
        with np.errstate(over="ignore"):
            return np.asarray(self.sizes / scale[:, None])
