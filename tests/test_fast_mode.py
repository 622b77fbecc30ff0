"""Fast mode, end to end: which errors it names, its costs, and what it reports about the rest."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from pytest_gradcheck.fault_localization import locate_wrong_lines
from pytest_gradcheck.report.report import Report
from tests.benchmarks.handwritten_networks import Network, perceptron
from tests.corpus.corpus_runner import choose_families

Parameters = dict[str, Any]
Change = Callable[[Parameters], None]

SIZES = (30, 50, 20, 5)


def check(change: Change, network: Network | None = None, **options: Any) -> Report:
    """Check the gradient of a network after a change in place."""
    network = network or perceptron(SIZES, activation="tanh")

    def loss(parameters: Parameters) -> Any:
        return network.forward(parameters)

    def backward(parameters: Parameters) -> Parameters:
        gradient = network.backward(parameters)
        change(gradient)
        return gradient

    return check_gradient(loss, backward, network.parameters, mode="fast", **options)


def wrong(report: Report) -> dict[str, tuple[int, list[str]]]:
    """Return the number of wrong entries of each wrong parameter, and their names or diagnoses."""
    return {
        p.name.removeprefix("parameters"): (
            p.wrong,
            [e.name.removeprefix("parameters") for e in p.worst if e.verdict == "wrong"]
            if p.wrong < 5
            else [d.text for d in p.diagnosis],
        )
        for p in report.parameters
        if p.verdict == "wrong"
    }


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_correct_gradient_costs_a_dozen_evaluations(activation: str) -> None:
    """The number does not depend on the number of entries."""
    report = check(lambda gradient: None, perceptron(SIZES, activation=activation))
    assert (report.verdict, report.mode) == ("correct", "fast")
    assert report.passed
    assert report.evaluations <= 20
    assert report.relative_difference < 1e-7


def test_resolution_is_reported() -> None:
    """It is in the units of the derivative, and relative to a typical one."""
    report = check(lambda gradient: None)
    for parameter in report.parameters:
        (note,) = (n for n in parameter.notes if n.kind == "screened")
        assert note.text.startswith("errors of one entry above ")
        assert 0 < parameter.resolution < 1e-4
        assert np.isnan(parameter.relative_difference)


@pytest.fixture
def no_search_for_wrong_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the search for wrong lines, whose evaluations have a budget of their own."""
    monkeypatch.setattr(locate_wrong_lines, "locate_wrong_lines", lambda *_, **__: ())


@pytest.mark.usefixtures("no_search_for_wrong_lines")
def test_one_entry_is_named_with_its_numbers() -> None:
    """Nothing else is named. Causes may take 8 of the evaluations."""

    def change(gradient: Parameters) -> None:
        gradient["W2"][3, 7] *= 1.01

    report = check(change)
    assert wrong(report) == {"['W2']": (1, ["['W2'][3, 7]"])}
    (entry,) = report.worst
    assert entry.backward == pytest.approx(1.01 * entry.numerical, rel=1e-5)
    assert abs(entry.backward - entry.numerical) > 10 * entry.bound
    assert report.evaluations <= 48


def test_last_entry_of_the_last_array_is_named() -> None:
    """An index is not off by one."""

    def change(gradient: Parameters) -> None:
        gradient["b3"][-1] += 1.0

    assert wrong(check(change)) == {"['b3']": (1, ["['b3'][4]"])}


def test_row_is_named() -> None:
    """It is named by its index; two of its entries are measured."""

    def change(gradient: Parameters) -> None:
        gradient["W1"][3] *= 1.5

    ((count, texts),) = wrong(check(change)).values()
    assert count == 50
    assert texts[0] == ("wrong in parameters['W1'][3, :], 50 entries: in 2 of 2 measured")
    assert texts[1].startswith("consistent with 3/2 x the true gradient (2 entries")


def test_row_with_dead_units_is_named() -> None:
    """The entry of a unit that is inactive for the batch is right; others are measured."""

    def change(gradient: Parameters) -> None:
        gradient["W2"][3] *= 0.5

    network = perceptron((30, 50, 200, 5), batch=4)
    ((count, texts),) = wrong(check(change, network)).values()
    assert count == 200
    assert texts[0].startswith("wrong in parameters['W2'][3, :], 200 entries: in 2 of ")


def test_column_that_was_never_written_is_named() -> None:
    """The claim is zero where the gradient is not."""

    def change(gradient: Parameters) -> None:
        gradient["W2"][:, 4] = 0.0

    ((count, texts),) = wrong(check(change)).values()
    assert count == 50
    assert texts[0].startswith("wrong in parameters['W2'][:, 4], 50 entries")


@pytest.mark.usefixtures("no_search_for_wrong_lines")
def test_factor_of_a_whole_parameter_is_found_without_a_search() -> None:
    """Two directions agree on the factor."""

    def change(gradient: Parameters) -> None:
        gradient["b2"] *= 32

    report = check(change)
    ((count, texts),) = wrong(report).values()
    assert count == 20
    assert texts[0].startswith(
        "consistent with 32 x the true gradient (1 entry and two directions"
    )
    assert report.evaluations <= 24


@pytest.mark.usefixtures("no_search_for_wrong_lines")
def test_common_factor_is_reported_for_every_parameter() -> None:
    """A missing mean in the loss is a factor of all gradients."""

    def change(gradient: Parameters) -> None:
        for name in gradient:
            gradient[name] *= 2

    report = check(change)
    assert len(wrong(report)) == 6
    assert report.evaluations <= 40


def test_equal_and_opposite_errors_are_both_named() -> None:
    """Random signs alone would miss them in half of the cases."""

    def change(gradient: Parameters) -> None:
        gradient["W1"][2, 3] += 0.1
        gradient["W1"][20, 30] -= 0.1

    names = sorted(wrong(check(change))["['W1']"][1])
    assert names == ["['W1'][2, 3]", "['W1'][20, 30]"]


def test_scattered_errors_are_all_found() -> None:
    """Each is named once, the worst with measured derivatives."""
    places = [(k, 3 * k % 50) for k in range(0, 28, 4)]

    def change(gradient: Parameters) -> None:
        for place in places:
            gradient["W1"][place] += 0.3

    report = check(change, max_rows=10)
    (count, _) = wrong(report)["['W1']"]
    assert count == len(places)
    assert sorted(entry.index for entry in report.worst) == places


def test_float32_parameters_are_moved_in_float64() -> None:
    """The rounding of the claim is allowed for; a larger error is found."""

    def change(gradient: Parameters) -> None:
        gradient["W2"][3, 7] += 0.05 * np.abs(gradient["W2"]).max()

    network = perceptron(SIZES, activation="tanh", dtype=np.float32)
    assert check(lambda gradient: None, network).verdict == "correct"
    assert wrong(check(change, network)) == {"['W2']": (1, ["['W2'][3, 7]"])}


def test_wrong_output_of_a_jacobian_is_named() -> None:
    """Every direction measures all outputs."""
    matrix = np.random.default_rng(0).normal(size=(4, 40))

    def forward(x: Any) -> Any:
        return np.sin(matrix @ x)

    def jacobian(x: Any) -> Any:
        result = np.cos(matrix @ x)[:, None] * matrix
        result[2, 17] *= 1.01
        return result

    report = check_gradient(forward, jacobian, np.linspace(0, 1, 40), mode="fast")
    assert [entry.name for entry in report.worst if entry.verdict == "wrong"] == [
        "output[2] / x[17]"
    ]
    assert report.parameters[0].wrong == 1


def test_the_same_seed_gives_the_same_report() -> None:
    """Directions depend on the seed only."""

    def change(gradient: Parameters) -> None:
        gradient["W1"][2, 3] += 0.1

    first, second = check(change, seed=3), check(change, seed=3)
    assert first.worst == second.worst
    assert first.evaluations == second.evaluations


def test_the_users_arrays_are_as_they_were() -> None:
    """They are equal bit by bit, also after an error was found."""
    network = perceptron(SIZES)
    before = {name: array.copy() for name, array in network.parameters.items()}
    check(lambda gradient: gradient["W1"].fill(0.0), network)
    for name, array in network.parameters.items():
        assert np.array_equal(array, before[name])


def test_overlapping_regions_are_counted_once() -> None:
    """A row may be found first, and then the whole parameter."""
    rng = np.random.default_rng(12)
    point = {"A": rng.normal(size=(8, 25)), "B": rng.normal(size=(3, 40)), "c": rng.normal(size=7)}
    true = {name: rng.uniform(1, 2, value.shape) for name, value in point.items()}
    claim = {name: g + rng.uniform(0.5, 2, g.shape) for name, g in true.items()}

    def forward(p: Parameters) -> Any:
        return sum((true[name] * p[name]).sum() for name in p)

    for seed in range(10):
        report = check_gradient(forward, lambda p: claim, point, mode="fast", seed=seed)
        assert report.verdict == "wrong"
        assert all(p.wrong <= p.checked for p in report.parameters)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["early_stopped_solver", "loose_fixed_point", "gradient_descent"])
def test_error_of_a_stopped_solver_is_not_wrong(name: str, seed: int) -> None:
    """Its derivative within a branch differs from that of the exact solution."""
    (family,) = choose_families("all", [name])
    case = family.case(seed)
    report = check_gradient(case.forward, case.gradient, case.point.copy(), mode="fast", seed=seed)
    assert report.verdict != "wrong"


@pytest.mark.parametrize(
    ("name", "seed"),
    [("early_stopped_solver", 13), ("early_stopped_solver", 16), ("sinkhorn", 5),
     ("half_precision", 10), ("half_precision", 12)],
)  # fmt: skip
def test_earlier_false_alarms(name: str, seed: int) -> None:
    """Jumps that one direction misses, a slight difference among larger ones, quantized values."""
    (family,) = choose_families("all", [name])
    case = family.case(seed)
    report = check_gradient(case.forward, case.gradient, case.point.copy(), mode="fast", seed=seed)
    assert report.verdict != "wrong"


def test_constant_forward_is_distinguished_from_a_quantised_one() -> None:
    """It is constant over large steps as well, so that a nonzero claim is wrong."""
    point = np.random.default_rng(0).normal(size=40)
    report = check_gradient(lambda x: 3.0 + 0 * x.sum(), np.ones_like, point, mode="fast")
    assert report.verdict == "wrong"


@pytest.mark.parametrize("seed", [0, 2])
def test_error_of_a_scalar_is_not_searched_for(seed: int) -> None:
    """A parameter with one entry cannot be bisected; every output of a Jacobian is wrong."""
    ramp = np.arange(1.0, 3.0)
    rounded = check_gradient(
        lambda x: ramp * np.float32(x), lambda x: 1.0001 * ramp, 1.0, mode="fast", seed=seed
    )
    assert rounded.verdict == "wrong"
    assert rounded["x"].wrong == 2


def test_unused_entries_are_not_wrong_by_a_factor() -> None:
    """A factor of zero is right; only the other entries are wrong."""
    table = np.random.default_rng(0).normal(size=(50, 4))

    def backward(table: Any) -> Any:
        gradient = np.zeros_like(table)
        gradient[:10] = 6 * table[:10]
        return gradient

    report = check_gradient(lambda table: (table[:10] ** 2).sum(), backward, table, mode="fast")
    assert (report.parameters[0].wrong, report.parameters[0].checked) == (40, 200)


def test_error_of_an_entry_close_to_zero_is_found() -> None:
    """It is moved as far as the other entries, not relative to itself."""
    x = np.random.default_rng(0).normal(size=6000)
    x[5] = 1e-9

    def backward(x: Any) -> Any:
        gradient = np.cos(x)
        gradient[5] *= -1
        return gradient

    report = check_gradient(lambda x: np.sin(x).sum(), backward, x)
    assert [entry.name for entry in report.worst] == ["x[5]"]


def test_elementwise_functions_of_many_entries_are_verified() -> None:
    """Every direction measures each output."""
    x = np.random.default_rng(0).normal(size=3000)
    report = check_gradient(np.tanh, lambda x: 1 - np.tanh(x) ** 2, x, mode="fast")
    assert report.verdict == "correct"
    assert report.evaluations < 60


def test_parameters_without_entries_are_correct() -> None:
    """They have no direction, and a full check of them is empty."""
    nothing = np.zeros((0, 5))
    report = check_gradient(
        lambda a: 3.0 + a.sum(), np.ones_like, nothing, mode="fast", empty="accept"
    )
    assert report.verdict == "correct"


def test_two_rows_are_named_as_rows() -> None:
    """Rows are recognized where a bisection finds errors in both halves."""
    x = np.random.default_rng(0).normal(size=(60, 90))

    def backward(x: Any) -> Any:
        gradient = 3 * x**2
        gradient[[3, 11]] = 0
        return gradient

    report = check_gradient(lambda x: (x**3).sum(), backward, x, mode="fast")
    places = [d.text for d in report["x"].diagnosis if d.kind == "place"]
    assert sorted(text.split(" entries")[0] for text in places) == [
        "wrong in x[11, :], 90",
        "wrong in x[3, :], 90",
    ]
    assert report["x"].wrong == 180


def test_factor_of_one_output_names_the_output() -> None:
    """A factor of all outputs is one diagnosis, with their number."""
    matrix = np.random.default_rng(0).normal(size=(4, 40))

    def check_with(factors: Any) -> list[str]:
        report = check_gradient(
            lambda x: matrix @ x, lambda x: factors * matrix, np.ones(40), mode="fast"
        )
        return [d.text for d in report.parameters[0].diagnosis]

    (of_one,) = check_with(np.array([[1], [1], [1], [-1]]))
    assert of_one.endswith("a flipped sign?, of output[3]")
    (of_all,) = check_with(-1)
    assert of_all.endswith("a flipped sign?, of 4 outputs")


@pytest.mark.parametrize("seed", range(6))
def test_entries_with_length_scales_of_their_own_are_no_false_alarm(seed: int) -> None:
    """Small entries are moved by steps relative to themselves."""
    rng = np.random.default_rng(seed)
    scales = 10.0 ** rng.uniform(-6, 6, size=80)
    x = scales * rng.normal(size=80)
    report = check_gradient(
        lambda x: np.sin(x / scales).sum(), lambda x: np.cos(x / scales) / scales, x,
        mode="fast", seed=seed,
    )  # fmt: skip
    assert report.verdict != "wrong"


def test_entries_at_a_kink_at_zero_are_reported_as_not_checked() -> None:
    """They fail the check only where it is strict."""
    rng = np.random.default_rng(0)
    point = rng.normal(size=400)
    point[[3, 70, 200]] = 0.0
    forward = lambda x: np.sin(x).sum() + 0.1 * np.abs(x).sum()  # noqa: E731  # one line
    backward = lambda x: np.cos(x) + np.where(x >= 0, 0.1, -0.1)  # noqa: E731  # one line
    report = check_gradient(forward, backward, point, mode="fast", max_evaluations=200)
    (parameter,) = report.parameters
    (note,) = [n for n in parameter.notes if n.kind == "inconclusive"]
    assert note.count == 3
    assert "3 at entries that are zero were not measured" in note.text
    assert report.passed
    strict = check_gradient(
        forward, backward, point, mode="fast", max_evaluations=200, strict=True
    )
    assert not strict.passed


def test_calls_are_proportional_to_the_parameters() -> None:
    """Neither Python nor C functions are called for every pair of parameters."""

    def calls(count: int) -> int:
        arrays, total = [np.arange(3.0) + k for k in range(count)], 0

        def count_call(frame: object, event: str, argument: object) -> None:
            nonlocal total
            total += event in ("call", "c_call")

        before = sys.getprofile()
        sys.setprofile(count_call)
        try:
            report = check_gradient(
                lambda p: float(np.sum(np.square(p))),
                lambda p: [2 * a for a in p],
                arrays,
                mode="fast",
            )
        finally:
            sys.setprofile(before)
        assert report.passed
        return total

    calls(2)  # what is created once in a process exists
    assert calls(400) < 2.1 * calls(200)


@pytest.mark.parametrize("seed", range(8))
def test_labels_stored_as_floats_do_not_affect_other_parameters(seed: int) -> None:
    """Forward jumps where they change, and is smooth by the other parameters."""
    labels, x = np.array([0.0, 2.0, 1.0]), np.random.default_rng(seed).normal(size=(3, 3))

    def loss(x: Any, labels: Any) -> Any:
        shifted = x - x.max(axis=1, keepdims=True)
        chosen = shifted[np.arange(3), labels.astype(int)]
        return np.mean(np.log(np.exp(shifted).sum(axis=1)) - chosen)

    def backward(x: Any, labels: Any) -> Any:
        powers = np.exp(x - x.max(axis=1, keepdims=True))
        powers /= powers.sum(axis=1, keepdims=True)
        powers[np.arange(3), labels.astype(int)] -= 1.0
        return powers / 3, 0 * labels

    report = check_gradient(loss, backward, x, labels, mode="fast", seed=seed)
    assert report["x"].verdict == "correct"
    assert report["labels"].verdict == "inconclusive"


@pytest.mark.filterwarnings("ignore::pytest_gradcheck.GradcheckVacuousWarning")
@pytest.mark.parametrize("seed", range(4))
def test_gradient_that_underflows_is_not_wrong(seed: int) -> None:
    """The values of forward underflow to zero around the point."""
    point = np.array([1e-185])
    report = check_gradient(lambda x: np.sum(x**2), lambda x: 2 * x, point, mode="fast", seed=seed)
    assert report.passed


def test_jacobians_with_very_many_derivatives_are_checked_in_fast_mode() -> None:
    """That holds for few entries as well, because the whole Jacobian would be held in memory."""
    rng = np.random.default_rng(0)
    A, x = rng.normal(size=(3000, 400)) / 20, rng.normal(size=400)

    def jacobian(x: Any) -> Any:
        return (1 - np.tanh(A @ x) ** 2)[:, None] * A

    def wrong(x: Any) -> Any:
        claim = jacobian(x)
        claim[1234, 56] *= 1.01
        return claim

    report = check_gradient(lambda x: np.tanh(A @ x), jacobian, x)
    assert (report.verdict, report.mode) == ("correct", "fast")
    assert report.evaluations < 60
    report = check_gradient(lambda x: np.tanh(A @ x), wrong, x)
    assert [e.name for e in report.worst if e.verdict == "wrong"] == ["output[1234] / x[56]"]


@pytest.mark.usefixtures("no_search_for_wrong_lines")
def test_small_numbers_among_very_many_are_moved_at_once() -> None:
    """Some fifty of 3,000 are too close to zero to be visible beside the others."""
    numbers = dict(enumerate(np.random.default_rng(0).normal(size=3000).tolist()))

    def forward(p: Any) -> float:
        return float(sum(v * v for v in p.values()))

    def backward(p: Any) -> Any:
        return {name: 2 * v for name, v in p.items()}

    def wrong(p: Any) -> Any:
        claim = backward(p)
        claim[smallest] *= 1.5
        return claim

    smallest = min(numbers, key=lambda name: abs(numbers[name]))
    report = check_gradient(forward, backward, numbers, mode="fast")
    assert (report.verdict, report.evaluations < 50) == ("correct", True)
    report = check_gradient(forward, wrong, numbers, mode="fast")
    assert [p.name for p in report.parameters if p.verdict == "wrong"] == [f"p[{smallest}]"]


@pytest.mark.parametrize("seed", range(4))
def test_quantised_term_beside_a_smooth_one_is_not_wrong(seed: int) -> None:
    """A term in half precision is constant over small steps, which the value does not show."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=3), rng.normal(size=3)

    def forward(x: Any, y: Any) -> Any:
        return float(np.sum(x.astype(np.float16) ** 2)) + np.sum(y**2)

    report = check_gradient(forward, lambda x, y: (2 * x, 2 * y), x, y, seed=seed, mode="fast")
    assert report.wrong == 0
    assert report["y"].verdict == "correct"


def test_claim_about_a_function_that_is_constant_has_a_cause_or_none() -> None:
    """No cause explains a measurement that agrees with the claim exactly, as both are zero."""
    claim = np.diag([2.0, 0.0, 0.0])
    x = np.array([2.6, -0.9, 1.0])
    report = check_gradient(lambda x: 0 * x, lambda x: claim, x, max_evaluations=4)
    assert report.verdict == "wrong"
