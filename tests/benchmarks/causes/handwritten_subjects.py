"""Bugs in handwritten functions: their backward is called, and some of its gradients changed."""

from __future__ import annotations

import ast
import functools
import inspect
import operator
import re
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from pytest_gradcheck import check_gradient
from pytest_gradcheck.integrations.gradient_objects import (
    accumulated_gradients,
    is_gradient_object,
)
from pytest_gradcheck.report.report import Report
from tests.benchmarks.causes.claimed_gradients import Claims, Gradients, Transformation
from tests.checkout import load_script
from tests.corpus.family import Array

__all__ = ["HandwrittenSubject"]

#: What `check_gradient` is given for backward, where objects keep their gradients themselves.
OWN_GRADIENTS = ".grad"

#: The prefixes of the names of gradients.
PREFIXES = ("", "d", "grad_")


@dataclass(frozen=True)
class HandwrittenSubject:
    """A handwritten function.

    Attributes
    ----------
    name : str
        Its name in the tables.
    path : Path
        Its file.
    """

    name: str
    path: Path

    def gradients(self) -> Gradients:
        """Return the right gradients at the point of its check."""
        seen: list[Gradients] = []

        def keep(gradients: Gradients) -> Claims:
            copies = {name: np.array(claim) for name, claim in gradients.claims.items()}
            parameters = {name: np.array(p) for name, p in gradients.parameters.items()}
            seen.append(
                replace(
                    gradients,
                    claims=copies,
                    parameters=parameters,
                    under_ones=_remembered(gradients.under_ones),
                    under_squares=_remembered(gradients.under_squares),
                    under_doubles=_remembered(gradients.under_doubles),
                )
            )
            return {}

        self.check(keep)
        return seen[0]

    def check(self, transformation: Transformation, **options: Any) -> Report:
        """Check it with a bug in its backward."""
        call = functools.partial(_check_with, transformation)
        report: Report = load_script(self.path).check(call, **options)
        return report


def _remembered(claims: Callable[[], Claims] | None) -> Callable[[], Claims] | None:
    """Return claims that stay what they are after the check."""
    if claims is None:
        return None
    now = claims()
    return lambda: now


def _check_with(
    transformation: Transformation,
    forward: Callable[..., Any],
    backward: Any,
    *args: Any,
    wrt: str | Sequence[str] | None = None,
    **options: Any,
) -> Report:
    """Check a gradient as `check_gradient` does, with some of its claims changed."""
    signature = inspect.signature(forward)
    names = _checked(wrt, signature, args)
    given = _Call(signature, names, transformation, _numbers(signature, args))
    if inspect.ismethod(forward):
        forward, backward = given.methods(forward, backward)
    else:
        forward, backward = given.functions(forward, backward)
    return check_gradient(forward, backward, *args, wrt=wrt, **options)


def _checked(
    wrt: str | Sequence[str] | None, signature: inspect.Signature, args: Sequence[Any]
) -> list[str]:
    if wrt is not None:
        return [wrt] if isinstance(wrt, str) else list(wrt)
    bound = signature.bind(*args).arguments
    return [k for k, v in bound.items() if isinstance(v, np.ndarray) and v.dtype.kind == "f"]


def _numbers(signature: inspect.Signature, args: Sequence[Any]) -> dict[str, float]:
    bound = signature.bind(*args)
    bound.apply_defaults()
    return {k: v for k, v in bound.arguments.items() if isinstance(v, float)}


@dataclass
class _Call:
    """The last call of forward, and what it takes to change claims about it.

    What `replaced` has is a container, a key in it, and the gradient that was there.
    """

    signature: inspect.Signature
    names: list[str]
    transformation: Transformation
    numbers: dict[str, float]
    replaced: list[tuple[Any, Any, Any]] = field(default_factory=list)

    def functions(self, forward: Any, backward: Any) -> tuple[Any, Any]:
        """Return the functions, with a backward whose claims are changed."""
        last: list[Any] = []

        @functools.wraps(forward)
        def recording(*args: Any, **kwargs: Any) -> Any:
            last[:] = [self.signature.bind(*args, **kwargs).arguments]
            return self.returned(None, last, backward, lambda: forward(*args, **kwargs))

        if not callable(backward):
            return recording, backward
        parameters = inspect.signature(backward)

        @functools.wraps(backward)
        def changed(*args: Any, **kwargs: Any) -> Any:
            bound = parameters.bind(*args, **kwargs)
            return self.changed(None, last, bound, lambda: backward(*bound.args))

        return recording, changed

    def methods(self, forward: Any, backward: Any) -> tuple[Any, Any]:
        """Return the methods of an object whose class has a backward with changed claims."""
        owner, call = forward.__self__, self
        class_, last = type(owner), list[Any]()
        plain_forward = getattr(class_, forward.__name__)

        @functools.wraps(plain_forward)
        def recording(self: Any, *args: Any, **kwargs: Any) -> Any:
            last[:] = [call.signature.bind(*args, **kwargs).arguments]
            return call.returned(
                self, last, backward, lambda: plain_forward(self, *args, **kwargs)
            )

        attributes = {forward.__name__: recording}
        if callable(backward):
            plain_backward = getattr(class_, backward.__name__)
            parameters = inspect.signature(backward)

            @functools.wraps(plain_backward)
            def changed(self: Any, *args: Any, **kwargs: Any) -> Any:
                bound = parameters.bind(*args, **kwargs)
                return call.changed(self, last, bound, lambda: plain_backward(self, *bound.args))

            attributes[backward.__name__] = changed
        owner.__class__ = type(class_.__name__, (class_,), attributes)
        method = getattr(owner, backward.__name__) if callable(backward) else backward
        return getattr(owner, forward.__name__), method

    def returned(
        self, owner: Any, last: list[Any], backward: Any, forward: Callable[[], Any]
    ) -> Any:
        """Return what forward returns, with changed claims where no other function has them."""
        arguments = last[0]
        if backward is True:
            self.put_back()
        result = forward()
        last[:] = [arguments, result]
        if backward is True:
            return result[0], self.changed(owner, last, None, lambda: _after_value(result))
        return self._with_terms(owner, last, forward) if backward == OWN_GRADIENTS else result

    def _with_terms(self, owner: Any, last: Sequence[Any], forward: Callable[[], Any]) -> Any:
        """Return a number with another gradient: the number plus terms that are linear and zero.

        Its objects accumulate their gradients while backward goes through all that was computed,
        so that a claim is changed wherever the number is used.
        """
        arguments, output = last
        leaves = dict(self._leaves(owner, arguments))
        right = _accumulated(forward, leaves)
        claims = self.changed(owner, last, None, lambda: right)
        differences = {
            name: claim - right[name] for name, claim in claims.items() if claim is not right[name]
        }
        value = output.data
        for name, difference in differences.items():
            term = leaves[name] * difference
            output = output + (term.sum() if np.ndim(term.data) else term)
        output.data = value
        backward = output.backward

        def exact() -> None:
            backward()
            for name in differences:
                leaves[name].grad = np.array(claims[name])  # without the rounding of the sum

        output.backward = exact
        return output

    def changed(
        self,
        owner: Any,
        last: Sequence[Any],
        bound: inspect.BoundArguments | None,
        call: Callable[[], Any],
    ) -> Any:
        """Return what backward returns, after the transformation of its claims."""
        self.put_back()
        arguments, result = last
        parameters = {name: _numbers_of(leaf) for name, leaf in self._leaves(owner, arguments)}
        upstream = [] if bound is None else list(self._upstream(bound))

        def claims_of(gradients: Any) -> dict[str, Array]:
            read = {k: self._read(owner, gradients, k) for k in parameters}
            return {k: np.array(v) for k, v in read.items()}

        def under(cotangents: Sequence[Array]) -> Claims:
            assert bound is not None
            before = dict(bound.arguments)
            bound.arguments.update(zip(upstream, cotangents, strict=True))
            try:
                return claims_of(call())
            finally:
                bound.arguments.update(before)
                call()

        cotangents = [] if bound is None else [bound.arguments[name] for name in upstream]
        value = _numbers_of(result[0] if isinstance(result, tuple) else result)
        given = map(_numbers_of, arguments.values())
        seen = Gradients(
            claims_of(gradients := call()),
            parameters,
            float(value) if np.ndim(value) == 0 else None,
            self.numbers,
            [value for value in given if isinstance(value, np.ndarray)],
            cotangents,
            (lambda: under([np.ones_like(c) for c in cotangents])) if upstream else None,
            (lambda: under([c * c for c in cotangents])) if upstream else None,
            (lambda: under([2 * c for c in cotangents])) if upstream else None,
        )
        claims = self.transformation(seen)
        kept = {id(self._read(owner, gradients, name)): claim for name, claim in claims.items()}
        for container, key, item in _items_in(owner, set()):
            if id(item) in kept:
                container[key] = kept[id(item)]
                self.replaced.append((container, key, item))
        for name, claim in claims.items():
            gradients = self._written(owner, gradients, name, claim)
        return gradients

    def put_back(self) -> None:
        """Give an object the gradients again that it kept: layers may write into these arrays."""
        for container, key, item in self.replaced:
            container[key] = item
        self.replaced.clear()

    def _leaves(self, owner: Any, arguments: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        for name in self.names:
            value = _of(owner, name) if name.startswith("self.") else arguments[name]
            yield from _leaves_in(name, value)

    def _upstream(self, bound: inspect.BoundArguments) -> Iterator[str]:
        for name, value in bound.arguments.items():
            if isinstance(value, np.ndarray) and name not in self.signature.parameters:
                yield name

    def _read(self, owner: Any, gradients: Any, name: str) -> Any:
        return _item(*self._place(owner, gradients, name))

    def _written(self, owner: Any, gradients: Any, name: str, claim: Array) -> Any:
        """Return what backward returns with another claim about a parameter."""
        holder, keys = self._place(owner, gradients, name)
        return _with_item(gradients, keys, claim) if holder is gradients else gradients

    def _split(self, name: str) -> tuple[str, list[Any]]:
        """Return the argument or attribute that a parameter is in, and the keys inside it."""
        whole = next(n for n in self.names if name == n or name.startswith(f"{n}["))
        keys = re.findall(r"\[(.+?)\]", name[len(whole) :])
        return whole, [ast.literal_eval(key) for key in keys]

    def _place(self, owner: Any, gradients: Any, name: str) -> tuple[Any, Sequence[Any]]:
        """Return what holds a gradient, and the keys to it; none for the holder itself."""
        whole, keys = self._split(name)
        if isinstance(gradients, dict):
            first, *inside = [name] if name in gradients else keys or [name]
            names = (f"{prefix}{first}" for prefix in PREFIXES)
            return gradients, [next(key for key in names if key in gradients), *inside]
        if keys and len(self.names) == 1 and isinstance(gradients, list):
            return gradients, keys
        if isinstance(gradients, (tuple, list)) and len(gradients) == len(self.names):
            return gradients, [self.names.index(whole), *keys]
        if name.startswith("self."):
            return (owner.grads, keys) if keys else _stored(owner, name.removeprefix("self."))
        if isinstance(gradients, tuple):
            returned = [n for n in self.names if not n.startswith("self.")]
            return gradients, [returned.index(name)]
        return gradients, []


def _stored(owner: Any, name: str) -> tuple[dict[str, Any], list[str]]:
    """Return the attributes of an object, and the name of the gradient of one of them."""
    attributes = vars(owner)
    names = (f"{prefix}{name}" for prefix in PREFIXES[1:])
    return attributes, [next(key for key in names if key in attributes)]


def _leaves_in(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield everything in a value that is no container, by its name."""
    if isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves_in(f"{name}[{key!r}]", item)
    else:
        yield name, value


def _item(container: Any, keys: Sequence[Any]) -> Any:
    """Return what is in a container of containers, under keys from the outermost one on."""
    return functools.reduce(operator.getitem, keys, container)


def _with_item(container: Any, keys: Sequence[Any], item: Any) -> Any:
    """Return a container with another item under such keys; the given one stays what it is."""
    if not keys:
        return item
    first, *inside = keys
    new = _with_item(container[first], inside, item)
    if isinstance(container, dict):
        return {**container, first: new}
    return type(container)(new if i == first else old for i, old in enumerate(container))


def _accumulated(forward: Callable[[], Any], leaves: dict[str, Any]) -> dict[str, Array]:
    """Return the gradients that objects accumulate, and leave those that they have."""
    before = [leaf.grad for leaf in leaves.values()]
    gradients = accumulated_gradients(lambda _: [forward()], list(leaves.values()), None)
    for leaf, gradient in zip(leaves.values(), before, strict=True):
        leaf.grad = gradient
    return dict(zip(leaves, gradients, strict=True))


def _numbers_of(value: Any) -> Any:
    """Return the numbers of an object that keeps a gradient beside them; else the value."""
    return np.asarray(value.data) if is_gradient_object(value) else value


def _of(owner: Any, name: str) -> Any:
    """Return an attribute by its name, such as ``"self.layers[0].W"``."""
    for part in re.findall(r"\w+", name)[1:]:
        owner = owner[int(part)] if part.isdigit() else getattr(owner, part)
    return owner


def _items_in(value: Any, seen: set[int]) -> Iterator[tuple[Any, Any, Any]]:
    """Yield all that an object keeps, with the container that it is in and its key there."""
    if id(value) in seen or isinstance(value, (type, types.ModuleType)):
        return
    seen.add(id(value))
    container = value if isinstance(value, (dict, list, tuple)) else getattr(value, "__dict__", ())
    items = container.items() if isinstance(container, dict) else enumerate(container)
    for key, item in list(items):
        if not isinstance(container, tuple):
            yield container, key, item
        yield from _items_in(item, seen)


def _after_value(result: Any) -> Any:
    """Return the gradients that a function returns after its value."""
    return result[1] if len(result) == 2 else tuple(result[1:])
