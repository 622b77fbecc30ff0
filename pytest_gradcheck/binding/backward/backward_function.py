"""The user's backward as a function of what it is given: it draws, calls and reads the claims.

Which derivative backward computes follows from what it asks for: a cotangent makes it a
vector-Jacobian product (VJP), a tangent a Jacobian-vector product (JVP), and neither a gradient,
an elementwise derivative or a Jacobian, by the shapes. It does not evaluate forward or perturb
anything.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.backward.attribute_gradients import (
    find_attribute_gradients,
    prefer_attribute_gradients,
)
from pytest_gradcheck.binding.backward.claims import (
    ClaimView,
    DenseClaim,
    as_array,
    as_real,
    build_claim,
    claim_rounding,
    is_elementwise,
)
from pytest_gradcheck.binding.backward.gradient_matching import (
    match_gradients,
    refuse_value_and_gradient,
    two_derivatives_hint,
)
from pytest_gradcheck.binding.backward.stacked_jacobian import (
    refuse_integer_columns,
    split_columns,
)
from pytest_gradcheck.binding.backward.unread_gradients import (
    refuse_integer_gradients,
    unread_gradients,
)
from pytest_gradcheck.binding.call.automatic_differentiation import AutomaticBackward
from pytest_gradcheck.binding.call.backward_arguments import BackwardPlan, invoke
from pytest_gradcheck.binding.call.resolved_call import CallCounts, ResolvedCall
from pytest_gradcheck.binding.call.user_function import add_note
from pytest_gradcheck.binding.call.wrt import Item
from pytest_gradcheck.binding.forward.call_environment import CallEnvironment
from pytest_gradcheck.binding.forward.outputs import MismatchError, Output, cache_hint, shaped_like
from pytest_gradcheck.binding.forward.working_copy import WorkingCopy, copy_data, differences
from pytest_gradcheck.binding.values.complex_pairs import flat_complex, flat_real
from pytest_gradcheck.binding.values.parameters import Block, Parameter, Vector
from pytest_gradcheck.binding.values.pytree import (
    LeafNames,
    contents,
    counted,
    describe_value,
    empty_containers,
    named_children,
    with_article,
)
from pytest_gradcheck.binding.values.rebuilding import rebuilt
from pytest_gradcheck.binding.values.signed_numbers import signed_numbers
from pytest_gradcheck.binding.values.sparse_matrices import as_dense, is_matrix
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.integrations.array_libraries import as_numpy, short_rounding
from pytest_gradcheck.report.report_data import Kind

__all__ = ["BackwardFunction", "BackwardInput", "BackwardResult"]

#: The one output of a VJP: the product of the outputs with the cotangent.
NUMBER = Block("output", (), "float64", 0, 1)

#: How the sources of arguments begin that are made for one call of backward alone.
MADE_FOR_BACKWARD = ("<cotangent", "<output", "<tangent")

NO_LEAVES = LeafNames(())

#: The alternative to returning derivatives of each of several outputs.
COTANGENT_HINT = (
    " To be handed an upstream gradient instead, give backward a parameter cotangent, dout or "
    "grad_output."
)


@dataclass(frozen=True, slots=True)
class BackwardInput:
    """What backward is given besides the arguments of forward: at most one of these.

    Attributes
    ----------
    cotangent : ndarray of float64, shape (coordinates of the outputs,), or None
        The upstream gradient of a VJP.
    tangent : ndarray of float64, shape (coordinates of the point,), or None
        The direction of a JVP.
    """

    cotangent: Vector | None = None
    tangent: Vector | None = None


@dataclass(frozen=True, slots=True)
class BackwardResult:
    """What backward returned, as claims.

    Attributes
    ----------
    kind : Kind
        Which derivative it computes.
    claim : ClaimView
        Valid until backward is called again. That of a JVP has one row.
    outputs : tuple of Block
        The outputs it is about; empty where they are reduced to one number.
    roundings : tuple of float
        The relative rounding of the claim about each parameter; of a JVP one number.
    aliased : tuple of str
        Parameters that backward returned themselves, as their own gradients.
    unread : tuple of str
        What it returned besides, in words.
    changed : tuple of str
        What was made for this call, such as a cotangent, and was changed by it.
    """

    kind: Kind
    claim: ClaimView
    outputs: tuple[Block, ...]
    roundings: tuple[float, ...]
    aliased: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


class BackwardFunction:
    """The user's backward as a function of what it is given.

    Parameters
    ----------
    resolved : ResolvedCall
        The call.
    working_copy : WorkingCopy
        The arguments of forward.
    environment : CallEnvironment
        Where forward is called, and so backward.
    counts : CallCounts
        Counts its calls.
    convention : {"pytorch", "jax"}
        The convention of gradients with respect to complex parameters.
    seed : int
        Draws cotangents and tangents.
    detached : tuple of str
        Outputs whose cotangents are zero, see `detached_outputs`.

    Attributes
    ----------
    name : str
        Its name, for messages.
    convention : str
        The convention of gradients with respect to complex parameters.
    """

    def __init__(
        self,
        resolved: ResolvedCall,
        working_copy: WorkingCopy,
        *,
        environment: CallEnvironment,
        counts: CallCounts,
        convention: str,
        seed: int,
        detached: tuple[str, ...] = (),
    ) -> None:
        self.name = resolved.backward_name
        self._resolved = resolved
        self._working_copy = working_copy
        self._environment = environment
        self._counts = counts
        self.convention = convention
        self._seed = seed
        self._detached = detached

    @property
    def is_called(self) -> bool:
        """Whether it is a function of its own: forward may return the gradients itself."""
        return self._resolved.backward is not None

    def used_twice(self) -> BackwardFunction | None:
        """Return that of the sum of two calls of forward, see `AutomaticBackward.used_twice`."""
        backward = self._resolved.backward
        twice = backward.used_twice() if isinstance(backward, AutomaticBackward) else None
        if twice is None:
            return None
        other = copy.copy(self)
        other._resolved = replace(self._resolved, backward=twice)  # a copy of it
        return other

    @cached_property
    def rng(self) -> np.random.Generator:
        """The generator of cotangents and tangents, made when it is first used."""
        return np.random.default_rng(self._seed)

    def draw(self, output: Output) -> BackwardInput:
        """Draw the cotangent or tangent that backward asks for, rounded to the types it gets."""
        plan = self._resolved.plan
        cotangent = tangent = None
        if plan is not None and plan.wants_cotangent(scalar_output=output.is_scalar):
            cotangent = self.draw_cotangent(output)
        if plan is not None and "tangent" in plan.needs:
            parts = self._tangents(signed_numbers(self.rng, self._working_copy.point.size))
            flat = [
                flat_complex(parts[p.name]) if p.is_complex else flat_real(parts[p.name])
                for p in self._working_copy.parameters
                if p.size
            ]
            tangent = np.concatenate([*flat, np.empty(0)])
        return BackwardInput(cotangent, tangent)

    def draw_cotangent(self, output: Output) -> Vector:
        """Draw a cotangent, rounded to the types of the outputs; zero where none is asked for."""
        layout, plan = output.layout, self._resolved.plan
        drawn = signed_numbers(self.rng, output.value.size)
        if plan is not None and plan.takes_parts:
            drawn = layout.only(drawn, {name for k in plan.parts for name in layout.places[k]})
        if self._detached:
            drawn = layout.only(drawn, set(layout.all_names).difference(self._detached))
        return layout.flatten(layout.shaped(drawn))

    def call(self, output: Output, given: BackwardInput) -> BackwardResult:
        """Call backward, straight after forward returned `output`, and read its claims."""
        plan, backward = self._resolved.plan, self._resolved.backward
        if plan is None or backward is None:
            return self._read_gradients(output, output.auxiliary, given)
        sources = self._sources(output, given)
        self._counts.backward += 1
        try:
            returned = self._environment.run(
                invoke, plan, backward, sources, scalar_output=output.is_scalar
            )
        except Exception as error:
            if not output.has_auxiliary and cache_hint(output.raw):
                add_note(error, cache_hint(output.raw).strip())
            raise
        changed = self._changed(plan, sources, output, given)
        if given.tangent is not None:
            result = self._read_jvp(output, returned)
        else:
            result = self._read_gradients(output, returned, given)
        return replace(result, changed=changed) if changed else result

    def _changed(
        self, plan: BackwardPlan, sources: Mapping[str, Any], output: Output, given: BackwardInput
    ) -> tuple[str, ...]:
        """Return what was made for this call of backward alone, and was changed by it."""
        if not plan.needs & {"output", "tangent"} and (
            given.cotangent is None or _is_vector(output, sources["<cotangent>"], given.cotangent)
        ):
            return ()
        before = self._sources(output, given)
        names = {source: source.strip("<>") for source in plan.positional}
        names |= {source: key for key, source in plan.keywords.items()}
        if plan.optional_cotangent is not None:
            names["<cotangent>"] = plan.optional_cotangent
        return tuple(
            place
            for source, name in names.items()
            if source.startswith(MADE_FOR_BACKWARD) and source in sources
            for place in differences(name, before[source], sources[source], NO_LEAVES)
        )

    def _sources(self, output: Output, given: BackwardInput) -> dict[str, Any]:
        """Return everything that backward may ask for, by name."""
        names = self._resolved.arguments.names
        sources = dict(zip(names, self._working_copy.passed, strict=True))
        sources["<output>"] = _own_copy(output.raw)
        if output.has_auxiliary:
            sources["<cache>"] = output.auxiliary
        if given.cotangent is not None:
            cotangent = output.layout.shaped(given.cotangent)
            sources["<cotangent>"] = cotangent
            each = (contents(cotangent) or []) if output.layout.is_several else [cotangent]
            sources["<*cotangent>"] = each
            sources |= {f"<cotangent[{k}]>": part for k, part in enumerate(each)}
        if given.tangent is not None:
            parts = self._tangents(given.tangent)
            items = [rebuilt(item.name, item.value, parts) for item in self._resolved.items]
            sources["<tangent>"] = items[0] if len(items) == 1 else tuple(items)
        return sources

    def _tangents(self, vector: Vector) -> dict[str, Any]:
        """Return the parts of a vector, by parameter, in the types that are passed to forward."""
        values = {leaf.name: leaf.value for item in self._resolved.items for leaf in item.leaves}
        return {
            parameter.name: shaped_like(
                vector[parameter.start : parameter.stop],
                self._working_copy.as_passed(parameter),
                values[parameter.name],
            )
            for parameter in self._working_copy.parameters
        }

    def _read_gradients(
        self, output: Output, returned: Any, given: BackwardInput
    ) -> BackwardResult:
        """Read a gradient, a VJP, an elementwise derivative or a Jacobian."""
        parameters, name = self._working_copy.parameters, self.name
        outputs = output.blocks
        kind: Kind = "jacobian"
        if given.cotangent is not None or output.is_scalar:
            kind = "gradient" if given.cotangent is None else "vjp"
            outputs = (NUMBER,) if given.cotangent is not None else outputs
            found = {NUMBER.name: returned}
        else:
            found = self._split_by_output(output, returned)
        if output.is_scalar and given.cotangent is None:
            self._refuse_value(returned, float(output.value[0]))
        read = {block.name: self._match(found[block.name], block) for block in outputs}
        matched = {name: part.claims for name, part in read.items()}
        claims = {
            block.name: self._as_arrays(matched[block.name], block, several=len(outputs) > 1)
            for block in outputs
        }
        if kind == "jacobian" and not output.layout.is_several:
            (block,) = outputs
            if is_elementwise(claims[block.name], parameters, block):
                kind = "elementwise"
        claim = build_claim(
            claims, parameters, outputs, convention=self.convention, backward_name=name
        )
        aliased = tuple(
            p.name
            for p in parameters
            if any(
                self._working_copy.holds(p, of_output[p.name]) for of_output in matched.values()
            )
        )
        about = () if kind in ("gradient", "vjp") else outputs
        unread = tuple({text: None for part in read.values() for text in part.unread})
        roundings = _roundings(claims, matched, parameters)
        return BackwardResult(kind, claim, about, roundings, aliased, unread)

    def _refuse_value(self, returned: Any, value: float) -> None:
        """Raise where backward returns what forward returns, and a gradient after it."""
        resolved = self._resolved
        is_number = not self._working_copy.parameters[0].shape
        is_pair = isinstance(returned, tuple) and len(returned) == 2
        if (
            resolved.backward is None
            or is_number
            or not (is_pair and _is_number(returned[0], value))
        ):
            return
        refuse_value_and_gradient(
            self.name, resolved.positional, [item.name for item in resolved.items]
        )

    def _as_arrays(
        self, found: Mapping[str, Any], output: Block, *, several: bool
    ) -> dict[str, NDArray[Any]]:
        """Read the claims about every parameter, for one output."""
        name = self.name
        claims = {}
        for parameter in self._working_copy.parameters:
            about = f"{output.name} / {parameter.name}" if several else parameter.name
            gradient = _as_derivative(found[parameter.name], output, parameter, name)
            array = as_array(gradient, about, name)
            if not (parameter.is_complex or output.is_complex):
                array = as_real(array, about, name)
            claims[parameter.name] = array
        return claims

    def _split_by_output(self, output: Output, returned: Any) -> dict[str, Any]:
        """Return what was returned about each of several outputs."""
        try:
            return self._split(output, returned)
        except MismatchError as mismatch:
            raise self._mismatch_error(
                output, mismatch, "the derivatives of that output", COTANGENT_HINT
            ) from None

    def _split(self, output: Output, returned: Any) -> dict[str, Any]:
        """Return what was returned for each output, of a matrix its rows."""
        layout = output.layout
        return layout.split(as_dense(returned, self.name) if layout.is_several else returned)

    def _read_jvp(self, output: Output, returned: Any) -> BackwardResult:
        """Read the derivative of each output along the tangent."""
        name = self.name
        try:
            found = self._split(output, returned)
        except MismatchError as mismatch:
            raise self._mismatch_error(
                output, mismatch, "its derivative along the tangent"
            ) from None
        parts, roundings = [], []
        for block in output.blocks:
            claim = as_array(as_dense(found[block.name], name), block.name, name)
            if claim.shape != block.shape:
                raise GradcheckUsageError(
                    f"{name} returned a derivative along the tangent of shape {claim.shape}; "
                    f"forward's {block.name} has shape {block.shape}."
                )
            roundings.append(max(claim_rounding(claim), short_rounding(found[block.name])))
            claim = claim if block.is_complex else as_real(claim, block.name, name)
            parts.append(flat_complex(claim) if block.is_complex else flat_real(claim))
        row = np.concatenate(parts).reshape(1, -1)
        return BackwardResult("jvp", DenseClaim(row), output.blocks, (max(roundings),))

    def _mismatch_error(
        self, output: Output, mismatch: MismatchError, what: str, advice: str = ""
    ) -> GradcheckUsageError:
        listed = ", ".join(f"{b.name} of shape {b.shape}" for b in output.blocks)
        inside = "" if mismatch.name == "output" else f" for {mismatch.name}"
        return GradcheckUsageError(
            f"{self.name} returned {counted(mismatch.returned)}{inside}, "
            f"but {self._resolved.forward_name} has several outputs: {listed}. Return their "
            f"structure, {counted(output.raw)}, with {what} in the place of each.{advice}"
            f"{cache_hint(output.raw)}"
        )

    def two_derivatives(self, wrt: str | None = None) -> str:
        """Return a hint for two derivatives, where backward takes what forward takes."""
        resolved = self._resolved
        plan = resolved.plan
        if plan is None or plan.needs:
            return ""
        call, names = plan.describe(), resolved.positional
        checked = [wrt] if wrt is not None else [item.name for item in resolved.items]
        may_be_objective = len(names) > 1 and len(checked) == 1 and checked[0] in names
        return two_derivatives_hint(
            call,
            names,
            resolved.forward_name,
            wrt,
            of_objective=checked[0] if may_be_objective else None,
        )

    def _match(self, returned: Any, output: Block) -> _Read:
        """Find the claims in what was returned; about attributes, also among the attributes."""
        resolved, name = self._resolved, self.name
        if isinstance(returned, np.ndarray) and returned.dtype == object and returned.ndim == 1:
            returned = list(returned)  # as ``np.array([dW, db], dtype=object)`` was once written
        positional = resolved.positional
        if isinstance(returned, tuple) and len(returned) == len(positional) - 1:
            # As torch.autograd.Function: no gradient of the context.
            positional = resolved.after_context

        def match(items: Sequence[Item]) -> _Read:
            found = match_gradients(
                returned,
                items,
                positional=positional,
                available=resolved.available,
                backward_name=name,
                two_derivatives=self.two_derivatives,
            )
            refuse_integer_gradients(
                returned,
                found.others,
                resolved.integers,
                backward_name=name,
                two_derivatives=self.two_derivatives,
            )
            unread = unread_gradients(
                found.others,
                resolved.arguments,
                backward_name=name,
                two_derivatives=self.two_derivatives,
            )
            return _Read(found.claims, unread)

        attributes = resolved.attributes
        others = [item for item in resolved.items if not item.is_attribute]
        if not attributes or resolved.owner is None:
            refuse_integer_columns(returned, resolved.items, resolved.integers, output, name)
            columns = split_columns(returned, resolved.items, output, name)
            return match(resolved.items) if columns is None else _Read(columns)
        everything = () if returned is None else (with_article(describe_value(returned)),)
        try:
            read = match(resolved.items)
        except GradcheckUsageError as unmatched:
            read = match(others) if others else _Read({}, everything)
            claims = dict(read.claims)
            try:
                for item in attributes:
                    claims |= find_attribute_gradients(resolved.owner, item)
            except GradcheckUsageError:
                if named_children(returned) is not None:
                    raise unmatched from None  # it says which names were returned
                raise
            return replace(read, claims=claims)
        if named_children(returned) is not None:
            return read
        chosen = prefer_attribute_gradients(read.claims, resolved.owner, attributes, name)
        is_read = any(chosen[leaf] is gradient for leaf, gradient in read.claims.items())
        return _Read(chosen, read.unread if is_read else everything)


@dataclass(frozen=True, slots=True)
class _Read:
    """The gradient of each leaf, and what else was returned, in words."""

    claims: Mapping[str, Any]
    unread: tuple[str, ...] = ()


def _as_derivative(gradient: Any, output: Block, parameter: Parameter, backward_name: str) -> Any:
    """Return a matrix of SciPy, which has two axes only, as an array with those of both.

    The derivative with respect to an empty container is one, too.
    """
    if not parameter.size and empty_containers("", gradient):
        return np.empty((*output.shape, *parameter.shape))
    if not is_matrix(gradient):
        return gradient
    array = np.asarray(as_dense(gradient, backward_name))
    if array.shape == (output.size, parameter.size):
        return array.reshape((*output.shape, *parameter.shape))
    return array


def _is_vector(output: Output, cotangent: Any, vector: Vector) -> bool:
    """Return whether a cotangent is still the vector that it was made of."""
    try:
        return np.array_equal(output.layout.flatten(cotangent), vector)
    except (TypeError, ValueError):  # something else than numbers was put into it
        return False


def _is_number(found: Any, value: float) -> bool:
    """Return whether something is a number, to rounding."""
    try:
        array = as_numpy(found)
    except Exception:  # noqa: BLE001  # whatever the conversion of another library raises
        return False
    return not array.shape and array.dtype.kind == "f" and bool(np.isclose(array, value))


def _own_copy(output: Any) -> Any:
    """Return a copy of what forward returned, for backward to keep or change."""
    try:
        return copy.deepcopy(output)
    except Exception:  # noqa: BLE001  # a class whose objects cannot be copied, or too many levels
        return copy_data("output", output, LeafNames(()))


def _roundings(
    claims: Mapping[str, Mapping[str, NDArray[Any]]],
    returned: Mapping[str, Mapping[str, Any]],
    parameters: Sequence[Parameter],
) -> tuple[float, ...]:
    """Return, for each parameter, the rounding of the least precise claim about it.

    What was returned is asked too: numbers of a type that NumPy lacks were read as longer ones.
    """
    return tuple(
        max(
            max(claim_rounding(of_output[p.name]), short_rounding(returned[output][p.name]))
            for output, of_output in claims.items()
        )
        for p in parameters
    )
