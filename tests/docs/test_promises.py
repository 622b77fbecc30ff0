"""What the first pages promise is what the tables of the other pages bear out."""

import re
from collections.abc import Iterator

import pytest

from tests.checkout import ROOT

SUITES = (ROOT / "docs/explanation/suites.md").read_text(encoding="utf-8")
SCALE = (ROOT / "docs/explanation/scale.md").read_text(encoding="utf-8")

FIRST_PAGES = ("README.md", "README.zh.md", "docs/index.md")
NUMBERS = {"no": 0, "one": 1, "two": 2, "three": 3, "没有": 0, "一个": 1, "两个": 2, "三个": 3}


def rows(text: str) -> Iterator[dict[str, str]]:
    """Yield each row of the tables in a text, by the names of its columns."""
    columns: list[str] = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            columns = []
        elif not columns:
            columns = cells
        elif not set(line) <= set("|- "):
            yield dict(zip(columns, cells, strict=True))


def number(text: str) -> int:
    """Return a number that is written in figures or as a word."""
    return NUMBERS[text] if text in NUMBERS else int(text.replace(",", ""))


def totals() -> tuple[int, ...]:
    """Return claims, right ones called wrong and failing, wrong entries and those passed."""
    suites = [row for row in rows(SUITES) if "ours passes" in row]
    passed, wrong = zip(*(row["passed, 1.0% off"].split(" of ") for row in suites), strict=True)
    columns = [[row[name] for row in suites] for name in COUNTED]
    return tuple(sum(map(number, column)) for column in (*columns, wrong, passed))


COUNTED = ("claims", "right, called wrong", "right, failing")

ENGLISH = (
    r"On ([\d,]+) gradients .* it calls (\w+) correct gradient wrong, and fails (\w+) correct "
    r"ones .* of each of ([\d,]+), it passes (\w+)\."
)
CHINESE = (
    r"([\d,]+) 个梯度上.*?(没有|.个)正确的梯度被判为错误.(.个)正确的梯度因无法验证而失败"
    r".*? ([\d,]+) 个梯度.*?漏过(.个)"
)


@pytest.mark.parametrize("name", FIRST_PAGES)
def test_numbers_are_those_of_the_suites(name: str) -> None:
    """Gradients, false alarms, and wrong gradients that pass."""
    text = (ROOT / name).read_text(encoding="utf-8")
    pattern = CHINESE if name.endswith(".zh.md") else ENGLISH
    found = re.search(pattern, " ".join(text.split()))
    assert found
    assert tuple(map(number, found.groups())) == totals()


def test_a_million_parameters_take_a_dozen_evaluations() -> None:
    """And about fifteen more locate one entry, row, column or factor, as a rule."""
    first = SCALE.partition("<!-- mistakes -->")[2].partition("With parameters")[0]
    median = {row["mistake"]: int(row["median"]) for row in rows(first) if "median" in row}
    alone = ("one entry 0.1% off", "a row x 1.5", "a column zero", "a parameter x 2")
    assert median["nothing"] <= 13
    assert max(median[mistake] for mistake in alone) - median["nothing"] <= 15


def test_float64_finds_nearly_every_error_of_a_thousandth() -> None:
    """In one entry of a million, and float32 misses some."""
    shares = [
        int(found) / int(checked)
        for row in rows(SCALE)
        if row.get("mistake") == "one entry 0.1% off" and "called wrong" in row
        for found, checked in [row["called wrong"].split(" of ")]
    ]
    assert shares[0] > 0.98
    assert shares[1] < 1
