"""Where in an array the wrong claims are: a row, a block, every second column, a triangle.

A place is said where it is more than chance: it holds all wrong claims and no right one, and far
fewer places can be described than there are choices of as many claims.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.diagnosis.agreement import counted
from pytest_gradcheck.diagnosis.comparison import Comparison
from pytest_gradcheck.diagnosis.gradient import Booleans, ClaimedGradient
from pytest_gradcheck.report.report_data import Diagnosis

__all__ = ["TINY", "Place", "wrong_place"]

#: The digits of evidence that a place needs to be said without a cause.
ENOUGH = 1.0

#: Of so few claims nearly every choice has words: a row, the border, every second one.
TINY = 4

#: The digits that choosing a place with a name takes.
NAMED = 0.7


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A place in an array that holds all its wrong claims, and no right one.

    Attributes
    ----------
    words : str
        The place: ``in W[3, :]``.
    mask : ndarray of bool, shape (*axes, m)
        The place.
    evidence : float
        The digits by which it is more than chance.
    wrong, right : int
        The number of wrong claims in it, and of nonzero right claims elsewhere.
    kind : str
        The kind of its diagnosis: ``"places"`` for entries that have no place in words.
    """

    words: str
    mask: Booleans
    evidence: float
    wrong: int
    right: int
    kind: str = "place"

    @property
    def is_evident(self) -> bool:
        """Whether it is more than chance."""
        return self.evidence >= ENOUGH

    def diagnosis(self) -> Diagnosis:
        """Return it as a diagnosis."""
        wrong = counted(self.wrong, "entry", "entries")
        text = f"wrong only {self.words} ({wrong}), right in the other {self.right:,}"
        return Diagnosis(self.kind, text, {"wrong": self.wrong, "right": self.right})


def wrong_place(comparison: Comparison) -> Place | None:
    """Return the place of the wrong claims, None where no claim is known to be right.

    Where it is no simple one, or the array is tiny, it is all wrong claims, and is not evident.
    """
    gradient, wrong = comparison.gradient, comparison.suspects
    right = ~wrong & (gradient.claim != 0)
    if comparison.is_sweep:
        right = comparison.is_right.reshape(gradient.claim.shape)
    count, others = int(np.count_nonzero(wrong)), int(np.count_nonzero(right))
    if not count or not others:
        return None
    chance = _log10_choices(count + others, count)
    best: Place | None = None
    candidates = _candidates(gradient, wrong, right) if wrong.size > TINY else ()
    for words, mask, cost in candidates:
        if (right & mask).any() or (wrong & ~mask).any():
            continue
        if best is None or chance - cost > best.evidence:
            best = Place(words, mask, chance - cost, count, others)
    if best is None:
        words = "in some of its entries"
        best = Place(words, wrong, 0.0, count, others, kind="places")
    return best


def _candidates(
    gradient: ClaimedGradient, wrong: Booleans, right: Booleans
) -> Iterator[tuple[str, Booleans, float]]:
    """Yield places with their words, and the digits that choosing each of them takes."""
    yield from _products(gradient, wrong, right)
    if not gradient.is_array or gradient.imaginary.any():
        return
    value, shape = gradient.parameter, wrong.shape
    for words, where in (("negative", value < 0), ("positive", value > 0), ("zero", value == 0)):
        text = f"where {gradient.name} is {words}"
        yield text, np.broadcast_to(where, shape), NAMED
    axes = gradient.axes
    if len(axes) >= 2 and axes[-1] == axes[-2] > 1:
        square = np.ones(axes[-2:], dtype=np.bool_)
        for words, where in (
            ("the diagonal", np.eye(axes[-1], dtype=np.bool_)),
            ("all but the diagonal", ~np.eye(axes[-1], dtype=np.bool_)),
            ("the lower triangle", np.tril(square, -1)),
            ("the upper triangle", np.triu(square, 1)),
            ("the lower triangle with the diagonal", np.tril(square)),
            ("the upper triangle with the diagonal", np.triu(square)),
        ):
            yield f"in {words} of {gradient.name}", np.broadcast_to(where[..., None], shape), NAMED
    for first in range(len(axes) - 1):  # images have one axis or more for channels
        spatial = range(first, len(axes))
        if all(axes[axis] > 2 for axis in spatial):
            border = _border(axes, spatial)[..., None]
            along = "" if first == 0 else f" along its last {len(axes) - first} axes"
            yield f"on the border of {gradient.name}{along}", np.broadcast_to(border, shape), NAMED
            inside = np.broadcast_to(~border, shape)
            yield f"in the interior of {gradient.name}{along}", inside, NAMED


def _products(
    gradient: ClaimedGradient, wrong: Booleans, right: Booleans
) -> Iterator[tuple[str, Booleans, float]]:
    """Yield places that have some indices of each axis: the smallest, and one of more whole axes.

    Claims that vanish as they should may be in either: a row without its zeros, and the row.
    """
    chosen = [_wrong_along(axis, wrong) for axis in range(wrong.ndim)]
    smallest = _product(gradient, chosen)
    if smallest is not None:
        yield smallest
    if (right & _outer(chosen)).any():
        return
    for axis, indices in enumerate(chosen):
        wider = [*chosen]
        wider[axis] = np.ones_like(indices)
        if not (right & _outer(wider)).any():
            chosen = wider
    widest = _product(gradient, chosen)
    if widest is not None:
        yield widest


def _wrong_along(axis: int, wrong: Booleans) -> Booleans:
    """Return at which indices of an axis anything is wrong."""
    return np.asarray(wrong.any(axis=tuple(k for k in range(wrong.ndim) if k != axis)))


def _outer(chosen: Sequence[Booleans]) -> Booleans:
    """Return the place that has some indices of each axis."""
    mask = np.ones([indices.size for indices in chosen], dtype=np.bool_)
    for axis, indices in enumerate(chosen):
        mask &= indices.reshape([-1 if k == axis else 1 for k in range(mask.ndim)])
    return mask


def _product(
    gradient: ClaimedGradient, chosen: Sequence[Booleans]
) -> tuple[str, Booleans, float] | None:
    """Return a place that has some indices of each axis; None where these have no words."""
    texts, cost = list[str](), 0.0
    for indices in chosen:
        described = _indices(np.flatnonzero(indices), indices.size)
        if described is None:
            return None
        text, own = described
        texts.append(text)
        cost += own
    *places, output = texts
    words = f"in {gradient.name}"
    if any(text != ":" for text in places):
        words += f"[{', '.join(places)}]"
    if output != ":":
        several = "s" if ":" in output or "[" in output else ""
        words += f" of output{several} {output}"
    return words, _outer(chosen), cost


def _indices(indices: Sequence[int] | np.ndarray, length: int) -> tuple[str, float] | None:
    """Return some indices of an axis as text, and the digits that choosing them takes.

    Examples
    --------
    >>> [_indices(some, 8)[0] for some in ([3], [2, 3, 4], [1, 2, 3, 4, 5, 6, 7], [1, 3, 5, 7])]
    ['3', '2:5', '1:', '1::2']
    """
    first, last, count = int(indices[0]), int(indices[-1]), len(indices)
    if count == length:
        return ":", 0.0
    if count == 1:
        text = "-1" if first == length - 1 and length > 2 else str(first)
        return text, math.log10(length)
    step = int(indices[1]) - first
    if (np.diff(indices) != step).any():
        return None
    low = "" if first == 0 else str(first)
    high = "" if last + step >= length else str(last + 1)
    if step == 1:
        choices = length * (2 if first == 0 or last == length - 1 else length)
        if length % count == 0 and first % count == 0:  # one of equal parts
            parts = [part for part in range(1, length) if length % part == 0]
            choices = min(choices, len(parts) * length // count)
        return f"{low}:{high}", math.log10(choices)
    if count == 2:
        return f"[{first}, {last}]", 2 * math.log10(length)
    return f"{low}:{high}:{step}", 2 * math.log10(length)


def _border(axes: tuple[int, ...], spatial: Sequence[int]) -> Booleans:
    inside = [slice(1, -1) if axis in spatial else slice(None) for axis in range(len(axes))]
    border = np.ones(axes, dtype=np.bool_)
    border[tuple(inside)] = False
    return border


def _log10_choices(total: int, chosen: int) -> float:
    """Return the decimal logarithm of a binomial coefficient."""
    log = math.lgamma(total + 1) - math.lgamma(chosen + 1) - math.lgamma(total - chosen + 1)
    return log / math.log(10)
