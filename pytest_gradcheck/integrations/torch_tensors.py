"""Tensors of PyTorch: as arrays, as what modules hold, and its random generators.

A tensor of the user's is never changed in a way that a graph could see: its entries are read
detached, and written without a gradient. PyTorch is imported by the user; it is found among the
modules that are.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from types import MethodType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.errors import GradcheckUsageError

__all__ = [
    "TorchTensors",
    "call_module",
    "called_signature",
    "computed_from",
    "derivative_rule",
    "is_module_type",
    "is_rule_type",
    "is_tensor_type",
    "name_in_module",
    "torch",
]


#: The most nodes of a graph that are looked at.
MOST_NODES = 10_000


def torch() -> Any:
    """Return PyTorch where it is imported, else None."""
    return sys.modules.get("torch")


def is_tensor_type(kind: type) -> bool:
    """Return whether a type is that of tensors, or of parameters."""
    return _is_subclass(kind, "torch", "Tensor")


def is_module_type(kind: type) -> bool:
    """Return whether a type is a subclass of `torch.nn.Module`."""
    return _is_subclass(kind, "torch.nn.modules.module", "Module")


def name_in_module(module: Any, tensor: Any) -> str | None:
    """Return the name of a parameter or a buffer in a module: ``net.0.weight``; None of others."""
    named = (*module.named_parameters(remove_duplicate=False), *module.named_buffers())
    return next((name for name, other in named if other is tensor), None)


def call_module(
    module: Any, replaced: Mapping[str, Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    """Return what a module returns where parameters and buffers are replaced, by their names."""
    return torch().func.functional_call(module, dict(replaced), tuple(args), dict(kwargs))


def called_signature(function: Any) -> inspect.Signature | None:
    """Return the signature of what a module, or the ``apply`` of a rule, calls in the end.

    Their own takes any arguments. None for everything else.
    """
    rule, owner = _rule(function), _owner(function)
    if rule is not None:
        inner = inspect.signature(rule.forward)
        takes_context = rule.setup_context is torch().autograd.Function.setup_context
        parameters = list(inner.parameters.values())[takes_context:]
        return inner.replace(
            parameters=[
                p.replace(kind=p.POSITIONAL_ONLY) if p.kind is p.POSITIONAL_OR_KEYWORD else p
                for p in parameters
            ]
        )
    if is_module_type(type(function)):
        return inspect.signature(function.forward)
    if is_module_type(type(owner)) and function.__func__ is type(owner).__call__:
        return inspect.signature(owner.forward)
    return None


def derivative_rule(function: Any) -> Callable[..., Any] | None:
    """Return the backward of a `torch.autograd.Function` whose ``apply`` this is, else None."""
    rule = _rule(function)
    return None if rule is None else rule.backward


def is_rule_type(kind: Any) -> bool:
    """Return whether this is a subclass of `torch.autograd.Function`."""
    return isinstance(kind, type) and _is_subclass(kind, "torch.autograd.function", "Function")


def computed_from(tensor: Any, other: Any) -> bool:
    """Return whether a tensor was computed from another one, by the graph that it records."""
    # A node may make several tensors, as that of `torch.unbind` does: an edge says which.
    own, theirs = ((each.grad_fn, each.output_nr) for each in (tensor, other))
    pending, seen = [own], set[Any]()
    while pending and len(seen) < MOST_NODES:
        edge = node, _ = pending.pop()
        if node is None or edge in seen:
            continue
        if edge == theirs or getattr(node, "variable", None) is other:
            return tensor is not other
        seen.add(edge)
        pending += node.next_functions
    return False


def _rule(function: Any) -> Any:
    """Return the subclass of `torch.autograd.Function` whose ``apply`` this is, else None."""
    owner = _owner(function)
    return owner if is_rule_type(owner) and function.__name__ == "apply" else None


def _owner(function: Any) -> Any:
    """Return the object or the class that a method is bound to, None where it is no method."""
    return function.__self__ if isinstance(function, MethodType) else None


def _is_subclass(kind: type, module: str, name: str) -> bool:
    return any(base.__name__ == name and base.__module__ == module for base in kind.__mro__)


class TorchTensors:
    """The `ArrayLibrary` of PyTorch."""

    noun = "tensor"

    def to_numpy(self, array: Any) -> NDArray[Any]:
        """Return the entries, of bfloat16 as float32."""
        tensor = array.detach()
        if _is_sparse(tensor):
            tensor = tensor.to_dense()
        if tensor.dtype is torch().bfloat16:
            tensor = tensor.float()
        entries: NDArray[Any] = tensor.cpu().resolve_conj().resolve_neg().numpy()
        return entries

    def from_numpy(self, array: NDArray[Any], like: Any) -> Any:
        """Return a new tensor; entries in float32 of one in bfloat16 are read back as such."""
        is_short = array.dtype == np.float32 and like.dtype is torch().bfloat16
        return torch().tensor(
            np.ascontiguousarray(array).reshape(array.shape),
            dtype=like.dtype if is_short else None,
            device=like.device,
        )

    def parameter(self, array: NDArray[Any], like: Any) -> Any:
        """Return a new tensor, of which gradients are recorded where they are of the user's.

        Raises
        ------
        GradcheckUsageError
            Where that is sparse: its zeros would be perturbed, too.
        """
        if _is_sparse(like):
            raise GradcheckUsageError(
                "a sparse tensor cannot be perturbed. Pass its values, x.values(), and let "
                "forward make the tensor of them."
            )
        return self.from_numpy(array, like).requires_grad_(like.requires_grad)

    def copy(self, array: Any) -> Any:
        """Return a copy without the graph that made it."""
        return array.detach().clone().requires_grad_(array.requires_grad)

    def writer(self, array: Any) -> Callable[[NDArray[Any]], Any]:
        """Return what overwrites a tensor, and forgets the gradient that was left beside it."""

        def write(entries: NDArray[Any]) -> Any:
            with torch().no_grad():
                array.copy_(self.from_numpy(entries, array))
            array.grad = None
            return array

        return write

    def restorer(self, array: Any) -> Callable[[], None]:
        """Return what restores entries and gradient."""
        if _is_sparse(array):
            return lambda: None  # nothing writes to one in place
        gradient, entries = _gradient(array), array.detach().clone()
        accumulated = None if gradient is None else gradient.detach().clone()

        def restore() -> None:
            _overwrite(array, entries)
            if gradient is not None:
                _overwrite(gradient, accumulated)
            if _gradient(array) is not gradient:
                array.grad = gradient

        return restore

    def short_rounding(self, array: Any) -> float:
        """Return that of bfloat16."""
        dtype = array.dtype
        return float(torch().finfo(dtype).eps) if dtype is torch().bfloat16 else 0.0


def _is_sparse(tensor: Any) -> bool:
    return tensor.layout is not torch().strided


def _overwrite(tensor: Any, entries: Any) -> None:
    """Write entries to a tensor where it has others: each write is seen by graphs it is in."""
    if tensor.shape == entries.shape and not torch().equal(tensor.detach(), entries):
        with torch().no_grad():
            tensor.copy_(entries)


def _gradient(tensor: Any) -> Any:
    """Return the gradient that was accumulated for a tensor; others than leaves have none."""
    return tensor.grad if tensor.is_leaf else None
