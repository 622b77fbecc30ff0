"""The operators of PyTorch's own tests with their sample inputs, as derivative claims.

Forward is an operator as a function of numpy arrays, and backward its vector-Jacobian product by
PyTorch. ``python -m tests.benchmarks.suites.torch_operators FILE MOST`` writes the results.
"""

from __future__ import annotations

import resource
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.benchmarks.suites.check_result import CheckTimeoutError, TimedFunction
from tests.benchmarks.suites.checkers import CheckerCall
from tests.benchmarks.suites.derivative_claim import DerivativeClaim
from tests.benchmarks.suites.suite_result import append_results, check_suite_claim

__all__ = ["main"]

#: Bytes that a check may address. PyTorch's own holds two dense Jacobians.
MEMORY = 6 << 30


class Operator:
    """One operator at one sample input, as a function of the tensors that require gradients.

    Parameters
    ----------
    info : OpInfo
        The operator.
    sample : SampleInput
        The arguments of the operator.

    Attributes
    ----------
    given : list of Tensor
        The tensors of the sample that require gradients.
    """

    def __init__(self, info: Any, sample: Any) -> None:
        self._info = info
        self._sample = sample
        self.given: list[Any] = []
        self._replaced((sample.input, sample.args, sample.kwargs), self.given.append)
        outputs = self._outputs([_tensor(one).requires_grad_() for one in self.point])
        self._differentiable = [i for i, output in enumerate(outputs) if output.requires_grad]
        self._outputs_size = sum(outputs[i].numel() for i in self._differentiable)

    @property
    def is_differentiable(self) -> bool:
        """Whether any output depends differentiably on any input."""
        return bool(sum(one.numel() for one in self.given) and self._outputs_size)

    @property
    def point(self) -> list[Any]:
        """The tensors that require gradients, as arrays."""
        return [one.detach().numpy().astype(np.float64) for one in self.given]

    def __call__(self, *given: Any) -> tuple[Any, ...]:
        """Return the differentiable outputs."""
        outputs = self._outputs(given)
        return tuple(_without_bfloat16(outputs[i]) for i in self._differentiable)

    def forward(self, x: list[Any]) -> Any:
        """Return the outputs as one array; several or complex outputs are flat and joined."""
        with torch.no_grad():
            outputs = self(*map(_tensor, x))
        if len(outputs) == 1 and not outputs[0].is_complex():
            return outputs[0].numpy(force=True).copy()
        return torch.cat([_real(output).reshape(-1) for output in outputs]).numpy(force=True)

    def backward(self, x: list[Any], cotangent: Any) -> list[Any]:
        """Return the vector-Jacobian product."""
        given = [_tensor(one).requires_grad_() for one in x]
        outputs = [_real(output) for output in self(*given)]
        sizes = [output.numel() for output in outputs]
        parts = torch.split(_tensor(cotangent).reshape(-1), sizes)
        upstream = [p.reshape(output.shape) for p, output in zip(parts, outputs, strict=True)]
        gradients = torch.autograd.grad(outputs, given, upstream, allow_unused=True)
        return [
            np.zeros(x.shape) if g is None else g.numpy(force=True).copy()
            for g, x in zip(gradients, given, strict=True)
        ]

    def _outputs(self, given: Sequence[Any]) -> list[Any]:
        left = iter(given)
        first, args, kwargs = self._replaced(
            (self._sample.input, self._sample.args, self._sample.kwargs), lambda _: next(left)
        )
        value = self._info.gradcheck_wrapper(self._info.get_op(), first, *args, **kwargs)
        if self._sample.output_process_fn_grad is not None:
            value = self._sample.output_process_fn_grad(value)
        outputs = value if isinstance(value, tuple | list) else (value,)
        return [output for output in outputs if isinstance(output, torch.Tensor)]

    def _replaced(self, given: Any, replacement: Callable[[Any], Any]) -> Any:
        """Return arguments with each tensor that requires a gradient replaced."""
        if isinstance(given, torch.Tensor):
            return replacement(given) if given.requires_grad else given
        if type(given) in {tuple, list}:
            return type(given)([self._replaced(one, replacement) for one in given])
        if type(given) is dict:
            return {k: self._replaced(v, replacement) for k, v in given.items()}
        return given


def _tensor(array: Any) -> Any:
    return torch.from_numpy(np.array(array, dtype=np.float64))


def _without_bfloat16(output: Any) -> Any:
    """Return an output in a type that numpy has."""
    return output.float() if output.dtype == torch.bfloat16 else output


def _real(output: Any) -> Any:
    return torch.view_as_real(output.resolve_conj()) if output.is_complex() else output


def sampled_operators(most: int) -> Iterator[tuple[str, int, Any, Operator]]:
    """Yield name, sample number, info and operator for `most` samples of every operator.

    The samples are evenly spread over those that can be used.
    """
    from torch.testing._internal.common_methods_invocations import op_db

    for info in op_db:
        if not (info.supports_autograd and torch.float64 in info.supported_dtypes("cpu")):
            continue
        torch.manual_seed(0)
        samples = list(info.sample_inputs("cpu", torch.float64, requires_grad=True))
        for number in _evenly_spread(most, [_is_usable(info, s) for s in samples]):
            yield info.full_name, number, info, Operator(info, samples[number])


def _evenly_spread(most: int, usable: Sequence[bool]) -> list[int]:
    """Return the numbers of `most` usable samples, from the middles of equal parts."""
    numbers = np.flatnonzero(usable)
    middles = (np.arange(most) + 0.5) / most * len(numbers)
    return [int(number) for number in numbers[np.unique(middles.astype(int))[: len(numbers)]]]


def _is_usable(info: Any, sample: Any) -> bool:
    try:
        return Operator(info, sample).is_differentiable
    except (RuntimeError, TypeError):
        return False  # it depends on the memory of its input, which is another array here


def accepts(operator: Operator, info: Any) -> tuple[bool, TimedFunction]:
    """Check by `torch.autograd.gradcheck` with its defaults; also return the function called."""
    timed = TimedFunction(operator)
    given = [_tensor(one).requires_grad_() for one in operator.point]
    try:
        accepted = torch.autograd.gradcheck(
            timed, given, nondet_tol=info.gradcheck_nondet_tol, raise_exception=False
        )
    except (Exception, CheckTimeoutError):  # noqa: BLE001  # any exception is a failure
        accepted = False
    return bool(accepted), timed


def main() -> None:
    """Run the command."""
    torch.set_num_threads(1)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    path, most = Path(sys.argv[1]), int(sys.argv[2])
    for name, number, info, operator in sampled_operators(most):
        accepted, timed = accepts(operator, info)
        claim = DerivativeClaim(
            operator.forward, operator.backward, operator.point, is_product=True
        )
        call = CheckerCall("gradcheck", claim, timed.calls, timed.seconds)
        append_results([check_suite_claim("torch", name, number, call, accepted=accepted)], path)


if __name__ == "__main__":
    main()
