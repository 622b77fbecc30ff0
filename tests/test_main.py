"""The commands on records."""

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_gradcheck.__main__ import main
from pytest_gradcheck.run_record.json_file import read_record, write_record
from tests.renderings.records import mixed_record
from tests.run_record.builders import a_record, a_run, a_test


def test_merge_joins_records(tmp_path: Path) -> None:
    """The result is a record again."""
    paths = [str(tmp_path / name) for name in ("a.json", "b.json", "all.json")]
    write_record(a_record(a_test("a"), run=a_run("1")), Path(paths[0]))
    write_record(a_record(a_test("b"), run=a_run("2")), Path(paths[1]))
    assert main(["merge", *paths[:2], "-o", paths[2]]) == 0
    merged = read_record(Path(paths[2]))
    assert [(test["nodeid"], test["run"]) for test in merged["tests"]] == [("a", 0), ("b", 1)]


def test_render_writes_formats_beside_the_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those that were asked for; a path may be given."""
    record, other = tmp_path / "all.json", tmp_path / "summary.txt"
    write_record(mixed_record(), record)
    assert main(["render", str(record), "--sarif", "--ctrf", f"--md={other}", "--github"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        "all.json",
        "all.sarif",
        "all.ctrf.json",
        "summary.txt",
    }
    assert other.read_text("utf-8").startswith("### gradcheck")
    assert capsys.readouterr().out.startswith("::error file=test_a.py")


def test_render_writes_a_page(tmp_path: Path) -> None:
    """It is made of the record alone."""
    record = tmp_path / "all.json"
    write_record(mixed_record(), record)
    assert main(["render", str(record), "--html"]) == 0
    assert (tmp_path / "all.html").read_text("utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["render", "missing.json", "--md"], "missing.json"),
        (["merge", "other.json", "-o", "all.json"], "other.json is not a record"),
    ],
)
def test_a_fault_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    """The exit status is that of a wrong command line."""
    monkeypatch.chdir(tmp_path)
    Path("other.json").write_text("{}")
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("pytest_gradcheck: ")
    assert message in error
    assert len(error.splitlines()) == 1


def test_the_package_is_a_command_that_needs_neither_pytest_nor_numpy() -> None:
    """It starts fast, and where no test can run."""
    code = "import sys, pytest_gradcheck.__main__; print({'numpy', 'pytest'} & sys.modules.keys())"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # our own
    assert loaded.stdout.strip() == "set()"
    shown = subprocess.run(  # our own
        [sys.executable, "-m", "pytest_gradcheck", "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "merge" in shown.stdout
