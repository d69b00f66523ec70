"""Every fault of the plan has its row: what is expected, and how it is tested or why not."""

import re
from pathlib import Path

from tests.docs.test_guarantees import NAMED

ROWS = [
    line.strip("| ").split(" | ")
    for line in (Path(__file__).parents[2] / "docs" / "faults.md").read_text().splitlines()
    if line.startswith("| F")
]


def test_every_fault_has_a_row() -> None:
    assert [row[0].split()[0] for row in ROWS] == [f"F{number}" for number in range(1, 33)]


def test_every_row_says_what_is_expected_and_names_its_tests_or_why_there_is_none() -> None:
    for fault, expected, tested in ROWS:
        assert expected.endswith((".", ")")), fault
        assert NAMED.search(tested) or re.search(r"Not (built|tested): \w+", tested), fault
