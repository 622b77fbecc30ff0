"""Iterative refinement of a derivative."""

from dataclasses import dataclass, replace

import pytest

from pytest_gradcheck.numerics.refinement import Refinement, refine


@dataclass(frozen=True)
class _Steps(Refinement[int, int]):
    """A refinement with a number of steps, which terminates after some of them."""

    left: int
    enough: int = 100
    measured: tuple[int, ...] = ()

    def check_termination(self) -> bool:
        return len(self.measured) >= self.enough

    def pre_func_eval(self) -> int | None:
        return self.left or None

    def func_eval(self, step: int) -> int:
        return 10 * step

    def post_func_eval(self, measured: int) -> "_Steps":
        return replace(self, left=self.left - 1, measured=(*self.measured, measured))


@pytest.mark.parametrize(
    ("left", "enough", "maxiter", "measured"),
    [
        pytest.param(3, 2, 9, (30, 20), id="it terminates"),
        pytest.param(2, 9, 9, (20, 10), id="no step is left"),
        pytest.param(3, 9, 1, (30,), id="no iteration is left"),
        pytest.param(3, 0, 9, (), id="it has terminated before"),
        pytest.param(3, 9, 0, (), id="no iteration at all"),
    ],
)
def test_a_refinement_ends_for_one_of_three_reasons(
    left: int, enough: int, maxiter: int, measured: tuple[int, ...]
) -> None:
    """And returns the state after the last measurement."""
    assert refine(_Steps(left, enough), maxiter=maxiter).measured == measured


def test_a_state_is_not_changed() -> None:
    """Every measurement gives another one."""
    start = _Steps(3)
    refine(start, maxiter=2)
    assert start == _Steps(3)
