"""Objectives of boosting libraries: gradient and diagonal of the Hessian in one function.

XGBoost, LightGBM and CatBoost take a function of predictions and labels that returns both. It is
checked by two checks, of the gradient of the loss and of the derivative of the gradient; with
several classes by one for each class, since only the diagonal of the Hessian is returned.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any, Unpack

import numpy as np

from pytest_gradcheck.binding.call.signature import name_of
from pytest_gradcheck.check.assertions import gradcheck
from pytest_gradcheck.errors import GradcheckUsageError, hide_own_errors
from pytest_gradcheck.options import GivenOptions
from pytest_gradcheck.report.report import Report

__all__ = ["check_objective"]

Objective = Callable[..., Any]


def check_objective(
    loss: Callable[..., Any],
    objective: Objective,
    *args: Any,
    predictions: int = 0,
    **options: Unpack[GivenOptions],
) -> tuple[Report, ...]:
    """Assert that an objective returns the gradient and the diagonal of the Hessian of a loss.

    Parameters
    ----------
    loss : callable
        ``loss(*args)`` returns the loss, of each row or of all.
    objective : callable
        ``objective(*args) -> (gradient, hessian)``, both of the shape of the predictions: (n,),
        or (n, k) for k classes.
    *args : Any
        The arguments of both, among them the predictions.
    predictions : int
        Which of them: 0 as XGBoost passes them, 1 after the labels as the estimators of
        scikit-learn do.
    **options : Any
        As for `gradcheck`.

    Returns
    -------
    tuple of Report
        Of the gradient, and of the second derivatives: one, or one for each class.

    Raises
    ------
    GradcheckError
        If a derivative is wrong.
    GradcheckUsageError
        If the objective returns something else.

    Examples
    --------
    >>> def loss(predictions, labels):
    ...     return np.logaddexp(0, predictions) - labels * predictions
    >>> def objective(predictions, labels):
    ...     p = 1 / (1 + np.exp(-predictions))
    ...     return p - labels, p * (1 - p)
    >>> len(check_objective(loss, objective, np.array([0.3, -1.2]), np.array([1, 0])))
    2
    """
    __tracebackhide__ = hide_own_errors
    point = np.asarray(args[predictions], dtype=np.float64)
    _refuse_shapes(objective, args, point.shape)

    def with_predictions(values: Any) -> list[Any]:
        return [*args[:predictions], values, *args[predictions + 1 :]]

    def total(predictions: Any) -> Any:
        return np.sum(loss(*with_predictions(predictions)))

    def part(which: int, k: int | None = None) -> Callable[..., Any]:
        """Return the gradient or the second derivative, of one class or of all."""

        def derivative(predictions: Any) -> Any:
            if k is None:
                return objective(*with_predictions(predictions))[which]
            values = point.copy()
            values[:, k] = predictions
            return objective(*with_predictions(values))[which][:, k]

        kind = ("gradient", "Hessian")[which]
        of_class = "" if k is None else f", class {k}"
        return _named(f"the {kind} of {name_of(objective)}{of_class}", derivative, objective)

    loss_of_all = _named(name_of(loss), total, loss)
    first = gradcheck(loss_of_all, part(0), point, **options)
    if point.ndim == 1:
        return first, gradcheck(part(0), part(1), point, **options)

    def second_of_class(k: int) -> Report:
        __tracebackhide__ = hide_own_errors
        return gradcheck(part(0, k), part(1, k), point[:, k], **options)

    return first, *map(second_of_class, range(point.shape[1]))


def _named(name: str, function: Callable[..., Any], of: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function under a name, which the report finds where `of` is defined."""
    function.__name__ = function.__qualname__ = name
    function.__dict__["__signature__"] = inspect.signature(function)
    function.__dict__["__wrapped__"] = of
    return function


def _refuse_shapes(objective: Objective, args: Any, shape: tuple[int, ...]) -> None:
    __tracebackhide__ = hide_own_errors
    found = objective(*args)
    shapes = [np.shape(part) for part in found] if isinstance(found, (tuple, list)) else []
    if len(shape) in (1, 2) and shapes == [shape, shape]:
        return
    returned = " and ".join(f"shape {each}" for each in shapes) or type(found).__name__
    is_flat = len(shapes) == 2 and all(math.prod(each) == math.prod(shape) for each in shapes)
    advice = (
        " They have as many entries: if they are in its order, pass lambda *args: "
        f"[part.reshape({shape}) for part in {name_of(objective)}(*args)]."
        if is_flat
        else ""
    )
    raise GradcheckUsageError(
        f"{name_of(objective)} must return a gradient and a diagonal of the Hessian, both of "
        f"the shape of the predictions, {shape}, with one or two axes; it returned "
        f"{returned}.{advice}"
    )
