"""Gradient coverage of a run: the derivatives of a package that no check exercised."""

import json
import sys

import pytest

from tests.pytest_integration.records import read
from tests.pytest_integration.suites import HEADER, STEADY, run_suite

PACKAGE = """
import numpy as np

class Affine:
    def forward(self, x, w):
        return x @ w

    def backward(self, dout, x, w):
        return {"x": dout @ w.T, "w": weights_backward(dout, x)}

def weights_backward(dout, x):
    return x.T @ dout

def relu_grad(x):
    return (x > 0) * 1.0

def softplus(x):
    tanh_grad(x)  # for forward it is no derivative
    return np.sum(np.logaddexp(0, x))

def tanh_grad(x):
    return 1 - np.tanh(x) ** 2

def square_with_slope(x):
    return np.sum(x**2), 2 * x
"""

SUITE = """
from nn.layers import Affine, softplus, square_with_slope

def test_affine(gradcheck):
    layer = Affine()
    gradcheck(layer.forward, layer.backward, np.ones((2, 3)), np.ones((3, 2)))

def test_softplus(gradcheck):
    gradcheck(softplus, lambda x: 1 / (1 + np.exp(-x)), X)

@pytest.mark.gradcheck
@pytest.mark.parametrize("x", [X])
def test_square(x):
    return square_with_slope(x)
"""

INI = "[pytest]\ngradcheck_cov = nn\ngradcheck_cov_names =\n    square_with_slope\n    !relu_*\n"


def run(pytester: pytest.Pytester, *args: str) -> pytest.RunResult:
    """Run the suite with the package `nn` beside it."""
    package = pytester.mkpydir("nn")
    (package / "layers.py").write_text(PACKAGE)
    pytester.makepyfile(test_nn=HEADER + SUITE)
    pytester.syspathinsert()
    return run_suite(pytester, *args)


def section(result: pytest.RunResult) -> list[str]:
    """Return the lines of the section."""
    lines = result.outlines
    start = next(k for k, line in enumerate(lines) if " gradient coverage " in line)
    stop = next(k for k in range(start, len(lines)) if lines[k].startswith("gradcheck:"))
    return [line for line in lines[start + 1 : stop] if line]


def test_unchecked_derivatives_are_listed(pytester: pytest.Pytester) -> None:
    """A derivative that only forward calls is not checked; one that backward calls is."""
    result = run(pytester, "--gradcheck-cov=nn", "--gradcheck-json=record.json")
    assert result.ret == 0
    assert section(result) == [
        "nn/layers.py:14: relu_grad",
        "nn/layers.py:21: tanh_grad",
        "gradient coverage of nn: 2 of 4 derivatives checked (50%)",
    ]
    record = read(pytester.path / "record.json")
    exercised = {t["nodeid"]: t["checks"][0]["exercised"] for t in record["tests"]}
    assert exercised["test_nn.py::test_affine"] == [
        "nn.layers:Affine.backward",
        "nn.layers:weights_backward",
    ]
    assert exercised["test_nn.py::test_softplus"] == []


@pytest.mark.parametrize("workers", [[], ["-n1"]], ids=["one process", "a worker"])
def test_patterns_of_the_ini_file(pytester: pytest.Pytester, workers: list[str]) -> None:
    """Functions that return a value and a gradient are named there, and names are excluded."""
    pytester.makeini(INI)
    result = run(pytester, *workers)
    assert section(result) == [
        "nn/layers.py:21: tanh_grad",
        "gradient coverage of nn: 3 of 4 derivatives checked (75%)",
    ]


@pytest.mark.parametrize(("least", "status"), [("50", 0), ("50.1", 1)])
def test_run_fails_below_the_least_coverage(
    pytester: pytest.Pytester, least: str, status: int
) -> None:
    """The last lines say why, and the record has the status."""
    args = ["--gradcheck-cov=nn", f"--gradcheck-cov-fail-under={least}", "--gradcheck-json=r"]
    result = run(pytester, *args)
    assert result.ret == status
    why = "gradcheck: gradient coverage is 50%, and must be 50.1%"
    assert (why in result.outlines) == bool(status)
    (run_data,) = read(pytester.path / "r")["runs"]
    assert run_data["exit_status"] == status


def test_coverage_of_a_run_without_checks(pytester: pytest.Pytester) -> None:
    """Nothing is checked, and with a least value the run fails."""
    pytester.makepyfile(nn="def relu_grad(x): return x", test_it="def test_it(): pass")
    pytester.syspathinsert()
    args = ("--gradcheck-cov=nn", "--gradcheck-cov-fail-under=1")
    result = run_suite(pytester, *args)
    assert result.ret == 1
    assert "gradient coverage of nn: 0 of 1 derivative checked (0%)" in result.outlines


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ["--gradcheck-cov=nm"],
            "ERROR: --gradcheck-cov=nm: there is no package, module or directory of this name",
        ),
        (
            ["--gradcheck-cov-fail-under=90"],
            "ERROR: --gradcheck-cov-fail-under=90 needs --gradcheck-cov=PACKAGE, the package "
            "whose derivatives are counted",
        ),
        (
            ["--gradcheck-cov=.", "--gradcheck-cov-fail-under=all"],
            "ERROR: --gradcheck-cov-fail-under must be a number from 0 to 100, not 'all'",
        ),
    ],
)
def test_wrong_settings_stop_the_run(
    pytester: pytest.Pytester, args: list[str], message: str
) -> None:
    """Before the first test, with what is wrong."""
    result = run_suite(pytester, *args)
    assert result.ret == 4
    assert message in [line.strip() for line in result.errlines]


def test_works_beside_coverage(pytester: pytest.Pytester) -> None:
    """The coverage.py package sees the same lines as without us."""
    pytest.importorskip("coverage")
    run(pytester)
    found = []
    for extra in ([], ["--gradcheck-cov=nn"]):
        command = ["-m", "coverage", "run", "--source=nn", "-m", "pytest", *STEADY, *extra]
        result = pytester.run(sys.executable, *command)
        assert result.ret == 0
        pytester.run(sys.executable, "-m", "coverage", "json", "-q")
        report = json.loads((pytester.path / "coverage.json").read_text())
        found.append(report["files"]["nn/layers.py"]["executed_lines"])
    assert found[0] == found[1]
    assert "gradient coverage of nn: 2 of 4 derivatives checked (50%)" in result.outlines
