"""Linear forwards, end to end: adjoints are verified up to rounding along a few directions."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckVacuousWarning, Report, check_gradient, gradcheck

RNG = np.random.default_rng(3)
SIZE = 600
X = RNG.normal(size=SIZE)
A = RNG.normal(size=(400, SIZE))
KERNEL = RNG.normal(size=9)
ORDER = RNG.permutation(SIZE)
HALF = SIZE // 2 + 1

Operator = tuple[Callable[[Any], Any], Callable[[Any], Any]]


def fft(x: Any) -> Any:
    """Return real and imaginary parts of the spectrum."""
    spectrum = np.fft.rfft(x)
    return np.concatenate([spectrum.real, spectrum.imag])


def fft_adjoint(c: Any) -> Any:
    """Apply the adjoint of `fft`: frequencies that the full spectrum has twice count twice."""
    spectrum = c[:HALF] + 1j * c[HALF:]
    spectrum[1:-1] /= 2
    return SIZE * np.fft.irfft(spectrum, SIZE)


OPERATORS: dict[str, Operator] = {
    "matrix": (lambda x: A @ x, lambda c: A.T @ c),
    "spectrum": (fft, fft_adjoint),
    "convolution": (
        lambda x: np.convolve(x, KERNEL, mode="valid"),
        lambda c: np.correlate(c, KERNEL, mode="full"),
    ),
    "derivative": (
        lambda x: (x[1:] - x[:-1]) / 1e-3,
        lambda c: (np.append(0, c) - np.append(c, 0)) / 1e-3,
    ),
    "sum of all before": (lambda x: np.cumsum(x + 0.0), lambda c: np.cumsum(c[::-1])[::-1]),
    "permutation": (lambda x: x[ORDER], lambda c: c[np.argsort(ORDER)]),
    "with an offset": (lambda x: A @ x - 7.0, lambda c: A.T @ c),
}


def checked(operator: Operator, x: Any = X, **options: Any) -> Report:
    """Check the adjoint of an operator."""
    forward, adjoint = operator
    return check_gradient(forward, adjoint, x, backward_args=("cotangent",), **options)


def is_linear(report: Report) -> bool:
    """Return whether forward was recognized as linear."""
    return any(note.kind == "linear" for note in report.notes)


@pytest.mark.parametrize("name", OPERATORS)
def test_right_adjoints_take_a_few_evaluations(name: str) -> None:
    """The report states a resolution near rounding."""
    report = checked(OPERATORS[name])
    assert is_linear(report)
    assert (report.verdict, report.mode) == ("correct", "fast")
    assert (report.evaluations, report.backward_calls) == (8, 5)
    note = next(note for note in report["x"].notes if note.kind == "screened")
    assert float(note.text.split("(")[1].split(" of")[0]) < 1e-10


@pytest.mark.parametrize("name", OPERATORS)
def test_one_wrong_entry_is_named(name: str) -> None:
    """An entry that is 0.1% off is named, as for any other forward."""
    forward, adjoint = OPERATORS[name]

    def wrong(c: Any) -> Any:
        claim = adjoint(c).copy()
        claim[77] *= 1.001
        return claim

    report = checked((forward, wrong))
    assert not is_linear(report)
    assert [e.name for e in report.worst if e.verdict == "wrong"] == ["x[77]"]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda c: np.roll(A.T @ c, 1),
        lambda c: -A.T @ c,
        lambda c: 1.0001 * A.T @ c,
        lambda c: A.T @ c + 1e-3,
        lambda c: 0 * (A.T @ c),
        lambda c: np.where(np.arange(SIZE) == SIZE - 1, 0, A.T @ c),
    ],
    ids=["shifted", "sign", "scaled", "offset", "zero", "last"],
)
def test_wrong_adjoints_are_wrong(wrong: Any) -> None:
    """Mistakes of one entry and of all entries are found."""
    assert checked((OPERATORS["matrix"][0], wrong)).verdict == "wrong"


@pytest.mark.parametrize(
    "forward",
    [
        lambda x: np.maximum(A[:, :40] @ x, 0).sum(),
        lambda x: np.sqrt((x**2).sum()),
        lambda x: np.abs(x).sum(),
        lambda x: x.sum() + 1e-6 * (x**2).sum(),
        lambda x: np.clip(x, -0.5, 0.5).sum(),
        lambda x: x.sum() + np.sin(1e4 * x[0]),
    ],
    ids=["relu", "norm", "absolute", "curved", "clipped", "ripple"],
)
def test_nonlinear_forwards_are_not_taken_for_linear(forward: Any) -> None:
    """Some equal their gradient times the point, and some are nearly linear."""
    h = 1e-7

    def backward(x: Any) -> Any:
        return np.array([(forward(x + e) - forward(x - e)) / (2 * h) for e in h * np.eye(x.size)])

    assert not is_linear(check_gradient(forward, backward, X[:40], rtol=1e-2))


def test_complex_operators() -> None:
    """Adjoints of complex operators are recognized; a missing conjugate is wrong."""
    z = X[:300] + 1j * X[300:]
    B = RNG.normal(size=(50, 300)) + 1j * RNG.normal(size=(50, 300))
    right = check_gradient(lambda z: B @ z, lambda dout: B.conj().T @ dout, z)
    wrong = check_gradient(lambda z: B @ z, lambda dout: B.T @ dout, z)
    assert (right.verdict, is_linear(right)) == ("correct", True)
    assert wrong.verdict == "wrong"


def test_single_precision_inside() -> None:
    """The rounding inside forward is measured, and an entry 1% off is still named."""
    low = A.astype(np.float32)

    def forward(x: Any) -> Any:
        return low @ x.astype(np.float32)

    def wrong(c: Any) -> Any:
        claim = low.T @ c
        claim[5] *= 1.01
        return claim

    right = checked((forward, lambda c: low.T @ c))
    assert (right.verdict, is_linear(right)) == ("correct", True)
    report = checked((forward, wrong))
    assert [e.name for e in report.worst if e.verdict == "wrong"] == ["x[5]"]


def test_several_parameters_of_very_different_sizes() -> None:
    """Parameters are moved by different distances; zeros move as far as the other entries."""
    b = np.zeros(400)
    report = gradcheck(
        lambda x, b: 1e-6 * (A @ x) + 1e3 * b,
        lambda dout: (1e-6 * A.T @ dout, 1e3 * dout),
        1e5 * X,
        b,
    )
    assert (report.verdict, is_linear(report)) == ("correct", True)


def test_jacobian_of_a_linear_function() -> None:
    """Every output is verified along the same directions."""
    assert is_linear(gradcheck(lambda x: A @ x, lambda: A, X))
    wrong = A.copy()
    wrong[17, 23] += 1e-4
    report = check_gradient(lambda x: A[:50, :300] @ x, lambda: wrong[:50, :300], X[:300])
    assert [e.name for e in report.worst if e.verdict == "wrong"] == ["output[17] / x[23]"]


def test_full_mode_measures_every_entry() -> None:
    """The mode is as it was given."""
    report = checked(OPERATORS["convolution"], mode="full")
    assert (report.mode, is_linear(report)) == ("full", False)
    assert report.evaluations > 2 * SIZE


def test_small_checks_are_full_checks() -> None:
    """For few entries a full check takes no more evaluations."""
    report = gradcheck(lambda x: A[:3, :4] @ x, lambda dout: A[:3, :4].T @ dout, X[:4])
    assert (report.mode, is_linear(report)) == ("full", False)


def test_unused_parameter_is_reported() -> None:
    """Its zero gradient is verified, and its formula is not tested."""
    with pytest.warns(GradcheckVacuousWarning, match="does not depend on y"):
        report = check_gradient(
            lambda x, y: A @ x, lambda x, y, dout: (A.T @ dout, 0 * y), X, np.ones(20)
        )
    assert any(note.kind == "unused" for note in report["y"].notes)


def test_wrong_entry_of_a_long_vector_in_single_precision() -> None:
    """It is found by bisection with large steps, because rounding hides it at small ones."""
    rng = np.random.default_rng(0)
    size = 8000
    kernel, x = rng.normal(size=9).astype(np.float32), rng.normal(size=size)

    def forward(x: Any) -> Any:
        return np.convolve(x.astype(np.float32), kernel, mode="valid")

    def wrong(dout: Any) -> Any:
        claim = np.correlate(dout.astype(np.float32), kernel, mode="full")
        claim[4321] *= 1.01
        return claim

    report = check_gradient(forward, wrong, x)
    assert [e.name for e in report.worst if e.verdict == "wrong"] == ["x[4321]"]
    assert report.evaluations < 400
