"""Vanishing gradients, end to end: the same outcome in every mode, whatever rounding remains."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_gradcheck import GradcheckVacuousWarning, Report, check_gradient

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(8, 3)), RNG.normal(size=8)
OPTIMUM = np.linalg.lstsq(A, B, rcond=None)[0]
X, WEIGHT = RNG.normal(size=(6, 4)), RNG.normal(size=(6, 4))
POINT = np.array([3.0, 1.0, -2.0, 4.0, 0.5])
POSITIVE = np.abs(POINT) + 0.5


def squares(x: Any) -> Any:
    """Return a sum of squares with its minimum at `OPTIMUM`."""
    return 0.5 * np.sum((A @ x - B) ** 2)


def squares_gradient(x: Any) -> Any:
    """Return the gradient of `squares`."""
    return A.T @ (A @ x - B)


def batch_normalised(x: Any, bias: Any) -> Any:
    """Add a bias that normalization removes."""
    y = x + bias
    return np.sum(np.tanh((y - y.mean(0)) / y.std(0)) * WEIGHT)


def log_softmax(x: Any, bias: Any) -> Any:
    """Add a bias to all logits, which the loss does not depend on."""
    z = x + bias
    return z[1] - z.max() - np.log(np.sum(np.exp(z - z.max())))


def layer_normalised(x: Any, scale: Any) -> Any:
    """Multiply by a scale that normalization removes."""
    y = x * scale
    return np.sum((y - y.mean()) / y.std() * POINT[::-1])


def clipped(x: Any, low: Any) -> Any:
    """Clip in float32."""
    return np.sum(np.maximum(np.float32(x), np.float32(low)) ** 2)


@dataclass(frozen=True)
class Example:
    """A function, a claim, and a point at which the gradient by the parameter `wrt` vanishes."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    at: tuple[Any, ...]
    wrt: str

    def check(self, **options: Any) -> Report:
        """Check all parameters, without warnings."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GradcheckVacuousWarning)
            return check_gradient(self.forward, self.backward, *self.at, **options)


VANISHING = {
    "optimum": Example(squares, squares_gradient, (OPTIMUM,), "x"),
    "wrong sign at an optimum": Example(squares, lambda x: -squares_gradient(x), (OPTIMUM,), "x"),
    "zero at an optimum": Example(squares, lambda x: 0 * x, (OPTIMUM,), "x"),
    "square at zero": Example(lambda x: np.sum(x**2), lambda x: 2 * x, (np.zeros(3),), "x"),
    "ray": Example(lambda x: x @ x / np.linalg.norm(x) ** 2, lambda x: 0 * x, (POINT,), "x"),
    "formula of a ray": Example(
        lambda x: x @ x / np.linalg.norm(x) ** 2,
        lambda x: 2 * x / (x @ x) - 2 * x * (x @ x) / np.linalg.norm(x) ** 4,
        (POINT,),
        "x",
    ),
    "sum of what is centred": Example(
        lambda x: np.sum((x - x.mean()) / x.std()), lambda x: 0 * x, (POINT,), "x"
    ),
    "bias before normalization": Example(
        lambda bias: batch_normalised(X, bias), lambda bias: 0 * bias, (np.zeros(4),), "bias"
    ),
    "bias of all logits": Example(
        lambda bias: log_softmax(POINT, bias), lambda bias: 0.0, (0.7,), "bias"
    ),
    "scale before normalization": Example(
        lambda scale: layer_normalised(POINT, scale), lambda scale: 0.0, (2.0,), "scale"
    ),
    "clipped in float32": Example(clipped, lambda x, low: (2.0 * x, 0.0), (POSITIVE, 0.1), "low"),
    "unused in float32": Example(
        lambda x, u: np.sum(np.sin(np.float32(x))),
        lambda x, u: (np.cos(x), 0 * u),
        (POINT, np.ones(2)),
        "u",
    ),
    "dead units": Example(
        lambda x, w: np.sum(np.maximum(w @ x - 50, 0)) + np.sum(np.sin(x)),
        lambda x, w: (np.cos(x), 0 * w),
        (POINT, WEIGHT[:2, :1] * POINT),
        "w",
    ),
    "nothing but zero": Example(lambda x: 0 * x.sum(), lambda x: 0 * x, (POINT,), "x"),
    "negative": Example(lambda x: -3.0 + 0 * x.sum(), lambda x: 0 * x, (POINT,), "x"),
}


@pytest.mark.parametrize("mode", ["full", "fast"])
@pytest.mark.parametrize("name", VANISHING)
def test_vanishing_gradient_has_one_outcome(name: str, mode: str) -> None:
    """It is verified as zero for every seed, with a note; `strict` fails, as nothing is tested."""
    example = VANISHING[name]
    for seed in range(8):
        report = example.check(seed=seed, mode=mode)
        parameter = report[example.wrt]
        assert report.passed
        assert parameter.verdict == "correct"
        assert np.nan_to_num(parameter.relative_difference) == 0.0
        kinds = {note.kind for note in parameter.notes}
        assert kinds & {"vacuous", "unused"}
        assert "inconclusive" not in kinds
    report = example.check(mode=mode, strict=True)
    assert [failure.split(":")[0] for failure in report.failures] == [example.wrt]


@pytest.mark.parametrize("mode", ["full", "fast"])
def test_vanishing_gradient_warns_that_nothing_is_tested(mode: str) -> None:
    """A claim as small as rounding tests nothing either."""
    with pytest.warns(GradcheckVacuousWarning, match="tested nothing there"):
        report = check_gradient(squares, lambda x: -squares_gradient(x), OPTIMUM, mode=mode)
    (note,) = report["x"].notes
    assert note.text.startswith("zero gradient everywhere at this point (within ")
    assert report.relative_difference == 0.0


@pytest.mark.parametrize("size", [1e-7, 1e-6, 1e-4])
@pytest.mark.parametrize("seed", range(5))
def test_small_gradient_next_to_an_optimum_is_tested(size: float, seed: int) -> None:
    """A right gradient is correct, and one with a wrong sign is wrong."""
    point = OPTIMUM + size * np.array([1.0, -2.0, 1.0])
    assert check_gradient(squares, squares_gradient, point, seed=seed, strict=True).passed
    wrong = check_gradient(squares, lambda x: -squares_gradient(x), point, seed=seed)
    assert wrong.verdict == "wrong"


@settings(max_examples=40)
@given(exponent=st.floats(-17, -2), seed=st.integers(0, 1000), unit=st.floats(-3, 3))
def test_right_gradient_next_to_an_optimum_passes(exponent: float, seed: int, unit: float) -> None:
    """It passes for every distance to the optimum, every seed and every unit."""
    factor = 10.0**unit
    point = OPTIMUM + 10.0**exponent * np.array([1.0, -2.0, 1.0])
    example = Example(
        lambda x: factor * squares(x), lambda x: factor * squares_gradient(x), (point,), "x"
    )
    report = example.check(seed=seed)
    assert report.passed
    assert report.verdict == "correct"


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_structural_zeros_of_a_jacobian_do_not_fail(kind: Any) -> None:
    """A triangular map, an output with an offset and masked entries pass in any precision."""

    def triangular(x: Any) -> Any:
        x = x.astype(kind)
        return np.concatenate([np.cumsum(x**2), [kind(1e3) + x[0], x[1] * x[2]]])

    def jacobian(x: Any) -> Any:
        rows = np.zeros((2, 5))
        rows[0, 0], rows[1, 1], rows[1, 2] = 1.0, x[2], x[1]
        return np.vstack([np.tril(np.ones((5, 5))) * 2 * x, rows])

    for seed in range(5):
        report = check_gradient(triangular, jacobian, POINT, seed=seed)
        notes = [note for note in report["x"].notes if note.kind == "inconclusive"]
        zeros = int(np.count_nonzero(jacobian(POINT) == 0))
        assert report.passed
        assert all(note.count <= report.checked - zeros for note in notes)
        if kind is np.float64:
            assert check_gradient(triangular, jacobian, POINT, seed=seed, strict=True).passed


PIECEWISE_CONSTANT: dict[str, Callable[[Any], Any]] = {
    "floor": np.floor,
    "ceil": np.ceil,
    "sign": np.sign,
    "decimals": lambda x: np.round(x / 1e-3) * 1e-3,
    "threshold": lambda x: np.where(x > 0.9, 2.0, -3.0),
}


@pytest.mark.parametrize("mode", ["full", "fast"])
@pytest.mark.parametrize("name", PIECEWISE_CONSTANT)
def test_locally_constant_function_is_correct_between_its_jumps(name: str, mode: str) -> None:
    """Its derivative is zero, as claimed; nothing is tested."""
    function = PIECEWISE_CONSTANT[name]
    example = Example(lambda x: np.sum(function(x)), lambda x: 0 * x, (POINT + 0.3,), "x")
    for seed in range(5):
        report = example.check(seed=seed, mode=mode)
        assert report.passed
        assert report.verdict == "correct"
    assert not example.check(mode=mode, strict=True).passed


@pytest.mark.parametrize("name", ["floor", "ceil", "sign", "round", "trunc"])
def test_locally_constant_function_of_many_entries_is_correct(name: str) -> None:
    """It is correct as a VJP as well, where every entry contributes to the noise."""
    function = getattr(np, name)
    for seed in range(4):
        point = np.random.default_rng(seed).uniform(-9, 9, (20, 20))
        example = Example(function, lambda cotangent: 0 * cotangent, (point,), "x")
        assert example.check(seed=seed).verdict == "correct"


@pytest.mark.parametrize("mode", ["full", "fast"])
def test_rounding_of_many_entries_is_correct(mode: str) -> None:
    """That holds beside a smooth argument, whose wrong gradient is still wrong."""
    point = np.random.default_rng(3).standard_normal(300)

    def backward(x: Any, y: Any) -> Any:
        return 0 * x, 2 * y

    def forward(x: Any, y: Any) -> Any:
        return np.sum(np.round(x, 3)) + np.sum(y**2)

    at = (point, POINT)
    assert Example(forward, backward, at, "x").check(mode=mode, seed=1).verdict == "correct"
    wrong_example = Example(forward, lambda x, y: (0 * x, 2.02 * y), at, "x")
    wrong = wrong_example.check(mode=mode, seed=1)
    assert (wrong["x"].wrong, wrong["y"].wrong) == (0, 5)


def test_product_along_a_direction_is_zero_between_jumps() -> None:
    """A JVP of zero is correct there, and wrong where the function is not constant."""
    function = PIECEWISE_CONSTANT["decimals"]
    example = Example(function, lambda x, tangent: 0 * tangent, (POINT + 0.3,), "tangent")
    for seed in range(5):
        assert example.check(seed=seed).verdict == "correct"
    wrong = Example(lambda x: np.sin(2 * x), lambda x, tangent: 0 * tangent, (POINT,), "tangent")
    assert wrong.check().verdict == "wrong"


def test_inactive_relu_is_not_piecewise_constant() -> None:
    """A ReLU that becomes active a little away has a zero gradient and no jump."""
    point = np.array([-0.5, -0.02, 1.0, -1e-4, 2.0])
    shift = np.array([0.0, 0.02, 0.0, 1.1e-4, 0.0])
    example = Example(
        lambda x: np.sum(np.maximum(x + 0.9 * shift, 0)), lambda x: 1.0 * (x > 0), (point,), "x"
    )
    for seed in range(5):
        report = example.check(seed=seed, strict=True)
        assert report.passed
        assert [note.kind for note in report["x"].notes] == ["zero"]


def test_rounding_to_decimals_is_noted_as_piecewise_constant() -> None:
    """A large step shows the jumps."""
    example = Example(
        lambda x: np.sum(np.round(x / 1e-3) * 1e-3), lambda x: 0 * x, (POINT + 0.3,), "x"
    )
    texts = [note.text for note in example.check()["x"].notes if note.kind == "level"]
    assert texts == ["forward is piecewise constant here: zero between its jumps"]


def test_slope_of_a_rounded_function_is_checked() -> None:
    """Where the claim is not zero, the rounding of the value is noise."""

    def rounded(x: Any) -> Any:
        return np.round(np.sum(np.sin(x)) / 1e-7) * 1e-7

    assert check_gradient(rounded, np.cos, POINT).verdict == "correct"
    wrong = check_gradient(rounded, lambda x: np.where(x == 4.0, 0.0, np.cos(x)), POINT)
    assert [entry.index for entry in wrong.worst if entry.verdict == "wrong"] == [(3,)]
    assert check_gradient(rounded, lambda x: 0 * x, POINT).verdict == "wrong"
    assert check_gradient(lambda x: np.sum(np.float32(x)), lambda x: 0 * x, POINT).wrong == 5


def test_maximum_with_a_gap_passes_strictly() -> None:
    """Entries that are not the largest have a zero gradient, which is no failure."""
    report = check_gradient(np.max, lambda x: 1.0 * (x == x.max()), POINT, strict=True)
    assert report.passed


def test_inconclusive_parameter_has_the_number_of_digits_that_agree() -> None:
    """All entries agree, but noise could hide a larger error."""
    example = Example(lambda x: np.sum(np.float16(x) ** 2), lambda x: 2 * x, (POINT,), "x")
    report = example.check()
    (failure,) = report.failures
    assert "; backward and numerical agree to " in failure
