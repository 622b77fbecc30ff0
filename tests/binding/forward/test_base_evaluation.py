"""Forward at the user's own point, in the best precision that it follows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import check_gradient


def test_an_attempt_in_float64_draws_no_random_numbers() -> None:
    """Where forward returns float32 whatever it is given, both calls have the same mask."""
    rng = np.random.default_rng(0)
    masks = []

    def forward(x: Any) -> Any:
        masks.append(rng.random(8) < 0.5)
        return np.sum(x * masks[-1]).astype(np.float32)

    x = np.linspace(1, 2, 8, dtype=np.float32)
    report = check_gradient(forward, lambda x: masks[-1].astype(np.float32), x)
    assert report.verdict == "correct"
    assert all((mask == masks[0]).all() for mask in masks)


class Cubes:
    """A layer that computes the sum of ``x W`` and of the cubes of ``W``."""

    W: Any

    def __init__(self, dtype: Any, *, factor: float = 1.0) -> None:
        self.W = np.array([0.7, -1.2, 0.4]).astype(dtype)
        self.factor = factor

    @property
    def read(self) -> Any:
        """What forward reads for ``W``."""
        return self.W

    def forward(self, x: Any) -> Any:
        """Return the value."""
        return np.sum(x * self.read + self.read**3)

    def backward(self, x: Any) -> Any:
        """Return the gradients, that of ``W`` by a factor."""
        return self.read, self.factor * (x + 3 * self.read**2)


class InAList(Cubes):
    """Forward reads the array by both of its names."""

    def __init__(self, dtype: Any, *, factor: float = 1.0) -> None:
        super().__init__(dtype, factor=factor)
        self.parameters = [self.W]

    @property
    def read(self) -> Any:
        """The mean of both."""
        return (self.W + self.parameters[0]) / 2


class InATuple(Cubes):
    """Forward reads the array by a name that cannot be given to another one."""

    def __init__(self, dtype: Any, *, factor: float = 1.0) -> None:
        super().__init__(dtype, factor=factor)
        self.parameters = (self.W,)

    @property
    def read(self) -> Any:
        """The element."""
        return self.parameters[0]


class Packed(Cubes):
    """Forward reads a part of the vector of all parameters."""

    def __init__(self, dtype: Any, *, factor: float = 1.0) -> None:
        super().__init__(dtype, factor=factor)
        self.part = self.W[:]

    @property
    def read(self) -> Any:
        """The part."""
        return self.part


class Rounded(Cubes):
    """Whatever the attribute is set to has the type of the user's afterwards."""

    def __init__(self, dtype: Any, *, factor: float = 1.0) -> None:
        self.dtype = dtype
        super().__init__(dtype, factor=factor)

    @property
    def W(self) -> Any:  # noqa: N802  # the name of an attribute
        """The parameter."""
        return self.values

    @W.setter
    def W(self, value: Any) -> None:  # noqa: N802  # the name of an attribute
        self.values = np.array(value, self.dtype)


class Refusing(Cubes):
    """Forward accepts the type of the user's only."""

    @property
    def read(self) -> Any:
        """The array, where it is in single precision."""
        if self.W.dtype != np.float32:
            raise TypeError(self.W.dtype)
        return self.W


class Number:
    """An object of an autodiff engine, with numbers and their gradient."""

    def __init__(self, data: Any) -> None:
        self.data, self.grad = data, np.zeros_like(data)

    def backward(self) -> None:
        """Do nothing: it is not called."""


class OfNumbers(Cubes):
    """The attribute is such an object."""

    def __init__(self, dtype: Any, *, factor: float = 1.0) -> None:
        super().__init__(dtype, factor=factor)
        self.W = Number(self.W)

    @property
    def read(self) -> Any:
        """The numbers."""
        return self.W.data


X = np.array([0.3, -0.8, 1.1])


def cast_notes(report: Any) -> list[str]:
    """Return the notes on what was measured in another type."""
    return [note.text for note in report.notes if note.kind == "cast"]


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("kind", [Cubes, InAList, OfNumbers])
@pytest.mark.parametrize("mode", ["full", "fast"])
def test_an_attribute_is_measured_in_float64(kind: Any, dtype: Any, mode: str) -> None:
    """As an argument is, by whatever name forward reads it."""
    layer = kind(dtype)
    report = check_gradient(
        layer.forward, layer.backward, X.astype(dtype), wrt=("x", "self.W"), mode=mode
    )
    assert report.verdict == "correct"
    assert cast_notes(report) == ["measured in float64, forward follows: x, self.W"]


def test_attributes_in_containers_are_measured_in_float64() -> None:
    """In lists and dicts of the object."""

    class Layers:
        def __init__(self) -> None:
            x = X.astype(np.float32)
            self.params: dict[str, Any] = {"W": x, "b": [x + 1, x - 2]}

        def forward(self) -> Any:
            return np.sum(self.params["W"] ** 2 * self.params["b"][0] + self.params["b"][1] ** 3)

        def backward(self) -> Any:
            W, (b, c) = self.params["W"], self.params["b"]
            return {"W": 2 * W * b, "b": [W**2, 3 * c**2]}

    layers = Layers()
    report = check_gradient(layers.forward, layers.backward, wrt="self.params")
    assert report.verdict == "correct"
    (note,) = cast_notes(report)
    assert note.startswith("measured in float64, forward follows: self.params['W'], ")


@pytest.mark.parametrize("kind", [Cubes, InAList, InATuple, Packed, Rounded, Refusing])
def test_the_object_has_its_own_arrays_again(kind: Any) -> None:
    """Wherever it held them, with their entries."""
    layer = kind(np.float32)
    before = {name: id(item) for name, item in vars(layer).items()}
    elements = [*map(id, getattr(layer, "parameters", ()))]
    check_gradient(layer.forward, layer.backward, X.astype(np.float32), wrt=("x", "self.W"))
    assert {name: id(item) for name, item in vars(layer).items()} == before
    assert [*map(id, getattr(layer, "parameters", ()))] == elements
    assert layer.W.dtype == np.float32
    assert layer.W.tolist() == Cubes(np.float32).W.tolist()


@pytest.mark.parametrize("kind", [InATuple, Packed, Rounded, Refusing])
def test_an_attribute_that_forward_does_not_follow_keeps_its_type(kind: Any) -> None:
    """It is read by a name that is not found, or converted; arguments are lifted all the same."""
    layer = kind(np.float32)
    report = check_gradient(
        layer.forward, layer.backward, X.astype(np.float32), wrt=("x", "self.W")
    )
    assert cast_notes(report) == ["measured in float64, forward follows: x"]


@pytest.mark.parametrize("argument", [np.float32, np.float64])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("kind", [Cubes, InATuple, Packed, Rounded])
@pytest.mark.parametrize("mode", ["full", "fast"])
def test_the_type_of_an_attribute_accuses_nobody(
    kind: Any, dtype: Any, argument: Any, mode: str
) -> None:
    """A right gradient is not called wrong beside an argument in float64, another one is."""
    for seed, factor in [*((seed, 1.0) for seed in range(5)), (0, 1.25)]:
        layer = kind(dtype, factor=factor)
        report = check_gradient(
            layer.forward,
            layer.backward,
            X.astype(dtype).astype(argument),
            wrt=("x", "self.W"),
            seed=seed,
            mode=mode,
        )
        assert (report.verdict == "wrong") == (factor != 1)
        assert report["x"].verdict != "wrong"


class Squares:
    """A layer whose output is ``x W^2``, entry by entry, with a derivative of every kind."""

    def __init__(self, factor: float) -> None:
        self.W, self.factor = X.astype(np.float32), factor

    def forward(self, x: Any) -> Any:
        """Return the output."""
        return x * self.W**2

    def elementwise(self, x: Any) -> Any:
        """Return the derivative of each entry."""
        return self.factor * 2 * x * self.W

    def jacobian(self, x: Any) -> Any:
        """Return the matrix of derivatives."""
        return np.diag(self.elementwise(x))

    def product(self, x: Any, cotangent: Any) -> Any:
        """Return the vector-Jacobian product."""
        return cotangent * self.elementwise(x)


@pytest.mark.parametrize("derivative", ["elementwise", "jacobian", "product"])
@pytest.mark.parametrize("mode", ["full", "fast"])
def test_every_kind_of_derivative_by_an_attribute(derivative: str, mode: str) -> None:
    """Right ones are correct in single precision, too."""
    for factor, verdict in ((1.0, "correct"), (1.01, "wrong")):
        layer = Squares(factor)
        backward = getattr(layer, derivative)
        report = check_gradient(
            layer.forward, backward, X.astype(np.float32), wrt="self.W", mode=mode
        )
        assert report.verdict == verdict
