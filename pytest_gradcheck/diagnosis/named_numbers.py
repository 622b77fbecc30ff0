"""Names for a number: a simple fraction, a size or a number of the call, or a constant.

The name with the shortest description wins. Its cost is the number of digits that it takes to
choose it among the others: a number that is known to fewer digits could have a name by chance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

__all__ = ["NamedNumber", "Number", "Numbers"]

#: The largest integer that is recognized, and the largest numerator or denominator of a fraction.
LARGEST_INTEGER = 10_000_000
LARGEST_TERM = 12

#: Numbers that are known no better than this are equal, relatively.
RESOLUTION = 1e-9

#: A number has a name where the two differ by at most so many times its uncertainty.
UNCERTAINTIES = 4.0

#: Integers up to this one stand in formulas, and need not be the size of anything.
SMALL_INTEGER = 2

#: Fractions of numbers up to this one, as 3/2 and 4/3, stand in formulas as well.
FEW = 5

#: A name that takes so many digits fewer than the number is known to is no chance.
GAIN = 1.0

#: The most numbers of a call that are used.
MOST_NUMBERS = 24

#: Numbers that stand in many formulas.
CONSTANTS = {
    "pi": math.pi,
    "2 pi": 2 * math.pi,
    "1 / pi": 1 / math.pi,
    "1 / (2 pi)": 1 / (2 * math.pi),
    "sqrt(2 pi)": math.sqrt(2 * math.pi),
    "1 / sqrt(2 pi)": 1 / math.sqrt(2 * math.pi),
    "180 / pi": 180 / math.pi,
    "pi / 180": math.pi / 180,
    "ln 2": math.log(2),
    "1 / ln 2": 1 / math.log(2),
    "ln 10": math.log(10),
    "1 / ln 10": 1 / math.log(10),
    "sqrt(2)": math.sqrt(2),
    "1 / sqrt(2)": math.sqrt(0.5),
    "sqrt(2 / pi)": math.sqrt(2 / math.pi),
    "2 / sqrt(pi)": 2 / math.sqrt(math.pi),
}


@dataclass(frozen=True, slots=True)
class NamedNumber:
    """A size or a number of the call: ``NamedNumber("len(X)", 8)``."""

    name: str
    value: float
    is_size: bool = False


@dataclass(frozen=True, slots=True)
class Number:
    """A number that was fitted, and what it is called.

    Attributes
    ----------
    value : float
        Its value; exact where it has a name.
    text : str
        How it is written: ``8``, ``1/64``, ``0.01``.
    name : str
        What it is called in the call: ``len(X)``, ``180 / pi``; empty if nothing.
    cost : float
        The digits that choosing its name takes; infinite where it has none.
    """

    value: float
    text: str
    name: str = ""
    cost: float = math.inf

    def __str__(self) -> str:
        return f"{self.text} = {self.name}" if self.name else self.text


class Numbers:
    """The numbers of a call, with simple expressions of them.

    Parameters
    ----------
    given : sequence of NamedNumber
        Sizes and numbers of the call.

    Examples
    --------
    >>> numbers = Numbers([NamedNumber("len(X)", 8, is_size=True), NamedNumber("reg", 0.1)])
    >>> print(numbers.recognize(0.125, 1e-12), numbers.recognize(-0.8, 1e-12), sep=", ")
    1/8 = 1 / len(X), -4/5
    >>> print(numbers.recognize(1.0734123, 1e-12))
    1.07341
    """

    def __init__(self, given: Sequence[NamedNumber]) -> None:
        distinct = {n.value: n for n in reversed(given) if n.value > 0 and n.value != 1}
        useful = list(reversed(distinct.values()))[:MOST_NUMBERS]
        useful.sort(key=lambda number: not number.is_size)
        plain = [form for number in useful for form in _plain_forms(number)]
        single = [form for number in useful for form in _forms(number)]
        double = [form for pair in _pairs(useful) for form in pair]
        constants = [(value, name) for name, value in CONSTANTS.items()]
        forms = [*plain, *single, *constants, *double]
        simple = len(forms) - len(double)
        self._names = [name for _, name in forms]
        self._values = np.array([value for value, _ in forms])
        self._costs = np.full(len(forms), 1 + math.log10(len(forms)))
        self._costs[:simple] = 1 + math.log10(simple)
        self._plain, self._simple = len(plain), simple
        self._weights = [number for number in useful if not number.is_size]
        self._own = {number.name for number in self._weights}

    def recognize_weight(self, value: float, uncertainty: float) -> Number:
        """Return a number with the name of a weight of the call, if it has one, or another name.

        Examples
        --------
        >>> numbers = Numbers([NamedNumber("len(X)", 5, is_size=True), NamedNumber("reg", 0.1)])
        >>> print(numbers.recognize_weight(0.2, 1e-12), numbers.recognize(0.2, 1e-12), sep=", ")
        0.2 = 2 reg, 1/5 = 1 / len(X)
        """
        found = self.recognize(value, uncertainty)
        if _is_decimal(found.value):
            found = replace(found, text=f"{found.value:.6g}")
        margin = max(UNCERTAINTIES * uncertainty, RESOLUTION) * abs(value)
        for weight in self._weights:
            for form, name in (
                (weight.value, weight.name),
                (2 * weight.value, f"2 {weight.name}"),
                (weight.value / 2, f"{weight.name} / 2"),
            ):
                if abs(form - abs(value)) <= margin:
                    return replace(found, name=f"-{name}" if value < 0 else name)
        return found

    def recognize(self, value: float, uncertainty: float) -> Number:
        """Return a number with its name, if it has one within its relative uncertainty.

        Nearly every number has a name that takes as many digits as it is known to.
        """
        named = self._named(value, uncertainty)
        known = -math.log10(max(uncertainty, RESOLUTION))
        if math.isinf(named.cost) or named.cost + GAIN <= known:
            return named
        return Number(value, f"{value:.6g}")

    def _named(self, value: float, uncertainty: float) -> Number:
        margin = max(UNCERTAINTIES * uncertainty, RESOLUTION)
        fraction = simple_fraction(value, margin)
        sign = "-" if value < 0 else ""
        near = np.flatnonzero(np.abs(self._values - abs(value)) <= margin * abs(value))
        if fraction is not None:
            return self._named_fraction(fraction, sign, near)
        if near.size:
            best = int(near[np.argmin(self._costs[near])])
            exact = math.copysign(float(self._values[best]), value)
            name, cost = sign + self._names[best], float(self._costs[best])
            return Number(exact, f"{exact:.6g}", name, cost)
        return Number(value, f"{value:.6g}")

    def _named_fraction(self, fraction: Fraction, sign: str, near: NDArray[np.intp]) -> Number:
        """Return a fraction with the first name that it has, if that is no longer than itself.

        Many expressions have the value of a simple fraction by chance.
        """
        value, terms = float(fraction), max(abs(fraction.numerator), fraction.denominator)
        cost = 1 + math.log10(abs(fraction.numerator) * fraction.denominator)
        usual = near < (self._plain if terms <= LARGEST_TERM else self._simple)
        is_short = terms <= LARGEST_TERM or _is_decimal(value)
        names = near[usual] if is_short else near[usual | (self._costs[near] < cost)]
        if terms <= SMALL_INTEGER or not names.size:
            return Number(value, str(fraction), "", cost)
        name = self._names[names[0]]
        text = f"{value:.6g}" if name in self._own else str(fraction)
        return Number(value, text, sign + name, cost)


def _plain_forms(number: NamedNumber) -> Iterator[tuple[float, str]]:
    """Yield a number and its reciprocal; of a size also what a degree of freedom makes of it."""
    value, name = number.value, number.name
    yield value, name
    yield 1 / value, f"1 / {name}"
    if number.is_size and value > FEW:
        yield value / (value - 1), f"{name} / ({name} - 1)"
        yield (value - 1) / value, f"({name} - 1) / {name}"


def _forms(number: NamedNumber) -> Iterator[tuple[float, str]]:
    """Yield other simple expressions of one number, with their values."""
    value, name = number.value, number.name
    yield math.sqrt(value), f"sqrt({name})"
    yield 1 / math.sqrt(value), f"1 / sqrt({name})"
    yield 2 * value, f"2 {name}"
    yield value / 2, f"{name} / 2"
    yield 2 / value, f"2 / {name}"
    yield 1 / (2 * value), f"1 / (2 {name})"
    if value < 1:
        yield 1 - value, f"1 - {name}"
        yield 1 / (1 - value), f"1 / (1 - {name})"
    elif number.is_size:
        yield value - 1, f"{name} - 1"
        yield 1 / (value - 1), f"1 / ({name} - 1)"
    else:
        square = value * value  # of a large number inf; value**2 would raise
        yield square, f"{name}**2"
        yield 1 / square, f"1 / {name}**2"


def _pairs(numbers: Sequence[NamedNumber]) -> Iterator[list[tuple[float, str]]]:
    """Yield simple expressions of a number and a size, or of two sizes."""
    sizes = [number for number in numbers if number.is_size]
    for size in sizes:
        n = size.name
        for other in numbers:
            if other is size:
                continue
            a, quotient = other.name, other.value / size.value
            yield [(quotient, f"{a} / {n}")]
            if not other.is_size:
                yield [
                    (2 * quotient, f"2 {a} / {n}"),
                    (quotient / 2, f"{a} / (2 {n})"),
                    (other.value * size.value, f"{a} * {n}"),
                    (other.value - quotient, f"{a} (1 - 1 / {n})"),
                    (2 * (other.value - quotient), f"2 {a} (1 - 1 / {n})"),
                ]
            elif other.name < n:
                product = other.value * size.value
                yield [(product, f"{a} * {n}"), (1 / product, f"1 / ({a} * {n})")]


def _is_decimal(value: float) -> bool:
    """Return whether a number has one or two digits and a power of ten, as people write them."""
    return float(f"{value:.1e}") == value


def simple_fraction(number: float, margin: float) -> Fraction | None:
    """Return the simple fraction within the relative `margin` of a number, if there is one.

    Examples
    --------
    >>> simple_fraction(0.33333333333, 1e-9), simple_fraction(0.3173, 1e-9)
    (Fraction(1, 3), None)
    """
    if not 1 / LARGEST_INTEGER <= abs(number) <= LARGEST_INTEGER:
        return None
    near = Fraction(number).limit_denominator(LARGEST_TERM)
    candidates = [Fraction(round(number)), Fraction(1, round(1 / number) or 1)]
    if abs(near.numerator) <= LARGEST_TERM:
        candidates.append(near)
    for candidate in candidates:
        if candidate and abs(float(candidate) / number - 1) <= margin:
            return candidate
    return None
