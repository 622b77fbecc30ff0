"""The gallery shows what its examples print, and each kind of diagnosis has one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pytest_gradcheck.diagnosis.catalogue.kinds import KINDS
from tests.checkout import ROOT, load_script

gallery = load_script(ROOT / "docs/gallery.py")
outputs = load_script(ROOT / "docs/outputs.py")


def test_each_kind_has_an_example() -> None:
    """There is no other example."""
    assert {path.stem for path in gallery.EXAMPLES.glob("*.py")} == {
        kind.replace("-", "_") for kind in KINDS
    }


def test_page_is_what_the_examples_print(tmp_path: Path) -> None:
    """Otherwise run ``python docs/gallery.py``; in another process, whose checks are its own."""
    page = tmp_path / "gallery.md"
    subprocess.run([sys.executable, ROOT / "docs/gallery.py", page], check=True)
    stored = gallery.PAGE.read_text(encoding="utf-8")
    assert outputs.rounded(page.read_text(encoding="utf-8")) == outputs.rounded(stored)
