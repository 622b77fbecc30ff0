"""A report from its dict: the reverse of `ReportData.to_dict`.

The dict may come from another process or from a file. There a number that JSON lacks is its name,
and an option whose value was an object is its representation. This module does not check the
dict; the schema of a record does.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

from pytest_gradcheck.report.report_data import ReportData

__all__ = ["report_from_dict"]


def report_from_dict(data: Mapping[str, Any]) -> ReportData:
    """Return the report that a dict describes.

    Parameters
    ----------
    data : mapping
        From `ReportData.to_dict`, or read from JSON.

    Returns
    -------
    ReportData
        The report.

    Raises
    ------
    KeyError
        If a key is missing.

    Examples
    --------
    >>> from pytest_gradcheck import check_gradient
    >>> report = check_gradient(lambda x: x**2, lambda x: 3 * x, 1.5)
    >>> report_from_dict(report.to_dict())["x"].worst[0].backward
    4.5
    """
    report: ReportData = _read(ReportData, data)
    return report


def _read(kind: Any, value: Any) -> Any:
    """Return the value of a type that its builtins describe."""
    if isinstance(kind, type) and is_dataclass(kind):
        return kind(**{name: _read(hint, value[name]) for name, hint in _hints(kind)})
    if kind is float:
        return float(value)
    return _read_generic(get_origin(kind), get_args(kind), value)


def _read_generic(origin: Any, arguments: tuple[Any, ...], value: Any) -> Any:
    if origin is tuple and arguments[1] is Ellipsis:
        return tuple(_read(arguments[0], item) for item in value)
    if origin is tuple:
        return tuple(map(_read, arguments, value))
    if origin is Mapping:
        return {key: _read(arguments[1], item) for key, item in value.items()}
    # Of two types the first, but None and an int are what they are.
    if origin in {Union, types.UnionType} and not isinstance(value, (int, types.NoneType)):
        return _read(arguments[0], value)
    return value


@functools.cache
def _hints(kind: type) -> tuple[tuple[str, Any], ...]:
    hints = get_type_hints(kind)
    return tuple((field.name, hints[field.name]) for field in fields(kind))
