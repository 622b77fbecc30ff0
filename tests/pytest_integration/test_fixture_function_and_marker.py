"""Fixture, function and marker: one report, and failures that point at the user's line."""

import json

import pytest

from tests.pytest_integration.suites import HEADLINE, failure, run

FIXTURE = """
def test_it(gradcheck):
    gradcheck(f, bad, X)
"""

FUNCTION = """
def test_it():
    check(f, bad, X)
"""

MARKER = """
@pytest.fixture
def x():
    return X

@pytest.mark.gradcheck(
    backward=bad,
)
def test_it(x):
    return f(x)
"""


@pytest.mark.parametrize("body", [FIXTURE, FUNCTION], ids=["fixture", "function"])
def test_failure_points_at_the_call(pytester: pytest.Pytester, body: str) -> None:
    """The traceback ends at the user's call, with the message and no frame of the package."""
    text = failure(run(pytester, body, "--tb=short"))
    lines = text.splitlines()
    assert lines[0].strip("_") == " test_it "
    assert lines[1].startswith("test_suite.py:")
    assert lines[1].endswith(": in test_it")
    assert lines[2].strip() in {"gradcheck(f, bad, X)", "check(f, bad, X)"}
    assert lines[3] == f"E   {HEADLINE}"
    assert "pytest_gradcheck" not in text
    assert lines[-3].startswith(
        "FAILED test_suite.py::test_it - x[1]: backward 6.0, numerical 4.0"
    )


@pytest.mark.parametrize("style", ["auto", "long", "short", "line", "native", "no"])
def test_marked_test_points_at_its_def_line(pytester: pytest.Pytester, style: str) -> None:
    """The line follows the decorators, in every traceback style."""
    result = run(pytester, MARKER, f"--tb={style}")
    text = failure(result) if style not in {"no", "line"} else result.stdout.str()
    source = (pytester.path / "test_suite.py").read_text().splitlines()
    line = source.index("def test_it(x):") + 1
    if style in {"auto", "long"}:
        assert ">   def test_it(x):\nE   x[1]: backward" in text
        assert f"test_suite.py:{line}: GradcheckError" in text
    elif style == "short":
        assert f"test_suite.py:{line}: in test_it\n    def test_it(x):\nE   x[1]" in text
    elif style == "line":
        assert f"test_suite.py:{line}: {HEADLINE}" in text
    elif style == "native":
        assert f'test_suite.py", line {line}, in test_it' in text
    result.assert_outcomes(failed=1)


def test_all_three_give_the_same_report(pytester: pytest.Pytester) -> None:
    """With the same options and seed only times and names of functions differ."""
    body = """
    import json
    REPORTS = []

    def keep(report):
        data = report.to_dict()
        for volatile in ("seconds", "rerun", "forward", "backward"):
            del data[volatile]
        REPORTS.append(json.dumps(data, sort_keys=True))

    @pytest.fixture
    def x():
        return X

    @pytest.mark.gradcheck_options(seed=3)
    class TestDoors:
        def test_fixture(self, gradcheck):
            with pytest.raises(AssertionError) as error:
                gradcheck(f, bad, X)
            keep(error.value.report)

        def test_function(self):
            keep(check_gradient(f, bad, X))

        @pytest.mark.gradcheck(backward=bad)
        @pytest.mark.xfail(raises=AssertionError, strict=True)
        def test_marker(self, x):
            return f(x)

    def test_same():
        assert len(REPORTS) == 3
        assert len(set(REPORTS)) == 1
    """
    pytester.makeconftest("""
    import sys

    def pytest_gradcheck_finish_check(item, report):
        if item.name == "test_marker":
            sys.modules["test_suite"].keep(report)
    """)
    import textwrap

    result = run(pytester, textwrap.dedent(body), "-p", "no:cacheprovider")
    result.assert_outcomes(passed=3, xfailed=1)


def test_marker_runs_the_test_once_for_each_parameter(pytester: pytest.Pytester) -> None:
    """Fixtures and parametrize work as usual."""
    body = """
@pytest.mark.gradcheck(backward=lambda x, theta: x, wrt="theta")
@pytest.mark.parametrize("x, theta", [(2.0, 4.0), (3, 1)])
def test_cost(x, theta):
    return theta * x
"""
    run(pytester, body).assert_outcomes(passed=2)


def test_marked_test_without_backward_returns_both(pytester: pytest.Pytester) -> None:
    """The test itself returns (value, gradients)."""
    body = """
@pytest.fixture
def parameters():
    return {"W": np.ones((2, 3)), "b": 0.5}

@pytest.mark.gradcheck(wrt="parameters")
def test_network(parameters):
    W, b = parameters["W"], parameters["b"]
    return np.sum(W**2) * b, {"dW": 2 * W * b, "db": np.sum(W**2), "dZ": None}
"""
    run(pytester, body).assert_outcomes(passed=1)


def test_data_are_attached_to_the_test_report(pytester: pytest.Pytester) -> None:
    """The full data are an attribute and a summary is in properties, both as builtins."""
    pytester.makeconftest("""
    import json

    def pytest_runtest_logreport(report):
        if report.when == "call":
            print("DATA", json.dumps([report.gradcheck, report.user_properties]))
    """)
    body = """
def test_it(gradcheck):
    gradcheck(f, good, X, seed=5)
    gradcheck(f, good, 2 * X)
"""
    result = run(pytester, body, "-s")
    (line,) = [line for line in result.outlines if "DATA" in line]
    data, properties = json.loads(line.partition("DATA ")[2].rpartition("]")[0] + "]")
    assert [check["verdict"] for check in data] == ["correct", "correct"]
    figures = dict(properties)
    assert list(figures) == [
        "gradcheck_worst",
        "gradcheck_checks",
        "gradcheck_evaluations",
        "gradcheck_seed",
    ]
    assert figures["gradcheck_checks"] == 2
    assert figures["gradcheck_seed"] == 5
    assert figures["gradcheck_evaluations"] == sum(check["evaluations"] for check in data)


def test_seed_comes_from_the_node_id(pytester: pytest.Pytester) -> None:
    """It is the same in every run and for all checks of a test, and differs between tests."""
    body = """
SEEDS = {}

@pytest.mark.parametrize("k", [0, 1])
def test_it(gradcheck, request, k):
    first, second = gradcheck(f, good, X), check(f, good, X)
    assert first.seed == second.seed
    print("SEED", first.seed, first.options["seed"].origin)
"""
    first, second = (run(pytester, body, "-s").stdout.str() for _ in range(2))
    seeds = [line for line in first.splitlines() if "SEED" in line]
    assert seeds == [line for line in second.splitlines() if "SEED" in line]
    assert len(set(seeds)) == 2
    assert all(line.rstrip(".").endswith("node id") for line in seeds)


def test_vacuous_gradient_warns_at_the_users_line(pytester: pytest.Pytester) -> None:
    """There is one warning, at the call, or at the def line of a marked test."""
    body = """
def test_fixture(gradcheck):
    gradcheck(lambda x: 1.0 + 0 * x.sum(), lambda x: 0 * x, X)  # here

@pytest.fixture
def x():
    return X

@pytest.mark.gradcheck(backward=lambda x: 0 * x)
def test_marker(x):  # and here
    return 1.0 + 0 * x.sum()
"""
    result = run(pytester, body, "-W", "default")
    result.assert_outcomes(passed=2, warnings=2)
    source = (pytester.path / "test_suite.py").read_text().splitlines()
    for comment in ("# here", "# and here"):
        (line,) = [k + 1 for k, text in enumerate(source) if text.endswith(comment)]
        assert f"test_suite.py:{line}: GradcheckVacuousWarning: the gradient of" in (
            result.stdout.str()
        )
