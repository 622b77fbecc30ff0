"""Reports made by hand, for tests of what is done with a report."""

from typing import Any

from pytest_gradcheck import Entry, Note, OptionValue, ParameterReport, Report


def entry(name: str = "W", index: tuple[int, ...] = (0, 1), **changes: Any) -> Entry:
    """Make a wrong entry: backward 2.5, numerical 1.25."""
    data: dict[str, Any] = {
        "parameter": name,
        "index": index,
        "output_index": None,
        "part": None,
        "value": 0.125,
        "backward": 2.5,
        "numerical": 1.25,
        "bound": 3e-11,
        "step": 1e-5,
        "verdict": "wrong",
        "excess": 5e5,
        "deviation": 1.0,
    }
    return Entry(**(data | changes))


def parameter(name: str = "W", **changes: Any) -> ParameterReport:
    """Make the report of a wrong parameter of shape (2, 3)."""
    data: dict[str, Any] = {
        "name": name,
        "shape": (2, 3),
        "dtype": "float64",
        "size": 6,
        "verdict": "wrong",
        "wrong": 1,
        "checked": 6,
        "relative_difference": 1 / 3,
        "worst": (entry(name),),
        "diagnosis": (),
        "resolution": 1e-6,
        "notes": (),
    }
    return ParameterReport(**(data | changes))


def correct(name: str = "b", **changes: Any) -> ParameterReport:
    """Make the report of a correct parameter."""
    data = {"verdict": "correct", "wrong": 0, "worst": (), "relative_difference": 2e-10}
    return parameter(name, **(data | changes))


def inconclusive_parameter(name: str = "c", **changes: Any) -> ParameterReport:
    """Make the report of a parameter of which nothing could be verified."""
    note = Note("inconclusive", 6, "all inconclusive: forward jumps at this point")
    data = {"verdict": "inconclusive", "wrong": 0, "worst": (), "notes": (note,)}
    return parameter(name, **(data | changes))


def report(*parameters: ParameterReport, **changes: Any) -> Report:
    """Make a report of some parameters."""
    entries = (e for p in parameters for e in p.worst)
    worst = sorted(entries, key=lambda e: e.severity, reverse=True)
    failures = tuple(
        f"{p.name}: {p.wrong} of {p.checked} entries wrong" for p in parameters if p.wrong
    )
    data: dict[str, Any] = {
        "verdict": "wrong" if failures else "correct",
        "parameters": parameters,
        "relative_difference": max(p.relative_difference for p in parameters),
        "worst": tuple(worst[:5]),
        "failures": failures,
        "kind": "gradient",
        "forward": "forward",
        "backward": "backward",
        "mode": "full",
        "evaluations": 118,
        "backward_calls": 1,
        "seconds": 0.0123,
        "seed": 7,
        "options": {
            "rtol": OptionValue(1e-6, "default"),
            "max_rows": OptionValue(5, "default"),
        },
    }
    return Report(**(data | changes))
