"""The output that the pages and the README show is what the examples print today."""

from pathlib import Path

import pytest

from pytest_gradcheck.fault_localization.execution.frame_events import CAN_REBIND
from tests.checkout import ROOT, load_script

EXAMPLES = sorted((ROOT / "docs/examples/failing").glob("*.py"))
outputs = load_script(ROOT / "docs/outputs.py")

#: Examples whose wrong line is found by changing numbers in the frames of forward.
NEED_NUMBERS = {"suite"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_stored_output_is_what_the_example_prints(example: Path) -> None:
    """Running a failing example prints what is stored beside it."""
    if example.stem in NEED_NUMBERS and not CAN_REBIND:
        pytest.skip("Python 3.12 cannot change the numbers of a frame")
    stored = example.with_suffix(".txt").read_text(encoding="utf-8")
    assert outputs.rounded(outputs.run(example)) == outputs.rounded(stored)


def test_readme_shows_the_example_and_its_real_output() -> None:
    """The README's first example is the failing one, and its output the stored one."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert (ROOT / "docs/examples/failing/first.py").read_text(encoding="utf-8") in readme
    stored = (ROOT / "docs/examples/failing/first.txt").read_text(encoding="utf-8")
    failure = [line for line in stored.splitlines() if line.startswith((">", "E"))]
    assert "\n".join(failure) in readme


def test_ci_runs_the_test_command_of_the_readme() -> None:
    """The command a contributor is told to run is the one CI runs."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    command = readme.split("<!-- test -->\n```bash\n")[1].split("\n```")[0]
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert 'sed -n "/<!-- test -->/,/^\\`\\`\\`$/p" README.md' in script
    assert command.startswith("python3 -m venv .venv")
