"""What a tool is asked: whether it accepts a gradient.

It must not know any tool.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Accepts", "Floats", "Rival"]

Floats = NDArray[np.float64]

#: ``accepts(forward, claim, point)``: a function of an array, the gradient that is claimed at
#: the point, and the point; both in float64. What it raises is a rejection, too.
Accepts = Callable[[Callable[[Floats], Any], Floats, Floats], bool]


@dataclass(frozen=True)
class Rival:
    """A tool, as its documentation says to use it.

    Attributes
    ----------
    name : str
        What it is called.
    package : str
        The distribution it comes in; empty where it is a recipe.
    accepts : callable
        Asks it about one claim, see `Accepts`.
    settings : str
        Its settings, and what was taken for acceptance.
    names_entry : str
        Whether its answer says which entry is wrong.
    has_bound : str
        Whether it says how well it knows the derivative.
    """

    name: str
    package: str
    accepts: Accepts
    settings: str
    names_entry: str = "no"
    has_bound: str = "no"
