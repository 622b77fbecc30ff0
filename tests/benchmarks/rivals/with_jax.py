"""`jax.test_util.check_grads` of a custom VJP that calls back to numpy."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.test_util import check_grads

from tests.benchmarks.rivals.rival import Floats, Rival

__all__ = ["JAX"]

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")
# A forward that raises is counted, and need not be logged.
logging.getLogger("jax._src.callback").setLevel(logging.CRITICAL)


def accepts(forward: Callable[[Floats], Any], claim: Floats, point: Floats) -> bool:
    """Check a claim with JAX's defaults."""
    number = jax.ShapeDtypeStruct((), np.float64)

    def call(x: Any) -> Any:
        return np.float64(forward(np.array(x)))

    checked = jax.custom_vjp(lambda x: jax.pure_callback(call, number, x))
    checked.defvjp(lambda x: (checked(x), None), lambda _, cotangent: (cotangent * claim,))
    try:
        check_grads(checked, (point,), order=1, modes=["rev"])
    except AssertionError:
        return False
    return True


JAX = Rival(
    "jax check_grads",
    "jax",
    accepts,
    '`order=1, modes=["rev"]`, x64; defaults: `eps=1e-4`, `atol=rtol=1e-5`, one direction',
)
