"""The reference of a kernel in low precision: the same function, written plainly.

It is called with the arguments of the kernel, twice. In float64 it is the measuring stick: numbers
of any lower precision are numbers of float64, too, so that kernel and reference are at the same
point. In the types of the kernel it shows, with a backward of its own, how large the errors of a
plain implementation are there. It does not judge the errors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from pytest_gradcheck.binding.backward.backward_function import BackwardFunction
from pytest_gradcheck.binding.backward.base_claim import BaseClaim
from pytest_gradcheck.binding.backward.claims import Claim
from pytest_gradcheck.binding.call.resolved_call import Call, ResolvedCall, ReturnConvention
from pytest_gradcheck.binding.call.signature import name_of
from pytest_gradcheck.binding.forward.base_evaluation import BaseEvaluation
from pytest_gradcheck.binding.forward.forward_function import ForwardFunction
from pytest_gradcheck.binding.forward.outputs import Output, named_outputs
from pytest_gradcheck.binding.forward.working_copy import FULL_PRECISION, WorkingCopy
from pytest_gradcheck.binding.gradient_problem import KernelErrors
from pytest_gradcheck.binding.values.parameters import Vector, rounding_of
from pytest_gradcheck.binding.values.pytree import floating_leaves
from pytest_gradcheck.binding.values.rebuilding import rebuilt
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.integrations.array_libraries import array_library

__all__ = ["BoundReference", "Reference"]

#: The number of points at which arguments are rounded once more.
REPETITIONS = 4

#: A reference: forward, and backward where it has one.
Reference = tuple[Callable[..., Any], Any]


class BoundReference:
    """A reference, bound to the arguments of the kernel.

    Parameters
    ----------
    reference : (callable, callable or str or None)
        Forward, and backward where it has one.
    call : Call
        The call of the kernel.
    resolved : ResolvedCall
        The same, resolved.
    base : BaseEvaluation
        The kernel at the user's own point.

    Attributes
    ----------
    forward : ForwardFunction
        The reference in float64.
    output : Output
        What it returned at the user's own point.
    call : Call
        The call of it, for other processes.

    Raises
    ------
    GradcheckUsageError
        When it does not take the arguments, returns outputs of other shapes, or does not compute
        in float64.
    """

    def __init__(
        self, reference: Reference, call: Call, resolved: ResolvedCall, base: BaseEvaluation
    ) -> None:
        function, backward = reference
        self._base, self._kernel = base, resolved
        self._name = name_of(function)
        self._refuse_attributes()
        self._resolved = None
        returns = ReturnConvention.OUTPUT
        if backward is not None:
            own = replace(
                call, forward=function, backward=backward, backward_args=None, has_cache=None
            )
            self._resolved = ResolvedCall.of(own)
            returns = self._resolved.returns
            self._refuse_other_parameters(self._resolved)
        self._function, self._returns = function, returns
        self.call = replace(
            call,
            forward=function,
            args=tuple(lifted(f"args[{k}]", value) for k, value in enumerate(call.args)),
            kwargs={name: lifted(name, value) for name, value in (call.kwargs or {}).items()},
        )
        self.forward = self._forward(lift=True)
        self.output = self.forward.call()
        self._refuse_other_outputs(self.output)
        self._refuse_low_precision()

    def _forward(self, *, lift: bool) -> ForwardFunction:
        # Its arguments may have other names than those of the kernel.
        resolved, base = self._resolved or self._kernel, self._base
        arguments, leaves = resolved.arguments, resolved.leaves
        names = {
            mine.name: own.name for mine, own in zip(self._kernel.leaves, leaves, strict=True)
        }
        displaced = {names[name]: array for name, array in self._kernel.displaced.items()}
        if lift:
            named = zip(arguments.names, arguments.values, strict=True)
            arguments = replace(arguments, values=tuple(lifted(*pair) for pair in named))
        names_lifted = [leaf.name for leaf in leaves] if lift else []
        working_copy = WorkingCopy(arguments, leaves, displaced, owner=None, lift=names_lifted)
        return ForwardFunction(
            self._function,
            self._name,
            working_copy,
            environment=base.forward.environment,
            returns=self._returns,
            counts=base.forward.counts,
        )

    def _refuse_attributes(self) -> None:
        kernel = self._kernel
        if kernel.attributes:
            raise GradcheckUsageError(
                f"reference={self._name} is called with other numbers than {kernel.forward_name}, "
                f"and {kernel.attributes[0].name} is in an object that both may use: pass it as "
                "an argument."
            )

    def _refuse_other_parameters(self, own: ResolvedCall) -> None:
        mine, theirs = ([leaf.array.shape for leaf in each.leaves] for each in (own, self._kernel))
        if mine != theirs:
            raise GradcheckUsageError(
                f"reference={self._name} has parameters of the shapes {mine}, and "
                f"{self._kernel.forward_name} {theirs}: let both have the same arguments."
            )

    def _refuse_low_precision(self) -> None:
        dtype = self.output.dtype
        if np.finfo(dtype).eps > FULL_PRECISION:
            raise GradcheckUsageError(
                f"reference={self._name} was given float64 and returned {dtype}: it is what "
                f"{self._kernel.forward_name} is compared with, and must compute in the type of "
                "its arguments. Remove the casts from it; with JAX, say "
                "jax.config.update('jax_enable_x64', True)."
            )

    def _refuse_other_outputs(self, output: Output) -> None:
        kernel = self._kernel.forward_name
        mine, theirs = ([b.shape for b in each.blocks] for each in (output, self._base.output))
        if mine != theirs:
            raise GradcheckUsageError(
                f"reference={self._name} returned outputs of the shapes {mine}, and {kernel} "
                f"{theirs}. It is the same function: it must return the same outputs, without a "
                "cache unless it has a backward that asks for one: reference=(forward, backward)."
            )

    def errors(self, claimed: BaseClaim) -> KernelErrors:
        """Return the errors of the kernel's outputs, and those of the reference in its types.

        Parameters
        ----------
        claimed : BaseClaim
            The claim of the kernel, for the cotangent or the tangent that it was given.
        """
        output = self._base.output
        raw = dict(named_outputs("output", output.raw))
        errors = KernelErrors(
            reference=self._name,
            outputs=output.value - self.output.value,
            blocks=output.blocks,
            roundings=tuple(rounding_of(b.dtype, raw[b.name]) for b in output.blocks),
            exact=self.output.value,
            scatter=self._scatter(),
            claim_roundings=claimed.result.roundings,
        )
        if self._resolved is None:
            return errors
        low_output, low = self._claim(claimed, lift=False)
        _, high = self._claim(claimed, lift=True)
        return replace(
            errors,
            plain_outputs=low_output.value - self.output.value,
            plain_claim=low,
            exact_claim=high,
        )

    def _scatter(self) -> Vector:
        """Return how much outputs change where parameters are rounded once more.

        No computation in their type is more accurate in general: its condition is that of the
        function, whatever it is made of (N. J. Higham, Accuracy and Stability, section 1.6).
        """
        base, rng = self.forward.working_copy.base, np.random.default_rng(0)
        relative = np.zeros(base.size)
        for leaf, parameter in zip(
            self._kernel.leaves, self.forward.working_copy.parameters, strict=True
        ):
            relative[parameter.start : parameter.stop] = rounding_of(leaf.array.dtype, leaf.value)
        changes = rng.uniform(-1, 1, (REPETITIONS, base.size)) * relative
        found = self.forward.evaluate(base * (1 + change) for change in changes)
        return np.asarray(np.nan_to_num(np.abs(found - self.output.value)).max(axis=0))

    def _claim(self, claimed: BaseClaim, *, lift: bool) -> tuple[Output, Claim]:
        """Return what the reference returns in a precision, and what its backward claims."""
        resolved = self._resolved
        if resolved is None:
            raise TypeError("it has no backward")
        forward = self.forward if lift else self._forward(lift=False)
        environment = forward.environment
        output = environment.attempt(forward.call)
        self._refuse_other_outputs(output)
        layout = output.layout
        resolved = resolved.for_outputs(
            layout.names, is_number=not layout.is_several and layout.blocks[0].shape == ()
        )
        backward = BackwardFunction(
            resolved,
            forward.working_copy,
            environment=environment,
            counts=forward.counts,
            convention=claimed.backward.convention,
            seed=0,
        )
        given, plan = claimed.given, resolved.plan
        is_vjp = plan is not None and plan.wants_cotangent(scalar_output=output.is_scalar)
        is_jvp = plan is not None and "tangent" in plan.needs
        if (is_vjp, is_jvp) != (given.cotangent is not None, given.tangent is not None):
            raise GradcheckUsageError(
                f"the backward of reference={self._name} is given other arguments than "
                f"{claimed.backward.name}: let both take a cotangent, a tangent or neither."
            )
        try:
            result = environment.attempt(lambda: backward.call(output, given))
        except GradcheckUsageError as error:
            raise GradcheckUsageError(
                f"the backward of reference={self._name}: {error.args[0]}"
            ) from None
        return output, result.claim.snapshot()


def lifted(name: str, value: Any) -> Any:
    """Return an argument with its floating arrays in float64.

    Examples
    --------
    >>> half = np.ones(2, np.float16)
    >>> lifted("p", {"W": half, "n": 3})
    {'W': array([1., 1.]), 'n': 3}
    """
    new = dict[str, Any]()
    for leaf in floating_leaves(name, value):
        array, library = leaf.array, array_library(leaf.value)
        kind = np.result_type(array.dtype, np.float64)
        if array.dtype == kind:
            continue
        long = array.astype(kind)
        new[leaf.name] = long[()] if library is None else library.from_numpy(long, leaf.value)
    return rebuilt(name, value, new) if new else value
