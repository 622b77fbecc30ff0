"""Check with pyright that all public names of the installed package have types.

A name is public if `pytest_gradcheck` or `pytest_gradcheck.constraints` lists it. Attributes of
internal classes may be inferred.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest_gradcheck
import pytest_gradcheck.constraints

MODULES = (pytest_gradcheck, pytest_gradcheck.constraints)


def public_names() -> set[str]:
    """Return the qualified names that users import."""
    return {f"{module.__name__}.{name}" for module in MODULES for name in module.__all__}


def type_is_known() -> dict[str, bool]:
    """Return for each name of the package whether pyright knows its whole type."""
    command = ["pyright", "--outputjson", "--verifytypes", "pytest_gradcheck", "--ignoreexternal"]
    answer = subprocess.run(command, capture_output=True, check=False, text=True)  # noqa: S603  # our own
    symbols = json.loads(answer.stdout)["typeCompleteness"]["symbols"]
    return {symbol["name"]: symbol["isTypeKnown"] for symbol in symbols}


def main() -> int:
    """Print the public names whose type is not known; return 1 if there are any."""
    public, is_known = public_names(), type_is_known()
    unknown = sorted(name for name in public if not is_known.get(name))
    print("\n".join(unknown) or f"{len(public)} public names have types")
    return int(bool(unknown))


if __name__ == "__main__":
    sys.exit(main())
