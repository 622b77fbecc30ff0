"""A backward by automatic differentiation: what a package makes of forward itself.

It checks the derivative rules that the user wrote for the package, as a `torch.autograd.Function`
or a `jax.custom_vjp`, in the function that uses them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from pytest_gradcheck.binding.call.attributes import bound_object
from pytest_gradcheck.binding.call.signature import BoundArguments, name_of
from pytest_gradcheck.binding.call.wrt import Item
from pytest_gradcheck.binding.values.pytree import describe_value, leaves, places, with_article
from pytest_gradcheck.binding.values.rebuilding import rebuilt
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.integrations.gradient_objects import is_gradient_object
from pytest_gradcheck.integrations.reverse_mode import (
    VECTOR_JACOBIAN_PRODUCTS,
    Function,
    torch_requiring_gradients,
)
from pytest_gradcheck.integrations.torch_tensors import (
    call_module,
    is_module_type,
    is_tensor_type,
    name_in_module,
)
from pytest_gradcheck.report.representation import listed, type_name

__all__ = ["AutomaticBackward", "automatic_backward"]

#: Stands for the objects of an engine, instead of a package.
OBJECTS = ".grad"


@dataclass(frozen=True, slots=True)
class AutomaticBackward:
    """The vector-Jacobian product of forward by automatic differentiation.

    Attributes
    ----------
    package : str
        A key of `VECTOR_JACOBIAN_PRODUCTS`.
    forward : callable
        The user's function.
    arguments : BoundArguments
        Its arguments.
    items : tuple of Item
        What to differentiate by.
    has_cache : bool
        Whether forward returns ``(output, cache)``.
    module : object or None
        The module of PyTorch that forward is bound to, where its parameters are checked ...
    names_in_module : mapping of str to str
        ... and their names there, by their accessors.
    uses : int
        How often forward is called with the same objects; the outputs are summed.
    """

    package: str
    forward: Callable[..., Any]
    arguments: BoundArguments
    items: tuple[Item, ...]
    has_cache: bool
    module: object | None = None
    names_in_module: Mapping[str, str] = field(default_factory=dict)
    uses: int = 1

    def used_twice(self) -> AutomaticBackward | None:
        """Return that of the sum of two calls of forward, None where no objects are shared."""
        return replace(self, uses=2) if self.package == OBJECTS else None

    @property
    def name(self) -> str:
        """What it is called in messages."""
        if self.package == OBJECTS:
            return "backward() of its output"
        return f"{self.package}'s automatic differentiation"

    def __call__(self, *values: Any, cotangent: Any = None) -> Any:
        """Return the product with a cotangent, in the structure of what is differentiated by.

        Parameters
        ----------
        *values
            The arguments of forward, in the order of their names.
        cotangent : optional
            In the structure of the output; None where that is one number.
        """
        outputs, point = self._traced(values)
        product = VECTOR_JACOBIAN_PRODUCTS[self.package]
        cotangents = None if cotangent is None else self.uses * _arrays(cotangent)

        def all_outputs(arrays: Sequence[Any]) -> Sequence[Any]:
            return [output for _ in range(self.uses) for output in outputs(arrays)]

        found = product(all_outputs, list(point.values()), cotangents)
        gradients = dict(zip(point, found, strict=True))
        structured = [rebuilt(item.name, item.value, gradients) for item in self.items]
        return structured[0] if len(structured) == 1 else tuple(structured)

    @property
    def is_torch(self) -> bool:
        """Whether the package is PyTorch."""
        return self.package == "torch"

    def requiring_gradients(self, *values: Any) -> Sequence[bool]:
        """Return which outputs PyTorch has derivatives of; other packages do not say it.

        Parameters
        ----------
        *values
            The arguments of forward, in the order of their names.
        """
        outputs, point = self._traced(values)
        return torch_requiring_gradients(outputs, list(point.values()))

    def _traced(self, values: Sequence[Any]) -> tuple[Function, dict[str, Any]]:
        """Return forward as a function of the arrays that are checked, and these by name."""
        passed = dict(zip(self.arguments.names, values, strict=True))
        names = [leaf.name for item in self.items for leaf in item.leaves]
        point = {leaf.name: leaf.value for item in self.items for leaf in item.leaves}
        point |= {leaf.name: leaf.value for item in passed.items() for leaf in leaves(*item)}

        def outputs(arrays: Sequence[Any]) -> Sequence[Any]:
            parts = dict(zip(names, arrays, strict=True))
            replaced = [rebuilt(name, value, parts) for name, value in passed.items()]
            result = self._forward_with(parts)(*self.arguments.pack(replaced))
            found = _arrays(result[0] if self.has_cache else result)
            if self.is_torch:
                _refuse_numbers(found, name_of(self.forward))
            return found

        return outputs, {name: point[name] for name in names}

    def _forward_with(self, parts: Mapping[str, Any]) -> Callable[[Any, Any], Any]:
        """Return forward with other parameters of its module."""
        if self.module is None:
            return lambda args, kwargs: self.forward(*args, **kwargs)
        replaced = {self.names_in_module[n]: parts[n] for n in self.names_in_module}
        return partial(call_module, self.module, replaced)


def automatic_backward(
    package: str,
    forward: Callable[..., Any],
    arguments: BoundArguments,
    items: tuple[Item, ...],
    *,
    has_cache: bool,
) -> AutomaticBackward:
    """Return the backward that a package makes of forward.

    Raises
    ------
    GradcheckUsageError
        When it cannot differentiate by what is to be checked.
    """
    attributes = [item.name for item in items if item.is_attribute]
    owner = bound_object(forward)
    is_module = package == "torch" and is_module_type(type(owner))
    if attributes and not (is_module or package == OBJECTS):
        raise GradcheckUsageError(
            f"backward={package!r} differentiates by arguments of forward, and "
            f"{listed(attributes)} are attributes. Let forward take the parameters."
        )
    is_complex = any(leaf.array.dtype.kind == "c" for item in items for leaf in item.leaves)
    if package == OBJECTS:
        _refuse_arrays(items)
    if package == "torch":
        _refuse_no_tensors(items)
    if is_complex and package != "torch":
        raise GradcheckUsageError(
            f"backward={package!r} has another convention for complex parameters: write backward "
            "as a function, and say convention='jax'."
        )
    if not (attributes and is_module):
        return AutomaticBackward(package, forward, arguments, items, has_cache)
    names = _names_in_module(owner, items)
    return AutomaticBackward(package, forward, arguments, items, has_cache, owner, names)


def _names_in_module(module: object, items: Sequence[Item]) -> dict[str, str]:
    """Return the names in a module of its tensors that are checked, or raise."""
    names = {}
    for leaf in (leaf for item in items if item.is_attribute for leaf in item.leaves):
        name = name_in_module(module, leaf.value)
        if name is None:
            raise GradcheckUsageError(
                f"{leaf.name} is no parameter and no buffer of the {type_name(module)}, so that "
                "PyTorch cannot differentiate by it: make it a torch.nn.Parameter, or an argument "
                "of forward."
            )
        names[leaf.name] = name
    return names


def _refuse_arrays(items: Sequence[Item]) -> None:
    """Raise where a parameter has no attribute for its gradient."""
    for leaf in (leaf for item in items for leaf in item.leaves):
        if not is_gradient_object(leaf.value) or is_tensor_type(type(leaf.value)):
            raise GradcheckUsageError(
                f"backward={OBJECTS!r} reads the gradient of {leaf.name} from its attribute grad, "
                f"and {leaf.name} is {with_article(describe_value(leaf.value))}. Pass an object "
                "with data, grad and backward(), or write backward as a function."
            )


def _refuse_no_tensors(items: Sequence[Item]) -> None:
    """Raise where a parameter is no tensor, so that PyTorch cannot differentiate by it."""
    others = [leaf.name for item in items for leaf in item.leaves if not _is_tensor(leaf.value)]
    if others:
        tensors = [item.name for item in items if all(_is_tensor(i.value) for i in item.leaves)]
        wrt = tensors[0] if len(tensors) == 1 else tensors
        advice = f", or leave it out: wrt={wrt!r}" if tensors else ""
        raise GradcheckUsageError(
            f"backward='torch' differentiates by tensors, and {others[0]} is none. Pass "
            f"torch.tensor({others[0]}, dtype=torch.float64){advice}."
        )


def _is_tensor(value: Any) -> bool:
    return is_tensor_type(type(value))


def _refuse_numbers(outputs: Sequence[Any], forward_name: str) -> None:
    """Raise where an output for PyTorch is no tensor but a floating number, or some of them."""
    for output in outputs:
        is_numeric = isinstance(output, (float, complex, np.ndarray, np.generic))
        if is_numeric and np.asarray(output).dtype.kind in "fc":
            raise GradcheckUsageError(
                f"{forward_name} returned {with_article(describe_value(output))}, which PyTorch "
                "cannot differentiate. Return the tensor, without .item(), float() or .numpy()."
            )


def _arrays(value: Any) -> list[Any]:
    """Return what is in containers, depth first, whatever it is."""
    return [item for _, item, inside in places("output", value) if inside is None]
