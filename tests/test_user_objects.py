"""Checks of objects: all functions work on the user's own, which stay as they were."""

import functools
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, check_gradient

RNG = np.random.default_rng(7)
X = RNG.normal(size=4)


class Layer:
    """A layer that keeps its input, counts its calls and averages its outputs."""

    def __init__(self) -> None:
        self.W = RNG.normal(size=(3, 4))
        self.params = [self.W]
        self.history: list[Any] = []
        self.bn = SimpleNamespace(running=np.zeros(3), seen=set())
        self.lock = threading.Lock()  # it cannot be copied

    def forward(self, x: Any) -> Any:
        """Return the activations."""
        self.x, self.y = x, np.tanh(self.params[0] @ x)
        self.bn.running += self.y
        self.bn.seen.add(len(self.history))
        self.history.append(self.y)
        return self.y

    def backward(self, dout: Any) -> Any:
        """Store the gradient of W, and return that of x."""
        d = dout * (1 - self.y**2)
        self.dW = np.outer(d, self.x)
        return self.W.T @ d

    def wrong(self, dout: Any) -> Any:
        """Forget the derivative of tanh."""
        self.dW = np.outer(dout, self.x)
        return self.W.T @ dout


GLOBAL_LAYER = Layer()


def by_global(dout: Any) -> Any:
    """Ask the layer that is a global."""
    return GLOBAL_LAYER.backward(dout)


def by_closure(layer: Any) -> Any:
    """Ask the layer that is closed over."""

    def backward(dout: Any) -> Any:
        return layer.backward(dout)

    return backward


def by_default(layer: Any) -> Any:
    """Ask the layer that is a default."""

    def backward(dout: Any, it: Any = layer) -> Any:
        return it.backward(dout)

    return backward


def by_partial(layer: Any) -> Any:
    """Ask the layer that is an argument of a partial."""
    return functools.partial(lambda it, dout: it.backward(dout), layer)


class Trainer:
    """An object that holds the layer."""

    def __init__(self, layer: Any) -> None:
        self.layers = {"first": layer}

    def __call__(self, dout: Any) -> Any:
        """Call backward of the layer."""
        return self.layers["first"].backward(dout)


@pytest.mark.parametrize(
    "of",
    [
        lambda layer: layer.backward,
        by_closure,
        by_default,
        by_partial,
        Trainer,
    ],
)
@pytest.mark.parametrize("wrt", ["self.W", ["x", "self.W"]])
def test_backward_may_reach_the_layer_in_any_way(of: Any, wrt: Any) -> None:
    """Through its method, a closure, a default, a partial or another object."""
    layer = Layer()
    assert check_gradient(layer.forward, of(layer), X, wrt=wrt).passed


def test_backward_may_reach_the_layer_by_a_global() -> None:
    """A module may have one layer for all its tests."""
    assert check_gradient(GLOBAL_LAYER.forward, by_global, X, wrt="self.W").passed


def test_wrong_gradient_from_a_closure_is_found() -> None:
    """The layer asked is the one that was evaluated."""
    layer = Layer()
    layer.backward = layer.wrong  # type: ignore[method-assign]  # as users try
    assert not check_gradient(layer.forward, by_closure(layer), X, wrt="self.W").passed


@pytest.mark.parametrize("wrt", [None, "self.W"])
def test_layer_is_put_back(wrt: Any) -> None:
    """Attributes, nested objects, lists and sets, whether attributes are checked or not."""
    layer = Layer()
    attributes, weights = dict(vars(layer)), layer.W.copy()
    check_gradient(layer.forward, layer.backward, X, wrt=wrt)
    assert vars(layer) == attributes
    assert layer.W is layer.params[0]
    assert layer.W.tobytes() == weights.tobytes()
    assert (layer.history, layer.bn.seen) == ([], set())
    assert layer.bn.running.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("how", ["callable", "argument", "closure", "backward"])
def test_any_object_that_functions_reach_is_put_back(how: str) -> None:
    """A callable object, an argument, an object or array in a closure, backward's own object."""

    class Model:
        def __init__(self) -> None:
            self.calls, self.cache = 0, {"x": np.zeros(4)}

        def __call__(self, x: Any, *_: Any) -> Any:
            self.calls += 1
            self.cache["x"][:] = x
            return 2 * x

    model, buffer = Model(), np.zeros(4)

    def forward(x: Any, it: Any = None) -> Any:
        buffer[:] = x
        (it or model)(x)
        return x @ x

    if how == "callable":
        check_gradient(model, lambda x, dout: 2 * dout, X)
    elif how == "argument":
        check_gradient(forward, lambda x: 2 * x, X, model)
    elif how == "closure":
        check_gradient(forward, lambda x: 2 * x, X)
    else:
        check_gradient(lambda x: x @ x, model, X)
    assert model.calls == 0
    assert list(model.cache) == ["x"]
    assert not model.cache["x"].any()
    assert not buffer.any()


def test_layer_is_put_back_after_a_failure() -> None:
    """An exception of forward leaves nothing behind either."""
    layer = Layer()
    attributes, weights = dict(vars(layer)), layer.W.copy()

    def backward(dout: Any) -> Any:
        layer.W *= 2
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        check_gradient(layer.forward, backward, X, wrt="self.W")
    assert vars(layer) == attributes
    assert layer.W.tobytes() == weights.tobytes()


class Normalised:
    """A layer that binds its parameter anew in each call."""

    def __init__(self) -> None:
        self.W = RNG.normal(size=(3, 4))

    def forward(self, x: Any) -> Any:
        """Normalise the parameter first."""
        self.norm = np.linalg.norm(self.W)
        self.W = self.W / self.norm
        return self.W @ x

    def backward(self, x: Any, dout: Any) -> Any:
        """Differentiate the normalization, too."""
        d = np.outer(dout, x)
        return (d - self.W * np.sum(d * self.W)) / self.norm


def test_forward_may_bind_a_checked_attribute_anew() -> None:
    """Each evaluation begins with the array that is perturbed, and zero is no right gradient."""
    layer = Normalised()
    weights = layer.W
    assert check_gradient(layer.forward, layer.backward, X, wrt="self.W").passed
    assert layer.W is weights
    report = check_gradient(layer.forward, lambda x, dout: 0 * weights, X, wrt="self.W")
    assert not report.passed


def test_attribute_of_a_class_is_put_back() -> None:
    """It is shared by all objects of the class."""

    class Linear:
        W = np.ones((2, 4))

        def forward(self, x: Any) -> Any:
            return self.W @ x

    check_gradient(Linear().forward, lambda x, dout: np.outer(dout, x), X, wrt="self.W")
    assert (Linear.W == 1).all()


def test_read_only_attribute_is_perturbed_nevertheless() -> None:
    """It is read-only again afterwards."""
    layer = Layer()
    layer.W.flags.writeable = False
    assert check_gradient(layer.forward, layer.backward, X, wrt="self.W").passed
    assert not layer.W.flags.writeable


def test_attribute_in_read_only_memory_is_refused() -> None:
    """The message says what to do."""
    layer = Layer()
    layer.W = np.frombuffer(layer.W.tobytes()).reshape(3, 4)
    layer.params = [layer.W]
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(layer.forward, layer.backward, X, wrt="self.W")
    assert error.value.args[0] == (
        "self.W cannot be perturbed: its memory is read-only. Let the object hold a copy, "
        "self.W = np.array(self.W)."
    )


@dataclass(frozen=True)
class Frozen:
    """An object whose attributes cannot be set."""

    W: Any
    scale: float = 1.5

    def forward(self, x: Any) -> Any:
        """Return scaled outputs."""
        return self.scale * (self.W @ x)

    def backward(self, x: Any, dout: Any) -> Any:
        """Return the gradients of W and of the scale."""
        return self.scale * np.outer(dout, x), float(dout @ (self.W @ x))


def test_numbers_of_a_frozen_object_are_checked() -> None:
    """They are what they were afterwards."""
    layer = Frozen(RNG.normal(size=(3, 4)))
    assert check_gradient(layer.forward, layer.backward, X, wrt=["self.W", "self.scale"]).passed
    assert layer.scale == 1.5


@pytest.mark.parametrize("of", [lambda layer: layer.backward, by_closure])
def test_threads_may_check_the_attributes_of_one_layer(of: Any) -> None:
    """One after the other, since each perturbs the layer itself."""
    layer = Layer()
    weights = layer.W.copy()

    def check(_: int) -> bool:
        return check_gradient(layer.forward, of(layer), X, wrt="self.W", mode="full").passed

    with ThreadPoolExecutor(4) as executor:
        assert all(executor.map(check, range(8)))
    assert layer.W.tobytes() == weights.tobytes()


class Proxy:
    """It stands for an object that is not there."""

    def __init__(self, function: Any) -> None:
        self.W = np.ones(2)
        self._function = function

    def __call__(self, x: Any) -> Any:
        """Call the function."""
        return self._function(x)

    def total(self, x: Any) -> Any:
        """Return a weighted sum of squares."""
        return np.sum(self.W * x**2)

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"not connected, no {name}")


def test_attributes_of_a_callable_may_raise_anything() -> None:
    """Nothing that forward and backward do not use is asked for, or it counts as missing."""
    x = np.array([1.0, 2.0])
    forward, backward = Proxy(lambda x: np.sum(x**2)), Proxy(lambda x: 2 * x)
    for functions in (
        (forward, lambda x: 2 * x),
        (np.sum, Proxy(np.ones_like)),
        (forward, backward),
    ):
        assert check_gradient(*functions, x).verdict == "correct"
    assert check_gradient(forward, Proxy(lambda x: 3 * x), x).verdict == "wrong"
    assert [p.name for p in check_gradient(forward, backward, x).parameters] == ["x"]
    assert check_gradient(forward.total, lambda x: x**2, x, wrt="self.W").verdict == "correct"


class Unreadable:
    """Whatever it is asked for, it raises."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(f"closed, no {name}")


class Endless(tuple[float, ...]):  # noqa: SLOT001  # as users write it
    """It does not say how long it is."""

    def __len__(self) -> int:
        raise RuntimeError("no length")


@pytest.mark.parametrize("make", [Unreadable, lambda: Endless((1.0,))])
def test_exception_of_an_object_shows_none_of_our_frames(make: Any) -> None:
    """Python calls the methods of an object when something is asked of it."""
    value = make()
    with pytest.raises(RuntimeError) as error:
        check_gradient(lambda x, value: x, lambda x, value: 1.0, 1.5, value)
    names = [frame.name for frame in error.traceback]
    assert names[1:-1] == ["check_gradient", "run_check"]
    assert names[-1] in ("__getattribute__", "__len__")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"wrt": "self.w"},
            "wrt='self.w': the Proxy that forward is bound to raises RuntimeError for it. Did you "
            "mean 'self.W'?",
        ),
        ({"modus": "full"}, "modus"),
    ],
)
def test_attribute_that_raises_is_missing(options: dict[str, Any], message: str) -> None:
    """A misspelt name is refused as with any object."""
    forward = Proxy(np.sum)
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(
            forward.total if "wrt" in options else forward, np.ones_like, 1.5, **options
        )
    assert message in error.value.args[0]


def raises(*_: object) -> Any:
    """Stand for any method of a class of the user's."""
    raise RuntimeError("not now")


METHODS = ("__len__", "__iter__", "__getitem__", "__eq__", "__repr__", "__array__", "__deepcopy__")

ROLES: dict[str, Callable[[Any], object]] = {
    "argument": lambda o: check_gradient(lambda x, o: np.sum(x**2), lambda x, o: 2 * x, X, o),
    "parameter": lambda o: check_gradient(lambda o: 1.0, lambda o: np.zeros(1), o),
    "output": lambda o: check_gradient(lambda x: o, lambda x: 2 * x, X),
    "gradient": lambda o: check_gradient(lambda x: np.sum(x**2), lambda x: o, X),
    "cache": lambda o: check_gradient(lambda x: (np.sum(x**2), o), lambda x, cache: 2 * x, X),
    "option": lambda o: check_gradient(np.sum, np.ones_like, X, bounds=o),
}


@pytest.mark.parametrize("of", ROLES.values(), ids=ROLES)
@pytest.mark.parametrize("base", [object, dict, list])
def test_methods_of_a_class_may_raise_anything(of: Callable[[Any], object], base: Any) -> None:
    """The check is made, or refused, or what the method raises shows none of our frames."""
    for method in METHODS:
        cls: Any = type("Hostile", (base,), {method: raises})
        value = base.__new__(cls)
        if base is dict:
            dict.__setitem__(value, "W", np.ones(1))
        elif base is list:
            list.append(value, np.ones(1))
        try:
            of(value)
        except GradcheckUsageError:
            continue
        except RuntimeError as error:
            names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
            assert names[1:] == ["<lambda>", "check_gradient", "run_check", "raises"], method


class Neuron:
    """An object that is called, with weights."""

    def __init__(self) -> None:
        self.w = np.array([0.5, -1.0])

    def __call__(self, x: Any) -> Any:
        """Return the output."""
        self.x = x
        return self.w @ x

    def backward(self, x: Any) -> Any:
        """Set the gradient of the weights, and return that of the input."""
        self.dw = self.x
        return self.w


def test_an_object_that_is_called_has_attributes() -> None:
    """As that whose method is called."""
    neuron, x = Neuron(), np.array([1.0, 2.0])
    report = check_gradient(neuron, neuron.backward, x, wrt=["x", "self.w"])
    assert (report.verdict, report.forward) == ("correct", "Neuron")
    with pytest.raises(GradcheckUsageError, match=r"write wrt='self\.w'"):
        check_gradient(neuron, neuron.backward, x, wrt="w")
