"""Checked leaves as they are passed to forward: made anew from the point for each evaluation.

Forward may keep what it is given, compare it by identity with what it is given next, or put
something else in its place in a container, as with arrays of the user's own. Only attributes are
perturbed in place: a new array would not reach an alias such as ``params = [self.W]``. One of low
precision that is lifted is set to a new array, and the user's own is given the same entries,
rounded. It does not know the containers that leaves are in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.call.attributes import array_assigner, assigner, follow
from pytest_gradcheck.binding.values.parameters import Parameter, Vector
from pytest_gradcheck.binding.values.pytree import Leaf, contents
from pytest_gradcheck.binding.values.rebuilding import number_list, replaced
from pytest_gradcheck.binding.values.signed_numbers import signed_numbers
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.integrations.array_libraries import array_library, as_numpy

__all__ = ["LOW_PRECISION", "Change", "PassedLeaf", "changed_visibly", "equal", "passed_leaf"]

#: Types whose rounding would dominate a difference quotient; forward is tried in float64 instead.
LOW_PRECISION = frozenset({"float16", "float32", "complex64"})

#: By how much of their size entries are changed to see whether they are read. Every type shows it.
VISIBLE_CHANGE = 2.0**-8

#: Kinds of numbers that may not be equal to themselves.
HAVE_NAN = "fcmM"


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of a checked parameter that a call changed in place."""

    parameter: str
    index: tuple[int, ...]
    before: Any
    after: Any


class PassedLeaf:
    """A checked leaf: its place in the point, and the value that forward was given last.

    Parameters
    ----------
    parameter : Parameter
        The leaf.
    view : ndarray
        Its part of the point, in its shape.
    make : callable
        Makes the value to pass; that of an attribute is set where it is.
    put_back : callable
        Sets an attribute to the user's own array again.
    is_lifted : bool
        Whether it is passed in a higher precision than the user's.
    original : ndarray or None
        The user's own array where another one takes its place as an attribute.

    Attributes
    ----------
    parameter, view, put_back, is_lifted, original
        As given.
    passed : Any
        The value that was made last.
    """

    __slots__ = ("_make", "is_lifted", "original", "parameter", "passed", "put_back", "view")

    def __init__(
        self,
        parameter: Parameter,
        view: NDArray[Any],
        make: Callable[[], Any],
        put_back: Callable[[], None] = lambda: None,
        *,
        is_lifted: bool = False,
        original: NDArray[Any] | None = None,
    ) -> None:
        self.parameter, self.view, self.is_lifted = parameter, view, is_lifted
        self.put_back, self.original = put_back, original
        self.passed: Any = None
        self._make = make

    def take(self) -> Any:
        """Make the value at the point as it is now."""
        self.passed = passed = self._make()
        return passed

    def find_change(self, base: Vector) -> Change | None:
        """Return the first entry that a call changed in place, where the point was `base`."""
        passed, parameter = self.passed, self.parameter
        before = base[parameter.start : parameter.stop]
        before = before.view(self.view.dtype).reshape(self.view.shape)
        if isinstance(passed, list):
            after = _as_array(passed, before.dtype)
        elif isinstance(passed, np.ndarray) or array_library(passed) is not None:
            after = as_numpy(passed)
            before = before.astype(after.dtype, copy=False)
        else:
            return None
        if after.shape != before.shape:
            return Change(parameter.name, (), before.tolist(), passed)
        if (after == before).all():
            return None
        differ = np.argwhere(~equal(after, before))
        if not differ.size:
            return None
        index = tuple(int(k) for k in differ[0])
        return Change(parameter.name, index, before[index], after[index])

    def rows(self, points: Vector) -> Any:
        """Return the leaf at k points, with a leading axis of length k."""
        part = points[:, self.parameter.start : self.parameter.stop]
        rows = part.view(self.view.dtype).reshape(len(points), *self.parameter.shape)
        library = array_library(self.passed)
        if library is not None:
            dtype = library.to_numpy(self.passed).dtype
            return library.parameter(rows.astype(dtype), self.passed)
        if not isinstance(self.passed, np.ndarray) or self.passed.dtype == rows.dtype:
            return rows
        return rows.astype(self.passed.dtype)


def passed_leaf(
    parameter: Parameter,
    leaf: Leaf,
    point: Vector,
    *,
    owner: object | None,
    places: Sequence[Callable[[Any], None]] = (),
    lift: bool,
) -> PassedLeaf:
    """Return a leaf as it is passed, or set as an attribute.

    Parameters
    ----------
    parameter : Parameter
        The leaf's place in the point.
    leaf : Leaf
        The user's value.
    point : ndarray
        All checked leaves; later changes of it change the value that is made.
    owner : object or None
        The bound object, where the leaf is one of its attributes.
    places : sequence of callable
        What sets the places where objects hold the value of an attribute.
    lift : bool
        Pass floating arrays of low precision as float64.
    """
    part = point[parameter.start : parameter.stop]
    view = (part.view(np.complex128) if parameter.is_complex else part).reshape(parameter.shape)
    value = leaf.value
    is_low = parameter.dtype in LOW_PRECISION
    if array_library(value) is not None:
        return _foreign_leaf(parameter, leaf, view, owner=owner, lift=lift and is_low)
    if not isinstance(value, np.ndarray):
        make = _number_maker(value, view, lift=lift)
        if owner is not None:
            make = _attribute_setter(owner, leaf.name, make)
        return PassedLeaf(parameter, view, make, is_lifted=lift and is_low)
    if owner is not None:
        return _array_attribute(
            parameter, value, view, owner=owner, places=places, lift=lift and is_low
        )
    is_plain = type(value) is np.ndarray
    is_lifted = is_plain and is_low and lift
    dtype = view.dtype if is_lifted else value.dtype
    if is_plain and value.flags.c_contiguous and dtype == view.dtype:
        return PassedLeaf(parameter, view, view.copy, is_lifted=is_lifted)
    make = _array_maker(value.astype(dtype), view)  # it keeps the layout
    return PassedLeaf(parameter, view, make, is_lifted=is_lifted)


def _array_attribute(
    parameter: Parameter,
    value: NDArray[Any],
    view: NDArray[Any],
    *,
    owner: object,
    places: Sequence[Callable[[Any], None]],
    lift: bool,
) -> PassedLeaf:
    """Return an array of the bound object as it is written to where it is, or replaced there."""
    _make_writeable(value, parameter.name)
    accessor = parameter.name.removeprefix("self")
    assign = array_assigner(owner, accessor, value)

    def assign_everywhere(array: Any) -> None:
        for set_place in places:
            set_place(array)
        assign(array)  # last, since a property may compute from it what forward reads

    def put_back() -> None:
        assign_everywhere(value)

    if lift and type(value) is np.ndarray:
        template = value.astype(view.dtype)
        is_taken = _takes(owner, accessor, assign_everywhere, template)
        put_back()
        if is_taken:
            make = _array_replacer(value, view, assign_everywhere, _array_maker(template, view))
            return PassedLeaf(parameter, view, make, put_back, is_lifted=True, original=value)
    return PassedLeaf(
        parameter, view, _attribute_writer(value, view, assign), lambda: assign(value)
    )


def _takes(
    owner: object, accessor: str, assign: Callable[[Any], None], array: NDArray[Any]
) -> bool:
    """Return whether an attribute can be an array of another type: a property may convert it."""
    try:
        assign(array)
        return getattr(follow(owner, accessor), "dtype", None) == array.dtype
    except Exception:  # noqa: BLE001  # a property may raise anything
        return False


def _foreign_leaf(
    parameter: Parameter, leaf: Leaf, view: NDArray[Any], *, owner: object | None, lift: bool
) -> PassedLeaf:
    """Return an array of another library as it is passed, or written to where it is."""
    value, library = leaf.value, array_library(leaf.value)
    if library is None:
        raise TypeError(leaf.name)
    dtype = view.dtype if lift else np.dtype(parameter.dtype)

    def make() -> Any:
        return library.parameter(view.astype(dtype), value)

    if owner is None:
        return PassedLeaf(parameter, view, make, is_lifted=lift)
    write = library.writer(value)
    if write is None:
        make = _attribute_setter(owner, leaf.name, make)
        return PassedLeaf(parameter, view, make, is_lifted=lift)
    before, is_lifted = leaf.array.copy(), False
    if lift:
        # An object takes any numbers, a tensor those of its type.
        is_lifted = as_numpy(write(before.astype(dtype))).dtype == dtype
        write(before)
    own = dtype if is_lifted else before.dtype
    return PassedLeaf(
        parameter,
        view,
        lambda: write(view.astype(own, copy=False)),
        lambda: write(before),
        is_lifted=is_lifted,
    )


def _number_maker(value: Any, view: NDArray[Any], *, lift: bool) -> Callable[[], Any]:
    """Return what makes a number or a list of the user's own type from the point."""
    if contents(value) is not None:
        return lambda: replaced(value, ())  # it is empty
    if isinstance(value, list):
        return view.tolist if type(value) is list else lambda: number_list(value, view.tolist())
    if isinstance(value, np.generic):
        kind = view.dtype.type if lift else type(value)
        return lambda: kind(view[()])
    return view.item


def _array_maker(template: NDArray[Any], view: NDArray[Any]) -> Callable[[], Any]:
    """Return what makes an array of the type and layout of a template."""

    def make() -> Any:
        array = template.copy(order="K")
        np.copyto(array, view, casting="same_kind")
        return array

    return make


def _attribute_setter(owner: object, name: str, make: Callable[[], Any]) -> Callable[[], Any]:
    """Return what sets an attribute to a new number or list."""
    assign = assigner(owner, name.removeprefix("self"))

    def make_and_set() -> Any:
        value = make()
        assign(value)
        return value

    return make_and_set


def _attribute_writer(
    array: NDArray[Any], view: NDArray[Any], assign: Callable[[Any], None]
) -> Callable[[], Any]:
    """Return what writes to the array of an attribute, and sets the attribute to a view of it."""
    is_plain = type(array) is np.ndarray

    def write() -> Any:
        np.copyto(array, view, casting="same_kind")
        passed = array.view() if is_plain else array
        assign(passed)
        return passed

    return write


def _array_replacer(
    original: NDArray[Any],
    view: NDArray[Any],
    assign: Callable[[Any], None],
    make: Callable[[], NDArray[Any]],
) -> Callable[[], Any]:
    """Return what sets an attribute to a new array, and rounds it to the user's own array."""

    def replace() -> Any:
        # Who has this array by another name finds the same point there, as far as its type goes.
        np.copyto(original, view, casting="same_kind")
        passed = make()
        assign(passed)
        return passed

    return replace


def _make_writeable(array: NDArray[Any], name: str) -> None:
    """Let the check write to an attribute, until everything is put back, or raise."""
    if array.flags.writeable:
        return
    try:
        array.flags.writeable = True
    except ValueError:
        raise GradcheckUsageError(
            f"{name} cannot be perturbed: its memory is read-only. Let the object hold a copy, "
            f"{name} = np.array({name})."
        ) from None


def changed_visibly(array: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """Return other numbers of about the same size; zeros become such of the size of others."""
    size = np.abs(array)
    scale = np.where(size > 0, size, size.max(initial=0) or 1)
    return np.asarray(array + VISIBLE_CHANGE * scale * signed_numbers(rng, array.shape))


def _as_array(value: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return a list as an array, an empty one where that cannot be."""
    try:
        return np.array(value, dtype)
    except (TypeError, ValueError):
        return np.empty(0, dtype)


def equal(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    """Return, entry by entry, whether two arrays are equal; NaN equals NaN, and NaT NaT."""
    names = a.dtype.names
    if names and names == b.dtype.names:
        fields = [equal(a[name], b[name]).reshape(*a.shape, -1).all(axis=-1) for name in names]
        return np.asarray(np.logical_and.reduce(fields))
    same = np.asarray(a == b)
    if not same.all() and a.dtype.kind in HAVE_NAN and b.dtype.kind in HAVE_NAN:
        same = same | ((a != a) & (b != b))  # noqa: PLR0124  # what is not equal to itself
    return same
