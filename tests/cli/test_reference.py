"""docs/reference/cli.md names every command with its options, and docs/reference/settings.md every setting."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer.main

from upshot.app.settings import Settings
from upshot.cli.commands import app

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def leaves(command: Any, name: str) -> list[tuple[str, list[str]]]:
    """Every command with its long options."""
    if hasattr(command, "commands"):
        return [leaf for part, inner in command.commands.items() for leaf in leaves(inner, f"{name} {part}")]
    return [(name, [option for one in command.params for option in one.opts if option.startswith("--")])]


COMMANDS = leaves(typer.main.get_command(app), "upshot")


@pytest.mark.parametrize(("name", "options"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_every_command_is_documented_and_takes_json(name: str, options: list[str]) -> None:
    text = (REFERENCE / "cli.md").read_text()
    section = next((part for part in text.split("\n## ") if part.startswith(f"`{name}")), None)
    assert section is not None, f"docs/reference/cli.md has no section `{name}`"
    assert "--json" in options
    shared = {"--json", "--database", "--tenant", "--help"}
    assert [option for option in options if option not in shared and f"`{option}" not in section] == []


def test_no_command_is_documented_that_is_not_there() -> None:
    text = (REFERENCE / "cli.md").read_text()
    titles = [line.split("`")[1] for line in text.splitlines() if line.startswith("## `")]
    assert len(titles) == len(COMMANDS)


@pytest.mark.parametrize("name", [known.name for known in fields(Settings)])
def test_every_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in (REFERENCE / "settings.md").read_text()
    assert f"`UPSHOT_{name.upper()}`" in (REFERENCE / "settings.md").read_text()
