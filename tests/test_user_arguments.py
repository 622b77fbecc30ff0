"""What the README and the reference promise about arguments and the process, however a check ends.

The page on calling lists what is put back; each of its items has a test here.
"""

import collections
import random
import types
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, check_gradient

#: Ways in which a check can end, by what backward does with the right gradient.
ENDINGS: dict[str, Callable[[Any], Any]] = {
    "passes": lambda gradient: gradient,
    "fails": lambda gradient: 1.5 * gradient,
    "is refused": lambda gradient: None,
    "raises": lambda gradient: raised(LookupError()),
    "is interrupted": lambda gradient: raised(KeyboardInterrupt()),
}

LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "C order": np.ascontiguousarray,
    "Fortran order": np.asfortranarray,
    "a view with steps": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "reversed": lambda x: x[::-1],
    "float32": lambda x: x.astype(np.float32),
    "float16": lambda x: x.astype(np.float16),
    "longdouble": lambda x: x.astype(np.longdouble),
    "complex": lambda x: x + 0.5j,
    "big endian": lambda x: x.astype(">f8"),
    "read-only": lambda x: np.broadcast_to(x, x.shape),
    "a memory map's class": lambda x: x.view(np.memmap),
}


def raised(exception: BaseException) -> None:
    """Raise an exception, where a lambda does."""
    raise exception


def ended(forward: Any, backward: Any, *args: Any, **options: Any) -> None:
    """Make a check, however it ends."""
    try:
        check_gradient(forward, backward, *args, **options)
    except (GradcheckUsageError, LookupError, KeyboardInterrupt):
        return


def matrix() -> Any:
    """Return a matrix with no special entries."""
    return np.arange(1.0, 7.0).reshape(2, 3) / 5


def layout(x: Any) -> tuple[Any, ...]:
    """Return all about an array but its values."""
    return type(x), x.dtype, x.shape, x.strides, x.flags.writeable, x.ctypes.data


@pytest.mark.parametrize("mode", ["full", "fast"])
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("make", LAYOUTS.values(), ids=LAYOUTS)
def test_array_is_untouched(make: Any, ending: str, mode: str) -> None:
    """Its memory, values, dtype, layout and flags stay."""
    x = make(matrix())
    before, values = layout(x), x.tobytes()

    def backward(x: Any) -> Any:
        return ENDINGS[ending](np.asarray(2 * x))

    ended(lambda x: np.sum(np.abs(x) ** 2), backward, x, mode=mode)
    assert layout(x) == before
    assert x.tobytes() == values


@pytest.mark.parametrize("make", LAYOUTS.values(), ids=LAYOUTS)
def test_forward_gets_arrays_of_the_same_dtype_and_shape(make: Any) -> None:
    """An argument that is not checked comes as it was passed."""
    data = make(matrix())
    seen = set[Any]()

    def forward(w: Any, data: Any) -> Any:
        seen.add((data.dtype, data.shape))
        return w * np.sum(np.abs(data))

    ended(forward, lambda w, data: float(np.sum(np.abs(data))), 0.5, data, wrt="w")
    assert seen == {(data.dtype, data.shape)}


@pytest.mark.parametrize("ending", ENDINGS)
def test_containers_hold_the_same_objects(ending: str) -> None:
    """Forward gets containers of its own: no item of the user's is replaced."""
    W, layers = matrix(), [{"b": matrix()[0]}]
    params = {"W": W, "layers": layers}

    def backward(params: Any) -> Any:
        ones = ENDINGS[ending](np.ones(3))
        return {"W": 2 * params["W"], "layers": [{"b": ones}]}

    ended(lambda p: np.sum(p["W"] ** 2) + p["layers"][0]["b"].sum(), backward, params)
    assert list(params) == ["W", "layers"]
    assert params["W"] is W
    assert params["layers"] is layers
    assert layers[0]["b"].dtype == float


class Layer:
    """An object of a class of the user's."""

    __slots__ = ("__dict__", "steps")
    last: Any

    def __init__(self) -> None:
        self.steps = 0
        self.running = np.zeros(3)
        self.history = [0.0]


def count(layer: Layer, x: Any) -> None:
    """Change an attribute, a slot, an array and a list of a layer."""
    layer.steps += 1
    layer.last = x
    layer.running += x
    layer.history.append(float(x[0]))


def shuffled(rng: Any, x: Any) -> None:
    """Draw from a generator."""
    rng.random()


#: What forward changes in an argument that is not checked, and what tells whether it did.
CHANGES: dict[str, tuple[Any, Any, Any]] = {
    "attributes, slots, arrays and lists of an object": (
        Layer,
        count,
        lambda made: (made.steps, sorted(vars(made)), made.running.tolist(), made.history),
    ),
    "a namespace": (
        lambda: types.SimpleNamespace(n=0),
        lambda made, x: setattr(made, "n", made.n + 1),
        vars,
    ),
    "a list": (lambda: [1], lambda made, x: made.append(2), list),
    "a dict": (lambda: {"n": 0}, lambda made, x: made.update(n=1, m=2), dict),
    "a set": (lambda: {1}, lambda made, x: made.add(float(x[0])), set),
    "a deque": (lambda: collections.deque([1]), lambda made, x: made.append(2), list),
    "a bytearray": (lambda: bytearray(b"a"), lambda made, x: made.append(98), bytes),
    "an array": (lambda: np.zeros(3), lambda made, x: made.__iadd__(x), list),
    "a Generator": (
        lambda: np.random.default_rng(0),
        shuffled,
        lambda made: made.bit_generator.state,
    ),
    "a random.Random": (lambda: random.Random(0), shuffled, lambda made: made.getstate()),  # noqa: S311
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(("make", "change", "read"), CHANGES.values(), ids=CHANGES)
def test_what_forward_changes_is_put_back(make: Any, change: Any, read: Any, ending: str) -> None:
    """That holds for arguments of any type that the reference lists."""
    thing = make()
    before = read(make())

    def forward(x: Any, thing: Any) -> Any:
        change(thing, x)
        return np.sum(x**2)

    ended(forward, lambda x, thing: ENDINGS[ending](2 * x), matrix()[0], thing, wrt="x")
    assert read(thing) == before


@pytest.mark.parametrize("ending", ENDINGS)
def test_process_is_as_it_was(ending: str) -> None:
    """Generators, warning filters and numpy's error state stay."""

    def state() -> Any:
        generators = repr(np.random.get_state()), random.getstate()  # noqa: NPY002
        return generators, list(warnings.filters), np.geterr()

    def forward(x: Any) -> Any:
        return np.sum(x**2) * (1 + 0 * np.random.rand() + 0 * random.random())  # noqa: NPY002, S311

    before = state()
    ended(forward, lambda x: ENDINGS[ending](2 * x), matrix()[0])
    assert state() == before


def test_an_argument_at_its_default_is_not_checked() -> None:
    """The message says so, and `wrt` names it."""

    def forward(x: Any = np.array([0.5, -1.0])) -> Any:  # noqa: B008  # as users write it
        return x @ x

    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(forward, lambda x: 2 * x)
    assert error.value.args[0] == (
        "nothing to check: x of forward is left at its default. Pass a value, or say wrt='x'."
    )
    assert check_gradient(forward, lambda x: 2 * x, wrt="x").verdict == "correct"
