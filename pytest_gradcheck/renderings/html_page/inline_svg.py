"""An SVG image that matplotlib wrote, as an element of a page.

It takes the colour of the page for its text, and no style, so that a policy that forbids styles
leaves it as it is. Identifiers are unique in a page with many images.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from pytest_gradcheck.report.inert_text import escaped

__all__ = ["TEXT_COLOUR", "inline_svg"]

#: What is drawn in this colour has that of the page's text.
TEXT_COLOUR = "#010203"

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"

#: A number with more digits than a pixel has parts.
_LONG_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_DEFINITION = re.compile(r"#([\w-]+)")


def inline_svg(image: str, prefix: str, description: str) -> str:
    """Return an image as an element.

    Parameters
    ----------
    image : str
        The SVG file that matplotlib wrote.
    prefix : str
        The beginning of its identifiers in the page.
    description : str
        What it shows, for those who do not see it.
    """
    root = ET.fromstring(image)  # noqa: S314  # written by matplotlib
    used = {
        name
        for element in root.iter()
        for value in element.attrib.values()
        for name in _DEFINITION.findall(value)
    }
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in {f"{SVG}metadata", f"{SVG}style"}:
                parent.remove(child)
    for element in root.iter():
        element.attrib = _attributes(element, used, prefix)
        element.tag = element.tag.removeprefix(SVG)
        if element.tag not in {"tspan", "text"}:
            element.text = None
        element.tail = None
    root.attrib |= {"role": "img", "aria-label": escaped(description), "class": "curve"}
    root.attrib.pop("version", None)
    return ET.tostring(root, encoding="unicode")


def _attributes(element: ET.Element, used: set[str], prefix: str) -> dict[str, str]:
    """Return the attributes of an element, with its style among them."""
    found = {}
    for name, value in element.attrib.items():
        if name == "style":
            for declaration in filter(None, map(str.strip, value.split(";"))):
                key, _, setting = declaration.partition(":")
                found[key.strip()] = setting.strip()
        elif name == "id":
            if value in used:
                found["id"] = f"{prefix}-{value}"
        else:
            found["href" if name == HREF else name] = value
    found.pop("font-family", None)  # that of the page
    return {name: _value(name, value, prefix) for name, value in found.items()}


def _value(name: str, value: str, prefix: str) -> str:
    if value == TEXT_COLOUR:
        return "currentColor"
    if name in {"href", "clip-path"}:
        return _DEFINITION.sub(rf"#{prefix}-\1", value)
    if name in {"id", "viewBox"}:
        return value
    short = _LONG_NUMBER.sub(lambda number: f"{float(number[0]):.1f}", value)
    return " ".join(short.split())
