"""The data of a report: frozen dataclasses of Python builtins.

All outputs are made from these: the text of a failure, JUnit properties, JSON. They hold
builtins only, so that they can be sent to another process or written as JSON. This module
does not compute verdicts, and it does not know pytest.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pytest_gradcheck.report.accessors import short_name
from pytest_gradcheck.report.inert_text import escaped, escaped_lines
from pytest_gradcheck.report.representation import listed, shown

__all__ = [
    "Breach",
    "Diagnosis",
    "Entry",
    "ErrorMap",
    "Kind",
    "Note",
    "OptionValue",
    "ParameterReport",
    "Part",
    "Plane",
    "ReportData",
    "SourceLocation",
    "StepCurve",
    "Verdict",
    "WrongLine",
    "as_builtin",
]

Verdict = Literal["correct", "wrong", "inconclusive"]

#: The verdicts, worst last.
VERDICTS: tuple[Verdict, ...] = ("correct", "inconclusive", "wrong")
Kind = Literal["gradient", "jacobian", "elementwise", "vjp", "jvp"]
Part = Literal["real", "imag"]


#: What ends a clause, outside of an index in brackets.
_CLAUSE_END = re.compile(r"[:;,] (?![^\[\]]*\])")

#: Words in parentheses that end a clause.
_EVIDENCE = re.compile(r" \([^()]*\)(?=[:;,.?]|$)")


@dataclass(frozen=True, slots=True)
class Note:
    """A remark that is no verdict, for example on an accepted kink, zeros or a replay.

    Attributes
    ----------
    kind : str
        A stable identifier to filter by: ``"zero"``, ``"vacuous"``, ``"unused"``, ``"level"``,
        ``"kink"``, ``"inconclusive"``, ``"constrained"``, ``"direction"``, ``"replayed"``,
        ``"restored"``, ``"aliased"``, ``"shared"``, ``"point"``, ``"cast"``, ``"called"``,
        ``"cotangent"``, ``"tangent"``, ``"convention"``, ``"executor"``, ``"screened"``,
        ``"unexplained"``, ``"rounding"``, ``"linear"``, ``"empty"``, ``"unread"``,
        ``"unlocated"``, ``"undrawn"``, ``"points"``,
        ``"implementation"``, ``"nondifferentiable"``, ``"reference"``.
    count : int
        Number of entries that the note is about; 0 for a note on something else.
    text : str
        The note as a sentence.
    """

    kind: str
    count: int
    text: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The likely cause of a wrong gradient, with the evidence for it.

    Attributes
    ----------
    kind : str
        A stable identifier: ``"factor"``, ``"zero"``, ``"value"``, ``"output"``, ``"activation"``,
        ``"mask"``, ``"operand"``, ``"operand-term"``, ``"penalty"``,
        ``"data-term"``, ``"constant"``, ``"shared-term"``, ``"upstream-term"``,
        ``"transpose"``, ``"order"``, ``"reversed"``, ``"roll"``, ``"exchanged"``,
        ``"outputs"``, ``"permutation"``, ``"upstream-ignored"``, ``"upstream-twice"``,
        ``"conjugate"``, ``"symmetric"``, ``"triangle"``, ``"repeated"``, ``"precision"``,
        ``"stale"``, ``"overwritten"``, ``"place"``, ``"places"``, ``"coupled"``,
        ``"no-potential"``, ``"consistent"``, or one that a suite's own hypothesis has.
    text : str
        The diagnosis as a sentence; it says "consistent with", never "is". Evidence is in
        parentheses. What may have caused it is a question, after the last colon.
    evidence : mapping of str to float or int
        The numbers that support it, for example ``{"factor": 2.0}``.
    """

    kind: str
    text: str
    evidence: Mapping[str, float | int]

    @property
    def brief(self) -> str:
        """The text without the evidence in parentheses."""
        return _EVIDENCE.sub("", self.text)

    @property
    def cause(self) -> str:
        """The question at the end of the text; its first clause if there is none.

        Examples
        --------
        >>> Diagnosis("factor", "consistent with 2 x the true gradient: a factor 2?", {}).cause
        'a factor 2?'
        """
        last = self.brief.rpartition(": ")[2]
        return last if last.endswith("?") else _CLAUSE_END.split(self.brief, maxsplit=1)[0]


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """Lines of the user's code.

    Attributes
    ----------
    file : str
        Path of the file: relative to the root of the suite if it is inside, else absolute.
    first_line, last_line : int
        Numbers of the first and the last line, counted from 1.
    function : str
        Name of the function that they belong to.
    source : str
        Their text, without common indentation.
    """

    file: str
    first_line: int
    last_line: int
    function: str
    source: str

    @property
    def place(self) -> str:
        """The file and the lines: ``nn.py:31``, ``nn.py:49-51``."""
        first = f"{self.file}:{self.first_line}"
        return f"{first}-{self.last_line}" if self.last_line > self.first_line else first

    @property
    def statement(self) -> str:
        """The statement on one line; empty where there are several, none of which is meant."""
        lines = self.source.strip().splitlines()
        if len(lines) > 1 and not _is_one_statement(self.source.strip()):
            return ""
        return " ".join(map(str.strip, lines))

    def __str__(self) -> str:
        return f"{self.place}: {self.statement}" if self.statement else self.place


@dataclass(frozen=True, slots=True)
class WrongLine:
    """Where in backward the gradient first goes wrong.

    Attributes
    ----------
    location : SourceLocation
        A statement, or a range of at most three lines that contains it.
    gradients : tuple of str
        The local variables of backward, or the parameters, whose values are wrong after it.
    verified : tuple of (str, int)
        What it reads and was verified to be right: the name, and the line that computed it.
    parameters : tuple of str
        Accessors of the parameters whose wrong gradients follow from it.
    alternatives : tuple of SourceLocation
        Other statements, one of which may be wrong instead of it; of three lines at most, with
        those of `location`.
    repair : str
        A change of the statement with which all gradients are right, such as ``"`-dZ` instead of
        `dZ`"``; empty if none is known.
    """

    location: SourceLocation
    gradients: tuple[str, ...]
    verified: tuple[tuple[str, int], ...]
    parameters: tuple[str, ...]
    alternatives: tuple[SourceLocation, ...] = ()
    repair: str = ""

    @property
    def places(self) -> tuple[SourceLocation, ...]:
        """All statements, one of which is wrong."""
        return self.location, *self.alternatives


@dataclass(frozen=True, slots=True)
class Breach:
    """What is wrong beside single entries: a law that backward violates, or a common error.

    Attributes
    ----------
    kind : str
        A stable identifier: ``"zero"`` (backward(0) is not 0), ``"linear"`` (backward is not
        linear in the cotangent), ``"implementation"`` (another implementation returns other
        values), ``"reference"`` (a kernel is not its reference) or ``"rounding"`` (its rounding
        does not explain what many entries have in common).
    parameter : str
        Accessor of the parameter whose gradient it is, of outputs the first one.
    text : str
        What was found, as a sentence.
    """

    kind: str
    parameter: str
    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a parameter: the derivative that backward claims, and the measured one.

    Attributes
    ----------
    parameter : str
        Python accessor of the parameter, ``"parameters['W2']"``.
    index : tuple of int
        Index of the entry in the parameter; ``()`` for a number.
    output_index : tuple of int or None
        Index of the differentiated output; None where the output is a scalar
        or was reduced by a cotangent.
    part : {"real", "imag"} or None
        Which part of a complex entry; None for a real one.
    value : float
        The parameter's entry at the point of the check.
    backward : float
        The claim: the derivative from the backward function under test.
    numerical : float
        The measurement: the derivative from finite differences.
    bound : float
        Error bound of the measurement, in the units of the derivative.
    step : float
        The absolute step of the measurement, in the units of the entry.
    verdict : {"correct", "wrong", "inconclusive"}
        The verdict on the claim, given the measurement.
    reason : str or None
        The reason of the verdict, where it needs one.
    excess : float
        Distance between backward and numerical, divided by the allowed distance;
        it is larger than 1 for a wrong entry.
    deviation : float
        ``(backward - numerical) / numerical``, rounded to three digits; where the measurement
        is zero within its bound, the difference divided by the bound.
    output : str
        Python accessor of the differentiated output: ``"output"``, or
        ``"output['loss']"`` where forward returns several.
    output_part : {"real", "imag"} or None
        Which part of a complex output; None for a real one.
    """

    parameter: str
    index: tuple[int, ...]
    output_index: tuple[int, ...] | None
    part: Part | None
    value: float
    backward: float
    numerical: float
    bound: float
    step: float
    verdict: Verdict
    reason: str | None = None
    excess: float = 0.0
    deviation: float = 0.0
    output: str = "output"
    output_part: Part | None = None

    @property
    def name(self) -> str:
        """The name of the entry: ``W[1, 3]``, ``output[0] / x[3]``."""
        name = self.parameter + _subscript(self.index, self.part)
        if self.output_index is None:
            return name
        return f"{self.output}{_subscript(self.output_index, self.output_part)} / {name}"

    @property
    def severity(self) -> tuple[int, float, float]:
        """The order of entries, worst last: by verdict, deviation, and absolute difference."""
        difference = abs(self.backward - self.numerical)
        return VERDICTS.index(self.verdict), abs(self.deviation), difference


@dataclass(frozen=True, slots=True)
class Plane:
    """A matrix of cells of an `ErrorMap`.

    Attributes
    ----------
    index : tuple of int or None
        The index on the axes that are not in the plane; None for all planes that are not shown
        by themselves, the worst cell at each place.
    rows : tuple of str
        One character for each cell.
    """

    index: tuple[int, ...] | None
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ErrorMap:
    """Where the claims about a parameter are wrong, as few matrices of cells.

    A cell stands for a block of entries, and for all outputs of a Jacobian. It shows the worst
    of them, so that no wrong entry disappears, by one of these characters, the worst first:

    - ``"0"`` to ``"9"``: wrong, the number of leading digits that agree,
    - ``"x"``: wrong in an unknown amount, as a part of a region that was found to be wrong,
    - ``"?"``: inconclusive,
    - ``"~"``: screened together with others, and no error was seen,
    - ``"."``: correct,
    - ``"-"``: not checked by itself, because a constraint determines it.

    Attributes
    ----------
    shape : tuple of int
        The shape of the entries: that of the parameter, with a last axis for the real and the
        imaginary part of complex entries.
    axes : tuple of int
        The two axes of the planes, rows first; one for a vector, which is a row.
    block : tuple of int
        The number of entries of a cell along these axes.
    planes : tuple of Plane
        The planes in the order of their index.
    correct_planes : int
        The number of further planes, in which nothing is wrong or inconclusive.
    """

    shape: tuple[int, ...]
    axes: tuple[int, ...]
    block: tuple[int, ...]
    planes: tuple[Plane, ...]
    correct_planes: int


@dataclass(frozen=True, slots=True)
class StepCurve:
    """The differences at an entry over many steps: how its numerical derivative came about.

    Attributes
    ----------
    entry : Entry
        The entry, with the step that was chosen and the bound.
    steps : tuple of float
        Absolute steps, the largest first.
    central : tuple of float
        Central differences at these steps; NaN where forward is undefined.
    right, left : tuple of float
        Slopes to the right and to the left.
    """

    entry: Entry
    steps: tuple[float, ...]
    central: tuple[float, ...]
    right: tuple[float, ...]
    left: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ParameterReport:
    """The result of a check for one parameter.

    Attributes
    ----------
    name : str
        Python accessor from the arguments of the call: ``W1``, ``parameters['W1']``.
    shape : tuple of int
        Its shape; ``()`` for a number.
    dtype : str
        Its dtype as numpy names it.
    size : int
        Number of entries; real and imaginary parts count separately.
    verdict : {"correct", "wrong", "inconclusive"}
        Wrong if any entry is, correct if all are, else inconclusive.
    wrong : int
        Number of checked derivatives that are wrong.
    checked : int
        Number of checked derivatives; for a Jacobian, outputs times entries.
    relative_difference : float
        ``|claim - measured| / (|claim| + |measured|)`` in the 2-norm over this parameter,
        as in the gradient checking exercise of the deeplearning.ai course. Entries verified
        as zero count as 0; the difference is 0 where all are. In fast mode only entries that
        were measured one by one count; the difference is NaN where there are none.
    worst : tuple of Entry
        The worst entries, in decreasing order of `Entry.severity`.
    diagnosis : tuple of Diagnosis
        Likely causes; empty where none explains the measurements.
    resolution : float
        The smallest error of one entry that the check would have detected.
    notes : tuple of Note
        Remarks on kinks, zeros and inconclusive entries, with counts.
    error_map : ErrorMap or None
        Where it is wrong or inconclusive, if the check fails; None for a parameter of one entry.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    size: int
    verdict: Verdict
    wrong: int
    checked: int
    relative_difference: float
    worst: tuple[Entry, ...]
    diagnosis: tuple[Diagnosis, ...]
    resolution: float
    notes: tuple[Note, ...]
    error_map: ErrorMap | None = None

    @property
    def severity(self) -> tuple[int, tuple[int, float, float]]:
        """The order of parameters, worst last: by verdict, and by their worst entry."""
        worst = self.worst[0].severity if self.worst else (0, 0.0, 0.0)
        return VERDICTS.index(self.verdict), worst


@dataclass(frozen=True, slots=True)
class OptionValue:
    """The value of an option, and its origin: ``"call"``, ``"mark"``, ``"default"``."""

    value: object
    origin: str

    def __repr__(self) -> str:
        return f"OptionValue(value={shown(self.value)}, origin={self.origin!r})"


@dataclass(frozen=True, slots=True)
class ReportData:
    """The data of a `Report`, without its text and its failure; see there for the attributes."""

    verdict: Verdict
    parameters: tuple[ParameterReport, ...]
    relative_difference: float
    worst: tuple[Entry, ...]
    failures: tuple[str, ...]
    kind: Kind
    forward: str
    backward: str
    mode: str
    evaluations: int
    backward_calls: int
    seconds: float
    seed: int
    options: Mapping[str, OptionValue]
    not_checked: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    breaches: tuple[Breach, ...] = ()
    diagnosis: tuple[Diagnosis, ...] = ()
    wrong_lines: tuple[WrongLine, ...] = ()
    backward_definition: SourceLocation | None = None
    step_curves: tuple[StepCurve, ...] = ()
    exercised: tuple[str, ...] = ()
    rerun: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the check passes."""
        return not self.failures

    @property
    def wrong(self) -> int:
        """Number of wrong derivatives, over all parameters."""
        return sum(parameter.wrong for parameter in self.parameters)

    @property
    def checked(self) -> int:
        """Number of checked derivatives, over all parameters."""
        return sum(parameter.checked for parameter in self.parameters)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as nested dicts, lists and numbers.

        The keys are the names of the fields; they are stable.
        """
        builtins: dict[str, Any] = _to_builtins(self)
        return builtins

    def __getitem__(self, name: str) -> ParameterReport:
        """Return the parameter with the full name `name`, or with that unambiguous short name.

        Raises
        ------
        KeyError
            If no parameter, or more than one, has that name.
        """
        found = [p for p in self.parameters if p.name == name]
        found = found or [p for p in self.parameters if name == short_name(p.name)]
        if len(found) == 1:
            return found[0]
        names = listed(p.name for p in found or self.parameters)
        problem = "names more than one of" if found else "is not one of"
        raise KeyError(f"{shown(name)} {problem} the checked parameters: {names}")


def _is_one_statement(source: str) -> bool:
    try:
        return len(ast.parse(source).body) == 1
    except SyntaxError:  # a part of a statement
        return False


def _subscript(index: tuple[int, ...], part: Part | None) -> str:
    subscript = f"[{', '.join(map(str, index))}]" if index else ""
    return subscript if part is None else f"{subscript}.{part}"


#: Types of values that are builtins as they are.
PLAIN = frozenset({bool, int, float, type(None)})


@functools.cache
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def _to_builtins(value: Any) -> Any:
    """Return a part of a report as dicts, lists, numbers and text, none of them of a subclass.

    Other processes and formats know no subclasses, and no halves of surrogate pairs.
    """
    if type(value) in PLAIN:
        return value
    if isinstance(value, OptionValue):
        return {"value": as_builtin(value.value), "origin": value.origin}
    if dataclasses.is_dataclass(value):
        return _fields(value)
    if isinstance(value, Mapping):
        return {str(key): _to_builtins(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_builtins(item) for item in value]
    return as_builtin(value)


def _fields(value: Any) -> dict[str, Any]:
    kind: type = type(value)
    fields = {name: _to_builtins(getattr(value, name)) for name in _field_names(kind)}
    if isinstance(value, SourceLocation):
        fields["source"] = escaped_lines(value.source)
    return fields


def as_builtin(value: Any) -> Any:
    """Return a number, text or None; of anything else its representation."""
    if type(value) in PLAIN:
        return value
    for kind, convert in CONVERSIONS:
        if isinstance(value, kind):
            return convert(value)
    return shown(value)


#: Conversions of subclasses, by no method of theirs.
CONVERSIONS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (str, escaped),
    (float, float.__float__),
    (int, int.__int__),
)
