"""The page on the language names scenarios and simulated automations that there are."""

from pathlib import Path

from tests.docs.test_guarantees import NAMED
from tests.simulation.automations import AUTOMATIONS

ROOT = Path(__file__).parents[2]
ROWS = [
    line.strip("| ").split(" | ")
    for line in (ROOT / "docs" / "language.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| what |")
]


def column(number: int) -> set[str]:
    """The names in this column, where it has names and does not say why there are none."""
    cells = [row[number] for row in ROWS if len(row) > number and not row[number].startswith("Not tested: ")]
    return {name for cell in cells for name in cell.split(", ")}


def test_every_row_names_its_tests() -> None:
    assert len(ROWS) > 30
    assert [row[0] for row in ROWS if not NAMED.search(row[1])] == []


def test_scenarios_that_are_named_are_there() -> None:
    assert column(2) <= {path.stem for path in (ROOT / "tests" / "scenarios").glob("*.toml")}
    assert len(column(2)) > 20


def test_what_is_named_as_simulated_is() -> None:
    assert column(3) <= AUTOMATIONS.keys()
    assert len(column(3)) > 20
