"""Constraints on parameters: sets of arrays, with tangent directions and a projection.

A check takes a constraint as ``tangent={"S": symmetric}``. A new set is a subclass of
`Constraint`.
"""

from pytest_gradcheck.constraints.base import Constraint, masked
from pytest_gradcheck.constraints.matrices import (
    hermitian,
    lower_triangular,
    orthogonal,
    positive_definite,
    symmetric,
    upper_triangular,
)
from pytest_gradcheck.constraints.vectors import simplex, unit_norm

__all__ = [
    "Constraint",
    "hermitian",
    "lower_triangular",
    "masked",
    "orthogonal",
    "positive_definite",
    "simplex",
    "symmetric",
    "unit_norm",
    "upper_triangular",
]
