"""Kind 15: generators without a state, checks in threads, and signals at any moment."""

import contextlib
import random
import secrets
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from pytest_gradcheck import check_gradient
from tests.robustness.case import Call, Case, claims

X = np.array([0.7, -1.2, 2.0, 0.4])


def square(x):
    return np.sum(x**2)


def dropout(x):
    return np.sum(x**2 * (0.5 + np.random.rand(4)))


def dropout_gradient(x):
    return 2 * x * (0.5 + np.random.rand(4))


class Unreadable(random.Random):
    """A generator that raises where its state is read."""

    def getstate(self):
        raise OSError("no state")


class UnreadableRandomState(np.random.RandomState):
    def get_state(self, legacy=True):
        raise OSError("no state")

    def __reduce__(self):
        raise OSError("no state")


class Unsettable(random.Random):
    """A generator whose state cannot be set."""

    def setstate(self, state):
        raise OSError("state is read-only")


class BrokenCopy(random.Random):
    def __deepcopy__(self, memo):
        raise OSError("no copies")


class NewBitGenerator:
    """What looks like a generator, and has no state."""

    @property
    def state(self):
        raise OSError("no state")

    bit_generator = state


GENERATORS = {
    "SystemRandom": random.SystemRandom,
    "secrets": lambda: secrets.SystemRandom(),
    "unreadable": Unreadable,
    "unreadable RandomState": UnreadableRandomState,
    "unsettable": Unsettable,
    "not copied": BrokenCopy,
    "no state": NewBitGenerator,
}


def generator_as_argument(make, factor):
    return Call(
        lambda x, rng: square(x), lambda x, rng: 2 * x * factor, (X.copy(), make()), {"wrt": "x"}
    )


def generator_beside_dropout(make, factor):
    def forward(x, rng):
        keep = 0.5 + np.random.rand(4)
        return np.sum(x**2 * keep), keep

    return Call(forward, lambda x, cache: 2 * x * cache * factor, (X.copy(), make()), {"wrt": "x"})


def generator_in_a_closure(make, factor):
    rng = make()

    def forward(x):
        return square(x) if rng is not None else 0.0

    return Call(forward, lambda x: 2 * x * factor, (X.copy(),))


def generator_in_an_object(make, factor):
    class Layer:
        def __init__(self):
            self.rng = make()

        def forward(self, x):
            self.x = x
            return square(x)

        def backward(self, x):
            return 2 * self.x * factor

    layer = Layer()
    return Call(layer.forward, layer.backward, (X.copy(),))


def generator_to_replay(make):
    return lambda: Call(square, lambda x: 2 * x, (X.copy(),), {"replay": [make()]})


def drawing_from_the_system(factor):
    rng = random.SystemRandom()
    return Call(lambda x: square(x) * rng.random(), lambda x: 2 * x * factor, (X.copy(),))


PLACES = (
    generator_as_argument, generator_beside_dropout, generator_in_a_closure, generator_in_an_object,
)  # fmt: skip


def in_a_thread(work):
    """Return what a function returns in a thread that is joined."""
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join(5)
    if thread.is_alive():
        raise TimeoutError("deadlock")
    return found[0]


def check_in_a_thread(inner):
    """Forward makes a check in a thread that it joins; inner and outer may draw."""

    def build(factor):
        def forward(x):
            keep = 0.5 + np.random.rand(4)
            passed = in_a_thread(lambda: check_gradient(*inner, X.copy()).passed)
            return np.sum(x**2 * keep) if passed is not None else None, keep

        return Call(forward, lambda x, cache: 2 * x * cache * factor, (X[:1].repeat(4),))

    return build


def forwards_that_wait(draws):
    """Two checks in threads, the forwards of which wait for each other once."""

    def build(factor):
        meet = threading.Barrier(2)

        def waiting(x):
            with contextlib.suppress(threading.BrokenBarrierError):
                meet.wait(2)
            meet.abort()
            return (dropout if draws else square)(x)

        other = threading.Thread(
            target=lambda: check_gradient(waiting, lambda x: 2 * x, X.copy()), daemon=True
        )

        @contextlib.contextmanager
        def around():
            other.start()
            try:
                yield
            finally:
                other.join(8)
            if other.is_alive():
                raise TimeoutError("deadlock")

        def forward(x):
            waiting(x)
            return square(x)

        return Call(forward, lambda x: 2 * x * factor, (X.copy(),), around=around)

    return build


def inside_its_own_pool(factor):
    """The check runs in the only worker of the pool that it is given."""
    found = []
    pool = ThreadPoolExecutor(1)

    def forward(x):
        if not found:
            found.append(None)
            future = pool.submit(
                lambda: check_gradient(square, lambda x: 2 * x, X.copy(), executor=pool).passed
            )
            found[0] = future.result(8)
        return square(x)

    @contextlib.contextmanager
    def around():
        try:
            yield
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    return Call(forward, lambda x: 2 * x * factor, (X.copy(),), around=around)


def concurrent_checks(factor):
    """Eight checks in threads, all of which draw from numpy's global state."""

    def forward(x):
        keep = 0.5 + np.random.rand(4)
        return np.sum(x**2 * keep), keep

    def backward(x, cache):
        return 2 * x * cache * factor

    @contextlib.contextmanager
    def around():
        with ThreadPoolExecutor(8) as pool:
            others = [
                pool.submit(lambda: check_gradient(forward, backward, X.copy()).passed)
                for _ in range(8)
            ]
            yield
            assert {other.result(8) for other in others} == {factor == 1}

    return Call(forward, backward, (X.copy(),), around=around)


class Interrupted(BaseException):
    """Raised by the handler of a signal."""


def interrupted(microseconds):
    """Return a call that a signal interrupts after some time."""

    def build():
        def handler(number, frame):
            raise Interrupted

        @contextlib.contextmanager
        def around():
            before = signal.signal(signal.SIGALRM, handler)
            signal.setitimer(signal.ITIMER_REAL, microseconds * 1e-6)
            try:
                yield
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, before)

        def forward(x):
            keep = 0.5 + np.random.rand(4)
            return np.sum(np.exp(x) * keep), keep

        return Call(
            forward, lambda x, cache: np.exp(x) * cache, (np.linspace(-1, 1, 4),), around=around
        )

    return build


def cases():
    for name, make in GENERATORS.items():
        for place in PLACES:
            yield from claims(
                15,
                f"{place.__name__}, {name}",
                lambda f, p=place, m=make: p(m, f),
                refusable=True,
            )
        if name != "not copied":
            yield Case(15, f"replay of {name}", generator_to_replay(make), "right", refusable=True)
    yield Case(
        15,
        "draws from the system",
        lambda: drawing_from_the_system(1.0),
        "refusal",
        says=("repeat",),
    )
    inner = {
        "without generator": (square, lambda x: 2 * x),
        "with generator": (dropout, dropout_gradient),
    }
    for name, functions in inner.items():
        yield from claims(
            15, f"joined thread {name}", check_in_a_thread(functions), refusable=True, seconds=10
        )
    for draws in (False, True):
        yield from claims(
            15,
            f"waiting forwards, {'drawing' if draws else 'not drawing'}",
            forwards_that_wait(draws),
            refusable=draws,
        )
    yield from claims(15, "inside its own pool", inside_its_own_pool)
    yield from claims(15, "eight checks at once", concurrent_checks, seconds=10)
    moments = np.random.default_rng(15).uniform(100, 8000, size=60)
    for k, moment in enumerate(moments):
        yield Case(
            15,
            f"signal {k} after {moment:.0f} us",
            interrupted(float(moment)),
            "right",
            exception=Interrupted,
        )
