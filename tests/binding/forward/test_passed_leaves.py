"""Leaves as they are passed to forward: whether a call has changed them, and what it may keep."""

from functools import cache, cached_property, partial
from typing import Any
from weakref import ref

import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from pytest_gradcheck.binding.forward.passed_leaves import equal

RECORD = [("a", "f8"), ("b", "i4", (2,)), ("c", [("d", "M8[D]")])]

UNEQUAL_TO_THEMSELVES: list[Any] = [
    float("nan"),
    np.float32("nan"),
    complex("nan"),
    np.datetime64("NaT", "s"),
    np.array(["NaT", "2020-01-01"], "M8[D]"),
    np.array(["NaT", 3], "m8[s]"),
    np.array([np.nan, 1.0], np.float16),
    np.array([np.nan, None], object),
    [float("nan"), 1.0],
    (float("nan"), np.datetime64("NaT", "s")),
    {"a": np.datetime64("NaT", "s"), "b": [float("nan")]},
    np.array([(np.nan, (1, 2), ("NaT",))], RECORD),
]


@pytest.mark.parametrize("value", UNEQUAL_TO_THEMSELVES, ids=range(len(UNEQUAL_TO_THEMSELVES)))
def test_what_is_not_equal_to_itself_is_not_changed(value: Any) -> None:
    """As an argument, as a default and in a container."""

    def forward(x: Any, data: Any = value) -> Any:
        return np.sum(x**2)

    x = np.ones(2)
    for report in (
        check_gradient(forward, lambda x: 2 * x, x, wrt="x"),
        check_gradient(forward, lambda x: 2 * x, x, value, wrt="x"),
        check_gradient(
            lambda p: np.sum(p["x"] ** 2),
            lambda p: {"x": 2 * p["x"]},
            {"x": x, "data": value},
            wrt="x",
        ),
    ):
        assert report.notes == ()


def test_records_are_compared_field_by_field() -> None:
    """Fields may be arrays and records."""
    before = np.array([(np.nan, (1, 2), ("NaT",))] * 4, RECORD)
    after = before.copy()
    after["a"][1] = 0
    after["b"][2, 1] = 3
    after["c"]["d"][3] = "2020-01-01"
    assert equal(before, after).tolist() == [True, False, False, False]


class Layer:
    """A layer whose forward is the sum of the squares of what it computes from ``weights``."""

    weights: Any

    def __init__(self) -> None:
        self.weights = np.array([0.7, -1.2])
        self.known: Any = None

    def computed(self) -> Any:
        """Return what may be remembered from one call to the next."""
        return 3 * self.weights

    def forward(self) -> Any:
        """Return the value."""
        return np.sum(self.computed() ** 2)

    def backward(self, factor: float) -> Any:
        """Return a multiple of the gradient."""
        return factor * 18 * self.weights


class Remembering(Layer):
    """It computes anew where the key of ``weights`` is another."""

    key: Any = staticmethod(lambda array: array)
    is_same: Any = staticmethod(lambda a, b: a is b)

    def computed(self) -> Any:
        """Return it, from the last call or anew."""
        if self.known is None or not self.is_same(self.known, self.key(self.weights)):
            self.known, self.result = self.key(self.weights), 3 * self.weights
        return self.result


class ById(Remembering):
    """By the number of the array, which another one may get after it."""

    key = staticmethod(id)
    is_same = staticmethod(lambda a, b: a == b)


class ByWeakReference(Remembering):
    """By a reference that does not keep the array."""

    key = staticmethod(ref)
    is_same = staticmethod(lambda a, b: a() is b())


class WithCachedProperty(Layer):
    """It computes once for every object."""

    @cached_property
    def tripled(self) -> Any:
        """What is computed once."""
        return 3 * self.weights

    def computed(self) -> Any:
        """Return it."""
        return self.tripled


class WithCachedView(WithCachedProperty):
    """A view of the array is no result of its numbers."""

    @cached_property
    def transposed(self) -> Any:
        """What is computed once."""
        return self.weights.T

    def computed(self) -> Any:
        """Return it."""
        return 3 * self.transposed.T


class WithCachedMethod(Layer):
    """It computes once for every object, and its class keeps the result."""

    @cache  # noqa: B019  # as in the user's code
    def computed(self) -> Any:
        """Return it."""
        return super().computed()


class WithSetter(Layer):
    """Who sets the attribute lets it compute anew."""

    @property
    def weights(self) -> Any:
        """The parameter."""
        return self._weights

    @weights.setter
    def weights(self, value: Any) -> None:
        self._weights, self.result = value, None

    def computed(self) -> Any:
        """Return it, from the last call or anew."""
        if self.result is None:
            self.result = 3 * self._weights
        return self.result


class WithLogarithm(Layer):
    """The attribute is computed from what is stored, and stored by its setter."""

    @property
    def weights(self) -> Any:
        """The parameter."""
        return np.log(self.stored)

    @weights.setter
    def weights(self, value: Any) -> None:
        self.stored = np.exp(value)


class WithReadOnlyProperty(Remembering):
    """There is no setter, but an attribute that holds the array."""

    def __init__(self) -> None:
        self._weights = np.array([0.7, -1.2])
        self.known = None

    @property
    def weights(self) -> Any:
        """The parameter."""
        return self._weights


class WithAlias(Remembering):
    """What is computed from another name of the same array."""

    def __init__(self) -> None:
        super().__init__()
        self.parameters = [self.weights]

    def computed(self) -> Any:
        """Return it."""
        return super().computed() / 3 + 2 * self.parameters[0]


@pytest.mark.parametrize("is_called_before", [False, True])
@pytest.mark.parametrize("mode", ["full", "fast"])
@pytest.mark.parametrize(
    "kind",
    [
        Layer,
        Remembering,
        ById,
        ByWeakReference,
        WithCachedProperty,
        WithCachedView,
        WithCachedMethod,
        WithSetter,
        WithLogarithm,
        WithReadOnlyProperty,
        WithAlias,
    ],
)
def test_memo_of_attributes_knows_no_perturbed_point(
    kind: Any, mode: str, is_called_before: bool
) -> None:
    """The right gradient passes, zero is found to be wrong, and the object is as it was."""
    for factor, passes in ((1, True), (0, False)):
        layer = kind()
        if is_called_before:
            layer.forward()
        before = {name: (id(item), np.copy(item)) for name, item in vars(layer).items()}
        value = 9 * np.sum(layer.weights**2)
        report = check_gradient(
            layer.forward, partial(layer.backward, factor), wrt="self.weights", mode=mode
        )
        assert report.passed == passes
        assert layer.forward() == pytest.approx(value, rel=1e-15)
        if is_called_before:
            after = {name: (id(item), np.copy(item)) for name, item in vars(layer).items()}
            assert repr(after) == repr(before)
