"""Solvers that adapt their step size: a right adjoint is not called wrong."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from pytest_gradcheck.report.report import Report
from tests.benchmarks.without_wrong_lines import without_wrong_lines
from tests.corpus.families.solvers import SOLVERS
from tests.corpus.family import Array, Case

FAMILIES = {family.name: family for family in SOLVERS.families}

#: Tolerances from 1e-3 to 1e-7; an earlier version called each of them wrong.
CASES = [
    ("oscillator_adaptive", 4),
    ("oscillator_adaptive", 7),
    ("logistic_growth_adaptive", 23),
    ("decay_by_solve_ivp", 7),
]


def case_of(name: str, seed: int) -> Case:
    """Return the case of a seed."""
    return FAMILIES[name].case(seed)


def check(case: Case, factors: Any, mode: Any, seed: int) -> Report:
    """Check the exact gradient times factors."""

    def claim(x: Array) -> Array:
        return np.asarray(case.gradient(x) * np.asarray(factors))

    return check_gradient(case.forward, claim, case.point.copy(), mode=mode, seed=seed)


@pytest.mark.parametrize("mode", ["full", "fast"])
@pytest.mark.parametrize(("name", "seed"), CASES)
def test_right_adjoint_of_an_adaptive_solver_is_not_wrong(name: str, seed: int, mode: str) -> None:
    """It is the derivative of the solution that the solver approximates."""
    report = check(case_of(name, seed), 1.0, mode, seed)
    assert report.verdict != "wrong"


def test_message_says_what_to_do_about_a_solver() -> None:
    """It also says how many digits agree."""
    text = str(check(case_of("oscillator_adaptive", 3), 1.0, "full", 3)).replace("\n      ", " ")
    assert "a tighter tolerance shows more" in text
    assert "agree to 3 digits" in text


@pytest.mark.parametrize("mode", ["full", "fast"])
@pytest.mark.parametrize("factor", [-1.0, 2.0])
@pytest.mark.parametrize(("name", "seed"), CASES[1:])
def test_wrong_sign_or_factor_is_wrong_for_every_solver(
    name: str, seed: int, factor: float, mode: str
) -> None:
    """No tolerance of a solver explains such an error."""
    assert check(case_of(name, seed), factor, mode, seed).verdict == "wrong"


def test_checks_do_not_depend_on_checks_before() -> None:
    """Repeated checks under the same seed take the same evaluations."""
    case = case_of("oscillator_adaptive", 4)
    assert len({check(case, 1.0, "full", 1).evaluations for _ in range(4)}) == 1


@pytest.mark.parametrize("mode", ["full", "fast"])
def test_one_entry_with_a_far_larger_error_than_the_others_is_wrong(mode: str) -> None:
    """The error of a solver is in all derivatives alike."""
    case = case_of("predators_by_adjoint", 5)
    assert check(case, 1.0, mode, 0).verdict != "wrong"
    with without_wrong_lines():
        report = check(case, [1.0, 1.0, 1.0, 1.05], mode, 0)
    assert [entry.index for entry in report.worst if entry.verdict == "wrong"] == [(3,)]


@pytest.mark.parametrize("seed", range(3))
def test_kink_of_forward_excuses_no_entry_beside_a_large_error(seed: int) -> None:
    """A solver that explains the small differences explains the large ones as well."""
    centre, reach = np.array([0.3, -0.2]), 1.2

    def force(x: Array) -> Array:
        """Return a force that vanishes from a distance on."""
        distance = np.linalg.norm(x - centre)
        return np.asarray((x - centre) / distance * max(1 - distance / reach, 0.0))

    def jacobian(x: Array) -> Array:
        """Return its Jacobian, with one of two directions from the origin."""
        distance = np.linalg.norm(x - centre)
        across = np.eye(2) - np.outer(x - centre, x - centre) / distance**2
        along = np.outer(x, x) / (x @ x)
        return np.asarray((1 / distance - 1 / reach) * across - along / reach)

    report = check_gradient(force, jacobian, np.array([0.9, 0.5]), seed=seed)
    assert report["x"].wrong == 4
