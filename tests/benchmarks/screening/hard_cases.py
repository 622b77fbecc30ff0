"""Hard cases: a model, and a wrong entry of its gradient that is easily overlooked.

The entry is wrong by 1% of itself, or of the median of the nonzero entries of its parameter where
that is more, so that an error of a small entry is visible. The module does not know how gradients
are checked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.coupled_chain import coupled_chain
from tests.benchmarks.handwritten_networks import Network, perceptron, residual
from tests.benchmarks.screening.coordinate_masks import Masks, empty_masks
from tests.benchmarks.screening.entry_sampling import Entry, draw_name
from tests.benchmarks.screening.gradient_mistakes import Gradient, Mistake
from tests.benchmarks.screening.hard_models import tensors, with_dead_unit

__all__ = ["HARD_CASES", "INVISIBLE", "HardCase"]

RELATIVE_ERROR = 0.01

#: ``choose(gradient, rng)`` draws an entry.
Choice = Callable[[Gradient, np.random.Generator], Entry]


@dataclass(frozen=True)
class HardCase:
    """A model and a mistake in its gradient.

    Attributes
    ----------
    model : callable
        ``model(seed=...)`` draws a network.
    mistake : callable
        A `Mistake`, which changes the gradient.
    """

    model: Callable[..., Network]
    mistake: Mistake


def shifted(gradient: Gradient, rng: np.random.Generator, *, choose: Choice) -> Masks:
    """Add 1% of an entry to it, or 1% of a typical entry if that is more."""
    name, index = choose(gradient, rng)
    array = gradient[name]
    typical = np.median(np.abs(array[array != 0]))
    array[index] += RELATIVE_ERROR * max(abs(array[index]), typical)
    return _single_entry(gradient, name, index)


def doubled(gradient: Gradient, rng: np.random.Generator, *, choose: Choice) -> Masks:
    """Multiply an entry by 2, which leaves a zero unchanged."""
    name, index = choose(gradient, rng)
    gradient[name][index] *= 2
    return _single_entry(gradient, name, index)


def _single_entry(gradient: Gradient, name: str, index: tuple[int, ...]) -> Masks:
    masks = empty_masks(gradient)
    masks[name][index] = True
    return masks


def anywhere(gradient: Gradient, rng: np.random.Generator) -> Entry:
    """Draw a parameter, each with equal probability, and a nonzero entry of it."""
    name = draw_name(gradient, rng)
    return name, _index(rng.choice(np.argwhere(gradient[name])))


def in_smallest(gradient: Gradient, rng: np.random.Generator) -> Entry:
    """Draw an entry of the smallest parameter."""
    name = min(gradient, key=lambda name: gradient[name].size)
    return name, _index(rng.integers(gradient[name].shape))


def at_end(gradient: Gradient, rng: np.random.Generator) -> Entry:
    """Draw a parameter, each with equal probability, and return its last entry."""
    name = draw_name(gradient, rng)
    return name, _index(np.array(gradient[name].shape) - 1)


def at_very_end(gradient: Gradient, rng: np.random.Generator) -> Entry:
    """Return the last entry of the last parameter."""
    *_, name = gradient
    return name, _index(np.array(gradient[name].shape) - 1)


def without_axes(gradient: Gradient, rng: np.random.Generator) -> Entry:
    """Return the entry of the parameter without axes."""
    (name,) = (name for name, array in gradient.items() if not array.shape)
    return name, ()


def dead(gradient: Gradient, rng: np.random.Generator) -> Entry:
    """Draw a parameter of a dead unit, each with equal probability, and a zero entry of it."""
    name = draw_name(gradient, rng, lambda array: not array.all())
    return name, _index(rng.choice(np.argwhere(gradient[name] == 0)))


def _index(numbers: NDArray[np.intp]) -> tuple[int, ...]:
    return tuple(numbers.tolist())


DEEP = (20,) * 61
MATRICES = ((200, 150), (), (150, 200))
RANKS = ((40,), (30, 40), (9, 10, 11), (6, 7, 8, 9), (5, 6, 7, 8, 9))

#: The case whose mistake changes nothing.
INVISIBLE = "a dead unit, zero x 2"

HARD_CASES: dict[str, HardCase] = {
    "smallest bias": HardCase(
        partial(perceptron, (784, 300, 100, 10)), partial(shifted, choose=in_smallest)
    ),
    "a dead unit, not zero": HardCase(with_dead_unit, partial(shifted, choose=dead)),
    INVISIBLE: HardCase(with_dead_unit, partial(doubled, choose=dead)),
    "last entry of the last array": HardCase(
        partial(residual, 160), partial(shifted, choose=at_very_end)
    ),
    "a scalar among matrices": HardCase(
        partial(tensors, MATRICES), partial(shifted, choose=without_axes)
    ),
    "one of 120 arrays": HardCase(
        partial(perceptron, DEEP, activation="tanh"), partial(shifted, choose=anywhere)
    ),
    "one array of a million": HardCase(
        partial(coupled_chain, 1_000_000), partial(shifted, choose=anywhere)
    ),
    "arrays of 1 to 5 axes": HardCase(partial(tensors, RANKS), partial(shifted, choose=anywhere)),
    "the last entry of one of these": HardCase(
        partial(tensors, RANKS), partial(shifted, choose=at_end)
    ),
}
