"""Which tests are gradient checks: the marked ones and those that use our fixture.

It must not read what a mark says; it looks at who has one.
"""

from __future__ import annotations

from typing import Any

import pytest

__all__ = ["asks_for_fixture", "is_user_mark", "prepare_item"]

#: Tells the mark we add, for selection alone, from one that the user wrote.
OURS = pytest.mark.gradcheck(_ours=True)


def is_user_mark(mark: pytest.Mark) -> bool:
    """Tell a gradcheck mark that the user wrote."""
    return mark.name == "gradcheck" and "_ours" not in mark.kwargs


def prepare_item(item: pytest.Item) -> None:
    """Let ``-m gradcheck`` select the item if it asks for our fixture.

    A marked test runs in one thread under pytest-run-parallel, which would
    throw its return value away.
    """
    if asks_for_fixture(item):
        item.add_marker(OURS)
    elif item.config.pluginmanager.hasplugin("run-parallel"):
        item.add_marker(pytest.mark.thread_unsafe(reason="a gradcheck mark makes it a function"))


def asks_for_fixture(item: pytest.Item) -> bool:
    """Tell whether a test asks for our fixture, itself or through fixtures it names.

    A suite's own fixture of the same name does not count, nor ours where only
    an autouse fixture asks for it.
    """
    info = getattr(item, "_fixtureinfo", None)
    if info is None:
        return False
    used = [name for mark in item.iter_markers("usefixtures") for name in mark.args]
    return _reaches(info.name2fixturedefs, [*info.argnames, *used], set())


def _reaches(definitions: Any, names: list[str], seen: set[str]) -> bool:
    for name in names:
        if name in seen or not definitions.get(name):
            continue
        seen.add(name)
        definition = definitions[name][-1]
        if name == "gradcheck" and definition.func.__module__ == "pytest_gradcheck.plugin":
            return True
        if _reaches(definitions, list(definition.argnames), seen):
            return True
    return False
