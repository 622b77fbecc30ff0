"""Strange values and calls, and empty arrays (kinds 9 and 12)."""

import contextlib
import datetime
import decimal
import fractions
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from pytest_gradcheck import check_gradient
from tests.robustness.case import Call, Case, claims, raises, refused

X = np.array([0.7, -1.2, 2.0, 0.4])


def square(x):
    return np.sum(x**2)


def squared(x, factor=1.0, options=None, forward=square):
    return Call(forward, lambda x: 2 * x * factor, (x,), options or {})


def masked(factor):
    x = np.ma.array(X, mask=[0, 1, 0, 0])
    return Call(lambda x: (x**2).sum(), lambda x: 2 * x * factor, (x,))


def masked_without_mask(factor):
    return Call(lambda x: (x**2).sum(), lambda x: 2 * x * factor, (np.ma.array(X),))


def masked_result(factor):
    return Call(
        lambda x: np.ma.masked_less(x, 0).sum(), lambda x: (x > 0) * factor * 1.0, (X.copy(),)
    )


def masked_claim(factor):
    return Call(square, lambda x: np.ma.array(2 * x * factor, mask=[0, 1, 0, 0]), (X.copy(),))


def masked_claim_of_zero():
    return Call(square, lambda x: np.ma.array(2 * x, mask=True), (X.copy(),))


class Racing:
    """A callable that keeps its point between two steps."""

    def __init__(self):
        self.x = None

    def __call__(self, x):
        self.x = x
        y = np.sum(np.sort(self.x) ** 2) - np.sum(np.sort(self.x) ** 2)
        return float(y + np.sum(self.x**2))


class PooledCall:
    """Makes a pool for a call and shuts it down."""

    def __init__(self, forward, factor):
        self.forward, self.factor = forward, factor

    def make(self):
        pool = ThreadPoolExecutor(3)

        @contextlib.contextmanager
        def around():
            with pool:
                yield

        return Call(
            self.forward,
            lambda x: 2 * x * self.factor,
            (np.linspace(-1, 1, 30),),
            {"executor": pool},
            around=around,
        )


def threads_with_a_callable_object(factor):
    return PooledCall(Racing(), factor).make()


def threads_with_a_function(factor):
    return PooledCall(square, factor).make()


def nested(inner_gradient, factor):
    def forward(x):
        if not check_gradient(square, inner_gradient, x).passed:
            raise RuntimeError("the inner gradient is wrong")
        return np.sum(x**3)

    return Call(forward, lambda x: 3 * x**2 * factor, (X.copy(),))


def nested_right(factor):
    return nested(lambda x: 2 * x, factor)


def nested_usage_error(point):
    """The inner check cannot be made, at the point or where it is perturbed."""

    def forward(x):
        if point or (x != X).any():
            check_gradient(square, lambda x: 2 * x, x, wrt="y")
        return np.sum(x**2)

    return Call(forward, lambda x: 2 * x, (X.copy(),))


def shuffles_in_place(factor):
    rng = np.random.default_rng(0)

    def forward(x):
        rng.shuffle(x)
        return np.sum(x * np.arange(4.0))

    return Call(forward, lambda x: np.arange(4.0) * factor, (X.copy(),))


def sorts_in_place(factor):
    def forward(x):
        x.sort()
        return np.sum(x * np.arange(4.0))

    return Call(forward, lambda x: np.argsort(np.argsort(x)) * factor, (X.copy(),))


def none_when_perturbed():
    first = X.copy()
    return Call(
        lambda x: np.sum(x**2) if (x == first).all() else None, lambda x: 2 * x, (X.copy(),)
    )


def text_when_perturbed():
    first = X.copy()
    return Call(lambda x: np.sum(x**2) if (x == first).all() else "?", lambda x: 2 * x, (X,))


def scaled(scale):
    def build(factor):
        x = np.array([1.0, -2.0, 0.5]) * scale
        return Call(
            lambda x: float(np.sum(x * np.array([3.0, 1.0, -2.0]))),
            lambda x: np.array([3.0, 1.0, -2.0]) * factor,
            (x,),
        )

    return build


def steep(scale):
    def build(factor):
        return Call(
            lambda x: scale * float(np.sum(np.sin(x))),
            lambda x: scale * np.cos(x) * factor,
            (X.copy(),),
        )

    return build


def object_array():
    return squared(np.array([1.0, 2.0, "a"], dtype=object))


def numbers_of(convert):
    def build(factor):
        return Call(lambda x: x * x, lambda x: 2 * x * convert(factor), (convert(1.5),))

    return build


def empty(shape, beside):
    """Return a call with an empty array, alone or beside another parameter."""

    def build(factor):
        if not beside:
            return squared(np.zeros(shape), factor)
        return Call(
            lambda W, b: np.sum(W**2) + np.sum(b),
            lambda W, b: (2 * W * factor, np.ones(shape)),
            (X.copy(), np.zeros(shape)),
        )

    return build


def empty_in_a_dict(factor):
    p = {"W": X.copy(), "b": np.zeros((0, 3))}
    return Call(
        lambda p: np.sum(p["W"] ** 2) + np.sum(p["b"]),
        lambda p: {"W": 2 * p["W"] * factor, "b": np.zeros((0, 3))},
        (p,),
    )


def empty_output():
    return Call(lambda x: x[:0], lambda x, dout: 0 * x, (X.copy(),))


def returning(value):
    return lambda: Call(lambda x: value, lambda x: 2 * x, (X.copy(),))


def claiming(value):
    return lambda: Call(square, lambda x: value, (X.copy(),))


def at(x):
    return lambda: squared(x)


def when_perturbed(value, forward=square, backward=None):
    """Return a call whose forward returns something else where it is perturbed."""
    return lambda: Call(
        lambda x: forward(x) if np.array_equal(x, X) else value,
        backward or (lambda x: 2 * x),
        (X.copy(),),
    )


#: What forward returns where it is perturbed, and what is said of it.
WHEN_PERTURBED = {
    "an object": (object(), "an object"),
    "a dict": ({"loss": 1.0}, "a dict"),
    "a list with None": ([None, 1.0], "None"),
    "a number in text": ("1.5", "a str"),
    "another shape": (np.ones(2), "2 numbers"),
    "a complex number": (1 + 1j, "complex"),
    "a masked number": (np.ma.masked, "nan|masked|undefined"),
}


def complex_on_one_side(factor):
    """A root next to the boundary of its domain, as it is continued by NumPy."""
    return Call(
        lambda x: np.sum(np.emath.sqrt(x - X.min() + 1e-7)),
        lambda x: factor / (2 * np.sqrt(x - X.min() + 1e-7)),
        (X.copy(),),
    )


def conjugate_eigenvalues(factor):
    """Their sum is the trace, whether they are a conjugate pair or not."""
    return Call(
        lambda A: np.sum(np.linalg.eigvals(A)),
        lambda A: np.eye(2) * factor,
        (np.array([[1.0, 0.5], [0.0, 1.0]]),),
    )


def sparse_output(kind):
    def build(factor):
        from scipy import sparse

        return Call(
            lambda x: getattr(sparse, kind)(np.outer(x, x)),
            lambda x, dout: factor * (dout @ x + dout.T @ x),
            (X.copy(),),
        )

    return build


def nested_usage_error_of_a_claim():
    """The inner check cannot be made where backward is asked for other claims."""

    def backward(x, dout):
        if not dout.any():
            check_gradient(square, lambda x: 2 * x, x, wrt="y")
        return 2 * x * dout

    return Call(lambda x: x**2, backward, (X.copy(),))


#: Containers without an item.
EMPTY_CONTAINERS = {
    "list": [],
    "dict": {},
    "tuple": (),
    "dict of lists": {"W": [], "b": []},
    "array of objects": np.array([], dtype=object),
}


def empty_container(value, beside, **options):
    def build(factor):
        if not beside:
            return Call(lambda p: 1.0, lambda p: p, (value,), options)
        return Call(
            lambda x, p: np.sum(x**2),
            lambda x, p: (2 * x * factor, p),
            (X.copy(), value),
            options,
        )

    return build


class Proxy:
    """A callable object that raises where it is asked for anything else."""

    def __init__(self, function):
        self.function = function

    def __call__(self, x):
        return self.function(x)

    def __getattr__(self, name):
        raise RuntimeError(f"not connected, no {name}")


def proxies(factor):
    return Call(Proxy(square), Proxy(lambda x: 2 * x * factor), (X.copy(),))


OUTPUTS = {
    "None": None,
    "a string": "loss",
    "integers": np.arange(3),
    "a bool": True,
    "NaN": np.nan,
    "an infinity": np.inf,
    "a set": {1.0},
    "a function": square,
    "dates": np.array(["2020-01-01"], dtype="M8[D]"),
    "objects": np.array([None, 1.0], dtype=object),
    "a generator": (x for x in "ab"),
    "bytes": b"1.0",
    "a type": float,
    "a date": datetime.date(2020, 1, 1),
}

CLAIMS = {
    "None": None,
    "a string": "2 * x",
    "NaN": np.full(4, np.nan),
    "an infinity": np.array([1.0, np.inf, 2.0, 0.0]),
    "too long": np.zeros(5),
    "a column": np.zeros((4, 1)),
    "a number": 3.0,
    "strings": np.array(["a"] * 4),
    "dates": np.array(["2020-01-01"] * 4, dtype="M8[D]"),
    "objects": np.array([None, 1.0, 2.0, 3.0], dtype=object),
    "ragged": [[1.0], [2.0, 3.0]],
    "a generator": (x for x in [1.0, 2.0, 3.0, 4.0]),
    "a dict": {"y": np.zeros(4)},
    "a function": square,
    "complex": np.array([1j, 2, 3, 4]),
    "an empty tuple": (),
    "an ellipsis": ...,
    "not implemented": NotImplemented,
}

POINTS = {
    "NaN in x": np.array([1.0, np.nan]),
    "an infinity in x": np.array([1.0, np.inf]),
    "integers": np.arange(3),
    "bools": np.array([True, False]),
    "strings": np.array(["a", "b"]),
    "NaT": np.array(["NaT"], dtype="M8[D]"),
    "broadcast": np.broadcast_to(1.5, (3,)),
    "a window": np.lib.stride_tricks.sliding_window_view(np.arange(5.0), 2),
    "a structured array": np.zeros(2, dtype=[("a", float), ("b", float)]),
}


def backward_that(raising):
    def backward(x):
        raise raising

    return lambda: Call(square, backward, (X.copy(),))


def kept_alive(factor):
    """Forward returns a view of its argument."""
    return Call(lambda x: x[::2], lambda x, dout: np.repeat(dout, 2) * [1, 0, 1, 0] * factor, (X,))


def read_only(factor):
    x = X.copy()
    x.flags.writeable = False
    return squared(x, factor)


def layouts(convert):
    def build(factor):
        x = convert(np.arange(24.0).reshape(4, 6) / 10 - 1)
        return Call(lambda x: np.sum(np.sin(x)), lambda x: np.cos(x) * factor, (x,))

    return build


LAYOUTS = {
    "Fortran order": np.asfortranarray,
    "transposed": lambda x: x.T,
    "reversed": lambda x: x[::-1, ::-2],
    "big endian": lambda x: x.astype(">f8"),
    "float32": lambda x: x.astype(np.float32),
    "float16": lambda x: x.astype(np.float16),
    "longdouble": lambda x: x.astype(np.longdouble),
    "matrix": lambda x: np.asmatrix(x),
    "memory map": lambda x: x.view(np.memmap) if False else x,
    "unaligned": lambda x: unaligned(x),
    "record": lambda x: x.view(np.recarray) if False else x,
    "subclass": lambda x: x.view(Quantity),
}


class Quantity(np.ndarray):
    """An array of a class of its own."""

    unit = "m"


def unaligned(x):
    raw = np.zeros(x.nbytes + 1, dtype=np.uint8)[1:]
    made = (
        raw.view(float).reshape(x.shape)
        if raw.ctypes.data % 8 == 0
        else np.ndarray(x.shape, dtype=float, buffer=raw)
    )
    made[...] = x
    return made


def cases():
    yield from claims(9, "masked", masked, refusable=True)
    yield from claims(9, "masked without mask", masked_without_mask, refusable=True)
    yield from claims(9, "masked sum", masked_result, refusable=True)
    yield from claims(9, "masked claim", masked_claim, refusable=True)
    yield Case(9, "all of a claim masked", masked_claim_of_zero, "refusal")
    yield from claims(
        9, "threads with a callable object", threads_with_a_callable_object, refusable=True
    )
    yield from claims(9, "threads with a function", threads_with_a_function)
    yield from claims(9, "nested check", nested_right)
    yield refused(9, "nested usage error", lambda: nested_usage_error(True), "y")
    yield refused(9, "nested usage error nearby", lambda: nested_usage_error(False), "y")
    yield from claims(9, "shuffles in place", shuffles_in_place, refusable=True)
    yield from claims(9, "sorts in place", sorts_in_place, refusable=True)
    yield refused(9, "None when perturbed", none_when_perturbed, "None")
    yield refused(9, "text when perturbed", text_when_perturbed, "str|text")
    for name, (value, said) in WHEN_PERTURBED.items():
        about = (9, f"{name} when perturbed", when_perturbed(value))
        if isinstance(value, complex) or value is np.ma.masked:
            yield Case(*about, "wrong", says=(said,), refusable=True)
        else:
            yield refused(*about, f"returned {said}", "perturbed")
    yield from claims(9, "complex on one side", complex_on_one_side)
    yield from claims(9, "conjugate eigenvalues", conjugate_eigenvalues)
    for kind in ("csr_array", "csc_matrix", "dok_matrix"):
        yield from claims(9, f"sparse output, {kind}", sparse_output(kind))
    yield refused(9, "nested usage error of a claim", nested_usage_error_of_a_claim, "y")
    yield from claims(9, "callables that raise for attributes", proxies)
    for scale in (1e-310, 1e-300, 1e-150, 1e-20, 1e20, 1e150, 1e300, 1e307):
        yield from claims(9, f"x of {scale:g}", scaled(scale), refusable=True)
        if scale > 1e-310:
            yield from claims(9, f"slope of {scale:g}", steep(scale), refusable=True)
    for name, value in OUTPUTS.items():
        yield refused(
            9, f"forward returns {name}", returning(value), "returned|finite|numeric|output"
        )
    for name, value in CLAIMS.items():
        yield refused(9, f"backward returns {name}", claiming(value), "lambda|backward")
    for name, value in POINTS.items():
        yield refused(9, f"x is {name}", at(value), "x|argument|finite")
    yield raises(9, "x of objects", object_array, TypeError, refusable=True)
    for convert in (decimal.Decimal, fractions.Fraction):
        yield from claims(9, f"number of {convert.__name__}", numbers_of(convert), refusable=True)
    for convert in (np.float32, np.float64, np.longdouble, np.array):
        yield from claims(9, f"one {convert.__name__}", numbers_of(convert))
    for name, convert in LAYOUTS.items():
        yield from claims(9, f"{name} array", layouts(convert))
    yield from claims(9, "read-only array", read_only)
    yield from claims(9, "view of the argument", kept_alive)
    for shape in ((0,), (0, 3), (2, 0)):
        yield from claims(9, f"empty {shape} beside another", empty(shape, True))
        yield refused(
            12, f"empty {shape} alone", lambda s=shape: empty(s, False)(1.0), "empty|nothing"
        )
    yield from claims(9, "empty leaf in a dict", empty_in_a_dict)
    yield refused(12, "empty output", empty_output, "empty")
    for name, value in EMPTY_CONTAINERS.items():
        build = empty_container(value, True)
        yield from claims(12, f"empty {name} beside another", build)
        build = empty_container(value, True, wrt=["x", "p"])
        yield from claims(12, f"empty {name} in wrt", build)
        alone = empty_container(value, False)
        yield refused(12, f"empty {name} alone", lambda b=alone: b(1.0), "empty='accept'")
        accepted = empty_container(value, False, empty="accept")
        yield Case(12, f"empty {name} accepted", lambda b=accepted: b(1.0), "right")
    yield raises(
        9, "deadlock of the user's", lambda: Call(lambda x: _wait(), square, (X,)), TimeoutError
    )


def _wait():
    if not threading.Event().wait(0.01):
        raise TimeoutError("nobody answers")
