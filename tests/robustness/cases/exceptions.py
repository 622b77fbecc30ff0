"""Kind 17: exceptions of forward and backward come through as they are, without our frames."""

import asyncio

import numpy as np

from tests.robustness.case import Call, Case, Suite, raises

X = np.array([0.7, -1.2, 2.0, 0.4])


class TwoArguments(Exception):
    """An exception that cannot be made from its text."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class NoText(Exception):
    """An exception whose text raises."""

    def __str__(self):
        raise RuntimeError("no text")


class Slotted(Exception):
    """An exception that takes no notes."""

    def add_note(self, note):
        raise TypeError("no notes")


EXCEPTIONS = {
    "ValueError": lambda: ValueError("bad shape"),
    "KeyError": lambda: KeyError("W3"),
    "AssertionError": lambda: AssertionError("x must be positive"),
    "ZeroDivisionError": lambda: ZeroDivisionError("division by zero"),
    "AttributeError": lambda: AttributeError("cache"),
    "TypeError": lambda: TypeError("unsupported operand"),
    "IndexError": lambda: IndexError("out of bounds"),
    "NotImplementedError": lambda: NotImplementedError(),
    "RecursionError": lambda: RecursionError("too deep"),
    "MemoryError": lambda: MemoryError(),
    "FloatingPointError": lambda: FloatingPointError("underflow"),
    "LinAlgError": lambda: np.linalg.LinAlgError("singular matrix"),
    "StopIteration": lambda: StopIteration(),
    "StopAsyncIteration": lambda: StopAsyncIteration(),
    "GeneratorExit": lambda: GeneratorExit(),
    "KeyboardInterrupt": lambda: KeyboardInterrupt(),
    "SystemExit": lambda: SystemExit(3),
    "CancelledError": lambda: asyncio.CancelledError(),
    "ExceptionGroup": lambda: ExceptionGroup("several", [ValueError("a"), KeyError("b")]),
    "UserWarning": lambda: UserWarning("raised"),
    "UnicodeDecodeError": lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad byte"),
    "OSError": lambda: OSError(2, "no such file"),
    "two arguments": lambda: TwoArguments(3, "code 3"),
    "no text": lambda: NoText(),
    "no notes": lambda: Slotted("x"),
    "chained": lambda: _chained(),
}


#: What mathematical functions raise outside of their domain.
DOMAIN = (ValueError, ArithmeticError, np.linalg.LinAlgError)


def _chained():
    try:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise ValueError("outer") from error
    except ValueError as error:
        return error


def at_the_point(make):
    def forward(x):
        raise make()

    return lambda: Call(forward, lambda x: 2 * x, (X.copy(),))


def everywhere_else(make):
    """Forward is defined at the point alone."""

    def forward(x):
        if (x != X).any():
            raise make()
        return np.sum(x**2)

    return lambda: Call(forward, lambda x: 2 * x, (X.copy(),))


def in_backward(make):
    def backward(x):
        raise make()

    return lambda: Call(lambda x: np.sum(x**2), backward, (X.copy(),))


def in_the_second_call(make):
    calls = []

    def build():
        calls.clear()

        def backward(x):
            calls.append(1)
            if len(calls) > 1:
                raise make()
            return 2 * x

        return Call(lambda x: np.sum(x**2), backward, (X.copy(),))

    return build


def in_a_pair(make):
    def both(x):
        raise make()

    return lambda: Call(both, True, (X.copy(),))


PLACES = (at_the_point, everywhere_else, in_backward, in_the_second_call, in_a_pair)

SUITE = """
import numpy as np, pytest
X = np.array([0.7, -1.2])

def forward(x):
    return np.sum(x ** 2)

def failing(*args, **kwargs):
    raise {exception}

def test_forward(gradcheck):
    gradcheck(failing, lambda x: 2 * x, X)

def test_backward(gradcheck):
    gradcheck(forward, failing, X)

def test_perturbed(gradcheck):
    gradcheck(lambda x: forward(x) if (x == X).all() else failing(x), lambda x: 2 * x, X)

@pytest.mark.gradcheck(backward=failing, wrt="x")
@pytest.mark.parametrize("x", [X])
def test_marked(x):
    return forward(x)

def test_function():
    from pytest_gradcheck import gradcheck
    gradcheck(forward, failing, X)
"""

OURS = r"pytest_gradcheck/[\w/]+\.py:\d+"


def suite(exception, *options):
    return lambda: Suite(
        SUITE.format(exception=exception),
        {"failed": 5},
        options,
        shows=(exception.split("(")[0], r"(?i)called|while"),
        hides=(OURS,),
    )


OUTCOMES = """
import numpy as np, pytest
X = np.array([0.7, -1.2])

def backward(x):
    {statement}

def test_it(gradcheck):
    gradcheck(lambda x: np.sum(x ** 2), backward, X)
"""


def cases():
    for place in PLACES:
        for name, make in EXCEPTIONS.items():
            if place is everywhere_else and not isinstance(make(), Exception):
                continue
            says = ("called|while|backward|forward",) if isinstance(make(), Exception) else ()
            if name == "no notes":
                says = ()
            name = f"{name} {place.__name__}"
            if place is everywhere_else and isinstance(make(), DOMAIN):
                # An edge of the domain on all sides: nothing is verified, and the report says why.
                said = (type(make()).__name__,)
                yield Case(17, name, place(make), "wrong", exception=type(make()), says=said)
                continue
            yield raises(17, name, place(make), type(make()), *says)
    for exception in ("ValueError('bad')", "StopIteration", "AssertionError", "KeyError('W')"):
        yield Case(17, f"suite with {exception}", suite(exception), "right")
    for style in ("long", "short", "line", "native", "no"):
        options = (f"--tb={style}",)
        yield Case(17, f"suite with tb={style}", _styled(style, options), "right")
    yield Case(17, "suite in a worker", suite("ValueError('bad')", "-n1"), "right")
    for statement, outcomes in {
        "pytest.skip('later')": {"skipped": 1},
        "pytest.fail('no')": {"failed": 1},
        "pytest.xfail('known')": {"xfailed": 1},
        "pytest.importorskip('no_such_module')": {"skipped": 1},
    }.items():
        text = OUTCOMES.format(statement=statement)
        yield Case(17, statement, lambda t=text, o=outcomes: Suite(t, o), "right")


def _styled(style, options):
    made = suite("ValueError('bad')", *options)()
    shows = made.shows if style in {"long", "short"} else ()
    return lambda: Suite(made.text, made.outcomes, options, shows=shows, hides=(OURS,))
