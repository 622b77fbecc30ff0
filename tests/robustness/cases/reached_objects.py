"""Objects that both functions reach, what is returned, and random numbers (kinds 2, 3 and 4)."""

import functools
import random
import types

import numpy as np

from tests.robustness.case import Call, Case, claims

X = np.array([[0.7, -1.2, 0.4], [2.0, 0.4, -0.6]])


class Linear:
    """A layer with a cache, whose backward returns the gradient of x or of W."""

    def __init__(self, factor):
        self.W = np.array([[0.3, -0.8], [1.1, 0.2], [-0.4, 0.9]])
        self.factor = factor

    def forward(self, x):
        self.x = x
        self.norm = np.sqrt(1 + np.sum(self.W**2))
        return np.tanh(x @ self.W) * self.norm

    def of_W(self, dout):
        h = np.tanh(self.x @ self.W)
        direct = self.x.T @ ((1 - h**2) * dout) * self.norm
        return (direct + np.sum(h * dout) * self.W / self.norm) * self.factor

    def of_x(self, dout):
        h = np.tanh(self.x @ self.W)
        return (((1 - h**2) * dout) @ self.W.T) * self.norm * self.factor


def by_lambda(layer):
    return lambda dout: layer.of_W(dout)


def by_closure(layer):
    def backward(dout):
        return layer.of_W(dout)

    return backward


def by_closure_of_a_closure(layer):
    def inner():
        return layer

    return lambda dout: inner().of_W(dout)


def by_partial(layer):
    return functools.partial(lambda layer, dout: layer.of_W(dout), layer)


def by_partial_of_a_method(layer):
    return functools.partial(layer.of_W)


def by_default(layer):
    def backward(dout, layer=layer):
        return layer.of_W(dout)

    return backward


def by_keyword_default(layer):
    def backward(dout, *, layer=layer):
        return layer.of_W(dout)

    return backward


def by_global(layer):
    scope = {"layer": layer}
    exec("def backward(dout):\n    return layer.of_W(dout)", scope)
    return scope["backward"]


def by_wrapper(layer):
    def logged(function):
        @functools.wraps(function)
        def call(*args, **kwargs):
            return function(*args, **kwargs)

        return call

    return logged(layer.of_W)


class Trainer:
    """An object with the layer in an attribute."""

    def __init__(self, layer):
        self.layer = layer

    def gradient(self, dout):
        return self.layer.of_W(dout)


def by_another_object(layer):
    return Trainer(layer).gradient


class Gradient:
    """A callable object with the layer in an attribute."""

    def __init__(self, layer):
        self.layer = layer

    def __call__(self, dout):
        return self.layer.of_W(dout)


def by_callable_object(layer):
    return Gradient(layer)


def by_list(layer):
    layers = [layer]
    return lambda dout: layers[0].of_W(dout)


def by_namespace(layer):
    model = types.SimpleNamespace(first=layer)
    return lambda dout: model.first.of_W(dout)


def by_bound_method(layer):
    return layer.of_W


def by_class_function(layer):
    return lambda dout: Linear.of_W(layer, dout)


WAYS = (
    by_lambda, by_closure, by_closure_of_a_closure, by_partial, by_partial_of_a_method, by_default,
    by_keyword_default, by_global, by_wrapper, by_another_object, by_callable_object, by_list,
    by_namespace, by_bound_method, by_class_function,
)  # fmt: skip


def attribute(way):
    def build(factor):
        layer = Linear(factor)
        return Call(layer.forward, way(layer), (X.copy(),), {"wrt": "self.W"})

    return build


def argument_of_a_closure(factor):
    layer = Linear(factor)
    return Call(
        lambda x: layer.forward(x), lambda x, dout: layer.of_x(dout), (X.copy(),), watched=(layer,)
    )


def layer_as_argument(factor):
    def forward(x, layer):
        return layer.forward(x)

    return Call(
        forward, lambda x, layer, dout: layer.of_x(dout), (X.copy(), Linear(factor)), {"wrt": "x"}
    )


def cache_in_a_closure(factor):
    kept = {}

    def forward(x):
        kept["x"] = x
        return np.sum(x**3)

    return Call(forward, lambda x: 3 * kept["x"] ** 2 * factor, (X.copy(),))


def cache_in_a_global(factor):
    scope = {"np": np, "factor": factor}
    exec(
        "KEPT = []\n"
        "def forward(x):\n    KEPT.append(np.tanh(x))\n    return KEPT[-1].sum()\n"
        "def backward(x):\n    return (1 - KEPT[-1] ** 2) * factor\n",
        scope,
    )
    return Call(scope["forward"], scope["backward"], (X.copy(),))


def cache_in_function_attributes(factor):
    def forward(x):
        forward.x = x.copy()
        return np.sum(np.sin(x))

    return Call(forward, lambda x: np.cos(forward.x) * factor, (X.copy(),))


def stack_that_backward_pops(factor):
    tape = []

    def forward(x):
        tape.append(x.copy())
        return x**2

    return Call(forward, lambda dout: 2 * tape.pop() * dout * factor, (X.copy(),))


def two_layers(factor):
    first, second = Linear(1.0), Linear(factor)
    second.W = np.array([[0.5, -0.3], [0.2, 0.7]])

    class Model:
        def __init__(self):
            self.layers = [first, second]

        def forward(self, x):
            for layer in self.layers:
                x = layer.forward(x)
            return x

    model = Model()

    def backward(dout):
        for layer in reversed(model.layers):
            dout = layer.of_x(dout)
        return dout

    return Call(model.forward, backward, (X.copy(),), {"wrt": "x"})


# Kind 3: returned and not read


def boosting_objective(factor):
    y = np.array([0, 1, 1, 0])  # floats would be a parameter, of which hess were the gradient

    def loss(preds, data):
        return np.sum(np.logaddexp(0, preds) - data * preds)

    def objective(preds, data):
        p = 1 / (1 + np.exp(-preds))
        hess = p * (1 - p) if factor == 1 else np.full_like(p, np.nan)
        return p - data, hess

    return Call(loss, objective, (np.array([0.3, -1.0, 2.0, 0.1]), y))


def boosting_objective_by_row(factor):
    call = boosting_objective(factor)
    return Call(
        lambda preds, data: np.logaddexp(0, preds) - data * preds, call.backward, call.args
    )


def value_and_gradient(factor):
    return Call(lambda x: np.sum(x**2), lambda x: (np.sum(x**2) * factor, 2 * x), (X.copy(),))


def value_and_gradient_of_two(factor):
    return Call(
        lambda x, n: np.sum(x**2) * n,
        lambda x, n: (2 * x * n, factor),
        (X.copy(), 3),
        {"wrt": "x"},
    )


def gradient_and_hessian_in_a_dict(factor):
    return Call(
        lambda x, y: np.sum((x - y) ** 2),
        lambda x, y: {"grad": 2 * (x - y), "hess": 2 * factor},
        (X.copy(), 0 * X),
        {"wrt": "x"},
    )


def third_of_three(factor):
    return Call(lambda x: np.sum(x**2), lambda x: (2 * x, None, np.nan * x * factor), (X.copy(),))


# Kind 4: backward draws


def negative_sampling(draw):
    """Return a forward that samples, and a backward that samples the same again."""

    def build(factor):
        def forward(W, x):
            rows = draw()
            return np.sum(np.tanh(W[rows] @ x))

        def backward(W, x):
            rows = draw()
            g = np.zeros_like(W)
            np.add.at(g, rows, (1 - np.tanh(W[rows] @ x) ** 2)[:, None] * x)
            return g * factor

        W = np.random.default_rng(5).normal(size=(6, 3))
        return Call(forward, backward, (W, np.array([0.4, -1.0, 0.7])), {"wrt": "W"})

    return build


def only_backward_draws(draw):
    """Return a backward that estimates with random numbers, around the right value."""

    def build(factor):
        return Call(
            lambda x: np.sum(x**2), lambda x: 2 * x * factor + 0.1 * draw() * x, (X.copy(),)
        )

    return build


def drawn_and_cancelled(draw):
    """Return a backward that draws, and whose value does not depend on it."""

    def build(factor):
        def backward(x):
            draw()
            return 2 * x * factor

        return Call(lambda x: np.sum(x**2), backward, (X.copy(),))

    return build


def reparametrised(factor):
    """Return a VAE's sample: forward and backward draw the same noise from one seed."""

    class Sampler:
        def __init__(self):
            self.rng = np.random.default_rng(3)

        def forward(self, mu, logvar):
            self.eps = self.rng.standard_normal(mu.shape)
            return mu + np.exp(0.5 * logvar) * self.eps

        def backward(self, dout, logvar):
            return dout * factor, 0.5 * np.exp(0.5 * logvar) * self.eps * dout

    layer = Sampler()
    return Call(layer.forward, layer.backward, (X.copy(), 0.5 * X))


def reparametrised_again(factor):
    """Return a VAE's sample whose backward draws the noise again, from numpy's global state."""

    def forward(mu, logvar):
        return np.sum((mu + np.exp(0.5 * logvar) * np.random.standard_normal(mu.shape)) ** 2)

    def backward(mu, logvar):
        eps = np.random.standard_normal(mu.shape)
        z = mu + np.exp(0.5 * logvar) * eps
        return 2 * z * factor, z * np.exp(0.5 * logvar) * eps

    return Call(forward, backward, (X.copy(), 0.5 * X))


def _numpy():
    return np.random.randint(6, size=3)


def _python():
    return [random.randrange(6) for _ in range(3)]


def _generator():
    rng = np.random.default_rng(1)
    return lambda: rng.integers(6, size=3)


def _random_state():
    rng = np.random.RandomState(1)
    return lambda: rng.randint(6, size=3)


def _python_generator():
    rng = random.Random(1)
    return lambda: [rng.randrange(6) for _ in range(3)]


def number(draw):
    return lambda: float(np.sum(draw())) / 18 - 0.4


DRAWS = {
    "numpy": lambda: _numpy,
    "random": lambda: _python,
    "Generator": _generator,
    "RandomState": _random_state,
    "random.Random": _python_generator,
}


def cases():
    for way in WAYS:
        yield from claims(2, f"self.W, {way.__name__}", attribute(way))
    for build in (
        argument_of_a_closure, layer_as_argument, cache_in_a_closure, cache_in_a_global,
        cache_in_function_attributes, stack_that_backward_pops, two_layers,
    ):  # fmt: skip
        yield from claims(2, build.__name__, build)
    for build in (
        boosting_objective, boosting_objective_by_row, value_and_gradient, third_of_three,
        gradient_and_hessian_in_a_dict,
    ):  # fmt: skip
        yield from claims(3, build.__name__, build, refusable=True)
    for name, make in DRAWS.items():
        factors = ("right", "half more", "zero")
        yield from claims(
            4,
            f"negative sampling from {name}",
            lambda factor, make=make: negative_sampling(make())(factor),
            factors=factors,
            refusable=True,
        )
        yield Case(
            4,
            f"only backward draws from {name}",
            lambda make=make: only_backward_draws(number(make()))(1.0),
            "wrong",  # with the random numbers of one call, it is another function
            refusable=True,
        )
        yield from claims(
            4,
            f"drawn from {name} in vain",
            lambda factor, make=make: drawn_and_cancelled(make())(factor),
            factors=factors,
        )
    yield from claims(4, "reparametrised", reparametrised)
    yield from claims(4, "reparametrised again", reparametrised_again, refusable=True)
