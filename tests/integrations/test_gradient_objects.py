"""Objects of small engines with data, grad and backward(), as arrays and end to end."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, check_gradient
from pytest_gradcheck.integrations.array_libraries import array_library, as_numpy
from pytest_gradcheck.integrations.gradient_objects import (
    GradientObjects,
    accumulated_gradients,
    is_gradient_object,
)

OBJECTS = GradientObjects("Tensor")
RNG = np.random.default_rng(0)
X, W = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 2))


class Tensor:
    """A tensor of an engine, with a factor in the derivative of its square."""

    factor = 2.0

    def __init__(self, data: Any, parents: Any = (), kind: Any = np.asarray) -> None:
        self.data = kind(data)
        self.grad: Any = 0.0 * self.data
        self.parents = parents

    def made(self, data: Any, *parents: tuple[Tensor, Any]) -> Self:
        """Return a result with what its gradient adds to those of its parents."""
        return type(self)(data, parents)

    def __matmul__(self, other: Tensor) -> Self:
        data = self.data @ other.data
        return self.made(
            data, (self, lambda g: g @ other.data.T), (other, lambda g: self.data.T @ g)
        )

    def __mul__(self, other: Tensor) -> Self:
        data = self.data * other.data
        return self.made(data, (self, lambda g: g * other.data), (other, lambda g: g * self.data))

    def __add__(self, other: Tensor) -> Self:
        return self.made(self.data + other.data, (self, lambda g: g), (other, lambda g: g))

    def square(self) -> Self:
        """Return the square."""
        return self.made(self.data**2, (self, lambda g: self.factor * g * self.data))

    def sum(self) -> Self:
        """Return the sum."""
        ones = np.ones_like(self.data)
        return self.made(self.data.sum(), (self, lambda g: g * ones))

    def backward(self, gradient: Any = 1.0) -> None:
        """Accumulate the gradients of all that this was computed from."""
        self.grad = self.grad + gradient
        for parent, pull in self.parents:
            parent.backward(pull(gradient))


class Wrong(Tensor):
    """A tensor with a mistake."""

    factor = 3.0


class Layer:
    """A layer whose parameter is a tensor, with a method that has the name of that of tensors."""

    def __init__(self, kind: type[Tensor] = Tensor) -> None:
        self.W = kind(W)
        self.data, self.grad = "of another kind", None

    def forward(self, x: Any) -> Any:
        """Return a number."""
        return (type(self.W)(x) @ self.W).square().sum()

    def backward(self) -> None:
        """Do nothing."""


def loss(x: Any, w: Any) -> Any:
    """Return a number."""
    return (x @ w).square().sum()


@pytest.mark.parametrize("value", [Layer(), np.ones(2), 1.0, None, Layer])
def test_what_is_no_such_object(value: Any) -> None:
    """A layer has a method backward, too, and its class."""
    assert not is_gradient_object(value)
    assert array_library(value) is None


def test_numbers_are_read_and_given() -> None:
    """A copy has the kind of numbers of the object, and no gradient."""
    single = Tensor(2.0, kind=float)
    single.grad = 5.0
    made = OBJECTS.parameter(np.array(3.0), single)
    assert (made.data, made.grad, single.data, single.grad) == (3.0, 0.0, 2.0, 5.0)
    assert type(made.data) is float
    tensor = OBJECTS.parameter(X, Tensor(np.zeros((4, 3))))
    assert as_numpy(tensor).tolist() == X.tolist()
    assert not np.shares_memory(tensor.data, X)


def test_a_new_object_was_computed_from_nothing() -> None:
    """Else its gradient would go to where that of the other one goes."""
    result = Tensor(X) @ Tensor(W)
    assert OBJECTS.from_numpy(np.ones((4, 2)), result).parents == ()


def test_a_constructor_that_takes_something_else() -> None:
    """Then an object is a copy."""

    class Named(Tensor):
        def __init__(self, name: str, data: Any) -> None:
            super().__init__(data)
            self.name = name

    made = OBJECTS.from_numpy(np.ones(2), Named("x", [3.0, 4.0]))
    assert (made.name, made.data.tolist()) == ("x", [1.0, 1.0])


def test_an_object_is_written_to_where_it_is() -> None:
    """Whoever holds it sees the numbers, in their type; the gradient starts anew."""
    tensor = Tensor(np.zeros(2, np.float32))
    tensor.grad = np.ones(2)
    for dtype in (np.float64, np.float32):
        assert OBJECTS.writer(tensor)(np.array([1.0, 2.0], dtype)) is tensor
        assert (tensor.data.tolist(), tensor.grad.tolist()) == ([1.0, 2.0], [0.0, 0.0])
        assert tensor.data.dtype == dtype


def test_numbers_and_gradient_are_put_back() -> None:
    """In the very arrays that the object held."""
    tensor = Tensor(np.zeros(2))
    data, restore = tensor.data, OBJECTS.restorer(tensor)
    tensor.data += 1
    tensor.grad += 1
    tensor.data = np.ones(2)
    restore()
    assert tensor.data is data
    assert (data.tolist(), tensor.grad.tolist()) == ([0.0, 0.0], [0.0, 0.0])


def test_gradients_are_accumulated_from_zero() -> None:
    """Whatever was left from before; what the output does not depend on has a zero."""
    x, unused = Tensor([1.0, 2.0]), Tensor([3.0])
    x.grad, unused.grad = np.full(2, 7.0), None
    found = accumulated_gradients(lambda inputs: [inputs[0].square().sum()], [x, unused], None)
    assert [gradient.tolist() for gradient in found] == [[2.0, 4.0], [0.0]]


def test_outputs_are_weighted() -> None:
    """By their upstream gradients."""
    x = Tensor([1.0, 2.0])
    weights = [Tensor([1.0, 10.0]), Tensor(0.5, kind=float)]
    found = accumulated_gradients(lambda _: [x.square(), x.sum()], [x], weights)
    assert found[0].tolist() == [2.5, 40.5]


@pytest.mark.parametrize(("kind", "verdict"), [(Tensor, "correct"), (Wrong, "wrong")])
def test_arguments(kind: type[Tensor], verdict: str) -> None:
    """They are objects, and so is the output."""
    report = check_gradient(loss, ".grad", kind(X), kind(W))
    assert (report.verdict, report.kind) == (verdict, "gradient")
    assert "gradient of loss by backward() of its output" in str(report)


def test_an_output_that_is_no_number() -> None:
    """It has an upstream gradient."""
    report = check_gradient(lambda x, w: (x @ w).square(), ".grad", Tensor(X), Tensor(W))
    assert (report.verdict, report.kind) == ("correct", "vjp")


def test_a_backward_of_the_users_own() -> None:
    """It returns the gradients, in arrays or in objects."""

    def backward(x: Any, w: Any) -> Any:
        loss(x, w).backward()
        return x.grad, Tensor(w.grad)

    assert check_gradient(loss, backward, Tensor(X), Tensor(W)).verdict == "correct"


@pytest.mark.parametrize(("kind", "verdict"), [(Tensor, "correct"), (Wrong, "wrong")])
def test_parameters_of_a_layer(kind: type[Tensor], verdict: str) -> None:
    """They are perturbed where they are, and put back."""
    layer = Layer(kind)
    layer.W.grad = np.full((3, 2), 7.0)
    report = check_gradient(layer.forward, ".grad", X, wrt="self.W")
    assert report.verdict == verdict
    assert layer.W.data.tolist() == W.tolist()
    assert (layer.W.grad == 7.0).all()


def test_arrays_have_no_attribute_for_a_gradient() -> None:
    """The message says what to pass."""
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(lambda x: x.sum(), ".grad", np.ones(3))
    assert " ".join(str(error.value).split()) == (
        "backward='.grad' reads the gradient of x from its attribute grad, and x is a float64 "
        "array of shape (3,). Pass an object with data, grad and backward(), or write backward "
        "as a function."
    )
