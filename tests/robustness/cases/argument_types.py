"""Kind 18: every argument of the API with values of every wrong type, and with unusual right ones."""

import enum
import fractions
import functools

import numpy as np

from tests.robustness.case import Call, Case, Suite, raises, refused

X = np.array([0.7, -1.2, 2.0, 0.4])
HUGE = 10**400


def forward(x):
    return np.sum(x**2)


def backward(x):
    return 2 * x


class Thing:
    pass


class Mode(enum.StrEnum):
    FULL = "full"


class Names(enum.StrEnum):
    X = "x"


class Text(str):
    __slots__ = ()


class Number(enum.IntEnum):
    THREE = 3


#: Values that make no sense, for each argument.
BAD = {
    "wrt": (1.5, Thing(), b"x", [["x"]], HUGE, 5, -5, "", "y", [], {}, forward, 1j, np.nan, ["x", 1.5], [None], X),
    "backward_args": (5, 1.5, b"x", [1], Thing(), ["nope"], HUGE, {"a": 1}, forward, [None], X, True),
    "kwargs": (5, [1], "x", {1: 2}, {"nope": 1}, Thing(), 1.5, forward, X, HUGE),
    "has_cache": ("yes", 2, 1.5, [], Thing(), "True", X, HUGE, forward),
    "mode": ("slow", 1, "", b"full", ["full"], Thing(), 1.5, X, HUGE, True),
    "rtol": (-1.0, np.nan, np.inf, [1], 1j, Thing(), HUGE, "x", b"1", X, forward, {}),
    "step": (-1.0, 0.0, np.nan, np.inf, [1], 1j, Thing(), HUGE, "x", b"1", X, forward, {}),
    "max_evaluations": (-1, 1.5, "x", np.nan, [], Thing(), b"1", X, 1j, forward),
    "seed": (-1, 1.5, "x", [], Thing(), np.nan, 1j, b"1", X, forward),
    "strict": ("yes", 2, [], 1.5, Thing(), b"1", X, HUGE),
    "kinks": ("ignore", 1, b"accept", [], Thing(), "", X, HUGE),
    "convention": ("numpy", 1, [], b"jax", Thing(), "", X, HUGE),
    "max_rows": (-1, 1.5, "x", [], np.nan, Thing(), b"1", X, forward),
    "replay": (5, "rng", [1], Thing(), [Thing()], 1.5, HUGE, X),
    "executor": (5, "threads", Thing(), [1], 1.5, X, HUGE),
    "batched": ("yes", 2, [1], Thing(), 1.5, X, HUGE),
    "tangent": (5, "symmetric", Thing(), [1], {"nope": np.ones(4, bool)}, np.ones(3, bool), 1.5, HUGE),
    "project": (5, "x", Thing(), {"nope": backward}, 1.5, X, HUGE),
    "bounds": (5, "x", (1,), (1, 2, 3), (2, 1), Thing(), ("a", "b"), (np.nan, 1), HUGE, {"nope": (0, 1)}, (Thing(), 1)),
}  # fmt: skip

#: Names that are no options.
UNKNOWN = ("tolerance", "atol", "eps", "rtols", "Mode", "max_evals", "verbose", "epsilon", "args")

#: Unusual values that mean what they say.
GOOD = {
    "wrt": (np.str_("x"), np.int64(0), Names.X, Text("x"), ("x",), [np.str_("x")], np.array(["x"]), {"x"}, {"x": 1}.keys(), np.uint8(0)),
    "backward_args": (np.array(["x"]), [np.str_("x")], (Names.X,), [Text("x")]),
    "kwargs": ({},),
    "has_cache": (np.False_, False),
    "mode": (np.str_("full"), Mode.FULL, Text("fast")),
    "rtol": (np.float32(1e-5), np.float64(1e-5), np.longdouble(1e-5), fractions.Fraction(1, 10**6), np.array(1e-5)),
    "step": (np.float32(1e-5), np.float64(1e-5), np.array(1e-5)),
    "max_evaluations": (np.int64(100), np.uint8(100), Number.THREE, 100.0, HUGE),
    "seed": (np.int64(3), np.uint64(2**64 - 1), Number.THREE, HUGE, 2**64),
    "strict": (np.True_, np.False_, True),
    "kinks": (np.str_("accept"), Text("fail")),
    "convention": (np.str_("jax"),),
    "max_rows": (np.int64(3), Number.THREE, 0, HUGE),
    "batched": (np.False_,),
    "bounds": ((np.float32(-9), np.float32(9)), [-9, 9], np.array([-9.0, 9.0]), (np.int64(-9), None)),
}  # fmt: skip

#: Options that may be less generous with their last values.
UNSURE = {"rtol", "wrt", "max_evaluations", "max_rows", "seed"}

FUNCTIONS = (None, 5, "f", [], Thing(), X, HUGE, 1.5)


def call(forward=forward, backward=backward, **options):
    """Return the call."""
    return lambda: Call(forward, backward, (X.copy(),), options)


def shown(value):
    """Return a value as text for the name of a case."""
    if isinstance(value, int) and not isinstance(value, bool) and value == HUGE:
        return "10**400"
    text = f"{type(value).__name__} {value}" if not isinstance(value, Thing) else "object"
    return text.split(" at 0x", maxsplit=1)[0][:50]


MARKS = """
import numpy as np, pytest

@pytest.mark.gradcheck({option}={value}, backward=lambda x: 2 * x)
@pytest.mark.parametrize("x", [np.ones(2) * 0.7])
def test_marked(x):
    return np.sum(x ** 2)

@pytest.mark.gradcheck_options({option}={value})
def test_options(gradcheck):
    gradcheck(lambda x: np.sum(x ** 2), lambda x: 2 * x, np.ones(2) * 0.7)
"""

PASSING = """
import enum
import numpy as np

class Mode(enum.StrEnum):
    FULL = "full"

class Text(str):
    pass

def test_it(gradcheck):
    x = np.ones(2) * 0.7
    gradcheck(lambda x: np.sum(x ** 2), lambda x: 2 * x, x, {option}={value})
"""

IN_MARKS = {
    "strict": ("'yes'", "object()"),
    "mode": ("'slow'", "3"),
    "rtol": ("'x'", "float('nan')"),
    "max_rows": ("1.5", "'many'"),
    "seed": ("-1", "'x'"),
    "kinks": ("'ignore'",),
    "tolerance": ("1e-3",),
}

ON_THE_COMMAND_LINE = (
    ("--gradcheck-mode=slow", "mode"),
    ("--gradcheck-rtol=x", "rtol"),
    ("--gradcheck-rtol=nan", "rtol"),
    ("--gradcheck-seed=-1", "seed"),
    ("--gradcheck-max-evaluations=many", "max.evaluations"),
    ("--gradcheck-max-rows=1.5", "max.rows"),
)

IN_WORKERS = {
    "mode": ("Mode.FULL", "np.str_('full')", "Text('full')"),
    "rtol": ("np.float32(1e-5)", "np.longdouble(1e-5)"),
    "seed": ("np.int64(3)", "2**64"),
    "max_rows": ("np.uint8(3)",),
    "strict": ("np.True_",),
    "bounds": ("(np.float32(-9), np.float32(9))",),
}


def cases():
    for option, values in BAD.items():
        for k, value in enumerate(values):
            yield refused(
                18,
                f"{option} is {k}: {shown(value)}",
                call(**{option: value}),
                option.split("_", maxsplit=1)[0] + "|mask",
            )
    for name in UNKNOWN:
        yield refused(18, f"unknown option {name}", call(**{name: 1}), name)
    for option, values in GOOD.items():
        for k, value in enumerate(values):
            unsure = (k > 2 and option in UNSURE) or (option == "bounds" and k == 2)
            yield Case(
                18,
                f"{option} may be {k}: {shown(value)}",
                call(**{option: value}),
                "right",
                refusable=unsure,
            )
    for value in FUNCTIONS:
        yield refused(18, f"forward is {shown(value)}", call(forward=value), "forward|call")
        yield refused(18, f"backward is {shown(value)}", call(backward=value), "backward|call")
    yield refused(18, "backward is False", call(backward=False), "backward")
    yield refused(18, "forward is True", call(forward=True), "forward|call")
    yield raises(
        18,
        "partial with too many arguments",
        call(forward=functools.partial(forward, 1, 2)),
        TypeError,
        "called forward as",
        refusable=True,
    )
    for option, values in IN_MARKS.items():
        for value in values:
            text = MARKS.format(option=option, value=value)
            yield Case(18, f"marked with {option}={value}", _marked(text, option), "right")
    for argument, name in ON_THE_COMMAND_LINE:
        yield Case(
            18,
            argument,
            lambda a=argument, n=name: Suite(
                "def test(): pass", {}, (a,), shows=(f"(?i){n}",), hides=("Traceback",)
            ),
            "right",
        )
    for option, values in IN_WORKERS.items():
        for value in values:
            text = PASSING.format(option=option, value=value)
            yield Case(
                18,
                f"in a worker, {option}={value}",
                lambda t=text: Suite(t, {"passed": 1}, ("-n1",)),
                "right",
            )


def _marked(text, option):
    return lambda: Suite(
        text,
        {"failed": 1, "error": 1},
        shows=(option,),
        hides=(r"pytest_gradcheck/[\w/]+\.py:\d+",),
    )
