"""Options: their precedence and validation, with whole messages."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError
from pytest_gradcheck.options import OPTION_NAMES, GivenOptions, Layer, Options, parse, resolve

ALL = ", ".join(OPTION_NAMES)


def refused(**given: Any) -> str:
    """Return the message of an option that is refused."""
    with pytest.raises(GradcheckUsageError) as error:
        resolve([Layer("call", given)], ("x", "alpha"))
    return str(error.value.args[0])


def test_defaults() -> None:
    """Without layers all options are at their defaults."""
    options = resolve([])
    assert options == Options()
    assert {options.origin(name) for name in OPTION_NAMES} == {"default"}


def test_a_call_may_give_every_option() -> None:
    """Type checkers know the names."""
    assert tuple(GivenOptions.__annotations__) == OPTION_NAMES


def test_later_layers_override_earlier_ones() -> None:
    """They do so option by option, and the origin is kept."""
    layers = [
        Layer("ini", {"rtol": 1e-2, "strict": True}),
        Layer("mark", {"rtol": 1e-3}),
        Layer("call", {"max_rows": 3}),
    ]
    options = resolve(layers)
    assert (options.rtol, options.strict, options.max_rows) == (1e-3, True, 3)
    assert dict(options.origins) == {"rtol": "mark", "strict": "ini", "max_rows": "call"}


def test_numpy_numbers_become_builtins() -> None:
    """A report holds builtins only."""
    options = resolve([Layer("call", {"rtol": np.float32(0.5), "seed": np.int64(3)})])
    assert type(options.rtol) is float
    assert type(options.seed) is int


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"mode": "ful"}, "mode='ful' (call): mode must be 'auto', 'full' or 'fast'."),
        ({"mode": 1}, "mode=1 (call): mode must be 'auto', 'full' or 'fast'."),
        ({"rtol": -1e-6}, "rtol=-1e-06 (call): rtol must be a float, at least 0 and less than 1."),
        (
            {"rtol": "1e-6"},
            "rtol='1e-6' (call): rtol must be a float, at least 0 and less than 1.",
        ),
        ({"rtol": True}, "rtol=True (call): rtol must be a float, at least 0 and less than 1."),
        ({"rtol": 2}, "rtol=2 (call): rtol must be a float, at least 0 and less than 1."),
        (
            {"step": 0},
            "step=0 (call): step must be a positive float (an absolute step), or None to balance "
            "it.",
        ),
        (
            {"max_evaluations": 0},
            "max_evaluations=0 (call): max_evaluations must be a positive int, less than 2**63.",
        ),
        (
            {"max_evaluations": 1e4},
            "max_evaluations=10000.0 (call): max_evaluations must be a positive int, less than "
            "2**63.",
        ),
        ({"seed": -1}, "seed=-1 (call): seed must be an int, at least 0 and less than 2**128."),
        ({"strict": 1}, "strict=1 (call): strict must be True or False."),
        ({"empty": "skip"}, "empty='skip' (call): empty must be 'fail' or 'accept'."),
        ({"kinks": "allow"}, "kinks='allow' (call): kinks must be 'accept' or 'fail'."),
        (
            {"convention": "numpy"},
            "convention='numpy' (call): convention must be 'pytorch' or 'jax'.",
        ),
        (
            {"max_rows": True},
            "max_rows=True (call): max_rows must be an int, at least 0 and less than 2**63.",
        ),
    ],
)
def test_values_out_of_range(given: dict[str, Any], message: str) -> None:
    """The message has the option, its value, its origin, and the requirement."""
    assert refused(**given) == f"gradcheck option {message}"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"rtl": 1},
            f"gradcheck has no option 'rtl' (call). Did you mean 'rtol'? Options: {ALL}.",
        ),
        (
            {"eps": 1},
            "gradcheck has no option 'eps' (call): leave it out, or say step= for a fixed "
            "absolute step.",
        ),
        (
            {"args": (1,)},
            "gradcheck has no option 'args' (call): arguments of forward follow backward, one by "
            "one; those by keyword are in kwargs={...}.",
        ),
        (
            {"jac": True},
            "gradcheck has no option 'jac' (call): it takes the place of backward, as True where "
            "forward returns (value, gradient).",
        ),
        ({"zzz": 1}, f"gradcheck has no option 'zzz' (call). Options: {ALL}."),
        (
            {"alpha": 1},
            "gradcheck has no option 'alpha' (call), but forward has an argument of that name: "
            "put it in kwargs={'alpha': ...}.",
        ),
        (
            {"x": 1, "rtol": 1, "alpha": 1},
            "gradcheck has no option 'x', 'alpha' (call), but forward has arguments of these "
            "names: put them in kwargs={'x': ..., 'alpha': ...}.",
        ),
    ],
)
def test_unknown_options(given: dict[str, Any], message: str) -> None:
    """The message suggests an option, or how to pass an argument to forward."""
    assert refused(**given) == message


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("mode", "full", "full"),
        ("rtol", " 1e-4 ", 1e-4),
        ("max_evaluations", "20_000", 20_000),
        ("max_evaluations", "20,000", 20_000),
        ("seed", "7", 7),
        ("strict", "yes", True),
        ("strict", "False", False),
    ],
)
def test_text_is_read(name: str, text: str, value: object) -> None:
    """The command line and the ini file hold text."""
    assert parse(name, text, "ini") == value


def test_text_that_cannot_be_read_is_shown() -> None:
    """The message shows the text as it was written."""
    with pytest.raises(GradcheckUsageError) as error:
        parse("seed", "seven", "command line")
    assert error.value.args[0] == (
        "gradcheck option seed='seven' (command line): seed must be an int, at least 0 and less "
        "than 2**128."
    )


def test_arguments_of_forward_are_not_asked_for_where_all_options_are_known() -> None:
    """To read them may run code of the user, and changes what its functions hold."""
    asked = iter(["rtol"])
    assert resolve([Layer("call", {"rtol": 1e-3})], asked).rtol == 1e-3
    assert next(asked) == "rtol"
