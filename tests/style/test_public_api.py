"""The public API is an exact list; everything else may change without notice."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import upshot

PUBLIC = [
    "ActionContext",
    "ActionError",
    "Busy",
    "Conflict",
    "Event",
    "NotFound",
    "PermanentError",
    "Problem",
    "Refused",
    "Settings",
    "Upshot",
    "UpshotError",
    "action",
]


def test_the_public_names_are_exactly_these() -> None:
    assert upshot.__all__ == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_there_and_says_what_it_guarantees(name: str) -> None:
    assert inspect.getdoc(getattr(upshot, name))


@pytest.mark.parametrize("name", [n for n in vars(upshot.Upshot) if not n.startswith("_")])
def test_every_public_method_of_upshot_says_what_it_guarantees(name: str) -> None:
    assert inspect.getdoc(getattr(upshot.Upshot, name))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = upshot.nothing_of_the_kind


def test_a_host_on_sqlite_imports_what_it_uses(tmp_path: Path) -> None:
    """What is slow to import waits until it is needed: a restart after a crash is mostly imports."""
    program = f"import sys, upshot\nupshot.Upshot('sqlite:///{tmp_path}/host.db')\nprint(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert "sqlalchemy" in said
    assert {"alembic", "fastapi", "httpcore", "httpx", "liquid", "psycopg", "rich"}.isdisjoint(said)
