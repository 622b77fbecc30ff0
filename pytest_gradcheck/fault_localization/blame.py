"""Blame: which statements of backward can be why the gradients of parameters are wrong.

The values of backward are a graph: each was computed from others. A wrong gradient has an error
in it, which came through values that are not known to be right. The first statement on that way
is to blame. One that explains several wrong gradients is preferred to one for each.

It does not measure anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pytest_gradcheck.fault_localization.execution.recorded_values import Version
from pytest_gradcheck.fault_localization.execution.statements import Statement

__all__ = ["Evidence", "Suspicion", "suspicions", "wrong_through"]


#: Executions of a statement that are tested.
MOST_EXECUTIONS = 3


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the values of backward.

    Attributes
    ----------
    faultless : collection of Version
        Values without an error: those of forward, those from outside, and verified gradients.
    right : collection of Version
        Gradients that are verified.
    wrong : mapping of str to Version
        The wrong gradients of parameters.
    follows : callable
        ``follows(version) -> bool`` returns whether a value was computed rightly from others,
        which may be wrong.
    innocent : collection of Statement
        Statements whose mistakes would show where all is right.
    unable : mapping of str to collection of Statement
        Statements that do not reach all that is wrong in the gradient of a parameter.
    """

    faultless: Collection[Version]
    right: set[Version]
    multiples: set[Version]
    wrong: Mapping[str, Version]
    follows: Callable[[Version], bool]
    innocent: Collection[Statement] = ()
    unable: Mapping[str, Collection[Statement]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Statements, one of which is why some gradients are wrong.

    Attributes
    ----------
    parameters : tuple of str
        The parameters whose gradients are wrong.
    statements : tuple of Statement
        In the order of their lines.
    versions : tuple of Version
        The values that these statements made, which are not verified.
    until : int
        The last line where a statement may be missing; 0 where none is.
    sure : bool
        Whether all gradients become right if these statements make something else.
    is_named : bool
        Whether the first value is named after what it has to be the derivative by.
    repair : str
        A change with which all gradients are right; empty if none is known.
    """

    parameters: tuple[str, ...]
    statements: tuple[Statement, ...]
    versions: tuple[Version, ...]
    until: int = 0
    sure: bool = False
    is_named: bool = False
    repair: str = ""


def suspicions(evidence: Evidence, usual: Collection[Version] = ()) -> list[Suspicion]:
    """Return for each wrong gradient, or several of one origin, the statements that explain it.

    Parameters
    ----------
    evidence : Evidence
        What is known of the values of backward.
    usual : collection of Version
        Values that look right, though that is not certain: a statement that made only such values
        is not suspected beside others.
    """
    innocent = _innocent(evidence)
    suspects = {
        parameter: [v for v in _suspects(version, evidence.faultless) if not _is_in(innocent, v)]
        for parameter, version in evidence.wrong.items()
    }
    by_statement: dict[Statement, list[Version]] = defaultdict(list)
    for version in _distinct(v for found in suspects.values() for v in found):
        if version.statement is not None:
            by_statement[version.statement].append(version)
    unproven = {v for found in by_statement.values() for v in _unproven(found, evidence.follows)}
    explained: dict[str, dict[Statement, list[Version]]] = {}
    for parameter, found in suspects.items():
        explained[parameter] = defaultdict(list)
        unable = evidence.unable.get(parameter, ())
        for version in found:
            statement = version.statement
            if version in unproven and statement is not None and statement not in unable:
                explained[parameter][statement].append(version)
    return list(_grouped(explained, usual))


def _unproven(suspects: Collection[Version], follows: Callable[[Version], bool]) -> list[Version]:
    """Return the values of a statement that do not follow from others, as far as is seen.

    One that follows, from values that are not zero, shows that the statement is right, which may
    be executed many times.
    """
    in_order = sorted(suspects, key=lambda version: version.number)
    telling = [v for v in in_order if all(read.value.any() for read in v.direct)]
    examined = telling[:MOST_EXECUTIONS] or in_order[:MOST_EXECUTIONS]
    followed = {version: follows(version) for version in examined}
    is_right = any(followed[v] for v in telling[1:MOST_EXECUTIONS] or telling)
    if is_right:
        return []
    return [version for version in in_order if not followed.get(version, False)]


def wrong_through(evidence: Evidence, values: set[Version]) -> set[str]:
    """Return the parameters whose wrong gradients may be so because of some values."""
    return {
        parameter
        for parameter, version in evidence.wrong.items()
        if any(not values.isdisjoint(v.direct) for v in _suspects(version, evidence.faultless))
    }


def _innocent(evidence: Evidence) -> dict[Statement, bool]:
    """Return the statements that made a value right, from others that are not zero or wrong.

    The value says whether they did so not only when they were executed first: then, a loop
    has nothing to carry on yet.
    """
    found = dict.fromkeys(evidence.innocent, True)
    for version in evidence.right:
        if version.step is not None and all(
            v.value.any() and v not in evidence.multiples for v in version.direct
        ):
            statement = version.step.statement
            found[statement] = found.get(statement, False) or version.step.occurrence > 0
    return found


def _is_in(innocent: Mapping[Statement, bool], version: Version) -> bool:
    """Return whether a value was made by an innocent statement."""
    if version.step is None or version.step.statement not in innocent:
        return False
    return innocent[version.step.statement] or version.step.occurrence == 0


def _suspects(wrong: Version, faultless: Collection[Version]) -> Iterator[Version]:
    """Yield the values through which an error may have come into a wrong one, itself included."""
    seen, pending = {wrong}, [wrong]
    while pending:
        version = pending.pop()
        yield version
        for read in (*version.direct, *version.indirect):
            if read not in seen and read not in faultless:
                seen.add(read)
                pending.append(read)


def _grouped(
    explained: Mapping[str, Mapping[Statement, list[Version]]], usual: Collection[Version]
) -> Iterator[Suspicion]:
    """Yield suspicions, each of as many parameters as the same statements can explain."""
    remaining = sorted(explained, key=lambda name: len(explained[name]))
    while remaining:
        members, common = [remaining[0]], set(explained[remaining[0]])
        for name in remaining[1:]:
            if common & set(explained[name]):
                members.append(name)
                common &= set(explained[name])
        remaining = [name for name in remaining if name not in members]
        unusual = {
            s for s in common if any(v not in usual for n in members for v in explained[n][s])
        }
        statements = tuple(sorted(unusual or common, key=lambda s: (s.file, s.first_line)))
        versions = _distinct(v for n in members for s in statements for v in explained[n][s])
        ordered = tuple(name for name in explained if name in members)
        yield Suspicion(ordered, statements, versions)


def _distinct(versions: Iterable[Version]) -> tuple[Version, ...]:
    return tuple(dict.fromkeys(versions))
