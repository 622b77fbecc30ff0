"""The hooks that pytest calls, a few lines each.

Every pytest run loads this module, in every environment that has the plugin
installed. It does not import numpy; other modules are imported when they are needed.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING

import pytest

from pytest_gradcheck.session_state import SessionState, session_state

if TYPE_CHECKING:
    from pytest_gradcheck.pytest_integration.controller import Controller
    from pytest_gradcheck.pytest_integration.fixture import Gradcheck
    from pytest_gradcheck.running_test import RunningTest

SESSION_STATE = pytest.StashKey[SessionState]()

#: Name, metavar (none for a flag) and help of the options that can be set for a whole suite.
OPTIONS = (
    ("mode", "MODE", "auto, full or fast (auto): measure every entry, or screen"),
    ("rtol", "RTOL", "relative error that is always allowed (1e-6)"),
    ("seed", "SEED", "seed of directions and cotangents (from the test's node id)"),
    ("strict", "", "also fail on kinks, inconclusive and vacuous parameters"),
    ("max_rows", "ROWS", "worst entries that a failure shows (5)"),
    ("max_evaluations", "EVALUATIONS", "forward evaluations of a full check, at most (10000)"),
)

#: The same for what a run must reach.
GATES = (
    ("cov", "PACKAGES", "list the hand-written derivatives of packages that no check exercised"),
    ("cov_names", "NAMES", "more names of derivatives, as patterns; !PATTERN excludes"),
    ("cov_fail_under", "MIN", "fail if fewer of 100 derivatives are checked"),
    ("baseline", "FILE", "accept the wrong derivatives that a file knows, and fail for others"),
)

#: The same for what is shown or written when a run ends, on the command line only.
OUTPUTS = (
    ("summary", "", "a table of the checks: failed ones, worst first, and the slowest"),
    ("github", "", "in a job of GitHub Actions, annotate wrong lines and write a step summary"),
    ("json", "PATH", "write the record of all checks to a JSON file"),
    ("html", "PATH", "write an HTML page of all checks, with pictures of the errors"),
    ("update_baseline", "", "accept every wrong derivative, and write the baseline again"),
)

MARKERS = (
    (
        "gradcheck(*, backward=None, wrt=None, backward_args=None, has_cache=None, **options): "
        "the test is a gradient check: it is the forward function, called with its fixtures and "
        "parameters, and returns the value that backward differentiates, or without backward "
        "(value, gradients). A test that asks for the gradcheck fixture runs as it is, and must "
        "complete a check."
    ),
    (
        "gradcheck_options(**options): options of the gradient checks in a test, class or module, "
        "for example rtol=1e-4 or strict=True; selects nothing and checks nothing."
    ),
)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Register the hooks of the plugin."""
    from pytest_gradcheck import hookspec

    pluginmanager.add_hookspecs(hookspec)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the command line and the ini file."""
    group = parser.getgroup("gradcheck", "gradient checks (pytest-gradcheck)")
    for name, metavar, text in (*OPTIONS, *GATES, *OUTPUTS):
        kind = {"metavar": metavar} if metavar else {"action": "store_true"}
        group.addoption(f"--gradcheck-{name.replace('_', '-')}", default=None, help=text, **kind)
    for name, _, text in (*OPTIONS, *GATES):
        parser.addini(f"gradcheck_{name}", f"gradient checks: {text}", "string", default=None)
    parser.addini("verbosity_gradcheck", "gradient checks: -v: 20 rows, -vv: all", default="auto")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and validate the options of the suite."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    config.stash[SESSION_STATE] = SessionState(_prepare)
    if not hasattr(config, "workerinput"):
        reports = _Reports(config)
        config.pluginmanager.register(reports, "gradcheck-reports")
        is_wanted = any(config.getoption(f"gradcheck_{name}") for name, _, _ in OUTPUTS)
        is_wanted |= any(_is_set(config, name) for name, _, _ in GATES)
        if is_wanted and not config.getoption("collectonly"):
            reports.controller = reports.start()
    if any(_is_set(config, name) for name, _, _ in OPTIONS):
        from pytest_gradcheck.pytest_integration.suite_options import validate_settings

        validate_settings(config, [name for name, _, _ in OPTIONS])


def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> None:
    """Refuse a mark on a function that is no test: ``mark.gradcheck(f)`` marks f itself."""
    if isinstance(obj, FunctionType) and "pytestmark" in obj.__dict__:
        from pytest_gradcheck.pytest_integration.marker import refuse_mark_on_helper

        refuse_mark_on_helper(collector, name, obj)


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    """Let ``-m gradcheck`` also select tests that use the fixture."""
    if _uses_gradcheck(item):
        from pytest_gradcheck.pytest_integration.collection import prepare_item

        prepare_item(item)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note which of the selected tests must complete a check."""
    if users := [item for item in session.items if _uses_gradcheck(item)]:
        from pytest_gradcheck.pytest_integration.collection import must_check

        nodeids = frozenset(item.nodeid for item in users if must_check(item))
        session.config.stash[SESSION_STATE].expected = nodeids


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Make the item the running test, which checks find wherever they are called."""
    session = item.config.stash[SESSION_STATE]
    token = session_state.set(session)
    session.enter(item)
    try:
        return (yield)
    finally:
        session.enter(None)
        session_state.reset(token)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start a new run of the test, also when it is repeated, and validate its marks."""
    __tracebackhide__ = True
    item.config.stash[SESSION_STATE].enter(item)
    if _is_marked(item):
        from pytest_gradcheck.pytest_integration.failure_location import run_at_def_line
        from pytest_gradcheck.pytest_integration.marker import validate_marks

        run_at_def_line(getattr(item, "obj", item), partial(validate_marks, item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that passed without a completed check, if it must have one."""
    __tracebackhide__ = True
    result = yield
    session = item.config.stash[SESSION_STATE]
    is_expected = _is_marked(item) or item.nodeid in session.expected
    if is_expected and not session.reports():
        from pytest_gradcheck.pytest_integration.failure_location import run_at_def_line
        from pytest_gradcheck.pytest_integration.marker import refuse_unchecked

        run_at_def_line(getattr(item, "obj", item), partial(refuse_unchecked, item, session))
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Run a marked test as the forward function of a check."""
    __tracebackhide__ = True
    if not _is_marked(pyfuncitem):
        return (yield)
    from pytest_gradcheck.pytest_integration.marker import body_replaced_by_check

    with body_replaced_by_check(pyfuncitem, pyfuncitem.config.stash[SESSION_STATE]):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the reports of checks to the test report; shorten its summary to one line."""
    session = item.config.stash[SESSION_STATE]
    is_ours = call.excinfo and call.excinfo.type.__module__ == "pytest_gradcheck"
    if not (is_ours or item.nodeid in session.expected or session.reports()):
        return (yield)
    from pytest_gradcheck.pytest_integration import user_properties

    if call.when == "call":
        user_properties.set_properties(item, session.reports())
    user_properties.shorten_when_quiet(item, call)
    report = yield
    user_properties.attach_reports(report, item, call, session)
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_json_runtest_metadata(item: pytest.Item) -> dict[str, object] | None:
    """Add the data of checks to the report of pytest-json-report."""
    reports = item.config.stash[SESSION_STATE].reports()
    if not reports:
        return None
    from pytest_gradcheck.pytest_integration.user_properties import json_metadata

    return json_metadata(reports)


@pytest.fixture(scope="session")
def gradcheck(pytestconfig: pytest.Config) -> Gradcheck:
    """Assert that a hand-written derivative is right.

    Call it with the forward function, the backward function and forward's
    arguments; it raises an `AssertionError` that names the wrong entries, and
    returns the report of a check that passes::

        def test_square(gradcheck):
            gradcheck(lambda x: (x**2).sum(), lambda x: 2 * x, np.array([1.0, 2.0]))

    It takes the same arguments as the function `pytest_gradcheck.gradcheck`: the
    parameters to check (``wrt``), how to call backward (``backward_args``,
    ``has_cache``), keyword arguments of forward (``kwargs``) and options.
    """
    from pytest_gradcheck.pytest_integration.fixture import Gradcheck

    return Gradcheck(pytestconfig.stash[SESSION_STATE])


class _Reports:
    """Passes test reports to the controller from the first on that has to do with checks."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.controller: Controller | None = None

    def start(self) -> Controller:
        """Return the controller of the run."""
        from pytest_gradcheck.pytest_integration.controller import start_controller

        state = self._config.stash[SESSION_STATE]
        return start_controller(self._config, state, [name for name, _, _ in OPTIONS])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if self.controller is None and hasattr(report, "gradcheck"):
            self.controller = self.start()
        if self.controller is not None:
            self.controller.take(report)


def _prepare(item: pytest.Item) -> RunningTest:
    from pytest_gradcheck.pytest_integration.suite_options import prepare_test

    return prepare_test(item, [name for name, _, _ in OPTIONS])


def _is_set(config: pytest.Config, name: str) -> bool:
    return any(get(f"gradcheck_{name}") is not None for get in (config.getoption, config.getini))


def _uses_gradcheck(item: pytest.Item) -> bool:
    return "gradcheck" in getattr(item, "fixturenames", ()) or _is_marked(item)


def _is_marked(item: pytest.Item) -> bool:
    """Return whether the user marked the item, its class or its module as a gradient check."""
    return any(
        mark.name == "gradcheck" and "_ours" not in mark.kwargs for mark in item.iter_markers()
    )
