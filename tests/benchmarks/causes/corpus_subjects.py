"""Bugs in functions of the trust corpus: the claims of one array are changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_gradcheck import check_gradient
from pytest_gradcheck.report.report import Report
from tests.benchmarks.causes.claimed_gradients import Gradients, Transformation
from tests.corpus.family import Array, Case, Family

__all__ = ["CorpusSubject"]

#: The name of the parameter in reports.
PARAMETER = "x"


@dataclass(frozen=True)
class CorpusSubject:
    """A case of a family.

    Attributes
    ----------
    family : Family
        The family.
    seed : int
        The seed of the case.
    """

    family: Family
    seed: int

    @property
    def name(self) -> str:
        """Its name in the tables."""
        return self.family.module

    def gradients(self) -> Gradients:
        """Return the right gradients at the point of its check."""
        case = self.family.case(self.seed)
        return _gradients(case, case.point.copy())

    def check(self, transformation: Transformation, **options: Any) -> Report:
        """Check it with a bug in its backward."""
        case = self.family.case(self.seed)

        def forward(x: Array) -> Any:
            return case.forward(x)

        def backward(x: Array) -> Array:
            seen = _gradients(case, x)
            changed: Mapping[str, Array] = transformation(seen)
            return changed.get(PARAMETER, seen.claims[PARAMETER])

        return check_gradient(forward, backward, case.point.copy(), seed=self.seed, **options)


def _gradients(case: Case, x: Array) -> Gradients:
    return Gradients(
        {PARAMETER: np.array(case.gradient(x.copy()))},
        {PARAMETER: x},
        float(case.forward(x.copy())),
        origin={PARAMETER: case.point},
        elsewhere=lambda name, point: np.array(case.gradient(point)),
    )
