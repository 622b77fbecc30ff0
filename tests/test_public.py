"""The public names of the package."""

import importlib.metadata

import pytest

import pytest_gradcheck


@pytest.mark.parametrize("name", pytest_gradcheck.__all__)
def test_every_public_name_exists_and_is_documented(name: str) -> None:
    """It is imported at its first use, listed by dir, and has a docstring."""
    assert getattr(pytest_gradcheck, name).__doc__
    assert name in dir(pytest_gradcheck)


def test_version_is_that_of_the_distribution() -> None:
    """It is read at its first use."""
    assert pytest_gradcheck.__version__ == importlib.metadata.version("pytest-gradcheck")


def test_unknown_name_is_an_attribute_error() -> None:
    """The error is that of any module."""
    with pytest.raises(AttributeError, match="has no attribute 'gradchek'"):
        pytest_gradcheck.gradchek  # noqa: B018  # the access is the test


def test_exceptions_have_their_public_module() -> None:
    """Tracebacks name the package, not the module of the class."""
    for name in ("GradcheckError", "GradcheckUsageError", "GradcheckWarning"):
        assert getattr(pytest_gradcheck, name).__module__ == "pytest_gradcheck"


def test_exceptions_have_the_expected_bases() -> None:
    """They are an assertion error, a value error and a warning of pytest."""
    assert issubclass(pytest_gradcheck.GradcheckError, AssertionError)
    assert issubclass(pytest_gradcheck.GradcheckUsageError, ValueError)
    assert issubclass(pytest_gradcheck.GradcheckVacuousWarning, pytest.PytestWarning)
