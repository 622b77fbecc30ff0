"""The working copy: what forward is given belongs to one evaluation alone."""

from collections import UserDict
from copy import copy
from functools import partial
from types import SimpleNamespace
from typing import Any
from weakref import ref

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, check_gradient

X = np.array([0.7, -1.2, 0.4])


def cubes(x: Any) -> float:
    """Return the sum of cubes."""
    return float(np.sum(x**3))


class Memo:
    """A function that remembers its last result by one of several keys."""

    def __init__(self, key: Any, is_same: Any) -> None:
        self.key, self.is_same = key, is_same
        self.known: list[Any] = []

    def forward(self, x: Any) -> Any:
        """Return the remembered result where the key is the same."""
        for key, result in self.known:
            if self.is_same(key, self.key(x)):
                return result
        result = cubes(x)
        self.known.append((self.key(x), result))
        return result


MEMOS = [
    pytest.param(lambda x: x, lambda a, b: a is b, id="identity"),
    pytest.param(id, lambda a, b: a == b, id="id"),
    pytest.param(ref, lambda a, b: a() is not None and a() is b(), id="weak reference"),
    pytest.param(lambda x: x, np.array_equal, id="equality"),
    pytest.param(lambda x: x[:], np.shares_memory, id="memory"),
]


@pytest.mark.parametrize(("key", "is_same"), MEMOS)
@pytest.mark.parametrize("mode", ["full", "fast"])
def test_memo_of_arguments_knows_no_perturbed_point(key: Any, is_same: Any, mode: str) -> None:
    """The right gradient passes, and zero is found to be wrong."""
    for factor, passes in ((3, True), (0, False)):
        backward = partial(lambda factor, x: factor * x**2, factor)
        report = check_gradient(Memo(key, is_same).forward, backward, X, mode=mode)
        assert report.passed == passes


def test_memo_of_one_of_several_arguments() -> None:
    """The product that depends on W alone is computed anew for each W."""

    class Cached:
        last: Any = None

        def forward(self, W: Any, b: Any) -> Any:
            if W is not self.last:
                self.last, self.squares = W, W**2
            return float(np.sum(self.squares) + np.sum(b))

    for mode in ("full", "fast"):
        for factor, passes in ((2, True), (0, False)):
            backward = partial(lambda factor, W, b: (factor * W, np.ones(3)), factor)
            report = check_gradient(Cached().forward, backward, X, X + 1, mode=mode)
            assert report.passed == passes


def clipped(W: Any) -> Any:
    """Return the same numbers in another array."""
    return np.clip(W, -5, 5)


def normalised(W: Any) -> Any:
    """Return numbers that sum to 1."""
    return W / np.sum(W)


RIGHT = {clipped: 2 * X, normalised: 2 * X / np.sum(X) ** 2 - 2 * X @ X / np.sum(X) ** 3}


@pytest.mark.parametrize("container", [dict, UserDict, SimpleNamespace])
@pytest.mark.parametrize("change", RIGHT)
def test_forward_may_put_something_else_in_the_place_of_a_parameter(
    container: Any, change: Any
) -> None:
    """The gradient is that of forward with all that it does."""

    def forward(p: Any) -> float:
        items = vars(p) if isinstance(p, SimpleNamespace) else p
        items["W"] = change(items["W"])
        return float(np.sum(items["W"] ** 2))

    p = container(W=X)
    before = copy(p)
    assert check_gradient(forward, lambda p: container(W=RIGHT[change]), p).passed
    assert not check_gradient(forward, lambda p: container(W=np.zeros(3)), p).passed
    assert p == before


def test_backward_is_given_the_arguments_of_its_forward() -> None:
    """The very same arrays, with what forward put beside them."""
    seen = []

    def forward(p: Any, x: Any) -> Any:
        seen.append((p, x))
        p["hidden"] = p["W"] @ x
        return np.tanh(p["hidden"])

    def backward(p: Any, x: Any, dout: Any) -> Any:
        assert seen[-1][0] is p
        assert seen[-1][1] is x
        d = dout * (1 - np.tanh(p["hidden"]) ** 2)
        return {"W": np.outer(d, x)}, p["W"].T @ d

    report = check_gradient(forward, backward, {"W": np.ones((2, 3))}, X)
    assert report.passed
    assert [note.text for note in report.notes if note.kind == "restored"] == [
        "changed by forward, restored each time: p"
    ]


def test_forward_may_keep_what_it_is_given() -> None:
    """Later evaluations do not change it."""
    seen = []

    def forward(x: Any) -> float:
        seen.append((x, x.copy()))
        return cubes(x)

    check_gradient(forward, lambda x: 3 * x**2, X)
    assert all((kept == copied).all() for kept, copied in seen)


def test_list_that_forward_changes_in_place_is_refused() -> None:
    """As an array is: the derivative would be that of another value."""

    def forward(x: Any) -> Any:
        x[1] *= 2
        return sum(v**2 for v in x)

    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(forward, lambda x: [2 * v for v in x], [1.0, 2.0])
    assert error.value.args[0].startswith(
        "forward changes its argument x in place: x[1] was 2.0 and became 4.0."
    )


def test_list_that_forward_shortens_is_refused() -> None:
    """The message shows all of it."""

    def forward(x: Any) -> Any:
        return sum(v**2 for v in x) + 0 * x.pop()

    with pytest.raises(GradcheckUsageError, match=r"x was \[1.0, 2.0\] and became \[1.0\]"):
        check_gradient(forward, lambda x: [2 * v for v in x], [1.0, 2.0])
