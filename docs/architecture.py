"""Draw the map of the package from its import contract.

``python docs/architecture.py`` reads the layers in ``pyproject.toml`` and the
import statements of the package. It writes ``docs/contributing/architecture.svg``
and the table of imports in ``docs/contributing/architecture.md``. A test
compares both, so that the map stays true.

Import Linter checks the same contract; it does not draw it. Graphviz and Mermaid
draw, but need a program or a script from the network where the page is read.
"""

import ast
import tomllib
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).parents[1]
PACKAGE = "pytest_gradcheck"
DIAGRAM = ROOT / "docs/contributing/architecture.svg"
PAGE = ROOT / "docs/contributing/architecture.md"

#: Around the table of imports in the page.
MARKERS = ("<!-- imports -->\n", "<!-- end -->")

#: Where a room lies in its row, in columns from the left. The contract decides on the rows.
COLUMNS = {
    "plugin": (0.0, 9.5),
    "__main__": (9.7, 12.0),
    "pytest_integration": (0.0, 12.0),
    "check": (0.0, 9.5),
    "renderings": (9.7, 12.0),
    "forward_exceptions": (4.0, 6.1),
    "fault_localization": (0.8, 3.8),
    "run_record": (6.7, 8.0),
    "report_builder": (8.2, 12.0),
    "session_state": (0.8, 6.1),
    "running_test": (0.8, 6.1),
    "binding": (0.0, 5.6),
    "numerics": (5.8, 8.0),
    "judgement": (8.2, 9.65),
    "diagnosis": (9.85, 11.3),
    "options": (0.0, 8.0),
    "gradient_coverage": (8.2, 11.3),
    "constraints": (0.0, 8.0),
    "strategies": (8.2, 11.3),
    "integrations": (0.0, 11.3),
    "errors": (0.0, 11.3),
    "report": (0.0, 12.0),
}


@dataclass(frozen=True)
class Step:
    """A step of a check: one room calls another, sends it something and gets something back."""

    caller: str
    callee: str
    column: float
    sent: str
    returned: str


#: The way of a check. Each step must be an import that exists.
STEPS = (
    Step("plugin", "pytest_integration", 5.2, "a test", "its outcome"),
    Step("pytest_integration", "check", 5.2, "a call, options", "a report"),
    Step("check", "binding", 0.4, "the call", "a problem"),
    Step("check", "numerics", 6.4, "the problem", "measurements"),
    Step("check", "report_builder", 8.5, "problem, measurements", "a report"),
    Step("check", "fault_localization", 2.3, "a check that fails", "a wrong line"),
    Step("report_builder", "judgement", 8.5, "entries", "verdicts"),
    Step("report_builder", "diagnosis", 10.15, "errors", "a cause"),
    Step("report_builder", "report", 11.6, "", ""),
)

# Pixels.
COLUMN, MARGIN, BOX, GAP, PADDING = 80, 12, 30, 36, 8
#: The width of a letter of small text, and of the margins of a name.
LETTER, MARGINS = 6.6, 14
#: Gaps above these rooms are small, since no label stands there.
CLOSE = frozenset(
    {
        "session_state",
        "running_test",
        "options",
        "constraints",
        "integrations",
        "errors",
        "report",
    }
)
CLOSE_GAP = 12

STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1f2937}"
    ".room{fill:#e8eef7;stroke:#7b8faf}.part{fill:#fff;stroke:#b4c0d3}"
    ".name{font-weight:600}.small{font-size:12px}"
    ".way{stroke:#b45309;stroke-width:2;marker-end:url(#head)}"
    ".badge{fill:#b45309}.number{fill:#fff;font-weight:600;font-size:12px}"
)


def layers(container: str | None = None) -> list[list[str]]:
    """Return the layers of the package or of one of its rooms, the highest first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = None if container is None else [f"{PACKAGE}.{container}"]
    for contract in settings["tool"]["importlinter"]["contracts"]:
        if contract.get("containers") == wanted:
            rows = [row.split("|") for row in contract["layers"]]
            return [[name.strip().removeprefix(f"{PACKAGE}.") for name in row] for row in rows]
    return []


def imports() -> dict[str, set[str]]:
    """Return the rooms that each room imports, those in function bodies included."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        room = path.relative_to(ROOT / PACKAGE).parts[0].removesuffix(".py")
        modules = found.setdefault(room, set())
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
                modules.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                modules.add(node.module.removeprefix(f"{PACKAGE}."))
            elif isinstance(node, ast.Import):
                modules.update(alias.name.removeprefix(f"{PACKAGE}.") for alias in node.names)
    rooms = {room: {module.split(".")[0] for module in found[room]} for room in found}
    return {room: (rooms[room] & found.keys()) - {room} for room in found}


def diagram() -> str:
    """Return the map as SVG: a row for each layer, an arrow for each step of a check."""
    boxes, drawn, top = {}, [], MARGIN
    for k, row in enumerate(layers()):
        if k:
            top += CLOSE_GAP if row[0] in CLOSE else GAP
        height = max(map(_height, row))
        for room in row:
            boxes[room] = (top, top + height)
            drawn += _room(room, top, height)
        top += height
    actual = imports()
    for number, step in enumerate(STEPS, start=1):
        if step.callee not in actual[step.caller]:
            raise ValueError(f"{step.caller} does not import {step.callee}: mend STEPS")
        drawn += _arrow(number, step, boxes[step.caller][1], boxes[step.callee][0])
    width, height = 2 * MARGIN + 12 * COLUMN, top + MARGIN
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        "<title>The rooms of pytest-gradcheck and the way of a check through them</title>",
        f"<style>{STYLE}</style>",
        '<marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="5" orient="auto">',
        '<path class="badge" d="M0 0L8 4L0 8z"/></marker>',
        f'<rect width="{width}" height="{height}" rx="6" fill="#fff"/>',
        *drawn,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _width(room: str) -> float:
    left, right = COLUMNS[room]
    return COLUMN * (right - left)


def _lines(room: str) -> list[list[str]]:
    """Return the layers of a room, those that are too long for one line on several."""
    lines = []
    for row in layers(room):
        lines.append(list[str]())
        for part in row:
            if _letters([*lines[-1], part]) > _width(room) - 2 * PADDING:
                lines.append([])
            lines[-1].append(part)
    return lines


def _letters(parts: list[str]) -> float:
    """Return the width that names take."""
    return sum(LETTER * len(part) + MARGINS for part in parts)


def _height(room: str) -> int:
    """Return how tall a room is: a line for its name, and those of the layers in it."""
    lines = len(_lines(room))
    return BOX + (lines * (BOX - 4) + PADDING if lines else 0)


def _room(room: str, top: float, height: float) -> list[str]:
    left, width = MARGIN + COLUMN * COLUMNS[room][0], _width(room)
    drawn = [
        _box(left, top, width, height, "room"),
        _text(left + PADDING, top + 20, room, "name"),
    ]
    for k, row in enumerate(_lines(room)):
        x, line = left + PADDING, top + BOX + k * (BOX - 4)
        for part in row:
            share = (width - 2 * PADDING) * _letters([part]) / _letters(row)
            drawn.append(_box(x, line, share, BOX - 8, "part"))
            drawn.append(_text(x + 6, line + 15, part, "small"))
            x += share
    return drawn


def _arrow(number: int, step: Step, start: float, end: float) -> list[str]:
    x = MARGIN + COLUMN * step.column
    middle = (start + min(end, start + GAP)) / 2
    lines = [
        f'<line class="way" x1="{x:g}" y1="{start:g}" x2="{x:g}" y2="{end:g}"/>',
        f'<circle class="badge" cx="{x:g}" cy="{middle:g}" r="9"/>',
        f'<text class="number" x="{x:g}" y="{middle + 4:g}" text-anchor="middle">{number}</text>',
    ]
    if step.sent:
        lines.append(_text(x + 14, middle - 3, f"↓ {step.sent}", "small"))
        lines.append(_text(x + 14, middle + 12, f"↑ {step.returned}", "small"))
    return lines


def _box(x: float, y: float, width: float, height: float, kind: str) -> str:
    size = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
    return f'<rect class="{kind}" {size} rx="3"/>'


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(text)}</text>'


def table() -> str:
    """Return the imports between rooms as a table in Markdown, in the order of the layers."""
    actual = imports()
    order = [room for row in layers() for room in row]
    order += sorted(actual.keys() - {*order, "__init__"})
    rows = [("room", "imports")]
    for room in order:
        targets = sorted(actual[room], key=order.index)
        rows.append((f"`{room}`", ", ".join(f"`{target}`" for target in targets) or "nothing"))
    widths = [max(len(row[k]) for row in rows) for k in (0, 1)]
    lines = [f"| {left:{widths[0]}} | {right:{widths[1]}} |" for left, right in rows]
    lines.insert(1, f"| {'-' * widths[0]} | {'-' * widths[1]} |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """Return the text of the page with the table of today's imports in it."""
    head, rest = text.split(MARKERS[0])
    _, tail = rest.split(MARKERS[1])
    return head + MARKERS[0] + table() + MARKERS[1] + tail


if __name__ == "__main__":
    DIAGRAM.write_text(diagram(), encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
