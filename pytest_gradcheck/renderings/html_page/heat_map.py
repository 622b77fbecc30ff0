"""Pictures of the maps of errors: a PNG image for each plane, one pixel for a cell.

An image is enlarged by the page, so that it takes few bytes. There is one for light and one for
dark pages: the worse an entry, the more it stands out from the background. This module needs
Pillow, which it imports when a picture is made.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_gradcheck.report.report_data import ErrorMap, Plane

__all__ = ["KEY", "HeatMap", "draw_heat_maps", "palette"]

#: What the characters of a map mean, those of a key beside it.
KEY: Mapping[str, str] = {
    "0": "wrong, no digit agrees",
    "1": "1 digit",
    "2": "2 digits",
    "3": "3 or more",
    "x": "in a wrong region",
    "?": "inconclusive",
    "~": "screened, nothing seen",
    ".": "correct",
    "-": "not checked",
}

#: Colours of the characters on a light and on a dark page; further digits fade to the last one.
LIGHT = {
    "0": "#7f0010", "1": "#b3151d", "2": "#d93529", "3": "#ee6a45", "9": "#f3a074",
    "x": "#8e24aa", "?": "#2f6fd0", "~": "#e3e7ec", ".": "#cfe5d2", "-": "#f6f7f9",
}  # fmt: skip
DARK = {
    "0": "#ffb3a3", "1": "#ff7d66", "2": "#f0553f", "3": "#c8402c", "9": "#93372a",
    "x": "#d78af0", "?": "#6ea8ff", "~": "#2e353f", ".": "#1c3a2c", "-": "#1a1f26",
}  # fmt: skip
DIGITS = "0123456789"

#: A wrong entry, or one that may be: what a text about the map names.
NOTABLE = frozenset("0123456789x?")

#: The largest width and height of a picture in pixels, the sides of a cell in pixels, and the
#: shorter side of a single row or column.
SIDE = 320
CELL = (2, 24)
THIN = 20


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A picture of one plane.

    Attributes
    ----------
    light, dark : str
        Images as data URIs.
    width, height : int
        Their size on the page in pixels.
    title : str
        Which plane it is: ``W[:, :, 0, 2]``; the name of the parameter if it has no other.
    text : str
        What is seen, for those who do not see it.
    rows, columns : tuple of str
        Descriptions of the axes: which axis, and the first and the last index.
    """

    light: str
    dark: str
    width: int
    height: int
    title: str
    text: str
    rows: tuple[str, str, str] | None
    columns: tuple[str, str, str]


def palette(colours: Mapping[str, str]) -> Mapping[str, str]:
    """Return a colour for each character: digits in between are mixed.

    Examples
    --------
    >>> palette({"3": "#000000", "9": "#060606", "0": "#ffffff"})["5"]
    '#020202'
    """
    low, high = (bytes.fromhex(colours[end][1:]) for end in "39")
    mixed = {
        str(k): "#"
        + bytes(a + (b - a) * (k - 3) // 6 for a, b in zip(low, high, strict=True)).hex()
        for k in range(4, 9)
    }
    return {**colours, **mixed}


def draw_heat_maps(name: str, error_map: ErrorMap) -> Iterator[HeatMap]:
    """Yield a picture for each plane of a map.

    Parameters
    ----------
    name : str
        The accessor of the parameter.
    error_map : ErrorMap
        Its map.
    """
    for plane in error_map.planes:
        height, width = len(plane.rows), len(plane.rows[0])
        cell = min(max(SIDE // max(height, width), CELL[0]), CELL[1])
        columns = _axis(error_map, -1)
        rows = _axis(error_map, 0) if len(error_map.axes) == 2 else None
        yield HeatMap(
            light=_png(plane.rows, LIGHT),
            dark=_png(plane.rows, DARK),
            width=max(cell * width, THIN),
            height=max(cell * height, THIN),
            title=_title(name, error_map, plane),
            text=_description(error_map, plane),
            rows=rows,
            columns=columns,
        )


def _axis(error_map: ErrorMap, which: int) -> tuple[str, str, str]:
    """Return which axis it is, and the first and the last index on it."""
    axis = error_map.axes[which]
    return f"axis {axis}", "0", f"{error_map.shape[axis] - 1:,}"


def _title(name: str, error_map: ErrorMap, plane: Plane) -> str:
    if plane.index is None:
        return f"{name}, the worst of all other planes"
    if not plane.index:
        return name
    others = iter(plane.index)
    texts = [
        ":" if k in error_map.axes else str(next(others)) for k in range(len(error_map.shape))
    ]
    return f"{name}[{', '.join(texts)}]"


def _description(error_map: ErrorMap, plane: Plane) -> str:
    """Return in words what a plane shows: how many cells, and where the notable ones are."""
    cells = [
        (row, column)
        for row, line in enumerate(plane.rows)
        for column, character in enumerate(line)
        if character in NOTABLE
    ]
    total = sum(map(len, plane.rows))
    if not cells:
        return f"Heat map of {total:,} cells, in none of which an error was found."
    places = [
        f"{name} {_range([cell[k] for cell in cells], error_map.block[k - 2], length)}"
        for k, name, length in _named_axes(error_map)
    ]
    listed = ", ".join(places)
    return f"Heat map of {total:,} cells, {len(cells):,} of them wrong or inconclusive: {listed}."


def _named_axes(error_map: ErrorMap) -> Iterator[tuple[int, str, int]]:
    names = ("rows", "columns") if len(error_map.axes) == 2 else ("", "entries")
    for k, axis in enumerate(error_map.axes, start=2 - len(error_map.axes)):
        yield k, names[k], error_map.shape[axis]


def _range(cells: Sequence[int], block: int, length: int) -> str:
    """Return the entries that cells cover.

    Examples
    --------
    >>> _range([2, 5], 10, 55), _range([3], 1, 9)
    ('20 to 54', '3')
    """
    first, last = min(cells) * block, min((max(cells) + 1) * block, length) - 1
    return f"{first:,}" if first == last else f"{first:,} to {last:,}"


def _png(rows: Sequence[str], colours: Mapping[str, str]) -> str:
    """Return cells as a PNG image in a data URI."""
    from PIL import Image

    chosen = palette(colours)
    numbers = {character: k for k, character in enumerate(chosen)}
    image = Image.new("P", (len(rows[0]), len(rows)))
    image.putdata([numbers[character] for row in rows for character in row])
    image.putpalette(b"".join(bytes.fromhex(colour[1:]) for colour in chosen.values()))
    file = io.BytesIO()
    image.save(file, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
