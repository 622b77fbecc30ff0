"""The report as data, its truth value and its failure."""

import json
import pickle
from operator import attrgetter
from typing import Any

import pytest

from pytest_gradcheck import Diagnosis, GradcheckError, SourceLocation
from tests.report.builders import correct, entry, parameter, report


def test_parameters_are_found_by_full_and_short_names() -> None:
    """`report["W1"]` suffices where it is unambiguous."""
    found = report(correct("p['W1']"), correct("self.b"), correct("q[0].c"))
    assert found["p['W1']"] is found["W1"] is found.parameters[0]
    assert found["b"] is found["self.b"] is found.parameters[1]
    assert found["c"] is found.parameters[2]


def test_unknown_and_ambiguous_names_are_errors() -> None:
    """The error lists the names of the checked parameters."""
    found = report(correct("p['W']"), correct("q['W']"))
    with pytest.raises(KeyError) as error:
        found["W"]
    assert error.value.args[0] == (
        "'W' names more than one of the checked parameters: p['W'], q['W']"
    )
    with pytest.raises(KeyError) as error:
        found["V"]
    assert error.value.args[0] == ("'V' is not one of the checked parameters: p['W'], q['W']")


def test_truth_of_a_passing_report_is_true() -> None:
    """`assert gradcheck(...)` succeeds."""
    passing = report(correct())
    assert passing
    assert passing.passed
    assert passing.raise_if_failed() is passing


def test_failing_report_is_never_truthy() -> None:
    """The truth value of a failing report raises its failure."""
    failing = report(parameter())
    assert not failing.passed
    with pytest.raises(GradcheckError) as error:
        bool(failing)
    assert error.value.report is failing
    assert str(error.value) == str(failing)


def test_counts_are_over_all_parameters() -> None:
    """Wrong and checked derivatives are summed."""
    both = report(parameter(), correct())
    assert (both.wrong, both.checked) == (1, 12)


def test_to_dict_survives_json() -> None:
    """The dict holds builtins only, under the names of the fields."""
    data = report(parameter(), correct()).to_dict()
    assert json.loads(json.dumps(data)) == data
    assert data["parameters"][0]["worst"][0]["index"] == [0, 1]
    assert data["options"]["rtol"] == {"value": 1e-6, "origin": "default"}


def test_error_survives_pickling() -> None:
    """A failure can be sent to another process."""
    error = pickle.loads(pickle.dumps(GradcheckError(report(parameter()))))  # noqa: S301  # our own
    assert str(error) == str(report(parameter()))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("dW = X.T @ dZ", "nn.py:3: dW = X.T @ dZ"),
        ("    dW = f(\n        X,\n    )", "nn.py:3-5: dW = f( X, )"),
        ("for k in range(3):", "nn.py:3: for k in range(3):"),
        ("dZ = 1\ndW = X.T @ dZ", "nn.py:3-4"),
        ("else:\n    dW = 0", "nn.py:3-4"),
    ],
)
def test_a_location_has_one_statement_or_none(source: str, text: str) -> None:
    """Of several statements none is shown, since the first need not be the wrong one."""
    location = SourceLocation("nn.py", 3, 3 + source.count("\n"), "backward", source)
    assert str(location) == text


def test_entries_are_ranked_by_verdict_then_deviation_then_difference() -> None:
    """Of two with one deviation, the one with the larger difference is worse."""
    entries = [
        entry(deviation=0.5, verdict="correct"),
        entry(deviation=9.0, verdict="inconclusive"),
        entry(deviation=0.5),
        entry(deviation=-2.0, backward=1.0),
        entry(deviation=2.0, backward=5.0),
    ]
    assert sorted((entries[k] for k in (3, 0, 4, 2, 1)), key=attrgetter("severity")) == entries


@pytest.mark.parametrize(
    ("text", "brief", "cause"),
    [
        ("2 x it (to 9 digits): a factor 2?", "2 x it: a factor 2?", "a factor 2?"),
        ("in W[0, :] (2 of 2), often: all", "in W[0, :], often: all", "in W[0, :]"),
        ("no pattern", "no pattern", "no pattern"),
        ("f(x): is it max(x)?", "f(x): is it max(x)?", "is it max(x)?"),
    ],
)
def test_a_diagnosis_has_a_cause(text: str, brief: str, cause: str) -> None:
    """It is the question at the end, or else what comes first; evidence is left out."""
    diagnosis = Diagnosis("factor", text, {})
    assert (diagnosis.brief, diagnosis.cause) == (brief, cause)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "W[0, 1]"),
        ({"index": ()}, "W"),
        ({"output_index": (2,)}, "output[2] / W[0, 1]"),
        ({"output_index": (), "index": ()}, "output / W"),
        ({"part": "imag"}, "W[0, 1].imag"),
    ],
)
def test_entries_are_named_by_index_and_part(changes: dict[str, object], name: str) -> None:
    """The name has the index, the part, and the output where there are several."""
    assert entry(**changes).name == name  # type: ignore[arg-type]  # keywords by name


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "W[0, 1]"),
        ({"part": "imag"}, "W[0, 1].imag"),
        ({"output_index": (2,)}, "output[2] / W[0, 1]"),
        ({"output_index": (), "output": "output['loss']"}, "output['loss'] / W[0, 1]"),
        ({"output_index": (3,), "output": "output.mean"}, "output.mean[3] / W[0, 1]"),
        (
            {"output_index": (1, 2), "output": "output[0]", "output_part": "real", "part": "imag"},
            "output[0][1, 2].real / W[0, 1].imag",
        ),
    ],
)
def test_entries_are_named_by_output_and_parameter(changes: dict[str, Any], name: str) -> None:
    """Both are accessors, with the parts of complex numbers."""
    assert entry(**changes).name == name
