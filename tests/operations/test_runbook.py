"""The operator's pages: every command quoted is one that exists, with those options; every finding and setting is named."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer.main

from tests.operations.test_doctor import EITHER, OF_POSTGRESQL, OF_SQLITE
from upshot.cli.commands import app
from upshot.core.retention import OF_TENANT, Retention

PAGES = Path(__file__).parents[2] / "docs" / "operations"
COMMANDS = typer.main.get_command(app)
QUOTED = re.compile(r"`(upshot [^`]+)`|^\$ (?:.*&& )?(upshot .+)$", re.MULTILINE)


def quoted() -> list[tuple[str, str]]:
    """Each command with its page, from the line of a session or from the text."""
    return [
        (page.name, (found[1] or found[2]).strip())
        for page in sorted(PAGES.glob("*.md"))
        for found in QUOTED.finditer(page.read_text())
    ]


def options_of(command: Any) -> set[str]:
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}


@pytest.mark.parametrize(("page", "text"), quoted())
def test_every_command_quoted_exists_with_its_options(page: str, text: str) -> None:
    words = text.split()[1:]
    command: Any = COMMANDS
    while words and hasattr(command, "commands"):
        name = words.pop(0)
        assert name in command.commands, f"{page}: `{text}`: there is no {name!r}"
        command = command.commands[name]
    assert not hasattr(command, "commands"), f"{page}: `{text}` names no command"
    asked = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert asked <= options_of(command), f"{page}: `{text}`"


def test_the_pages_quote_what_operators_need() -> None:
    used = {text.split()[1] for _, text in quoted()}
    assert {
        "migrate",
        "serve",
        "worker",
        "doctor",
        "prune",
        "backup",
        "restore",
        "relay",
        "dead-letters",
        "keys",
    } <= used
    runbook = (PAGES / "runbook.md").read_text()
    wanted = (
        "Start", "Scale", "Drain", "Upgrade", "Restore", "The queue is growing", "Dead letters are growing", "The disk is full",
        "The clock jumped", "A worker is stuck", "Rotating keys",
    )  # fmt: skip
    assert [title for title in wanted if f"\n## {title}\n" not in runbook] == []


def test_every_finding_of_the_doctor_is_explained() -> None:
    table = (PAGES / "runbook.md").read_text().partition("## What the doctor looks at")[2]
    assert set(re.findall(r"`(\w+)`", "\n".join(line.split("|")[1] for line in table.splitlines() if "|" in line))) == (
        EITHER | OF_SQLITE | OF_POSTGRESQL
    )


def test_every_kind_that_is_kept_for_a_time_is_explained_with_its_days() -> None:
    text = (PAGES / "retention.md").read_text()
    for known in fields(Retention):
        (line,) = [line for line in text.splitlines() if f"`retention_{known.name}`" in line]
        assert f"| {known.default}" in line
        assert (f"`{known.name}`" in line) is (known.name in OF_TENANT)
