"""How wrong a claim is where several are valid."""

import numpy as np

from tests.corpus.family import Array, Case
from tests.corpus.mutants import MUTANTS, largest_relative_error, visible_entries


def rectified(*, apart: bool) -> Case:
    """Return a rectifier at zero, whose slopes are 0 and 2."""
    return Case(
        lambda x: 2 * np.sum(np.maximum(x, 0)),
        np.zeros_like,
        np.zeros(1),
        np.zeros_like,
        lambda x: np.full_like(x, 2),
        apart=apart,
    )


def error(slope: float, case: Case) -> float:
    """Return the error of claiming a slope."""
    return largest_relative_error(np.array([slope]), case.valid())


def test_any_slope_between_is_valid_where_kinks_meet() -> None:
    """Several kinks at once explain every combination of their slopes."""
    case = rectified(apart=False)
    assert [error(slope, case) for slope in (0, 0.6, 2, 3)] == [0, 0, 0, 0.5]


def test_of_one_kink_its_slopes_and_their_mean_are_valid() -> None:
    """What is none of the three is wrong by its distance to the nearest."""
    case = rectified(apart=True)
    assert [error(slope, case) for slope in (0, 1, 2, 0.5, 3)] == [0, 0, 0, 0.25, 0.5]


def test_a_claim_between_two_slopes_is_made_of_one_kink_only() -> None:
    """The wrong claim lies inside the interval, where it equals neither slope."""

    def between(case: Case) -> Array | None:
        return MUTANTS["between slopes"](np.zeros(1), case, np.random.default_rng(0))

    assert between(rectified(apart=False)) is None
    claim = between(rectified(apart=True))
    assert claim is not None
    assert largest_relative_error(claim, rectified(apart=True).valid()) > 0.1


def test_errors_within_the_rounding_of_the_gradient_are_invisible() -> None:
    """What cancellation leaves of the right gradient is no more right than a change of it."""
    x = np.array([0.5])
    case = Case(lambda x: np.sum(x**2), lambda x: 2 * x, x, rounding=1e-6)
    assert not visible_entries(case, np.array([1 + 5e-7]), case.valid())
    assert visible_entries(case, np.array([1 + 5e-6]), case.valid())


def test_an_error_that_nothing_shows_is_not_the_worst() -> None:
    """An entry of 1e-200 that a cast made zero is not what a visible claim is wrong by."""
    x = np.array([1.0, 1e-200])
    case = Case(lambda x: np.sum(x**2), lambda x: 2 * x, x)
    claim = np.array([2 + 1e-8, 0.0])
    seen = visible_entries(case, claim, case.valid())
    assert seen.tolist() == [True, False]
    assert largest_relative_error(claim, case.valid(), seen) < 1e-7
    assert largest_relative_error(claim, case.valid()) == 1


def test_there_is_no_stale_gradient_where_backward_raises() -> None:
    """A table that ends between the point and a moved one has no entry there."""
    slopes = {1.0: 3.0}
    case = Case(np.sum, lambda x: np.array([slopes[float(x[0])]]), np.ones(1))
    stale = MUTANTS["stale point"](np.full(1, 3.0), case, np.random.default_rng(0))
    assert stale is None
