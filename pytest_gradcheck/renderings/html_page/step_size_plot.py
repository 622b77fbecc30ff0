"""Pictures of step-size curves: the error of a difference against its step, on log scales.

The error of a central difference falls like h^2 while truncation dominates, and grows like 1/h
where rounding does (P. E. Gill, W. Murray, M. H. Wright, Practical Optimization, 1981, section
8.6). The step that was chosen lies between; the bound is below the distance of backward where
that is wrong. This module needs matplotlib, which it imports when a picture is made.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from pytest_gradcheck.renderings.html_page.inline_svg import TEXT_COLOUR, inline_svg
from pytest_gradcheck.report.formatting import format_number
from pytest_gradcheck.report.report_data import StepCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CurvePicture", "draw_step_curve"]

#: Inches of a figure, and points of its text.
SIZE = (4.6, 3.1)
FONT_SIZE = 10.0

#: Colours of lines, which stand out from a light and from a dark page.
CENTRAL, SIDES, BACKWARD, BOUND, GUIDE = "#2b7fd6", "#8a8f98", "#d6453d", "#2a9a5b", "#9a7b1f"

#: The smallest decade that is drawn below the bound, and the most ticks of an axis.
DECADES_BELOW = 3
MOST_TICKS = 7

#: How truncation grows with the step h, and rounding falls.
RISING, FALLING = "h\u00b2", "1/h"

#: A line is drawn if so many points are this close to it, in decades.
LEAST_POINTS = 3
ALIKE = 0.3

#: The logarithms of a step and of an error.
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class CurvePicture:
    """A picture of a curve.

    Attributes
    ----------
    name : str
        The entry.
    svg : str
        The picture, an element of the page.
    text : str
        What is seen.
    """

    name: str
    svg: str
    text: str


def draw_step_curve(curve: StepCurve, prefix: str) -> CurvePicture:
    """Return the picture of a curve.

    Parameters
    ----------
    curve : StepCurve
        The curve.
    prefix : str
        The beginning of its identifiers in the page.
    """
    text = _description(curve)
    return CurvePicture(curve.entry.name, inline_svg(_figure(curve), prefix, text), text)


def _description(curve: StepCurve) -> str:
    entry, central = curve.entry, _errors(curve, curve.central)
    if not math.isfinite(entry.numerical):
        return (
            f"Size of the central differences of {entry.name} against the step: no derivative "
            "was measured."
        )
    closest = ""
    if central:
        step, error = min(central, key=lambda point: point[1])
        closest = f" It is smallest, {_short(10**error)}, at a step of {_short(10**step)}."
    return (
        f"Error of central differences of {entry.name} against the step.{closest} The derivative "
        f"was extrapolated at a step of {_short(entry.step)} with a bound of "
        f"{_short(entry.bound)}; backward is off by {_short(_distance(curve))}."
    )


def _short(value: float) -> str:
    return format_number(value, 2).removesuffix(".0")


def _distance(curve: StepCurve) -> float:
    return abs(curve.entry.backward - curve.entry.numerical)


def _errors(curve: StepCurve, differences: Sequence[float]) -> list[Point]:
    """Return the errors of differences at all steps where these are defined.

    They are distances from the measured derivative, or from zero where there is none.
    """
    numerical = curve.entry.numerical
    reference = numerical if math.isfinite(numerical) else 0.0
    pairs = ((step, abs(d - reference)) for step, d in zip(curve.steps, differences, strict=True))
    return [(_decades(step), _decades(error)) for step, error in pairs if error < math.inf]


def _decades(value: float) -> float:
    """Return the logarithm to base 10, also of zero."""
    return math.log10(value) if value > 0 else -math.inf


def _figure(curve: StepCurve) -> str:
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "gradcheck",
                             "text.parse_math": False, "font.size": FONT_SIZE})  # fmt: skip
        figure = Figure(figsize=SIZE)
        figure.patch.set_alpha(0)
        FigureCanvasSVG(figure)
        axes = figure.add_axes((0.16, 0.16, 0.825, 0.765))
        _draw(axes, curve)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def _draw(axes: Axes, curve: StepCurve) -> None:
    """Draw a curve: its errors, what they follow, and what was concluded from them."""
    central = _errors(curve, curve.central)
    low, high = _error_range(curve, central)
    _set_up(axes, curve, low, high)
    for differences in (curve.right, curve.left):
        _plot(axes, _errors(curve, differences), low, color=SIDES, linewidth=0.9, linestyle=":")
    _plot(axes, central, low, color=CENTRAL, linewidth=1.4, marker="o", markersize=3.2)
    for label, line in _laws(central, low, high):
        _plot(axes, line, low, color=GUIDE, linewidth=1.0, linestyle=(0, (5, 3)))
        step, error = (sum(ends) / 2 for ends in zip(*line, strict=True))
        _label(axes, (step, error), label, right=label == FALLING)
    entry, (first, last) = curve.entry, _step_range(curve)
    marks = [(entry.bound, BOUND, "bound", False)]
    if not _distance(curve) <= entry.bound:
        marks.append((_distance(curve), BACKWARD, "backward is off by", True))
    for value, colour, label, is_above in marks:
        if math.isfinite(_decades(value)):
            axes.axhline(_decades(value), color=colour, linewidth=1.3)
            place = (first, _decades(value))
            _label(axes, place, f"{label} {_short(value)}", above=is_above)
    if math.isfinite(entry.numerical) and entry.step > 0:
        step = _decades(entry.step)
        axes.axvline(step, color=BOUND, linewidth=1.1, linestyle=(0, (2, 2)))
        is_left = step < (first + last) / 2
        _label(axes, (step, high), f"step {_short(entry.step)}", right=is_left)


def _label(axes: Axes, place: Point, text: str, *, above: bool = True, right: bool = True) -> None:
    """Write a text beside a point."""
    axes.annotate(
        text,
        place,
        xytext=(5 if right else -5, 3 if above else -4),
        textcoords="offset points",
        color=TEXT_COLOUR,
        ha="left" if right else "right",
        va="bottom" if above else "top",
    )


def _step_range(curve: StepCurve) -> tuple[float, float]:
    """Return the smallest and the largest step, in decades."""
    return _decades(curve.steps[-1]), _decades(curve.steps[0])


def _error_range(curve: StepCurve, central: Sequence[Point]) -> tuple[float, float]:
    """Return the smallest and the largest error in the picture, in decades."""
    bound = _decades(curve.entry.bound)
    values = [*(error for _, error in central), bound, _decades(_distance(curve))]
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    low = min(finite)
    if math.isfinite(bound):
        low = max(low, bound - DECADES_BELOW)
    return low - 1.5, max(finite) + 1


def _set_up(axes: Axes, curve: StepCurve, low: float, high: float) -> None:
    """Set the limits, the ticks and the labels of both axes."""
    is_measured = math.isfinite(curve.entry.numerical)
    first, last = _step_range(curve)
    axes.set_xlim(first - 0.3, last + 0.3)
    axes.set_ylim(low, high)
    axes.set_xticks(*_ticks(first, last))
    axes.set_yticks(*_ticks(low, high))
    axes.set_xlabel("step h", labelpad=1)
    axes.set_ylabel("error of the difference" if is_measured else "difference", labelpad=1)
    axes.patch.set_alpha(0)
    axes.grid(color=SIDES, linewidth=0.4, alpha=0.35)
    axes.tick_params(colors=TEXT_COLOUR, length=3)
    for text in (axes.xaxis.label, axes.yaxis.label):
        text.set_color(TEXT_COLOUR)
    for name, spine in axes.spines.items():
        spine.set_visible(name in {"left", "bottom"})
        spine.set_color(TEXT_COLOUR)


def _ticks(low: float, high: float) -> tuple[list[int], list[str]]:
    """Return some of the whole decades in an interval, and their labels.

    Examples
    --------
    >>> _ticks(-12.3, 0.2)
    ([-12, -9, -6, -3, 0], ['1e-12', '1e-9', '1e-6', '1e-3', '1'])
    """
    stride = 1 if high - low <= MOST_TICKS else 3 * math.ceil((high - low) / MOST_TICKS / 3)
    decades = list(range(math.ceil(low / stride) * stride, math.floor(high) + 1, stride))
    return decades, ["1" if k == 0 else f"1e{k}" for k in decades]


def _plot(axes: Axes, points: Sequence[Point], low: float, **style: Any) -> None:
    """Draw a line through points; those below the picture are at its edge."""
    steps, errors = [step for step, _ in points], [max(error, low) for _, error in points]
    axes.plot(steps, errors, **style)


def _laws(central: Sequence[Point], low: float, high: float) -> Iterator[tuple[str, list[Point]]]:
    """Yield straight lines of slope 2 and -1 where errors follow them: truncation and rounding."""
    if not central:
        return
    smallest = min(range(len(central)), key=lambda k: central[k][1])
    for label, slope, part in (
        (RISING, 2, central[: smallest + 1]),
        (FALLING, -1, central[smallest:]),
    ):
        heights = [error - slope * step for step, error in part]
        height = median(heights)
        if sum(abs(other - height) < ALIKE for other in heights) >= LEAST_POINTS:
            ends = [min(max(height + slope * part[k][0], low), high) for k in (0, -1)]
            yield label, [((error - height) / slope, error) for error in ends]
