"""Asking backward once, at the user's own point, and reading its claims as numbers.

It must not evaluate forward or perturb anything.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_gradcheck.binding.beside import find_beside
from pytest_gradcheck.binding.calling import invoke
from pytest_gradcheck.binding.claims import as_array, build_claim, claim_rounding, decide_kind
from pytest_gradcheck.binding.coordinates import Coordinates
from pytest_gradcheck.binding.gradients import match_gradients
from pytest_gradcheck.binding.outputs import Output
from pytest_gradcheck.binding.problem import Claim, Counts, DenseClaim, Vector
from pytest_gradcheck.binding.resolving import Resolved
from pytest_gradcheck.binding.workspace import Workspace
from pytest_gradcheck.binding.wrt import Item
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.model import Kind

__all__ = ["Asked", "ask_backward"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What backward was asked and what it claims."""

    kind: Kind
    claim: Claim
    cotangent: Vector | None
    tangent: Vector | None
    roundings: tuple[float, ...]


def ask_backward(
    binding: Resolved,
    workspace: Workspace,
    output: Output,
    counts: Counts,
    rng: np.random.Generator,
    *,
    coordinates: Coordinates | None,
) -> Asked:
    """Call backward straight after a forward, and read its claims."""
    plan = binding.plan
    scalar = output.is_scalar
    if plan is None or binding.backward is None:
        return _read(binding, workspace, output, output.beside, None)
    wants_cotangent = plan.wants_cotangent(scalar_output=scalar)
    cotangent = _signed(rng, output.shape) if wants_cotangent else None
    tangents = (
        [_signed(rng, leaf.array.shape) for item in binding.items for leaf in item.leaves]
        if "tangent" in plan.needs
        else None
    )
    if tangents is None:
        tangent = None
    elif coordinates is None:
        tangent = np.concatenate([part.reshape(-1) for part in tangents])
    else:
        tangents, tangent = coordinates.steer(tangents)
    sources = dict(zip(binding.arguments.names, workspace.values(), strict=True))
    sources |= {"<output>": copy.deepcopy(output.raw)}
    if output.has_beside:
        sources["<cache>"] = output.beside
    if cotangent is not None:
        sources["<cotangent>"] = _like(cotangent, output.raw)
    if tangents is not None:
        sources["<tangent>"] = tangents[0] if len(tangents) == 1 else tuple(tangents)
    counts.backward += 1
    returned = invoke(plan, binding.backward, sources, scalar_output=scalar)
    if tangent is not None:
        return _read_jvp(binding, output, returned, tangent)
    return _read(binding, workspace, output, returned, cotangent)


def _read(
    binding: Resolved,
    workspace: Workspace,
    output: Output,
    returned: Any,
    cotangent: Vector | None,
) -> Asked:
    name = binding.backward_name
    found = _match(binding, returned)
    claims = {p.name: as_array(found[p.name], p.name, name) for p in workspace.parameters}
    kind: Kind = "gradient"
    if cotangent is not None:
        kind = "vjp"
    elif not output.is_scalar:
        kind = decide_kind(claims, workspace.parameters, output.shape)
    claim = build_claim(
        claims, workspace.parameters, kind=kind, output=output.shape, backward_name=name
    )
    roundings = tuple(claim_rounding(claims[p.name]) for p in workspace.parameters)
    flat = None if cotangent is None else cotangent.reshape(-1)
    return Asked(kind, claim, flat, None, roundings)


def _read_jvp(binding: Resolved, output: Output, returned: Any, tangent: Vector) -> Asked:
    claim = as_array(returned, "output", binding.backward_name)
    if claim.shape != output.shape:
        raise GradcheckUsageError(
            f"{binding.backward_name} returned a derivative along the tangent of shape "
            f"{claim.shape}; forward's output has shape {output.shape}."
        )
    row = np.asarray(claim, dtype=np.float64).reshape(1, -1)
    return Asked("jvp", DenseClaim(row), None, tangent, (claim_rounding(claim),))


def _match(binding: Resolved, returned: Any) -> dict[str, Any]:
    """Find the claims in what was returned, those about attributes beside them otherwise."""
    positional, available = binding.arguments.positional, binding.available()

    def match(items: Sequence[Item]) -> dict[str, Any]:
        return match_gradients(
            returned,
            items,
            positional=positional,
            available=available,
            backward_name=binding.backward_name,
        )

    attributes = [item for item in binding.items if item.is_attribute]
    others = [item for item in binding.items if not item.is_attribute]
    if not attributes or binding.owner is None:
        return match(binding.items)
    try:
        return match(binding.items)
    except GradcheckUsageError:
        claims = match(others) if others else {}
        for item in attributes:
            claims |= find_beside(binding.owner, item)
        return claims


def _signed(rng: np.random.Generator, shape: tuple[int, ...]) -> Vector:
    """Draw ``sign x U[0.5, 1.5]``: no error cancels another, and none is weighted away."""
    signs = rng.choice([-1.0, 1.0], size=shape)
    return np.asarray(signs * rng.uniform(0.5, 1.5, size=shape))


def _like(cotangent: Vector, raw: Any) -> Any:
    """Return the cotangent in the form of the output: a number for a number, its own dtype."""
    if isinstance(raw, (np.ndarray, np.generic)):
        return cotangent.astype(raw.dtype) if raw.shape else raw.dtype.type(cotangent)
    return cotangent.tolist() if isinstance(raw, (float, list)) else cotangent.copy()
