"""Configuration of all tests.

numpy is imported here, once for the process: in-process `pytester` runs unload the modules that
they imported, and numpy cannot be loaded twice. Hypothesis has no deadline, because the machine
may be busy.
"""

import sys
from collections.abc import Iterator

import hypothesis
import numpy as np  # noqa: F401  # see above
import pytest

hypothesis.settings.register_profile("no_deadline", deadline=None)
hypothesis.settings.load_profile("no_deadline")

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True, scope="session")
def _shared_bytecode(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let the interpreters that tests start share bytecode, also where none may be written."""
    with pytest.MonkeyPatch.context() as patch:
        if sys.dont_write_bytecode:
            patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
            patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("bytecode")))
        yield


@pytest.fixture(autouse=True)
def _not_on_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every suite of a test as on a desk: pytest cuts no lines where it finds these."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("BUILD_NUMBER", raising=False)
