"""Where forward is evaluated: memos, rebound leaves and settings (kinds 5, 6 and 8)."""

import functools
import types
import warnings
import weakref

import numpy as np

from tests.robustness.case import Call, Case, claims

X = np.array([0.7, -1.2, 2.0, 0.4])
THREE = ("right", "half more", "zero")

# Kind 5: memo by identity


def value(x):
    return np.sum(np.sin(x) + x**2)


def slope(x):
    return np.cos(x) + 2 * x


def by_is(function):
    last = [None, None]

    def memo(x):
        if x is not last[0]:
            last[:] = x, function(x)
        return last[1]

    return memo


def by_id(function):
    known = {}

    def memo(x):
        if id(x) not in known:
            known[id(x)] = function(x)
        return known[id(x)]

    return memo


def by_weak_reference(function):
    known = []

    def memo(x):
        if not (known and known[0]() is x):
            known[:] = weakref.ref(x), function(x)
        return known[1]

    return memo


def by_address(function):
    known = {}

    def memo(x):
        return known.setdefault(x.ctypes.data, function(x))

    return memo


def by_bytes(function):
    known = {}

    def memo(x):
        key = x.tobytes()
        if key not in known:
            known[key] = function(x)
        return known[key]

    return memo


def by_equality(function):
    last = []

    def memo(x):
        if not (last and np.array_equal(last[0], x)):
            last[:] = x.copy(), function(x)
        return last[1]

    return memo


def by_equality_without_a_copy(function):
    last = []

    def memo(x):
        if not (last and np.array_equal(last[0], x)):
            last[:] = x, function(x)
        return last[1]

    return memo


def by_cached_numbers(function):
    cached = functools.lru_cache(lambda *numbers: function(np.array(numbers)))
    return lambda x: cached(*map(float, x))


MEMOS = (
    by_is, by_id, by_weak_reference, by_address, by_bytes, by_equality, by_equality_without_a_copy,
    by_cached_numbers,
)  # fmt: skip


def memoised(memo):
    def build(factor):
        return Call(memo(value), lambda x: slope(x) * factor, (X.copy(),))

    return build


class ScipyLike:
    """A function and its gradient with one memo, as scipy's MemoizeJac has."""

    def __init__(self, factor):
        self.factor = factor
        self.x = None

    def update(self, x):
        if self.x is None or not np.all(x == self.x):
            self.x = np.asarray(x).copy()
            self.known = value(x), slope(x) * self.factor

    def fun(self, x):
        self.update(x)
        return self.known[0]

    def jac(self, x):
        self.update(x)
        return self.known[1]


class LastPoint(ScipyLike):
    """The same with a memo by identity."""

    def update(self, x):
        if self.x is not x:
            self.x = x
            self.known = value(x), slope(x) * self.factor


def pair_of_methods(owner):
    def build(factor):
        made = owner(factor)
        return Call(made.fun, made.jac, (X.copy(),))

    return build


# Kind 6: forward rebinds a leaf


def clipped(W):
    return np.clip(W, -5, 5)


def cast(W):
    return W.astype(float)


def copied(W):
    return W.copy()


def doubled_and_halved(W):
    return W * 2 / 2


def normalised(W):
    return W / np.linalg.norm(W)


CHANGES = (clipped, cast, copied, doubled_and_halved)


def energy(W):
    return np.sum(np.tanh(W) * np.arange(1.0, 5.0))


def energy_slope(W):
    return (1 - np.tanh(W) ** 2) * np.arange(1.0, 5.0)


def in_a_dict(change, factor):
    def forward(p):
        p["W"] = change(p["W"])
        return energy(p["W"])

    return Call(forward, lambda p: {"W": energy_slope(p["W"]) * factor}, ({"W": X.copy()},))


def in_a_nested_dict(change, factor):
    def forward(p):
        p["first"]["W"] = change(p["first"]["W"])
        return energy(p["first"]["W"])

    def backward(p):
        return {"first": {"W": energy_slope(p["first"]["W"]) * factor}}

    return Call(forward, backward, ({"first": {"W": X.copy()}},))


def in_a_list(change, factor):
    def forward(p):
        p[0] = change(p[0])
        return energy(p[0])

    return Call(forward, lambda p: [energy_slope(p[0]) * factor], ([X.copy()],))


def in_a_namespace(change, factor):
    def forward(p):
        p.W = change(p.W)
        return energy(p.W)

    return Call(
        forward, lambda p: {"W": energy_slope(p.W) * factor}, (types.SimpleNamespace(W=X.copy()),)
    )


def in_an_object(change, factor):
    class Model:
        def __init__(self):
            self.W = X.copy()

        def forward(self):
            self.W = change(self.W)
            return energy(self.W)

        def backward(self):
            return energy_slope(self.W) * factor

    model = Model()
    return Call(model.forward, model.backward, (), {"wrt": "self.W"})


def in_an_object_with_a_dict(change, factor):
    class Model:
        def __init__(self):
            self.params = {"W": X.copy()}

        def forward(self):
            self.params["W"] = change(self.params["W"])
            return energy(self.params["W"])

        def backward(self):
            return energy_slope(self.params["W"]) * factor

    model = Model()
    return Call(model.forward, model.backward, (), {"wrt": "self.params"})


PLACES = (
    in_a_dict, in_a_nested_dict, in_a_list, in_a_namespace, in_an_object, in_an_object_with_a_dict,
)  # fmt: skip


# Kind 8: settings around the call


def reads_geterr(factor):
    def forward(x):
        strict = np.geterr()["over"] == "warn"
        return np.sum(x**2) * (1.0 if strict else 3.0)

    return Call(forward, lambda x: 2 * x * factor, (X.copy(),))


def records_warnings(factor):
    def forward(x):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            np.log(np.append(x, -1.0))
        return np.sum(x**2) * (1.0 if caught else 3.0)

    return Call(forward, lambda x: 2 * x * factor, (X.copy(),))


def falls_back_on_a_warning(factor):
    """The stable formula is used where the naive one warns."""

    def forward(x):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                return np.sum(np.log1p(np.exp(x)) / np.append(x[1:], 0.0))
            except RuntimeWarning:
                return np.sum(x**2)

    return Call(forward, lambda x: 2 * x * factor, (X.copy(),))


def falls_back_on_an_error(factor):
    """As before, with numpy's error state as it is where the check is called."""

    def forward(x):
        try:
            return np.sum(np.sqrt(x)) + 0.0
        except FloatingPointError:
            return np.sum(x**2)

    return Call(
        forward, lambda x: 2 * x * factor, (X.copy(),), around=lambda: np.errstate(all="raise")
    )


def raises_around(factor):
    return Call(
        lambda x: np.sum(x**2),
        lambda x: 2 * x * factor,
        (X.copy(),),
        around=lambda: np.errstate(all="raise"),
    )


def own_handler(factor):
    """numpy calls the user's handler."""
    seen = []

    def forward(x):
        seen.clear()
        np.log(np.append(x, 0.0))
        return np.sum(x**2) * (1.0 if seen else 3.0)

    return Call(
        forward,
        lambda x: 2 * x * factor,
        (X.copy(),),
        around=lambda: np.errstate(all="call", call=lambda *about: seen.append(about)),
    )


def warns_always(factor):
    def forward(x):
        warnings.warn("old function", DeprecationWarning, stacklevel=2)
        return np.sum(x**2)

    return Call(forward, lambda x: 2 * x * factor, (X.copy(),))


def ignored_warning_filters(factor):
    def forward(x):
        return np.sum(x**2) * (1.0 if ("settings-mark" in str(warnings.filters)) else 3.0)

    class Around:
        def __enter__(self):
            self.inner = warnings.catch_warnings()
            self.inner.__enter__()
            warnings.filterwarnings("ignore", "settings-mark")

        def __exit__(self, *error):
            self.inner.__exit__(*error)

    return Call(forward, lambda x: 2 * x * factor, (X.copy(),), around=Around)


def print_options(factor):
    def forward(x):
        return np.sum(x**2) * (1.0 if np.get_printoptions()["precision"] == 3 else 3.0)

    return Call(
        forward, lambda x: 2 * x * factor, (X.copy(),), around=lambda: np.printoptions(precision=3)
    )


SETTINGS = (
    reads_geterr, records_warnings, falls_back_on_a_warning, falls_back_on_an_error, raises_around,
    own_handler, warns_always, ignored_warning_filters, print_options,
)  # fmt: skip


def cases():
    for memo in MEMOS:
        yield from claims(
            5, f"memo {memo.__name__}", memoised(memo), factors=THREE, refusable=True
        )
    for owner in (ScipyLike, LastPoint):
        yield from claims(
            5, f"pair with {owner.__name__}", pair_of_methods(owner), factors=THREE, refusable=True
        )
    for place in PLACES:
        for change in CHANGES:
            yield from claims(
                6,
                f"{place.__name__}, {change.__name__}",
                functools.partial(place, change),
                factors=THREE,
                refusable=True,
            )
        # What is rebound has another value: the point of the derivative is not defined.
        yield Case(
            6,
            f"{place.__name__}, normalised: zero",
            functools.partial(place, normalised, 0.0),
            "wrong",
            refusable=True,
        )
    for build in SETTINGS:
        yield from claims(8, build.__name__, build)
