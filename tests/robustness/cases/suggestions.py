"""Kind 19: what a message suggests works when it is pasted, and is true."""

import functools

import numpy as np

from tests.robustness.case import Call, Case, claims, refused

X = np.array([[0.7, -1.2, 0.4], [2.0, 0.4, -0.6], [0.1, 0.2, 1.3], [1.0, -0.5, 0.8]])
W = np.array([[0.3, -0.8, 0.5], [1.1, 0.2, 0.7], [-0.4, 0.9, 0.1]])
B = np.array([0.3, 0.9, -1.0])


def lstm(factor):
    def lstm_forward(x, prev_c):
        next_c = np.tanh(x) + 0.5 * prev_c
        return (np.sin(next_c), next_c), (x, next_c)

    def lstm_backward(dh_next, dc_next, cache):
        x, next_c = cache
        dc = dc_next + dh_next * np.cos(next_c)
        return dc * (1 - np.tanh(x) ** 2) * factor, 0.5 * dc

    return Call(lstm_forward, lstm_backward, (X.copy(), 0.3 * X))


def context(factor):
    class Square:
        def forward(self, ctx, x):
            ctx["x"] = x
            return x**2

        def backward(self, ctx, grad_output):
            return None, 2 * ctx["x"] * grad_output * factor

    made = Square()
    return Call(made.forward, made.backward, ({}, X.copy()), {"wrt": "x"})


def called_like_a_weight(name):
    """The upstream gradient has a name like that of a parameter of forward."""

    def build(factor):
        scope = {"np": np, "factor": factor}
        exec(
            f"def forward(x, {name}):\n    return np.tanh(x) * {name}\n"
            f"def backward(x, w, d{name}):\n"
            f"    return (1 - np.tanh(x) ** 2) * w * d{name} * factor, np.sum(np.tanh(x) * d{name}, axis=0)\n",
            scope,
        )
        return Call(scope["forward"], scope["backward"], (X.copy(), B.copy()))

    return build


def reversed_order(factor):
    def backward(upstream, inputs):
        return (1 - np.tanh(inputs) ** 2) * upstream * factor

    return Call(lambda x: np.tanh(x), backward, (X.copy(),))


def cache_under_another_name(factor):
    def forward(x):
        out = np.tanh(x)
        return out, {"out": out}

    def backward(dout, saved):
        return (1 - saved["out"] ** 2) * dout * factor

    return Call(forward, backward, (X.copy(),))


def more_gradients_than_parameters(factor):
    return Call(
        lambda x, n: np.sum(x**2) * n,
        lambda x, n: (2 * x * n * factor, np.sum(x**2)),
        (X.copy(), 3),
    )


def integer_labels():
    """The labels get a gradient too: nobody should make floats of them."""
    labels = np.array([0, 2, 1, 0])
    return Call(
        lambda s, labels: -np.sum(s[np.arange(4), labels]),
        lambda s, labels: (-np.eye(3)[labels], 0.0 * labels),
        (X.copy(), labels),
    )


def only_integers():
    labels = np.array([0, 2, 1, 0])
    return Call(lambda labels: float(labels.sum()), lambda labels: np.ones(4), (labels,))


def row_with_an_integer(integer):
    """One row of derivatives, of which one would not be checked."""
    return Call(lambda a, b: a * b**2, lambda a, b: np.array([b**2, 2 * a * b]), (integer, 1.5))


def gradients_in_another_order(factor):
    """Those of a weight and a bias."""
    return Call(
        lambda W, b: np.sum(np.sin(W)) * np.sum(b**2),
        lambda W, b: (np.sum(np.sin(W)) * 2 * b, np.cos(W) * np.sum(b**2) * factor),
        (W.copy(), B.copy()),
    )


def keywords_only(factor):
    """Backward takes anything, but by keyword."""
    return Call(
        lambda x, scale: np.sum(x) * scale,
        lambda **given: (factor * given["scale"] + 0 * given["x"], np.sum(given["x"])),
        (X.copy(), 2.5),
    )


def bias_without_sum(db, batch=4):
    x = X[:batch]
    return lambda: Call(
        lambda x, b: x + b, lambda x, b, dout: (dout, db(dout)), (x.copy(), B.copy())
    )


def keys(**names):
    """Return a call whose gradients have these names."""

    def build():
        def backward(W, b):
            made = {"W": np.cos(W), "b": np.ones_like(b)}
            return {name: made[of] for name, of in names.items()}

        return Call(lambda W, b: np.sum(np.sin(W)) + b.sum(), backward, (W.copy(), B.copy()))

    return build


class Tensor:
    """A tensor of an engine, with data and grad."""

    def __init__(self, data):
        self.data, self.grad = data, None


def engine():
    return Call(lambda x: np.sum(x.data**2), lambda x: 2 * x.data, (Tensor(X.copy()),))


def engine_output():
    return Call(lambda x: Tensor(np.sum(x**2)), lambda x: 2 * x, (X.copy(),))


def engine_claim():
    return Call(lambda x: np.sum(x**2), lambda x: Tensor(2 * x), (X.copy(),))


def nan_default(value):
    def build(factor):
        def forward(x, fill=value):
            return np.sum(np.sin(x))

        def backward(x, fill=value):
            return np.cos(x) * factor

        return Call(forward, backward, (X.copy(),))

    return build


def supplied(factor):
    """A decorator supplies an argument."""

    def with_scale(function):
        @functools.wraps(function)
        def call(x):
            return function(x, 1.5)

        return call

    @with_scale
    def forward(x, scale):
        return np.sum(np.sin(scale * x))

    @with_scale
    def backward(x, scale):
        return scale * np.cos(scale * x) * factor

    return Call(forward, backward, (X.copy(),))


def supplied_first(factor):
    def with_rng(function):
        @functools.wraps(function)
        def call(*args, **kwargs):
            return function(np.random.default_rng(0), *args, **kwargs)

        return call

    @with_rng
    def forward(rng, x):
        return np.sum(np.sin(x) * rng.random(x.shape))

    @with_rng
    def backward(rng, x):
        return np.cos(x) * rng.random(x.shape) * factor

    return Call(forward, backward, (X.copy(),))


def renamed(factor):
    """A decorator whose wrapper has other names."""

    def logged(function):
        @functools.wraps(function)
        def call(*values):
            return function(*values)

        return call

    forward = logged(lambda x: np.sum(np.sin(x)))
    backward = logged(lambda x: np.cos(x) * factor)
    return Call(forward, backward, (X.copy(),))


def column(factor):
    return Call(
        lambda w: np.sum(np.sin(w)), lambda w: np.cos(w).ravel() * factor, (B[:, None].copy(),)
    )


def transposed():
    return Call(lambda w: np.sum(np.sin(w)), lambda w: np.cos(w).T, (X.copy(),))


def wrt(name):
    return lambda: Call(
        lambda W, b: np.sum(W) + b.sum(), lambda W, b: (0 * W + 1, 0 * b + 1), (W.copy(), B.copy()),
        {"wrt": name},
    )  # fmt: skip


def cases():
    paste = {"refusable": True}
    yield from claims(19, "lstm_backward(dh_next, dc_next, cache)", lstm, **paste)
    yield from claims(19, "(ctx, grad_output)", context, **paste)
    for name in ("w", "out", "weight"):
        yield from claims(19, f"upstream d{name}", called_like_a_weight(name), **paste)
    yield from claims(19, "reversed order", reversed_order, **paste)
    yield from claims(19, "cache under another name", cache_under_another_name, **paste)
    yield from claims(19, "a gradient of an integer", more_gradients_than_parameters, **paste)
    yield refused(19, "labels with a gradient", integer_labels, r"data.*None.*wrt='s'.*;")
    yield refused(19, "only integers", only_integers, "integer|int64")
    yield refused(19, "bias without sum", bias_without_sum(lambda d: d), "sum", r"axis ?=? ?0")
    yield refused(
        19,
        "bias without sum, square",
        bias_without_sum(lambda d: d, 3),
        "sum",
        hides=("axis ?=? ?1",),
    )
    yield refused(
        19, "bias doubled without sum", bias_without_sum(lambda d: 2 * d), hides=("would give it",)
    )
    yield refused(
        19, "bias transposed", bias_without_sum(lambda d: d.T), "sum|axis", hides=("axis ?=? ?0",)
    )
    yield refused(
        19,
        "bias transposed, square",
        bias_without_sum(lambda d: d.T, 3),
        "axis 1",
        hides=("those of",),
    )
    yield refused(
        19,
        "gradients in another order",
        lambda: gradients_in_another_order(1.0),
        "returned for W, b are those of b, W",
    )
    yield refused(
        19,
        "wrong gradients in another order",
        lambda: gradients_in_another_order(1.5),
        hides=("those of", "is right"),
    )
    yield refused(19, "row with an int", lambda: row_with_an_integer(2), r"a as floats, 2\.0")
    yield Case(19, "row without an int", lambda: row_with_an_integer(2.0), "right")
    yield refused(19, "keywords only", lambda: keywords_only(1.0), "wrap", hides=("state the",))
    yield refused(19, "dw and db", keys(dw="W", db="b"), "did you mean|dW")
    yield refused(19, "Weight and b", keys(Weight="W", b="b"), "W")
    yield refused(19, "only W", keys(W="W"), "wrt")
    yield refused(19, "wW", wrt("w"), "did you mean", "W")
    yield refused(19, "wrt of B", wrt(["W", "B"]), "did you mean|b")
    yield refused(19, "engine's tensor", engine, r"x")
    yield refused(19, "engine's output", engine_output, "Tensor")
    yield refused(19, "engine's claim", engine_claim, "Tensor")
    for name, value in {
        "NaN": np.nan,
        "NaT": np.datetime64("NaT", "s"),
        "NaN array": np.array([np.nan]),
        "list of NaN": [float("nan")],
        "dict of NaN": {"a": float("nan")},
        "object NaN": np.array([float("nan")], dtype=object),
    }.items():
        yield from claims(19, f"default {name}", nan_default(value), hides=("changed",))
    for build in (supplied, supplied_first, renamed):
        yield from claims(19, build.__name__, build)
    yield Case(19, "(3,) for (3, 1)", lambda: column(1.0), "right", refusable=True, says=())
    yield Case(19, "(3,) for (3, 1): wrong", lambda: column(1.5), "wrong", refusable=True)
    yield refused(19, "transposed", transposed, "transpose|\\.T")
