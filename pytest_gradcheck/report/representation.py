"""Values of the user's as short text, by no method of the user's classes.

As in `reprlib.Repr`, a representation has a limited length and depth. Here, moreover, no
``__repr__`` is called that could raise, take seconds or return megabytes. This module does not
know where a value is shown.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Iterable
from enum import Enum
from itertools import islice
from typing import Any

from pytest_gradcheck.report.inert_text import (
    NAME_LENGTH,
    escaped,
    shortened,
    without_middle,
)

__all__ = ["key_text", "listed", "shown", "shown_key", "type_name"]

#: The most items of a container that are shown, and how deep.
ITEMS = 12
DEPTH = 3

#: The most bits of an integer that is shown in full.
BITS = 128

#: Modules whose classes represent themselves, and hold no objects of the user's.
TRUSTED_MODULES = frozenset(
    {
        "datetime",
        "decimal",
        "fractions",
        "pathlib",
        "pathlib._local",  # Python 3.13
        "pytest_gradcheck.constraints.base",
        "pytest_gradcheck.constraints.matrices",
        "pytest_gradcheck.constraints.vectors",
        "uuid",
        "zoneinfo",
    }
)

#: Kinds of numpy's scalars whose representation is short.
TRUSTED_KINDS = "biufcmM"

#: The brackets of each container, and their contents.
BRACKETS: dict[type, str] = {
    list: "[{}]",
    tuple: "({})",
    set: "{{{}}}",
    frozenset: "frozenset({{{}}})",
}


def shown(value: object) -> str:
    r"""Return a value as Python would, but short and escaped, and by no method of the user's.

    Objects of other classes than those of the standard library and of numpy are shown by the
    name of their class.

    Examples
    --------
    >>> shown("a\nb"), shown(["x", 1.5, None]), shown(10**400)
    ("'a\\nb'", "['x', 1.5, None]", '<int of 1329 bits>')
    >>> shown(object()), shown(len), shown(int)
    ('<object>', 'len', 'int')
    """
    try:
        return without_middle(_shown(value, DEPTH), NAME_LENGTH)
    except Exception:  # noqa: BLE001  # a class may break any rule of Python's
        return "<object>"


def _shown(value: Any, depth: int) -> str:
    kind = type(value)
    if kind in ITSELF:
        return repr(value)
    for base, represent in REPRESENTATIONS:
        if issubclass(kind, base):
            return represent(value)
    if kind in BRACKETS:
        return _items_shown(value, depth)
    if kind is dict:
        return _mapping_shown(value, depth)
    return _object_shown(value, depth)


def _quoted(text: str) -> str:
    """Return a string with quotes, shortened between them."""
    plain = str.__str__(text)
    if len(plain) <= NAME_LENGTH and len(whole := repr(plain)) <= NAME_LENGTH + 2:
        return whole
    return f"'{shortened(plain)}'"


def _integer_shown(number: int) -> str:
    bits = int.bit_length(number)
    return int.__repr__(number) if bits <= BITS else f"<int of {bits} bits>"


def _bytes_shown(data: bytes) -> str:
    return repr(bytes(memoryview(data)[:NAME_LENGTH]))


def _class_shown(kind: type) -> str:
    return shortened(type.__dict__["__qualname__"].__get__(kind))


def _member_shown(member: Enum) -> str:
    return shortened(f"{type_name(member)}.{_vars(member).get('_name_')}")


def _function_shown(function: Any) -> str:
    return shortened(function.__qualname__)


#: Types whose values represent themselves.
ITSELF = frozenset({types.NoneType, types.EllipsisType, bool, float, complex, range})

#: Representations of types and of their subclasses; the first that applies is used.
REPRESENTATIONS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (str, _quoted),
    (Enum, _member_shown),
    (int, _integer_shown),
    (bytes, _bytes_shown),
    (bytearray, _bytes_shown),
    (type, _class_shown),
    (types.FunctionType, _function_shown),
    (types.BuiltinFunctionType, _function_shown),
    (types.MethodType, _function_shown),
)


def _object_shown(value: Any, depth: int) -> str:
    """Return an object by its class, with its fields or its value where these are known."""
    kind = type(value)
    if kind.__module__ in TRUSTED_MODULES:
        return escaped(repr(value))
    if kind.__module__ == "numpy" and hasattr(value, "dtype"):
        if kind.__name__ == "ndarray":
            return f"<{shortened(str(value.dtype))} array of shape {value.shape}>"
        if value.dtype.kind in TRUSTED_KINDS:
            return repr(value)
    if issubclass(kind, float):
        return float.__repr__(value)
    fields = _fields(value)
    if not depth or not fields:
        return f"<{type_name(value)}>"
    parts = [
        f"{shortened(name)}={_shown(item, depth - 1)}"
        for name, item in islice(fields.items(), ITEMS)
    ]
    return f"{type_name(value)}({', '.join(parts)})"


def _fields(value: Any) -> dict[str, Any]:
    """Return the fields of a named tuple or of a dataclass, of anything else nothing."""
    if isinstance(value, tuple):
        return dict(zip(getattr(type(value), "_fields", ()), tuple.__iter__(value), strict=False))
    if not dataclasses.is_dataclass(value):
        return {}
    names = [field.name for field in dataclasses.fields(value) if field.repr]
    held = _vars(value)
    return {name: held[name] for name in names if name in held}


def _vars(value: object) -> dict[str, Any]:
    """Return the attributes in the dict of an object, if it has one."""
    try:
        held: dict[str, Any] = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return held


def _items_shown(value: Any, depth: int) -> str:
    if not depth and value:
        return BRACKETS[type(value)].format("...")
    if not value and type(value) is set:
        return "set()"
    parts = [_shown(item, depth - 1) for item in islice(value, ITEMS)]
    if len(value) > ITEMS:
        parts.append("...")
    comma = "," if type(value) is tuple and len(value) == 1 else ""
    return BRACKETS[type(value)].format(", ".join(parts) + comma)


def _mapping_shown(value: dict[Any, Any], depth: int) -> str:
    if not depth and value:
        return "{...}"
    pairs = islice(value.items(), ITEMS)
    parts = [f"{_shown(key, depth - 1)}: {_shown(item, depth - 1)}" for key, item in pairs]
    if len(value) > ITEMS:
        parts.append("...")
    return f"{{{', '.join(parts)}}}"


def shown_key(key: object) -> str:
    """Return the key of a mapping as it is shown, as fast as may be.

    Examples
    --------
    >>> shown_key("W"), shown_key(0), shown_key(object())
    ("'W'", '0', '<object>')
    """
    return repr(key) if type(key) is str and len(key) <= NAME_LENGTH else shown(key)


def key_text(key: object) -> str:
    """Return the key of a mapping as a name: a string without its quotes.

    Examples
    --------
    >>> key_text("W"), key_text(0)
    ('W', '0')
    """
    return shortened(key) if isinstance(key, str) else shown(key)


def type_name(value: object) -> str:
    r"""Return the name of the class of a value.

    Examples
    --------
    >>> type_name(1.0), type_name(type("A\x1b", (), {})())
    ('float', 'A\\x1b')
    """
    return shortened(type.__dict__["__name__"].__get__(type(value)))


def listed(names: Iterable[object]) -> str:
    """Return names, or keys of a mapping, as a list in words, strings without quotes.

    Examples
    --------
    >>> listed(["W", 0]), listed(f"x{k}" for k in range(100))
    ('W, 0', 'x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11 and 88 more')
    """
    names = list(names)
    parts = [key_text(name) for name in names[:ITEMS]]
    more = len(names) - ITEMS
    return ", ".join(parts) + (f" and {more} more" if more > 0 else "")
