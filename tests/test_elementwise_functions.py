"""Elementwise functions, end to end: the diagonal, and entries off the diagonal."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from scipy.special import erf, erfc

from pytest_gradcheck import GradcheckUsageError, Report, check_gradient, gradcheck

RNG = np.random.default_rng(5)
X = RNG.normal(size=3000)
ZEROS = np.where(RNG.random(3000) < 0.1, 0.0, X)


def softplus(x: Any) -> Any:
    """Return ``log(1 + exp(x))``."""
    return np.logaddexp(0, x)


def sigmoid(x: Any) -> Any:
    """Return the derivative of `softplus`."""
    return 1 / (1 + np.exp(-x))


def wrong_entries(report: Report) -> list[str]:
    """Return the names of the wrong entries that the report lists."""
    return [entry.name for entry in report.worst if entry.verdict == "wrong"]


ACTIVATIONS: dict[str, tuple[Any, Any, Any]] = {
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2, X),
    "softplus": (softplus, sigmoid, 5 * X),
    "square": (np.square, lambda x: 2 * x, ZEROS),
    "relu at zeros": (lambda x: np.maximum(x, 0), lambda x: 1.0 * (x > 0), ZEROS),
    "abs at zeros": (np.abs, np.sign, ZEROS),
    "clip": (lambda x: np.clip(x, -1, 1), lambda x: 1.0 * (np.abs(x) < 1), X),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x), np.abs(X)),
    "twelve decades": (lambda x: x**3, lambda x: 3 * x**2, 10 ** (2 * X)),
    "fast oscillation": (lambda x: np.sin(300 * x), lambda x: 300 * np.cos(300 * x), X),
    "matrix": (np.exp, np.exp, X.reshape(50, 60)),
    "complex": (np.square, lambda z: 2 * z, X[:1500] + 1j * X[1500:]),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_many_entries_take_a_few_dozen_evaluations(name: str) -> None:
    """All entries are moved at once, also at kinks and over many decades."""
    report = gradcheck(*ACTIVATIONS[name])
    assert (report.kind, report.verdict) == ("elementwise", "correct")
    assert report.evaluations <= 400
    size = ACTIVATIONS[name][2].view(np.float64).size
    assert report.checked == size**2


@pytest.mark.parametrize("factor", [1.001, -1.0, 0.0])
@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "complex"])
def test_one_wrong_entry_is_named(name: str, factor: float) -> None:
    """It is named with its output, and nothing else is wrong."""
    forward, backward, x = ACTIVATIONS[name]
    index = np.unravel_index(int(np.abs(backward(x)).argmax()), x.shape)

    def wrong(x: Any) -> Any:
        claim = backward(x)
        claim[index] *= factor
        return claim

    report = check_gradient(forward, wrong, x)
    place = ", ".join(map(str, index))
    (named,) = wrong_entries(report)
    assert named.startswith(f"output[{place}] / ")
    assert named.endswith(f"[{place}]")
    assert report.wrong == 1


def test_entry_off_the_diagonal_is_named() -> None:
    """It is found where a Jacobian is too large to measure; the diagonal is not wrong."""
    x = RNG.normal(size=20_000)

    def forward(x: Any) -> Any:
        y = np.tanh(x)
        y[123] += 1e-4 * x[19_990]
        return y

    report = check_gradient(forward, lambda x: 1 - np.tanh(x) ** 2, x)
    assert wrong_entries(report) == ["output[123] / x[19990]"]
    assert report.worst[0].backward == 0.0
    assert report.worst[0].numerical == pytest.approx(1e-4, rel=1e-6)
    assert report.evaluations < 200


def test_coupling_of_neighbours_is_found_in_every_output() -> None:
    """All wrong outputs are counted, some are named, and the diagnosis is a coupling."""
    x = RNG.normal(size=20_000)
    report = check_gradient(lambda x: x**2 + 0.1 * np.roll(x, 1), lambda x: 2 * x, x)
    assert report.wrong == 20_000
    outputs = [entry.output_index for entry in report.worst if entry.verdict == "wrong"]
    places = [entry.index for entry in report.worst if entry.verdict == "wrong"]
    assert outputs == [((index + 1) % 20_000,) for (index,) in places]
    (cause,) = report["x"].diagnosis
    assert cause.kind == "coupled"
    assert cause.text.startswith("20,000 outputs depend on entries at other places")


def test_normalisation_is_not_elementwise() -> None:
    """Every output depends a little on every entry."""
    x = RNG.normal(size=20_000)

    def softmax(x: Any) -> Any:
        e = np.exp(x - x.max())
        return e / e.sum()

    report = check_gradient(softmax, lambda x: softmax(x) * (1 - softmax(x)), x)
    assert report.verdict == "wrong"
    assert report["x"].diagnosis[0].kind == "coupled"


def test_small_coupled_functions_are_measured_entry_by_entry() -> None:
    """Their Jacobian is measured, so that each wrong entry is counted."""
    x = np.array([1.0, -2.0, 0.5])
    report = check_gradient(lambda x: x * np.sum(x), lambda x: x + np.sum(x), x)
    assert (report.kind, report.wrong) == ("elementwise", 6)


def test_coupling_far_from_the_point_is_ignored() -> None:
    """A threshold that only large steps cross does not change the derivative."""
    x = np.linspace(1.0, 2.0, 6000)

    def forward(x: Any) -> Any:
        return x**2 if x.max() < 2.05 else x**2 + x.sum()

    assert gradcheck(forward, lambda x: 2 * x, x).verdict == "correct"


def test_several_parameters_and_several_outputs() -> None:
    """Each parameter is moved by itself; entries are named by output and parameter."""
    y = RNG.normal(size=3000)

    def forward(x: Any, y: Any) -> Any:
        return np.sin(x) * y, x + y**2

    def backward(x: Any, y: Any) -> Any:
        return (np.cos(x) * y, np.sin(x)), (1 + 0 * x, 2 * y)

    def wrong(x: Any, y: Any) -> Any:
        (a, b), (c, d) = backward(x, y)
        d[77] *= 1.01
        return (a, b), (c, d)

    report = gradcheck(forward, backward, X, y)
    assert (report.verdict, report.checked) == ("correct", 6000 * 6000)
    assert wrong_entries(check_gradient(forward, wrong, X, y)) == ["output[1][77] / y[77]"]


def test_entries_at_the_edge_of_the_domain_do_not_hide_the_others() -> None:
    """A forward that raises for negative numbers is at its edge where an entry is zero."""

    def forward(x: Any) -> Any:
        if (x < 0).any():
            raise ValueError("negative")
        return x**2

    def wrong(x: Any) -> Any:
        claim = 2 * x
        claim[11] *= 1.001
        return claim

    x = np.abs(X)
    x[[3, 1000]] = 0.0
    x[11] = 1.0
    assert check_gradient(forward, lambda x: 2 * x, x).verdict == "correct"
    assert wrong_entries(check_gradient(forward, wrong, x)) == ["output[11] / x[11]"]


def test_fixed_step_is_used() -> None:
    """The option `step` holds for elementwise functions as for other derivatives."""
    report = check_gradient(np.exp, lambda x: 1.5 * np.exp(x), X, step=1e-3)
    entry = report.worst[0]
    assert entry.step == pytest.approx(1e-3)
    assert entry.numerical == pytest.approx(np.exp(entry.value) * np.sinh(1e-3) / 1e-3, rel=1e-10)


@pytest.mark.parametrize("low", [-8.6, -8.3, -8.0, -7.5])
@pytest.mark.parametrize("seed", range(3))
def test_values_quantised_by_rounding_are_not_wrong(seed: int, low: float) -> None:
    """Far below zero, one plus the error function has only a handful of values."""
    x = np.random.default_rng(seed).uniform(low, low + 0.4, size=6)

    def forward(x: Any) -> Any:
        return 0.5 * x * (1 + erf(x / np.sqrt(2)))

    def backward(x: Any) -> Any:
        return 0.5 * erfc(-x / np.sqrt(2)) + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)

    assert check_gradient(forward, backward, x, seed=seed).wrong == 0
    near = np.append(x, -2.0)
    wrong = check_gradient(forward, lambda x: backward(x) * (1 + 0.01 * (x > -3)), near, seed=seed)
    assert wrong_entries(wrong) == ["output[6] / x[6]"]


def test_memory_is_linear() -> None:
    """Neither the Jacobian nor all evaluations are held in memory."""
    x = RNG.normal(size=100_000)
    tracemalloc.start()
    try:
        report = gradcheck(np.tanh, lambda x: 1 - np.tanh(x) ** 2, x)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert report.verdict == "correct"
    assert peak < 100 * x.nbytes


ROWS = np.random.default_rng(6).normal(size=(5, 3))


def row_loss(table: Any, scale: Any = 1.0) -> Any:
    """Return a number for each row."""
    return scale * np.sum(np.sin(table) * np.cos(table[:, :1]), axis=1)


def row_gradients(table: Any, scale: Any = 1.0) -> Any:
    """Return the gradient of each row's number."""
    gradients = np.cos(table) * np.cos(table[:, :1])
    gradients[:, 0] -= np.sin(table[:, 0]) * np.sum(np.sin(table), axis=1)
    return np.reshape(scale, (-1, 1)) * gradients


@pytest.mark.parametrize("table", [ROWS, np.tile(ROWS, (600, 1)), np.tile(ROWS, (1, 400))])
def test_gradients_row_by_row(table: Any) -> None:
    """Outputs of shape (n,) and gradients of shape (n, d) are about one row each."""
    assert check_gradient(row_loss, row_gradients, table)


@pytest.mark.parametrize("table", [ROWS, np.tile(ROWS, (600, 1)), np.tile(ROWS, (1, 400))])
def test_wrong_entry_of_a_row_is_named(table: Any) -> None:
    """With the output that it is about."""
    error = np.zeros_like(table)
    error[3, 2] = 0.1
    report = check_gradient(row_loss, lambda table: row_gradients(table) + error, table)
    assert wrong_entries(report) == ["output[3] / table[3, 2]"]


def test_row_that_depends_on_another_is_wrong() -> None:
    """There is no place in the gradients for that dependence."""
    report = check_gradient(
        lambda table: row_loss(table) + table[4, 1],
        lambda table: row_gradients(table) + (np.arange(15).reshape(5, 3) == 13),
        ROWS,
    )
    assert set(wrong_entries(report)) == {f"output[{k}] / table[4, 1]" for k in range(4)}


def test_rows_beside_single_entries_and_jacobians() -> None:
    """Each parameter has the form that its shape shows."""
    scale, weights = np.arange(1.0, 6.0), np.array([0.5, -1.0])

    def backward(table: Any, scale: Any) -> Any:
        return row_gradients(table, scale), row_loss(table)

    assert check_gradient(row_loss, backward, ROWS, scale).kind == "elementwise"

    def forward(table: Any, weights: Any) -> Any:
        return row_loss(table) * (weights @ weights)

    def mixed(table: Any, weights: Any) -> Any:
        return row_gradients(table) * (weights @ weights), np.outer(row_loss(table), 2 * weights)

    assert check_gradient(forward, mixed, ROWS, weights).kind == "jacobian"
    report = check_gradient(
        forward, lambda table, weights: mixed(1.01 * table, weights), ROWS, weights
    )
    assert report.verdict == "wrong"


def test_complex_rows() -> None:
    """A complex entry is moved by its parts."""
    table = ROWS + 1j * ROWS[::-1]
    assert check_gradient(lambda z: np.sum(z**2, axis=1), lambda z: 2 * z, table)
    assert check_gradient(lambda z: np.sum(np.abs(z) ** 2, axis=1), lambda z: 2 * z, table)
    assert check_gradient(lambda x: 1j * np.sum(x**2, axis=1), lambda x: 2j * x, ROWS)


def test_square_table_has_no_certain_rows() -> None:
    """Its columns may be meant, so the Jacobian is asked for."""
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(lambda x: np.sum(x**2, axis=0), lambda x: 2 * x, np.eye(3))
    assert error.value.args[0] == (
        "lambda returned a gradient of x of shape (3, 3); forward's output has shape (3,), so its "
        "Jacobian has shape (3, 3, 3). It may be about rows or about columns: return the Jacobian "
        "itself."
    )
