"""Classes of claims by the size of their error."""

import numpy as np

from tests.corpus.error_classes import coarse, correct, fine, gross, visible
from tests.corpus.result_builder import claim_result


def test_a_rounded_tenth_of_a_percent_is_coarse() -> None:
    """A factor of 1.001 is an error of 0.1%, whichever way it is rounded."""
    wrong = claim_result(mutant="entry 0.1% off", error=1.001 - 1 - 1e-16)
    assert coarse([wrong]) == [wrong]
    assert (gross([wrong]), fine([wrong])) == ([], [])


def test_a_rounded_percent_is_gross() -> None:
    """An error of 1% is both coarse and gross."""
    wrong = claim_result(mutant="entry 1% off", error=1.01 - 1 - 1e-16)
    assert gross([wrong]) == coarse([wrong]) == [wrong]


def test_not_a_number_is_coarse() -> None:
    """A NaN counts as an infinite error."""
    wrong = claim_result(mutant="one NaN", error=np.inf)
    assert coarse([wrong]) == [wrong]
    assert fine([wrong]) == []


def test_one_in_ten_thousand_is_fine() -> None:
    """Errors of 1e-4 are a class of their own."""
    wrong = claim_result(mutant="entry 1e-4 off", error=1e-4)
    assert coarse([wrong]) == []
    assert fine([wrong]) == [wrong]


def test_a_rounding_error_is_in_no_class() -> None:
    """A claim cast to float32 is neither coarse nor fine nor correct."""
    cast = claim_result(mutant="float32 cast", error=4e-8)
    assert (coarse([cast]), fine([cast]), correct([cast])) == ([], [], [])


def test_a_correct_claim_is_never_wrong() -> None:
    """At a kink a correct claim may differ from one of the slopes."""
    right = claim_result(error=1.0)
    assert (coarse([right]), fine([right]), correct([right])) == ([], [], [right])


def test_invisible_errors_are_left_out() -> None:
    """Only errors that are visible in forward's values remain."""
    seen, unseen = (
        claim_result(mutant="swap", visible=True),
        claim_result(mutant="swap", visible=False),
    )
    assert visible([seen, unseen]) == [seen]
