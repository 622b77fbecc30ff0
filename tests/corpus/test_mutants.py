"""Errors of claims, where several claims are valid and where an error is invisible."""

import numpy as np

from tests.corpus.family import Array, Case
from tests.corpus.mutants import MUTANTS, largest_relative_error, visible_entries


def rectified(*, isolated: bool) -> Case:
    """Return a ReLU at zero, with slopes 0 and 2."""
    return Case(
        lambda x: 2 * np.sum(np.maximum(x, 0)),
        np.zeros_like,
        np.zeros(1),
        np.zeros_like,
        lambda x: np.full_like(x, 2),
        isolated_kink=isolated,
    )


def error(slope: float, case: Case) -> float:
    """Return the relative error of claiming a slope."""
    return largest_relative_error(np.array([slope]), case.valid_intervals())


def test_any_slope_between_is_valid_where_several_kinks_coincide() -> None:
    """Every convex combination of their slopes is valid."""
    case = rectified(isolated=False)
    assert [error(slope, case) for slope in (0, 0.6, 2, 3)] == [0, 0, 0, 0.5]


def test_slopes_of_an_isolated_kink_and_their_mean_are_valid() -> None:
    """The error of any other claim is its distance to the nearest of the three."""
    case = rectified(isolated=True)
    assert [error(slope, case) for slope in (0, 1, 2, 0.5, 3)] == [0, 0, 0, 0.25, 0.5]


def test_between_slopes_is_a_mutant_of_isolated_kinks_only() -> None:
    """The wrong claim lies between the slopes, and equals neither."""

    def between(case: Case) -> Array | None:
        return MUTANTS["between slopes"](np.zeros(1), case, np.random.default_rng(0))

    assert between(rectified(isolated=False)) is None
    claim = between(rectified(isolated=True))
    assert claim is not None
    assert largest_relative_error(claim, rectified(isolated=True).valid_intervals()) > 0.1


def test_errors_within_the_rounding_of_the_gradient_are_invisible() -> None:
    """The gradient itself has an error of that size where terms cancel in it."""
    x = np.array([0.5])
    case = Case(lambda x: np.sum(x**2), lambda x: 2 * x, x, rounding=1e-6)
    assert not visible_entries(case, np.array([1 + 5e-7]), case.valid_intervals())
    assert visible_entries(case, np.array([1 + 5e-6]), case.valid_intervals())


def test_an_invisible_error_does_not_count_where_another_is_visible() -> None:
    """An entry of 1e-200 that a cast rounds to zero does not determine the error of a claim."""
    x = np.array([1.0, 1e-200])
    case = Case(lambda x: np.sum(x**2), lambda x: 2 * x, x)
    claim = np.array([2 + 1e-8, 0.0])
    seen = visible_entries(case, claim, case.valid_intervals())
    assert seen.tolist() == [True, False]
    assert largest_relative_error(claim, case.valid_intervals(), seen) < 1e-7
    assert largest_relative_error(claim, case.valid_intervals()) == 1


def test_there_is_no_stale_gradient_where_backward_raises() -> None:
    """The mutant does not apply where backward is undefined at the moved point."""
    slopes = {1.0: 3.0}
    case = Case(np.sum, lambda x: np.array([slopes[float(x[0])]]), np.ones(1))
    stale = MUTANTS["stale point"](np.full(1, 3.0), case, np.random.default_rng(0))
    assert stale is None
