"""What may turn a gradient of the wrong shape into the right one."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, check_gradient
from pytest_gradcheck.binding.backward.shape_mismatch import (
    ShapeMismatchError,
    Trial,
    corrections,
    explain_shape,
)
from pytest_gradcheck.binding.values.parameters import Block, Parameter

Shape = tuple[int, ...]
RNG = np.random.default_rng(0)


def explained(found: Shape, wanted: Shape, trial: Trial) -> str:
    """Explain the shape of a gradient of one number."""
    parameter = Parameter("x", wanted, "float64", 0, int(np.prod(wanted)))
    mismatch = ShapeMismatchError(
        "",
        {"x": np.zeros(found)},
        parameter=parameter,
        output=Block("output", (), "float64", 0, 1),
        parameters=[parameter],
    )
    return explain_shape(mismatch, trial)


@pytest.mark.parametrize(
    ("found", "wanted", "hint"),
    [
        ((3, 4), (4, 3), "Its transpose is right."),
        ((3, 2, 4), (4, 3, 2), "Its transpose(2, 0, 1) is right."),
        ((8, 5), (5,), "Its sum over axis 0 is right."),
        ((5, 8), (5, 1), "Its sum over axis 1 with keepdims=True is right."),
        ((8, 2, 5), (5,), "Its sum over axes (0, 1) is right."),
        ((5,), (5, 1), "Its reshape((5, 1)) is right."),
        ((3, 3, 2), (18,), "Its reshape((18,)) is right."),
        ((4,), (7,), ""),
        ((3,), (4, 3), "It was summed over axis 0: leave out that sum."),
        ((1, 3), (4, 3), "It was summed over axis 0: leave out that sum."),
        ((), (4, 3), "It was summed over axes (0, 1): leave out that sum."),
    ],
)
def test_what_is_right_is_said(found: Shape, wanted: Shape, hint: str) -> None:
    """A transpose, a sum or a reshape, or the other way around."""
    trials = iter([True])
    assert explained(found, wanted, lambda *_: next(trials, False)) == hint


@pytest.mark.parametrize(
    ("found", "wanted", "unknown", "wrong"),
    [
        (
            (3, 3),
            (3,),
            "Its sum over axis 0 would have that shape; or its sum over axis 1 would have that "
            "shape.",
            "Its sum over axis 0 would have that shape, but is not right either.",
        ),
        (
            (3,),
            (4, 3),
            "It may have been summed over axis 0, or not broadcast along it.",
            "It lacks axis 0, and is no sum over it.",
        ),
    ],
)
def test_what_is_not_known_to_be_right_is_not_proposed(
    found: Shape, wanted: Shape, unknown: str, wrong: str
) -> None:
    """Shapes alone prove nothing."""
    assert explained(found, wanted, lambda *_: None) == unknown
    assert explained(found, wanted, lambda *_: False) == wrong


def test_every_choice_of_axes_is_tried() -> None:
    """One that is right is said, and all where several are."""
    trials: list[float] = []

    def trial(array: Any, *_: object) -> bool:
        trials.append(float(array.sum()))
        return len(trials) == 2

    assert explained((3, 3), (3,), trial) == "Its sum over axis 1 is right."
    assert explained((3, 3), (3,), lambda *_: True) == (
        "Its sum over axis 0 is right; or its sum over axis 1 is right."
    )


@pytest.mark.parametrize(
    ("found", "wanted", "count"),
    [
        ((2,) * 24, (2,) * 11 + (3,), 0),
        ((2,) * 24, (3,) * 12, 0),
        ((2,) * 14, (2,) * 7, 12),
        ((2,) * 7, (2,) * 14, 24),
        ((2,) * 9 + (3,), (3,) + (2,) * 9, 2),
    ],
)
def test_many_axes_are_matched_without_trying_their_subsets(
    found: Shape, wanted: Shape, count: int
) -> None:
    """The first few of all that fit are found at once, or that none of sixteen million does."""
    claim = np.broadcast_to(0.0, found)
    assert len(list(corrections(claim, wanted))) == count


def test_axes_of_length_one_are_no_sum() -> None:
    """The hint names the axes that fit."""
    assert explained((1, 2, 3, 2), (1, 3, 2), lambda *_: True) == "Its sum over axis 1 is right."


X, SQUARE = RNG.normal(size=(6, 4)), RNG.normal(size=(4, 4))
B, COLUMN = RNG.normal(size=4), RNG.normal(size=(4, 1))


def hint(forward: Any, backward: Any, *args: Any, **options: Any) -> str:
    """Return what is said after the shapes."""
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(forward, backward, *args, **options)
    return str(error.value.args[0]).partition("has shape ")[2].partition(").")[2].strip()


@pytest.mark.parametrize(
    ("forward", "backward", "args", "expected"),
    [
        (
            lambda b, x: np.sum((x + b) ** 2),
            lambda b, x: 2 * (x + b),
            (B, SQUARE),
            "Its sum over axis 0 is right.",
        ),
        (
            lambda b, x: np.sum((x + b[:, None]) ** 2),
            lambda b, x: 2 * (x + b[:, None]),
            (B, SQUARE),
            "Its sum over axis 1 is right.",
        ),
        (
            lambda b, x: np.sum((x + b) ** 2),
            lambda b, x: 2 * (x + b) + 0.1,
            (B, SQUARE),
            "Its sum over axis 0 would have that shape, but is not right either.",
        ),
        (
            lambda b, x: np.sum((x + b) ** 2),
            lambda b, x: np.sum(2 * (x + b)),
            (B, X),
            "It was summed over axis 0: leave out that sum.",
        ),
        (
            lambda b, x: np.sum(3 * b),
            lambda b, x: 3.0,
            (B, X),
            "It is right when broadcast along axis 0.",
        ),
        (
            lambda w: np.sum(w**2),
            lambda w: 2 * w[:, 0],
            (COLUMN,),
            "Its reshape((4, 1)) is right.",
        ),
        (
            lambda w: np.sum(w**2),
            lambda w: 3 * w[:, 0],
            (COLUMN,),
            "Its reshape((4, 1)) would have that shape, but is not right either.",
        ),
        (
            lambda z: np.sum(np.abs(z) ** 2),
            lambda z: 2 * z.T,
            (X + 1j * X[::-1],),
            "Its transpose is right.",
        ),
        (lambda x, b: x + b, lambda dout, b: dout, (X, B), "Its sum over axis 0 is right."),
        (
            lambda b, x: np.sin(x * b)[:, :3],
            lambda b, x: x * np.cos(x * b) * [1, 1, 1, 0],
            (B, X),
            "It was summed over axis 1: leave out that sum.",
        ),
        (
            lambda b, x: np.sin(x * b)[:, :3],
            lambda b, x: x * np.cos(x * b) * [1, 1, 1.1, 0],
            (B, X),
            "It lacks axis 1, and is no sum over it.",
        ),
        (
            lambda w: np.sum(np.floor(w) + w),
            lambda w: np.ones(4),
            (np.zeros((4, 1)),),
            "Its reshape((4, 1)) would have that shape.",
        ),
    ],
)
def test_proposals_are_tested(forward: Any, backward: Any, args: Any, expected: str) -> None:
    """Only what has the slope of forward along a random direction is called right."""
    assert hint(forward, backward, *args, wrt="b" if len(args) > 1 else None) == expected


def test_order_of_gradients_is_tested() -> None:
    """It is proposed where all gradients are right in it, and not for the shape of one."""
    w = RNG.normal(size=(2, 3))

    def forward(w: Any, b: Any) -> Any:
        return np.sum(w**2) * np.sum(b**3)

    def gradients(w: Any, b: Any) -> Any:
        return 2 * w * np.sum(b**3), np.sum(w**2) * 3 * b**2

    assert hint(forward, lambda w, b: gradients(w, b)[::-1], w, B) == (
        "The gradients returned for w, b are those of b, w."
    )
    assert "those of" not in hint(forward, lambda w, b: (b, gradients(w, b)[1]), w, B)


def test_order_of_many_gradients_is_found() -> None:
    """Those of two layers come as weights, then biases."""
    layers = [RNG.normal(size=shape) for shape in ((4, 2), (2,), (2, 3), (3,))]

    def forward(W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
        return np.sum(np.sin(W1)) * np.sum(b1**2) + np.sum(np.sin(W2)) * np.sum(b2**2)

    def backward(W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
        of_weights = (np.cos(W1) * np.sum(b1**2), np.cos(W2) * np.sum(b2**2))
        return *of_weights, np.sum(np.sin(W1)) * 2 * b1, np.sum(np.sin(W2)) * 2 * b2

    assert hint(forward, backward, *layers) == (
        "The gradients returned for W1, b1, W2, b2 are those of W1, W2, b1, b2."
    )


def test_order_that_forward_does_not_show_is_a_question() -> None:
    """The values of a step function say nothing; what else has the shape is said as well."""
    w, b = np.zeros((3, 3)), np.zeros(3)
    forward, gradients = (lambda w, b: np.sum(np.floor(w)) + np.sum(np.floor(b))), (b, w)
    assert hint(forward, lambda w, b: gradients, w, b) == (
        "The gradients returned for w, b may be those of b, w; or it may have "
        "been summed over axis 0, or not broadcast along it; or it may have been summed over axis "
        "1, or not broadcast along it."
    )


@pytest.mark.parametrize("batch", [4, 6])
@pytest.mark.parametrize("by_upstream", [True, False])
def test_bias_without_its_sum_is_no_other_order(batch: int, by_upstream: bool) -> None:
    """What is returned for it is the gradient of the input as well, in a square batch too."""
    x = RNG.normal(size=(batch, 4))

    def forward(x: Any, b: Any) -> Any:
        return x + b if by_upstream else np.sum((x + b) ** 2)

    def backward(x: Any, b: Any, dout: Any = 1) -> Any:
        gradient = dout if by_upstream else 2 * (x + b)
        return gradient, gradient

    assert hint(forward, backward, x, B) == "Its sum over axis 0 is right."


def test_forward_is_where_it_was_after_a_trial() -> None:
    """The message comes from the user's own point, and their array is untouched."""
    w, calls = COLUMN.copy(), list[Any]()

    def forward(w: Any) -> Any:
        calls.append(w.copy())
        return np.sum(w**2)

    hint(forward, lambda w: 2 * w[:, 0], w)
    assert w.tolist() == COLUMN.tolist()
    assert len(calls) == 5


def test_slopes_are_measured_once() -> None:
    """However many corrections of a gradient are tried."""
    calls = list[int]()

    def forward(b: Any) -> Any:
        calls.append(1)
        return np.sum(b**2)

    text = hint(forward, lambda b: np.ones((4, 4, 4)), B)
    assert text.startswith("Its sum over axes (0, 1) would have that shape, but")
    assert len(calls) == 5
