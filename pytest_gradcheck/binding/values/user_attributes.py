"""Attributes of the user's objects, which may be computed: asking for one may raise anything.

A dict whose ``__getattr__`` is its ``__getitem__`` raises `KeyError`, and a proxy what the object
raises that it stands for. This module does not know what an attribute is for.
"""

from __future__ import annotations

from typing import Any

__all__ = ["attribute", "has_attribute"]


def attribute(value: Any, name: str, default: Any = None) -> Any:
    """Return an attribute; `default` where there is none, or where asking for it raises.

    Examples
    --------
    >>> attribute(len, "__name__"), attribute(1.5, "__name__")
    ('len', None)
    """
    try:
        return getattr(value, name, default)
    except Exception:  # noqa: BLE001  # whatever the user's class raises
        return default


def has_attribute(value: Any, name: str) -> bool:
    """Return whether a value has an attribute: not where asking for it raises."""
    try:
        return hasattr(value, name)
    except Exception:  # noqa: BLE001  # whatever the user's class raises
        return False
