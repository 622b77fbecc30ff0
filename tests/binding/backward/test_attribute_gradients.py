"""Gradients that backward stores as attributes of its object."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, check_gradient

RNG = np.random.default_rng(0)


class Affine:
    """A layer whose backward returns the gradient of its input."""

    def __init__(self, rows: int = 3) -> None:
        self.W = RNG.normal(size=(rows, 2))

    def forward(self, x: Any) -> Any:
        """Return the product."""
        self.x = x
        return x @ self.W

    def backward(self, dout: Any) -> Any:
        """Store one gradient, return the other."""
        self.dW = self.x.T @ dout
        return dout @ self.W.T


def test_gradient_beside_a_parameter_is_found_though_another_is_returned() -> None:
    """The returned array has the shape of the input, and is not taken for the gradient of W."""
    layer = Affine()
    assert check_gradient(layer.forward, layer.backward, RNG.normal(size=(4, 3)), wrt="self.W")


def test_returned_gradient_that_may_be_meant_as_well_is_an_error() -> None:
    """Both have the shape of W; naming the argument as well tells them apart."""
    layer, x = Affine(), RNG.normal(size=(3, 2))
    layer.W = RNG.normal(size=(2, 2))
    square = RNG.normal(size=(2, 2))
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(layer.forward, layer.backward, square, wrt="self.W")
    assert error.value.args[0] == (
        "Affine.backward returned one array of shape (2, 2) and left another beside self.W: "
        "either may be its gradient. If the one it returned is that of an argument, name that "
        "first, as in wrt=['x', 'self.W']; else return the gradients in a dict."
    )
    assert check_gradient(layer.forward, layer.backward, square, wrt=["x", "self.W"])
    assert check_gradient(layer.forward, layer.backward, x, wrt="self.W")


def test_gradient_that_is_returned_and_left_is_one() -> None:
    """There is no choice to make."""

    class Both(Affine):
        def backward(self, dout: Any) -> Any:
            super().backward(dout)
            return self.dW

    layer = Both()
    assert check_gradient(layer.forward, layer.backward, RNG.normal(size=(4, 3)), wrt="self.W")


def test_array_beside_that_has_another_shape_is_no_gradient() -> None:
    """The returned gradient is checked."""

    class Returns(Affine):
        def backward(self, dout: Any) -> Any:
            super().backward(dout)
            gradient, self.dW = self.dW, np.zeros(1)
            return gradient

    layer = Returns()
    assert check_gradient(layer.forward, layer.backward, RNG.normal(size=(4, 3)), wrt="self.W")


def test_gradients_of_a_dict_of_parameters_beside_it() -> None:
    """A network has the dicts ``params`` and ``grads`` with the same keys."""

    class Net:
        def __init__(self) -> None:
            self.params = {"W": RNG.normal(size=(3, 2)), "b": np.zeros(2)}
            self.grads: dict[str, Any] = {}

        def loss(self, X: Any) -> Any:
            self.X, self.out = X, X @ self.params["W"] + self.params["b"]
            return np.sum(self.out**2) / 2

        def backward(self) -> None:
            self.grads["W"] = self.X.T @ self.out
            self.grads["b"] = self.out.sum(axis=0)

    net = Net()
    report = check_gradient(net.loss, net.backward, RNG.normal(size=(4, 3)), wrt="self.params")
    assert [p.name for p in report.parameters] == ["self.params['W']", "self.params['b']"]
    assert report


def test_more_than_one_gradient_beside_a_parameter_is_an_error() -> None:
    """The message names all places; a returned gradient decides."""

    class Twice(Affine):
        def backward(self, dout: Any) -> Any:
            self.grads = {"W": 0 * self.W}
            return super().backward(dout)

    layer, x = Twice(), RNG.normal(size=(4, 3))
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(layer.forward, layer.backward, x, wrt=["x", "self.W"])
    assert error.value.args[0] == (
        "more than one attribute could be the gradient of self.W: self.dW, self.grads['W']. Keep "
        "one, or return the gradients from backward."
    )


def test_returned_gradient_needs_none_beside() -> None:
    """A layer that stores nothing returns the gradient of its parameter."""
    layer = Affine()
    assert check_gradient(
        layer.forward, lambda x, dout: x.T @ dout, RNG.normal(size=(4, 3)), wrt="self.W"
    )


def test_gradients_of_attributes_in_a_container_with_fields() -> None:
    """It is read by name, as a dict is, whatever its order."""

    class Net:
        def __init__(self) -> None:
            self.W, self.b = RNG.normal(size=(3, 2)), RNG.normal(size=2)

        def forward(self, x: Any) -> Any:
            self.x = x
            return x @ self.W + self.b

        def backward(self, dout: Any) -> None:
            self.grads = SimpleNamespace(b=dout.sum(axis=0), W=self.x.T @ dout)

    net = Net()
    assert check_gradient(
        net.forward, net.backward, RNG.normal(size=(4, 3)), wrt=["self.W", "self.b"]
    )


class Tensor:
    """A tensor of a small autodiff engine."""

    def __init__(self, data: Any) -> None:
        self.data = data
        self.grad: Any = None


class Engine:
    """A layer with such tensors."""

    def __init__(self) -> None:
        self.W = Tensor(RNG.normal(size=(3, 2)))
        self.others = [Tensor(RNG.normal(size=2))]

    def forward(self, x: Any) -> Any:
        """Return the affine function."""
        self.x = x
        return x @ self.W.data + self.others[0].data

    def backward(self, dout: Any) -> Any:
        """Store the gradients of the tensors in themselves."""
        self.W.grad = self.x.T @ dout
        self.others[0].grad = dout.sum(axis=0)
        return dout @ self.W.data.T


def test_gradient_of_a_tensor_is_beside_its_data() -> None:
    """It is called grad there, and the data have no name of their own."""
    layer, x = Engine(), RNG.normal(size=(4, 3))
    names = ["x", "self.W.data", "self.others[0].data"]
    assert check_gradient(layer.forward, layer.backward, x, wrt=names)
    assert check_gradient(layer.forward, layer.backward, x, wrt="self.W.data")

    class Wrong(Engine):
        def backward(self, dout: Any) -> Any:
            dx = super().backward(dout)
            self.W.grad *= 2
            return dx

    wrong = Wrong()
    report = check_gradient(wrong.forward, wrong.backward, x, wrt=names)
    assert [p.name for p in report.parameters if p.verdict == "wrong"] == ["self.W.data"]


def test_gradient_of_a_tensor_may_be_named_by_its_attribute() -> None:
    """As that of an array would be."""

    class Named(Engine):
        def backward(self, dout: Any) -> None:
            self.grads = {"W": self.x.T @ dout}

    layer = Named()
    assert check_gradient(
        layer.forward, layer.backward, RNG.normal(size=(4, 3)), wrt="self.W.data"
    )


@pytest.mark.parametrize(
    ("wrt", "message"),
    [
        (
            "self.W",
            "wrt='self.W': it is a Tensor, which holds no floating numbers itself. They are in "
            "self.W.data: say wrt='self.W.data'.",
        ),
        (
            "self.others",
            "wrt='self.others': it is a list, which holds no floating numbers itself. They are in "
            "self.others[0].data: say wrt='self.others[0].data'.",
        ),
    ],
)
def test_data_of_a_tensor_are_proposed(wrt: str, message: str) -> None:
    """What the message says can be pasted."""
    layer, x = Engine(), RNG.normal(size=(4, 3))
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(layer.forward, layer.backward, x, wrt=wrt)
    assert error.value.args[0] == message


def test_tensor_without_a_gradient() -> None:
    """The message begins with the place beside the data."""
    layer = Engine()
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(
            layer.forward, lambda dout: None, RNG.normal(size=(4, 3)), wrt="self.W.data"
        )
    assert error.value.args[0] == (
        "no gradient for self.W.data: backward neither returned one nor left one in self.W.grad, "
        "self.dW, self.grad_W, self.W_grad or self.grads['W']."
    )


def test_gradient_beside_a_parameter_of_an_inner_object() -> None:
    """A layer inside a layer keeps its gradients itself."""

    class Outer:
        def __init__(self) -> None:
            self.inner = Affine()

        def forward(self, x: Any) -> Any:
            return self.inner.forward(x)

        def backward(self, dout: Any) -> Any:
            return self.inner.backward(dout)

    net = Outer()
    assert check_gradient(
        net.forward, net.backward, RNG.normal(size=(4, 3)), wrt=["x", "self.inner.W"]
    )
