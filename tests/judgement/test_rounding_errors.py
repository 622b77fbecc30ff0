"""Statistics of rounding errors."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pytest_gradcheck.judgement.rounding_errors import find_systematic

ROUNDING = 2.0**-10
RNG = np.random.default_rng(0)
EXACT = RNG.normal(size=1000)

Floats = NDArray[np.float64]


def rounded(values: Floats) -> Floats:
    """Return numbers rounded to nearest in float16."""
    return values.astype(np.float16).astype(float)


def kinds(error: Floats, exact: Floats = EXACT, plain: Floats | None = None) -> list[str]:
    """Return the kinds of systematic errors."""
    return [each.kind for each in find_systematic(error, exact, ROUNDING, plain=plain)]


def test_rounding_to_nearest() -> None:
    """It is no systematic error, nor is that of one constant that all numbers share."""
    assert kinds(rounded(EXACT) - EXACT) == []
    assert kinds(rounded(EXACT * (1 + 0.5 * ROUNDING)) - EXACT) == []


@pytest.mark.parametrize("roundings", [-4, -2, 2, 4])
def test_numbers_that_are_off_together(roundings: float) -> None:
    """The amount is found, with its sign."""
    error = rounded(EXACT * (1 + roundings * ROUNDING)) - EXACT
    (found,) = find_systematic(error, EXACT, ROUNDING)
    assert found.kind == "shifted"
    assert found.amount == pytest.approx(roundings, abs=0.1)


def test_truncation() -> None:
    """It makes all numbers half a unit in the last place too small."""
    mantissa, exponent = np.frexp(EXACT)
    truncated = np.ldexp(np.trunc(mantissa * 2**11) / 2**11, exponent)
    (found,) = find_systematic(truncated - EXACT, EXACT, ROUNDING)
    assert found.kind == "truncated"
    assert found.amount == pytest.approx(-0.5, abs=0.2)


def test_a_function_of_a_library_that_is_slightly_biased() -> None:
    """Its errors have both signs: it was not truncated, although their mean is not zero."""
    rng = np.random.default_rng(1)
    exact, bias = rng.normal(size=10_000), rng.choice([0.0, 1.0], size=10_000, p=[0.6, 0.4])
    units = rng.uniform(-0.5, 0.5, size=10_000) + bias
    unit = np.ldexp(ROUNDING / 2, np.frexp(exact)[1])
    assert kinds(np.sign(exact) * units * unit, exact) == []


def test_a_product_with_a_rounded_constant_is_rounded_to_nearest() -> None:
    """Few different rounding errors are possible, and no line describes them."""
    for seed in range(200):
        x = np.random.default_rng(seed).uniform(0.5, 1.5, size=512).astype(np.float32)
        error = (x * np.float32(0.1)).astype(float) - 0.1 * x.astype(float)
        assert find_systematic(error, 0.1 * x.astype(float), 2.0**-23) == ()


def test_copies_are_no_evidence() -> None:
    """One number that is often there is one number."""
    exact = np.full(1000, 1 / 3)
    assert kinds(-4 * ROUNDING * exact, exact) == []


def test_few_numbers_are_no_statistics() -> None:
    """Rounding errors of a few may have the same sign by chance."""
    assert kinds(-4 * ROUNDING * EXACT[:8], EXACT[:8]) == []


def test_exact_values_that_are_not_known_well() -> None:
    """What is uncertain by a rounding shows no rounding error."""
    error = -4 * ROUNDING * EXACT
    assert find_systematic(error, EXACT, ROUNDING, uncertainty=ROUNDING * np.abs(EXACT)) == ()


def test_subnormal_numbers_are_left_out() -> None:
    """Their roundings are absolute: they are too small by many relative ones, or by all."""
    tiny = 1e-7 * EXACT
    assert kinds(-tiny, tiny) == []


def test_errors_beside_those_of_a_plain_implementation() -> None:
    """They may be twice as large, and where the plain ones are shifted, so may these be."""
    plain = 3 * ROUNDING * RNG.normal(size=1000)
    assert kinds(1.5 * RNG.permutation(plain), plain=plain) == []
    assert kinds(4 * RNG.permutation(plain), plain=plain) == ["imprecise"]
    shifted = rounded(EXACT * (1 + 3 * ROUNDING)) - EXACT
    assert kinds(shifted, plain=shifted) == []
