"""Operators of PyTorch as derivative claims about numpy arrays."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.benchmarks.suites.derivative_claim import DerivativeClaim
from tests.benchmarks.suites.reference_derivative import is_right

torch = pytest.importorskip("torch", exc_type=ImportError)


def operator(function: Any, *tensors: Any, **named: Any) -> Any:
    """Return an operator at one sample; the first tensor is its input."""
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
    """Return a random tensor that requires a gradient."""
    return torch.rand(shape, dtype=torch.float64, requires_grad=True)


def claim_of(operator: Any) -> DerivativeClaim:
    """Return the claim about the derivative of an operator."""
    return DerivativeClaim(operator.forward, operator.backward, operator.point, is_product=True)


@pytest.mark.parametrize(
    "make",
    [
        lambda: operator(torch.mul, tensor(2, 3), tensor(3)),
        lambda: operator(torch.cat, [tensor(2), tensor(3)], dim=0),
        lambda: operator(torch.fft.fft, tensor(4)),
        lambda: operator(torch.linalg.slogdet, tensor(3, 3)),
        lambda: operator(torch.sum, tensor(2, 2)),
    ],
)
def test_vector_jacobian_product_is_that_of_the_operator(make: Any) -> None:
    """Several tensors, lists of tensors, complex or several outputs, and numbers work."""
    assert is_right(claim_of(make())) is True


def test_tensors_without_gradients_are_not_parameters() -> None:
    """They are constants; an operator of them alone is not differentiable."""
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
def test_samples_are_evenly_spread_over_the_usable_ones(
    most: int, usable: list[bool], chosen: list[int]
) -> None:
    """If there are fewer usable samples than asked for, all of them are taken."""
    from tests.benchmarks.suites.torch_operators import _evenly_spread

    assert _evenly_spread(most, usable) == chosen
