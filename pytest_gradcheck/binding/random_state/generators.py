"""Random generators that the user's functions may draw from.

They are those of the global state, and those among everything that the functions can reach. It
does not draw from any or restore any; it gives each a name.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_gradcheck.binding.random_state.mersenne_twister_state import (
    numpy_global_access,
    python_access,
)
from pytest_gradcheck.binding.state.reachable import Reached
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.integrations.torch_random import (
    is_torch_generator,
    read_global_state,
    torch_generator_access,
    write_global_state,
)
from pytest_gradcheck.integrations.torch_tensors import torch
from pytest_gradcheck.report.representation import shown

__all__ = [
    "SEARCHED",
    "Generator",
    "are_equal",
    "as_generator",
    "find_generators",
    "global_generators",
]

#: Where generators are searched for, for messages.
SEARCHED = (
    "the global state of numpy, Python and torch, arguments, defaults, closures, the bound object "
    "and the globals that forward and backward name"
)

#: Types of generators.
KINDS = (np.random.Generator, np.random.BitGenerator, np.random.RandomState, random.Random)

#: Types of generators whose state can be read; of their subclasses that is tried.
WITH_STATE = (
    random.Random,
    np.random.RandomState,
    np.random.MT19937,
    np.random.PCG64,
    np.random.PCG64DXSM,
    np.random.Philox,
    np.random.SFC64,
)


@dataclass(frozen=True, slots=True)
class Generator:
    """A random generator whose state can be read and restored.

    Attributes
    ----------
    name : str
        Where it was found, for messages.
    read : callable
        Returns its state.
    write : callable
        Restores a state.
    is_global : bool
        Whether its state belongs to the whole process.
    """

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], None]
    is_global: bool = False

    def is_at(self, state: Any) -> bool:
        """Return whether it is in this state."""
        return are_equal(self.read(), state)


def global_generators() -> tuple[Generator, ...]:
    """Return the global generators of numpy, of Python, and of PyTorch where it is imported."""
    found = (
        Generator("numpy's global state", *numpy_global_access(), is_global=True),
        Generator("random's global state", *python_access(random._inst), is_global=True),
    )
    if torch() is None:
        return found
    return (
        *found,
        Generator("torch's global state", read_global_state, write_global_state, is_global=True),
    )


def are_equal(a: Any, b: Any) -> bool:
    """Return whether two states, nested tuples and dicts with arrays in them, are equal."""
    if isinstance(a, np.ndarray):
        return bool(np.array_equal(a, b))
    try:
        # Fast in C: a state of random.Random is a tuple of 625 numbers.
        return bool(a == b)
    except ValueError:  # arrays in it have no truth value
        if isinstance(a, dict):
            return a.keys() == b.keys() and all(are_equal(a[key], b[key]) for key in a)
        return len(a) == len(b) and all(map(are_equal, a, b))


def as_generator(name: str, value: object) -> Generator | None:
    """Return `value` as a generator, None where it is not one or has no state.

    Examples
    --------
    >>> as_generator("entropy", random.SystemRandom()) is None
    True
    """
    if isinstance(value, np.random.Generator):
        return as_generator(name, value.bit_generator)
    if isinstance(value, np.random.BitGenerator):
        bits = value
        found = Generator(name, lambda: bits.state, lambda state: setattr(bits, "state", state))
    elif isinstance(value, np.random.RandomState):
        found = Generator(name, value.get_state, value.set_state)
    elif isinstance(value, random.Random):
        found = Generator(name, *python_access(value))
    elif is_torch_generator(value):
        found = Generator(name, *torch_generator_access(value))
    else:
        return None
    return found if type(value) in WITH_STATE or _has_state(found) else None


def _has_state(generator: Generator) -> bool:
    """Return whether a state can be read: not of the system's entropy, `random.SystemRandom`."""
    try:
        generator.read()
    except Exception:  # noqa: BLE001  # the user's own class may raise anything
        return False
    return True


def find_generators(reached: Iterable[Reached], extra: Sequence[object] = ()) -> list[Generator]:
    """Find every generator that the functions may draw from, the global ones first.

    Parameters
    ----------
    reached : iterable of Reached
        Everything that the functions can reach.
    extra : sequence of object
        Generators that the user named.

    Returns
    -------
    list of Generator
        Each once.

    Raises
    ------
    GradcheckUsageError
        When one of `extra` is not a generator whose state can be restored.
    """
    found = dict[int, Generator]()
    for k, value in enumerate(extra):
        generator = as_generator(f"replay[{k}]", value)
        if generator is None:
            raise GradcheckUsageError(
                f"replay={shown(value)} cannot be put back: replay takes numpy.random.Generator, "
                "BitGenerator and RandomState objects, random.Random and torch.Generator objects."
            )
        found.setdefault(id(_state_holder(value)), generator)
    for place in reached:
        is_generator = isinstance(place.value, KINDS) or is_torch_generator(place.value)
        if is_generator and id(_state_holder(place.value)) not in found:
            generator = as_generator(place.name, place.value)
            if generator is not None:
                found[id(_state_holder(place.value))] = generator
    return [*global_generators(), *found.values()]


def _state_holder(value: Any) -> object:
    """Return what holds the state of a generator: two generators may share it."""
    return value.bit_generator if isinstance(value, np.random.Generator) else value
