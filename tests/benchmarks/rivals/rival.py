"""The interface of a tool: whether it accepts a gradient.

The module does not know any tool.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Accepts", "Floats", "Rival"]

Floats = NDArray[np.float64]

#: ``accepts(forward, claim, point)``: a function of an array, the gradient claimed at the point,
#: and the point, both in float64. An exception is a rejection.
Accepts = Callable[[Callable[[Floats], Any], Floats, Floats], bool]


@dataclass(frozen=True)
class Rival:
    """A tool, called as its documentation says.

    Attributes
    ----------
    name : str
        The name in tables.
    package : str
        The distribution; empty where there is none.
    accepts : callable
        Checks one claim, see `Accepts`.
    settings : str
        Its settings, and what counts as acceptance.
    names_entry : str
        Whether its answer says which entry is wrong.
    has_bound : str
        Whether it reports an error bound of the derivative.
    """

    name: str
    package: str
    accepts: Accepts
    settings: str
    names_entry: str = "no"
    has_bound: str = "no"
