"""What may not be in the tree: exceptions without a reason, sleeping tests, dead modules, addresses of machines."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "upshot"
MODULES = [path for path in sorted(SRC.rglob("*.py")) if "versions" not in path.parts]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
EXCEPTION = re.compile(r"#\s*(noqa|type: ignore|pyright: ignore)(?P<rest>[^#]*(#.*)?)$")
REASON = re.compile(r"( - | -- | # )\s*\S+")
ENTRY_POINTS = {"upshot", "upshot.__main__", "upshot.cli.__main__", "upshot.store.migrations.env"}
ADDRESSES = [
    "pypi" + ".org",
    "files.python" + "hosted",
    "registry.npm" + "js",
    "/wo" + "rk/main",
    "/ro" + "ot/",
]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SRC)))
def test_every_exception_to_a_check_carries_its_reason(path: Path) -> None:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = EXCEPTION.search(line)
        assert found is None or REASON.search(found["rest"]), f"{path.name}:{number} has no reason: {line.strip()}"


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_test_sleeps(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "sleep":
            pause = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
            assert pause == 0, f"{path.name}:{node.lineno} sleeps; wait for a named signal"


def test_no_module_is_dead() -> None:
    names = {".".join(("upshot", *path.relative_to(SRC).with_suffix("").parts)): path for path in MODULES}
    imported: set[str] = set()
    for path in [*MODULES, *sorted((ROOT / "tests").rglob("*.py"))]:
        text = path.read_text()
        imported |= {word for word in re.findall(r"upshot(?:\.\w+)+", text)}
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("upshot"):
                imported.add(node.module)
                imported |= {f"{node.module}.{alias.name}" for alias in node.names}
    dead = [
        name
        for name in names
        if not name.endswith("__init__") and name not in imported and name not in ENTRY_POINTS and "packs" not in name
    ]
    assert dead == []


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_file_names_a_registry_or_a_machine() -> None:
    found: list[str] = []
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {address}" for address in ADDRESSES if address in text]
    assert found == []
