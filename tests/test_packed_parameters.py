"""Mappings of parameters that are parts of one vector."""

from collections import UserDict
from collections.abc import Iterator, MutableMapping
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, check_gradient

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])

PARTS = {"W": (slice(0, 6), (3, 2)), "b": (slice(6, 8), (2,))}


class Packed(MutableMapping[str, Any]):
    """It makes a view of the vector each time that it is read."""

    def __init__(self) -> None:
        self.vector = np.linspace(0.1, 1, 8)

    def __getitem__(self, key: str) -> Any:
        part, shape = PARTS[key]
        return self.vector[part].reshape(shape)

    def __setitem__(self, key: str, value: Any) -> None:
        self.vector[PARTS[key][0]] = np.ravel(value)

    def __delitem__(self, key: str) -> None:
        raise TypeError

    def __iter__(self) -> Iterator[str]:
        return iter(PARTS)

    def __len__(self) -> int:
        return len(PARTS)


class PackedInCopies(Packed):
    """Its copies share the vector."""

    def __deepcopy__(self, memo: Any) -> Any:
        copied = PackedInCopies()
        copied.vector = self.vector
        return copied


class PackedDict(dict[str, Any]):
    """It holds views of the vector."""

    def __init__(self) -> None:
        self.vector = np.linspace(0.1, 1, 8)
        super().__init__(
            {key: self.vector[part].reshape(shape) for key, (part, shape) in PARTS.items()}
        )


class PackedUserDict(UserDict[str, Any]):
    """It holds a dict of views of the vector."""

    def __init__(self) -> None:
        packed = PackedDict()
        super().__init__(packed)
        self.vector = packed.vector


def by_name(p: Any) -> float:
    """Return a number that depends on all parameters, which are read by name."""
    return float(np.sum((X @ p["W"] + p["b"]) ** 2))


def by_place(p: Any) -> float:
    """Return the same number from the vector."""
    return float(np.sum((X @ p.vector[:6].reshape(3, 2) + p.vector[6:]) ** 2))


def gradients(p: Any, factor: float = 1.0) -> dict[str, Any]:
    """Return the gradients, a multiple of those with respect to the weights."""
    residual = 2 * (X @ p["W"] + p["b"])
    return {"W": factor * X.T @ residual, "b": residual.sum(axis=0)}


@pytest.mark.parametrize("forward", [by_name, by_place])
@pytest.mark.parametrize("kind", [Packed, PackedDict, PackedUserDict])
@pytest.mark.parametrize("mode", ["full", "fast"])
def test_parts_of_a_vector_are_checked_by_name(kind: Any, forward: Any, mode: str) -> None:
    """The vector goes with them, and the user's is as it was."""
    p = kind()
    vector, before = p.vector, p.vector.copy()
    for factor, passes in ((1.0, True), (1.5, False), (0.0, False)):
        report = check_gradient(forward, lambda p, f=factor: gradients(p, f), p, mode=mode)
        assert report.passed == passes
    assert p.vector is vector
    assert vector.tolist() == before.tolist()
    assert np.shares_memory(p["W"], vector)


@pytest.mark.parametrize("forward", [by_name, by_place])
@pytest.mark.parametrize("kind", [Packed, PackedDict, PackedUserDict])
@pytest.mark.parametrize("key", PARTS)
def test_one_part_of_a_vector_is_checked(kind: Any, forward: Any, key: str) -> None:
    """The others stay where they are in the vector."""
    for factor, passes in ((1, True), (2, False)):
        report = check_gradient(
            forward, lambda p, f=factor: f * gradients(p)[key], kind(), wrt=f"p['{key}']"
        )
        assert report.passed == passes


@pytest.mark.parametrize("kind", [Packed, PackedDict, PackedUserDict])
def test_parts_of_a_vector_may_be_attributes(kind: Any) -> None:
    """As a layer holds them."""

    class Layer:
        def __init__(self) -> None:
            self.p = kind()

        def forward(self) -> float:
            return by_place(self.p)

        def backward(self) -> Any:
            return gradients(self.p)

    layer = Layer()
    before = layer.p.vector.copy()
    assert check_gradient(layer.forward, layer.backward, wrt="self.p").passed
    assert layer.p.vector.tolist() == before.tolist()


def test_copy_that_shares_the_vector_is_refused() -> None:
    """Nothing is written to it."""
    p = PackedInCopies()
    before = p.vector.copy()
    with pytest.raises(GradcheckUsageError, match=r"copy of\s+it\s+shares its items"):
        check_gradient(by_name, gradients, p)
    assert p.vector.tolist() == before.tolist()
