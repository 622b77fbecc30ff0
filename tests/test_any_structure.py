"""Property-based tests: any structure of arguments, under any signature of both functions.

Whatever is passed, a check ends in a verdict that is true or in a `GradcheckUsageError`, and the
arguments are as they were.
"""

import dataclasses
import types
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from hypothesis import event, given
from hypothesis import strategies as st

from pytest_gradcheck import GradcheckUsageError, GradcheckVacuousWarning, check_gradient
from tests.random_examples import random_examples

NAMES = ("x", "W", "b", "params", "state")


class Pair(NamedTuple):
    """A named tuple."""

    first: Any
    second: Any


@dataclasses.dataclass
class Layer:
    """A dataclass."""

    W: Any
    b: Any


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    """A dataclass of another kind."""

    scale: Any
    shift: Any


@dataclasses.dataclass(frozen=True)
class Argument:
    """An argument of forward: its name, value and how it is passed."""

    name: str
    value: Any
    passed: str  # "positional", "keyword", "keyword only", "default"


@dataclasses.dataclass(frozen=True)
class Case:
    """A random check.

    `asks` are what backward asks for, in its order: arguments, and maybe ``cache`` or ``dout``.
    `returns` is how it returns the gradients: ``"tuple"``, ``"names"`` or ``"d names"``.
    """

    arguments: tuple[Argument, ...]
    asks: tuple[str, ...]
    returns: str
    wrt: Any
    error: str

    @property
    def has_cotangent(self) -> bool:
        """Whether the output is an array whose upstream gradient backward asks for."""
        return "dout" in self.asks


def is_parameter(leaf: Any) -> bool:
    """Return whether a leaf has a derivative."""
    if isinstance(leaf, np.ndarray):
        return bool(leaf.dtype.kind == "f")
    return isinstance(leaf, float)


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """Return a structure with a function applied to each of its leaves."""
    match tree:
        case dict():
            return type(tree)((key, mapped(function, item)) for key, item in tree.items())
        case Pair():
            return Pair(*(mapped(function, item) for item in tree))
        case list() | tuple():
            return type(tree)(mapped(function, item) for item in tree)
        case types.SimpleNamespace():
            return types.SimpleNamespace(
                **{name: mapped(function, item) for name, item in vars(tree).items()}
            )
        case Layer() | Frozen():
            names = [field.name for field in dataclasses.fields(tree)]
            return type(tree)(**{name: mapped(function, getattr(tree, name)) for name in names})
        case _:
            return function(tree)


def leaves_of(tree: Any) -> Iterator[Any]:
    """Yield the leaves of a structure."""
    found = list[Any]()
    mapped(found.append, tree)
    yield from found


def array(dtype: str) -> Any:
    """Return a strategy of arrays, at points where the slope of the sine is not small."""
    shapes = st.sampled_from([(), (1,), (3,), (2, 2), (1, 3), (0,)])
    numbers = st.integers(1, 12)
    return st.builds(
        lambda shape, first: (
            (np.arange(first, first + int(np.prod(shape))) % 12 + 1).reshape(shape) / 10
        ).astype(dtype),
        shapes,
        numbers,
    )


LEAVES = st.one_of(
    array("float64"),
    array("float64"),
    array("float32"),
    array("float64").map(np.asfortranarray),
    st.integers(1, 12).map(lambda n: n / 10),
    st.sampled_from([3, True, None, "relu", 2 + 0j]),
    st.integers(0, 3).map(np.arange),
)


def containers(children: Any) -> Any:
    """Return a strategy of containers of some children."""
    return st.one_of(
        st.fixed_dictionaries({"W": children, "b": children}),
        st.fixed_dictionaries({"b": children, 1: children}),
        st.fixed_dictionaries({"W": children}).map(OrderedDict),
        st.lists(children, min_size=1, max_size=3),
        st.lists(children, min_size=1, max_size=3).map(tuple),
        st.builds(Pair, children, children),
        st.builds(Layer, children, children),
        st.builds(Frozen, children, children),
        st.builds(types.SimpleNamespace, W=children, gamma=children),
    )


TREES = st.recursive(LEAVES, containers, max_leaves=5)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a case."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    order = ["positional", "keyword", "default", "keyword only"]
    passed = sorted((draw(st.sampled_from(order)) for _ in names), key=order.index)
    arguments = tuple(map(Argument, names, [draw(TREES) for _ in names], passed))
    special = draw(st.sampled_from([(), ("cache",), ("dout",), ("dout", "cache")]))
    plain = () if "cache" in special and draw(st.booleans()) else tuple(names)
    asks = draw(st.permutations([*plain, *special]))
    return Case(
        arguments,
        tuple(asks),
        draw(st.sampled_from(["tuple", "names", "d names"])),
        draw(st.one_of(st.none(), st.sampled_from(names), st.just(names), st.just("W"))),
        draw(st.sampled_from(["none", "factor", "zero", "rolled"])),
    )


def weights(case: Case, k: int, size: int) -> Any:
    """Return the weights of the entries of leaf k in both outputs, of shape (2, size)."""
    entries = np.random.default_rng(k).uniform(1, 2, (2, size))
    return entries if case.has_cotangent else entries[:1]


def outputs(case: Case, values: dict[str, Any]) -> Any:
    """Return weighted sums of the sines of all leaves that have a derivative."""
    total = np.zeros(2 if case.has_cotangent else 1)
    for k, leaf in enumerate(leaf for value in values.values() for leaf in leaves_of(value)):
        if is_parameter(leaf):
            total = total + weights(case, k, np.size(leaf)) @ np.sin(np.ravel(leaf))
    return total if case.has_cotangent else total[0]


def gradients(case: Case, values: dict[str, Any], dout: Any) -> dict[str, Any]:
    """Return the claim for each argument, with the error of the case."""
    count = iter(range(1000))

    def of(leaf: Any) -> Any:
        k = next(count)
        if not is_parameter(leaf):
            return None
        flat = dout @ weights(case, k, np.size(leaf)) * np.cos(np.ravel(leaf))
        wrong = {"factor": 1.5 * flat, "zero": 0 * flat, "rolled": flat + 1 + np.arange(flat.size)}
        claim = wrong.get(case.error, flat)
        return float(claim[0]) if isinstance(leaf, float) else claim.reshape(np.shape(leaf))

    return {name: mapped(of, value) for name, value in values.items()}


def functions_of(case: Case) -> tuple[Any, Any]:
    """Return forward and backward with the signatures of the case."""
    names = [argument.name for argument in case.arguments]
    defaults = {a.name: a.value for a in case.arguments if a.passed == "default"}
    only = [a.name for a in case.arguments if a.passed == "keyword only"]
    plain = [name for name in names if name not in only]
    shown = [f"{name}=defaults[{name!r}]" if name in defaults else name for name in plain]
    stars = ["*", *only] if only else []
    values = ", ".join(f"{name!r}: {name}" for name in names)
    cached = "cache" in case.asks
    scope = {
        "defaults": defaults,
        "outputs": lambda values: outputs(case, values),
        "claim": lambda values, dout: in_form(case, gradients(case, values, dout)),
        "one": np.ones(1),
    }
    source = (
        f"def forward({', '.join(shown + stars)}):\n"
        f"    values = {{{values}}}\n"
        f"    return outputs(values){', values' if cached else ''}\n"
        f"def backward({', '.join(case.asks)}):\n"
        f"    values = {'cache' if cached else f'{{{values}}}'}\n"
        f"    return claim(values, {'dout' if case.has_cotangent else 'one'})\n"
    )
    exec(source, scope)  # noqa: S102 - a signature is text
    return scope["forward"], scope["backward"]


def in_form(case: Case, claims: dict[str, Any]) -> Any:
    """Return the gradients as the case returns them."""
    if case.returns == "names":
        return claims
    if case.returns == "d names":
        return {f"d{name}": claim for name, claim in claims.items()}
    return tuple(claims.values()) if len(claims) > 1 else next(iter(claims.values()))


def copied(tree: Any) -> Any:
    """Return a copy of a structure."""
    return mapped(lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf, tree)


def assert_same(tree: Any, before: Any) -> None:
    """Assert that a structure is as it was."""
    for leaf, old in zip(leaves_of(tree), leaves_of(before), strict=True):
        assert type(leaf) is type(old)
        np.testing.assert_array_equal(leaf, old, strict=True)


@random_examples
@given(cases())
def test_verdict_is_true_or_the_call_is_refused(case: Case) -> None:
    """A right claim is never wrong, a wrong one never correct, and the arguments stay."""
    forward, backward = functions_of(case)
    positional = [a.value for a in case.arguments if a.passed == "positional"]
    by_name = {a.name: a.value for a in case.arguments if a.passed.startswith("keyword")}
    before = [copied(argument.value) for argument in case.arguments]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GradcheckVacuousWarning)
        try:
            report = check_gradient(forward, backward, *positional, kwargs=by_name, wrt=case.wrt)
        except GradcheckUsageError:
            event("refused")
            return
        finally:
            for argument, value in zip(case.arguments, before, strict=True):
                assert_same(argument.value, value)
    event(report.verdict)
    assert all(note.kind != "unlocated" for note in report.notes), str(report)
    if case.error == "none":
        assert report.verdict == "correct", str(report)
    elif any(parameter.size for parameter in report.parameters):
        assert report.verdict == "wrong", str(report)
