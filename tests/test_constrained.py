"""Constrained checks from end to end: forward is never called outside the set."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import check_gradient, gradcheck
from pytest_gradcheck.constraints import (
    lower_triangular,
    orthogonal,
    positive_definite,
    simplex,
    symmetric,
    unit_norm,
)
from tests.pytest_integration.suites import QUIET

RNG = np.random.default_rng(0)
A = RNG.normal(size=(4, 4))
SPD = A @ A.T + np.eye(4)
M = A + A.T
UNIT = A[0] / np.linalg.norm(A[0])


def log_determinant(S: Any) -> Any:
    """Return the log-determinant by Cholesky; raise for a matrix it is not defined for."""
    if not np.array_equal(S, S.T):
        raise RuntimeError("not symmetric")
    factor = np.linalg.cholesky(S)
    return 2 * np.sum(np.log(np.diag(factor)))


def quotient(x: Any) -> Any:
    """Return the Rayleigh quotient of a unit vector."""
    if abs(np.linalg.norm(x) - 1) > 1e-12:
        raise RuntimeError("not on the sphere")
    return x @ M @ x


def cross_entropy(p: Any, y: Any) -> Any:
    """Return the cross-entropy of labels and probabilities."""
    if (p < 0).any() or abs(p.sum() - 1) > 1e-12:
        raise RuntimeError("no probabilities")
    return -y @ np.log(p)


class TestPositiveDefinite:
    """The log-determinant, whose gradient is the inverse."""

    def test_right(self) -> None:
        """Each entry of the upper triangle is measured once."""
        report = gradcheck(log_determinant, np.linalg.inv, SPD, tangent=positive_definite)
        assert report["S"].size == 16
        assert report["S"].checked == 10
        assert report.evaluations <= 2 * 10 + 30

    def test_gradient_by_the_upper_triangle_alone_is_wrong(self) -> None:
        """In a common convention off-diagonal entries count twice; the check rejects it."""

        def by_triangle(S: Any) -> Any:
            inverse = np.linalg.inv(S)
            return 2 * inverse - np.diag(np.diag(inverse))

        report = check_gradient(log_determinant, by_triangle, SPD, tangent=positive_definite)
        assert report["S"].wrong == 6
        for entry in report["S"].worst:
            assert entry.index[0] < entry.index[1]
            assert entry.backward == pytest.approx(2 * entry.numerical)

    def test_any_gradient_with_the_right_symmetric_part(self) -> None:
        """The antisymmetric part of a gradient moves no symmetric matrix."""

        def lopsided(S: Any) -> Any:
            return np.linalg.inv(S) + (A - A.T)

        gradcheck(log_determinant, lopsided, SPD, tangent=positive_definite)

    def test_close_to_singular(self) -> None:
        """Large steps would leave the set, so small ones are taken."""
        S = np.diag([1.0, 1e-9]) + 1e-10
        S = (S + S.T) / 2
        gradcheck(log_determinant, np.linalg.inv, S, tangent=positive_definite)

    def test_float32(self) -> None:
        """A float32 parameter is measured in double precision."""
        S = (SPD / 8).astype(np.float32)
        gradcheck(log_determinant, np.linalg.inv, (S + S.T) / 2, tangent=positive_definite)

    def test_product_along_a_symmetric_tangent(self) -> None:
        """Backward receives a symmetric tangent."""

        def jvp(S: Any, tangent: Any) -> Any:
            assert np.array_equal(tangent, tangent.T)
            return np.trace(np.linalg.solve(S, tangent))

        gradcheck(log_determinant, jvp, SPD, tangent=positive_definite)
        report = check_gradient(
            log_determinant, lambda S, tangent: 1.001 * jvp(S, tangent), SPD, tangent=symmetric
        )
        assert report.verdict == "wrong"


class TestSphere:
    """The Rayleigh quotient, with either gradient."""

    @pytest.mark.parametrize(
        "written",
        [
            {"tangent": unit_norm},
            {"project": lambda x: x / np.linalg.norm(x)},
            {
                "tangent": lambda x, d: d - x * (x @ d),
                "project": lambda x: x / np.linalg.norm(x),
            },
        ],
        ids=["helper", "project", "both"],
    )
    def test_euclidean_and_riemannian_gradients_are_right(self, written: Any) -> None:
        """They differ by a normal component only; half of either is wrong."""

        def euclidean(x: Any) -> Any:
            return 2 * M @ x

        def riemannian(x: Any) -> Any:
            return 2 * (M @ x - (x @ M @ x) * x)

        gradcheck(quotient, euclidean, UNIT, **written)
        gradcheck(quotient, riemannian, UNIT, **written)
        report = check_gradient(quotient, lambda x: M @ x, UNIT, **written)
        assert report["x"].wrong == 4
        assert report["x"].diagnosis[0].evidence["factor"] == 0.5

    def test_vector_jacobian_product(self) -> None:
        """Constraints apply to every kind of derivative."""

        def forward(x: Any) -> Any:
            return quotient(x) * x

        def vjp(x: Any, dout: Any) -> Any:
            return 2 * M @ x * (x @ dout) + (x @ M @ x) * dout

        gradcheck(forward, vjp, UNIT, tangent=unit_norm)
        report = check_gradient(
            forward, lambda x, dout: 2 * M @ x * (x @ dout), UNIT, tangent=unit_norm
        )
        assert report.verdict == "wrong"

    def test_unit_vector_of_an_axis(self) -> None:
        """The dominant entry does not move."""
        report = gradcheck(quotient, lambda x: 2 * M @ x, np.eye(4)[1], tangent=unit_norm)
        assert report["x"].checked == 3


class TestSimplex:
    """Cross-entropy of probabilities."""

    p = np.array([0.2, 1e-6, 0.3, 0.499999])
    y = np.array([0.0, 0.2, 0.5, 0.3])

    def test_right(self) -> None:
        """No step leads to a negative probability, however small a probability is."""
        report = gradcheck(
            cross_entropy, lambda p, y: -y / p, self.p, self.y, wrt="p", tangent=simplex
        )
        assert report.evaluations <= 2 * 4 + 30

    def test_gradient_of_logits_is_not_that_of_probabilities(self) -> None:
        """Softmax and cross-entropy together have the gradient p - y."""
        report = check_gradient(
            cross_entropy, lambda p, y: p - y, self.p, self.y, wrt="p", tangent=simplex
        )
        assert report["p"].wrong == 4

    def test_corner(self) -> None:
        """Entries that are zero are measured from one side."""
        corner = np.eye(4)[2]

        def form(p: Any) -> Any:
            return cross_entropy(np.full(4, 0.25), p) + p @ M @ p

        def gradient(p: Any) -> Any:
            return 2 * M @ p

        assert gradcheck(form, gradient, corner, tangent=simplex)["p"].checked == 3
        report = check_gradient(
            form, lambda p: gradient(p) + np.eye(4)[0], corner, tangent=simplex
        )
        assert [entry.name for entry in report.worst if entry.verdict == "wrong"] == ["p[0]"]


class TestOrthogonal:
    """The Procrustes problem."""

    B, C = RNG.normal(size=(2, 4, 4))

    def distance(self, Q: Any) -> Any:
        """Return the squared distance after a rotation."""
        k = Q.shape[1]
        if np.abs(Q.T @ Q - np.eye(k)).max() > 1e-12:
            raise RuntimeError("not orthogonal")
        return np.sum((Q @ self.B[:k] - self.C) ** 2)

    @pytest.mark.parametrize("columns", [4, 2])
    def test_right_and_wrong(self, columns: int) -> None:
        """Square matrices and matrices with orthonormal columns are accepted."""
        B = self.B[:columns]
        Q = np.linalg.qr(A)[0][:, :columns]

        def gradient(Q: Any) -> Any:
            return 2 * (Q @ B - self.C) @ B.T

        gradcheck(self.distance, gradient, Q, tangent=orthogonal)
        report = check_gradient(
            self.distance, lambda Q: gradient(Q) + 1e-3 * A[:, :columns], Q, tangent=orthogonal
        )
        assert report.verdict == "wrong"

    def test_constant_term_does_not_matter(self) -> None:
        """A component of the gradient that is normal to the rotations is not compared."""
        Q = np.linalg.qr(A)[0]
        gradcheck(self.distance, lambda Q: -2 * self.C @ self.B.T, Q, tangent=orthogonal)


class TestTriangular:
    """A function of a Cholesky factor."""

    L = np.linalg.cholesky(SPD)
    b = A[0]

    def form(self, L: Any) -> Any:
        """Return a log-likelihood, up to constants."""
        if L[0, 1] != 0:
            raise RuntimeError("not triangular")
        return np.sum(np.log(np.diag(L))) + np.sum((L.T @ self.b) ** 2)

    def gradient(self, L: Any) -> Any:
        """Return its gradient by every entry."""
        return np.diag(1 / np.diag(L)) + 2 * np.outer(self.b, L.T @ self.b)

    def test_claims_above_the_diagonal_do_not_matter(self) -> None:
        """Both zeros and the full gradient are accepted there."""
        report = gradcheck(self.form, self.gradient, self.L, tangent=lower_triangular)
        gradcheck(self.form, lambda L: np.tril(self.gradient(L)), self.L, tangent=lower_triangular)
        assert report["L"].checked == 10

    def test_missing_diagonal_is_found(self) -> None:
        """Wrong entries have their indices in the matrix."""
        report = check_gradient(
            self.form, lambda L: np.tril(self.gradient(L), -1), self.L, tangent=lower_triangular
        )
        assert {entry.index for entry in report["L"].worst} >= {(k, k) for k in range(4)}
        assert report["L"].wrong == 4


class TestBounds:
    """Forward is never called outside, and derivatives are one-sided at a bound."""

    @staticmethod
    def forward(x: Any) -> Any:
        """Return a function that raises outside the bounds."""
        if (x < 0).any() or (x > 2).any():
            raise RuntimeError("outside")
        return np.sum(np.sqrt(x + 0.1)) * np.exp(x[1])

    def backward(self, x: Any) -> Any:
        """Return its gradient."""
        gradient = 0.5 / np.sqrt(x + 0.1) * np.exp(x[1])
        gradient[1] += self.forward(x)
        return gradient

    @pytest.mark.parametrize(
        "distance",
        [
            0.0,
            1e-13,
            1e-11,
            1e-9,
            1e-7,
            1e-3,
            0.5,
        ],
    )
    def test_at_and_near_the_bounds(self, distance: float) -> None:
        """A correct gradient is verified, and an error of a thousandth is detected."""
        x = np.array([distance, 2 - distance, 1.0])
        assert gradcheck(self.forward, self.backward, x, bounds=(0, 2)).verdict == "correct"
        for k in range(2):
            factor = 1 + 1e-3 * np.eye(3)[k]
            report = check_gradient(
                self.forward,
                lambda x, f=factor: f * self.backward(x),
                x,
                bounds=(0, 2),
                backward_args=("x",),
            )
            assert [e.index for e in report.worst if e.verdict == "wrong"] == [(k,)]

    def test_without_bounds_forward_is_called_outside(self) -> None:
        """The derivative is then measured from one side, and the report says so."""
        report = gradcheck(self.forward, self.backward, np.array([0.0, 2.0, 1.0]))
        reasons = [entry.reason or "" for entry in report.worst]
        assert sum("forward raises RuntimeError: outside" in reason for reason in reasons) == 2

    def test_product_along_a_tangent_that_points_inside(self) -> None:
        """A random tangent would leave the bounds at once, to either side."""
        x = np.array([0.0, 2.0, 1.0])
        gradcheck(self.forward, lambda x, tangent: self.backward(x) @ tangent, x, bounds=(0, 2))

    def test_bounds_and_directions_together(self) -> None:
        """The simplex with a floor."""
        p = np.array([0.1, 0.3, 0.6])
        gradcheck(
            lambda p: np.sum(1 / np.sqrt(p - 0.09)),
            lambda p: -0.5 * (p - 0.09) ** -1.5,
            p,
            tangent=simplex,
            bounds=(0.0901, 1),
        )


class TestPlaces:
    """Constraints apply to parameters of every form."""

    def test_in_containers_with_unconstrained_parameters(self) -> None:
        """Constraints are given by short names; the other parameters are checked as usual."""
        parameters = {"S": SPD, "layers": [{"Q": np.linalg.qr(A)[0]}, {"w": A[0]}]}

        def forward(parameters: Any) -> Any:
            Q, w = parameters["layers"][0]["Q"], parameters["layers"][1]["w"]
            return log_determinant(parameters["S"]) + np.sum(Q * M) + w @ w

        def backward(parameters: Any) -> Any:
            S, w = parameters["S"], parameters["layers"][1]["w"]
            return {"S": np.linalg.inv(S), "layers": [{"Q": M}, {"w": 2 * w}]}

        written = {"S": positive_definite, "Q": orthogonal}
        report = gradcheck(forward, backward, parameters, tangent=written)
        assert [p.checked for p in report.parameters] == [10, 16, 4]

    def test_attributes_of_an_object(self) -> None:
        """Attributes are perturbed in place, on a copy of the object."""

        class Rotation:
            def __init__(self) -> None:
                self.Q = np.linalg.qr(A)[0]

            def forward(self, x: Any) -> Any:
                assert np.allclose(self.Q.T @ self.Q, np.eye(4))
                return self.Q @ x

            def backward(self, x: Any, dout: Any) -> Any:
                return np.outer(dout, x)

        rotation = Rotation()
        before = rotation.Q.copy()
        gradcheck(
            rotation.forward, rotation.backward, A[0], wrt="self.Q", tangent={"self.Q": orthogonal}
        )
        assert np.array_equal(rotation.Q, before)

    def test_number(self) -> None:
        """A number can have bounds, as an array can."""
        gradcheck(np.log, lambda s: 1 / s, 1e-3, bounds=(1e-3, None))

    def test_mark(self, pytester: pytest.Pytester) -> None:
        """A mark can hold constraints, as it can other options."""
        pytester.makepyfile(
            """
            import numpy as np
            import pytest
            from pytest_gradcheck.constraints import simplex

            @pytest.mark.gradcheck(tangent=simplex, bounds={"p": (0.1, None)})
            @pytest.mark.parametrize("p", [np.array([0.25, 0.75])])
            def test_entropy(p):
                return p @ np.log(p), np.log(p)
            """
        )
        pytester.runpytest_inprocess(*QUIET).assert_outcomes(passed=1)


def test_message_says_what_is_compared() -> None:
    """The compared values are not entries of the gradient, and the note says so."""
    report = check_gradient(quotient, lambda x: M @ x, UNIT, tangent=unit_norm)
    assert str(report).splitlines()[4:7] == [
        "    consistent with 1/2 x the true gradient (4 entries, to 11 digits):",
        "      a factor 2 missing?",
        "    values along admissible directions (of unit norm)",
    ]
    assert report.to_dict()["options"]["tangent"] == {"value": "of unit norm", "origin": "call"}


def test_stationary_point_is_vacuous() -> None:
    """A gradient that is normal to the set vanishes along it."""
    x = np.linalg.eigh(M)[1][:, 0]
    with pytest.warns(match="zero everywhere with respect to x"):
        report = gradcheck(quotient, lambda x: 2 * M @ x, x, tangent=unit_norm)
    assert [note.kind for note in report["x"].notes] == ["direction", "vacuous"]
