"""Write the gallery of causes, ``explanation/gallery.md``, by running its examples.

``docs/examples/gallery`` has a failing check for each kind of diagnosis, in a file of its name. A
comment ``# fix:`` says what the line above it should be, a comment ``# add:`` what is missing.
``python docs/gallery.py`` runs every example, as it is and mended, and writes the page; with the
name of a file it writes that one, and a test compares the two.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_gradcheck import GradcheckError, check_gradient
from pytest_gradcheck.diagnosis.catalogue.kinds import KINDS
from pytest_gradcheck.report.report import Report

PAGE = Path(__file__).parent / "explanation" / "gallery.md"
EXAMPLES = Path(__file__).parent / "examples" / "gallery"

INTRODUCTION = """\
# Gallery of causes

What a message says of the likely cause, for each cause that is known: a small backward that is
wrong, the beginning of its message, and what mends it. The messages are real, and each of the
mended checks passes. Headings are the `kind` of the diagnosis in the report.
"""

#: The line of an example that is replaced, and the one in its place.
_FIX = re.compile(r"^( *)(\S.*)\n *# fix: (.*)$", re.MULTILINE)
_ADD = re.compile(r"^( *)# add: (.*)$", re.MULTILINE)


def example(kind: str) -> Path:
    """Return the file of the example of a kind."""
    return EXAMPLES / f"{kind.replace('-', '_')}.py"


def mended(source: str) -> str:
    """Return the source of an example with what its comments say."""
    return _ADD.sub(r"\1\2", _FIX.sub(r"\1\3", source))


def run(source: str, name: str) -> Report:
    """Run the test of an example, and return the report of its check."""
    reports = list[Report]()

    def gradcheck(*args: Any, **options: Any) -> None:
        reports.append(check_gradient(*args, **options))

    namespace: dict[str, Any] = {"__name__": name}
    exec(compile(source, name, "exec"), namespace)  # noqa: S102  # an example of these pages
    (test,) = (value for key, value in namespace.items() if key.startswith("test_"))
    test(gradcheck)
    (report,) = reports
    return report


def kinds_of(report: Report) -> list[str]:
    """Return the kinds of all diagnoses of a report."""
    found = [*report.diagnosis, *(d for p in report.parameters for d in p.diagnosis)]
    return [diagnosis.kind for diagnosis in found]


def page() -> str:
    """Return the page.

    Raises
    ------
    ValueError
        When an example has another diagnosis than its name says, or fails when it is mended.
    """
    return "\n".join([INTRODUCTION, *(_section(kind) for kind in KINDS)])


def _section(kind: str) -> str:
    path = example(kind)
    source = path.read_text(encoding="utf-8")
    report, right = run(source, path.name), run(mended(source), path.name)
    if kind not in kinds_of(report):
        raise ValueError(f"{path.name} has no diagnosis {kind}, but {kinds_of(report)}")
    if not right.passed:
        raise ValueError(f"{path.name} fails when it is mended: {right}")
    title, *explanation = (ast.get_docstring(ast.parse(source)) or "").split("\n\n")
    body = source[source.index('"""', 3) + 3 :].strip()
    parts = [
        f"## {kind}",
        " ".join([title, *explanation]).replace("\n", " "),
        _block("python", "\n".join(_without_comments(body))),
        _block("text", _beginning(report)),
        _block("diff", "\n".join(_difference(body))),
    ]
    return "\n\n".join(parts) + "\n"


def _block(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```"


def _without_comments(body: str) -> Iterator[str]:
    for line in body.splitlines():
        if not line.lstrip().startswith(("# fix: ", "# add: ")):
            yield line


def _beginning(report: Report) -> str:
    """Return the message up to the table of entries."""
    try:
        report.raise_if_failed()
    except GradcheckError as error:
        text = str(error)
        return text.partition("\n\nworst entries")[0].rstrip()
    raise ValueError("the check does not fail")


def _difference(body: str) -> Iterator[str]:
    """Yield what mends an example, as in a patch."""
    for indent, missing in _ADD.findall(body):
        yield f"+{indent}{missing}"
    for indent, wrong, right in _FIX.findall(body):
        yield f"-{indent}{wrong}"
        yield f"+{indent}{right}"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    target.write_text(page(), encoding="utf-8")
