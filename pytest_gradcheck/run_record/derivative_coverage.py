"""Which derivatives of a package the checks of a record exercised, and which they did not.

A derivative is exercised if a check called it for its claim and came to a verdict, correct or
wrong; an inconclusive check says nothing about it. Records of shards or of a matrix together say
what each alone does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_gradcheck.run_record.findings import repository_file
from pytest_gradcheck.run_record.record import Record

__all__ = ["CoveredDerivative", "DerivativeCoverage", "derivative_coverage"]


@dataclass(frozen=True, slots=True)
class CoveredDerivative:
    """A derivative of a package.

    Attributes
    ----------
    name : str
        The module and the qualified name: ``nn.layers:Affine.backward``.
    file : str
        Its file, relative to the top of the repository if it is inside.
    line : int
        The line of its definition.
    nodeids : tuple of str
        The tests whose checks exercised it.
    """

    name: str
    file: str
    line: int
    nodeids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DerivativeCoverage:
    """The derivatives of packages, and how many of them were checked.

    Attributes
    ----------
    packages : tuple of str
        The names of the packages.
    derivatives : tuple of CoveredDerivative
        In the order of their files and lines.
    required : float or None
        The least percentage that the run accepts.
    """

    packages: tuple[str, ...]
    derivatives: tuple[CoveredDerivative, ...]
    required: float | None

    @property
    def unchecked(self) -> tuple[CoveredDerivative, ...]:
        """The derivatives that no check exercised."""
        return tuple(derivative for derivative in self.derivatives if not derivative.nodeids)

    @property
    def percent(self) -> float:
        """How many of 100 derivatives were checked: 0 if there are none, for nothing was."""
        total = len(self.derivatives)
        return 100 * (total - len(self.unchecked)) / total if total else 0.0

    @property
    def is_too_low(self) -> bool:
        """Whether fewer derivatives were checked than required."""
        return self.required is not None and self.percent < self.required


def derivative_coverage(record: Record) -> DerivativeCoverage | None:
    """Return the gradient coverage of a record; None if no run asked for it.

    Parameters
    ----------
    record : Record
        The record of one or more runs.
    """
    packages = dict[str, None]()
    places = dict[str, tuple[str, int]]()
    required = list[float]()
    for run in record["runs"]:
        asked = run.get("coverage")
        if asked is not None:
            packages |= dict.fromkeys(asked["packages"])
            if asked["fail_under"] is not None:
                required.append(float(asked["fail_under"]))
            for derivative in asked["derivatives"]:
                place = repository_file(run, derivative["file"]), derivative["line"]
                places.setdefault(derivative["name"], place)
    if not packages:
        return None
    checked = dict[str, dict[str, None]]()
    for name, nodeid in _exercised(record):
        checked.setdefault(name, {})[nodeid] = None
    listed = [
        CoveredDerivative(name, file, line, tuple(checked.get(name, ())))
        for name, (file, line) in places.items()
    ]
    listed.sort(key=lambda derivative: (derivative.file, derivative.line, derivative.name))
    return DerivativeCoverage(tuple(packages), tuple(listed), max(required, default=None))


def _exercised(record: Record) -> Iterator[tuple[str, str]]:
    """Yield the name of each exercised derivative with the node id of the test."""
    for test in record["tests"]:
        for check in test["checks"]:
            if check["verdict"] != "inconclusive":
                for name in check["exercised"]:
                    yield name, test["nodeid"]
