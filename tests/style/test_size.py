"""A file and a function stay small enough to be read in one sitting."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
PYTHON = [
    path for path in sorted((ROOT / "src").rglob("*.py")) if "versions" not in path.parts and "ui" not in path.parts
]
PAGE = [
    path
    for ending in ("ts", "tsx")
    for path in sorted((ROOT / "ui" / "src").rglob(f"*.{ending}"))
    if not path.name.endswith(".d.ts")
]


@pytest.mark.parametrize("path", [*PYTHON, *PAGE], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= FILE_LINES_MAX, "which two rooms are these?"


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_function_is_at_most_60_lines(path: Path) -> None:
    functions = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    long = {node.name: node.end_lineno - node.lineno + 1 for node in functions if node.end_lineno is not None}
    assert {name: lines for name, lines in long.items() if lines > FUNCTION_LINES_MAX} == {}
