"""Claims for other cotangents, and one rounding away."""

from typing import Any
from unittest import SkipTest

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, check_gradient
from pytest_gradcheck.binding.backward.perturbed_claims import one_rounding_away
from pytest_gradcheck.binding.bind import bind
from pytest_gradcheck.binding.call.resolved_call import Call
from pytest_gradcheck.binding.values.parameters import Block

X = np.array([1.0, -2.0, 0.5])


def test_every_call_comes_straight_after_a_forward_at_the_point() -> None:
    """That holds for each cotangent: the same, another, a combination and zero."""
    log: list[str] = []
    cotangents: list[Any] = []

    def forward(x: Any) -> Any:
        log.append(f"forward {x[0]}")
        return 2 * x

    def backward(dout: Any) -> Any:
        log.append("backward")
        cotangents.append(dout)
        return 2 * dout

    with bind(Call(forward, backward, (X,)), seed=0) as problem:
        others = next(problem.other_cotangents())
    assert log == ["forward 1.0", "backward"] * 5
    first, repeated, second, combined, zero = cotangents
    assert first.tolist() == repeated.tolist() != second.tolist()
    assert combined.tolist() == (first - 2.5 * second).tolist()
    assert zero.tolist() == [0, 0, 0]
    assert others.combined.tolist() == (2 * combined).tolist()
    assert problem.counts.backward == 5


def test_further_cotangents_are_close_to_those_before() -> None:
    """There are as many as asked for, three calls each; that for zeros is called once."""
    with bind(Call(lambda x: 2 * x, lambda dout: 2 * dout, (X,)), seed=0) as problem:
        results = problem.other_cotangents()
        before, after, third = next(results), next(results), next(results)
    assert problem.counts.backward == 5 + 3 + 3
    for a, b in ((before, after), (before, third), (after, third)):
        for one, two in ((a.first, b.first), (a.second, b.second)):
            assert (one != two).all()
            assert np.allclose(one, two, rtol=3e-3)
    assert np.allclose(after.combined, after.first - 2.5 * after.second)
    assert after.zero.tolist() == [0, 0, 0]


def test_without_cotangent_backward_is_called_twice() -> None:
    """Without a cotangent it is only called to see whether it is repeatable."""
    with bind(Call(lambda x: np.sum(x**2), lambda x: 2 * x, (X,)), seed=0) as problem:
        assert problem.counts.backward == 2
        assert list(problem.other_cotangents()) == []


def test_backward_is_called_again_for_one_call_of_forward() -> None:
    """Later claims are those of the first call, if backward changes nothing that it is given."""
    with bind(Call(lambda x: np.sum(x**2), lambda x: 2 * x, (X,)), seed=0) as problem:
        before = problem.counts.forward
        claims = [claim for claim, _ in zip(problem.claims_again(), range(3), strict=False)]
    assert problem.counts.forward == before + 1
    assert [claim.rows(0, 3)[:, 0].tolist() for claim in claims if claim] == 3 * [[2, -4, 1]]


def test_forward_that_returns_the_claim_has_no_backward_to_call_again() -> None:
    """Each claim costs a call of forward there."""
    with bind(Call(lambda x: (np.sum(x**2), 2 * x), True, (X,)), seed=0) as problem:
        assert list(problem.claims_again()) == []


def test_what_cannot_be_read_for_a_zero_cotangent_is_nan() -> None:
    """0 / 0 is NaN in the claims, not an error of the call, nor a warning."""
    call = Call(lambda x: 2 * x, lambda dout: 2 * dout * (dout[0] / dout[0]), (X,))
    with bind(call, seed=0) as problem:
        others = next(problem.other_cotangents())
    assert np.isnan(others.zero).all()


def refused_check() -> None:
    """Make a check of whole numbers, which makes no sense."""
    check_gradient(np.sin, np.cos, np.array([1, 2]))


def skip() -> None:
    """End the test."""
    raise SkipTest("nothing")


@pytest.mark.parametrize(
    ("end", "error"), [(refused_check, GradcheckUsageError), (skip, SkipTest)]
)
def test_what_ends_a_check_is_raised(end: Any, error: type[Exception]) -> None:
    """A check that the user's functions make, and that is refused; a test that is skipped."""

    def forward(x: Any) -> Any:
        if x[0] != X[0]:
            end()
        return x**2

    def backward(x: Any, dout: Any) -> Any:
        if not dout.any():
            end()
        return 2 * x * dout

    with bind(Call(forward, backward, (X,)), seed=0) as problem:
        with pytest.raises(error):
            problem.claim_at(X + 1)
        with pytest.raises(error):
            next(problem.other_cotangents())


def test_other_exceptions_at_points_of_our_own_are_no_claim() -> None:
    """So is a claim that cannot be read there."""

    def backward(x: Any) -> Any:
        if x[0] == 2:
            raise ValueError
        return 2 * x / (x != 0)

    with bind(Call(lambda x: np.sum(x**2), backward, (X,)), seed=0) as problem:
        assert problem.claim_at(X + 1) is None
        assert problem.claim_at(0 * X) is None


def test_numbers_are_perturbed_by_a_few_roundings_of_their_types() -> None:
    """Each goes up or down independently; zeros stay."""
    blocks = [
        Block("a", (40,), "float64", 0, 40),
        Block("b", (20,), "complex64", 40, 80, True),
    ]
    vector = np.random.default_rng(0).normal(size=80).astype(np.float32).astype(np.float64)
    vector[[3, 50]] = 0.0
    perturbed = one_rounding_away(vector, blocks, np.random.default_rng(1))
    distance = np.abs(perturbed - vector)
    assert distance[[3, 50]].tolist() == [0, 0]
    rest = np.delete(np.arange(80), [3, 50])
    unit = np.where(
        rest < 40,
        np.spacing(np.abs(vector[rest])),
        np.spacing(np.abs(vector[rest]).astype(np.float32)),
    )
    assert (distance[rest] >= unit / 2).all()
    assert (distance[rest] <= np.where(rest < 40, 32, 2) * unit).all()
    assert {-1.0, 1.0} == set(np.sign(perturbed - vector)[rest])
