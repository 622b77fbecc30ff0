"""Iterative refinement of a derivative: it is measured again until it can be trusted.

One central difference seldom decides whether a claim is right. Where the two differ, the step may
be too large for the curvature, may have crossed a kink, or may be too small for the noise. Another
step tells these apart: truncation falls with the square of the step, a kink far away falls out of
reach, noise grows as the step shrinks, and the error of a claim stays what it is.

`refine` runs that loop for whatever is measured: pairs of single coordinates, directional
derivatives, the residuals of regions. Its phases are named as in SciPy's elementwise iterative
solvers (`scipy.differentiate.derivative`, `scipy.optimize.elementwise`), which also work on all
elements at once and keep the active ones. There a solver is a set of functions around one mutable
record. Here it is a frozen dataclass: every measurement gives the next state.

It does not know what is measured, nor which step is next. That is the state's own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, Self, TypeVar

__all__ = ["Refinement", "refine"]

Step = TypeVar("Step")
Measured = TypeVar("Measured")
State = TypeVar("State", bound="Refinement[Any, Any]")


class Refinement(ABC, Generic[Step, Measured]):
    """The state of a refinement, with the four phases of an iteration."""

    __slots__ = ()

    @abstractmethod
    def check_termination(self) -> bool:
        """Return whether what was measured can be trusted, or will not become better."""

    @abstractmethod
    def pre_func_eval(self) -> Step | None:
        """Return the next step; None where there is none that could show more."""

    @abstractmethod
    def func_eval(self, step: Step) -> Measured:
        """Evaluate the function at a step."""

    @abstractmethod
    def post_func_eval(self, measured: Measured) -> Self:
        """Return the state after a measurement."""


def refine(state: State, *, maxiter: int) -> State:
    """Measure until the state terminates, has no further step, or has had its iterations.

    Parameters
    ----------
    state : Refinement
        What to start from.
    maxiter : int
        The largest number of measurements.

    Returns
    -------
    Refinement
        The last state.

    Examples
    --------
    Halve the step of a central difference until its value no longer changes:

    >>> from dataclasses import dataclass
    >>> from math import exp, inf
    >>> @dataclass(frozen=True)
    ... class Halving(Refinement[float, float]):
    ...     step: float
    ...     value: float = inf
    ...     change: float = inf
    ...
    ...     def check_termination(self):
    ...         return self.change < 1e-6
    ...
    ...     def pre_func_eval(self):
    ...         return self.step / 2
    ...
    ...     def func_eval(self, step):
    ...         return step, (exp(step) - exp(-step)) / (2 * step)
    ...
    ...     def post_func_eval(self, measured):
    ...         step, value = measured
    ...         return Halving(step, value, abs(value - self.value))
    >>> round(refine(Halving(1.0), maxiter=20).value, 6)
    1.0
    """
    for _ in range(maxiter):
        if state.check_termination():
            break
        step = state.pre_func_eval()
        if step is None:
            break
        state = state.post_func_eval(state.func_eval(step))
    return state
