"""Packed claims: a gradient put together from others, which are gradients of their own.

Optimizers want one vector: ``np.concatenate([dW.ravel(), db])``. Each part of it is the derivative
by a part of the parameter, and may be right by itself. It does not measure anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from pytest_gradcheck.fault_localization.execution.recorded_values import Version
from pytest_gradcheck.fault_localization.execution.variables import Path
from pytest_gradcheck.fault_localization.intermediate_derivatives import Target

__all__ = ["Unpacked", "unpacked"]

#: A gradient of more parts is left as it is.
MOST_PARTS = 8


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The parts of gradients that were put together.

    Attributes
    ----------
    claims : dict of str to Version
        What was claimed for each part, by a name of its own.
    targets : list of Target
        The parts of the parameters.
    parameters : dict of str to str
        The parameters that they are parts of.
    """

    claims: dict[str, Version] = field(default_factory=dict)
    targets: list[Target] = field(default_factory=list)
    parameters: dict[str, str] = field(default_factory=dict)


def unpacked(claims: Mapping[str, Version], targets: Collection[Target], number: int) -> Unpacked:
    """Return the parts of those gradients that were put together from others.

    Parameters
    ----------
    claims : mapping of str to Version
        What was claimed for parameters.
    targets : collection of Target
        The parameters.
    number : int
        How many values were recorded.
    """
    result = Unpacked()
    for target in targets:
        name, whole = str(target.path), target.version
        claim = claims.get(name)
        parts = [] if claim is None else list(_parts(claim.root))
        if claim is None or target.part is None or not 1 < len(parts) <= MOST_PARTS:
            continue
        for start, read in parts:
            stop = start + read.value.size
            path = Path(f"{name} {start}:{stop}")
            value = whole.value.reshape(-1)[start:stop].reshape(read.value.shape)
            part = Version(path, value, None, 0, 0, original=whole)
            place = slice(target.part.start + start, target.part.start + stop)
            result.targets.append(Target(part, path, None, part=place))
            step, phase = claim.root.step, claim.root.phase
            count = number + len(result.claims)
            result.claims[str(path)] = Version(
                path, read.value, step, phase, count, [read], original=read
            )
            result.parameters[str(path)] = name
    return result


def _parts(claim: Version) -> Iterator[tuple[int, Version]]:
    """Yield what a vector was put together from, with where it begins; nothing of other arrays."""
    entries = claim.value.reshape(-1)
    reads = [v for v in claim.direct if v.is_floating and 0 < v.value.size < entries.size]
    reads.sort(key=lambda version: -version.value.size)
    found: list[tuple[int, Version]] = []
    start = 0
    while start < entries.size:
        for read in reads:
            stop = start + read.value.size
            if np.array_equal(entries[start:stop], read.value.reshape(-1)):
                found.append((start, read))
                reads.remove(read)
                start = stop
                break
        else:
            return
    yield from found
