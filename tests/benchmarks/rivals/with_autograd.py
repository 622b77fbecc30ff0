"""`autograd.test_util.check_grads` of a primitive with its vector-Jacobian product."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from autograd.extend import defvjp, primitive
from autograd.test_util import check_grads

from tests.benchmarks.rivals.rival import Floats, Rival

__all__ = ["AUTOGRAD"]


def accepts(forward: Callable[[Floats], Any], claim: Floats, point: Floats) -> bool:
    """Check a claim with autograd's defaults."""
    checked = primitive(lambda x: float(forward(x.copy())))
    defvjp(checked, lambda answer, x: lambda cotangent: cotangent * claim)
    np.random.seed(0)  # noqa: NPY002  # the generator autograd draws its direction from
    try:
        check_grads(checked, modes=["rev"], order=1)(point.copy())
    except AssertionError:
        return False
    return True


AUTOGRAD = Rival(
    "autograd check_grads",
    "autograd",
    accepts,
    '`modes=["rev"], order=1`; defaults: `EPS=1e-6`, `TOL=RTOL=1e-6`, one direction',
)
