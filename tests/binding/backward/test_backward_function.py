"""The forms in which backward may return its claims, end to end."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, check_gradient

X = np.array([0.5, -1.0, 2.0])
Z = np.array([1.5, 0.25])


def verdicts(forward: Any, backward: Any, *args: Any, **options: Any) -> dict[str, str]:
    """Check a gradient, and return the verdict on each parameter."""
    report = check_gradient(forward, backward, *args, **options)
    return {parameter.name: parameter.verdict for parameter in report.parameters}


@pytest.mark.parametrize("factor", [1.0, 1.5])
def test_value_followed_by_gradients(factor: float) -> None:
    """With backward=True, as many gradients as parameters may follow the value."""

    def loss(x: Any, z: Any) -> Any:
        return float(x @ x + z @ z), 2 * x, factor * 2 * z

    expected = {"x": "correct", "z": "correct" if factor == 1 else "wrong"}
    assert verdicts(loss, True, X, Z) == expected
    assert verdicts(loss, True, X, Z, wrt="x") == {"x": "correct"}


CUBES: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "0-d arrays": ([np.array(1.5), np.array(2.0)], lambda v: np.array(3 * v**2)),
    "numpy scalars": ([np.float64(1.5), np.float64(2.0)], lambda v: np.float64(3 * v**2)),
    "numbers for 0-d arrays": ([np.array(1.5), np.array(2.0)], lambda v: float(3 * v**2)),
    "0-d arrays for numbers": ([1.5, 2.0], lambda v: np.array(3 * v**2)),
    "float32": ([np.float32(1.5), np.float32(2.0)], lambda v: 3 * v**2),
}


@pytest.mark.parametrize("name", CUBES)
@pytest.mark.parametrize("wrap", [list, np.array])
def test_list_of_single_numbers(name: str, wrap: Any) -> None:
    """It is the gradient of one whatever kinds of numbers the two hold."""
    parameters, cube = CUBES[name]

    def forward(p: Any) -> Any:
        return p[0] ** 3 + p[1] ** 3

    report = check_gradient(forward, lambda p: wrap([cube(v) for v in p]), parameters)
    assert report.verdict == "correct"
    assert "restored" not in [note.kind for note in report.notes]
    report = check_gradient(forward, lambda p: wrap([cube(v) + 1 for v in p]), parameters)
    assert report.verdict == "wrong"


def test_one_jacobian_of_a_tuple_of_numbers() -> None:
    """As for an ordinary differential equation: rows are the numbers that forward returns."""

    def jacobian(t: Any, y: Any) -> Any:
        return np.array([[0.0, 1.0], [-2 * y[0] * t, 0.0]])

    def forward(t: Any, y: Any) -> Any:
        return y[1], -t * y[0] ** 2

    assert verdicts(forward, jacobian, 0.5, Z, wrt="y") == {"y": "correct"}
    assert verdicts(forward, lambda t, y: jacobian(t, -y), 0.5, Z, wrt="y") == {"y": "wrong"}
    assert verdicts(
        lambda a, b: (a * b, a + b), lambda a, b: np.array([[b, a], [1.0, 1.0]]), 1.5, 2.5
    ) == {"a": "correct", "b": "correct"}


def test_one_array_of_derivatives_along_a_tangent() -> None:
    """A number for each entry of the outputs."""
    assert check_gradient(
        lambda x: (x[0] * x[1], x[2] ** 2),
        lambda x, tangent: np.array([[x[1], x[0], 0.0], [0.0, 0.0, 2 * x[2]]]) @ tangent,
        X,
    )


def test_object_array_is_a_list() -> None:
    """NumPy makes one of arrays with different shapes."""

    def backward(x: Any, z: Any) -> Any:
        gradients = np.empty(2, dtype=object)
        gradients[:] = [2 * x, 3 * z**2]
        return gradients

    assert verdicts(lambda x, z: x @ x + np.sum(z**3), backward, X, Z) == {
        "x": "correct",
        "z": "correct",
    }
    assert check_gradient(lambda x: x @ x, lambda x: np.array(list(2 * x), dtype=object), X)


def test_sparse_gradient_has_two_axes() -> None:
    """A gradient is a row of it, and the Jacobian of a matrix has a row for each entry."""
    sparse = pytest.importorskip("scipy.sparse")
    assert check_gradient(lambda x: x @ x, lambda x: sparse.csr_matrix(2 * x), X)
    identity = np.eye(3)

    def jacobian(x: Any) -> Any:
        both = np.einsum("ik,j->ijk", identity, x) + np.einsum("jk,i->ijk", identity, x)
        return sparse.csr_array(both.reshape(9, 3))

    assert check_gradient(lambda x: np.outer(x, x), jacobian, X)


def test_array_that_cannot_be_converted_says_why() -> None:
    """Another library's error has the remedy."""

    class Tracked:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            raise RuntimeError("call detach() first")

    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(lambda x: x @ x, lambda x: Tracked(), X)
    assert error.value.args[0] == (
        "lambda returned Tracked as the gradient of x: a gradient is a number or a numeric array. "
        "Its conversion raises RuntimeError: call detach() first"
    )


@pytest.mark.parametrize(
    "kind", ["csr_matrix", "csc_array", "coo_array", "dok_array", "dok_matrix", "lil_array"]
)
def test_sparse_jacobian_in_any_format(kind: str) -> None:
    """One of them is a dict, but no dict of gradients."""
    sparse = pytest.importorskip("scipy.sparse")
    matrix = np.array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]])
    assert check_gradient(lambda x: matrix @ x, lambda x: getattr(sparse, kind)(matrix), X)
    report = check_gradient(lambda x: matrix @ x, lambda x: getattr(sparse, kind)(2 * matrix), X)
    assert report.verdict == "wrong"
