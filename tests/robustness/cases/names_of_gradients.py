"""Kind 7: containers of gradients, matched by name."""

import collections
import dataclasses
import types
from typing import Any, NamedTuple

import numpy as np

from tests.robustness.case import Call, Case, claims

W = np.array([[0.7, -1.2], [2.0, 0.4]])
B = np.array([[0.3, 0.9], [-1.0, 0.5]])  # of the same shape: nothing but the name tells


@dataclasses.dataclass
class Dataclass:
    W: Any
    b: Any


@dataclasses.dataclass
class Backwards:
    b: Any
    W: Any


@dataclasses.dataclass(frozen=True)
class Frozen:
    W: Any
    b: Any


@dataclasses.dataclass(slots=True)
class Slots:
    W: Any
    b: Any


class Named(NamedTuple):
    W: Any
    b: Any


class NamedBackwards(NamedTuple):
    b: Any
    W: Any


class Plain:
    def __init__(self, W, b):
        self.W, self.b = W, b


class AttributeDict(dict):
    """A dict whose items are its attributes."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.__dict__ = self


class Converting(dict):
    """A dict that converts what is set."""

    def __setitem__(self, key, value):
        super().__setitem__(key, np.array(value, dtype=float))


PARAMETERS = {
    "dict": lambda W, b: {"W": W, "b": b},
    "dataclass": Dataclass,
    "frozen dataclass": Frozen,
    "slots": Slots,
    "named tuple": Named,
    "namespace": lambda W, b: types.SimpleNamespace(W=W, b=b),
    "OrderedDict": lambda W, b: collections.OrderedDict(W=W, b=b),
    "attribute dict": lambda W, b: AttributeDict(W=W, b=b),
    "converting dict": lambda W, b: Converting(W=W, b=b),
}

GRADIENTS = {
    "dict": lambda W, b: {"W": W, "b": b},
    "dict backwards": lambda W, b: {"b": b, "W": W},
    "dict of dW": lambda W, b: {"db": b, "dW": W},
    "dataclass": Dataclass,
    "dataclass backwards": lambda W, b: Backwards(b=b, W=W),
    "named tuple": Named,
    "named tuple backwards": lambda W, b: NamedBackwards(b=b, W=W),
    "namespace backwards": lambda W, b: types.SimpleNamespace(b=b, W=W),
    "OrderedDict backwards": lambda W, b: collections.OrderedDict(b=b, W=W),
    "attribute dict": lambda W, b: AttributeDict(W=W, b=b),
}

#: The names say another thing than the order: these are wrong, or no gradients of W and b.
SWAPPED = {
    "dict": lambda W, b: {"b": W, "W": b},
    "dataclass backwards": lambda W, b: Backwards(b=W, W=b),
    "named tuple backwards": lambda W, b: NamedBackwards(b=W, W=b),
    "namespace": lambda W, b: types.SimpleNamespace(b=W, W=b),
}

NAMELESS = {
    "keys that name nothing": lambda W, b: {"foo": W, "bar": b},
    "numbers as keys": lambda W, b: {0: W, 1: b},
    "one key of two": lambda W, b: {"W": W, "c": b},
}


def read(parameters):
    if isinstance(parameters, dict):
        return parameters["W"], parameters["b"]
    return parameters.W, parameters.b


def forward(p):
    W, b = read(p)
    return np.sum(np.tanh(W) * b**2)


def gradients(p):
    W, b = read(p)
    return (1 - np.tanh(W) ** 2) * b**2, 2 * np.tanh(W) * b


def call(parameters, made, factor):
    def backward(p):
        dW, db = gradients(p)
        return made(dW, db * factor)

    return Call(forward, backward, (parameters(W.copy(), B.copy()),))


def two_arguments(made, factor):
    def backward(W, b):
        dW, db = (1 - np.tanh(W) ** 2) * b**2, 2 * np.tanh(W) * b
        return made(dW, db * factor)

    return Call(lambda W, b: np.sum(np.tanh(W) * b**2), backward, (W.copy(), B.copy()))


def attributes(made, factor):
    class Model:
        def __init__(self):
            self.W, self.b = W.copy(), B.copy()

        def forward(self):
            return forward(self)

        def backward(self):
            dW, db = gradients(self)
            return made(dW, db * factor)

    model = Model()
    return Call(model.forward, model.backward, (), {"wrt": ["self.W", "self.b"]})


def cases():
    for container, parameters in PARAMETERS.items():
        for name, made in GRADIENTS.items():
            yield from claims(
                7,
                f"{name} for {container}",
                lambda factor, p=parameters, m=made: call(p, m, factor),
                refusable=True,
            )
        for name, made in (SWAPPED | NAMELESS).items():
            yield Case(
                7,
                f"{name} for {container}: {'swapped' if name in SWAPPED else 'not named'}",
                lambda p=parameters, m=made: call(p, m, 1.0),
                "wrong" if name in SWAPPED else "refusal",
                refusable=True,
            )
    # The same structure is accepted, whatever it is.
    for name in PARAMETERS.keys() & GRADIENTS.keys():
        yield from claims(
            7,
            f"the same {name}",
            lambda factor, name=name: call(PARAMETERS[name], GRADIENTS[name], factor),
        )
    for name in ("dict", "dict backwards", "dict of dW", "named tuple"):
        yield from claims(
            7,
            f"{name} for two arguments",
            lambda factor, name=name: two_arguments(GRADIENTS[name], factor),
        )
        yield from claims(
            7,
            f"{name} for two attributes",
            lambda factor, name=name: attributes(GRADIENTS[name], factor),
        )
    for name, made in SWAPPED.items():
        yield Case(
            7,
            f"{name} for two arguments: swapped",
            lambda made=made: two_arguments(made, 1.0),
            "wrong",
            refusable=True,
        )
