"""What a case is: a call or a suite as a user would write it, and the ending that is right.

The expectation follows from the mathematics of the case, and never from what a check says today.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, get_args

__all__ = ["FAULTS", "Call", "Case", "Expected", "Fault", "Suite", "claims", "raises", "refused"]

#: The claim of the case is right or wrong, or the call makes no sense, or an exception of the
#: user's code comes through.
Expected = Literal["right", "wrong", "refusal", "exception"]

#: What can be wrong with the ending of a case.
Fault = Literal[
    "not accepted",
    "misleading",
    "internal traceback",
    "wrong verdict",
    "state changed",
    "hang",
    "cost",
]
FAULTS: tuple[Fault, ...] = get_args(Fault)


@dataclass(frozen=True)
class Call:
    """One call of `check_gradient`.

    Attributes
    ----------
    forward, backward, args, options
        The call.
    watched
        What must be the same afterwards, besides the arguments, the options and the objects of
        both functions.
    around
        Makes the context in which the call is made.
    afterwards
        Raises an AssertionError where the call left something behind.
    """

    forward: Any
    backward: Any
    args: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    watched: tuple[Any, ...] = ()
    around: Callable[[], AbstractContextManager[Any]] = nullcontext
    afterwards: Callable[[], None] | None = None


@dataclass(frozen=True)
class Suite:
    """A suite of tests that pytest runs in a process of its own.

    Attributes
    ----------
    text
        The test module.
    outcomes
        How many tests end in each way, for example ``{"passed": 1}``.
    options
        Arguments of the command line.
    shows, hides
        Regular expressions that the output matches, or does not.
    files
        Further files, by name.
    environment
        Variables of the environment, besides those of this process.
    """

    text: str
    outcomes: dict[str, int]
    options: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A case: how to make its call, and what must come of it.

    Attributes
    ----------
    kind
        The number of the kind of fault, see `KINDS`.
    name
        Unique among all cases.
    build
        Makes the call, or the suite, anew.
    expected
        The ending that is right.
    refusable
        Whether a `GradcheckUsageError` is as good as the verdict.
    exception
        The type of the user's exception.
    says
        Regular expressions that the message of a refusal, an exception or a failure matches.
        What any report says of its notes counts too.
    hides
        Regular expressions that it does not match.
    seconds
        The time of the processor that the case may cost.
    """

    kind: int
    name: str
    build: Callable[[], Call | Suite]
    expected: Expected
    refusable: bool = False
    exception: type[BaseException] | None = None
    says: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    seconds: float = 3.0


#: Factors of a claim, and whether the claim is right.
FACTORS = {"right": 1.0, "half more": 1.5, "zero": 0.0}


def claims(
    kind: int,
    name: str,
    build: Callable[[float], Call],
    *,
    factors: tuple[str, ...] = ("right", "half more"),
    refusable: bool = False,
    **options: Any,
) -> Iterator[Case]:
    """Yield the case with its right claim, and with claims that are wrong by a factor."""
    for factor in factors:
        yield Case(
            kind,
            f"{name}: {factor}",
            partial(build, FACTORS[factor]),
            "right" if factor == "right" else "wrong",
            refusable=refusable,
            **options,
        )


def refused(kind: int, name: str, build: Callable[[], Call], *says: str, **options: Any) -> Case:
    """Return a case that makes no sense, and is refused with a clear message."""
    return Case(kind, name, build, "refusal", says=says, **options)


def raises(
    kind: int,
    name: str,
    build: Callable[[], Call],
    exception: type[BaseException],
    *says: str,
    **options: Any,
) -> Case:
    """Return a case in which an exception of the user's code comes through."""
    return Case(kind, name, build, "exception", exception=exception, says=says, **options)
