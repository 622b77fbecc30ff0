"""Claims at nearby points excuse slight differences, and decide claims at kinks."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckVacuousWarning, check_gradient
from pytest_gradcheck.binding.bind import bind
from pytest_gradcheck.binding.call.resolved_call import Call
from pytest_gradcheck.report_builder.claims_at_nearby_points import NearbyClaims
from tests.corpus.corpus_runner import choose_families

Vector = np.ndarray[Any, Any]

#: Sizes of two terms that cancel inside backward.
LARGE = 1e6


def cancelling_terms(x: Any) -> Any:
    """Return zero, up to the rounding errors of terms of size 1e6."""
    a, b = np.sin(x) * LARGE, np.cos(x) * LARGE
    return (a + b) ** 2 / LARGE - (a * a + 2 * a * b + b * b) / LARGE


def make_problem(seed: int) -> tuple[Callable[..., Any], Callable[..., Any], Vector]:
    """Return a function, its gradient with such rounding errors, and a point."""
    rng = np.random.default_rng(seed)
    x, size = rng.uniform(0.5, 2, size=6), 10.0 ** rng.uniform(-3, 0, size=6)
    size[0] = 10.0 ** rng.uniform(-7, -5)
    return (
        lambda x: np.sum(size * (x**3 / 3 + np.sin(x))),
        lambda x: size * (x**2 + np.cos(x)) + cancelling_terms(x),
        x,
    )


class TestRounding:
    """The scatter of claims one rounding away is their accuracy."""

    @pytest.mark.parametrize("mode", ["full", "fast"])
    @pytest.mark.parametrize("seed", range(8))
    def test_terms_that_cancel_are_not_wrong(self, seed: int, mode: str) -> None:
        """The small entry is correct within the rounding error of backward."""
        forward, backward, x = make_problem(seed)
        report = check_gradient(forward, backward, x, seed=seed, mode=mode)
        assert report.passed

    def test_screen_reports_no_entry_as_wrong_that_rounding_explains(self) -> None:
        """An entry that was found and measured is inconclusive; the others are verified."""
        seeds = [*range(20)]
        reports = [check_gradient(*make_problem(seed), seed=seed, mode="fast") for seed in seeds]
        assert all(report.passed for report in reports)
        inconclusive = [report for report in reports if report.verdict == "inconclusive"]
        assert inconclusive
        for report in inconclusive:
            kinds = [note.kind for note in report["x"].notes]
            assert {"rounding", "inconclusive"} <= set(kinds)

    def test_report_states_the_accuracy_of_claims(self) -> None:
        """A note states it, and the reason of the entry names rounding."""
        forward, backward, x = make_problem(1)
        x[0] = 1.3

        def wrong(x: Any) -> Any:
            claim = backward(x)
            claim[0] += 3e-10 * np.sign(np.sin(1e9 * x[0]))
            return claim

        report = check_gradient(forward, wrong, x)
        notes = {note.kind: note.text for note in report["x"].notes}
        assert notes["rounding"].startswith(
            "backward's own rounding: claims of x are accurate to "
        )
        assert report.wrong == 0
        assert "backward's own rounding, its terms cancel" in {e.reason for e in report.worst}

    @pytest.mark.parametrize("mode", ["full", "fast"])
    @pytest.mark.parametrize("seed", [6, 10, 11, 19, 22, 38])
    def test_claim_that_by_chance_does_not_scatter_is_not_wrong(
        self, seed: int, mode: str
    ) -> None:
        """Two terms of 1e5 leave a multiple of their rounding unit, the same at many points."""
        (family,) = choose_families("all", ["langevin"], [])
        case = family.case(seed)
        report = check_gradient(case.forward, case.gradient, case.point, seed=seed, mode=mode)
        assert report.passed

    def test_constant_claim_that_is_slightly_off_is_wrong(self) -> None:
        """It is a multiple of a half, as are some correct claims that do scatter."""

        def backward(x: Any) -> Any:
            claim = x + cancelling_terms(x)
            claim[0] = 0.5
            return claim

        x = np.array([0.50001, 1.3, 0.7, 2.1, 1.9, 0.9, 1.1, 1.7])
        report = check_gradient(lambda x: np.sum(x**2) / 2, backward, x)
        assert [entry.name for entry in report.worst if entry.verdict == "wrong"] == ["x[0]"]

    @pytest.mark.parametrize("mode", ["full", "fast"])
    @pytest.mark.parametrize("seed", range(4))
    def test_error_far_above_the_scatter_is_wrong(self, seed: int, mode: str) -> None:
        """The error is one percent of a large entry."""
        forward, backward, x = make_problem(seed)

        def wrong(x: Any) -> Any:
            claim = backward(x)
            claim[3] *= 1.01
            return claim

        assert check_gradient(forward, wrong, x, seed=seed, mode=mode).verdict == "wrong"

    @pytest.mark.parametrize("mode", ["full", "fast"])
    @pytest.mark.parametrize("kind", ["rounding", "smooth"])
    def test_zero_of_a_forward_that_is_zero_is_verified_to_the_scatter(
        self, kind: str, mode: str
    ) -> None:
        """Normalised rows of one number are zero; a claim as small that is smooth is wrong."""
        scale = 1 / np.sqrt(1e-5)

        def backward(x: Any, w: Any, cotangent: Any) -> Any:
            product = float(x[0] * scale)
            left = float(np.longdouble(x[0]) * np.longdouble(scale) - np.longdouble(product))
            return np.zeros(1), cotangent * (left if kind == "rounding" else 1e-13 * x)

        weight = np.array([-4.8])
        for seed in range(4):
            x = np.random.default_rng(seed).uniform(-9, 9, 1)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", GradcheckVacuousWarning)
                report = check_gradient(
                    lambda x, w: (x - x) * scale * w, backward, x, weight, seed=seed, mode=mode
                )
            assert report.verdict == ("correct" if kind == "rounding" else "wrong")

    def test_correct_check_needs_no_further_calls(self) -> None:
        """Backward is called twice, as in every check."""
        x = np.array([0.5, 2.0])
        assert check_gradient(np.sin, np.cos, x).backward_calls == 2

    def test_vjp_is_called_with_a_multiple_of_its_cotangent(self) -> None:
        """Terms of the cotangent alone that cancel scatter as well."""
        size = np.array([1.0, 1e-9])

        def backward(dout: Any) -> Any:
            return size * dout + (dout * 1.1e6 + dout - dout * 1.1e6 - dout)

        for seed in range(5):
            report = check_gradient(lambda x: size * x, backward, np.ones(2), seed=seed)
            assert report.wrong == 0

    def test_jacobian_entries_have_a_scatter_each(self) -> None:
        """Each entry has the scatter of its output and its coordinate."""
        matrix = np.array([[1.0, 1e-6], [2.0, 3.0]])

        def backward(x: Any) -> Any:
            return matrix + np.array([[0.0, cancelling_terms(x[0])], [0.0, 0.0]])

        for seed in range(5):
            x = np.random.default_rng(seed).uniform(0.5, 2, size=2)
            assert check_gradient(lambda x: matrix @ x, backward, x).wrong == 0

    def test_backward_that_raises_at_nearby_points_has_no_excuse(self) -> None:
        """The claim is judged without scatter."""
        x = np.array([1.0, 2.0])

        def backward(y: Any) -> Any:
            assert (y == x).all()
            return 2 * y * np.array([1.0, 1.001])

        assert check_gradient(lambda y: np.sum(y**2), backward, x).wrong == 1


class TestPoints:
    """The points at which backward is called."""

    def test_backward_is_called_after_forward_and_the_point_is_restored(self) -> None:
        """Each call of backward follows a call of forward at the same point."""
        log: list[tuple[str, float]] = []

        def forward(x: Any) -> Any:
            log.append(("forward", x[0]))
            return np.sum(x**2)

        def backward(x: Any) -> Any:
            log.append(("backward", x[0]))
            return 2 * x

        point = np.array([1.0, 2.0])
        with bind(Call(forward, backward, (point,)), seed=0) as problem:
            log.clear()
            nearby = NearbyClaims(problem, 0)
            scatter = nearby.scatter(np.arange(2), lambda *_: True, parameter_range=(0, 2))
            assert [what for what, _ in log] == ["forward", "backward"] * 3
            assert all(a == b != 1.0 for (_, a), (_, b) in zip(log[::2], log[1::2], strict=True))
            assert (scatter > 0).all()
            assert (scatter < 1e-13).all()
            before = len(log)
            nearby.scatter(np.arange(2), lambda *_: True, parameter_range=(0, 2))
            assert len(log) == before
            assert problem.point.tolist() == [1.0, 2.0]


def rectified(data: Any, weight: Any, linear: Any) -> tuple[Callable[..., Any], ...]:
    """Return rectified units plus a linear term, and a factory of gradients by comparison."""

    def forward(w: Any, b: Any) -> Any:
        return weight @ np.maximum(data @ w + b, 0) + linear @ w

    def gradients(on: Callable[[Any], Any], share: float = 1.0) -> Callable[..., Any]:
        def backward(w: Any, b: Any) -> Any:
            active = weight * on(data @ w + b)
            return share * (data.T @ active + linear), share * active

        return backward

    return forward, gradients


ON = {
    "greater": lambda z: z > 0,
    "greater or equal": lambda z: z >= 0,
    "half": lambda z: np.heaviside(z, 0.5),
}


class TestKinks:
    """A claim at a kink that is no common choice of a subgradient."""

    @pytest.mark.parametrize("on", ON.values(), ids=ON)
    @pytest.mark.parametrize("seed", range(3))
    def test_several_kinks_at_one_point_explain_it(self, on: Any, seed: int) -> None:
        """A network with weights of zero has a correct gradient, whatever the comparison."""
        rng = np.random.default_rng(seed)
        data, weight, linear = rng.normal(size=(7, 3)), rng.normal(size=7), rng.normal(size=3)
        forward, gradients = rectified(data, weight, linear)
        zeros = np.zeros(3), np.zeros(7)
        report = check_gradient(forward, gradients(on), *zeros, seed=seed)
        assert report.verdict == "correct"
        scaled = check_gradient(forward, gradients(on, 0.99), *zeros, seed=seed)
        assert scaled.verdict == "wrong"

    def test_note_names_the_choice(self) -> None:
        """It says so of a combination, and of other subgradients what they are."""
        rng = np.random.default_rng(0)
        forward, gradients = rectified(rng.normal(size=(7, 3)), np.ones(7), rng.normal(size=3))
        report = check_gradient(forward, gradients(ON["greater"]), np.zeros(3), np.zeros(7))
        assert [n.text for p in ("w", "b") for n in report[p].notes if n.kind == "kink"] == [
            "3 entries are at a kink; the claim is a combination of slopes, of several kinks at "
            "once",
            "7 entries are at a kink; the claim is one of the slopes left and right of it",
        ]

    @pytest.mark.parametrize("value", [1 / 3, 0.3, 0.99])
    def test_one_kink_does_not_explain_it(self, value: float) -> None:
        """The reason of a value between the slopes names both, and what is accepted."""
        price = np.array([1.3, -0.7, 2.1])

        def backward(c: Any) -> Any:
            return price * np.where(c == 0, value, c > 0)

        report = check_gradient(
            lambda c: np.sum(price * np.maximum(c, 0)), backward, np.array([0.0, 0.5, 1.2])
        )
        assert report.wrong == 1
        assert (report.worst[0].reason or "").endswith(
            "and 1.3; there also 0 and their mean are accepted, and sums of several kinks"
        )

    def test_factor_is_not_excused_by_a_kink(self) -> None:
        """The scaled slope is between the slopes of the kink."""
        report = check_gradient(
            lambda c: np.sum(np.maximum(c, 0)), lambda c: 0.99 * (c >= 0), np.zeros(2)
        )
        assert report.wrong == 2

    def test_single_number_is_inconclusive(self) -> None:
        """There is no other coordinate to move, and the check does not pass."""
        report = check_gradient(
            lambda c: 2 * max(c, 0.0), lambda c: 0.6 if c == 0 else 2.0 * (c > 0), 0.0
        )
        assert (report.verdict, report.passed) == ("inconclusive", False)
        assert "neither of them, nor zero, nor their mean" in report.failures[0]

    def test_many_kinks_are_compared_in_part(self) -> None:
        """Some are compared on both sides, and all at points around them."""
        rng = np.random.default_rng(0)
        data, weight, linear = rng.normal(size=(30, 40)), rng.normal(size=30), rng.normal(size=40)
        forward, gradients = rectified(data, weight, linear)
        report = check_gradient(forward, gradients(ON["greater"]), np.zeros(40), np.zeros(30))
        assert report.verdict == "correct"
        assert report.backward_calls <= 2 + 2 * 16 + 6

    def test_jvp_is_compared_on_both_sides_along_its_tangent(self) -> None:
        """The claims on both sides of the point are those along the tangent."""

        def backward(x: Any, tangent: Any) -> Any:
            return tangent * np.where(x == 0, 0.3, x > 0)

        report = check_gradient(lambda x: np.maximum(x, 0), backward, np.zeros(3))
        assert report.wrong == 3

    @pytest.mark.parametrize("on", ON.values(), ids=ON)
    def test_jvp_through_several_kinks_may_be_neither_slope(self, on: Any) -> None:
        """With weights of both signs it is outside both slopes; an error of 1% is detected."""
        for seed in range(8):
            weight = np.random.default_rng(seed).normal(size=(2, 5))

            def claimed(share: float, weight: Any = weight) -> Any:
                return lambda x, tangent: share * (weight @ (on(x) * tangent))

            for share, expected in ((1.0, "correct"), (1.01, "wrong")):
                report = check_gradient(
                    lambda x, weight=weight: weight @ np.maximum(x, 0),
                    claimed(share),
                    np.array([0.0, 0.0, 0.0, 1.2, -0.7]),
                    wrt="x",
                    seed=seed,
                )
                assert report.verdict == expected

    def test_backward_that_raises_beside_a_kink_is_inconclusive(self) -> None:
        """Its claim cannot be compared with claims on both sides."""

        def backward(c: Any) -> Any:
            assert (c == 0).all()
            return np.full(2, 0.3)

        report = check_gradient(lambda c: np.sum(np.maximum(c, 0)), backward, np.zeros(2))
        assert report.verdict == "inconclusive"


def probabilities(x: Any) -> Any:
    """Return the softmax."""
    e = np.exp(x - np.max(x))
    return e / e.sum()


def entropy(x: Any) -> Any:
    """Return the entropy of the softmax, with the rounding errors of terms of order one."""
    p = probabilities(x)
    return -np.sum(p * np.log(p))


def entropy_gradient(x: Any) -> Any:
    """Return the gradient of the entropy."""
    p = probabilities(x)
    return -p * (np.log(p) - np.sum(p * np.log(p)))


@pytest.mark.parametrize("mode", ["full", "fast"])
@pytest.mark.parametrize("top", [20, 30, 40, 80, 200])
def test_entropy_of_a_saturated_softmax_is_not_wrong(top: float, mode: str) -> None:
    """Terms of order one cancel, so that outputs have their rounding errors at every step."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GradcheckVacuousWarning)
        for seed in range(4):
            x = np.random.default_rng(seed).normal(size=4)
            x[seed] += top
            report = check_gradient(entropy, entropy_gradient, x, seed=seed, mode=mode)
            assert report.verdict != "wrong"


def test_saturation_excuses_no_wrong_formula() -> None:
    """The same backward is wrong where outputs are larger."""
    x = np.array([40.0, 0.3, -0.5, 1.1])
    report = check_gradient(entropy, lambda x: 1.03 * entropy_gradient(x), x)
    assert report.verdict == "wrong"
