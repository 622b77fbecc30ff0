"""Pictures of maps, one pixel for a cell."""

import base64
import io

from PIL import Image

from pytest_gradcheck import ErrorMap, Plane
from pytest_gradcheck.renderings.html_page.heat_map import (
    DARK,
    KEY,
    LIGHT,
    draw_heat_maps,
    palette,
)
from tests.renderings.html_page.colours import GRAPHICS, contrast

MATRIX = ErrorMap((40, 30), (0, 1), (10, 10), (Plane((), ("...", ".05", ".~?", "-x.")),), 0)


def pixels(uri: str) -> list[list[str]]:
    """Return the colours of an image."""
    data = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    image = Image.open(io.BytesIO(data)).convert("RGB")
    colours = [
        "#" + image.tobytes()[k : k + 3].hex() for k in range(0, 3 * image.width * image.height, 3)
    ]
    return [colours[k : k + image.width] for k in range(0, len(colours), image.width)]


def test_each_cell_is_a_pixel_of_its_colour() -> None:
    """In both themes."""
    (found,) = draw_heat_maps("W", MATRIX)
    for uri, colours in ((found.light, palette(LIGHT)), (found.dark, palette(DARK))):
        expected = [[colours[character] for character in row] for row in MATRIX.planes[0].rows]
        assert pixels(uri) == expected


def test_the_picture_in_words() -> None:
    """How much is wrong, and between which entries."""
    (found,) = draw_heat_maps("W", MATRIX)
    assert found.text == (
        "Heat map of 12 cells, 4 of them wrong or inconclusive: rows 10 to 39, columns 10 to 29."
    )
    (right,) = draw_heat_maps("W", ErrorMap((2,), (0,), (1,), (Plane((), ("..",)),), 0))
    assert right.text == "Heat map of 2 cells, in none of which an error was found."


def test_planes_have_the_accessor_of_what_they_show() -> None:
    """The axes in the plane are colons."""
    planes = (Plane((1, 2), ("0.",)), Plane(None, ("..",)))
    first, rest = draw_heat_maps("K", ErrorMap((3, 1, 2, 3), (1, 2), (1, 1), planes, 0))
    assert first.title == "K[1, :, :, 2]"
    assert rest.title == "K, the worst of all other planes"
    assert first.rows == ("axis 1", "0", "0")
    assert first.columns == ("axis 2", "0", "1")


def test_sizes_fit_a_phone() -> None:
    """Small planes are enlarged."""
    for rows in (("." * 128,), ("." * 64,) * 64, (".",), ("..",) * 64):
        shape = (len(rows), len(rows[0]))
        (found,) = draw_heat_maps("W", ErrorMap(shape, (0, 1), (1, 1), (Plane((), rows),), 0))
        assert min(found.width, found.height) >= 20
        assert max(found.width, found.height) <= 330


def test_wrong_cells_differ_from_right_ones_by_their_lightness() -> None:
    """Not by colour alone: by at least 3 to 1, but for slight errors."""
    for colours in (LIGHT, DARK):
        for wrong in "012x?":
            for right in ".~-":
                assert contrast(colours[wrong], colours[right]) >= GRAPHICS, (wrong, right)
    assert set(LIGHT) - {"9"} == set(DARK) - {"9"} == set(KEY)
