"""Hypotheses of a suite's own, by the hook `pytest_gradcheck_diagnose`."""

import pytest

from tests.pytest_integration.suites import run_suite

EXAMPLE = "hypotheses"


def test_example_of_the_docs_recognizes_its_cause(pytester: pytest.Pytester) -> None:
    """The words of the hypothesis are in the message, and its question in the first line."""
    pytester.copy_example(EXAMPLE)
    result = run_suite(pytester, "amplifier.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E * gain[[]0]: backward 0.02973, numerical 0.003218 (a gain in decibels?); 4 of 4 *",
            "E * consistent with the derivative by the amplitude: a gain in decibels?",
            "E * goes wrong at amplifier.py:10: return 2 [*] amplitude [*] signal[*][*]2",
        ]
    )


def test_hypothesis_that_does_not_explain_the_measurements_is_not_said(
    pytester: pytest.Pytester,
) -> None:
    """It is tested as all others are; the cause is another one."""
    pytester.copy_example(EXAMPLE)
    source = (pytester.path / "amplifier.py").read_text()
    right = "2 * amplitude**2 * signal**2 * np.log(10) / 20"
    source = source.replace("2 * amplitude * signal**2", f"5 * {right}")
    pytester.makepyfile(amplifier=source)
    result = run_suite(pytester, "amplifier.py")
    result.stdout.fnmatch_lines(["E * (a stray factor 5?); *"])
    result.stdout.no_fnmatch_line("*decibels*")


def test_hook_may_return_nothing(pytester: pytest.Pytester) -> None:
    """It is called for wrong gradients only, with the test and the call."""
    pytester.makeconftest(
        """
        def pytest_gradcheck_diagnose(item, gradient, call):
            print(f"asked for {gradient.name} in {item.name}, {len(call.gradients)} in all")
        """
    )
    pytester.makepyfile(
        """
        def test_product(gradcheck):
            gradcheck(lambda x, y: x * y, lambda x, y: (y, 3 * x), 2.0, 5.0)

        def test_right(gradcheck):
            gradcheck(lambda x: x * x, lambda x: 2 * x, 2.0)
        """
    )
    result = run_suite(pytester, "-rA")
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["asked for y in test_product, 2 in all"])
    result.stdout.no_fnmatch_line("*in test_right*")
