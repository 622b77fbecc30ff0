"""Random backward: a backward that draws random numbers itself."""

import random
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, check_gradient

X = np.array([0.5, -1.5, 2.0])
RNG = np.random.default_rng(3)


def latent(mean: Any, log_variance: Any) -> Any:
    """Return a sample, by the reparametrization of Kingma and Welling."""
    return mean + np.exp(0.5 * log_variance) * RNG.standard_normal(mean.shape)


def loss(mean: Any, log_variance: Any) -> float:
    """Return the squared norm of a sample."""
    return float(np.sum(latent(mean, log_variance) ** 2))


def loss_gradients(mean: Any, log_variance: Any) -> Any:
    """Return the gradients of `loss` with numbers that are drawn once more."""
    sample = latent(mean, log_variance)
    return 2 * sample, sample * (sample - mean)


def test_the_same_numbers_are_drawn_by_backward() -> None:
    """The generator is restored before backward as before forward, and a note says so."""
    report = check_gradient(loss, loss_gradients, X, X[::-1].copy())
    assert report.verdict == "correct"
    notes = [note.text for note in report.notes]
    assert "drawn from by loss_gradients itself, replayed before it as well: RNG (global)" in notes


def test_a_wrong_gradient_of_the_same_numbers_is_wrong() -> None:
    """Backward draws exactly what forward draws, so that its claim can be judged."""

    def backward(mean: Any, log_variance: Any) -> Any:
        first, second = loss_gradients(mean, log_variance)
        return first, 2 * second

    assert check_gradient(loss, backward, X, X[::-1].copy()).verdict == "wrong"


@pytest.mark.parametrize("draw", [np.random.random, lambda _: random.random()])  # noqa: S311  # it keeps no secret
def test_global_generators_are_restored_before_backward(draw: Any) -> None:
    """Those of numpy and Python."""
    assert check_gradient(lambda x: np.sum(draw(3) * x**2), lambda x: 2 * x * draw(3), X)


def test_backward_may_draw_the_first_of_the_numbers() -> None:
    """A right gradient passes, though the generator is not where forward left it."""

    def forward(x: Any) -> Any:
        factor = RNG.random(3)
        return np.sum(factor * x**2) + RNG.random()

    assert check_gradient(forward, lambda x: 2 * x * RNG.random(3), X)


def test_other_numbers_than_those_of_forward_are_refused() -> None:
    """The gradient would be called wrong."""

    def forward(x: Any) -> Any:
        shift = RNG.random()
        return np.sum(RNG.random(3) * x**2) + shift

    def backward(x: Any) -> Any:
        return 2 * x * RNG.random(3)

    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(forward, backward, X)
    message = str(error.value.args[0])
    assert message.startswith(
        "backward is not repeatable: from RNG (global) it draws other random numbers than "
        "forward, and depending on these it gave x["
    )
    assert message.endswith(
        ", so nothing was judged. Let forward draw them and return them in its cache, or let "
        "backward draw the same numbers as forward, in the same order."
    )


@pytest.mark.parametrize("spread", [0.1, 1e-5])
def test_numbers_that_only_backward_draws_are_refused(spread: float) -> None:
    """Also where two claims differ by less than the noise that forward may have."""

    def backward(x: Any) -> Any:
        return 2 * x * RNG.normal(1.0, spread, 3)

    with pytest.raises(GradcheckUsageError, match="is not repeatable"):
        check_gradient(lambda x: np.sum(x**2), backward, X)


def test_a_claim_by_chance_is_refused_even_if_it_is_right() -> None:
    """Forward draws nothing, so no claim that depends on draws is its derivative."""

    def backward(x: Any) -> Any:
        return 2 * x if RNG.random() == first else 3 * x

    state = RNG.bit_generator.state
    first = RNG.random()
    RNG.bit_generator.state = state
    with pytest.raises(GradcheckUsageError, match="is not repeatable"):
        check_gradient(lambda x: np.sum(x**2), backward, X)


@pytest.mark.parametrize(("factor", "verdict"), [(2, "correct"), (3, "wrong")])
def test_draws_that_change_nothing_are_allowed(factor: float, verdict: str) -> None:
    """Backward may shuffle what it sums."""

    def backward(x: Any) -> Any:
        return factor * x + 0 * RNG.random()

    assert check_gradient(lambda x: np.sum(x**2), backward, X).verdict == verdict
