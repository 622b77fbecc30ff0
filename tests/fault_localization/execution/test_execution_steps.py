"""Whose code is followed, step by step."""

import json
import statistics

from pytest_gradcheck.fault_localization.execution.execution_steps import UserCode


def test_installed_code_is_not_read() -> None:
    """Parsing a file of a library takes longer than the check of a small function."""
    code = test_installed_code_is_not_read.__code__
    user_code = UserCode.around([code])
    assert not user_code.follows(statistics.mean.__code__)
    assert user_code.follows(code)
    assert list(user_code._statements) == [__file__]


def test_installed_package_of_forward_is_followed() -> None:
    """That of another package is not."""
    user_code = UserCode.around([json.dumps.__code__])
    assert user_code.follows(json.JSONDecoder.decode.__code__)
    assert not user_code.follows(statistics.mean.__code__)
