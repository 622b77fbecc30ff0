"""Outputs as one vector, and back."""

from collections import namedtuple
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, check_gradient
from pytest_gradcheck.binding.call.resolved_call import ReturnConvention
from pytest_gradcheck.binding.forward.outputs import Layout, MismatchError, read_output

Stats = namedtuple("Stats", "mean spread")  # noqa: PYI024  # as users write it

Trained = namedtuple("Trained", "loss dW db")  # noqa: PYI024


@dataclass
class Fit:
    """Outputs in a dataclass."""

    value: Any
    residual: Any


def layout(raw: Any) -> Layout:
    """Return the layout of what a forward returned."""
    return read_output(raw, ReturnConvention.OUTPUT, "f").layout


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        (np.ones(2), ["output"]),
        ([1.0, 2.0], ["output"]),
        ((1.0, np.ones(2)), ["output[0]", "output[1]"]),
        ([np.ones(2), np.ones(2)], ["output[0]", "output[1]"]),
        ({"loss": 1.0, "y": [1.0, 2.0]}, ["output['loss']", "output['y']"]),
        (Stats(np.ones(2), 1.0), ["output.mean", "output.spread"]),
        (Fit(1.0, (2.0, 3.0)), ["output.value", "output.residual[0]", "output.residual[1]"]),
    ],
)
def test_outputs_are_named_by_accessor(raw: Any, names: list[str]) -> None:
    """Their names are accessors; a list of numbers is one array."""
    assert [block.name for block in layout(raw).blocks] == names


@pytest.mark.parametrize(
    "raw",
    [
        (1.5, np.array([[1.0, 2.0]], dtype=np.float32), np.float64(3.0)),
        {"b": [[1.0], [2.0]], "a": 1 + 2j},
        Stats(np.array([1j, 2.0]), 1.0),
        [np.array(1.5), np.array(2.5)],
        np.array([1 + 2j, 3.0], dtype=np.complex64),
        2.5,
    ],
)
def test_vector_goes_back_into_the_structure(raw: Any) -> None:
    """It has the same containers, types, shapes and dtypes, also for numbers."""
    there = layout(raw)
    back = there.shaped(there.flatten(raw))
    assert type(back) is type(raw)
    assert repr(back) == repr(raw)


def test_complex_outputs_take_two_coordinates() -> None:
    """The real part comes before the imaginary one."""
    there = layout((np.array([1 + 2j, 3 + 4j]), 5.0))
    assert [(b.start, b.stop, b.size) for b in there.blocks] == [(0, 4, 2), (4, 5, 1)]
    assert there.flatten(there.raw).tolist() == [1, 2, 3, 4, 5]
    assert [there.blocks[0].entry(k) for k in range(4)] == [
        "output[0][0].real",
        "output[0][0].imag",
        "output[0][1].real",
        "output[0][1].imag",
    ]


def test_missing_output_makes_the_vector_too_short() -> None:
    """The caller sees from its size that the structure has changed."""
    assert layout({"a": 1.0, "b": 2.0}).flatten({"b": 2.0}).tolist() == [2.0]


def test_order_of_a_dict_does_not_matter() -> None:
    """Outputs are found by their keys."""
    assert layout({"a": 1.0, "b": 2.0}).flatten({"b": 2.0, "a": 1.0}).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("raw", "returned"),
    [
        ((1.0, 2.0), ["A", "B"]),
        ((1.0, 2.0), Stats("A", "B")),
        (Stats(1.0, 2.0), ("A", "B")),
        ({"a": 1.0, "b": 2.0}, {"b": "B", "a": "A", "more": "C"}),
        ({"spread": 1.0, "mean": 2.0}, Stats("B", "A")),
        (Stats(1.0, 2.0), {"spread": "B", "mean": "A"}),
        (Stats(1.0, 2.0), SimpleNamespace(spread="B", mean="A")),
    ],
)
def test_what_is_returned_about_outputs_is_split(raw: Any, returned: Any) -> None:
    """Parts are matched by name where outputs and parts have names, else by position."""
    assert list(layout(raw).split(returned).values()) == ["A", "B"]


@pytest.mark.parametrize(
    ("raw", "returned"),
    [
        ((1.0, 2.0), ("A",)),
        ((1.0, 2.0), {"a": "A", "b": "B"}),
        ((1.0, 2.0), "AB"),
        ({"a": 1.0, "b": 2.0}, ("A", "B")),
        ({"a": 1.0, "b": 2.0}, {"a": "A"}),
        (Stats(1.0, 2.0), Fit("A", "B")),
        ((1.0, 2.0), Fit("A", "B")),
    ],
)
def test_other_structure_is_a_mismatch(raw: Any, returned: Any) -> None:
    """The exception has the place, and what was found there."""
    with pytest.raises(MismatchError) as error:
        layout({"inner": raw}).split({"inner": returned})
    assert error.value.name == "output['inner']"
    assert error.value.returned is returned


def test_rows_of_one_array_are_split() -> None:
    """Each output takes as many as it has entries."""
    jacobian = np.arange(15.0).reshape(5, 3)
    parts = layout((1.0, np.ones((2, 2)))).split(jacobian)
    assert parts["output[0]"].tolist() == jacobian[0].tolist()
    assert parts["output[1]"].tolist() == jacobian[1:].reshape(2, 2, 3).tolist()


def test_rows_of_a_dict_that_is_not_sorted_are_in_no_certain_order() -> None:
    """Flattened by JAX they would be in another than by the values of the dict."""
    assert layout({"a": 1.0, "b": 2.0}).split(np.arange(2.0))["output['b']"] == 1.0
    with pytest.raises(MismatchError):
        layout({"b": 1.0, "a": 2.0}).split(np.arange(2.0))


@pytest.mark.parametrize("array", [np.ones(3), np.ones(()), np.array(["a", "b"])])
def test_array_with_another_number_of_rows_is_a_mismatch(array: Any) -> None:
    """As many as entries are expected, and numbers."""
    with pytest.raises(MismatchError):
        layout((1.0, 2.0)).split(array)


@pytest.mark.parametrize(
    ("result", "gradients"),
    [
        ((1.0, "dx"), "dx"),
        ([1.0, "dx"], "dx"),
        ((1.0, "dx", "dy"), ("dx", "dy")),
        ([1.0, "dx", "dy"], ("dx", "dy")),
        (Stats(1.0, "dx"), "dx"),
        (Trained(1.0, "dW", "db"), {"dW": "dW", "db": "db"}),
    ],
)
def test_value_and_gradients(result: Any, gradients: Any) -> None:
    """Of more than two elements, all after the first are gradients."""
    output = read_output(result, ReturnConvention.GRADIENTS, "forward")
    assert (output.raw, output.auxiliary) == (1.0, gradients)


def gram(x: Any) -> Any:
    """Return the outer product of a vector with itself."""
    return np.outer(x, x)


@pytest.mark.parametrize("kind", ["csr_matrix", "csr_array", "dok_matrix", "coo_array"])
def test_sparse_output_is_one_of_all_its_entries(kind: str) -> None:
    """The cotangent is an array, alone and beside other outputs."""
    sparse, x = getattr(pytest.importorskip("scipy.sparse"), kind), np.array([0.5, 0.0, -1.5])

    def checked(forward: Any, backward: Any) -> str:
        return check_gradient(forward, backward, x).verdict

    for factor, verdict in ((1.0, "correct"), (1.1, "wrong")):

        def backward(x: Any, dout: Any, factor: float = factor) -> Any:
            return factor * (dout @ x + dout.T @ x)

        assert checked(lambda x: sparse(gram(x)), backward) == verdict
        with_cache = lambda dout, cache, b=backward: b(cache, dout)  # noqa: E731
        assert checked(lambda x: (sparse(gram(x)), x), with_cache) == verdict
        with_number = lambda x, dy, ds, b=backward: b(x, dy) + ds  # noqa: E731
        assert checked(lambda x: (sparse(gram(x)), x.sum()), with_number) == verdict


def test_sparse_tangent_of_an_output() -> None:
    """The derivative along a tangent may be sparse, too."""
    sparse = pytest.importorskip("scipy.sparse").csr_array

    def backward(x: Any, tangent: Any) -> Any:
        return sparse(np.outer(x, tangent) + np.outer(tangent, x))

    assert check_gradient(lambda x: sparse(gram(x)), backward, np.array([0.5, -1.5])).passed


def test_large_sparse_output_is_refused() -> None:
    """The message says what to return instead."""
    sparse = pytest.importorskip("scipy.sparse").csr_array
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(lambda x: sparse((10**5, 10**5)), lambda x, dout: x, np.ones(2))
    assert error.value.args[0] == (
        "lambda returned a csr_array of shape (100000, 100000), too large to be compared entry by "
        "entry. Return an array of those of its entries that depend on the parameters."
    )


@pytest.mark.parametrize(
    ("raw", "advice"),
    [
        (np.array([1, 2]), "Return value.astype(float)."),
        ([1, 2], "Return np.array(value, dtype=float)."),
        (3, "Return float(value)."),
    ],
)
def test_whole_numbers_are_refused_with_their_conversion(raw: Any, advice: str) -> None:
    """What is proposed works for what was returned."""
    with pytest.raises(GradcheckUsageError) as error:
        layout(raw)
    assert error.value.args[0].endswith(advice)


@pytest.mark.parametrize("number", [np.array, np.float64, np.float32, float])
def test_list_of_numbers_of_any_kind_has_an_upstream_gradient(number: Any) -> None:
    """It is a list as well, of as many entries."""
    x = np.array([0.5, -1.5])
    report = check_gradient(
        lambda x: [number(entry**2) for entry in x],
        lambda x, dout: 2 * x * np.array(dout, dtype=float),
        x,
        rtol=1e-2,
    )
    assert report.verdict == "correct"
