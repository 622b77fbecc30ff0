"""A record as one page: what failed with pictures of the errors, then all checks, a line for each.

The page is whole without a network, without scripts and, but for its looks, without styles. A
policy in it forbids everything that is not its own, and every text of the record is escaped. This
module needs Jinja2, and its pictures matplotlib, which are imported when a page is made.
"""

from __future__ import annotations

import base64
import hashlib
import operator
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_gradcheck.renderings.baseline_lines import baseline_state_lines
from pytest_gradcheck.renderings.coverage_lines import coverage_headline
from pytest_gradcheck.renderings.failure_groups import checked_tests, describe_groups
from pytest_gradcheck.renderings.html_page.heat_map import (
    DARK,
    KEY,
    LIGHT,
    HeatMap,
    draw_heat_maps,
    palette,
)
from pytest_gradcheck.renderings.html_page.step_size_plot import CurvePicture, draw_step_curve
from pytest_gradcheck.renderings.summary import format_seconds, summary_line
from pytest_gradcheck.report.formatting import (
    format_bound,
    format_deviation,
    format_difference,
    format_number,
    format_pair,
)
from pytest_gradcheck.report.from_builtins import report_from_dict
from pytest_gradcheck.report.inert_text import escaped_lines, without_middle
from pytest_gradcheck.report.message import KIND_NAMES, render_text
from pytest_gradcheck.report.report_data import VERDICTS, ParameterReport, ReportData, Verdict
from pytest_gradcheck.run_record.derivative_coverage import derivative_coverage
from pytest_gradcheck.run_record.findings import Finding, check_findings, findings
from pytest_gradcheck.run_record.json_file import RecordError
from pytest_gradcheck.run_record.record import (
    Check,
    Record,
    RecordedTest,
    failed_checks,
    lost_tests,
    totals,
    unchecked_tests,
)

if TYPE_CHECKING:
    import jinja2

__all__ = ["render_html", "require_packages"]

#: Packages that a page needs, by the names of their modules and of what is installed.
PACKAGES = {"jinja2": "jinja2", "matplotlib": "matplotlib", "PIL": "pillow"}

#: The most failures that are shown whole, and the most that have a line each beyond these.
MOST_WHOLE = 200
MOST_BRIEF = 2000

#: The most parameters of a failure, by their verdict.
LISTED_PARAMETERS: Mapping[Verdict, int] = {"wrong": 50, "inconclusive": 50, "correct": 10}

#: The most rows of a table of anything else, and characters of a name and of a message.
LISTED_ROWS = 100
NAME_LENGTH = 200
MESSAGE_LENGTH = 20_000

#: The checks of one table: a browser lays out only the tables that are seen.
PART_ROWS = 250

DIRECTORY = Path(__file__).parent


def require_packages() -> None:
    """Find out whether a page can be made, without importing what it needs.

    Raises
    ------
    RecordError
        If a package is missing.
    """
    missing = [name for module, name in PACKAGES.items() if find_spec(module) is None]
    if missing:
        raise RecordError(
            f"an HTML page needs {' and '.join(missing)}: pip install 'pytest-gradcheck[html]'"
        )


def render_html(record: Record) -> str:
    """Return a record as a page.

    Parameters
    ----------
    record : Record
        The record of one or more runs.

    Raises
    ------
    RecordError
        If a package that a page needs is missing.
    """
    require_packages()
    style, script = _style(), _source("page.js")
    template = _environment().get_template("page.html.jinja")
    return template.render(
        page=_Page(record),
        style=style,
        script=script,
        hashes={"style": _policy_hash(style), "script": _policy_hash(script)},
    )


@dataclass(frozen=True)
class Failure:
    """A check that made its test fail, with its pictures.

    Attributes
    ----------
    anchor : str
        Its identifier in the page.
    test : RecordedTest
        The test.
    report : ReportData
        The report of the check.
    same_derivative : str or None
        The identifier of a worse failure of the same derivative, which has the curves of both.
    """

    anchor: str
    test: RecordedTest
    report: ReportData
    same_derivative: str | None

    @property
    def message(self) -> str:
        """The message as pytest shows it."""
        return without_middle(render_text(self.report), MESSAGE_LENGTH)

    @property
    def headline(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]

    @property
    def kind(self) -> str:
        """What was checked, in words."""
        return KIND_NAMES[self.report.kind]

    @cached_property
    def parameters(self) -> Sequence[ParameterReport]:
        """The parameters that are listed, worst first."""
        ranked = sorted(self.report.parameters, key=operator.attrgetter("severity"), reverse=True)
        groups = {verdict: [p for p in ranked if p.verdict == verdict] for verdict in VERDICTS}
        return [p for v in reversed(VERDICTS) for p in groups[v][: LISTED_PARAMETERS[v]]]

    @property
    def further_parameters(self) -> Iterator[tuple[Verdict, int]]:
        """The numbers of parameters that are not listed, by their verdict."""
        counts = Counter(parameter.verdict for parameter in self.report.parameters)
        for verdict in reversed(VERDICTS):
            if counts[verdict] > LISTED_PARAMETERS[verdict]:
                yield verdict, counts[verdict] - LISTED_PARAMETERS[verdict]

    @property
    def options(self) -> Iterator[tuple[str, str]]:
        """Other options that were set, with where that was."""
        for name, option in self.report.options.items():
            if option.origin != "default" and name not in {"mode", "seed"}:
                value = without_middle(f"{option.value}", NAME_LENGTH)
                yield name, f"{value} ({option.origin})"

    @property
    def causes(self) -> Iterator[tuple[str, str]]:
        """What explains the errors: sentences, those on one parameter with its name."""
        yield from (("", breach.text) for breach in self.report.breaches)
        yield from (("", diagnosis.text) for diagnosis in self.report.diagnosis)
        for parameter in self.parameters:
            yield from ((parameter.name, diagnosis.text) for diagnosis in parameter.diagnosis)

    @property
    def key(self) -> Iterator[tuple[str, str]]:
        """The characters of the maps with their meaning."""
        maps = [p.error_map for p in self.parameters if p.error_map is not None]
        rows = (row for error_map in maps for plane in error_map.planes for row in plane.rows)
        used = set().union(*rows)
        for character, meaning in KEY.items():
            if character in used or (character == "3" and used & set("456789")):
                yield character, meaning

    @property
    def heat_maps(self) -> Iterator[tuple[ParameterReport, Sequence[HeatMap]]]:
        """The maps of parameters, drawn one by one."""
        for parameter in self.parameters:
            if parameter.error_map is not None:
                yield parameter, list(draw_heat_maps(parameter.name, parameter.error_map))

    @property
    def curves(self) -> Iterator[CurvePicture]:
        """The step-size curves, drawn one by one: each takes about 30 ms."""
        for k, curve in enumerate([] if self.same_derivative else self.report.step_curves):
            yield draw_step_curve(curve, f"{self.anchor}-{k}")


class _Page:
    """What the template asks for."""

    def __init__(self, record: Record) -> None:
        self.runs = record["runs"]
        self.totals = totals(record)
        self.summary = summary_line(record).removeprefix("gradcheck: ")
        self.groups = describe_groups(checked_tests(record))
        self.lost = list(lost_tests(record))
        self.unchecked = list(unchecked_tests(record))
        self.baseline = [line.strip() for line in baseline_state_lines(record)]
        self.coverage = derivative_coverage(record)
        self.limit = LISTED_ROWS
        self.part = PART_ROWS
        self._record = record
        self._failed = list(failed_checks(record))
        self._anchors = {_identity(*pair): f"f{k + 1}" for k, pair in enumerate(self._failed)}

    @cached_property
    def title(self) -> str:
        """The result in a few words."""
        count = self.totals.checks
        checks = "1 gradient check" if count == 1 else f"{count:,} gradient checks"
        if self._failed:
            return f"{len(self._failed):,} of {checks} failed"
        return f"{checks} passed" if count else "No gradient checks"

    @cached_property
    def coverage_headline(self) -> str:
        """The gradient coverage in words."""
        return "" if self.coverage is None else coverage_headline(self.coverage)

    @property
    def failures(self) -> Iterator[Failure]:
        """The failures that are shown whole, worst first."""
        return map(self._failure, self._failed[:MOST_WHOLE])

    @property
    def brief_failures(self) -> Iterator[Failure]:
        """Further failures."""
        return map(self._failure, self._failed[MOST_WHOLE : MOST_WHOLE + MOST_BRIEF])

    @property
    def further_failures(self) -> int:
        """The number of failures that have only their line in the table."""
        return max(0, len(self._failed) - MOST_WHOLE - MOST_BRIEF)

    @cached_property
    def findings(self) -> Sequence[tuple[Finding, str]]:
        """What is wrong, each derivative once, with the identifier of its failure."""
        found = findings(self._record)
        return [(one, self._anchors.get(_identity(one.test, one.check), "")) for one in found]

    @cached_property
    def _worst(self) -> Mapping[str, str]:
        """The identifiers of the worst failures of all derivatives, by their fingerprints."""
        return {finding.fingerprint: anchor for finding, anchor in self.findings}

    @property
    def checks(self) -> Iterator[tuple[RecordedTest, Check, str]]:
        """All checks, failed ones first, each with the identifier of its failure."""
        for test, check in self._failed:
            yield test, check, self._anchors[_identity(test, check)]
        for test in self._record["tests"]:
            for check in test["checks"]:
                if _identity(test, check) not in self._anchors:
                    yield test, check, ""

    def _failure(self, pair: tuple[RecordedTest, Check]) -> Failure:
        test, check = pair
        anchor = self._anchors[_identity(test, check)]
        return Failure(anchor, test, report_from_dict(check), self._same_derivative(test, check))

    def _same_derivative(self, test: RecordedTest, check: Check) -> str | None:
        """Return the identifier of the worst failure of the same derivative, if it is another."""
        own = check_findings(self._record["runs"][test["run"]], test, check)
        anchors = [self._worst[f.fingerprint] for f in own if f.fingerprint in self._worst]
        is_worst = self._anchors[_identity(test, check)] in anchors
        return None if is_worst or not anchors else anchors[0]


def _identity(test: RecordedTest, check: Check | None) -> tuple[int, int]:
    """Return what is equal for the same check only."""
    return id(test), id(check)


def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(DIRECTORY),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "bound": format_bound,
        "deviation": format_deviation,
        "difference": lambda value: format_difference(float(value)),
        "number": format_number,
        "pair": lambda entry: format_pair(entry.backward, entry.numerical),
        "seconds": lambda value: format_seconds(float(value)),
        "short": lambda text: without_middle(text, NAME_LENGTH),
        "shape": lambda shape: str(tuple(shape)) if shape else "scalar",
        "numbered": _numbered,
        "swatch": _swatch,
    }
    return environment


def _printable(value: Any) -> Any:
    """Return a value; text of the record without characters that mean nothing in HTML."""
    return escaped_lines(value) if type(value) is str else value


def _numbered(source: str, first: int) -> Iterable[tuple[int, str]]:
    """Return lines of code with their numbers."""
    return enumerate(source.split("\n"), start=first)


def _style() -> str:
    """Return the style of the page, with the colours of the pictures."""

    def variables(colours: Mapping[str, str]) -> str:
        return "".join(f"--{_swatch(character)}:{colours[character]};" for character in KEY)

    swatches = "\n".join(f".{name}{{background:var(--{name})}}" for name in map(_swatch, KEY))
    return (
        f":root{{{variables(palette(LIGHT))}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{{variables(palette(DARK))}}}}}\n"
        f"{_source('page.css')}{swatches}\n"
    )


def _swatch(character: str) -> str:
    """Return the name of the class that has the colour of a character."""
    return f"c{ord(character)}"


def _source(name: str) -> str:
    return (DIRECTORY / name).read_text(encoding="utf-8")


def _policy_hash(text: str) -> str:
    """Return the hash of a style or a script by which a policy allows it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
