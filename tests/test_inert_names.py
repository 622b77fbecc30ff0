"""Names of every kind: a check of what has them, and how they are shown."""

import json
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, check_gradient

X = np.array([1.0, 2.0])


def _raise(*args: object) -> Any:
    raise RuntimeError("called")


class Untouchable:
    """A key whose methods must not be called, except its hash."""

    __repr__ = __str__ = __format__ = _raise


class Text(str):
    """A string of the same kind."""

    __slots__ = ()
    __repr__ = __str__ = __format__ = _raise


TEXTS = {
    "escape": "\x1b[31mred\x1b[0m",
    "lines": "a\nb",
    "surrogate": "\ud800x",
    "megabyte": "k" * 10**6,
    "zero": "\0",
    "quotes": "a'b\"c",
    "brackets": "a]['b",
    "dots": "a.b...",
    "backslash": "a\\x1b",
    "empty": "",
    "letters": "\u03b8",
    "subclass": Text("w"),
    "numpy": np.str_("W"),
}

KEYS: dict[str, Any] = TEXTS | {
    "object": Untouchable(),
    "nan": float("nan"),
    "tuple": ("a", Untouchable()),
    "int": 10**400,
    "bytes": b"\xff" * 10**6,
    "none": None,
    "number": np.float64(1.5),
}

EVERY_KEY = pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
EVERY_TEXT = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)


def verify(
    forward: Callable[..., Any], backward: Callable[[float], Any], *args: Any, **call: Any
) -> None:
    """Verify that a right gradient passes and a wrong one fails, and how the report is shown."""
    assert check_gradient(forward, backward(1.0), *args, **call).verdict == "correct"
    report = check_gradient(forward, backward(1.5), *args, **call)
    assert report.verdict == "wrong"
    message = str(report)
    assert all(c.isprintable() or c == "\n" for c in message)
    assert len(message) < 3000
    data = report.to_dict()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert len(json.dumps(data).encode()) < 10_000
    assert len(pickle.dumps(repr(report).encode())) < 20_000


def refused(*args: Any, **call: Any) -> str:
    """Return the message of a check that is refused."""
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(*args, **call)
    message = str(error.value)
    assert all(c.isprintable() or c == "\n" for c in message)
    assert len(message) < 5000
    assert len(repr(error.value)) < 6000
    return message


@EVERY_KEY
def test_keys_of_parameters(key: Any) -> None:
    """Gradients are found under the same keys."""
    verify(lambda p: np.sum(p[key] ** 2), lambda c: lambda p: {key: 2 * c * p[key]}, {key: X})


@EVERY_KEY
def test_keys_among_other_arguments(key: Any) -> None:
    """Gradients come in a tuple of containers."""
    verify(
        lambda p, w: np.sum(p[key] ** 2 * w),
        lambda c: lambda p, w: ({key: 2 * c * p[key] * w}, p[key] ** 2),
        {key: X},
        X,
    )


@EVERY_KEY
def test_keys_of_outputs(key: Any) -> None:
    """Derivatives have the keys of outputs."""
    verify(
        lambda x: {key: np.sum(x**2), "b": np.sum(x)},
        lambda c: lambda x: {key: 2 * c * x, "b": np.ones(2)},
        X,
    )


@EVERY_KEY
def test_keys_of_attributes(key: Any) -> None:
    """They are arrays, which are perturbed in place, and numbers, which are set."""

    class Layer:
        def __init__(self) -> None:
            self.p = {key: X.copy(), "scale": 2.0}

        def forward(self, x: Any) -> Any:
            return np.sum(self.p[key] * x) * self.p["scale"]

        def backward(self, x: Any) -> Any:
            p: Mapping[Any, Any] = self.p
            return {key: x * p["scale"], "scale": np.sum(p[key] * x)}

    layer = Layer()
    assert check_gradient(layer.forward, layer.backward, X, wrt="self.p").passed
    assert list(layer.p) == [key, "scale"]


@EVERY_KEY
def test_missing_gradients(key: Any) -> None:
    """The message names the key."""
    refused(lambda p: np.sum(p[key] ** 2), lambda p: {}, {key: X})
    refused(lambda x: {key: np.sum(x), "b": 1.0}, lambda x: x, X)


@EVERY_KEY
@pytest.mark.parametrize(
    "option",
    ["mode", "rtol", "step", "max_evaluations", "seed", "strict", "kinks", "convention",
     "max_rows", "replay", "project", "bounds", "executor", "batched", "wrt", "backward_args",
     "kwargs", "has_cache"],
)  # fmt: skip
def test_values_of_options(option: str, key: Any) -> None:
    """What makes no sense is refused, and shown."""
    if key is not None and not (option == "step" and key == 1.5):
        refused(lambda x: np.sum(x**2), lambda x: 2 * x, X, **{option: key})


@EVERY_TEXT
def test_names_of_keyword_arguments(text: str) -> None:
    """They may be any strings."""
    name = str.__str__(text)
    verify(
        lambda **given: np.sum(given[name] ** 2),
        lambda c: lambda **given: {name: 2 * c * given[name]},
        kwargs={text: X},
        wrt=text,
    )
    refused(lambda x: np.sum(x**2), lambda x: 2 * x, X, kwargs={text: 1})


@EVERY_TEXT
def test_names_of_what_is_checked(text: str) -> None:
    """A key is named as it is, or as reports show it."""
    forward, backward = lambda p: np.sum(p[text] ** 2), lambda p: {text: 2 * p[text]}
    parameters = {text: X, "n": 3}
    report = check_gradient(forward, backward, parameters, wrt=text)
    (parameter,) = report.parameters
    assert check_gradient(forward, backward, parameters, wrt=parameter.name).passed
    refused(lambda x: np.sum(x**2), lambda x: 2 * x, X, wrt=f"?{str.__str__(text)}")


@EVERY_TEXT
def test_names_of_functions(text: str) -> None:
    """Of those of classes, too."""
    name = str.__str__(text)

    def forward(x: Any) -> Any:
        return np.sum(x**2)

    def backward_of(c: float) -> Any:
        def backward(x: Any) -> Any:
            return 2 * c * x

        backward.__qualname__ = text
        return backward

    forward.__qualname__ = forward.__name__ = name
    verify(forward, backward_of, X)
    refused(forward, lambda x, y, z: x, X)


def test_defaults_in_a_signature() -> None:
    """They are shown where a call is wrong."""

    def forward(x: Any, node: Any = Untouchable(), n: int = 3) -> Any:  # noqa: B008  # the point
        return np.sum(x)

    message = refused(forward, lambda x: x, X, X, X, X)
    assert message.startswith("forward, forward(x, node=<Untouchable>, n=3), cannot be called as")


def test_long_lists_of_names() -> None:
    """A message keeps its beginning and its end."""
    message = refused(lambda *xs: sum(xs), lambda *xs, q: xs, *[1.0] * 1000, wrt="zzz")
    assert len(message) < 1000
    assert message.endswith("and 988 more.")


def test_unknown_option() -> None:
    """Its name may be anything."""
    message = refused(lambda x: x, lambda x: x, 1.0, **{"\x1b" * 10**6: 1})
    assert message.startswith("gradcheck has no option\n'\\x1b\\x1b")


def test_exceptions_at_the_edge_of_a_domain() -> None:
    """Class and message are the user's."""
    error = type("Lost\x1b", (Exception,), {"__str__": lambda self: "\x1b\ud800" * 1000})

    def forward(x: Any) -> Any:
        if x[0] > 1:
            raise error
        return np.sum(x**2)

    report = check_gradient(forward, lambda x: 3 * x, X)
    assert all(c.isprintable() or c == "\n" for c in str(report))


def test_integers_beyond_every_float() -> None:
    """They are data like any other, but cannot be checked."""
    number = 10**400
    assert check_gradient(lambda x, n: np.sum(x**2), lambda x, n: 2 * x, X, number).passed
    message = refused(lambda x: 1.0 * x, lambda x: 1.0, number, wrt="x")
    assert message == (
        "wrt='x': x is <int of 1329 bits>, larger than any float. Pass a smaller number."
    )
    refused(lambda x: np.sum(x**2), lambda x: 2 * x, X, bounds=(0, number))
    refused(lambda x: x**2, lambda x: number, 1.5)
