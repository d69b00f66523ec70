"""The one table of statuses, and the docs that are drawn from it."""

from pathlib import Path

import pytest

from upshot.core import statuses

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "statuses.md"


@pytest.mark.parametrize("noun", statuses.TABLES)
def test_the_docs_show_the_diagram_of_the_table(noun: str) -> None:
    assert f"```mermaid\n{statuses.diagram(noun)}\n```" in PAGE.read_text()


@pytest.mark.parametrize("noun", statuses.TABLES)
def test_every_move_leads_to_a_status_of_the_table(noun: str) -> None:
    table = statuses.TABLES[noun]
    assert {after for moves in table.values() for after in moves} <= set(table)


@pytest.mark.parametrize("status", ["completed", "partial", "cancelled"])
def test_an_ended_run_never_moves(status: str) -> None:
    assert statuses.is_final("run", status)
    assert not any(statuses.may_move("run", status, after) for after in statuses.RUN)


def test_a_failed_run_is_over_and_moves_only_when_a_person_retries_it() -> None:
    assert statuses.final_statuses("run") | {"failed"} == statuses.RUN_OVER
    assert [after for after in statuses.RUN if statuses.may_move("run", "failed", after)] == ["pending"]
