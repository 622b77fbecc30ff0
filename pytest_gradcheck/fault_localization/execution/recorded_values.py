"""The values that local variables had while forward and backward were executed.

Each statement that binds an array or a number, or changes an array in place, makes a version: a
copy of the value, with the step that made it and the versions that this step read. They form the
graph of the computation, as `autograd` records it, but of the user's own numpy code. It does not
know what is a gradient, or whether it is right.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.fault_localization.execution.execution_steps import (
    Activation,
    Step,
    TracingError,
)
from pytest_gradcheck.fault_localization.execution.statements import Chain, Statement
from pytest_gradcheck.fault_localization.execution.variables import (
    Path,
    is_array,
    is_number,
    leaves,
    lookup,
    resolve_chain,
    written_entries,
)
from pytest_gradcheck.integrations.gradient_objects import is_gradient_object

__all__ = [
    "Binding",
    "Identity",
    "Moment",
    "Place",
    "Recorder",
    "Result",
    "Route",
    "Version",
    "ancestors",
    "descendants",
]

#: All copies together are at most so large.
MOST_BYTES = 2**28

#: Values that differ by less than this share of the largest entry are the same.
ROUNDING = 1e-12

#: Attributes of an array that do not depend on its entries.
METADATA = ("dtype", "ndim", "shape", "size")

#: What stands for the variable of a value that a function returns.
RETURNED = "return"

#: Executions of one statement in one call that have versions of their own; later ones share one.
MOST_VERSIONS = 256


#: Numbers that are written with so many characters are the same only if one is the other.
MANY_DIGITS = 14

#: When something is, as seen from a step: before it on, only during it, or after it on.
Moment = Literal["before", "during", "after"]


#: What a value is found by in another execution of the same functions.
Identity = tuple[Step | None, Path | None, int]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is found: from when on, and in which variable.

    Attributes
    ----------
    step : Step
        The step ...
    moment : Moment
        ... and when: what a function was given is there before its first one.
    path : Path
        How a variable leads to it.
    """

    step: Step
    moment: Moment
    path: Path


@dataclass(eq=False, slots=True)
class Version:
    """A value that a statement made.

    Attributes
    ----------
    path : Path
        Where it was found after the step.
    value : ndarray
        A copy; of a number an array without axes.
    step : Step or None
        What made it; None for what came from outside.
    phase : int
        In which of the user's functions: 1 is forward.
    number : int
        How many others were recorded before.
    identity : tuple
        What it is found by in another execution: the step that made it, or the place where it was
        found, and how many others these had before. Objects may hold more than the time before.
    direct : list of Version
        What the step read by name, or got from a function that it called.
    indirect : list of Version
        What else it may have read: the contents of containers.
    place : Place or None
        Where it is found first.
    original : Version or None
        What it is another name of.
    written : ndarray of bool or None
        Of an array that its step assigned to a part of: which entries; None where it made all of
        them, or where that is not known.
    """

    path: Path
    value: NDArray[Any]
    step: Step | None
    phase: int
    number: int
    direct: list[Version] = field(default_factory=list)
    indirect: list[Version] = field(default_factory=list)
    place: Place | None = None
    original: Version | None = None
    written: NDArray[np.bool_] | None = None
    identity: Identity = (None, None, 0)

    @property
    def statement(self) -> Statement | None:
        """The statement that made it."""
        return None if self.step is None else self.step.statement

    @property
    def is_alias(self) -> bool:
        """Whether it is another name of a value, or a value that a function was given."""
        return self.original is not None

    @property
    def root(self) -> Version:
        """The value that it is a name of, or itself."""
        return self if self.original is None else self.original.root

    @property
    def is_copy(self) -> bool:
        """Whether it has the value of something that was read for it, but for rounding."""
        size = float(np.abs(self.value).max(initial=0.0)) if self.is_floating else 0.0
        return any(
            self.value.shape == read.value.shape
            and np.allclose(self.value, read.value, rtol=0.0, atol=ROUNDING * size, equal_nan=True)
            for read in self.direct
        )

    @property
    def is_floating(self) -> bool:
        """Whether it may have a derivative, or be one."""
        return bool(self.value.dtype.kind == "f")

    @property
    def is_size(self) -> bool:
        """Whether it is a whole number, which may be a length."""
        return self.value.ndim == 0 and self.value.dtype.kind in "iu"

    @property
    def is_gradient_like(self) -> bool:
        """Whether it may be a gradient, right or wrong: a mask is one if nothing is masked."""
        return self.is_floating or (self.value.ndim > 0 and self.value.dtype.kind in "biu")

    def __repr__(self) -> str:
        line = self.step.statement.first_line if self.step else 0
        occurrence = self.step.occurrence if self.step else 0
        return f"<{self.path}@{line}#{occurrence} {self.value.shape}>"


@dataclass(frozen=True, slots=True)
class Binding:
    """A variable of a function that was bound to an array, as an argument where `step` is None."""

    step: Step | None
    phase: int
    name: str
    version: Version
    function: str


@dataclass(frozen=True, slots=True)
class Route:
    """A place in a container, or in what a function returned, where a step put a value."""

    step: Step
    path: Path
    version: Version


@dataclass(frozen=True, slots=True)
class Result:
    """What a variable is after a step that assigns to it, be it changed or not."""

    step: Step
    path: Path
    version: Version


@dataclass(slots=True)
class _Reading:
    """What a step has read, and what the functions that it called have returned.

    Attributes
    ----------
    direct : list of (Chain or None, Version)
        What was read by name, with the name.
    indirect : list of (Chain, Version)
        The contents of containers that were read.
    written : dict of int to ndarray of bool
        The entries that are about to be written, by the identity of their array.
    """

    direct: list[tuple[Chain | None, Version]] = field(default_factory=list)
    indirect: list[tuple[Chain | None, Version]] = field(default_factory=list)
    written: dict[int, NDArray[np.bool_]] = field(default_factory=dict)
    places: list[tuple[Version, Path]] = field(default_factory=list)

    def of(self, statement: Statement, path: Path) -> _Reading:
        """Return what was read for one element, where the statement writes several out."""
        key = path.accessors[0][1] if path.accessors else path.name
        chains = statement.elements.get(key) if _is_hashable(key) else None
        if chains is None:
            return self
        direct = [(c, v) for c, v in self.direct if c is None or c in chains]
        return _Reading(direct, [(c, v) for c, v in self.indirect if c in chains])

    def view(self, version: Version) -> Version:
        """Return under which name a value was read, if it was another one than its first."""
        views = (v for _, v in self.direct if v.is_alias and v.root is version)
        return next(views, version)

    def and_(self, version: Version) -> _Reading:
        """Return the same with one more version."""
        return _Reading([*self.direct, (None, version)], self.indirect)


class Recorder:
    """Records versions while steps are executed.

    Attributes
    ----------
    versions : list of Version
        All, in order.
    returned : list of (int, list of Version, Any)
        What forward and backward themselves returned: the phase, the versions in it, the value.
    bindings : list of Binding
        In order.
    routes : list of Route
        In order, of values that existed before.
    uses : list of (Step, Path, Version)
        What the steps of forward read, and where it was.
    results : list of Result
        In order.
    codes : dict of code to set of int
        The functions that were called, with the phases that they were called in.
    phases : int
        How many functions the check has called: 2 unless forward returns the gradients.
    """

    def __init__(self) -> None:
        self.versions: list[Version] = []
        self.codes: dict[CodeType, set[int]] = defaultdict(set)
        self.returned: list[tuple[int, list[Version], Any]] = []
        self.bindings: list[Binding] = []
        self.routes: list[Route] = []
        self._placed: dict[tuple[int, Path], Version] = {}
        self.uses: list[tuple[Step, Path, Version]] = []
        self.results: list[Result] = []
        self.phase = self.phases = 1
        self._arrays: dict[int, tuple[NDArray[Any], Version]] = {}
        self._numbers: dict[tuple[int, Any], Version] = {}
        self._computed: dict[float, Version] = {}
        self._readings: dict[int, _Reading] = {}
        self._steps: dict[int, Step] = {}
        self._views: dict[tuple[int, Path], Version] = {}
        self._begins: dict[int, int] = {}
        self._given: dict[int, list[tuple[Path, Version]]] = {}
        self._merged: dict[tuple[int, Statement, Path], Version] = {}
        self._executions: Counter[tuple[int, Statement]] = Counter()
        self._identities: Counter[tuple[Step | None, Path | None]] = Counter()
        self._kept: list[Any] = []
        self._bytes = 0

    def enter(self, activation: Activation) -> None:
        """Take the arguments of a function."""
        caller, self.phase = activation.caller, activation.phase
        self.codes[activation.frame.f_code].add(self.phase)
        reading = self._readings.get(caller.number, _Reading()) if caller else _Reading()
        step = self._steps.get(caller.number) if caller else None
        begin = self._begins[activation.number] = len(self.versions)
        given = self._given[activation.number] = []
        for name, value in dict(activation.frame.f_locals).items():
            if is_array(value):
                version = self._known(Path(name), value, self._read_for(value, reading), step)
                if caller is not None and version.number >= begin:
                    given.append((Path(name), version))
                view = self._views[activation.number, Path(name)] = reading.view(version)
                # Statements are named so, too.
                function = activation.frame.f_code.co_qualname.replace(".<locals>", "")
                self.bindings.append(Binding(None, self.phase, name, view, function))
            elif is_number(value):
                number = self._made(Path(name), value, None, reading)
                number.step = step if number.direct else None
                self._numbers[activation.number, name] = number

    def begin(self, activation: Activation, step: Step) -> None:
        """Find what a statement reads."""
        for path, version in self._given.pop(activation.number, ()):
            version.place = Place(step, "before", path)
        reading = self._readings[activation.number] = _Reading()
        self._steps[activation.number] = step
        frame = activation.frame
        for name in sorted(step.statement.names):
            for path, leaf in leaves(Path(name), lookup(frame, name)):
                if is_array(leaf):
                    self._known(path, leaf, _Reading())  # so that it is not taken for a result
        for chain in step.statement.reads:
            self._take_read(activation, step, chain, reading)
        for chain in step.statement.changes:
            path, value = resolve_chain(frame, chain)
            if is_array(value):
                version = self._read(activation, path, value)
                reading.direct.append((chain, version))
                if len(chain.accessors) > len(path.accessors):  # a part of it is assigned to
                    reading.places.append((version, path))
                mask = written_entries(frame, chain, path, value)
                if mask is not None:
                    reading.written[id(value)] = mask | reading.written.get(id(value), False)

    def _take_read(
        self, activation: Activation, step: Step, chain: Chain, reading: _Reading
    ) -> None:
        """Record what a statement reads under one name."""
        path, value = resolve_chain(activation.frame, chain)
        if is_array(value) and _is_about(chain, path):
            return
        if is_array(value):
            version = self._read(activation, path, value)
            reading.direct.append((chain, version))
            reading.places.append((version, path))
            if activation.phase == 1 and path.name not in step.statement.binds:
                self.uses.append((step, path, version))
        elif is_number(value):
            number = self._number(activation, path, value)
            if number is not None:
                reading.direct.append((chain, number))
                reading.places.append((number, path))
        elif isinstance(value, (dict, list, tuple)):
            for place, leaf in leaves(path, value):
                if is_array(leaf):
                    version = self._known(place, leaf, _Reading())
                    reading.indirect.append((chain, version))
                    reading.places.append((version, place))

    def sources(self, activation: Activation) -> Iterator[tuple[Path, Version]]:
        """Yield what the statement that is being executed reads, with where that is."""
        seen: set[Path] = set()
        for version, path in self._readings[activation.number].places:
            if path not in seen:
                seen.add(path)
                yield path, version

    def end(self, activation: Activation, step: Step, returned: Any) -> None:
        """Find what a statement has made or changed."""
        reading = self._readings.pop(activation.number, _Reading())
        statement, frame = step.statement, activation.frame
        self._executions[activation.number, statement] += 1
        for name in sorted(statement.names):
            for path, leaf in leaves(Path(name), lookup(frame, name)):
                if is_array(leaf):
                    self._take_array(activation, step, path, leaf, reading)
                elif not statement.is_header or isinstance(leaf, (float, np.floating)):
                    self._take_number(activation, step, path, leaf, reading)
        if returned is not None:
            self._take_returned(activation, step, returned, reading)

    def _take_array(
        self,
        activation: Activation,
        step: Step,
        path: Path,
        array: NDArray[Any],
        reading: _Reading,
    ) -> None:
        """Record an array that is in a variable after a step."""
        version = self._after(activation, step, path, array, reading)
        if version.place is None and version.step is not None:
            version.place = Place(step, "after", path)
            version.path = path
        if not path.accessors and path.name in step.statement.binds:
            view = self._bind(activation, step, path, version, reading)
            function = step.statement.function
            self.bindings.append(Binding(step, self.phase, path.name, view, function))
            self.results.append(Result(step, path, view))
        elif self._is_written(step, path):
            self.results.append(Result(step, path, version))
            if path.accessors:
                self._place(activation, step, path, version)

    def _take_returned(
        self, activation: Activation, step: Step, returned: Any, reading: _Reading
    ) -> None:
        """Record what a function returns."""
        found = []
        for path, leaf in leaves(Path(RETURNED), returned):
            if is_array(leaf):
                version = self._after(activation, step, path, leaf, reading)
                version = self._handed_back(activation, step, path, version, reading)
            else:
                version = self._returned_number(step, path, leaf, reading)
            found.append(version)
            self._place(activation, step, path, version)
        caller = activation.caller
        if caller is None:
            self.returned.append((self.phase, found, returned))
        elif caller.number in self._readings:
            self._readings[caller.number].direct += [(None, version) for version in found]

    def _is_written(self, step: Step, path: Path) -> bool:
        """Return whether a step may have put something at a place in a container."""
        statement = step.statement
        is_changed = any(_may_lead(chain, path) for chain in statement.changes)
        return is_changed or (path.name in statement.binds and bool(statement.elements))

    def _place(self, activation: Activation, step: Step, path: Path, version: Version) -> None:
        """Note where a step put a value that existed before."""
        key = activation.number, path
        if self._placed.get(key) is not version:
            self._placed[key] = version
            if version.root.step is not step:
                self.routes.append(Route(step, path, version.root))

    def outputs(self, take: Callable[[Any], Any]) -> list[Version]:
        """Return what forward returned as its outputs, in order, given how to take them out."""
        _, found, returned = self.returned[0]
        values = [value for _, value in leaves(Path(""), returned)]
        left, outputs = list(zip(values, found, strict=True)), list[Version]()
        for _, wanted in leaves(Path(""), _numbers_of(take(returned))):
            # A cache may have an output once more, which comes before it in reverse.
            places = [k for k, (value, _) in enumerate(left) if value is wanted]
            outputs += [left.pop(k)[1] for k in places[-1:]]
        return outputs[::-1]

    def _known(
        self, path: Path, array: NDArray[Any], reading: _Reading, step: Step | None = None
    ) -> Version:
        """Return the version of an array that is read; it may have changed unseen.

        What a step has computed for a function that it calls, the step has made.
        """
        found = self._arrays.get(id(array))
        if found is not None and _equal(found[1].value, array):
            return found[1]
        if found is not None:
            changed = [found[1], *self._overlapping(array)]
            step = next((v.step for v in reversed(changed) if v.step), None)
            return self._made(path, array, step, _Reading([(None, v) for v in changed]))
        version = self._made(path, array, None, reading)
        if version.direct:
            version.step = step
        else:
            version.direct += self._overlapping(array)
        return version

    def handed_back(self, activation: Activation) -> list[Version]:
        """Return what functions have returned to the statement that is being executed."""
        reading = self._readings.get(activation.number, _Reading())
        return [version for chain, version in reading.direct if chain is None]

    def _read_for(self, array: NDArray[Any], reading: _Reading) -> _Reading:
        """Return what an argument was computed from: of a view, only what it is a view of."""
        shared = self._overlapping(array)
        return _Reading([(None, version) for version in shared]) if shared else reading

    def _read(self, activation: Activation, path: Path, array: NDArray[Any]) -> Version:
        """Return the version of an array that is read under some name."""
        version = self._known(path, array, _Reading())
        view = self._views.get((activation.number, path), version)
        return view if view.root is version else version

    def _bind(
        self, activation: Activation, step: Step, path: Path, version: Version, reading: _Reading
    ) -> Version:
        """Return what a variable stands for: a value, or another name of one."""
        view = reading.view(version)
        if step.statement.is_alias and version.step is not step:
            view = self._another_name(path, view, step)
        self._views[activation.number, path] = view
        return view

    def _another_name(self, path: Path, version: Version, step: Step) -> Version:
        count = len(self.versions)
        alias = Version(path, version.value, step, self.phase, count, [version], original=version)
        alias.place = Place(step, "after", path)
        alias.identity = self._identity(path, step)
        self.versions.append(alias)
        return alias

    def _handed_back(
        self, activation: Activation, step: Step, path: Path, version: Version, reading: _Reading
    ) -> Version:
        """Return what a function returns; another name of it, if it was given to the function."""
        view = reading.of(step.statement, path).view(version)
        is_written_out = len(path.accessors) == bool(step.statement.elements)
        if is_written_out and version.number < self._begins[activation.number]:
            return self._another_name(view.path, view, step)
        return view

    def _overlapping(self, array: NDArray[Any]) -> list[Version]:
        """Return the last versions of arrays that share memory with another one."""
        if array.size == 0:
            return []
        found = [
            v for a, v in self._arrays.values() if a is not array and np.may_share_memory(a, array)
        ]
        return found[-1:]

    def _after(
        self,
        activation: Activation,
        step: Step,
        path: Path,
        array: NDArray[Any],
        reading: _Reading,
    ) -> Version:
        """Return the version of an array after a step; a new one if the step made it."""
        found = self._arrays.get(id(array))
        written = reading.written.pop(id(array), None)
        if found is not None and written is None and _equal(found[1].value, array):
            return found[1]
        if found is not None:
            reading = reading.and_(found[1])
        version = self._merged_or_made(activation, step, path, array, reading)
        version.written = written
        return version

    def _take_number(
        self, activation: Activation, step: Step, path: Path, value: Any, reading: _Reading
    ) -> None:
        statement = step.statement
        is_bound = not path.accessors and path.name in statement.binds
        is_stored = any(_may_lead(chain, path) for chain in statement.changes)
        key = self._key(activation, path)
        before = self._numbers.get(key)
        for chain, version in reading.direct:
            if is_bound and chain is None and version.value.ndim == 0 and version.value == value:
                self._numbers[key] = version  # a function has returned it
                self.results.append(Result(step, path, version))
                return
        known = self._computed_before(value) if reading.indirect or statement.is_header else None
        if is_bound and known is not None:
            self._numbers[key] = known  # it was in a container
            self.results.append(Result(step, path, known))
        elif is_bound or (
            is_stored and path.accessors and (before is None or before.value != value)
        ):
            version = self._merged_or_made(activation, step, path, value, reading)
            version.place = Place(step, "after", path)
            if reading.indirect and not reading.direct:
                version.step = None  # it was taken out of a container
            self._numbers[key] = version
            self.results.append(Result(step, path, version))

    def _returned_number(self, step: Step, path: Path, value: Any, reading: _Reading) -> Version:
        for _, version in reversed(reading.direct):
            if version.value.ndim == 0 and version.value == value:
                return version
        known = self._computed_before(value)
        return known or self._made(path, value, step, reading.of(step.statement, path))

    def _number(self, activation: Activation, path: Path, value: Any) -> Version | None:
        found = self._numbers.get(self._key(activation, path))
        if found is not None and bool(found.value == value):
            return found
        if isinstance(value, (int, np.integer)):
            return None
        version = self._computed_before(value) or self._made(path, value, None, _Reading())
        self._numbers[self._key(activation, path)] = version
        return version

    def _computed_before(self, value: Any) -> Version | None:
        """Return the number that was computed with the same digits, if these are no chance."""
        return self._computed.get(float(value)) if _has_many_digits(value) else None

    def _key(self, activation: Activation, path: Path) -> tuple[int, Any]:
        """Return what identifies the place of a number."""
        if not path.accessors:
            return activation.number, path.name
        holder = lookup(activation.frame, path.name)
        for kind, key in path.accessors[:-1]:
            holder = vars(holder)[key] if kind == "attribute" else holder[key]
        self._kept.append(holder)
        return id(holder), path.accessors[-1]

    def _merged_or_made(
        self, activation: Activation, step: Step, path: Path, value: Any, reading: _Reading
    ) -> Version:
        statement = step.statement
        reading = reading.of(statement, path)
        merged = self._executions[activation.number, statement] > MOST_VERSIONS
        key = (activation.number, statement, path)
        if merged and key in self._merged:
            version = self._merged[key]
            version.value = np.array(value)
            version.step = step
            known = {version, *version.direct}
            version.direct += [v for v in _distinct(reading.direct) if v not in known]
            if is_array(value):
                self._arrays[id(value)] = (value, version)
            return version
        version = self._merged[key] = self._made(path, value, step, reading)
        if is_number(value) and version.direct and _has_many_digits(value):
            self._computed[float(value)] = version
        return version

    def _identity(self, path: Path, step: Step | None) -> Identity:
        """Return what the next value of a step, or at a place, is found by."""
        key = step, path if step is None else None
        self._identities[key] += 1
        return (*key, self._identities[key] - 1)

    def _made(self, path: Path, value: Any, step: Step | None, reading: _Reading) -> Version:
        copy = np.array(value)
        self._bytes += copy.nbytes
        if self._bytes > MOST_BYTES:
            raise TracingError
        version = Version(
            path,
            copy,
            step,
            self.phase,
            len(self.versions),
            _distinct(reading.direct),
            _distinct(reading.indirect),
            identity=self._identity(path, step),
        )
        self.versions.append(version)
        if is_array(value):
            self._arrays[id(value)] = (value, version)
        return version


def _numbers_of(outputs: Any) -> Any:
    """Return outputs, of objects with gradients their numbers."""
    if isinstance(outputs, (list, tuple)):
        return [_numbers_of(one) for one in outputs]
    return outputs.data if is_gradient_object(outputs) else outputs


def _distinct(read: list[tuple[Chain | None, Version]]) -> list[Version]:
    return list(dict.fromkeys(version for _, version in read))


def _may_lead(chain: Chain, path: Path) -> bool:
    """Return whether what is written at a chain may be found at a path."""
    written = [
        ("attribute", accessor)
        if isinstance(accessor, str)
        else ("key", accessor.value if isinstance(accessor, ast.Constant) else None)
        for accessor in chain.accessors
    ]
    return chain.name == path.name and all(
        kind == other_kind and key in (None, other_key)
        for (kind, key), (other_kind, other_key) in zip(written, path.accessors, strict=False)
    )


def _is_about(chain: Chain, path: Path) -> bool:
    """Return whether a chain leads to the shape or type of the array at a path."""
    remaining = chain.accessors[len(path.accessors) :]
    return bool(remaining) and remaining[0] in METADATA


def _has_many_digits(value: Any) -> bool:
    return isinstance(value, (float, np.floating)) and len(repr(float(value))) >= MANY_DIGITS


def _is_hashable(key: Any) -> bool:
    return isinstance(key, (str, int, float, tuple))


def _equal(one: NDArray[Any], other: NDArray[Any]) -> bool:
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind in "fc"))


def ancestors(versions: list[Version]) -> Iterator[Version]:
    """Yield versions and all that they were computed from."""
    seen = set(versions)
    pending = list(versions)
    while pending:
        version = pending.pop()
        yield version
        for read in (*version.direct, *version.indirect):
            if read not in seen:
                seen.add(read)
                pending.append(read)


def descendants(versions: Sequence[Version], sources: Collection[Version]) -> set[Version]:
    """Return all that was computed from some values, given everything in order."""
    found = set(sources)
    for version in versions:
        if not found.isdisjoint((*version.direct, *version.indirect)):
            found.add(version)
    return found
