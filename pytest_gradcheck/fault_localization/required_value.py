"""What a statement of backward has to make at one of its executions, for gradients to be right.

It does not know how that was found, or how the statement is to be changed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.fault_localization.execution.statements import Statement
from pytest_gradcheck.fault_localization.execution.variables import Path, is_array, is_number

__all__ = ["RequiredValue"]


@dataclass(frozen=True, slots=True)
class RequiredValue:
    """The value that a variable has to have after an execution of a statement.

    Attributes
    ----------
    statement : Statement
        The statement.
    occurrence : int
        How often it is executed before.
    path : Path
        The variable.
    value : ndarray
        What it has to be.
    """

    statement: Statement
    occurrence: int
    path: Path
    value: NDArray[np.float64]

    @property
    def observe(self) -> Callable[[Any, FrameType], Any] | None:
        """What returns the value that the variable will have, None where that is not simple.

        ``observe(assigned, frame) -> value`` is given what the statement is about to assign.
        """
        if self.path.accessors or len(self.statement.nodes) != 1:
            return None
        node, name = self.statement.nodes[0], self.path.name
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name) and target.id == name:
                return lambda assigned, _: assigned
            names = [getattr(e, "id", "") for e in getattr(target, "elts", ())]
            if name in names and isinstance(node.value, ast.Call):
                return lambda assigned, _: assigned[names.index(name)]
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            if isinstance(node.op, ast.Add):
                return lambda added, frame: frame.f_locals[name] + added
            if isinstance(node.op, ast.Sub):
                return lambda added, frame: frame.f_locals[name] - added
        return None

    def entries(self, value: Any) -> NDArray[np.float64] | None:
        """Return the entries of a value of the variable, None where it has another shape."""
        if not (is_array(value) or is_number(value)) or np.shape(value) != self.value.shape:
            return None
        return np.asarray(value, dtype=np.float64).reshape(-1)
