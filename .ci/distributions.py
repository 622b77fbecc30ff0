"""Check the sdist and the wheel that a folder has: ``python .ci/distributions.py dist``.

The wheel has the package, its data and nothing else, and stays small. The sdist has all that the
repository has, so that the tests and the docs of a release can be run and built from it.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "pytest_gradcheck"

#: What the package has apart from modules.
DATA = {
    f"{PACKAGE}/py.typed",
    f"{PACKAGE}/renderings/html_page/page.css",
    f"{PACKAGE}/renderings/html_page/page.html.jinja",
    f"{PACKAGE}/renderings/html_page/page.js",
    f"{PACKAGE}/run_record/schema.json",
}

#: In bytes. The modules alone are 690 kB, compressed; a picture or a data set would exceed it.
LARGEST_WHEEL = 800_000

#: Of use in archives of the repository only.
NOT_IN_SDIST = {".git_archival.txt"}


def tracked_files() -> set[str]:
    """Return the files of the repository."""
    listing = subprocess.run(["git", "ls-files", "-z"], capture_output=True, check=True, text=True)  # noqa: S607  # git is found where the user has it
    return set(listing.stdout.split("\0")) - {""}


def faults_of_wheel(path: Path, tracked: set[str]) -> Iterator[str]:
    """Yield what is wrong with a wheel."""
    size = path.stat().st_size
    if size > LARGEST_WHEEL:
        yield f"{path.name} has {size:,} bytes; at most {LARGEST_WHEEL:,} are allowed"
    with zipfile.ZipFile(path) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    modules = {name for name in tracked if name.startswith(f"{PACKAGE}/") and name.endswith(".py")}
    yield from (f"{path.name} lacks {name}" for name in sorted((modules | DATA) - names))
    yield from (f"{path.name} should not have {name}" for name in sorted(names - modules - DATA))


def faults_of_sdist(path: Path, tracked: set[str]) -> Iterator[str]:
    """Yield what is wrong with an sdist."""
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    missing = tracked - NOT_IN_SDIST - names
    yield from (f"{path.name} lacks {name}" for name in sorted(missing))


def main(folder: Path) -> int:
    """Print the faults of the files in `folder`; return 1 if there are any."""
    tracked = tracked_files()
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    faults = [*faults_of_wheel(wheel, tracked), *faults_of_sdist(sdist, tracked)]
    print("\n".join(faults) or f"{wheel.name}: {wheel.stat().st_size:,} bytes")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
