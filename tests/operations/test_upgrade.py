"""The upgrade without a stop: once the newer release has migrated, processes of this one go on, are ready, and start again."""

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from tests.operations.conftest import Past
from tests.operations.test_doctor import found
from upshot.cli import main
from upshot.http.health import create_health_app
from upshot.store.migrate import HEAD, VERSION_TABLE

NEWER = f"{int(HEAD) + 1:04}"


def migrated_by_a_newer_release(past: Past) -> None:
    with past.upshot.database.writing() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '{NEWER}'"))


def test_a_process_on_the_next_schema_stays_ready_and_drives_its_runs_to_the_end(past: Past) -> None:
    past.automation({"id": "later", "delay": "1 hour"}, {"id": "note", "action": "note", "with": {}})
    past.emit("test/happened")
    migrated_by_a_newer_release(past)
    with TestClient(create_health_app(past.upshot), base_url="http://localhost") as client:
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["checks"]["schema"]) == (200, "ok")
    past.restart()
    past.emit("test/happened")
    past.advance(3600)
    assert [run["status"] for run in past.runs()] == ["completed", "completed"]


def test_commands_work_on_the_next_schema_and_the_doctor_names_it(
    past: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    migrated_by_a_newer_release(past)
    schema = found(past.upshot)["schema"]
    assert (schema.status, NEWER in schema.detail) == ("warning", True)
    for words in (["runs", "list"], ["migrate"]):
        with pytest.raises(SystemExit) as ended:
            main([*words, "--database", past.url])
        assert ended.value.code in {0, None}
    assert f"has schema {NEWER} already, of a newer release" in capsys.readouterr().out
