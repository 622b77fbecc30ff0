#!/usr/bin/env -S uv run --script
# /// script
# dependencies = ["nox>=2025.2.9"]
# ///
"""Sessions of nox: each step of CI is one, for example ``nox -s tests``."""

import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]

#: The tests that need PyTorch or JAX, and are skipped without.
FRAMEWORK_TESTS = [
    "tests/test_frameworks.py",
    "tests/test_torch.py",
    "tests/test_jax.py",
    "tests/low_precision",
]


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


@nox.session(python="3.11", default=False)
def oldest(session: nox.Session) -> None:
    """Run all tests with the oldest numpy and pytest supported."""
    install(session, "test")
    session.install("numpy==2.0.*", "pytest==8.4.*", "scipy<1.15")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(default=False)
def frameworks(session: nox.Session) -> None:
    """Run the tests of arrays of other libraries with PyTorch and JAX."""
    install(session, "frameworks")
    session.run("python", "-m", "pytest", "tests/integrations", *FRAMEWORK_TESTS)


@nox.session
def packages(session: nox.Session) -> None:
    """Run the examples of functions of other packages, with these installed."""
    install(session, "packages")
    session.run("python", "-m", "pytest", "-p", "pytester", "docs/examples/packages")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, spelling, the workflows, the metadata and the changelog."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("codespell")
    session.run("zizmor", "--offline", ".github")
    session.run("repo-review", "--show", "err", ".")
    session.run("towncrier", "build", "--draft", "--version", "next")


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
def typed_user(session: nox.Session) -> None:
    """Check the types of a suite that uses the installed package, and those of public names."""
    session.install(".", "mypy", "pyright[nodejs]")
    session.run("python", ".ci/public_types.py")
    with session.chdir("tests/typed_user"):
        session.run("mypy", ".")
        session.run("pyright", ".")


@nox.session
def build(session: nox.Session) -> None:
    """Build sdist and wheel into ``dist``, check them, and run the main job with the wheel."""
    session.install("build")
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build")
    session.run("python", ".ci/distributions.py", "dist")
    (wheel,) = Path("dist").glob("*.whl")
    session.install("--force-reinstall", str(wheel))
    session.run("python", "docs/examples/test_course.py")


@nox.session(default=False)
def robustness(session: nox.Session) -> None:
    """Throw bad input and faults at a check, and count how that ends."""
    install(session, "robustness")
    session.run("python", "-m", "tests.robustness", *session.posargs)


@nox.session(default=False)
def coverage(session: nox.Session) -> None:
    """Measure which lines and branches the tests do not reach."""
    install(session, "test")
    session.run("coverage", "run", "-m", "pytest", "-p", "no:randomly", *session.posargs)
    session.run("coverage", "report")


@nox.session(default=False)
def mutation(session: nox.Session) -> None:
    """Break the measuring and judging code in small ways, and list what no test notices."""
    install(session, "test")
    session.install("mutmut>=3.8")
    session.run("mutmut", "run", *session.posargs, success_codes=[0, 1])
    session.run("mutmut", "results")


if __name__ == "__main__":
    nox.main()
