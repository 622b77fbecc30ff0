"""Kind 20: names and values that do harm where they are shown."""

import time
import types

import numpy as np

from tests.robustness.case import Call, Case, Suite, refused

X = np.array([0.7, -1.2, 2.0, 0.4])

NAMES = {
    "escape": "\x1b[31mred\x1b[0m",
    "newline": "first\nsecond\r\nthird",
    "bell": "a\x07\x08b",
    "null": "a\x00b",
    "surrogate": "a\udc80b",
    "right to left": "a\u202eb",
    "zero width": "a\u200bb",
    "megabyte": "x" * 10**6,
    "quotes": "a'b\"c`",
    "braces": "{x} %s %d",
    "markup": "<script>&amp;]]>",
    "emoji": "\U0001f600",
    "accents": "poids_\u00e9\u0308",
    "empty": "",
    "separator": "a\u2028b",
    "C1": "a\x85b\x9b",
}


class Key:
    """A key with a repr of its own."""

    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return self.text()


def _raises():
    raise RuntimeError("no repr")


def _slow():
    time.sleep(2)
    return "slow"


def _no_text():
    return 5


REPRS = {
    "raises": _raises,
    "slow": _slow,
    "100 MB": lambda: "x" * 10**8,
    "no text": _no_text,
    "escape": lambda: NAMES["escape"],
    "exits": lambda: (_ for _ in ()).throw(SystemExit),
}


def as_key(key, factor):
    return lambda: Call(
        lambda p: np.sum(np.sin(p[key])),
        lambda p: {key: np.cos(p[key]) * factor},
        ({key: X.copy()},),
    )


def as_output(key, factor):
    return lambda: Call(
        lambda x: {key: np.sum(np.sin(x))}, lambda x: {key: np.cos(x) * factor}, (X.copy(),)
    )


def as_attribute(name, factor):
    def build():
        p = types.SimpleNamespace()
        setattr(p, name, X.copy())
        return Call(
            lambda p: np.sum(np.sin(getattr(p, name))),
            lambda p: {name: np.cos(getattr(p, name)) * factor},
            (p,),
        )

    return build


def as_function(name, factor):
    def build():
        def forward(x):
            return np.sum(np.sin(x))

        def backward(x):
            return np.cos(x) * factor

        forward.__name__ = forward.__qualname__ = name
        backward.__name__ = backward.__qualname__ = name
        return Call(forward, backward, (X.copy(),))

    return build


def as_class(name, factor):
    def build():
        def call(self, x):
            return np.sum(np.sin(x))

        made = type(name.replace("\x00", "0").replace("\udc80", "?"), (), {"__call__": call})
        return Call(made(), lambda x: np.cos(x) * factor, (X.copy(),))

    return build


def as_keyword(name, factor):
    def build():
        return Call(
            lambda x, **more: np.sum(np.sin(x)) * more[name],
            lambda x, **more: np.cos(x) * factor,
            (X.copy(),),
            {"kwargs": {name: 1}, "wrt": "x"},
        )

    return build


def as_argument(value, factor):
    return lambda: Call(
        lambda x, thing: np.sum(np.sin(x)),
        lambda x, thing: np.cos(x) * factor,
        (X.copy(), value),
        {"wrt": "x"},
    )


PLACES = (as_key, as_output, as_attribute, as_function, as_class, as_keyword, as_argument)


def option(**options):
    return lambda: Call(lambda x: np.sum(x**2), lambda x: 2 * x, (X.copy(),), options)


def missing_key(name):
    return lambda: Call(
        lambda p: np.sum(p["W"] ** 2), lambda p: {name: 2 * p["W"]}, ({"W": X.copy()},)
    )


def returned(value):
    return lambda: Call(lambda x: value, lambda x: 2 * x, (X.copy(),))


def claimed(value):
    return lambda: Call(lambda x: np.sum(x**2), lambda x: value, (X.copy(),))


SUITE = r"""
import numpy as np, pytest

NAMES = {names}

@pytest.mark.parametrize("k", range(len(NAMES)))
@pytest.mark.parametrize("factor", [1.0, 1.5])
def test_key(gradcheck, k, factor):
    key = NAMES[k]
    gradcheck(
        lambda p: np.sum(np.sin(p[key])), lambda p: {{key: np.cos(p[key]) * factor}}, {{key: np.ones(3) / 3}}
    )

@pytest.mark.parametrize("k", range(len(NAMES)))
def test_function(gradcheck, k):
    def backward(x):
        return 2 * np.cos(x)
    backward.__name__ = backward.__qualname__ = NAMES[k]
    gradcheck(lambda x: np.sum(np.sin(x)), backward, np.ones(3) / 3)

@pytest.mark.parametrize("k", range(len(NAMES)))
def test_usage(gradcheck, k):
    gradcheck(lambda x: np.sum(np.sin(x)), np.cos, np.ones(3) / 3, wrt=NAMES[k])
"""

DOORS = {
    "plain": ((), {}),
    "a worker": (("-n1",), {}),
    "JUnit": (("--junitxml=out.xml",), {}),
    "ASCII": ((), {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}),
    "ASCII in a worker": (
        ("-n1",),
        {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    ),
    "CI": (("-vv",), {"CI": "1"}),
    "colours": (("--color=yes",), {}),
}


def suite(options, environment):
    names = [name for label, name in NAMES.items()]
    text = SUITE.format(names=ascii([n if len(n) < 100 else n[:20000] for n in names]))
    count = len(names)
    return lambda: Suite(
        text,
        {"passed": count, "failed": 3 * count},
        options,
        hides=(r"\x1b\[31mred", "x{5000}", r"pytest_gradcheck/[\w/]+\.py:\d+"),
        environment=environment,
    )


def cases():
    for place in PLACES:
        for name, text in NAMES.items():
            if place is as_keyword and name == "empty":
                continue
            yield Case(20, f"{name} {place.__name__}: right", place(text, 1.0), "right")
            yield Case(20, f"{name} {place.__name__}: wrong", place(text, 1.5), "wrong")
    for name, text in REPRS.items():
        for place in (as_key, as_output, as_argument):
            yield Case(20, f"repr {name} {place.__name__}: right", place(Key(text), 1.0), "right")
            yield Case(20, f"repr {name} {place.__name__}: wrong", place(Key(text), 1.5), "wrong")
        yield refused(20, f"repr {name} as output", returned(Key(text)))
        yield refused(20, f"repr {name} as claim", claimed(Key(text)))
        yield refused(20, f"repr {name} as wrt", option(wrt=Key(text)))
        yield refused(20, f"repr {name} as rtol", option(rtol=Key(text)))
        yield refused(20, f"repr {name} as key of no parameter", missing_key(Key(text)))
    for name, text in NAMES.items():
        yield refused(20, f"{name} as wrt", option(wrt=text))
        yield refused(20, f"{name} as mode", option(mode=text))
        yield refused(20, f"{name} in backward_args", option(backward_args=(text,)))
        yield refused(20, f"{name} as key of no parameter", missing_key(text))
        if text:
            yield refused(20, f"{name} as option", option(**{text: 1}))
    for door, (options, environment) in DOORS.items():
        yield Case(20, f"suite with {door}", suite(options, environment), "right")
