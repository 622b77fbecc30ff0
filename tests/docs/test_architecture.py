"""The map of the package is what the contract and the imports say."""

import re

from tests.checkout import ROOT, load_script

PACKAGE = ROOT / "pytest_gradcheck"

architecture = load_script(ROOT / "docs/architecture.py")
TEXT = architecture.PAGE.read_text(encoding="utf-8")


def test_diagram_is_what_the_command_draws() -> None:
    """The committed diagram shows the contract; otherwise run ``python docs/architecture.py``."""
    assert architecture.DIAGRAM.read_text(encoding="utf-8") == architecture.diagram()


def test_table_of_imports_is_what_the_command_writes() -> None:
    """The table in the page is the one of today's imports."""
    assert architecture.page(TEXT) == TEXT


def test_page_describes_every_room() -> None:
    """Each room of the contract has its paragraph, in the order of the layers."""
    rooms = [room for row in architecture.layers() for room in row]
    assert re.findall(r"^### `(\w+)`$", TEXT, re.MULTILINE) == rooms


def test_contract_names_every_room() -> None:
    """What lies at the top of the package is in the contract, but for the hooks' declarations."""
    tops = [p for p in PACKAGE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()]
    rooms = {room for row in architecture.layers() for room in row}
    assert {path.stem for path in tops} - rooms == {"__init__", "hookspec"}


def test_files_that_the_page_names_exist() -> None:
    """Whoever follows the page finds the file."""
    named = set(re.findall(r"`(\w+(?:/\w+)*\.py)`", TEXT))
    assert named
    assert [name for name in sorted(named) if not (PACKAGE / name).exists()] == []


def test_page_names_every_room_inside_a_room() -> None:
    """Packages inside a package are described where that is."""
    inside = {path.parent.name for path in PACKAGE.glob("*/*/__init__.py")}
    assert {name for name in inside if f"`{name}`" not in TEXT} == set()


def test_classes_that_the_page_names_exist() -> None:
    """Whoever searches for a class of the page finds it."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    named = set(re.findall(r"`([A-Z]\w+)`", TEXT))
    assert [name for name in sorted(named) if f"class {name}" not in code] == []
