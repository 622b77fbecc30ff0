"""Kind 10: conventions of calls that ought to be accepted as they stand."""

import types

import numpy as np

from tests.robustness.case import Call, claims

X = np.array([[0.7, -1.2, 0.4], [2.0, 0.4, -0.6]])
W = np.array([[0.3, -0.8], [1.1, 0.2], [-0.4, 0.9]])


class Context:
    """A context like torch's."""

    def save_for_backward(self, *tensors):
        self.saved_tensors = tensors


class SlotContext:
    __slots__ = ("saved",)


def put(ctx, *saved):
    if isinstance(ctx, dict):
        ctx["saved"] = saved
    elif isinstance(ctx, list):
        ctx[:] = saved
    elif isinstance(ctx, Context):
        ctx.save_for_backward(*saved)
    else:
        ctx.saved = saved


def get(ctx):
    if isinstance(ctx, dict):
        return ctx["saved"]
    if isinstance(ctx, list):
        return tuple(ctx)
    if isinstance(ctx, Context):
        return ctx.saved_tensors
    return ctx.saved


CONTEXTS = {
    "dict": dict,
    "list": list,
    "namespace": types.SimpleNamespace,
    "class": Context,
    "slots": SlotContext,
}


def function_with_context(make, style):
    class Product:
        @staticmethod
        def forward(ctx, x, w):
            put(ctx, x, w)
            return x @ w

        @staticmethod
        def backward(ctx, grad_output):
            x, w = get(ctx)
            return grad_output @ w.T * factor_of[0], x.T @ grad_output

    factor_of = [1.0]

    def build(factor):
        factor_of[0] = factor
        made = Product if style == "static" else Product()
        return Call(made.forward, made.backward, (make(), X.copy(), W.copy()))

    return build


def context_and_unchecked(make):
    """The gradient of an argument that needs none is None."""

    def build(factor):
        def forward(ctx, x, scale):
            put(ctx, x, scale)
            return np.tanh(x) * scale

        def backward(ctx, grad_output):
            x, scale = get(ctx)
            return grad_output * (1 - np.tanh(x) ** 2) * scale * factor, None

        return Call(forward, backward, (make(), X.copy(), 3), {"wrt": "x"})

    return build


def one_with_context(make):
    def build(factor):
        def forward(ctx, x):
            put(ctx, np.exp(x))
            return get(ctx)[0]

        return Call(forward, lambda ctx, grad: get(ctx)[0] * grad * factor, (make(), X.copy()))

    return build


def lstm_step(factor):
    """Two outputs, two upstream gradients and a cache, as in CS231n."""

    def lstm_forward(x, prev_c):
        next_c = np.tanh(x) + 0.5 * prev_c
        next_h = np.sin(next_c)
        return next_h, next_c, (x, next_c)

    def lstm_backward(dnext_h, dnext_c, cache):
        x, next_c = cache
        dc = dnext_c + dnext_h * np.cos(next_c)
        return dc * (1 - np.tanh(x) ** 2) * factor, 0.5 * dc

    return Call(lstm_forward, lstm_backward, (X.copy(), 0.3 * X))


def two_upstream_gradients(factor):
    def forward(x):
        mean, spread = np.tanh(x), x**2
        return mean, spread

    def backward(x, dmean, dspread):
        return (1 - np.tanh(x) ** 2) * dmean * factor + 2 * x * dspread

    return Call(forward, backward, (X.copy(),))


def two_upstream_gradients_of_a_layer(factor):
    class Split:
        def forward(self, x):
            self.x = x
            a, b = np.sin(x), np.cos(x)
            return a, b

        def backward(self, da, db):
            return np.cos(self.x) * da * factor - np.sin(self.x) * db

    layer = Split()
    return Call(layer.forward, layer.backward, (X.copy(),))


def loss_and_two_gradients(factor):
    def objective(w, b):
        r = X @ w + b
        return np.sum(r**2), 2 * X.T @ r * factor, 2 * np.sum(r)

    return Call(objective, True, (np.array([0.3, -1.0, 0.5]), 0.2))


def loss_and_tuple(factor):
    def objective(w, b):
        r = X @ w + b
        return np.sum(r**2), (2 * X.T @ r * factor, 2 * np.sum(r))

    return Call(objective, True, (np.array([0.3, -1.0, 0.5]), 0.2))


def loss_and_dict(factor):
    def objective(w, b):
        r = X @ w + b
        return np.sum(r**2), {"w": 2 * X.T @ r * factor, "b": 2 * np.sum(r)}

    return Call(objective, True, (np.array([0.3, -1.0, 0.5]), 0.2))


def jacobian_side_by_side(factor):
    """One Jacobian with the columns of all parameters."""

    def forward(a, b):
        return a[0] * X.ravel() + a[1] * X.ravel() ** 2 + b[0]

    def jacobian(a, b):
        x = X.ravel()
        return np.stack([x, x**2 * factor, np.ones_like(x)], axis=1)

    return Call(forward, jacobian, (np.array([0.3, -1.0]), np.array([0.5])))


def gradients_by_row(factor):
    """Each output depends on its own row."""
    return Call(lambda x: np.sum(np.sin(x), axis=1), lambda x: np.cos(x) * factor, (X.copy(),))


def tuple_of_numbers(factor):
    """A tuple of numbers is a vector to who returns a matrix."""
    return Call(
        lambda x: (x[0] ** 2 + x[1], np.sin(x[0]) * x[1]),
        lambda x: np.array([[2 * x[0], 1.0], [np.cos(x[0]) * x[1] * factor, np.sin(x[0])]]),
        (np.array([0.7, -1.2]),),
    )


def numbers_with_one_row(factor):
    """Separate numbers, whose derivatives are one row."""
    return Call(
        lambda a, b, c: a * b**2 + np.sin(c),
        lambda a, b, c: np.array([b**2, 2 * a * b * factor, np.cos(c)]),
        (0.5, -1.2, 2.0),
    )


def numbers_with_columns(factor):
    """A model of curve_fit, whose Jacobian has a column for each number."""
    t = np.linspace(0.1, 2, 7)

    def model(a, b):
        return a * np.exp(-b * t)

    def jacobian(a, b):
        e = np.exp(-b * t)
        return np.stack([e * factor, -a * t * e], axis=1)

    return Call(model, jacobian, (1.5, 0.7))


def sparse(kind):
    import scipy.sparse as sp

    def build(factor):
        def jacobian(x):
            D = np.diag(2 * x) * factor - np.eye(4, k=1)
            return getattr(sp, kind)(D)

        return Call(
            lambda x: x**2 - np.append(x[1:], 0), jacobian, (np.array([0.7, -1.2, 2, 0.4]),)
        )

    return build


def linear_operator(factor):
    from scipy.sparse.linalg import LinearOperator

    def jacobian(x):
        return LinearOperator(
            (4, 4),
            matvec=lambda v: 2 * x * np.ravel(v) * factor,
            rmatvec=lambda v: 2 * x * np.ravel(v) * factor,
        )

    return Call(lambda x: x**2, jacobian, (np.array([0.7, -1.2, 2, 0.4]),))


def list_of_zero_dimensional(factor):
    p = [np.array(0.5), np.array(-1.0)]
    return Call(
        lambda p: p[0] ** 2 * p[1],
        lambda p: [np.array(2 * p[0] * p[1] * factor), np.array(p[0] ** 2)],
        (p,),
    )


def list_of_numpy_numbers(factor):
    p = [np.float64(0.5), np.float64(-1.0)]
    return Call(
        lambda p: p[0] ** 2 * p[1],
        lambda p: [2 * p[0] * p[1] * factor, p[0] ** 2],
        (p,),
    )


def list_of_one_element_arrays(factor):
    p = [np.array([0.5]), np.array([-1.0])]
    return Call(
        lambda p: (p[0] ** 2 * p[1]).sum(),
        lambda p: [2 * p[0] * p[1] * factor, p[0] ** 2],
        (p,),
    )


def number_for_one_element(factor):
    return Call(lambda x: float(x[0] ** 2), lambda x: 2 * float(x[0]) * factor, (np.array([1.5]),))


def keras_like(factor):
    class Dense:
        def __init__(self):
            self.kernel = W.copy()
            self.trainable = [self.kernel]

        def call(self, inputs):
            self.inputs = inputs
            return inputs @ self.kernel

        def gradients(self, upstream):
            return self.inputs.T @ upstream * factor

    layer = Dense()
    return Call(
        layer.call,
        layer.gradients,
        (X.copy(),),
        {"wrt": "self.kernel", "backward_args": ("cotangent",)},
    )


def sklearn_like(factor):
    class HalfSquaredError:
        def loss(self, y_true, raw_prediction):
            return 0.5 * (raw_prediction - y_true) ** 2

        def gradient(self, y_true, raw_prediction):
            return (raw_prediction - y_true) * factor

    loss = HalfSquaredError()
    y, raw = np.array([0.0, 1.0, 2.0]), np.array([0.3, -1.0, 0.5])
    return Call(loss.loss, loss.gradient, (y, raw), {"wrt": "raw_prediction"})


def partials(factor):
    import functools

    def loss(w, X, y):
        return np.sum((X @ w - y) ** 2)

    def gradient(w, X, y):
        return 2 * X.T @ (X @ w - y) * factor

    y = np.array([0.3, 0.8])
    return Call(
        functools.partial(loss, X=X, y=y),
        functools.partial(gradient, X=X, y=y),
        (np.array([0.3, -1.0, 0.5]),),
    )


def class_methods(factor):
    class Softplus:
        scale = 2.0

        @classmethod
        def value(cls, x):
            return np.sum(np.log1p(np.exp(cls.scale * x)))

        @classmethod
        def slope(cls, x):
            return cls.scale / (1 + np.exp(-cls.scale * x)) * factor

    return Call(Softplus.value, Softplus.slope, (X.copy(),))


def callable_objects(factor):
    class Function:
        def __call__(self, x):
            return np.sum(np.sin(x))

        def gradient(self, x):
            return np.cos(x) * factor

    f = Function()
    return Call(f, f.gradient, (X.copy(),))


def ufuncs(factor):
    return Call(np.sin, np.cos if factor == 1 else np.sin, (X.copy(),))


def force(factor):
    """A force is minus the gradient."""

    def potential(r):
        return np.sum(1 / np.linalg.norm(r, axis=1))

    def forces(r):
        return r / np.linalg.norm(r, axis=1)[:, None] ** 3 * factor

    return Call(potential, lambda r: -forces(r), (X.copy(),))


def hessp(factor):
    return Call(
        lambda x: 4 * x**3,
        lambda x, p: 12 * x**2 * p * factor,
        (np.array([0.7, -1.2]),),
        {"backward_args": ("x", "tangent")},
    )


def keyword_only(factor):
    def loss(x, *, scale):
        return np.sum(np.sin(scale * x))

    def gradient(x, *, scale):
        return scale * np.cos(scale * x) * factor

    return Call(loss, gradient, (X.copy(),), {"kwargs": {"scale": 1.5}, "wrt": "x"})


def variadic(factor):
    def loss(*arrays):
        return sum(np.sum(a**2) for a in arrays)

    return Call(loss, lambda *arrays: tuple(2 * a * factor for a in arrays), (X.copy(), W.copy()))


def positional_only(factor):
    def loss(x, /, n=2):
        return np.sum(x**n)

    def gradient(x, /, n=2):
        return n * x ** (n - 1) * factor

    return Call(loss, gradient, (X.copy(),))


PLAIN = (
    lstm_step, two_upstream_gradients, two_upstream_gradients_of_a_layer, loss_and_two_gradients,
    loss_and_tuple, loss_and_dict, jacobian_side_by_side, gradients_by_row, tuple_of_numbers,
    numbers_with_one_row, numbers_with_columns, linear_operator, list_of_zero_dimensional,
    list_of_numpy_numbers, list_of_one_element_arrays, keras_like, sklearn_like, partials,
    class_methods, callable_objects, ufuncs, force, hessp, keyword_only, variadic, positional_only,
)  # fmt: skip


def cases():
    for name, make in CONTEXTS.items():
        for style in ("static", "instance"):
            yield from claims(10, f"{style} function, {name}", function_with_context(make, style))
        yield from claims(10, f"None from {name}", context_and_unchecked(make))
        yield from claims(10, f"one argument after {name}", one_with_context(make))
    for build in PLAIN:
        yield from claims(10, build.__name__, build)
    for kind in ("csr_matrix", "csc_array", "coo_matrix", "lil_matrix", "dia_array", "bsr_array"):
        yield from claims(10, f"Jacobian as {kind}", sparse(kind))
    yield from claims(10, number_for_one_element.__name__, number_for_one_element, refusable=True)
