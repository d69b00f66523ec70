"""What the commands of versions, backtests, files, schedules and folders answer on a SQLite file they answer on PostgreSQL."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli import test_commands as commands
from tests.cli.conftest import Call
from tests.stores import store


@pytest.fixture
def ready(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """The command line on a database of a server, and a document to import."""
    with store("postgresql", tmp_path) as url:
        monkeypatch.setenv("UPSHOT_DATABASE_URL", url)
        assert call("migrate").code == 0
        (tmp_path / "automation.json").write_text(json.dumps(commands.AUTOMATION))
        yield call


test_versions = commands.test_versions_are_listed_compared_and_gone_back_to
test_a_backtest = commands.test_a_draft_is_tried_on_the_past
test_files = commands.test_an_export_can_be_imported
test_schedules = commands.test_schedules_are_listed_with_the_time_they_are_due
test_folders = commands.test_automations_are_listed_by_folder_and_tag_and_compared_before_an_import
