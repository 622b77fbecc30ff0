"""SVG images as elements of a page."""

from pytest_gradcheck.renderings.html_page.inline_svg import inline_svg

IMAGE = """<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
     viewBox="0 0 330.25 223" version="1.1">
 <metadata>a tool</metadata>
 <defs><style>*{fill: red}</style></defs>
 <g id="axes_1" clip-path="url(#c1)">
  <defs><clipPath id="c1"><path id="m1" d="M 1.23456 2
L 3 4" style="stroke: #010203; font-family: 'DejaVu Sans'"/></clipPath></defs>
  <use xlink:href="#m1" style="fill: #2b7fd6"/>
  <text><tspan>1 &lt; 2</tspan></text>
 </g>
</svg>"""


def test_an_image_is_an_element_without_style() -> None:
    """Styles are attributes, numbers are short, and unused identifiers are gone."""
    assert inline_svg(IMAGE, "f1", "a <picture>") == (
        '<svg viewBox="0 0 330.25 223" role="img" aria-label="a &lt;picture&gt;" class="curve">'
        "<defs />"
        '<g clip-path="url(#f1-c1)"><defs><clipPath id="f1-c1">'
        '<path id="f1-m1" d="M 1.2 2 L 3 4" stroke="currentColor" /></clipPath></defs>'
        '<use href="#f1-m1" fill="#2b7fd6" />'
        "<text><tspan>1 &lt; 2</tspan></text></g></svg>"
    )
