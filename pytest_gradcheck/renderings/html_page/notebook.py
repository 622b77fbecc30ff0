"""A report as a cell of a notebook: its message, and the heat maps of the page.

The maps need Pillow; without it, there is the message alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from importlib.util import find_spec

from pytest_gradcheck.renderings.html_page.heat_map import draw_heat_maps
from pytest_gradcheck.report.message import render_text
from pytest_gradcheck.report.report_data import ReportData

__all__ = ["report_html"]


def report_html(report: ReportData) -> str:
    """Return a report as HTML without scripts or styles of a page.

    Parameters
    ----------
    report : ReportData
        The report of a check that passed or failed.
    """
    maps = list(_maps(report)) if find_spec("PIL") is not None else []
    pictures = f'<div style="display:flex;flex-wrap:wrap;gap:1em">{"".join(maps)}</div>'
    return f"<pre>{escape(render_text(report))}</pre>{pictures if maps else ''}"


def _maps(report: ReportData) -> Iterator[str]:
    """Yield the heat maps of parameters as figures."""
    for parameter in report.parameters:
        if parameter.error_map is None:
            continue
        for picture in draw_heat_maps(parameter.name, parameter.error_map):
            yield (
                f'<figure style="margin:0"><img src="{picture.light}" width="{picture.width}" '
                f'height="{picture.height}" alt="{escape(picture.text)}" '
                'style="image-rendering:pixelated">'
                f"<figcaption><code>{escape(picture.title)}</code></figcaption></figure>"
            )
