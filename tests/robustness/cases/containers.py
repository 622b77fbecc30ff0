"""Containers of every protocol, and the user's objects afterwards (kinds 11, 13 and 14).

A container that is not checked is passed through; one that is checked is accepted or refused.
"""

import array
import collections
import collections.abc
import configparser
import dataclasses
import enum
import functools
import os
import pathlib
import random
import shelve
import tempfile
import threading
import types
import weakref
from typing import Any, NamedTuple

import numpy as np

from tests.robustness.case import Call, Case, claims

W = np.array([0.7, -1.2, 2.0])
SCALE = 1.5


class Immutable(collections.abc.Mapping):
    """A mapping without a way to set or to copy."""

    def __init__(self, **items):
        self._items = items

    def __getitem__(self, key):
        return self._items[key]

    def __iter__(self):
        return iter(self._items)

    def __len__(self):
        return len(self._items)


class Lazy(Immutable):
    """A mapping that makes its values at each reading."""

    def __getitem__(self, key):
        return self._items[key].copy()


class Infinite(collections.abc.Mapping):
    """A mapping that never ends."""

    def __getitem__(self, key):
        if key == "W":
            return W
        return 0.0

    def __iter__(self):
        k = 0
        yield "W"
        while True:
            yield f"{k}"
            k += 1

    def __len__(self):
        return 10**9


class Costly(Immutable):
    """A mapping each of whose items costs a second."""

    def __getitem__(self, key):
        if key != "W":
            raise RuntimeError("a download that nobody asked for")
        return self._items[key]

    def __iter__(self):
        raise RuntimeError("a listing that nobody asked for")


class Store(collections.abc.MutableMapping):
    """A mutable mapping without __copy__: a shallow copy shares its storage."""

    def __init__(self, **items):
        self.storage = dict(items)

    def __getitem__(self, key):
        return self.storage[key]

    def __setitem__(self, key, value):
        self.storage[key] = value

    def __delitem__(self, key):
        del self.storage[key]

    def __iter__(self):
        return iter(self.storage)

    def __len__(self):
        return len(self.storage)


class Validating(dict):
    """A dict that takes no new values."""

    def __setitem__(self, key, value):
        raise TypeError("this mapping validates what is set")

    def update(self, *args, **kwargs):
        raise TypeError("this mapping validates what is set")


class Uncopyable(dict):
    """A dict that refuses to be copied."""

    def __copy__(self):
        raise TypeError("no copies")

    def __deepcopy__(self, memo):
        raise TypeError("no copies")

    def copy(self):
        raise TypeError("no copies")

    def __reduce_ex__(self, protocol):
        raise TypeError("no copies")


class Locked(dict):
    """A dict beside a lock, which cannot be copied."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.lock = threading.Lock()


class Missing(dict):
    """A dict that makes what is missing."""

    def __missing__(self, key):
        return self.setdefault(key, 0.0)


class OwnList(list):
    """A list with a constructor of its own."""

    def __init__(self, first, *, size):
        super().__init__([first] * size)


class OwnTuple(tuple):
    """A tuple with a constructor of its own."""

    __slots__ = ()

    def __new__(cls, first, second):
        return super().__new__(cls, (first, second))


class Pair(NamedTuple):
    W: Any
    name: str


class OwnNamedTuple(collections.namedtuple("OwnNamedTuple", "W name")):  # noqa: PYI024
    """A named tuple with a constructor of its own."""

    __slots__ = ()

    def __new__(cls, W):
        return super().__new__(cls, W, "layer")


@dataclasses.dataclass
class Unset:
    """A dataclass with fields that are not set, or not in its constructor."""

    W: Any
    cache: Any = dataclasses.field(init=False)
    made: Any = dataclasses.field(init=False, default=None)

    def __post_init__(self):
        self.made = 2.0


@dataclasses.dataclass(frozen=True)
class Frozen:
    W: Any
    name: str = "layer"


@dataclasses.dataclass(slots=True)
class Slots:
    W: Any
    name: str = "layer"


@dataclasses.dataclass(frozen=True, slots=True)
class FrozenSlots:
    W: Any
    name: str = "layer"


@dataclasses.dataclass
class Validated:
    """A dataclass that validates in its constructor."""

    W: Any
    size: dataclasses.InitVar[int] = 3

    def __post_init__(self, size):
        if len(self.W) != size:
            raise ValueError("bad size")


@dataclasses.dataclass(kw_only=True)
class Keywords:
    W: Any
    name: str = "layer"


class Plain:
    """An object with a link to its parent."""

    def __init__(self, W):
        self.W = W
        self.parent = self
        self.children = [self]


class Colour(enum.Enum):
    RED = 1


def cyclic_dict(W):
    p = {"W": W}
    p["parent"] = {"child": p}
    return p


def cyclic_list(W):
    p = [W]
    p.append(p)
    return p


def deep(levels):
    def make(W):
        p = {"W": W}
        inner = "leaf"
        for _ in range(levels):
            inner = [inner]
        p["deep"] = inner
        return p

    return make


def deep_array(W):
    p = {"W": W}
    inner = np.ones(2)
    for _ in range(500):
        inner = {"next": inner}
    p["deep"] = inner
    return p


def shelved(W):
    directory = tempfile.mkdtemp()
    shelf = shelve.open(os.path.join(directory, "shelf"))
    shelf["W"] = W
    return shelf


def parser(W):
    made = configparser.ConfigParser()
    made["first"] = {"W": "1.5"}
    return made


def frame(W):
    import pandas as pd

    return pd.DataFrame({"W": W, "name": list("abc")})


def series(W):
    import pandas as pd

    return pd.Series(W, index=list("abc"))


class SameRepr:
    """Keys that look alike."""

    def __repr__(self):
        return "key"


def same_reprs(W):
    return {"W": W, SameRepr(): 1.0, SameRepr(): 2.0}


def torch_tensor(W):
    import torch

    return {"W": W, "mask": torch.ones(3)}


#: Containers with W by key, attribute or position, and things that are not checked.
MAPPINGS = {
    "dict": lambda W: {"W": W},
    "OrderedDict": lambda W: collections.OrderedDict(W=W),
    "defaultdict": lambda W: collections.defaultdict(list, W=W),
    "ChainMap": lambda W: collections.ChainMap({"W": W}, {"b": 1.0}),
    "UserDict": lambda W: collections.UserDict(W=W),
    "MappingProxyType": lambda W: types.MappingProxyType({"W": W}),
    "immutable mapping": lambda W: Immutable(W=W),
    "lazy mapping": lambda W: Lazy(W=W),
    "infinite mapping": lambda W: Infinite(),
    "costly mapping": lambda W: Costly(W=W, b=1),
    "store": lambda W: Store(W=W),
    "validating dict": lambda W: Validating(W=W),
    "uncopyable dict": lambda W: Uncopyable(W=W),
    "dict with a lock": lambda W: Locked(W=W),
    "dict with __missing__": lambda W: Missing(W=W),
    "shelve": shelved,
    "cyclic dict": cyclic_dict,
    "500 levels": deep(500),
    "5,000 levels": deep(5000),
    "array under 500 levels": deep_array,
    "keys with one repr": same_reprs,
    "NaN keys": lambda W: {"W": W, float("nan"): 1.0, np.nan: 2.0},
    "keys of many types": lambda W: {
        "W": W,
        1: 1.0,
        (1, 2): 2.0,
        None: 3.0,
        Colour.RED: 4.0,
        b"x": 5,
    },
    "empty key": lambda W: {"W": W, "": 1.0, " ": 2.0, "a.b": 3.0, "['x']": 4.0},
    "torch beside": torch_tensor,
    "a DataFrame": frame,
}

ATTRIBUTES = {
    "dataclass with unset fields": Unset,
    "frozen dataclass": Frozen,
    "slots": Slots,
    "frozen slots": FrozenSlots,
    "validating dataclass": Validated,
    "keyword dataclass": lambda W: Keywords(W=W),
    "named tuple": lambda W: Pair(W, "layer"),
    "named tuple with a constructor": OwnNamedTuple,
    "namespace": lambda W: types.SimpleNamespace(W=W, name="layer"),
    "object with a parent": Plain,
}

SEQUENCES = {
    "list": lambda W: [W],
    "list with a constructor": lambda W: OwnList(W, size=1),
    "tuple with a constructor": lambda W: OwnTuple(W, "layer"),
    "deque": lambda W: collections.deque([W]),
    "UserList": lambda W: collections.UserList([W]),
    "cyclic list": cyclic_list,
    "object array": lambda W: np.array([W, None], dtype=object),
}

#: What is handed through beside a parameter, and is no container of it.
THINGS = {
    "set": lambda: {1, 2},
    "frozenset": lambda: frozenset({1.0}),
    "bytearray": lambda: bytearray(b"abc"),
    "memoryview": lambda: memoryview(b"abc"),
    "array.array": lambda: array.array("d", [1.0, 2.0]),
    "range": lambda: range(3),
    "generator": lambda: (k for k in range(3)),
    "iterator": lambda: iter([1.0, 2.0]),
    "file": lambda: open(os.devnull),
    "lock": threading.Lock,
    "thread": lambda: threading.current_thread(),
    "module": lambda: np,
    "class": lambda: Plain,
    "function": lambda: cyclic_dict,
    "lambda": lambda: lambda: 1,
    "partial": lambda: functools.partial(print, 1),
    "path": lambda: pathlib.Path("x"),
    "enum": lambda: Colour.RED,
    "enum class": lambda: Colour,
    "weak reference": lambda: weakref.ref(Plain),
    "object": object,
    "None": lambda: None,
    "Ellipsis": lambda: ...,
    "NotImplemented": lambda: NotImplemented,
    "slice": lambda: slice(1, 2),
    "complex": lambda: 1j,
    "string": lambda: "relu",
    "bytes": lambda: b"relu",
    "huge integer": lambda: 10**400,
    "NaN": lambda: float("nan"),
    "NaT": lambda: np.datetime64("NaT", "s"),
    "dates": lambda: np.array(["2020-01-01", "NaT"], dtype="M8[D]"),
    "strings": lambda: np.array(["a", "b"]),
    "records": lambda: np.zeros(2, dtype=[("a", float), ("b", "U3")]),
    "objects": lambda: np.array([None, "a", np.nan], dtype=object),
    "array of dicts": lambda: np.array([{"a": 1}, {}], dtype=object),
    "NaN array": lambda: np.array([np.nan, np.inf]),
    "read-only array": lambda: np.broadcast_to(1.0, (3,)),
    "masked array": lambda: np.ma.array([1.0, 2.0], mask=[0, 1]),
    "ConfigParser": lambda: parser(None),
    "infinite mapping": Infinite,
    "costly mapping": lambda: Costly(a=1),
    "Series": lambda: series(W),
    "DataFrame": lambda: frame(W),
    "SystemRandom": random.SystemRandom,
    "Generator": lambda: np.random.default_rng(0),
    "SeedSequence": lambda: np.random.SeedSequence(0),
    "exception": lambda: ValueError("x"),
    "frame": lambda: types.SimpleNamespace(f=1),
    "a proxy of everything": lambda: Everything(),
    "a class that compares badly": lambda: BadlyCompared(),
    "a class that cannot be copied": lambda: NoCopy(),
    "a class without repr": lambda: NoRepr(),
    "a class whose attributes raise": lambda: NoAttributes(),
    "a class with a bad length": lambda: BadLength(),
    "a dict of itself": lambda: cyclic_dict(1.0),
    "cyclic object": lambda: Plain(1.0),
    "array in an object": lambda: Plain(np.ones(2)),
    "5,000 levels": lambda: deep(5000)(1.0),
    "mock": lambda: __import__("unittest.mock").mock.MagicMock(),
}


class Everything:
    """An object that has every attribute."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Everything()

    def __call__(self, *args):
        return Everything()

    def __iter__(self):
        return iter(())


class BadlyCompared:
    __hash__ = None

    def __eq__(self, other):
        raise RuntimeError("not comparable")

    def __bool__(self):
        raise RuntimeError("no truth value")


class NoCopy:
    def __copy__(self):
        raise RuntimeError("no copies")

    def __deepcopy__(self, memo):
        raise RuntimeError("no copies")

    def __reduce_ex__(self, protocol):
        raise RuntimeError("no copies")


class NoRepr:
    def __repr__(self):
        raise RuntimeError("no repr")


class NoAttributes:
    def __getattr__(self, name):
        raise RuntimeError(f"no {name}")


class BadLength:
    def __len__(self):
        raise RuntimeError("no length")

    def __iter__(self):
        raise RuntimeError("no iteration")


def from_mapping(p):
    if type(p).__name__ == "DataFrame":
        return p["W"].to_numpy()
    return p["W"]


def from_attribute(p):
    return p.W


def from_sequence(p):
    return p[0]


def checked(make, read, factor):
    """Return a call that checks W inside the container."""
    p = make(W.copy())

    def forward(p):
        return np.sum(np.sin(read(p)))

    def backward(p):
        return {"W": np.cos(read(p)) * factor}

    def as_list(p):
        return [np.cos(read(p)) * factor]

    def as_itself(p):
        return np.cos(read(p)) * factor

    ways = {from_mapping: backward, from_attribute: backward, from_sequence: as_list}
    return Call(forward, ways.get(read, as_itself), (p,))


def unchecked(make, read, factor):
    """Return a call that hands the container through beside the parameter x."""
    p = make(W.copy())

    def forward(x, p):
        return np.sum(np.sin(x) * read(p))

    return Call(
        forward,
        lambda x, p: np.cos(x) * read(p) * factor,
        (np.array([0.3, 0.9, -2.0]), p),
        {"wrt": "x"},
    )


def handed_through(make, where, factor):
    """Return a call with a thing that no derivative is taken of."""
    thing = make()

    if where == "argument":
        return Call(
            lambda x, thing: np.sum(np.sin(x)),
            lambda x, thing: np.cos(x) * factor,
            (W.copy(), thing),
            {"wrt": "x"},
        )
    if where == "beside":
        return Call(
            lambda p: np.sum(np.sin(p["W"])),
            lambda p: {"W": np.cos(p["W"]) * factor},
            ({"W": W.copy(), "thing": thing},),
        )
    if where == "keyword":
        return Call(
            lambda x, *, thing: np.sum(np.sin(x)), lambda x: np.cos(x) * factor, (W.copy(),),
            {"wrt": "x", "kwargs": {"thing": thing}},
        )  # fmt: skip

    class Model:
        def __init__(self):
            self.W, self.thing = W.copy(), thing

        def forward(self):
            return np.sum(np.sin(self.W))

        def backward(self):
            return np.cos(self.W) * factor

    model = Model()
    return Call(model.forward, model.backward, (), {"wrt": "self.W"})


# Kind 13: what forward and backward change in the user's objects is put back


class BatchNorm:
    def __init__(self):
        self.running = np.zeros(3)
        self.count = 0

    def __call__(self, x):
        self.running *= 0.9
        self.running += 0.1 * x
        self.count += 1
        return x / (1 + x**2)


class Network:
    def __init__(self):
        self.bn = BatchNorm()
        self.history = []
        self.W = W.copy()
        self.seen = set()
        self.queue = collections.deque(maxlen=5)
        self.best = {"loss": np.inf}

    def forward(self, x):
        y = self.bn(x * self.W)
        self.history.append(float(y.sum()))
        self.seen.add(float(y.sum()))
        self.queue.append(y.copy())
        self.best["loss"] = min(self.best["loss"], float(y.sum()))
        self.last = x
        return y

    def backward(self, dout):
        z = self.last * self.W
        self.steps = getattr(self, "steps", 0) + 1
        return dout * (1 - z**2) / (1 + z**2) ** 2 * self.W


def method_of_a_network(factor):
    net = Network()

    def backward(dout):
        return net.backward(dout) * factor

    return Call(net.forward, backward, (np.array([0.3, 0.9, -2.0]),), {"wrt": "x"}, watched=(net,))


def both_methods_of_a_network(factor):
    class Scaled(Network):
        def backward(self, dout):
            return super().backward(dout) * factor

    net = Scaled()
    return Call(
        net.forward, net.backward, (np.array([0.3, 0.9, -2.0]),), {"wrt": "x"}, watched=(net,)
    )


def network_as_argument(factor):
    return Call(
        lambda x, net: net.forward(x),
        lambda x, net, dout: net.backward(dout) * factor,
        (np.array([0.3, 0.9, -2.0]), Network()),
        {"wrt": "x"},
    )


def callable_with_state(factor):
    class Counting:
        def __init__(self):
            self.calls, self.history = 0, []

        def __call__(self, x):
            self.calls += 1
            self.history.append(self.calls)
            return np.sum(np.sin(x))

    return Call(Counting(), lambda x: np.cos(x) * factor, (W.copy(),))


def backward_with_state(factor):
    class Gradient:
        def __init__(self):
            self.calls = []

        def __call__(self, x):
            self.calls.append(x.copy())
            return np.cos(x) * factor

    return Call(lambda x: np.sum(np.sin(x)), Gradient(), (W.copy(),))


def backward_with_its_own_object(factor):
    class Optimiser:
        def __init__(self):
            self.moment = np.zeros(3)
            self.steps = 0

        def gradient(self, x):
            g = np.cos(x) * factor
            self.moment *= 0.9
            self.moment += g
            self.steps += 1
            return g

    return Call(lambda x: np.sum(np.sin(x)), Optimiser().gradient, (W.copy(),))


def array_in_a_closure(factor):
    running = np.zeros(3)

    def forward(x):
        running[:] = 0.9 * running + 0.1 * x
        return np.sum(np.sin(x))

    return Call(forward, lambda x: np.cos(x) * factor, (W.copy(),), watched=(running,))


def list_in_a_closure(factor):
    """A function records its calls there: the list is not put back, as the reference says."""
    history = []

    def forward(x):
        history.append(x.copy())
        return np.sum(np.sin(x))

    return Call(forward, lambda x: np.cos(x) * factor, (W.copy(),))


def changing(make, change):
    """Return a call whose forward changes an argument that is not checked."""

    def build(factor):
        def forward(x, thing):
            change(thing, x)
            return np.sum(np.sin(x))

        return Call(forward, lambda x, thing: np.cos(x) * factor, (W.copy(), make()), {"wrt": "x"})

    return build


def _sparse():
    import scipy.sparse as sp

    return sp.csr_matrix(np.eye(3))


def _set_sparse(thing, x):
    thing.data[:] = x


def _set_frame(thing, x):
    thing["W"] = x


CHANGED = {
    "dict": (lambda: {"n": 0}, lambda t, x: t.update(n=t["n"] + 1)),
    "dict of arrays": (lambda: {"r": np.zeros(3)}, lambda t, x: t["r"].__iadd__(x)),
    "list": (lambda: [0], lambda t, x: t.append(1)),
    "array": (lambda: np.zeros(3), lambda t, x: t.__iadd__(x)),
    "deque": (collections.deque, lambda t, x: t.append(x.copy())),
    "deque of arrays": (lambda: collections.deque([np.zeros(3)]), lambda t, x: t[0].__iadd__(x)),
    "set": (set, lambda t, x: t.add(float(x[0]))),
    "bytearray": (bytearray, lambda t, x: t.append(1)),
    "object": (lambda: types.SimpleNamespace(n=0), lambda t, x: setattr(t, "n", t.n + 1)),
    "instance": (BatchNorm, lambda t, x: t(x)),
    "nested instance": (Network, lambda t, x: t.forward(x)),
    "sparse matrix": (_sparse, _set_sparse),
    "DataFrame": (lambda: frame(np.zeros(3)), _set_frame),
    "Counter": (collections.Counter, lambda t, x: t.update("a")),
    "store": (lambda: Store(n=0), lambda t, x: t.__setitem__("n", t["n"] + 1)),
    "Generator": (lambda: np.random.default_rng(0), lambda t, x: t.random()),
}

# Kind 14: mappings of the user's own


def store_of_float32(factor):
    p = Store(W=W.astype(np.float32))
    return Call(
        lambda p: np.sum(np.sin(p["W"])),
        lambda p: {"W": np.cos(p["W"]) * np.float32(factor)},
        (p,),
    )


def store_beside(factor):
    p = Store(W=W.copy(), b=W.astype(np.float32))
    return Call(
        lambda x, p: np.sum(np.sin(x) * p["W"]),
        lambda x, p: np.cos(x) * p["W"] * factor,
        (W.copy(), p),
        {"wrt": "x"},
    )


def store_in_an_object(factor):
    class Model:
        def __init__(self):
            self.params = Store(W=W.copy())

        def forward(self):
            return np.sum(np.sin(self.params["W"]))

        def backward(self):
            return {"W": np.cos(self.params["W"]) * factor}

    model = Model()
    return Call(model.forward, model.backward, (), {"wrt": "self.params"})


def shared_storage(factor):
    class Shared(Store):
        everyone = {"W": W.copy()}

        def __init__(self):
            self.storage = self.everyone

    p = Shared()
    return Call(
        lambda p: np.sum(np.sin(p["W"])),
        lambda p: {"W": np.cos(p["W"]) * factor},
        (p,),
        watched=(Shared.everyone,),
    )


def cases():
    groups = ((MAPPINGS, from_mapping), (ATTRIBUTES, from_attribute), (SEQUENCES, from_sequence))
    for makes, read in groups:
        for name, make in makes.items():
            yield from claims(
                11, f"checked {name}", lambda f, m=make, r=read: checked(m, r, f), refusable=True
            )
            yield from claims(
                11, f"unchecked {name}", lambda f, m=make, r=read: unchecked(m, r, f)
            )
    for where in ("argument", "beside", "attribute", "keyword"):
        for name, make in THINGS.items():
            yield from claims(
                11,
                f"{name} as {where}",
                lambda f, m=make, w=where: handed_through(m, w, f),
                factors=("right", "half more") if where == "argument" else ("right",),
                # A number without a gradient is an error, and an object with state is copied.
                refusable=where in {"beside", "attribute"},
            )
    for build in (
        method_of_a_network, both_methods_of_a_network, network_as_argument, callable_with_state,
        backward_with_state, backward_with_its_own_object, array_in_a_closure, list_in_a_closure,
    ):  # fmt: skip
        yield from claims(13, build.__name__, build)
    for name, (make, change) in CHANGED.items():
        yield from claims(13, f"forward changes a {name}", changing(make, change))
    for build in (store_of_float32, store_beside, store_in_an_object, shared_storage):
        yield from claims(14, build.__name__, build, refusable=True)
    for read_only in ("validating dict", "uncopyable dict", "UserDict", "ChainMap"):
        yield Case(
            14,
            f"{read_only} afterwards",
            lambda name=read_only: checked(MAPPINGS[name], from_mapping, 1.0),
            "right",
            refusable=True,
        )
