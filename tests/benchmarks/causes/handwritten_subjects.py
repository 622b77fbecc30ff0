"""Bugs in handwritten functions: their backward is called, and some of its gradients changed."""

from __future__ import annotations

import ast
import functools
import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pytest_gradcheck import check_gradient
from pytest_gradcheck.report.report import Report
from tests.benchmarks.causes.claimed_gradients import Claims, Gradients, Transformation
from tests.checkout import load_script
from tests.corpus.family import Array

__all__ = ["HandwrittenSubject"]

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
    """The last call of forward, and what it takes to change claims about it."""

    signature: inspect.Signature
    names: list[str]
    transformation: Transformation
    numbers: dict[str, float]

    def functions(self, forward: Any, backward: Any) -> tuple[Any, Any]:
        """Return the functions, with a backward whose claims are changed."""
        last: list[Any] = []

        @functools.wraps(forward)
        def recording(*args: Any, **kwargs: Any) -> Any:
            result = forward(*args, **kwargs)
            last[:] = [self.signature.bind(*args, **kwargs).arguments, result]
            if backward is not True:
                return result
            return result[0], self.changed(None, last, None, lambda: _after_value(result))

        if backward is True:
            return recording, True
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
            result = plain_forward(self, *args, **kwargs)
            last[:] = [call.signature.bind(*args, **kwargs).arguments, result]
            if backward is not True:
                return result
            return result[0], call.changed(self, last, None, lambda: _after_value(result))

        attributes = {forward.__name__: recording}
        if backward is not True:
            plain_backward = getattr(class_, backward.__name__)
            parameters = inspect.signature(backward)

            @functools.wraps(plain_backward)
            def changed(self: Any, *args: Any, **kwargs: Any) -> Any:
                bound = parameters.bind(*args, **kwargs)
                return call.changed(self, last, bound, lambda: plain_backward(self, *bound.args))

            attributes[backward.__name__] = changed
        owner.__class__ = type(class_.__name__, (class_,), attributes)
        method = True if backward is True else getattr(owner, backward.__name__)
        return getattr(owner, forward.__name__), method

    def changed(
        self,
        owner: Any,
        last: Sequence[Any],
        bound: inspect.BoundArguments | None,
        call: Callable[[], Any],
    ) -> Any:
        """Return what backward returns, after the transformation of its claims."""
        arguments, result = last
        parameters = dict(self._leaves(owner, arguments))
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
        value = result[0] if isinstance(result, tuple) else result
        seen = Gradients(
            claims_of(gradients := call()),
            parameters,
            float(value) if np.ndim(value) == 0 else None,
            self.numbers,
            [value for value in arguments.values() if isinstance(value, np.ndarray)],
            cotangents,
            (lambda: under([np.ones_like(c) for c in cotangents])) if upstream else None,
            (lambda: under([c * c for c in cotangents])) if upstream else None,
            (lambda: under([2 * c for c in cotangents])) if upstream else None,
        )
        for name, claim in self.transformation(seen).items():
            gradients = self._written(owner, gradients, name, claim)
        return gradients

    def _leaves(self, owner: Any, arguments: dict[str, Any]) -> Iterator[tuple[str, Array]]:
        for name in self.names:
            value = _of(owner, name) if name.startswith("self.") else arguments[name]
            if isinstance(value, dict):
                yield from ((f"{name}[{key!r}]", leaf) for key, leaf in value.items())
            elif isinstance(value, list):
                yield from ((f"{name}[{i}]", leaf) for i, leaf in enumerate(value))
            else:
                yield name, value

    def _upstream(self, bound: inspect.BoundArguments) -> Iterator[str]:
        for name, value in bound.arguments.items():
            if isinstance(value, np.ndarray) and name not in self.signature.parameters:
                yield name

    def _read(self, owner: Any, gradients: Any, name: str) -> Any:
        holder, key = self._place(owner, gradients, name)
        if key is None:
            return gradients
        return getattr(owner, key) if holder is owner else holder[key]

    def _written(self, owner: Any, gradients: Any, name: str, claim: Array) -> Any:
        """Return what backward returns with another claim about a parameter."""
        holder, key = self._place(owner, gradients, name)
        if key is None:
            return claim
        if holder is owner:
            setattr(owner, key, claim)
        elif holder is not gradients:
            holder[key] = claim
        elif isinstance(gradients, dict):
            return {**gradients, key: claim}
        else:
            if name.startswith("self."):
                _replace_in(_of(owner, name.rpartition(".")[0]), gradients[key], claim)
            return tuple(claim if i == key else g for i, g in enumerate(gradients))
        return gradients

    def _place(self, owner: Any, gradients: Any, name: str) -> tuple[Any, Any]:
        """Return what holds a gradient and under which key; None for the result itself."""
        whole = next(n for n in self.names if name == n or name.startswith(f"{n}["))
        leaf = None if name == whole else ast.literal_eval(name[len(whole) + 1 : -1])
        if isinstance(gradients, dict):
            keys = (f"{prefix}{name if leaf is None else leaf}" for prefix in PREFIXES)
            return gradients, next(key for key in keys if key in gradients)
        if isinstance(gradients, (tuple, list)) and len(gradients) == len(self.names):
            i = self.names.index(whole)
            return (gradients, i) if leaf is None else (gradients[i], leaf)
        if name.startswith("self.") and leaf is not None:
            return owner.grads, leaf
        if name.startswith("self."):
            last = name.removeprefix("self.")
            keys = (f"{prefix}{last}" for prefix in PREFIXES[1:])
            return owner, next(key for key in keys if hasattr(owner, key))
        if isinstance(gradients, tuple):
            returned = [n for n in self.names if not n.startswith("self.")]
            return gradients, returned.index(name)
        return gradients, None


def _of(owner: Any, name: str) -> Any:
    """Return an attribute by its name, such as ``"self.layers[0].W"``."""
    for part in re.findall(r"\w+", name)[1:]:
        owner = owner[int(part)] if part.isdigit() else getattr(owner, part)
    return owner


def _replace_in(layer: Any, gradient: Any, claim: Array) -> None:
    """Replace the gradient that a layer keeps, where the same one is returned as well."""
    for key, value in list(vars(layer).items()):
        if value is gradient:
            setattr(layer, key, claim)


def _after_value(result: Any) -> Any:
    """Return the gradients that a function returns after its value."""
    return result[1] if len(result) == 2 else tuple(result[1:])
