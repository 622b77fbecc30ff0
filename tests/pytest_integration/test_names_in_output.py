"""Names and options of every kind in a whole run: on a terminal, in JUnit and under xdist."""

import xml.etree.ElementTree as ET

import pytest

from tests.pytest_integration.suites import run_in_subprocess

BODY = r"""
import enum
from pytest_gradcheck.constraints import Constraint

class Mode(enum.StrEnum):
    FULL = "full"

class Untouchable(Constraint):
    def __repr__(self):
        raise RuntimeError("called")
    __str__ = __format__ = __repr__

KEYS = ["\x1b[31mred", "a\nb", "\ud800", "k" * 10**6, "\u03b8" * 300, Untouchable()]

@pytest.mark.parametrize("k", range(len(KEYS)))
def test_keys(gradcheck, k):
    key = KEYS[k]
    gradcheck(lambda p: f(p[key]), lambda p: {key: bad(p[key])}, {key: X})

@pytest.mark.parametrize("k", range(len(KEYS)))
def test_refused(gradcheck, k):
    gradcheck(f, good, X, mode=KEYS[k])

def test_options(gradcheck):
    gradcheck(f, good, X, mode=Mode.FULL, seed=np.int64(3), strict=np.True_,
              kinks=np.str_("accept"), tangent=Untouchable(), wrt=Mode("full") and np.str_("x"))

@pytest.mark.gradcheck(backward=good, mode=Mode.FULL)
@pytest.mark.parametrize("x", [X])
def test_marked(x):
    return f(x)
"""


@pytest.mark.parametrize(("processes", "encoding"), [("0", "ascii"), ("1", "utf-8")])
def test_names_and_options_are_inert(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    processes: str,
    encoding: str,
) -> None:
    """No line is long, nothing is sent to the terminal but text, and every report arrives."""
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    result = run_in_subprocess(pytester, BODY, "-n", processes, "--junitxml=out.xml", "-rA")
    result.assert_outcomes(failed=12, passed=2)
    output = result.stdout.str()
    assert "INTERNALERROR" not in output
    assert all(c.isprintable() or c == "\n" for c in output)
    assert len(output) < 40_000
    root = ET.parse(pytester.path / "out.xml").getroot()  # noqa: S314  # our own
    properties = {p.get("name") for p in root.iter("property")}
    assert "gradcheck_worst" in properties
    assert len((pytester.path / "out.xml").read_text(encoding="utf-8")) < 100_000
