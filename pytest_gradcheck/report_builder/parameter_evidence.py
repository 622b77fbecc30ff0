"""The evidence about one parameter: claims, measurements, and the verdicts that follow.

Before a claim is wrong by little, or is between the slopes of a kink, backward is called at
nearby points. This shows whether the rounding of backward explains a slight difference, and
whether several kinks at one point explain a claim. This module does not word anything.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np

from pytest_gradcheck.binding.forward.domain_boundary import Edge
from pytest_gradcheck.binding.values.parameters import Block, Parameter
from pytest_gradcheck.judgement.entry_verdicts import Judgement, is_scatter_conclusive, judge
from pytest_gradcheck.judgement.subgradients import (
    are_one_sided_slopes,
    explained_by_several_kinks,
)
from pytest_gradcheck.numerics.measurement import EPS, Floats, Indices, Measurement, Status
from pytest_gradcheck.report_builder.claims_at_nearby_points import NearbyEntryClaims

__all__ = ["Evidence", "judge_measurement", "split_by_parameter"]

#: At most this many claims at kinks are compared with the claims on both sides.
MOST_COMPARED_SIDES = 16

Place = tuple[int, int]
Item = TypeVar("Item")


def _no_edge(coordinate: int) -> Edge | None:
    """Return no edge: forward is defined around the point."""
    del coordinate
    return None


@dataclass(frozen=True)
class Evidence:
    """Claims and measurements about one parameter.

    Attributes
    ----------
    parameter : Parameter
        The parameter.
    point : ndarray, shape (n,)
        Values of its coordinates.
    outputs : tuple of Block
        The outputs; empty for a single number.
    claim : ndarray, shape (n, m)
        The claimed derivatives.
    measurement : Measurement
        The measured derivatives by these coordinates.
    natural : ndarray, shape (n, m)
        The natural slopes: outputs at the point over the scales of the coordinates.
    rounding : float
        Relative rounding error of the type of the claims.
    rtol : float
        The relative error that is always allowed.
    is_unused : bool
        Whether the parameter, claimed to have a zero gradient, never changed an output.
    edge : callable
        ``edge(coordinate) -> Edge or None``: the nearest edge of the domain along it.
    output_indices : ndarray of int, shape (n, m), or None
        The outputs of the m derivatives by each coordinate; None for all outputs.
    nearby : NearbyEntryClaims or None
        Claims about these coordinates at nearby points; None to use the verdicts as they are.
    first_judgement : Judgement or None
        The verdicts without nearby claims, if many parameters were judged at once.
    """

    parameter: Parameter
    point: Floats
    outputs: tuple[Block, ...]
    claim: Floats
    measurement: Measurement
    natural: Floats
    rounding: float
    rtol: float
    is_unused: bool = False
    edge: Callable[[int], Edge | None] = _no_edge
    output_indices: Indices | None = None
    nearby: NearbyEntryClaims | None = None
    first_judgement: Judgement | None = None

    @cached_property
    def judgement(self) -> Judgement:
        """The verdicts, after backward was called at nearby points where that may excuse it."""
        nearby = self.nearby
        judgement = self._judge(0.0) if self.first_judgement is None else self.first_judgement
        if nearby is None:
            return judgement
        slightly = judgement.slightly_wrong
        if slightly.any():
            distance = np.abs(self.claim - self.measurement.value)[slightly]
            scatter = nearby.scatter(
                lambda found, largest: is_scatter_conclusive(distance, found[slightly], largest)
            )
            judgement = self._judge(scatter)
            if judgement.slightly_wrong.any():
                judgement = self._judge_saturated(nearby, judgement, scatter)
        return _decide_kinks(self, nearby, judgement) if judgement.unclassified else judgement

    def _judge_saturated(
        self, nearby: NearbyEntryClaims, judgement: Judgement, scatter: Floats
    ) -> Judgement:
        """Allow for the rounding of far larger terms, where outputs are their difference."""
        ratios = nearby.saturation(np.flatnonzero(judgement.slightly_wrong.any(axis=1)))
        if self.output_indices is not None or not ratios.any():
            return judgement
        size = np.fmax(np.abs(self.claim), np.abs(self.measurement.value))
        natural = np.maximum(self.natural, ratios * size)
        return replace(self, natural=natural)._judge(np.maximum(scatter, EPS * natural))

    def _judge(self, scatter: Floats | float) -> Judgement:
        return judge_measurement(
            self.claim,
            self.measurement,
            natural=self.natural,
            rtol=self.rtol,
            rounding=self.rounding,
            scatter=scatter,
        )

    def output_index(self, coordinate: int, column: int) -> int:
        """Return the index of the output that is differentiated in a column."""
        if self.output_indices is None:
            return column
        return int(self.output_indices[coordinate, column])


def judge_measurement(
    claim: Floats,
    measurement: Measurement,
    *,
    natural: Floats,
    rtol: float,
    rounding: float | Floats,
    scatter: Floats | float = 0.0,
    starts: Indices | None = None,
) -> Judgement:
    """Judge claims against a measurement; the other parameters are those of `judge`."""
    return judge(
        claim,
        measurement.value,
        measurement.bound,
        measurement.kinks,
        unchanged=measurement.has_status(Status.UNCHANGED)
        | measurement.has_status(Status.PLATEAU),
        natural=natural,
        rtol=rtol,
        rounding=rounding,
        scatter=scatter,
        starts=starts,
    )


def _decide_kinks(
    evidence: Evidence, nearby: NearbyEntryClaims, judgement: Judgement
) -> Judgement:
    """Decide claims at kinks that are no common choice of a subgradient by nearby claims.

    A backward that returns the one-sided slopes on both sides is correct beside the kink; then
    the claim may be a sum over several kinks. Where very many entries are at a kink, only some
    are compared with the claims on both sides.
    """
    measurement = evidence.measurement
    correct, wrong = list[Place](), list[Place]()
    stride = -(-len(judgement.unclassified) // MOST_COMPARED_SIDES)
    compared = judgement.unclassified[::stride]
    others = (place for place in judgement.unclassified if place not in {*compared})
    for number, place in enumerate([*compared, *others]):
        coordinate, output = place
        step, slopes = float(measurement.step[coordinate]), measurement.kinks[place]
        claim, allowed = float(evidence.claim[place]), float(judgement.allowed[place])
        if number < len(compared):
            sides = nearby.on_both_sides(coordinate, step)
            if sides is None:
                return judgement.decide_kinks(correct, wrong)
            if not are_one_sided_slopes(
                (float(sides[0][output]), float(sides[1][output])), slopes, allowed=allowed
            ):
                wrong.append(place)
                continue
        elif wrong:
            break
        around = nearby.around_kink(coordinate, step)[:, output]
        if explained_by_several_kinks(around, slopes, claim=claim, allowed=allowed):
            correct.append(place)
        elif around.size and not nearby.is_single_coordinate:
            wrong.append(place)
    return judgement.decide_kinks(correct, wrong)


def split_by_parameter(
    places: Mapping[Place, Item], edges: Sequence[int]
) -> list[dict[Place, Item]]:
    """Split items by parameter, with coordinates counted from the first of each parameter.

    Examples
    --------
    >>> split_by_parameter({(0, 0): "a", (3, 1): "b"}, [0, 2, 5])
    [{(0, 0): 'a'}, {(1, 1): 'b'}]
    """
    parts = [dict[Place, Item]() for _ in edges[1:]]
    for (coordinate, output), item in places.items():
        number = bisect_right(edges, coordinate) - 1
        parts[number][coordinate - edges[number], output] = item
    return parts
