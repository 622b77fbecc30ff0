"""Verified values: those of backward in which there is no error, as far as it is seen.

A value is verified if it is a derivative by a value of forward, or comes from outside, or if what
was computed from such values in the same statement at another time is a derivative.

It does not execute anything.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from pytest_gradcheck.fault_localization.adjoint_repair.known_values import KnownValues
from pytest_gradcheck.fault_localization.execution.recorded_values import Version
from pytest_gradcheck.fault_localization.execution.statements import Statement
from pytest_gradcheck.fault_localization.measured_gradient import FEW
from pytest_gradcheck.fault_localization.value_roles import Claims, Roles

__all__ = ["VerifiedValues", "is_zero_of_zero", "stem"]

#: What is added to the name of a variable for that of its gradient.
GRADIENT = re.compile(r"^(d_?|grad_|g_)|(_?bar|_grad|_adj)$")


class VerifiedValues:
    """Tells which values of backward are verified.

    Parameters
    ----------
    roles : Roles
        What the recorded values are.
    claims : Claims
        What backward has returned.
    known : KnownValues
        What values are known to be.
    """

    def __init__(self, roles: Roles, claims: Claims, known: KnownValues) -> None:
        self._roles, self._known = roles, known
        self._wrong = set(claims.wrong.values())
        self._misnamed = {version for _, version in roles.misnamed}
        # Zeros are what gradients begin with, also where they are attributes of values.
        named = (v for v in roles.data if v.is_floating and v.value.any())
        self._names = {(_last_name(v), v.value.size) for v in named}
        self._reordered: dict[str, bool] = {}
        self._innocent = set(self._innocent_statements())

    def is_known(self, version: Version) -> bool:
        """Return whether a value is the derivative by one of forward, or one of forward."""
        if version in self._wrong or self._is_misnamed(version):
            return False
        if version.is_alias and not self.has_own_name(version):
            return version in self._roles.well_named
        kinds = {kind for kind, _ in self._known.of(version)}
        return "total" in kinds or (
            "value" in kinds and (self._is_reordered(version) or not _is_selected(version))
        )

    def is_part(self, version: Version) -> bool:
        """Return whether a value is a derivative, be it through some uses only."""
        is_own = not version.is_alias or self.has_own_name(version)
        is_own = is_own and not self._is_misnamed(version)
        return is_own and any(kind != "value" for kind, _ in self._known.of(version))

    def has_own_name(self, version: Version) -> bool:
        """Return whether a derivative is named after what it is the derivative by."""
        name = stem(version.path.names)
        return any(
            kind == "total" and _last_name(owner) == name
            for kind, owner in self._known.of(version)
        )

    def _is_misnamed(self, version: Version) -> bool:
        """Return whether a derivative is named after a value that it is not the derivative by."""
        name, owners = stem(version.path.names), self._known.of(version)
        is_named = any(_last_name(owner) == name for _, owner in owners)
        is_another = (name, version.value.size) in self._names or _is_renamed(version)
        return is_another and bool(owners) and not is_named

    def is_whole_sum(self, version: Version) -> bool:
        """Return whether a value is what a reverse sweep holds after some uses, or at the end."""
        kinds = {kind for kind, _ in self._known.of(version)}
        return not self._is_misnamed(version) and not kinds.isdisjoint(("sum", "total"))

    def shows(self, version: Version) -> bool:
        """Return whether a value shows that its statement is right.

        Nothing that it read was zero, but for a sum to which nothing was added before.
        """
        return (
            version not in self._wrong
            and not version.is_alias
            and not self._is_misnamed(version)
            and any(kind != "value" for kind, _ in self._known.of(version))
            and all(read.value.any() or read.path == version.path for read in version.direct)
        )

    def unverified(self, made: Sequence[Version], others: Sequence[Version]) -> list[Version]:
        """Return what some values were computed from that is not verified.

        Parameters
        ----------
        made : sequence of Version
            The values.
        others : sequence of Version
            What is left out, with all that it was computed from.

        Statements of forward, which backward may use again, are passed over.
        """
        found, pending, seen = list[Version](), list(made), {*made, *others}
        while pending:
            for read in pending.pop().direct:
                if read not in seen and not self.is_verified(read):
                    seen.add(read)
                    pending.append(read)
                    if read.phase == 1 or read.statement not in self._roles.of_forward:
                        found.append(read)
        return found

    def is_verified(self, version: Version) -> bool:
        """Return whether there is no error in a value, as far as it is seen."""
        roles = self._roles
        if version in self._misnamed:
            return False
        if version in roles.data or version in roles.initial or version in roles.recomputed:
            return True
        if version.is_alias:
            is_named = version in roles.well_named or self.has_own_name(version)
            return is_named and self.is_verified(version.root)
        return (
            is_zero_of_zero(version)
            or (version.is_size and version in roles.usual_numbers())
            or version.statement in self._innocent
            or self.is_known(version)
            or self.is_part(version)
            or self._is_multiple(version)
        )

    def _innocent_statements(self) -> Iterator[Statement | None]:
        """Yield the statements that derivatives come from, be it through unknown values."""
        pending = [version for version in self._roles.gradients if self.shows(version)]
        seen = set(pending)
        while pending:
            version = pending.pop()
            yield version.statement
            for read in version.direct:
                # A sum shows nothing of single entries.
                is_seen = read.value.size <= version.value.size
                if is_seen and read not in seen and read not in self._roles.data:
                    seen.add(read)
                    pending.append(read)

    def is_innocent(self, statement: Statement | None) -> bool:
        """Return whether a statement has made values from which derivatives were computed."""
        return statement in self._innocent

    def _is_multiple(self, version: Version) -> bool:
        """Return whether a value is a derivative before it is divided by a number of entries."""
        if self._roles.descendants is not None or version.value.size < FEW:
            return False
        return any(
            kind == "total"
            for size in self._roles.sizes
            for factor in (size, 1 / size)
            for kind, _ in self._known.equal_to(version.value * factor)
        )

    def _is_reordered(self, version: Version) -> bool:
        """Return whether a variable has the values that it has in forward, in whatever order."""
        name = version.path.names
        if name not in self._reordered:
            of_forward, of_backward = (
                Counter(v.value.tobytes() for v in versions if v.path.names == name)
                for versions in (self._roles.data, self._roles.gradients)
            )
            self._reordered[name] = of_forward == of_backward
        return self._reordered[name]


def _is_renamed(version: Version) -> bool:
    """Return whether a value has all entries of a derivative that was read, in order."""
    entries = version.value.reshape(-1)
    return any(np.array_equal(entries, read.value.reshape(-1)) for read in version.direct)


def _last_name(version: Version) -> str:
    return version.path.names.rsplit(".", 1)[-1]


def is_zero_of_zero(version: Version) -> bool:
    """Return whether a value is zero as something that it was computed from is."""
    return not version.value.any() and any(
        read.is_floating and not read.value.any() for read in version.direct
    )


def stem(name: str) -> str:
    """Return what a gradient is named after, as far as its name tells."""
    return GRADIENT.sub("", name.rsplit(".", 1)[-1])


def _is_selected(version: Version) -> bool:
    """Return whether a value has entries of another one only, as a copy and a part have."""
    return any(np.isin(version.value, read.value).all() for read in version.direct)
