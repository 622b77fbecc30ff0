"""Hypotheses that each claim is a multiple of the true derivative.

The factor is constant, or it depends on the value of the entry or of the output: the derivative
with respect to another parametrization, or an inner derivative that is missing or used twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from pytest_gradcheck.diagnosis.agreement import Agreement
from pytest_gradcheck.diagnosis.catalogue.quotient import quotient
from pytest_gradcheck.diagnosis.gradient import CheckedCall, ClaimedGradient, Floats
from pytest_gradcheck.diagnosis.hypothesis import Factor, Hypothesis, fitted
from pytest_gradcheck.diagnosis.lazy_arrays import Elementwise

__all__ = ["constant_multiples", "value_multiples"]

MULTIPLE = "consistent with {number} x the true gradient ({agreement}): {cause}"


def constant_multiples(gradient: ClaimedGradient, call: CheckedCall) -> Iterator[Hypothesis]:
    """Yield the hypotheses that all claims have the wrong sign, or a factor in common."""
    claim = gradient.claim
    yield Factor("factor", MULTIPLE, slope=claim)
    if gradient.imaginary.any():
        cause = (
            "a conj() missing, or one too many?"
            if call.other_convention is None
            else f"the other convention? say convention={call.other_convention!r}"
        )
        yield Hypothesis(
            "conjugate",
            f"consistent with the complex conjugate of the true gradient: {cause}",
            Elementwise(
                lambda claim, imaginary: np.where(imaginary, -claim, claim),
                (claim, gradient.imaginary),
            ),
        )


Function = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class Shape:
    """A function of a value by which claims may be multiplied.

    Attributes
    ----------
    text : str
        The function in words, of a value ``{v}``.
    function : callable
        The function.
    causes : mapping of float to str
        What a constant factor in front of it means.
    """

    text: str
    function: Function
    causes: Mapping[float, str] = field(default_factory=dict)


def _softplus(x: Floats) -> Floats:
    return np.asarray(np.logaddexp(0, x))


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)))


def _sigmoid_slope(x: Floats) -> Floats:
    return _sigmoid(x) * _sigmoid(-x)


def _tanh_slope(x: Floats) -> Floats:
    return np.asarray(1 - np.tanh(x) ** 2)


#: Functions of a parameter. The derivative with respect to u(p) is that with respect to p over
#: u'(p); where the inner derivative u'(p) is used twice, claims are u'(p) times too large.
OF_PARAMETER = (
    Shape("{v}", lambda x: x, {1: "the derivative with respect to log {v}"}),
    Shape("1/{v}", lambda x: 1 / x, {0.5: "the derivative with respect to {v}**2"}),
    Shape(
        "sqrt({v})", lambda x: np.sqrt(np.abs(x)), {2: "the derivative with respect to sqrt({v})"}
    ),
    Shape("1/sqrt({v})", lambda x: 1 / np.sqrt(np.abs(x))),
    Shape("{v}**2", lambda x: x**2, {-1: "the derivative with respect to 1/{v}"}),
    Shape("1/{v}**2", lambda x: x**-2.0, {1 / 3: "the derivative with respect to {v}**3"}),
    Shape("exp({v})", np.exp, {1: "the derivative of exp({v}) used twice"}),
    Shape("exp(-{v})", lambda x: np.exp(-x), {1: "the derivative with respect to exp({v})"}),
    Shape("exp(2 {v})", lambda x: np.exp(2 * x)),
    Shape("exp(-2 {v})", lambda x: np.exp(-2 * x)),
    Shape("log({v})", lambda x: np.log(np.abs(x))),
    Shape("1/log({v})", lambda x: 1 / np.log(np.abs(x))),
    Shape(
        "{v} (1 - {v})", lambda x: x * (1 - x), {1: "the derivative with respect to logit({v})"}
    ),
    Shape("1/({v} (1 - {v}))", lambda x: 1 / (x * (1 - x))),
    Shape("cos({v})", np.cos, {1: "the derivative of sin used twice"}),
    Shape("1/cos({v})", lambda x: 1 / np.cos(x), {1: "the derivative of sin missing"}),
    Shape("sin({v})", np.sin, {-1: "the derivative of cos used twice"}),
    Shape("1/sin({v})", lambda x: 1 / np.sin(x), {-1: "the derivative of cos missing"}),
)


def _activation_shapes(name: str, function: Function, slope: Function) -> tuple[Shape, ...]:
    """Return the factors by which the derivative of an activation may be wrong."""
    twice = f"the derivative of {name} used twice"
    missing = f"the derivative of {name} missing"
    side = f"the derivative of {name} at its output instead of its input"
    return (
        Shape(f"{name}'({{v}})", slope, {1: twice}),
        Shape(f"1/{name}'({{v}})", lambda x: 1 / slope(x), {1: missing}),
        Shape(
            f"{name}'({name}({{v}})) / {name}'({{v}})",
            lambda x: slope(function(x)) / slope(x),
            {1: side},
        ),
    )


#: Functions of the input of an activation.
OF_ACTIVATIONS = (
    *_activation_shapes("sigmoid", _sigmoid, _sigmoid_slope),
    *_activation_shapes("tanh", np.tanh, _tanh_slope),
    *_activation_shapes("softplus", _softplus, _sigmoid),
    Shape(
        "{v} (1 - {v}) / sigmoid'({v})",
        lambda x: x * (1 - x) / _sigmoid_slope(x),
        {1: "s (1 - s) of the input instead of the output of a sigmoid"},
    ),
    Shape(
        "(1 - {v}**2) / tanh'({v})",
        lambda x: (1 - x**2) / _tanh_slope(x),
        {1: "1 - t**2 of the input instead of the output of tanh"},
    ),
)

#: Functions of an output.
OF_OUTPUT = (
    Shape("{v}", lambda y: y, {1: "the derivative of {v} for that of log {v}"}),
    Shape("1/{v}", lambda y: 1 / y, {1: "the derivative of log {v} for that of {v}"}),
    Shape("{v}**2", lambda y: y**2, {-1: "the derivative of 1/{v}"}),
    Shape("1/{v}**2", lambda y: y**-2.0),
    Shape("sqrt({v})", lambda y: np.sqrt(np.abs(y))),
    Shape("1/sqrt({v})", lambda y: 1 / np.sqrt(np.abs(y)), {0.5: "the derivative of sqrt({v})"}),
)


@dataclass(frozen=True, slots=True, eq=False)
class ValueFactor(Factor):
    """The claim is a function of a value times the true gradient, and a constant."""

    shape: Shape = OF_PARAMETER[0]
    of: str = ""

    def _text(self, agreement: Agreement) -> str:
        number = fitted(agreement)
        factor = "" if number.value == 1 else f"{number} x "
        function = self.shape.text.replace("{v}", self.of)
        cause = self.shape.causes.get(number.value, "an inner derivative missing, or used twice")
        return (
            f"consistent with {factor}{function} x the true gradient ({{agreement}}): "
            f"{cause.replace('{v}', self.of)}?"
        )


def value_multiples(gradient: ClaimedGradient, call: CheckedCall) -> Iterator[Hypothesis]:
    """Yield the hypotheses that claims have a factor that depends on a value."""
    del call
    if gradient.is_array:
        for shape in OF_PARAMETER:
            yield _multiple(gradient, shape, gradient.parameter, gradient.name)
        for shape in OF_ACTIVATIONS:
            yield _of_activation(gradient, shape)
        yield from _of_rectifiers(gradient)
    if gradient.output is not None:
        for shape in OF_OUTPUT:
            yield replace(_multiple(gradient, shape, gradient.output, "output"), kind="output")


def _multiple(gradient: ClaimedGradient, shape: Shape, value: Floats, name: str) -> Hypothesis:
    slope = _over(gradient, shape, value)
    return ValueFactor("value", "", slope=slope, rank=2, shape=shape, of=name)


def _of_activation(gradient: ClaimedGradient, shape: Shape) -> Hypothesis:
    """Return the hypothesis that the derivative of an activation is wrong, and nothing else."""
    function, (cause,) = shape.text.replace("{v}", gradient.name), shape.causes.values()
    words = f"consistent with {function} x the true gradient ({{agreement}}): {cause}?"
    true = _over(gradient, shape, gradient.parameter)
    return Hypothesis("activation", words, true, rank=2)


def _over(gradient: ClaimedGradient, shape: Shape, value: Floats) -> Elementwise:
    """Return the claims over a function of a value."""
    return Elementwise(
        lambda claim, entries: quotient(claim, shape.function(entries)), (gradient.claim, value)
    )


def _of_rectifiers(gradient: ClaimedGradient) -> Iterator[Hypothesis]:
    """Yield the hypotheses that the mask of a ReLU is missing, or the slope of a leaky one."""
    if gradient.output is None:
        return
    both = gradient.claim, gradient.parameter
    inside = Elementwise(lambda claim, value: np.where(value > 0, claim, 0.0), both)
    yield Hypothesis(
        "activation",
        f"consistent with the true gradient without the mask {gradient.name} > 0 ({{agreement}}): "
        "the derivative of a ReLU missing?",
        inside,
    )
    yield Factor(
        "activation",
        f"consistent with {{number}} x the true gradient where {gradient.name} < 0 "
        "({agreement}): the slope of a leaky ReLU missing, or used twice?",
        inside,
        Elementwise(lambda claim, value: np.where(value > 0, 0.0, claim), both),
        rank=2,
    )
