"""The report on the corpus, and a few families from end to end."""

import json

import pytest

from tests.corpus.claim_check import Claim, ClaimResult
from tests.corpus.corpus_runner import check_families, choose_families
from tests.corpus.families.length_scales import LENGTH_SCALES
from tests.corpus.family import Case, Family
from tests.corpus.report import as_data, table
from tests.corpus.result_builder import claim_result


def test_claims_that_went_wrong_are_listed() -> None:
    """Correct claims that fail, missed errors and violated bounds are listed below the table."""
    results = [
        claim_result(seed=1, verdict="wrong", passed=False),
        claim_result(seed=2, mutant="swap", error=0.5, visible=True),
        claim_result(seed=3, overturned=1),
        claim_result(seed=4),
        claim_result(seed=5, verdict="inconclusive", passed=False),
        claim_result(seed=6, verdict="inconclusive"),
    ]
    assert [line for line in table(results) if line.startswith("!")] == [
        "! quadratic_form, seed 1, correct (error 0.0e+00): wrong",
        "! quadratic_form, seed 5, correct (error 0.0e+00): inconclusive",
        "! quadratic_form, seed 2, swap (error 5.0e-01): correct",
        "! quadratic_form, seed 3, correct (error 0.0e+00): correct",
    ]


def test_data_is_strict_json() -> None:
    """Any JSON parser reads counts and results; the error of a NaN is null."""
    data = as_data(
        [claim_result(mutant="one NaN", error=float("inf"), visible=True, verdict="refused")]
    )
    read = json.loads(json.dumps(data, allow_nan=False))
    assert read["trials"][0]["error"] is None
    assert read["counts"][6] == {
        "heading": "wrong by 0.1% or more of one entry",
        "name": "called correct: missed",
        "number": 0,
        "total": 1,
        "families": [],
    }


@pytest.mark.parametrize("name", ["quadratic_form", "relu_at", "float32_network"])
def test_a_family_is_distinguished_from_its_mutants(name: str) -> None:
    """The correct gradient passes, and no error of 0.1% is missed."""
    results = check_families(choose_families("all", [name]), range(2), jobs=1)
    assert len(results) > 20
    assert [line for line in table(results) if line.startswith("!")] == []


def test_an_exception_of_the_check_fails_the_claim() -> None:
    """It is counted and listed, and the other claims are still checked."""

    def check(family: Family, seed: int, case: Case, claim: Claim) -> ClaimResult:
        if seed == 1:
            raise IndexError("out of range")
        return claim_result(family=family.name, seed=seed)

    results = check_families(choose_families("all", ["relu_at"]), range(3), 1, check, 1)
    assert [line for line in table(results) if line.startswith("!")] == [
        "! relu_at, seed 1, correct (error 0.0e+00): raises IndexError"
    ]


def test_halves_are_disjoint_and_complete() -> None:
    """No family is both for tuning and held out, and every family is one of the two."""
    tuned, untuned = choose_families("tuned"), choose_families("untuned")
    assert set(tuned) & set(untuned) == set()
    assert set(tuned) | set(untuned) == set(choose_families("all"))


def test_an_unknown_family_is_refused() -> None:
    """A misspelt family is an error, not an empty report."""
    with pytest.raises(ValueError, match=r"^no family is called quadratics$"):
        choose_families("all", ["quadratics"])


def test_a_module_selects_all_of_its_families() -> None:
    """The families of both halves are selected."""
    chosen = choose_families("untuned", modules=["length_scales"])
    assert tuple(chosen) == tuple(LENGTH_SCALES.families)
    assert {family.tuned for family in chosen} == {False, True}


def test_an_unknown_module_is_refused() -> None:
    """A misspelt module is an error, not an empty report."""
    with pytest.raises(ValueError, match=r"^no module of families is called lengths$"):
        choose_families("all", modules=["lengths"])
