"""Options of a suite, from the command line, the ini file and the verbosity."""

import pytest

from tests.pytest_integration.suites import HEADER, HEADLINE, QUIET, run

SHOW = """
def test_it(gradcheck):
    report = gradcheck(f, good, X, **CALL)
    for name, option in report.options.items():
        if option.origin not in ("default", "node id"):
            print("OPTION", name, option.value, option.origin)
"""


def shown(result: pytest.RunResult) -> list[str]:
    """Return the options that are not at their defaults."""
    result.assert_outcomes(passed=1)
    lines = [line.partition("OPTION ")[2].rstrip(".") for line in result.outlines]
    return [line for line in lines if line]


def test_call_overrides_marks_command_line_and_ini(pytester: pytest.Pytester) -> None:
    """Each layer overrides the weaker ones."""
    pytester.makeini("[pytest]\ngradcheck_rtol = 1e-2\ngradcheck_mode = full\n"
                     "gradcheck_max_evaluations = 5000\ngradcheck_strict = yes\n")  # fmt: skip
    body = "CALL = {'rtol': 1e-5}\n@pytest.mark.gradcheck_options(rtol=1e-4, strict=False)" + SHOW
    result = run(pytester, body, "-s", "--gradcheck-rtol=1e-3", "--gradcheck-mode", "auto")
    assert shown(result) == [
        "mode auto command line",
        "rtol 1e-05 call",
        "max_evaluations 5000 ini",
        "strict False mark",
    ]


def test_seed_and_rows_on_the_command_line_override_a_call(pytester: pytest.Pytester) -> None:
    """They are used to reproduce a failure."""
    body = "CALL = {'seed': 1, 'max_rows': 2}\n" + SHOW
    result = run(pytester, body, "-s", "--gradcheck-seed=7", "--gradcheck-max-rows=9")
    assert shown(result) == ["seed 7 command line", "max_rows 9 command line"]


@pytest.mark.parametrize(("flag", "rows"), [("-v", "20"), ("-vv", "9223372036854775807")])
def test_verbosity_shows_more_rows(pytester: pytest.Pytester, flag: str, rows: str) -> None:
    """-v shows 20 rows for each parameter, -vv shows all."""
    assert shown(run(pytester, "CALL = {}\n" + SHOW, "-s", flag)) == [f"max_rows {rows} verbosity"]


def test_quiet_run_shortens_failures(pytester: pytest.Pytester) -> None:
    """-q shows the first line, the parameters and their causes."""
    result = run(pytester, "def test_it(gradcheck):\n    gradcheck(f, bad, X)\n", "-q")
    shown = [line[2:].strip() for line in result.outlines if line.startswith("E ")]
    assert shown[:3] == [HEADLINE, "", "parameter  shape  wrong  difference  verdict"]
    assert shown[-2:] == [
        "goes wrong at test_suite.py:12: return 3 * x",
        "all gradients are right with `2` instead of `3`",
    ]


def test_verbosity_of_failures_can_be_set_separately(pytester: pytest.Pytester) -> None:
    """The ini option verbosity_gradcheck does not change the output of pytest."""
    pytester.makeini("[pytest]\nverbosity_gradcheck = 1\n")
    assert shown(run(pytester, "CALL = {}\n" + SHOW, "-s")) == ["max_rows 20 verbosity"]


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (
            ["--gradcheck-rtol=small"],
            "ERROR: gradcheck option rtol='small' (command line): rtol must be a float, at least",
        ),
        (
            ["--gradcheck-mode=fats"],
            "ERROR: gradcheck option mode='fats' (command line): mode must be 'auto', 'full' or",
        ),
        (
            ["-o", "gradcheck_strict=perhaps"],
            "ERROR: gradcheck option strict='perhaps' (ini): strict must be True or False.",
        ),
    ],
)
def test_invalid_values_stop_the_run_at_once(
    pytester: pytest.Pytester, args: list[str], text: str
) -> None:
    """A typo in the configuration is a usage error of pytest, not a failing test."""
    pytester.makepyfile(HEADER + "def test_it(): pass")
    result = pytester.runpytest_inprocess(*QUIET, *args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert text in " ".join(result.errlines)


def test_options_are_listed_in_a_group(pytester: pytest.Pytester) -> None:
    """`pytest --help` shows the options with their defaults."""
    result = pytester.runpytest_inprocess(*QUIET, "--help")
    text = result.stdout.str()
    assert "gradient checks (pytest-gradcheck):" in text
    assert "--gradcheck-max-evaluations=EVALUATIONS" in text
    assert "gradcheck_rtol (string)" in text


def test_rerun_command_has_the_seed_that_was_given(pytester: pytest.Pytester) -> None:
    """A seed from the command line is part of the command that runs the test again."""
    body = "@pytest.mark.parametrize('k', ['a b'])\ndef test_it(gradcheck, k):\n"
    body += "    gradcheck(f, bad, X)\n"
    result = run(pytester, body, "--gradcheck-seed=7")
    (line,) = [line for line in result.outlines if "run again" in line]
    assert line.split(maxsplit=1)[1] == (
        "run again: pytest 'test_suite.py::test_it[a b]' --gradcheck-seed=7"
    )
