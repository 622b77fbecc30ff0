"""Commands on records of runs: ``python -m pytest_gradcheck merge``, ``render``, ``baseline``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_gradcheck.renderings.ctrf import render_ctrf
from pytest_gradcheck.renderings.github_annotations import render_annotations
from pytest_gradcheck.renderings.html_page.page import render_html
from pytest_gradcheck.renderings.markdown import render_markdown
from pytest_gradcheck.renderings.sarif import render_sarif
from pytest_gradcheck.run_record.baseline import baseline_lines, baseline_state
from pytest_gradcheck.run_record.json_file import (
    RecordError,
    read_record,
    write_record,
    write_whole,
)
from pytest_gradcheck.run_record.merge import merge_records
from pytest_gradcheck.run_record.record import Record

__all__ = ["main"]

#: Option, ending of the file, function and what is written.
FORMATS: tuple[tuple[str, str, Callable[[Record], str], str], ...] = (
    ("html", ".html", render_html, "an HTML page with pictures of the errors"),
    ("md", ".md", render_markdown, "Markdown, at most 1 MiB"),
    ("sarif", ".sarif", render_sarif, "SARIF 2.1.0, for code scanning"),
    ("ctrf", ".ctrf.json", render_ctrf, "the Common Test Report Format"),
)

#: The exit status of a command that could not be carried out, as that of a wrong command line.
FAILED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command, and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
    except (OSError, RecordError) as error:
        sys.stderr.write(f"pytest_gradcheck: {error}\n")
        return FAILED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m pytest_gradcheck", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    merge = commands.add_parser("merge", help="join the records of shards or of a matrix")
    merge.add_argument("records", nargs="+", type=Path, metavar="RECORD")
    merge.add_argument("-o", "--output", required=True, type=Path, help="the file to write")
    merge.set_defaults(command=_merge)
    render = commands.add_parser("render", help="write a record in other formats")
    render.add_argument("record", type=Path, metavar="RECORD")
    for name, ending, _, text in FORMATS:
        help_text = f"{text} (by default beside the record, with the ending {ending})"
        render.add_argument(
            f"--{name}", nargs="?", type=Path, const=Path(), metavar="PATH", help=help_text
        )
    render.add_argument("--github", action="store_true", help="print annotations for GitHub")
    render.set_defaults(command=_render)
    baseline = commands.add_parser("baseline", help="write the derivatives that are wrong")
    baseline.add_argument("record", type=Path, metavar="RECORD")
    baseline.add_argument("-o", "--output", required=True, type=Path, help="the file to write")
    baseline.add_argument(
        "--no-new", action="store_true", help="only leave out what is mended, and add nothing"
    )
    baseline.set_defaults(command=_baseline)
    return parser


def _baseline(options: argparse.Namespace) -> None:
    state = baseline_state(read_record(options.record))
    new = () if options.no_new else state.new
    write_whole(options.output, baseline_lines((*state.accepted, *new)))


def _merge(options: argparse.Namespace) -> None:
    write_record(merge_records(map(read_record, options.records)), options.output)


def _render(options: argparse.Namespace) -> None:
    record = read_record(options.record)
    for name, ending, render, _ in FORMATS:
        path = getattr(options, name)
        if path is not None:
            beside = options.record.with_suffix(ending)
            write_whole(beside if path == Path() else path, iter([render(record)]))
    if options.github:
        sys.stdout.write(render_annotations(record))


if __name__ == "__main__":
    sys.exit(main())
