"""The tests that are gradient checks: those with a mark, and those that use the fixture.

This module does not read the arguments of a mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

__all__ = ["is_marked", "is_user_mark", "must_check", "prepare_item", "requests_fixture"]

#: The mark that is added for selection by ``-m``, distinct from marks of the user.
SELECTION_MARK = pytest.mark.gradcheck(_ours=True)


def is_user_mark(mark: pytest.Mark) -> bool:
    """Return whether a mark is a gradcheck mark that the user wrote."""
    return mark.name == "gradcheck" and "_ours" not in mark.kwargs


def is_marked(item: pytest.Item) -> bool:
    """Return whether the user marked the item, its class or its module as a gradient check."""
    return any(map(is_user_mark, item.iter_markers()))


def prepare_item(item: pytest.Item) -> None:
    """Let ``-m gradcheck`` select the item if it uses the fixture.

    A marked test runs in one thread under pytest-run-parallel, which would discard its
    return value.
    """
    if requests_fixture(item):
        item.add_marker(SELECTION_MARK)
    elif item.config.pluginmanager.hasplugin("run-parallel"):
        item.add_marker(pytest.mark.thread_unsafe(reason="a gradcheck mark makes it a function"))


def must_check(item: pytest.Item) -> bool:
    """Return whether a test must complete a check: it is marked, or it requests the fixture.

    A request through a fixture of a wider scope than a function does not count: that fixture
    may check once for several tests.
    """
    return is_marked(item) or requests_fixture(item, through=("function",))


#: The scopes of fixtures.
SCOPES = ("function", "class", "module", "package", "session")


def requests_fixture(item: pytest.Item, through: Sequence[str] = SCOPES) -> bool:
    """Return whether a test requests the fixture, itself or through other fixtures.

    A fixture of the same name that the suite defines does not count. Requests of autouse
    fixtures do not count either.

    Parameters
    ----------
    item : pytest.Item
        The test.
    through : sequence of str, optional
        The scopes of the other fixtures that count.
    """
    info = getattr(item, "_fixtureinfo", None)
    if info is None:
        return False
    used = [name for mark in item.iter_markers("usefixtures") for name in mark.args]
    return _reaches(info.name2fixturedefs, [*info.argnames, *used], through, set())


def _reaches(
    definitions: Any, names: Sequence[str], through: Sequence[str], seen: set[str]
) -> bool:
    for name in names:
        if name in seen or not definitions.get(name):
            continue
        seen.add(name)
        definition = definitions[name][-1]
        if name == "gradcheck" and definition.func.__module__ == "pytest_gradcheck.plugin":
            return True
        if definition.scope in through and _reaches(
            definitions, definition.argnames, through, seen
        ):
            return True
    return False
