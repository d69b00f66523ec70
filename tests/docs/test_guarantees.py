"""What the docs say is held by a test is held by a test that exists."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
PROMISES = sorted(
    {(page.name, *found) for page in (ROOT / "docs").rglob("*.md") for found in NAMED.findall(page.read_text())}
)


@cache
def source(path: str) -> str:
    return (ROOT / path).read_text() if (ROOT / path).is_file() else ""


@pytest.mark.parametrize(("page", "path", "name"), PROMISES)
def test_a_named_test_exists(page: str, path: str, name: str) -> None:
    assert re.search(rf"^    (async )?def {name}\(|^(async )?def {name}\(", source(path), re.M), (
        f"{page}: {path}::{name}"
    )


def test_each_promise_names_its_tests() -> None:
    rows = [line for line in (ROOT / "docs/guarantees.md").read_text().splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 10
    assert [row for row in rows if not NAMED.search(row)] == []
