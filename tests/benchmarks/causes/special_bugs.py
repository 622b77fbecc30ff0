"""Bugs that need a function of their own: activations, masks, complex numbers, symmetric matrices.

Each is a small function with the backward that people write for it by mistake. The mistakes are
in the code, so that no bound on them is known; the kinds of diagnosis that are right are given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_gradcheck import check_gradient
from pytest_gradcheck.report.report import Report
from tests.corpus.family import Array

__all__ = ["SPECIAL_BUGS", "SpecialBug"]


@dataclass(frozen=True)
class SpecialBug:
    """A function with a wrong backward.

    Attributes
    ----------
    name : str
        Name of the bug.
    kinds : frozenset of str
        The kinds of diagnosis that are right.
    forward, backward : callable
        The function and its wrong backward.
    draw : callable
        ``draw(rng)`` returns the arguments.
    checked : tuple of str or None
        The arguments that are checked; None for all.
    harmless : frozenset of str
        Kinds that are true, and do not name the cause.
    """

    name: str
    kinds: frozenset[str]
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    draw: Callable[[np.random.Generator], tuple[Any, ...]]
    checked: tuple[str, ...] | None = None
    harmless: frozenset[str] = frozenset()

    def check(self, seed: int, **options: Any) -> Report:
        """Check it at the point of a seed."""
        args = self.draw(np.random.default_rng(seed))
        return check_gradient(
            self.forward, self.backward, *args, wrt=self.checked, seed=seed, **options
        )


SPECIAL_BUGS: list[SpecialBug] = []


def _add(
    name: str,
    kinds: str,
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    draw: Callable[[np.random.Generator], tuple[Any, ...]],
    *,
    checked: tuple[str, ...] | None = None,
    harmless: str = "",
) -> None:
    others = frozenset(harmless.split())
    bug = SpecialBug(name, frozenset(kinds.split()), forward, backward, draw, checked, others)
    SPECIAL_BUGS.append(bug)


# Activations, of a layer alone: x -> y under an upstream gradient.


def _sigmoid(x: Array) -> Any:
    return 1 / (1 + np.exp(-x))


def _softplus(x: Array) -> Any:
    return np.logaddexp(0, x)


def _relu(x: Array) -> Any:
    return np.maximum(x, 0)


def _leaky(x: Array) -> Any:
    return np.where(x > 0, x, 0.1 * x)


def _one_array(rng: np.random.Generator) -> tuple[Array]:
    return (rng.normal(size=(4, 5)),)


#: A slope is a function of the input, or of the output.
SLOPE = "activation value output"

#: Each activation with its derivative, and the derivative as if given the output for the input.
ACTIVATIONS: dict[str, tuple[Callable[[Array], Any], Callable[[Array], Any]]] = {
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "sigmoid": (_sigmoid, lambda x: _sigmoid(x) * (1 - _sigmoid(x))),
    "softplus": (_softplus, _sigmoid),
    "relu": (_relu, lambda x: (x > 0) * 1.0),
    "leaky relu": (_leaky, lambda x: np.where(x > 0, 1.0, 0.1)),
}


def _add_activation(
    name: str, activation: Callable[[Array], Any], slope: Callable[[Array], Any]
) -> None:
    def forward(x: Array) -> Any:
        return activation(x)

    def missing(dout: Array, x: Array) -> Any:
        return dout.copy()

    def squared(dout: Array, x: Array) -> Any:
        return dout * slope(x) ** 2

    def other_side(dout: Array, x: Array) -> Any:
        return dout * slope(activation(x))

    # The slope of a ReLU has two values: its errors are in one place, and a multiple there.
    is_mask = "relu" in name
    kinds = f"{SLOPE} place factor upstream-term" if is_mask else SLOPE
    _add(f"{name}: derivative missing", kinds, forward, missing, _one_array)
    if not is_mask:
        _add(f"{name}: derivative squared", SLOPE, forward, squared, _one_array)
        _add(f"{name}: derivative at the output", SLOPE, forward, other_side, _one_array)


for _name, (_activation, _slope) in ACTIVATIONS.items():
    _add_activation(_name, _activation, _slope)


def _tanh(x: Array) -> Any:
    return np.tanh(x)


def _tanh_of_input(dout: Array, x: Array) -> Any:
    return dout * (1 - x**2)  # x was meant to be the output


_add("tanh: 1 - x^2 for 1 - y^2", SLOPE, _tanh, _tanh_of_input, _one_array)


# Dropout and masks.


def _dropout(x: Array, mask: Array, keep: float) -> Any:
    return x * mask / keep


def _scale_forgotten(dout: Array, x: Array, mask: Array, keep: float) -> Any:
    return dout * mask


def _mask_forgotten(dout: Array, x: Array, mask: Array, keep: float) -> Any:
    return dout / keep


def _masked(rng: np.random.Generator) -> tuple[Array, Array, float]:
    return rng.normal(size=(4, 5)), (rng.random((4, 5)) < 0.8).astype(int), 0.8


_add("dropout: scaling forgotten", "factor", _dropout, _scale_forgotten, _masked, checked=("x",))
_add("dropout: mask forgotten", "mask place", _dropout, _mask_forgotten, _masked, checked=("x",))


# The upstream gradient.


def _scale(x: Array, w: Array) -> Any:
    return x * w


def _upstream_ignored(dout: Array, x: Array, w: Array) -> Any:
    return w.copy(), x.copy()


def _upstream_squared(dout: Array, x: Array, w: Array) -> Any:
    return dout * dout * w, dout * dout * x


def _two_arrays(rng: np.random.Generator) -> tuple[Array, Array]:
    return rng.normal(size=(4, 5)), rng.normal(size=(4, 5))


_add("product: upstream ignored", "upstream-ignored", _scale, _upstream_ignored, _two_arrays)
_add("product: upstream twice", "upstream-twice", _scale, _upstream_squared, _two_arrays)


def _residual(x: Array) -> Any:
    return x + np.tanh(x)


def _connection_forgotten(dout: Array, x: Array) -> Any:
    return dout * (1 - np.tanh(x) ** 2)


_add("direct connection forgotten", "upstream-term", _residual, _connection_forgotten, _one_array)


# Several outputs, and Jacobians.


def _map(x: Array) -> Any:
    return np.tanh(MATRIX @ x)


def _jacobian(x: Array) -> Any:
    return (1 - np.tanh(MATRIX @ x) ** 2)[:, None] * MATRIX


def _outputs_exchanged(x: Array) -> Any:
    return _jacobian(x)[[1, 0, 2, 3]]


def _outputs_reversed(x: Array) -> Any:
    return _jacobian(x)[::-1]


def _jacobian_transposed(x: Array) -> Any:
    return _jacobian(x).T


def _output_wrong(x: Array) -> Any:
    jacobian = _jacobian(x)
    jacobian[2] *= NUMBERS
    return jacobian


def _input_wrong(x: Array) -> Any:
    jacobian = _jacobian(x)
    jacobian[:, 1] *= NUMBERS
    return jacobian


MATRIX = np.random.default_rng(5).normal(size=(4, 4)) / 2
NUMBERS = np.array([0.3, -1.2, 2.2, 0.7])


def _vector(rng: np.random.Generator) -> tuple[Array]:
    return (rng.normal(size=4),)


_add(
    "Jacobian: two outputs exchanged",
    "outputs exchanged permutation",
    _map,
    _outputs_exchanged,
    _vector,
    harmless="place",
)
_add("Jacobian: outputs reversed", "outputs", _map, _outputs_reversed, _vector)
_add("Jacobian: transposed", "transpose", _map, _jacobian_transposed, _vector)
_add("Jacobian: one output wrong", "place", _map, _output_wrong, _vector)
_add("Jacobian: one input wrong", "place", _map, _input_wrong, _vector)


# Complex numbers.


def _residual_norm(z: Array) -> Any:
    return np.sum(np.abs(COMPLEX_MATRIX @ z - 1) ** 2)


def _conjugate_gradient(z: Array) -> Any:
    return np.conj(2 * COMPLEX_MATRIX.conj().T @ (COMPLEX_MATRIX @ z - 1))


def _half_gradient(z: Array) -> Any:
    return COMPLEX_MATRIX.conj().T @ (COMPLEX_MATRIX @ z - 1)


COMPLEX_MATRIX = MATRIX + 1j * MATRIX[::-1]


def _complex_vector(rng: np.random.Generator) -> tuple[Array]:
    return (rng.normal(size=4) + 1j * rng.normal(size=4),)


_add("complex: conjugate", "conjugate", _residual_norm, _conjugate_gradient, _complex_vector)
_add("complex: factor 1/2", "factor", _residual_norm, _half_gradient, _complex_vector)


# Symmetric matrices.


def _log_det(A: Array) -> Any:
    return np.linalg.slogdet(A)[1]


def _log_det_by_cholesky(A: Array) -> Any:
    return 2 * np.sum(np.log(np.diag(np.linalg.cholesky(A))))


def _inverse(A: Array) -> Any:
    return np.linalg.inv(A)


def _symmetric_inverse(A: Array) -> Any:
    inverse = np.linalg.inv(A)
    return 2 * inverse - np.diag(np.diag(inverse))


def _largest_eigenvalue(A: Array) -> Any:
    return np.linalg.eigvalsh(A)[-1]


def _outer_of_eigenvector(A: Array) -> Any:
    v = np.linalg.eigh(A)[1][:, -1]
    return np.outer(v, v)


def _positive_definite(rng: np.random.Generator) -> tuple[Array]:
    a = rng.normal(size=(4, 6))
    return (a @ a.T + np.eye(4),)


_add(
    "log det: one triangle counted twice",
    "symmetric triangle",
    _log_det,
    _symmetric_inverse,
    _positive_definite,
)
_add("log det by Cholesky", "symmetric", _log_det_by_cholesky, _inverse, _positive_definite)
_add(
    "largest eigenvalue",
    "symmetric",
    _largest_eigenvalue,
    _outer_of_eigenvector,
    _positive_definite,
)


# Parametrizations, as people write them.


def _normal_with_log_scale(mean: Array, log_sigma: Array, y: Array) -> Any:
    sigma = np.exp(log_sigma)
    return np.sum(log_sigma + (y - mean) ** 2 / (2 * sigma**2))


def _by_sigma(mean: Array, log_sigma: Array, y: Array) -> Any:
    sigma = np.exp(log_sigma)
    return (mean - y) / sigma**2, 1 / sigma - (y - mean) ** 2 / sigma**3


def _normal_with_scale(mean: Array, sigma: Array, y: Array) -> Any:
    return np.sum(np.log(sigma) + (y - mean) ** 2 / (2 * sigma**2))


def _by_log_sigma(mean: Array, sigma: Array, y: Array) -> Any:
    return (mean - y) / sigma**2, 1 - (y - mean) ** 2 / sigma**2


def _by_variance(mean: Array, sigma: Array, y: Array) -> Any:
    return (mean - y) / sigma**2, (1 / sigma - (y - mean) ** 2 / sigma**3) / (2 * sigma)


def _with_log_scale(rng: np.random.Generator) -> tuple[Array, Array, Array]:
    return rng.normal(size=5), rng.normal(size=5) / 2, rng.normal(size=5)


def _with_scale(rng: np.random.Generator) -> tuple[Array, Array, Array]:
    return rng.normal(size=5), np.exp(rng.normal(size=5) / 2), rng.normal(size=5)


LOG_SCALE, SCALE = ("mean", "log_sigma"), ("mean", "sigma")
_add(
    "by sigma for log sigma",
    "value",
    _normal_with_log_scale,
    _by_sigma,
    _with_log_scale,
    checked=LOG_SCALE,
)
for _name, _backward in (("log sigma", _by_log_sigma), ("variance", _by_variance)):
    _add(
        f"by {_name} for sigma",
        "value",
        _normal_with_scale,
        _backward,
        _with_scale,
        checked=SCALE,
    )


def _rates(theta: Array, k: Array) -> Any:
    return np.sum(theta**2 - k * np.log(theta**2))


def _by_rate(theta: Array, k: Array) -> Any:
    return 1 - k / theta**2


def _counts(rng: np.random.Generator) -> tuple[Array, Array]:
    return rng.uniform(0.5, 3, size=6), rng.integers(1, 9, size=6)


_add("by rate for its square root", "value", _rates, _by_rate, _counts, checked=("theta",))


# Forces.


def _energy(positions: Array) -> Any:
    distances = positions[:, None] - positions
    r2 = np.sum(distances**2, axis=-1) + np.eye(len(positions))
    return np.sum(np.triu(1 / r2**2 - 1 / r2, 1))


def _forces(positions: Array) -> Any:
    distances = positions[:, None] - positions
    r2 = np.sum(distances**2, axis=-1) + np.eye(len(positions))
    slope = (-2 / r2**3 + 1 / r2**2) * (1 - np.eye(len(positions)))
    return -np.sum(2 * slope[..., None] * distances, axis=1)


def _positions(rng: np.random.Generator) -> tuple[Array]:
    return (rng.normal(size=(4, 3)),)


_add("forces for the gradient", "factor force", _energy, _forces, _positions)
