"""Property-based tests of checks of every kind, in every mode, with parameters of every structure.

Every call ends in a report or in a `GradcheckUsageError`, never in an internal exception. A right
claim is never called wrong, and a grossly wrong one never correct.
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck import GradcheckUsageError, GradcheckVacuousWarning, check_gradient
from tests.random_examples import random_examples

#: Factors of the numbers of a point.
SCALES = (1.0, 1.0, 1e-300, 1e-8, 1e6, 1e100, 1e300)

REAL = ("float64", "float32", "float16", "longdouble")
SHAPES = [(), (1,), (1, 1), (2,), (0,), (3, 2), (1, 4), (2, 0), (30,), (6, 5)]

Kind = Literal["gradient", "jacobian", "elementwise", "vjp", "jvp", "hessian"]
Elementwise = Callable[[Any], Any]


@dataclass(frozen=True)
class Function:
    """A function of one number, and its derivative; a subgradient at a kink."""

    value: Elementwise
    slope: Elementwise


FUNCTIONS = {
    "square": Function(lambda x: x * x / 2 + 2 * x, lambda x: x + 2),
    "sine": Function(np.sin, np.cos),
    "rectifier": Function(lambda x: x * (x > 0), lambda x: 1.0 * (x > 0)),
    "nothing": Function(lambda x: 0 * x, lambda x: 0 * x),
}

#: Functions without a derivative at some points, or with claims that are only nearly right.
IRREGULAR = {
    "root": Function(np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "floor": Function(lambda x: np.floor(4 * x) / 4, lambda x: 0 * x),
    "rounded": Function(lambda x: np.float16(x) * x, lambda x: 2 * x),
    "absolute": Function(np.abs, np.sign),
    "cube": Function(lambda x: x**3, lambda x: 3 * x**2),
    "entropy": Function(lambda x: x * np.log(np.abs(x)), lambda x: 1 + np.log(np.abs(x))),
    "steep": Function(lambda x: np.tanh(1e6 * (x - 1)), lambda x: 0 * x),
    "ball": Function(lambda x: inside(x) * x, lambda x: x**0),
}


def inside(x: Any) -> float:
    """Return one inside a ball, and raise outside of it."""
    if np.any(np.abs(x) > 2.0001):
        raise LookupError("outside of the ball")
    return 1.0


@dataclass(frozen=True)
class Case:
    """A random check: the kind of derivative, the function, arguments, error and options."""

    kind: Kind
    function: str
    args: tuple[Any, ...]
    outputs: int
    error: Literal["none", "factor", "entry", "sign", "random", "huge"]
    options: dict[str, Any]


def is_list_of_numbers(value: Any) -> bool:
    """Return whether a value is a list of floats, which is one parameter."""
    return isinstance(value, list) and all(isinstance(item, float) for item in value)


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """Return a structure with a function applied to each of its leaves."""
    if isinstance(tree, dict):
        return {key: mapped(function, item) for key, item in tree.items()}
    if isinstance(tree, (tuple, list)) and not is_list_of_numbers(tree):
        return type(tree)(mapped(function, item) for item in tree)
    return function(tree)


def leaves_of(tree: Any) -> Iterator[Any]:
    """Yield the leaves of a structure: arrays, numbers and lists of numbers."""
    found = list[Any]()
    mapped(found.append, tree)
    yield from found


@st.composite
def leaves(
    draw: st.DrawFn, *, dtypes: tuple[str, ...], plain: bool, scales: tuple[float, ...]
) -> Any:
    """Draw an array, a number, or a list of numbers."""
    shape = draw(st.sampled_from(SHAPES))
    form = draw(st.sampled_from(["array", "number", "list"] if plain else ["array"]))
    one = st.floats(-3, 3, width=16, allow_subnormal=False)
    scale = draw(st.sampled_from(scales))
    few = [scale * value for value in draw(st.lists(one, min_size=1, max_size=4))]
    if form == "number":
        return few[0]
    if form == "list":
        return few
    dtype = draw(st.sampled_from(dtypes))
    values = np.resize(np.array(few), shape)
    if draw(st.booleans()):
        values = np.asarray(values + np.linspace(0.1, 0.4, values.size).reshape(shape))
    if dtype.startswith("complex"):
        values = np.asarray(values + 0.5j)
    with np.errstate(over="ignore"):
        return values.astype(dtype)


@st.composite
def cases(
    draw: st.DrawFn,
    *,
    functions: tuple[str, ...],
    errors: tuple[str, ...],
    scales: tuple[float, ...] = (1.0,),
) -> Case:
    """Draw a case."""
    kind: Kind = draw(
        st.sampled_from(["gradient", "jacobian", "elementwise", "vjp", "jvp", "hessian"])
    )
    single = kind in {"elementwise", "hessian"}
    complexes = ("complex128", "complex64") if kind == "gradient" else ()
    one = leaves(dtypes=REAL + complexes, plain=not single, scales=scales)
    structures = [st.tuples(one)] + (not single) * [
        st.tuples(one, one),
        st.tuples(st.fixed_dictionaries({"W": one, "b": one})),
        st.tuples(st.tuples(one, one), one),
        st.tuples(st.fixed_dictionaries({"layers": st.tuples(one, st.tuples(one))})),
    ]
    function = draw(st.sampled_from(functions))
    mode = draw(st.sampled_from(["full", "fast", "auto"]))
    options: dict[str, Any] = {"mode": mode, "seed": draw(st.integers(0, 3))}
    if mode == "auto":
        options["max_evaluations"] = draw(st.sampled_from([1, 7, 60]))
    return Case(
        kind,
        function,
        draw(st.one_of(structures)),
        draw(st.sampled_from([1, 2, 7])),
        draw(st.sampled_from(errors)),
        options,
    )


def weights(case: Case) -> list[Any]:
    """Return the weights of every entry in each output, of shape (outputs, entries)."""
    rng = np.random.default_rng(1)
    m = 1 if case.kind == "gradient" else case.outputs
    return [
        rng.choice([-1.0, 1.0], (m, np.size(x))) * rng.uniform(0.5, 2.0, (m, np.size(x)))
        for x in leaves_of(case.args)
    ]


def typed(value: Any, like: Any) -> Any:
    """Return a value in the type of a parameter."""
    if isinstance(like, np.ndarray):
        return np.asarray(value).astype(like.dtype)
    return np.asarray(value).tolist() if np.ndim(value) < 2 else np.asarray(value)


def diagonal(case: Case) -> tuple[Any, Any]:
    """Return an elementwise function, and its diagonal or its Jacobian."""
    function = (FUNCTIONS | IRREGULAR)[case.function]

    def matrix(x: Any) -> Any:
        slope = function.slope(x)
        return np.diag(slope.ravel()).reshape(x.shape * 2).astype(x.dtype)

    return function.value, function.slope if case.kind == "elementwise" else matrix


def by_parts(function: Elementwise, x: Any) -> Any:
    """Return a function of each entry, flat; of real and imaginary parts separately."""
    values = np.asarray(x).ravel()
    if np.iscomplexobj(values):
        return function(values.real) + 1j * function(values.imag)
    return function(values)


def summed(case: Case) -> tuple[Any, Any]:
    """Return weighted sums over all parameters, and the claimed derivative of the case's kind."""
    function, parts = (FUNCTIONS | IRREGULAR)[case.function], weights(case)

    def output(tree: Any) -> Any:
        total: Any = 0.0
        for weight, x in zip(parts, leaves_of(tree), strict=True):
            moved = by_parts(function.value, x)
            moved = moved.real + moved.imag if np.iscomplexobj(moved) else moved
            total = total + weight.astype(moved.dtype) @ moved
        return total[0] if case.kind == "gradient" else total

    def jacobians(tree: Any) -> list[Any]:
        """Return the Jacobian by each parameter, of shape (outputs, entries)."""
        pairs = zip(parts, leaves_of(tree), strict=True)
        return [weight * by_parts(function.slope, x) for weight, x in pairs]

    def claims(tree: Any, shaped: Callable[[Any, Any], Any]) -> Any:
        made = iter(jacobians(tree))
        return mapped(lambda x: typed(shaped(next(made), np.shape(x)), x), tree)

    def gradient(tree: Any) -> Any:
        return claims(tree, lambda jacobian, shape: jacobian[0].reshape(shape))

    def jacobian(tree: Any) -> Any:
        return claims(tree, lambda jacobian, shape: jacobian.reshape(case.outputs, *shape))

    def vjp(tree: Any, cotangent: Any) -> Any:
        return claims(tree, lambda jacobian, shape: (cotangent @ jacobian).reshape(shape))

    def jvp(tree: Any, tangent: Any) -> Any:
        moved = zip(jacobians(tree), leaves_of(tangent), strict=True)
        return sum(jacobian @ np.asarray(t).ravel() for jacobian, t in moved)

    if case.kind == "jacobian" and case.outputs == 1:
        return output, gradient
    claim = {"gradient": gradient, "jacobian": jacobian, "vjp": vjp, "jvp": jvp}[case.kind]
    return output, claim


ERRORS: dict[str, Callable[[Any], Any]] = {
    "none": lambda array: array,
    "factor": lambda array: 1.5 * array,
    "sign": lambda array: -array,
    "random": lambda array: array + np.random.default_rng(2).normal(size=array.shape),
    "huge": lambda array: 1e30 * array,
    "entry": lambda array: array + 2.0 * (np.arange(array.size) == array.size // 2).reshape(
        array.shape
    ),
}  # fmt: skip


IRREGULAR_ERRORS = ("none", "entry", "random", "huge")


def functions_of(case: Case) -> tuple[Any, Any]:
    """Return forward and backward for the arguments of a case, with its error."""

    def with_error(leaf: Any) -> Any:
        return typed(ERRORS[case.error](np.asarray(leaf)), leaf)

    def wrong(claimed: Any) -> Any:
        return with_error(claimed) if case.kind == "jvp" else mapped(with_error, claimed)

    if case.kind in {"elementwise", "hessian"}:
        output, claim = diagonal(case)
        return output, lambda x: wrong(claim(x))
    output, claim = summed(case)
    of_arguments = of_one_argument if len(case.args) == 1 else of_two_arguments
    return of_arguments(case.kind, output, claim, wrong)


def of_one_argument(kind: Kind, output: Any, claim: Any, wrong: Any) -> tuple[Any, Any]:
    """Return forward and backward of one argument."""
    backward = {
        "vjp": lambda p, cotangent: wrong(claim((p,), cotangent))[0],
        "jvp": lambda p, tangent: wrong(claim((p,), (tangent,))),
    }
    return lambda p: output((p,)), backward.get(kind, lambda p: wrong(claim((p,)))[0])


def of_two_arguments(kind: Kind, output: Any, claim: Any, wrong: Any) -> tuple[Any, Any]:
    """Return forward and backward of two arguments."""
    backward = {
        "vjp": lambda a, b, cotangent: wrong(claim((a, b), cotangent)),
        "jvp": lambda a, b, tangent: wrong(claim((a, b), tangent)),
    }
    return lambda a, b: output((a, b)), backward.get(kind, lambda a, b: wrong(claim((a, b))))


def is_grossly_wrong(case: Case) -> bool:
    """Return whether the error of a claim is of the size of its largest entry."""
    if case.error == "none" or case.kind == "jvp":
        return False  # an error may cancel along one tangent
    sizes = [np.abs(FUNCTIONS[case.function].slope(np.asarray(x))) for x in leaves_of(case.args)]
    if case.error == "entry":
        return any(size.size for size in sizes)
    return max(float(size.max(initial=0.0)) for size in sizes) > 0.1


@random_examples
@given(cases(functions=tuple(FUNCTIONS), errors=("none", "none", "factor", "entry", "sign")))
def test_every_check_ends_in_a_report_or_a_refusal(case: Case) -> None:
    """A right claim is never wrong, and a grossly wrong one never correct."""
    forward, backward = functions_of(case)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GradcheckVacuousWarning)
        try:
            report = check_gradient(forward, backward, *case.args, **case.options)
        except GradcheckUsageError:
            return
    assert str(report)
    assert report.to_dict()
    if case.error == "none":
        assert report.verdict != "wrong", str(report)
    elif is_grossly_wrong(case):
        assert report.verdict != "correct", str(report)


@random_examples
@given(
    cases(functions=tuple(IRREGULAR), errors=("none", "entry", "random", "huge"), scales=SCALES)
)
def test_irregular_functions_end_in_a_report_or_a_refusal(case: Case) -> None:
    """That holds for every behaviour around the point, and every magnitude of the point."""
    forward, backward = functions_of(case)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            report = check_gradient(forward, backward, *case.args, **case.options)
        except (GradcheckUsageError, LookupError):
            return
    assert str(report)
    assert report.to_dict()
