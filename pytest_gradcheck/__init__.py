"""An assertion for hand-written derivatives, as a pytest plugin.

Every pytest run imports the package through its entry point. Therefore the public
names are imported at their first use (PEP 562).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_gradcheck.check.assertions import check_gradient, gradcheck
    from pytest_gradcheck.check.objective import check_objective
    from pytest_gradcheck.diagnosis.gradient import CheckedCall, ClaimedGradient
    from pytest_gradcheck.diagnosis.hypothesis import Hypothesis
    from pytest_gradcheck.errors import (
        GradcheckError,
        GradcheckUsageError,
        GradcheckVacuousWarning,
        GradcheckWarning,
    )
    from pytest_gradcheck.pytest_integration.fixture import Gradcheck
    from pytest_gradcheck.report.report import Report
    from pytest_gradcheck.report.report_data import (
        Breach,
        Diagnosis,
        Entry,
        ErrorMap,
        Note,
        OptionValue,
        ParameterReport,
        Plane,
        SourceLocation,
        StepCurve,
        WrongLine,
    )

    __version__: str

__all__ = [
    "Breach",
    "CheckedCall",
    "ClaimedGradient",
    "Diagnosis",
    "Entry",
    "ErrorMap",
    "Gradcheck",
    "GradcheckError",
    "GradcheckUsageError",
    "GradcheckVacuousWarning",
    "GradcheckWarning",
    "Hypothesis",
    "Note",
    "OptionValue",
    "ParameterReport",
    "Plane",
    "Report",
    "SourceLocation",
    "StepCurve",
    "WrongLine",
    "check_gradient",
    "check_objective",
    "gradcheck",
]

_MODULES = {
    "check.assertions": "check_gradient gradcheck",
    "check.objective": "check_objective",
    "diagnosis.gradient": "CheckedCall ClaimedGradient",
    "diagnosis.hypothesis": "Hypothesis",
    "pytest_integration.fixture": "Gradcheck",
    "errors": "GradcheckError GradcheckUsageError GradcheckVacuousWarning GradcheckWarning",
    "report.report_data": "Breach Diagnosis Entry ErrorMap Note OptionValue ParameterReport "
    "Plane SourceLocation StepCurve WrongLine",
    "report.report": "Report",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("pytest-gradcheck")
    for module, names in _MODULES.items():
        if name in names.split():
            value = getattr(import_module(f"{__name__}.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
