"""Explanations: what a failing check says of the statements that are suspected.

A suspicion may be narrowed by names, or there is another explanation for all wrong gradients: a
value in the place of another one, a wrong copy of a value of forward or of a number of entries, a
step that is missing. Where one replaces a value, it is tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.fault_localization.blame import (
    Evidence,
    Suspicion,
    suspicions,
    wrong_through,
)
from pytest_gradcheck.fault_localization.execution.recorded_values import Version, ancestors
from pytest_gradcheck.fault_localization.execution.statements import Statement
from pytest_gradcheck.fault_localization.gradient_pairs import DIGITS, fits
from pytest_gradcheck.fault_localization.misplaced_values import (
    PART,
    exchanged_names,
    first_name,
    misplacing_statement,
)
from pytest_gradcheck.fault_localization.search import Search

__all__ = ["explained"]


def explained(search: Search) -> list[Suspicion]:
    """Return the suspicions that are left, or what explains all wrong gradients better."""
    if any(_may_be_untouched(search, version) for version in search.claims.wrong.values()):
        return _wrong_copy(search)
    found = [
        _with_names(search, _extended(search, _narrowed(search, s))) for s in search.suspicions()
    ]
    found = (
        _misplaced(search)
        or _wrong_copy(search)
        or _wrong_size(search, found)
        or _missing(search, found)
        or found
    )
    unclear = any(_is_misread(search, s) or _is_after_error(search, s) for s in found)
    return [] if unclear else found


def _may_be_untouched(search: Search, claim: Version) -> bool:
    """Return whether a claim is zero as it was at first: a loop may never have been executed."""
    return not claim.value.any() and not search.roles.initial.isdisjoint(ancestors([claim]))


def _misplaced(search: Search) -> list[Suspicion]:
    """Return suspicions of statements that exchange values, if these explain everything."""
    evidence = search.evidence()
    suspected = [set(suspicion.statements) for suspicion in search.suspicions()]
    data = _gradients_that_are_data(search)
    only = [(s, versions) for s, versions in data if all(each <= {s} for each in suspected)]
    for statement, versions in (*exchanged_names(search.recorder.bindings), *only):
        if wrong_through(evidence, versions) == set(search.claims.wrong):
            return [Suspicion(tuple(search.claims.wrong), (statement,), ())]
    for taken in (_returned(search), _read_by_suspects(search)):
        explained = _instead_of_unread(search, evidence, list(taken))
        instead = [s for s, names in explained.items() if names == set(search.claims.wrong)]
        if len(instead) == 1:
            return [Suspicion(tuple(search.claims.wrong), (instead[0],), ())]
    return _returned_elsewhere(search)


def _returned_elsewhere(search: Search) -> list[Suspicion]:
    """Return suspicions of statements that return right gradients in wrong places."""
    owners = {v.root: "" for v in search.claims.wrong.values() if v.root in search.roles.data}
    for version in search.pairs.exact():
        pairs = search.pairs.of(version)
        known = {p.target.key for read in version.direct for p in search.pairs.of(read)}
        if any(pair.target.key in known for pair in pairs):
            continue  # it was computed from that one, for another place
        targets = [pair.target for pair in pairs if not pair.target.is_use]
        owned = [str(target.path) for target in targets if target.step is None]
        if owned:
            owners[version] = owned[0]
        elif not targets:
            owners[version] = PART
        elif _is_unread_after(search, version):
            owners[version] = ""
    owners |= {v: name for name, v in search.claims.right.items()}
    places = {
        name: misplacing_statement(
            name, version, owners, search.claims.right, search.recorder.routes
        )
        for name, version in search.claims.wrong.items()
    }
    if None in places.values():
        return []
    return [
        Suspicion(tuple(n for n, s in places.items() if s is statement), (statement,), ())
        for statement in dict.fromkeys(places.values())
        if statement is not None
    ]


def _instead_of_unread(
    search: Search, evidence: Evidence, taken: list[tuple[Statement, Version]]
) -> dict[Statement, set[str]]:
    """Return statements that take another value where a right one is never read.

    The other one must be known to be right, for another place; or the one that is never read
    is what should have been returned.

    Parameters
    ----------
    evidence : Evidence
        What is known.
    taken : list of (Statement, Version)
        What statements take.

    Returns
    -------
    dict of Statement to set of str
        With the parameters whose wrong gradients that explains.
    """
    found: dict[Statement, set[str]] = {}
    for unread in search.unread():
        targets = [pair.target for pair in search.pairs.of(unread)]
        owned = {str(t.path) for t in targets if t.step is None and not t.is_use}
        for statement, version in taken:
            if version is unread or not _may_take(search, statement, version, unread):
                continue
            names = {name for name, v in search.claims.wrong.items() if version in (v, v.root)}
            is_known = version in evidence.faultless or version in set(ancestors([unread]))
            if is_known or not owned.isdisjoint(names):
                names |= wrong_through(evidence, {version})
                found.setdefault(statement, set()).update(names)
    return found


def _may_take(search: Search, statement: Statement, version: Version, unread: Version) -> bool:
    """Return whether a statement could take one value instead of another, which it can see."""
    return version.value.shape == unread.value.shape and any(
        binding.version.root is unread
        and binding.step is not None
        and _is_after(statement, binding.step.statement)
        for binding in search.recorder.bindings
    )


def _returned(search: Search) -> Iterator[tuple[Statement, Version]]:
    """Yield the statements that return or store values, with these."""
    wrong = {version.root for version in search.claims.wrong.values()}
    right = {version.root for version in search.claims.right.values()} - wrong
    named = {v.root: first_name(v).statement for v in search.claims.wrong.values() if v.is_alias}
    for route in search.recorder.routes:
        if route.version not in right:
            yield named.get(route.version) or route.step.statement, route.version


def _read_by_suspects(search: Search) -> Iterator[tuple[Statement, Version]]:
    """Yield the statements that are suspected, with the gradients that they read."""
    for suspicion in search.suspicions():
        for version in suspicion.versions:
            if version.statement is not None:
                yield from ((version.statement, read) for read in search.roles.computed(version))


def _gradients_that_are_data(search: Search) -> Iterator[tuple[Statement, set[Version]]]:
    """Yield statements that name a value of forward as a gradient, with that value."""
    for _, version in search.roles.misnamed:
        readers = [v for v in search.roles.gradients if version in v.direct]
        is_changed = any(v.path == version.path for v in readers)
        is_first = version.original is not None and not version.original.is_alias
        if is_first and version.statement is not None and not is_changed:
            yield version.statement, {version}


def _is_unread_after(search: Search, version: Version) -> bool:
    """Return whether backward computes a value of the same shape later, and never reads it."""
    read = {v for other in search.roles.gradients for v in other.direct}
    claims = {*search.claims.wrong.values(), *search.claims.right.values()}
    return any(
        other.value.shape == version.value.shape and other.number > version.number
        for other in search.roles.gradients
        if other.is_floating and other not in read and other not in claims
    )


def _narrowed(search: Search, suspicion: Suspicion) -> Suspicion:
    """Return a suspicion of those statements only that are known to be wrong, if any are.

    Of values that have no error they make an unusual multiple of a gradient, or what is not
    the gradient that its name says.
    """
    faultless, usual = search.evidence().faultless, search.usual_multiples()
    unusual = set(search.pairs.scaled()) - usual
    begin = [
        version
        for version in suspicion.versions
        if all(read in faultless for read in version.direct if read.is_floating)
    ]
    known = [version for version in begin if version in unusual and search.roles.read(version)]
    if len(suspicion.statements) > 1 and not known:
        known = [v for v in begin if v not in usual and _is_wrong_by_name(search, v)]
    statements = tuple(dict.fromkeys(v.statement for v in known if v.statement is not None))
    if not statements:
        return suspicion
    return replace(suspicion, statements=statements, versions=tuple(known))


def _is_wrong_by_name(search: Search, version: Version) -> bool:
    """Return whether a value is named as the gradient of others, and is that of none."""
    name = version.path.name
    if version.path.accessors or not version.is_floating or search.pairs.of(version):
        return False
    last = [
        v for v in search.roles.gradients if v.path == version.path and v.phase == version.phase
    ]
    own = [v for v in search.roles.owners if name in (f"d{v.path.name}", f"d_{v.path.name}")]
    measured = {
        m.target.version
        for m in search.pairs.measured
        if not m.target.is_use and m.output.digits >= DIGITS
    }
    return (
        last[-1] is version
        and bool(own)
        and all(v in measured or not fits(version, v) for v in own)
    )


def _extended(search: Search, suspicion: Suspicion) -> Suspicion:
    """Return a suspicion that begins with the array to which something is not added.

    Where all that is suspected contributes rightly, something is missing beside it: in the
    statement itself, if that makes what is returned.
    """
    if not search.complete.issuperset(suspicion.versions):
        return suspicion
    if set(suspicion.versions) <= set(search.claims.wrong.values()):
        return suspicion
    before = [s for version in suspicion.versions for s in _statements_before(version)]
    statements = dict.fromkeys([*before, *suspicion.statements]) if before else ()
    return replace(suspicion, statements=tuple(statements))


def _with_names(search: Search, suspicion: Suspicion) -> Suspicion:
    """Return a suspicion with the statements that give values other names, as ``f = r`` does.

    Where it is not known what a value should be, something else may have been meant.
    """
    unknown = {v for v in suspicion.versions if not search.pairs.of(v)}
    used = set(ancestors(list(search.claims.wrong.values())))
    names = {
        version.statement
        for version in search.roles.gradients
        if version in used and not unknown.isdisjoint((version.root, *version.direct))
    }
    others = {s for s in names if s is not None and s.is_alias and s not in suspicion.statements}
    statements = sorted([*suspicion.statements, *others], key=lambda s: (s.file, s.first_line))
    return replace(suspicion, statements=tuple(statements))


def _missing(search: Search, found: list[Suspicion]) -> list[Suspicion]:
    """Return a suspicion that a step is missing: all that read a right value are wrong."""
    usual = search.usual_multiples()
    if len(found) == 1 and found[0].versions and usual.issuperset(found[0].versions):
        values = [found[0].versions[-1]]
    elif len(found) > 1:
        values = [*_read_by_all(search, found), *_common_multiples(search)]
    else:
        return []
    right = search.evidence().right | set(ancestors(list(search.claims.right.values())))
    for value in values:
        readers = [v for v in search.roles.gradients if value in v.direct]
        if value.statement is not None and readers and right.isdisjoint(readers):
            later = (v.statement for v in readers if v.statement is not None)
            own = (s.first_line for s in later if _is_after(s, value.statement))
            gap = max(value.statement.last_line, min(own, default=0) - 1)
            begin = _statements_before(value) if search.pairs.is_part(value) else []
            return [Suspicion(tuple(search.claims.wrong), (*begin, value.statement), (), gap)]
    return []


def _read_by_all(search: Search, found: list[Suspicion]) -> set[Version]:
    """Return the gradients, or usual multiples, that each suspected statement reads."""
    if not all(len(s.statements) == 1 and s.versions for s in found):
        return set()
    read = ({r for v in s.versions for r in v.direct} for s in found)
    return {*search.pairs.exact(), *search.usual_multiples()}.intersection(*read)


def _common_multiples(search: Search) -> list[Version]:
    """Return the usual multiple without whose factor all wrong gradients become right."""
    claims = [set(ancestors([version])) for version in search.claims.wrong.values()]
    right = set(ancestors(list(search.claims.right.values())))
    common = search.usual_multiples().intersection(*claims) - right
    last = sorted(common, key=lambda v: -v.number)[:1]
    return [
        version
        for version in last
        if (factor := search.pairs.factor(version)) is not None
        and not search.is_spent
        and search.is_repaired(version, version.value * (1 / factor - 1))
    ]


def _is_misread(search: Search, suspicion: Suspicion) -> bool:
    """Return whether a value was read under a name that forward has for others."""
    read = {r for v in suspicion.versions for r in v.direct}
    read -= set(suspicion.versions)
    return any(version in read for _, version in search.roles.misnamed)


def _is_after_error(search: Search, suspicion: Suspicion) -> bool:
    """Return whether what was read is an unusual multiple of a gradient: it went wrong before."""
    if suspicion.sure:
        return False
    evidence = search.evidence()
    read = {r for v in suspicion.versions for r in (*v.direct, *v.indirect)}
    unusual = evidence.multiples - set(suspicion.versions)
    return not unusual.isdisjoint(read.difference(evidence.faultless, search.roles.recomputed))


def _wrong_copy(search: Search) -> list[Suspicion]:
    """Return a suspicion of a value that has the name of one of forward, but is not that.

    With the one of forward instead all gradients are right. Numbers of entries tell how often
    loops are executed, which values do not show.
    """
    suspects = [v for s in search.suspicions() for v in s.versions]
    suspects += [version for _, version in search.roles.misnamed if version.is_alias]
    suspects = [version for version in dict.fromkeys(suspects) if version.value.ndim]
    numbers = [v for v in search.roles.gradients if v.is_size and v not in search.roles.recomputed]
    for version in [*suspects, *numbers]:
        if version.statement is None or search.is_spent:
            continue
        for other in search.roles.namesakes(version):
            change = other.value.astype(np.float64) - version.value
            if not change.any():
                continue
            for made, own in ((version, change), *_changes_before(search, version, change)):
                if made.statement is not None and search.is_repaired(made, own):
                    wrong = tuple(search.claims.wrong)
                    return [Suspicion(wrong, (made.statement,), (made,), sure=True)]
    return []


def _changes_before(
    search: Search, version: Version, change: NDArray[Any]
) -> Iterator[tuple[Version, NDArray[Any]]]:
    """Yield what a value was computed from entry by entry, with what would change it so."""
    faultless = search.evidence().faultless
    for read in version.direct:
        if read in faultless or not read.is_floating or read.value.shape != version.value.shape:
            continue
        slopes = search.slopes(read, version)
        if slopes is not None and slopes.all():
            yield read, change / slopes


def _wrong_size(search: Search, found: list[Suspicion]) -> list[Suspicion]:
    """Return a suspicion of a number of entries: with another one all gradients are right."""
    numbers = search.roles.usual_numbers()
    numbers |= {
        v for s in found for v in s.versions if v.value.dtype.kind in "iu" and v.value.ndim == 0
    }
    suspects = {v for s in suspicions(search.evidence()) for v in s.versions}
    for version in sorted(numbers & suspects, key=lambda v: v.number):
        for size in sorted(search.roles.sizes - {float(version.value)}):
            statement = version.statement
            if statement is None or search.is_spent:
                return []
            if search.is_repaired(version, size - version.value):
                return [Suspicion(tuple(search.claims.wrong), (statement,), (version,), sure=True)]
    return []


def _is_after(statement: Statement, other: Statement) -> bool:
    """Return whether a statement is further down in the same function."""
    is_same_function = (statement.file, statement.function) == (other.file, other.function)
    return is_same_function and statement.first_line > other.first_line


def _statements_before(version: Version) -> list[Statement]:
    """Return the statements that made what a step has changed in place."""
    before = (read for read in version.direct if read.path == version.path)
    return [read.statement for read in before if read.statement is not None]
