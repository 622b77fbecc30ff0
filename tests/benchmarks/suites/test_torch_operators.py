"""An operator of torch becomes a question about numpy arrays."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.benchmarks.suites.derivative_claim import DerivativeClaim
from tests.benchmarks.suites.reference_derivative import is_right

torch = pytest.importorskip("torch", exc_type=ImportError)


def operator(function: Any, *tensors: Any, **named: Any) -> Any:
    """Return an operator at one sample, whose input is the first argument."""
    from tests.benchmarks.suites.torch_operators import Operator

    info = SimpleNamespace(
        get_op=lambda: function, gradcheck_wrapper=lambda op, *args, **kwargs: op(*args, **kwargs)
    )
    first, *args = tensors
    sample = SimpleNamespace(
        input=first, args=tuple(args), kwargs=named, output_process_fn_grad=None
    )
    return Operator(info, sample)


def tensor(*shape: int) -> Any:
    """Return a tensor whose gradient is asked for."""
    return torch.rand(shape, dtype=torch.float64, requires_grad=True)


def question(made: Any) -> DerivativeClaim:
    """Return what is asked about it."""
    return DerivativeClaim(made.forward, made.backward, made.point, is_product=True)


@pytest.mark.parametrize(
    "made",
    [
        lambda: operator(torch.mul, tensor(2, 3), tensor(3)),
        lambda: operator(torch.cat, [tensor(2), tensor(3)], dim=0),
        lambda: operator(torch.fft.fft, tensor(4)),
        lambda: operator(torch.linalg.slogdet, tensor(3, 3)),
        lambda: operator(torch.sum, tensor(2, 2)),
    ],
)
def test_vector_jacobian_product_is_that_of_the_operator(made: Any) -> None:
    """With several tensors, a list of them, complex outputs, several outputs or a number."""
    assert is_right(question(made())) is True


def test_tensors_without_gradients_are_no_parameters() -> None:
    """They stay as they are, and an operator of them alone is no question."""
    mask = torch.tensor([True, False, True])
    masked = operator(torch.masked_fill, tensor(3), mask, 0.0)
    assert [part.shape for part in masked.point] == [(3,)]
    assert not operator(torch.sign, torch.ones(3)).is_differentiable
    assert np.array_equal(masked.forward(masked.point)[[0, 2]], [0.0, 0.0])


@pytest.mark.parametrize(
    ("most", "usable", "chosen"),
    [
        (1, [True] * 5, [2]),
        (2, [False, True, True, True, True], [2, 4]),
        (3, [True, False, True], [0, 2]),
        (2, [False, False], []),
    ],
)
def test_samples_are_spread_over_those_that_can_be_used(
    most: int, usable: list[bool], chosen: list[int]
) -> None:
    """As many as there are, if fewer than asked for."""
    from tests.benchmarks.suites.torch_operators import _spread

    assert _spread(most, usable) == chosen
