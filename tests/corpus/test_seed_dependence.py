"""Dependence of a check's outcome on its seed."""

from dataclasses import replace

import pytest

from tests.corpus.claim_check import Claim, ClaimResult, check_claim
from tests.corpus.corpus_runner import choose_families
from tests.corpus.family import Case, Family
from tests.corpus.report import main
from tests.corpus.seed_dependence import (
    SeedDependence,
    check_under_many_seeds,
    seed_dependence_table,
)


def inconclusive_if_even(family: Family, seed: int, case: Case, claim: Claim) -> ClaimResult:
    """Return a result that depends on the seed alone."""
    result = check_claim(family, 0, case, claim)
    return result if seed % 2 else replace(result, verdict="inconclusive", passed=False)


def test_a_verdict_that_depends_on_the_seed_is_found() -> None:
    """Each outcome of a claim is counted, the most frequent first."""
    families = choose_families("all", ["quadratic_form"])
    assert check_under_many_seeds(families, range(2), 5, 1, inconclusive_if_even) == [
        SeedDependence("quadratic_form", seed, (("inconclusive, fails", 3), ("correct", 2)))
        for seed in range(2)
    ]


def test_only_the_check_has_another_seed() -> None:
    """The case and the claim stay the same."""
    seen = []

    def record(family: Family, seed: int, case: Case, claim: Claim) -> ClaimResult:
        seen.append((seed, claim.mutant, tuple(case.point), tuple(claim.gradient)))
        return check_claim(family, seed, case, claim)

    families = choose_families("all", ["quadratic_form"])
    (found,) = check_under_many_seeds(families, [7], 3, 1, record)
    case = families[0].case(7)
    point_and_gradient = tuple(case.point), tuple(case.gradient(case.point))
    assert seen == [(seed, "correct", *point_and_gradient) for seed in range(3)]
    assert found.outcomes == (("correct", 3),)


def test_cases_that_depend_on_the_seed_are_listed() -> None:
    """Family and seed are enough to run a case again."""
    cases = [
        SeedDependence("relu_at", 3, (("correct", 9), ("wrong", 1))),
        SeedDependence("relu_at", 4, (("correct", 10),)),
    ]
    assert list(seed_dependence_table(cases, 10)) == [
        "correct claims under 10 seeds of the check: the outcome depends on the seed "
        "in 1 of 2 cases",
        "~ relu_at, seed 3: correct: 9; wrong: 1",
    ]


def test_the_command_reseeds(capsys: pytest.CaptureFixture[str]) -> None:
    """``--reseed`` checks correct claims only."""
    main(["--family", "quadratic_form", "--seeds", "2", "--jobs", "1", "--reseed", "4"])
    assert capsys.readouterr().out == (
        "correct claims under 4 seeds of the check: the outcome depends on the seed in 0 of 2 "
        "cases\n"
    )
