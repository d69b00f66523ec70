"""What may not be in the tree: exceptions without a reason, sleeping tests, dead modules, addresses of machines."""

import ast
import graphlib
import json
import re
import subprocess
import tomllib
from collections.abc import Set as AbstractSet
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "upshot"
MODULES = [path for path in sorted(SRC.rglob("*.py")) if "versions" not in path.parts]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PYTHON = [
    path for folder in ("src", "tests", "benchmarks", "examples", "tools") for path in (ROOT / folder).rglob("*.py")
]
EXCEPTION = re.compile(r"#\s*(noqa|type: ignore|pyright: ignore)\b(?P<rest>.*)$")
REASON = re.compile(r"^(:\s*[\w, ]+|\[[\w\-, ]+\])\s+(-|--|#)\s+\S+")
"""The rules that are excepted, then a dash or a hash, then why."""
SLEEPS = {"sleep", "wait_for_timeout"}
FOR_OTHERS = {
    "upshot.cli.__main__": "python -m upshot.cli",
    "upshot.core.invariants": "what the tests hold every store to",
    "upshot.store.migrations.env": "Alembic runs it",
}
"""Modules that none of ours imports, each with who does."""
FOR_HOSTS = ("upshot.integrations.", "upshot.testing.", "upshot.packs.")
"""What hosts and their tests import; ours must do so too."""
ADDRESSES = re.compile("pypi" r"\.org|python" r"hosted|registry\.npm" r"js|(?<!\w)/" r"(work|root|home)/\w")
"""Written so that this file does not hold them either."""


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports_of(path: Path) -> set[str]:
    """The modules of ours that a file imports, or names in a text of its own (what is imported when first used)."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import():
                found |= {alias.name for alias in node.names}
            case ast.ImportFrom(module=str(module)):
                found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
            case ast.Constant(value=str(text)) if re.fullmatch(r"upshot(\.\w+)+(:\w+)?", text):
                found.add(text.partition(":")[0])
            case _:
                pass
    return found


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_every_exception_to_a_check_carries_its_reason(path: Path) -> None:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = EXCEPTION.search(line)
        if found and "re.compile" not in line:
            assert REASON.search(found["rest"]), f"{name_of(path)}:{number} has no reason: {line.strip()}"


def test_every_rule_that_is_off_carries_its_reason() -> None:
    settings = (ROOT / "pyproject.toml").read_text().partition("[tool.ruff.lint]")[2].partition("[tool.pyright]")[0]
    off = [line for line in settings.splitlines() if re.search(r'"[A-Z]+\d*"[,\]]', line) and '"ALL"' not in line]
    assert off
    assert [line for line in off if not re.search(r"# \w+", line)] == []


@pytest.mark.parametrize("path", TESTS, ids=name_of)
def test_no_test_sleeps(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            if called in SLEEPS:
                pause = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
                assert pause == 0, f"{name_of(path)}:{node.lineno} sleeps; wait for a named signal"


def test_no_module_is_dead() -> None:
    used = set().union(*(imports_of(path) for path in MODULES))
    used_by_hosts = set().union(*(imports_of(path) for path in [*TESTS, *(ROOT / "examples").rglob("*.py")]))
    names = {".".join(path.relative_to(ROOT / "src").with_suffix("").parts) for path in MODULES}
    dead = [
        name
        for name in sorted(names - FOR_OTHERS.keys())
        if not name.endswith("__init__")
        and name not in used
        and not (name.startswith(FOR_HOSTS) and name in used_by_hosts)
    ]
    assert dead == []


def imported_at_once(statements: list[ast.stmt], ours: AbstractSet[str]) -> set[str]:
    """Which of our modules one needs while it is being imported; imports for types, and within functions, come later."""
    found: set[str] = set()
    for statement in statements:
        match statement:
            case ast.Import():
                found |= {alias.name for alias in statement.names}
            case ast.ImportFrom(module=str(module)):
                found |= {f"{module}.{alias.name}" for alias in statement.names} & ours or {module}
            case ast.If() if "TYPE_CHECKING" not in ast.unparse(statement.test):
                found |= imported_at_once([*statement.body, *statement.orelse], ours)
            case ast.Try():
                found |= imported_at_once(statement.body, ours)
            case _:
                pass
    return found & ours


def test_any_module_may_be_imported_first() -> None:
    """A circle of imports works or fails by which of its modules a process happens to import first."""
    names = [".".join(path.relative_to(ROOT / "src").with_suffix("").parts) for path in MODULES]
    modules = dict(zip((name.removesuffix(".__init__") for name in names), MODULES, strict=True))
    imports = {
        name: imported_at_once(ast.parse(path.read_text()).body, modules.keys()) - {name}
        for name, path in modules.items()
    }
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as error:
        pytest.fail("each of these needs the one after it: " + ", ".join(error.args[1]))


def test_no_file_names_a_registry_or_a_machine() -> None:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    found: list[str] = []
    for path in filter(Path.is_file, (ROOT / name for name in listed)):
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{name_of(path)}: {address.group()}" for address in ADDRESSES.finditer(text)]
    assert found == []


def test_the_page_is_locked_as_it_is_declared() -> None:
    declared = json.loads((ROOT / "ui" / "package.json").read_text())
    locked = json.loads((ROOT / "ui" / "package-lock.json").read_text())["packages"][""]
    for kind in ("dependencies", "devDependencies"):
        assert locked.get(kind) == declared.get(kind), "run `npm install` in ui/"


def test_python_is_locked_as_it_is_declared() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for group in ("dev", "bench"):
        wanted = [*declared["project"]["dependencies"], *declared["dependency-groups"][group]]
        names = {re.split(r"[^\w.-]", line)[0].lower().replace("_", "-") for line in wanted}
        locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements" / f"{group}.lock").read_text(), re.MULTILINE))
        assert names - locked == set(), "run `make lock`"
