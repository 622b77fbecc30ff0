"""Sessions of nox: each step of CI is one, for example ``nox -s tests``."""

from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "layers", "tests", "docs", "build"]
nox.options.error_on_missing_interpreters = False
nox.needs_version = ">=2025.2.9"

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]

#: The tests that need PyTorch or JAX, and are skipped without.
FRAMEWORK_TESTS = ["tests/test_frameworks.py", "tests/test_torch.py", "tests/test_jax.py"]


def install(session: nox.Session, *groups: str) -> None:
    """Install the package and some of its dependency groups."""
    session.install("--quiet", "--upgrade", "pip")
    chosen = [part for group in groups for part in ("--group", group)]
    session.install("-e", ".", *chosen)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run all tests."""
    install(session, "test")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(python="3.11")
def oldest(session: nox.Session) -> None:
    """Run all tests with the oldest numpy and pytest supported."""
    install(session, "test")
    session.install("numpy==2.0.*", "pytest==8.4.*", "scipy<1.15")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def frameworks(session: nox.Session) -> None:
    """Run the tests of arrays of other libraries with PyTorch and JAX."""
    install(session, "frameworks")
    session.run("python", "-m", "pytest", "tests/integrations", *FRAMEWORK_TESTS)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and spelling."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("codespell")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types, strictly."""
    install(session, "lint", "test")
    session.run("mypy")


@nox.session
def layers(session: nox.Session) -> None:
    """Check that data flows one way."""
    install(session, "lint")
    session.run("lint-imports")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the docs; warnings are errors."""
    install(session, "docs", "test")
    target = "docs/_build/html"
    session.run("sphinx-build", "-W", "--keep-going", "-n", "-b", "html", "docs", target)


@nox.session
def build(session: nox.Session) -> None:
    """Build sdist and wheel, install the wheel alone and run the main job."""
    session.install("build")
    target = Path(session.create_tmp()) / "dist"
    session.run("python", "-m", "build", "--outdir", str(target))
    wheel = max(target.glob("*.whl"), key=lambda path: path.stat().st_mtime)
    session.install("--force-reinstall", str(wheel))
    session.run("python", "docs/examples/test_course.py")


@nox.session
def robustness(session: nox.Session) -> None:
    """Throw bad input and faults at a check, and count how that ends."""
    install(session, "robustness")
    session.run("python", "-m", "tests.robustness", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Measure which lines and branches the tests do not reach."""
    install(session, "test")
    session.run("coverage", "run", "-m", "pytest", "-p", "no:randomly", *session.posargs)
    session.run("coverage", "report")


@nox.session
def mutation(session: nox.Session) -> None:
    """Break the measuring and judging code in small ways, and list what no test notices."""
    install(session, "test")
    session.install("mutmut>=3.8")
    session.run("mutmut", "run", *session.posargs, success_codes=[0, 1])
    session.run("mutmut", "results")
