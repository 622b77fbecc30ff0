"""Derivatives with respect to all parameters in one array."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, check_gradient
from pytest_gradcheck.binding.backward.stacked_jacobian import split_columns
from pytest_gradcheck.binding.call.signature import BoundArguments
from pytest_gradcheck.binding.call.wrt import Item, select_items
from pytest_gradcheck.binding.values.parameters import Block

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 2))
X, Z = RNG.normal(size=3), RNG.normal(size=2)
NUMBER = Block("output", (), "float64", 0, 1)


def items(values: dict[str, Any]) -> tuple[Item, ...]:
    """Select all items of positional arguments."""
    arguments = BoundArguments(
        tuple(values), tuple(values.values()), (None,) * len(values), frozenset()
    )
    return select_items(None, arguments, bound=None, forward_name="forward")


def split(values: dict[str, Any], returned: Any, shape: tuple[int, ...] = ()) -> Any:
    """Split what backward returned about an output of a shape."""
    output = Block("output", shape, "float64", 0, int(np.prod(shape)))
    found = split_columns(returned, items(values), output, "backward")
    return found and {name: part.tolist() for name, part in found.items()}


def refused(values: dict[str, Any], returned: Any, shape: tuple[int, ...]) -> str:
    """Return the message of an array that can be read in two ways."""
    with pytest.raises(GradcheckUsageError) as error:
        split(values, returned, shape)
    return str(error.value.args[0])


@pytest.mark.parametrize(
    "returned",
    [np.array([1, 2, 3]), np.array([[1.0, 2.0, 3.0]]), [1.0, 2.0, 3.0], (np.arange(1, 4),)],
)
@pytest.mark.parametrize("values", [{"p": {"a": 0.5, "b": [1.0, 2.0]}}, {"p": (0.5, 1.0, 2.0)}])
def test_one_row_of_derivatives_of_a_number(values: Any, returned: Any) -> None:
    """With or without an axis for its single row."""
    parts = split(values, returned)
    assert list(parts.values()) in ([1, [2, 3]], [1, 2, 3])


def test_columns_have_the_shapes_of_output_and_parameters() -> None:
    """Rows may be those of the output, or of the flat output."""
    jacobian = np.arange(30.0).reshape(2, 3, 5)
    expected = {
        "x": jacobian[..., 0].tolist(),
        "W": jacobian[..., 1:].reshape(2, 3, 2, 2).tolist(),
    }
    values = {"x": 1.0, "W": np.ones((2, 2))}
    assert split(values, jacobian, (2, 3)) == expected
    assert split(values, jacobian.reshape(6, 5), (2, 3)) == expected


@pytest.mark.parametrize(
    ("values", "returned"),
    [
        ({"x": X}, np.ones(3)),
        ({"x": X, "z": Z}, np.ones(4)),
        ({"x": X, "z": Z}, np.ones((2, 5))),
        ({"x": X, "z": Z}, (np.ones(3), np.ones(2))),
        ({"x": X, "z": Z}, np.array(["a"] * 5)),
        ({"x": 1.0, "z": 2.0}, [1.0, 2.0]),
        ({"x": X, "z": Z}, 1.0),
    ],
)
def test_what_is_no_array_of_all_parameters_is_left(values: Any, returned: Any) -> None:
    """It is matched by structure, and refused there."""
    assert split(values, returned) is None


def test_square_list_of_lists_is_refused() -> None:
    """Its outer list may be that of the outputs or that of the arguments."""
    assert refused({"a": 1.0, "b": 2.0}, [[1.0, 2.0], [3.0, 4.0]], (2,)) == (
        "backward returned a list of 2 lists, which may be a Jacobian with a row for each output, "
        "or the derivatives by each of the 2 checked arguments: return np.array(...) of it in the "
        "first case, a tuple of arrays in the second."
    )
    assert split({"a": 1.0, "b": 2.0}, [[1, 2], [3, 4], [5, 6]], (3,)) == {
        "a": [1, 3, 5],
        "b": [2, 4, 6],
    }


def test_dict_that_is_not_sorted_is_refused() -> None:
    """`jax.flatten_util.ravel_pytree` sorts its keys, np.concatenate of its values does not."""
    assert refused({"p": {"z": Z, "a": X}}, np.ones(5), ()) == (
        "backward returned the derivatives by all parameters in one array of shape (5,), but the "
        "keys of p are not sorted, and their order in it may be either: return a dict with the "
        "same keys, or sort these."
    )


@pytest.mark.parametrize("wrap", [np.asarray, "csr_array", "aslinearoperator"])
def test_jacobian_of_two_arguments_is_checked(wrap: Any) -> None:
    """It may be sparse, or an operator."""
    if wrap == "csr_array":
        wrap = pytest.importorskip("scipy.sparse").csr_array
    if wrap == "aslinearoperator":
        wrap = pytest.importorskip("scipy.sparse.linalg").aslinearoperator

    def forward(x: Any, z: Any) -> Any:
        return A @ x**2 + B @ z

    def jacobian(x: Any, z: Any) -> Any:
        return wrap(np.hstack([A * (2 * x), B]))

    assert check_gradient(forward, jacobian, X, Z)
    report = check_gradient(forward, lambda x, z: jacobian(2 * x, z), X, Z)
    assert [parameter.verdict for parameter in report.parameters] == ["wrong", "correct"]


def test_residuals_with_the_jacobian_of_their_parameters() -> None:
    """As for `scipy.optimize.curve_fit`: an argument for each parameter, a column for each."""

    def jacobian(t: Any, a: Any, b: Any) -> Any:
        return np.stack([np.exp(-b * t), -a * t * np.exp(-b * t)], axis=-1)

    assert check_gradient(
        lambda t, a, b: a * np.exp(-b * t),
        jacobian,
        np.linspace(0, 1, 5),
        1.5,
        2.5,
        wrt=["a", "b"],
    )


def test_vector_jacobian_product_of_two_arguments() -> None:
    """A product is one row, too."""
    assert check_gradient(
        lambda x, z: A @ x + B @ z, lambda dout: np.hstack([A, B]).T @ dout, X, Z
    )


@pytest.mark.parametrize(
    ("forward", "backward", "args", "message"),
    [
        (
            lambda a, b: a * b**2,
            lambda a, b: np.array([b**2, 2 * a * b]),
            (2, 1.5),
            "lambda returned an array of shape (2,), with as many columns as b and a have "
            "entries, but a, which holds whole numbers, would not be checked. Pass a as floats, "
            "2.0; or return the derivatives with respect to b only.",
        ),
        (
            lambda a, b, c: a * b**2 + c,
            lambda a, b, c: np.array([b**2, 2 * a * b, 1.0]),
            (2, 1.5, 0.5),
            "lambda returned an array of shape (3,), with as many columns as b, c and a have "
            "entries, but a, which holds whole numbers, would not be checked. Pass a as floats, "
            "2.0; or return the derivatives with respect to b, c only.",
        ),
        (
            lambda p: np.array([1.0, 2.0]) * np.sum(p["n"]) * p["x"],
            lambda p: np.ones((2, 4)),
            ({"n": np.arange(3), "x": 1.5},),
            "lambda returned an array of shape (2, 4), with as many columns as p['x'] and p['n'] "
            "have entries, but p['n'], which holds whole numbers, would not be checked. Pass "
            "p['n'] as floats, p['n'].astype(float); or return the derivatives with respect to "
            "p['x'] only.",
        ),
    ],
)
def test_columns_of_whole_numbers_are_refused(
    forward: Any, backward: Any, args: Any, message: str
) -> None:
    """It is said which argument would not be checked."""
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(forward, backward, *args)
    assert error.value.args[0] == message


def test_other_shapes_are_no_columns_of_whole_numbers() -> None:
    """A right claim is read as before, beside as many labels as it has more entries."""
    labels, weights = np.arange(3), np.array([0.5, 1.5, 2.5, 3.5])
    report = check_gradient(lambda x, n: x * weights, lambda x, n: weights, 1.5, labels)
    assert report.verdict == "correct"
    with pytest.raises(GradcheckUsageError, match=r"of shape \(2,\); x has shape \(\)"):
        check_gradient(lambda x, n: x * 2, lambda x, n: np.ones(2), 1.5, labels)
