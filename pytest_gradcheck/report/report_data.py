"""The report of a check as plain frozen data; every output is drawn from it.

It must not compute a verdict, evaluate a function or know pytest: it holds what
was found, in Python builtins only, so that it survives JSON and processes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = [
    "Breach",
    "Diagnosis",
    "Entry",
    "Kind",
    "Note",
    "OptionValue",
    "ParameterReport",
    "Part",
    "ReportData",
    "Verdict",
]

Verdict = Literal["correct", "wrong", "inconclusive"]
Kind = Literal["gradient", "jacobian", "elementwise", "vjp", "jvp"]
Part = Literal["real", "imag"]


@dataclass(frozen=True, slots=True)
class Note:
    """Something to know that is no verdict: a kink accepted, zeros, a replay.

    Attributes
    ----------
    kind : str
        A stable word to filter by: ``"zero"``, ``"vacuous"``, ``"unused"``, ``"level"``,
        ``"kink"``, ``"inconclusive"``, ``"constrained"``, ``"direction"``, ``"replayed"``,
        ``"restored"``, ``"aliased"``, ``"shared"``, ``"point"``, ``"cast"``, ``"called"``,
        ``"cotangent"``, ``"tangent"``, ``"convention"``, ``"executor"``, ``"screened"``,
        ``"unexplained"``, ``"rounding"``, ``"linear"``.
    count : int
        How many entries it is about; 0 where it is not about entries.
    text : str
        The sentence for people.
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
        A stable word: ``"factor"``, ``"zero"``, ``"conjugate"``, ``"place"``,
        ``"places"``, ``"coupled"``.
    text : str
        The sentence for people; it says "consistent with", never "is".
    evidence : mapping of str to float or int
        The figures the sentence rests on, for example ``{"factor": 2.0}``.
    """

    kind: str
    text: str
    evidence: Mapping[str, float | int]


@dataclass(frozen=True, slots=True)
class Breach:
    """A law of vector-Jacobian products that backward breaks, whatever was measured.

    Attributes
    ----------
    kind : str
        A stable word: ``"zero"`` (backward(0) is not 0), ``"linear"`` (it is not
        linear in the cotangent).
    parameter : str
        Where it was seen: the accessor of a parameter.
    text : str
        The sentence for people.
    """

    kind: str
    parameter: str
    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One number of a parameter: what backward says of it and what was measured.

    Attributes
    ----------
    parameter : str
        Python accessor of the parameter, ``"parameters['W2']"``.
    index : tuple of int
        Index of the entry in the parameter; ``()`` for a number.
    output_index : tuple of int or None
        Index of the output the derivative is of; None where the output is a
        scalar or was reduced by a cotangent.
    part : {"real", "imag"} or None
        Which part of a complex entry; None for a real one.
    value : float
        The parameter's entry at the point of the check.
    backward : float
        The claim: the derivative by the backward function under test.
    numerical : float
        The measurement: the derivative by finite differences.
    bound : float
        Error bound of the measurement, in the units of the derivative.
    step : float
        The absolute step the measurement was taken at, in the entry's units.
    verdict : {"correct", "wrong", "inconclusive"}
        What claim and measurement say together.
    reason : str or None
        Why, where the verdict needs one.
    excess : float
        Distance between backward and numerical in units of what is allowed;
        a wrong entry's exceeds 1.
    output : str
        Python accessor of the output the derivative is of: ``"output"``, of
        several ``"output['loss']"``.
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
    output: str = "output"
    output_part: Part | None = None

    @property
    def name(self) -> str:
        """Name of the entry as people read it: ``W[1, 3]``, ``output[0] / x[3]``."""
        name = self.parameter + _subscript(self.index, self.part)
        if self.output_index is None:
            return name
        return f"{self.output}{_subscript(self.output_index, self.output_part)} / {name}"


@dataclass(frozen=True, slots=True)
class ParameterReport:
    """What was found about one parameter.

    Attributes
    ----------
    name : str
        Python accessor from the call's arguments: ``W1``, ``parameters['W1']``.
    shape : tuple of int
        Its shape; ``()`` for a number.
    dtype : str
        Its dtype as numpy names it.
    size : int
        How many entries it has; real and imaginary parts count apart.
    verdict : {"correct", "wrong", "inconclusive"}
        Wrong if any entry is, correct if all are, else inconclusive.
    wrong : int
        How many checked derivatives are wrong.
    checked : int
        How many derivatives were checked (of a Jacobian: outputs times entries).
    relative_difference : float
        Formula (2) of the classic recipe over this parameter:
        ``|claim - measured| / (|claim| + |measured|)`` in the 2-norm; what is verified as
        zero counts as 0, and so does the difference where all is. In fast mode over
        the entries that were measured one by one, NaN where there are none.
    worst : tuple of Entry
        The worst entries, furthest beyond their own bound first.
    diagnosis : tuple of Diagnosis
        Likely causes, empty where none explains the measurements.
    resolution : float
        The smallest error of one entry that would have been seen.
    notes : tuple of Note
        Kinks, zeros, inconclusive entries, each with count and reason.
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


@dataclass(frozen=True, slots=True)
class OptionValue:
    """An option's value and where it came from (``"call"``, ``"mark"``, ``"default"``)."""

    value: object
    origin: str


@dataclass(frozen=True, slots=True)
class ReportData:
    """What `Report` holds, without what it does; its attributes are described there."""

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
    rerun: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the check passes."""
        return not self.failures

    @property
    def wrong(self) -> int:
        """How many checked derivatives are wrong, over all parameters."""
        return sum(parameter.wrong for parameter in self.parameters)

    @property
    def checked(self) -> int:
        """How many derivatives were checked, over all parameters."""
        return sum(parameter.checked for parameter in self.parameters)

    def to_dict(self) -> dict[str, Any]:
        """Return the whole report as dicts, lists and numbers of Python.

        Field names are the keys; they are stable.
        """
        builtin: dict[str, Any] = _builtin(self)
        return builtin

    def __getitem__(self, name: str) -> ParameterReport:
        """Return the parameter called `name`, in full or unambiguously short.

        Raises
        ------
        KeyError
            When no parameter, or more than one, goes by that name.
        """
        found = [p for p in self.parameters if p.name == name]
        found = found or [p for p in self.parameters if name in _short_names(p.name)]
        if len(found) == 1:
            return found[0]
        names = ", ".join(p.name for p in found or self.parameters)
        problem = "names more than one of" if found else "is not one of"
        raise KeyError(f"{name!r} {problem} the checked parameters: {names}")


def _subscript(index: tuple[int, ...], part: Part | None) -> str:
    subscript = f"[{', '.join(map(str, index))}]" if index else ""
    return subscript if part is None else f"{subscript}.{part}"


def _short_names(name: str) -> set[str]:
    """Return the short forms of an accessor: ``p['W1']`` -> W1, ``self.W`` -> W."""
    last = name.replace("]", "").replace("[", ".").split(".")[-1]
    return {last, last.strip("'\"")}


def _builtin(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {f.name: _builtin(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _builtin(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_builtin(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return repr(value)
