"""Values in the place of others: exchanged where they are unpacked, stored or returned.

A gradient may be right, but that of another parameter. And backward may unpack what forward kept
in another order, so that two values have each other's names. It does not measure anything.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from pytest_gradcheck.fault_localization.execution.recorded_values import Binding, Route, Version
from pytest_gradcheck.fault_localization.execution.statements import Statement
from pytest_gradcheck.fault_localization.execution.variables import Path

__all__ = [
    "PART",
    "exchanged_names",
    "first_name",
    "is_named",
    "misnamed",
    "misplacing_statement",
]

#: Usual names of upstream gradients.
UPSTREAM = ("dout", "delta", "upstream")

#: Stands for the owner of what is part of a gradient: the derivative through one use of a value.
PART = "(part)"


def exchanged_names(bindings: Collection[Binding]) -> Iterator[tuple[Statement, set[Version]]]:
    """Yield the statements of backward that exchange the names of values of forward.

    Yields
    ------
    statement : Statement
        What binds two variables to each other's values.
    versions : set of Version
        These values.
    """
    names: dict[str, set[Version]] = {}
    for binding in bindings:
        if binding.phase == 1:
            names.setdefault(binding.name, set()).add(binding.version)
    by_statement: dict[Statement, dict[str, Version]] = {}
    for binding in bindings:
        if binding.phase > 1 and binding.step is not None and binding.name in names:
            bound = by_statement.setdefault(binding.step.statement, {})
            bound[binding.name] = binding.version
    for statement, bound in by_statement.items():
        exchanged = {
            version
            for name, version in bound.items()
            for other, other_version in bound.items()
            if version not in names[name]
            and other_version not in names[other]
            and version in names[other]
            and other_version in names[name]
        }
        if exchanged:
            yield statement, exchanged


def misnamed(
    bindings: Collection[Binding], data: Collection[Version]
) -> Iterator[tuple[str, Version]]:
    """Yield variables, with their values, that stand for something else than in forward.

    A value of forward has a name for which forward has others, or one like that of a gradient; or
    another value has the name of one of forward without being computed under it.
    """
    everything = {binding.name for binding in bindings}
    names: dict[str, set[Version]] = {}
    general: set[tuple[str, str]] = set()
    for binding in bindings:
        is_forward = binding.phase == 1 and binding.version.root in data
        if is_forward and not _is_of_gradient(binding.name, everything):
            names.setdefault(binding.name, set()).add(binding.version.root)
        if is_forward and binding.step is None:
            general.add((binding.function, binding.name))
    for binding in bindings:
        if binding.step is None and (binding.function, binding.name) in general:
            continue  # the function is given values of both
        known = names.get(binding.name, set())
        has_name_of_gradient = _is_of_gradient(binding.name, everything)
        if binding.version.root not in known and (
            _is_misnamed_value(binding, known, data, has_name_of_gradient=has_name_of_gradient)
            or _has_name_of_value(binding, known, data)
        ):
            yield binding.name, binding.version


def _is_misnamed_value(
    binding: Binding,
    known: Collection[Version],
    data: Collection[Version],
    *,
    has_name_of_gradient: bool,
) -> bool:
    """Return whether a value of forward has the name of another one, or of a gradient."""
    version = binding.version
    if version.root.step is None:  # it came from outside
        is_other = (bool(known) and binding.step is not None) or (
            has_name_of_gradient and version.is_alias
        )
        return is_other and version.root.phase == 1
    return version.root in data and (bool(known) or has_name_of_gradient)


def _has_name_of_value(
    binding: Binding, known: Collection[Version], data: Collection[Version]
) -> bool:
    """Return whether another value has the name of one of forward, without being computed.

    A function may call what it is given by the name of what that is the gradient of.
    """
    version, name = binding.version, binding.name
    is_computed = version.step is not None and version.step == binding.step
    return (
        bool(known)
        and version.root not in data
        and version.root.step is not None
        and (version.is_alias or not is_computed)
        and version.root.path.name not in (f"d{name}", f"d_{name}")
    )


def misplacing_statement(
    parameter: str,
    version: Version,
    owners: Mapping[Version, str],
    right: Mapping[str, Version],
    routes: Collection[Route],
) -> Statement | None:
    """Return the statement that puts the gradient of another parameter in the place of one.

    Parameters
    ----------
    parameter : str
        Whose gradient is wrong.
    version : Version
        What was returned for it.
    owners : mapping of Version to str
        The parameters whose gradients some values are; no name for those of other values, and
        `PART` for parts of gradients.
    right : mapping of str to Version
        The verified gradients of parameters.
    routes : collection of Route
        Where values were stored or returned.
    """
    owner = owners.get(version.root)
    if owner is None or owner == parameter:
        return None  # nothing is known of it, whatever it is called
    if version.original is not None:
        # Of a part it may be what was computed before that is wrong: another part is missing.
        return None if owner == PART else first_name(version).statement
    if right.get(owner, version) is not version:
        return None
    taken = [route for route in routes if route.version is version.root]
    # What was computed for that place was not put there by another statement.
    is_stored = version.step is not None and is_named(version.path, parameter)
    own = [route for route in taken if is_named(route.path, parameter) and not is_stored]
    if own:
        return own[0].step.statement
    if owner == PART:
        return None
    other = {route.step.statement for route in taken if not is_named(route.path, owner)}
    return other.pop() if len(other) == 1 else None


def first_name(version: Version) -> Version:
    """Return the first other name of a value that led to the last one."""
    while version.original is not None and version.original.is_alias:
        version = version.original
    return version


def is_named(path: Path, parameter: str) -> bool:
    """Return whether the last name in a path ends with that of a parameter."""
    words = re.findall(r"\w+", parameter)
    key = str(path.accessors[-1][1]) if path.accessors else path.name
    return bool(words) and key.lower().endswith(words[-1].lower())


def _is_of_gradient(name: str, names: Collection[str]) -> bool:
    """Return whether a variable is named as a gradient: that of another one, or upstream."""
    lower = name.lower()
    return (
        (lower[:1] == "d" and _begins_any(name[1:].strip("_0123456789"), names))
        or lower.strip("_0123456789") in UPSTREAM
        or ("grad" in lower)
    )


def _begins_any(stem: str, names: Collection[str]) -> bool:
    return bool(stem) and any(name.startswith(stem) for name in names)
