"""Every kind of derivative, end to end.

Several outputs, complex numbers, the laws of vector-Jacobian products, and second order.
"""

import functools
import warnings
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import (
    GradcheckError,
    GradcheckUsageError,
    GradcheckVacuousWarning,
    Report,
    check_gradient,
    gradcheck,
)

RNG = np.random.default_rng(0)
A = RNG.normal(size=(2, 3))
X = np.array([1.0, -2.0, 0.5])
Z = np.array([1 + 2j, -0.5j, 0.3 - 1j])


def lines_without_costs(report: Report) -> list[str]:
    """Return the lines of a message without the one that has time and counts."""
    return [line for line in str(report).splitlines() if "evaluations" not in line]


def fit(x: Any, W: Any) -> Any:
    """Return two outputs in a dict."""
    return {"y": W @ x, "loss": np.sum((W @ x) ** 2)}


def fit_backward(x: Any, W: Any, dout: Any) -> Any:
    """Return the vector-Jacobian product of `fit`."""
    dy = dout["y"] + 2 * (W @ x) * dout["loss"]
    return W.T @ dy, np.outer(dy, x)


def fit_forward_mode(x: Any, W: Any, tangent: Any) -> Any:
    """Return the Jacobian-vector product of `fit`."""
    dx, dW = tangent
    dy = W @ dx + dW @ x
    return {"y": dy, "loss": 2 * (W @ x) @ dy}


def fit_jacobian(x: Any, W: Any) -> Any:
    """Return the Jacobians of `fit`."""
    by_W = np.einsum("ij,k->ijk", np.eye(2), x)
    return {"y": (W, by_W), "loss": (2 * W.T @ W @ x, 2 * np.outer(W @ x, x))}


@pytest.mark.parametrize(
    ("backward", "kind", "checked"),
    [(fit_backward, "vjp", 9), (fit_forward_mode, "jvp", 3), (fit_jacobian, "jacobian", 27)],
)
def test_several_outputs(backward: Any, kind: str, checked: int) -> None:
    """All three kinds of derivatives are correct; each number of a derivative is one entry."""
    report = gradcheck(fit, backward, X, A)
    assert (report.kind, report.verdict, report.checked) == (kind, "correct", checked)


def test_wrong_entry_of_one_of_several_outputs() -> None:
    """It is named by the accessor of its output, and no other output is wrong."""

    def wrong(x: Any, W: Any) -> Any:
        jacobian = fit_jacobian(x, W)
        jacobian["loss"][1][0, 2] *= 1.5
        return jacobian

    report = check_gradient(fit, wrong, X, A)
    assert report.wrong == 1
    (entry,) = [entry for entry in report.worst if entry.verdict == "wrong"]
    assert entry.name == "output['loss'] / W[0, 2]"
    assert (entry.output, entry.output_index) == ("output['loss']", ())


def test_wrong_product_of_several_outputs() -> None:
    """A missing term of one output makes the product wrong."""

    def wrong(x: Any, W: Any, dout: Any) -> Any:
        dy = dout["y"] + (W @ x) * dout["loss"]
        return W.T @ dy, np.outer(dy, x)

    assert check_gradient(fit, wrong, X, A).wrong == 9


@pytest.mark.parametrize(
    ("forward", "backward", "point"),
    [
        (np.exp, lambda z: 1 * np.exp(z), Z),
        (lambda z: z @ A.T, lambda z: A + 0j, Z),
        (lambda z: np.sum(z**3), lambda z: 3 * z**2, Z),
        (lambda z: z**3, lambda z, dout: dout * np.conj(3 * z**2), Z),
        (lambda z: z**3, lambda z, tangent: 3 * z**2 * tangent, Z),
        (lambda z: z.conj(), lambda z, dout: dout.conj(), Z),
        (lambda z: np.sum(np.abs(z) ** 2), lambda z: 2 * z, Z),
        (lambda z: np.abs(z) ** 2, lambda z: 2 * z, Z),
        (lambda x: np.exp(1j * x), lambda x: 1j * np.exp(1j * x), X),
        (lambda x: x + 1j * x[::-1], lambda x: np.eye(3) + 1j * np.eye(3)[::-1], X),
        (np.fft.fft, lambda dout: np.real(np.fft.ifft(dout) * 3), X),
        (lambda z: (z**2, np.sum(np.abs(z))), lambda z: (2 * z, z / np.abs(z)), Z),
        (lambda z: z**2, lambda z: 2 * z, 0.5 - 1j),
    ],
)
def test_complex_derivatives(forward: Any, backward: Any, point: Any) -> None:
    """Derivatives by complex or real numbers, holomorphic or not: right ones pass, wrong fail."""
    assert check_gradient(forward, backward, point).verdict == "correct"

    @functools.wraps(backward)
    def wrong(*args: Any, **kwargs: Any) -> Any:
        claim = backward(*args, **kwargs)
        if isinstance(claim, tuple):
            return tuple(1.001 * part for part in claim)
        return 1.001 * claim

    assert check_gradient(forward, wrong, point).verdict == "wrong"


def test_message_of_a_conjugate() -> None:
    """It names the conjugate, and the option for the other convention."""
    report = check_gradient(
        lambda z: np.sum(np.abs(z) ** 2), lambda z: 2 * z.conj(), Z, wrt="z", seed=0
    )
    assert lines_without_costs(report)[:6] == [
        "z[0].imag: backward -4.0, numerical 4.0; 3 of 6 entries wrong",
        "",
        "parameter  shape  wrong  difference  verdict",
        "z          (3,)     3/6     9.1e-01  wrong",
        "    consistent with the complex conjugate of the true gradient: the",
        "      other convention? say convention='jax'",
    ]
    assert (
        report.notes[-1].text == "complex gradients are dL/dRe + i dL/dIm (convention='pytorch')"
    )
    assert gradcheck(
        lambda z: np.sum(np.abs(z) ** 2), lambda z: 2 * z.conj(), Z, convention="jax"
    ).passed


def test_message_of_a_conjugate_jacobian() -> None:
    """Both parts of both numbers are named; no convention makes the claim right."""
    report = check_gradient(lambda z: np.sum(z**2), lambda z: 2 * z.conj(), np.array([1 + 2j]))
    assert {entry.name for entry in report.worst if entry.verdict == "wrong"} == {
        "output.real / z[0].imag",
        "output.imag / z[0].real",
    }
    assert [d.text for d in report["z"].diagnosis] == [
        "consistent with the complex conjugate of the true gradient: a conj() missing, or one too "
        "many?"
    ]


class TestLaws:
    """A VJP that violates a law is wrong, even where its entries agree."""

    @staticmethod
    def hidden(x: Any, dout: Any) -> Any:
        """Return a product that is right except for a zero cotangent."""
        return 2 * x * dout if np.any(dout) else np.array([0.0, 0.0, 0.25])

    def test_violated_law_fails_a_check_whose_entries_agree(self) -> None:
        """The message begins with the law."""
        with pytest.raises(GradcheckError) as failure:
            gradcheck(lambda x: x**2, self.hidden, X)
        report = failure.value.report
        assert (report.verdict, report["x"].verdict, report.wrong) == ("wrong", "correct", 0)
        assert [(b.kind, b.parameter) for b in report.breaches] == [("zero", "x")]
        lines = str(report).splitlines()
        assert lines[0] == (
            "TestLaws.hidden(0) is not 0: a term of x[2], 0.25, does not depend on the cotangent"
        )
        assert [line.split()[:3] for line in lines[1:4]] == [
            [],
            ["parameter", "shape", "wrong"],
            ["x", "(3,)", "0/3"],
        ]

    def test_upstream_gradient_ignored(self) -> None:
        """The violated law is reported after the wrong entry."""

        def square_backward(x: Any, dout: Any) -> Any:
            return 2 * x

        report = check_gradient(lambda x: x**2, square_backward, X)
        assert report.wrong == 3
        lines = str(report).splitlines()
        assert lines[2:4] == [
            "square_backward(0) is not 0: a term of x[1], -4, does not depend on the",
            "  cotangent",
        ]
        assert report.failures[-1] == " ".join(line.strip() for line in lines[2:4])

    def test_upstream_gradient_applied_twice(self) -> None:
        """The product is not linear; the first parameter that shows it is named."""

        def product_backward(x: Any, w: Any, dout: Any) -> Any:
            return dout * w, dout * dout * x

        report = check_gradient(lambda x, w: x * w, product_backward, X, 2 * X)
        (breach,) = report.breaches
        assert (breach.kind, breach.parameter) == ("linear", "w")
        assert breach.text.startswith("product_backward is not linear in the cotangent: w[")

    @pytest.mark.parametrize("kind", [np.float64, np.float32])
    @pytest.mark.parametrize("seed", range(6))
    def test_rounding_of_a_vanishing_gradient_violates_no_law(self, kind: Any, seed: int) -> None:
        """The rounding error of terms that cancel is not linear in the cotangent."""
        rng = np.random.default_rng(seed)
        x, shift = rng.normal(size=(5, 3)), rng.normal(size=3)

        def normalised(x: Any, shift: Any) -> Any:
            centred = x + shift - (x + shift).mean(0)
            return centred / np.sqrt((centred**2).mean(0))

        def backward(x: Any, shift: Any, dout: Any) -> Any:
            moved, dout = (x + shift).astype(kind), dout.astype(kind)
            centred = moved - moved.mean(0)
            spread = np.sqrt((centred**2).mean(0))
            unit = centred / spread
            dx = (dout - dout.mean(0) - unit * (dout * unit).mean(0)) / spread
            return dx, dx.sum(0)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GradcheckVacuousWarning)
            assert check_gradient(normalised, backward, x, shift, seed=seed).breaches == ()

    @pytest.mark.parametrize("seed", range(6))
    def test_small_nonlinear_term_of_a_vanishing_gradient_violates_a_law(self, seed: int) -> None:
        """Unlike rounding, an error of the formula is the same for cotangents close by."""

        def backward(x: Any, shift: Any, dout: Any) -> Any:
            dx = dout - dout.mean()
            return dx, dx.sum() + 1e-9 * np.abs(dout).sum()

        report = check_gradient(
            lambda x, shift: x + shift - (x + shift).mean(), backward, X, 0.5, seed=seed
        )
        assert [(b.kind, b.parameter) for b in report.breaches] == [("linear", "shift")]

    def test_float32_product_is_linear(self) -> None:
        """Rounding to float32 violates no law."""
        x = RNG.normal(size=50).astype(np.float32)

        def backward(x: Any, dout: Any) -> Any:
            return (np.exp(x.astype(np.float32)) * dout.astype(np.float32)).astype(np.float32)

        assert (
            check_gradient(
                np.exp, backward, x, rtol=1e-4, backward_args=("args[0]", "dout")
            ).breaches
            == ()
        )

    def test_random_backward_is_replayed(self) -> None:
        """A generator that only backward uses is replayed, so that backward is repeatable."""
        rng = np.random.default_rng(0)

        def backward(x: Any) -> Any:
            return 2 * x + 0 * rng.random()

        assert gradcheck(lambda x: np.sum(x**2), backward, X).passed
        with pytest.raises(GradcheckUsageError, match="not repeatable"):
            gradcheck(lambda x: np.sum(x**2), lambda x: 2 * x + rng.random(), X)


class TestSecondOrder:
    """The Hessian is the Jacobian of the gradient, a Hessian-vector product its JVP."""

    @staticmethod
    def gradient(x: Any) -> Any:
        """Return the gradient of ``sum(x**4) + (sum x)**2``."""
        return 4 * x**3 + 2 * np.sum(x)

    @staticmethod
    def hessian(x: Any) -> Any:
        """Return the Hessian of that function."""
        return np.diag(12 * x**2) + 2

    def test_hessian(self) -> None:
        """It is checked entry by entry; a wrong entry is named with both indices."""
        assert gradcheck(self.gradient, self.hessian, X).checked == 9
        report = check_gradient(self.gradient, lambda x: np.diag(12 * x**2), X)
        assert report.wrong == 9
        assert report.worst[0].name.startswith("output[")

    @pytest.mark.parametrize(
        ("backward", "call"),
        [
            (lambda x, tangent: 12 * x**2 * tangent + 2 * np.sum(tangent), {}),
            (
                lambda x, p: 12 * x**2 * p + 2 * np.sum(p),
                {"backward_args": ("x", "tangent")},
            ),
        ],
    )
    def test_hessian_vector_product(self, backward: Any, call: Any) -> None:
        """It is checked as a JVP, also with the parameter names of scipy."""
        report = gradcheck(self.gradient, backward, X, **call)
        assert (report.kind, report.checked) == ("jvp", 3)

    def test_wrong_hessian_vector_product(self) -> None:
        """The wrong outputs are named."""
        report = check_gradient(self.gradient, lambda x, tangent: 12 * x**2 * tangent, X)
        assert report.wrong == 3
        assert report.worst[0].name.endswith(" / tangent")


@pytest.mark.parametrize("factor", [1.1, 1.01, 1.001])
@pytest.mark.parametrize("seed", range(8))
def test_labels_stored_as_numbers_excuse_no_error(factor: float, seed: int) -> None:
    """A backward that differs for other labels is not rounding of backward."""
    rng = np.random.default_rng(seed)
    x, t = rng.uniform(-9, 9, 25), rng.choice([-1.0, 1.0], 25)

    def forward(x: Any, t: Any) -> Any:
        return np.where(t != 1, np.maximum(0, 1 - x), 0.0) + np.where(t != -1, x, 0.0)

    def backward(x: Any, t: Any, cotangent: Any) -> Any:
        slope = np.where(t != 1, -1.0 * (x < 1), 0.0) + np.where(t != -1, 1.0, 0.0)
        return cotangent * slope * np.where(np.arange(25) == wrong, factor, 1), np.zeros_like(t)

    wrong = -1
    wrong = int(rng.choice(np.flatnonzero(backward(x, t, np.ones(25))[0])))
    assert check_gradient(forward, backward, x, t, seed=seed)["x"].verdict == "wrong"


@pytest.mark.parametrize("factor", [1.1, 1.01, 1.001])
@pytest.mark.parametrize("seed", range(8))
def test_sign_that_flips_far_away_excuses_no_error(factor: float, seed: int) -> None:
    """A jump as large as the function's values is not one between branches of a solver."""
    x = np.random.default_rng(seed).uniform(-9, 9, (2, 2))

    def forward(x: Any) -> float:
        return float(np.linalg.qr(x)[1] @ [1.0, 0.5] @ [0.3, 1.0])

    def backward(x: Any) -> Any:
        moves = 1e-5 * np.eye(4).reshape(4, 2, 2)
        slopes = [(forward(x + m) - forward(x - m)) / 2e-5 for m in moves]
        return np.reshape(slopes, (2, 2)) * [[factor, 1], [1, 1]]

    report = check_gradient(forward, backward, x, seed=seed)
    assert report["x"].worst[0].index == (0, 0)
    assert report.verdict == "wrong"
