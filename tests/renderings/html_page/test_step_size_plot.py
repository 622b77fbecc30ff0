"""Pictures of step-size curves."""

import math
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from pytest_gradcheck import StepCurve
from pytest_gradcheck.renderings.html_page.step_size_plot import (
    BACKWARD,
    BOUND,
    CENTRAL,
    GUIDE,
    SIDES,
    draw_step_curve,
)
from tests.renderings.html_page.colours import GRAPHICS, contrast
from tests.report.builders import entry

STEPS = tuple(0.3 * 4.0**-k for k in range(20))
CURVE = StepCurve(
    entry=entry(numerical=1.0, bound=1e-9, step=1e-4, backward=2.0),
    steps=STEPS,
    central=tuple(1 + h**2 + 1e-16 / h for h in STEPS),
    right=tuple(1 + h for h in STEPS),
    left=tuple(1 - h for h in STEPS),
)


def labels(curve: StepCurve) -> set[str]:
    """Return the texts in a picture, which is well-formed."""
    root = ET.fromstring(draw_step_curve(curve, "p").svg)  # noqa: S314  # our own
    found = ("".join(element.itertext()).strip() for element in root.iter("text"))
    return {text for text in found if not text.lstrip("1").startswith("e")}


def test_a_curve_has_both_slopes_the_step_and_the_bound() -> None:
    """And the distance of backward."""
    assert labels(CURVE) >= {"h\u00b2", "1/h", "step 0.0001", "bound 1e-09",
                             "backward is off by 1", "step h"}  # fmt: skip


def test_the_picture_in_words() -> None:
    """For those who do not see it."""
    text = draw_step_curve(CURVE, "p").text
    assert text.startswith("Error of central differences of W[0, 1] against the step.")
    assert text.endswith("with a bound of 1e-09; backward is off by 1.")


@pytest.mark.parametrize(
    "curve",
    [
        replace(CURVE, central=(math.nan,) * 20, right=(math.inf,) * 20, left=(math.nan,) * 20),
        replace(CURVE, entry=replace(CURVE.entry, numerical=math.nan, bound=math.inf)),
        replace(CURVE, entry=replace(CURVE.entry, backward=math.inf)),
        replace(CURVE, entry=replace(CURVE.entry, bound=0.0, step=0.0)),
        replace(CURVE, central=(1.0,) * 20, right=(1.0,) * 20, left=(1.0,) * 20),
        replace(CURVE, central=(1e300,) * 20, entry=replace(CURVE.entry, numerical=-1e300)),
        replace(CURVE, steps=tuple(h * 1e-250 for h in STEPS)),
    ],
    ids=["undefined", "no derivative", "infinite", "zero bound", "exact", "huge", "tiny steps"],
)
def test_numbers_of_every_kind_are_drawn(curve: StepCurve) -> None:
    """There is always a picture with its axes."""
    assert "step h" in labels(curve)


def test_no_law_is_drawn_where_none_holds() -> None:
    """The differences of a function with a jump follow neither."""
    noisy = replace(CURVE, central=tuple(1 + 10.0 ** (7 * k % 11 - 11) for k in range(20)))
    assert not {"h\u00b2", "1/h"} & labels(noisy)


def test_a_picture_takes_its_text_colour_from_the_page() -> None:
    """It has no style, and no colour of text of its own but those that mean something."""
    svg = draw_step_curve(CURVE, "p").svg
    assert "style" not in svg
    assert 'fill="currentColor"' in svg
    assert "#010203" not in svg
    assert "#000000" not in svg


def test_lines_stand_out_in_both_themes() -> None:
    """From the background of a light and of a dark page."""
    for colour in (CENTRAL, SIDES, BACKWARD, BOUND, GUIDE):
        for background in ("#ffffff", "#171c23"):
            assert contrast(colour, background) >= GRAPHICS
