"""The commands that end by themselves: what they answer, in words and as JSON, and their exit codes."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.cli.conftest import Call
from upshot import Upshot

AUTOMATION = {
    "name": "Note what happened",
    "trigger": {"event": "test/happened"},
    "condition": {"field": "total", "operator": "greater_than", "value": 100},
    "steps": [{"id": "note", "action": "create_task", "with": {"title": "Look at {{ total }}"}}],
    "status": "active",
}


@pytest.fixture
def ready(call: Call, tmp_path: Path) -> Call:
    """The command line in a folder with a database, and a document to import."""
    assert call("migrate").code == 0
    (tmp_path / "automation.json").write_text(json.dumps(AUTOMATION))
    return call


def test_every_command_answers_with_json(ready: Call) -> None:
    imported = ready("automations", "import", "automation.json", "--json").json["automations"]
    automation_id = imported[0]["id"]
    assert ready("automations", "list", "--json").json["items"][0]["id"] == automation_id
    assert ready("automations", "show", automation_id, "--json").json["name"] == AUTOMATION["name"]
    assert ready("automations", "export", "--json").json["automations"][0]["status"] == "active"
    assert ready("automations", "export", automation_id, "--json").json["name"] == AUTOMATION["name"]
    assert ready("automations", "lint", "automation.json", "--json").json["automations"][0]["problems"] == []
    assert ready("automations", "test", automation_id, "--data", '{"total": 200}', "--json").json["would_start"] is True
    assert (
        ready("automations", "test", "automation.json", "--data", '{"total": 1}', "--json").json["would_start"] is False
    )
    first = ready("emit", "test/happened", '{"total": 200}', "--id", "e1", "--json").json
    assert first == {"id": "e1", "duplicate": False}
    assert ready("emit", "test/happened", "{}", "--id", "e1", "--json").json == {"id": "e1", "duplicate": True}
    assert ready("runs", "list", "--json").json == {"items": [], "next": None}
    assert ready("schedules", "list", "--json").json == {"items": [], "next": None}
    assert ready("relay", "--json").json == {"published": 0, "failed": 0, "refused": []}
    assert ready("keys", "create", "--role", "viewer", "--name", "k", "--json").json["key"].startswith("upk_")
    assert ready("migrate", "--json").json["changed"] is False
    assert ready("doctor", "--json").json["status"] == "ok"
    assert ready("openapi", "--json").json["openapi"].startswith("3.")
    assert set(ready("version", "--json").json) == {"version"}
    assert "items" in ready("packs", "list", "--json").json


def test_every_command_answers_in_words(ready: Call) -> None:
    automation_id = ready("automations", "import", "automation.json", "--json").json["automations"][0]["id"]
    assert automation_id in ready("automations", "list").out
    assert "Note what happened" in ready("automations", "show", automation_id).out
    assert json.loads(ready("automations", "export").out)["automations"]
    assert "is fine" in ready("automations", "lint", "automation.json").out
    told = ready("automations", "test", automation_id, "--data", '{"total": 200}').out
    assert "It would start" in told
    assert "note" in told
    about = ("automations", "test", automation_id, "--entity")
    assert ready(*about, "patient:p1", "--data", '{"total": 200}').code == 0
    assert "--entity: is written type:id" in ready(*about, "patient").err
    assert ready("emit", "test/happened", "--id", "e1").out == "e1\n"
    assert "There are no runs" in ready("runs", "list").out
    assert "published 0" in ready("relay").out
    assert ready("keys", "create", "--role", "viewer", "--name", "k").out.startswith("upk_")
    assert "already" in ready("migrate").out
    assert "Schema" in ready("doctor").out
    assert ready("version").out.startswith("upshot ")


def test_versions_are_listed_compared_and_gone_back_to(ready: Call) -> None:
    automation_id = ready("automations", "import", "automation.json", "--json").json["automations"][0]["id"]
    assert ready("automations", "diff", automation_id).out == "Nothing changed.\n"
    from upshot import Upshot

    upshot = Upshot(os.environ.get("UPSHOT_DATABASE_URL", "sqlite:///upshot.db"))
    upshot.automations.save("default", automation_id, {**AUTOMATION, "priority": 9, "status": "draft"})
    upshot.close()
    assert ready("automations", "diff", automation_id).out == "Priority is 9, was 5.\n"
    assert ready("automations", "publish", automation_id, "--revision", "1").code == 1
    assert "--runs" in ready("automations", "publish", automation_id, "--runs", "odd").err
    assert ready("automations", "publish", automation_id, "--revision", "2").out == "Version 2 is active.\n"
    told = ready("automations", "diff", automation_id, "--from", "2", "--to", "1", "--json").json
    assert [change["text"] for change in told["changes"]] == ["Priority is 5, was 9."]
    assert "not published yet" in ready("automations", "restore", automation_id, "1").out
    assert ready("automations", "restore", automation_id, "1", "--publish", "--json").json["version"] == 3
    assert "with the document of version 2" in ready("automations", "restore", automation_id, "2", "--publish").out
    assert ready("automations", "versions", automation_id).out.count("Note what happened") == 4
    assert len(ready("automations", "versions", automation_id, "--json").json["items"]) == 4


@pytest.mark.usefixtures("own_ids")
def test_a_draft_is_tried_on_the_past(ready: Call, tmp_path: Path) -> None:
    automation_id = ready("automations", "import", "automation.json", "--json").json["automations"][0]["id"]
    for total in (50, 150, 250):
        ready("emit", "test/happened", json.dumps({"total": total}), "--id", f"e{total}")
    told = ready("automations", "backtest", automation_id, "--json").json
    assert (told["progress"], told["counts"]["both"], told["against"]) == ({"events": 3, "of": 3}, 2, 1)
    (tmp_path / "draft.json").write_text(json.dumps({**AUTOMATION, "condition": None, "status": "draft"}))
    draft = ready("automations", "import", "draft.json", "--copy", "--json").json["automations"][0]["id"]
    said = ready("automations", "backtest", draft, "--since", "1h")
    assert "The draft would have started 3 times on 3 events." in said.out
    assert "e250" in said.out
    assert said.err == "", "progress is for a terminal"
    said = ready(
        "automations", "backtest", automation_id, "--version", "1", "--against", "1", "--since", "2020-01-01T00:00:00Z"
    )
    assert "Version 1 would have started 2 times: 0 newly start, 0 no longer do." in said.out
    assert "--since" in ready("automations", "backtest", automation_id, "--since", "whenever").err
    assert ready("automations", "backtest", automation_id, "--version", "2").code == 1
    assert (
        ready("automations", "backtest", automation_id, "--until", "2020-01-01T00:00:00Z", "--json").json["progress"][
            "of"
        ]
        == 0
    )


def test_a_run_is_listed_shown_and_cancelled(ready: Call, tmp_path: Path) -> None:
    from upshot import Upshot

    upshot = Upshot(f"sqlite:///{tmp_path}/upshot.db")
    steps = [{"id": "later", "delay": "24h"}]
    made = upshot.automations.create("default", {**AUTOMATION, "condition": None, "steps": steps})
    run_id = upshot.runs.start_by_hand("default", made["id"], {})["run_id"]
    upshot.close()
    assert run_id in ready("runs", "list").out
    assert [run["id"] for run in ready("runs", "list", "--status", "pending", "--json").json["items"]] == [run_id]
    assert run_id in ready("runs", "show", run_id).out
    assert ready("runs", "cancel", run_id, "--json").json == {"id": run_id, "status": "cancelled"}
    again = ready("runs", "cancel", run_id)
    assert again.code == 1
    assert again.err.startswith("upshot: ")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nothing",),
        ("runs",),
        ("keys", "create", "--role", "viewer"),
        ("emit",),
        ("dev", "--port", "70000"),
        ("dev", "--host", "0.0.0.0"),
        ("runs", "list", "--limit", "0"),
        ("version", "--unknown"),
        ("automations", "diff", "a", "--from", "99999999999999999999"),
        ("automations", "restore", "a", "99999999999999999999"),
    ],
)
def test_wrong_use_exits_with_2_and_says_how_to_ask(call: Call, arguments: tuple[str, ...]) -> None:
    ended = call(*arguments)
    assert ended.code == 2
    assert "Usage: upshot" in ended.err + ended.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("runs", "show", "none"), "There is no run 'none'"),
        (("automations", "show", "none"), "There is no automation 'none'"),
        (("emit", "test/happened", "{"), "data"),
        (("emit", "test/happened", "[]"), "data: is an object"),
        (("emit", "test/happened", '{"a": NaN}'), "data"),
        (("emit", "", "{}"), "name"),
        (("emit", "test/happened", "{}", "--tenant", "other"), "There is no tenant 'other'"),
        (("automations", "import", "missing.json"), "missing.json: cannot be read"),
        (("keys", "create", "--role", "king", "--name", "k"), "role: is one of"),
        (("runs", "list", "--status", "odd"), "--status: is one of"),
        (("runs", "list", "--database", "mysql://x"), "database_url"),
        (("serve",), "UPSHOT_SECRET_KEY"),
        (("worker",), "UPSHOT_SECRET_KEY"),
        (("worker", "--app", "no_such_module:upshot"), "--app: 'no_such_module' cannot be imported"),
        (("migrate", "--database", "sqlite:////no/such/folder/x.db"), "Its folder must be there"),
        (("dev", "--port", "0", "--database", "sqlite:////no/such/folder/x.db"), "Its folder must be there"),
    ],
)
def test_a_failure_exits_with_1_and_says_cause_and_remedy(ready: Call, arguments: tuple[str, ...], said: str) -> None:
    ended = ready(*arguments)
    assert ended.code == 1
    assert said in ended.err
    assert "Traceback" not in ended.err
    told = json.loads(ready(*arguments, "--json").err)["error"]
    assert said.rpartition(": ")[2] in json.dumps(told, ensure_ascii=False)


def test_the_relay_says_what_was_refused_and_why(ready: Call, tmp_path: Path) -> None:
    upshot = Upshot(f"sqlite:///{tmp_path}/upshot.db")
    with upshot.database.writing() as connection:
        upshot.emit("test/happened", id="order-7", connection=connection)
        connection.execute(text("UPDATE upshot_outbox SET format = 99"))
    upshot.close()
    why = "format 99 is not known to this release"
    assert ready("relay").out == f"row order-7 of tenant default was refused (1 times): {why}\npublished 0, failed 1\n"
    told = ready("relay", "--json").json
    assert (told["failed"], told["refused"][0]["error"]) == (0, why), (
        "it is told though its next attempt is yet to come"
    )


def test_packs_are_listed_without_a_database(call: Call, tmp_path: Path) -> None:
    listed = call("packs", "list", "--json")
    assert listed.code == 0
    assert "clinic" in [item["name"] for item in listed.json["items"]]
    assert "clinic" in call("packs", "list").out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "said"), [("name: x", "rule.yaml: "), ('{"a": NaN}', "rule.yaml: a: "), (" " * 8_388_609, "rule.yaml: ")]
)
def test_a_file_that_cannot_be_read_as_json_is_named(call: Call, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "rule.yaml").write_text(text)
    for command in (("automations", "lint", "rule.yaml"), ("automations", "lint", "rule.yaml", "--json")):
        ended = call(*command)
        assert ended.code == 1
        assert "rule.yaml" in ended.err
        assert "Traceback" not in ended.err
    assert said in call("automations", "lint", "rule.yaml").err


def test_a_missing_database_is_not_made_by_looking(call: Call, tmp_path: Path) -> None:
    ended = call("runs", "list")
    assert ended.code == 1
    assert "upshot migrate" in ended.err
    assert list(tmp_path.iterdir()) == []
    told = call("doctor", "--json")
    assert told.code == 1
    assert told.json["status"] == "failed"


def test_a_file_that_is_no_database_is_said_to_be_none(call: Call, tmp_path: Path) -> None:
    (tmp_path / "upshot.db").write_text("this is a letter, and quite a long one at that" * 100)
    ended = call("runs", "list")
    assert ended.code == 1
    assert "cannot be read" in ended.err


def test_a_database_without_our_tables_is_named(call: Call, tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "upshot.db").execute("CREATE TABLE theirs (n)").connection.close()
    ended = call("runs", "list")
    assert ended.code == 1
    assert "has no tables of Upshot. Run `upshot migrate`." in ended.err


def test_a_document_with_problems_is_told_whole_and_nothing_is_kept(ready: Call, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text(
        json.dumps([AUTOMATION, {"name": "", "trigger": {}, "steps": [{"action": "x"}]}])
    )
    linted = ready("automations", "lint", "bad.json", "--json")
    assert linted.code == 1
    assert [bool(one["problems"]) for one in linted.json["automations"]] == [False, True]
    assert ready("automations", "import", "bad.json", "--dry-run").code == 1
    refused = ready("automations", "import", "bad.json")
    assert refused.code == 1
    assert "[1]." in refused.err
    assert ready("automations", "list", "--json").json["items"] == []


def test_documents_are_linted_where_there_is_no_database(call: Call, tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text(json.dumps(AUTOMATION))
    (tmp_path / "bad.json").write_text(json.dumps([AUTOMATION, {"name": "", "trigger": {}, "steps": []}]))
    assert "Note what happened: is fine" in call("automations", "lint", "good.json").out
    bad = call("automations", "lint", "good.json", "bad.json", "--json")
    assert (bad.code, [bool(one["problems"]) for one in bad.json["automations"]]) == (1, [False, False, True])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["bad.json", "good.json"]


def test_control_characters_do_not_reach_the_terminal(ready: Call, tmp_path: Path) -> None:
    ended = ready("automations", "lint", "\x1b[2J.json")
    assert ended.code == 1
    assert "[2J.json: cannot be read" in ended.err
    assert "\x1b" not in ended.err
    (tmp_path / "\x1b[2J.json").write_text(json.dumps(AUTOMATION))
    shown = ready("automations", "lint", "\x1b[2J.json")
    assert shown.code == 0
    assert "\x1b" not in shown.out


def test_an_export_can_be_imported(ready: Call, tmp_path: Path) -> None:
    ready("automations", "import", "automation.json")
    assert ready("automations", "export", "--output", "all.json").code == 0
    again = ready("automations", "import", "all.json", "--json").json["automations"]
    assert [one["problems"] for one in again] == [[]]


def test_the_version_is_said_without_loading_the_engine() -> None:
    program = (
        "import sys; from upshot.cli import main\ntry: main(['version'])\nexcept SystemExit: pass\nprint(*sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert said.startswith("upshot ")
    for heavy in ("sqlalchemy", "fastapi", "uvicorn", "alembic", "msgspec", "upshot.app"):
        assert heavy not in said.split()


def test_schedules_are_listed_with_the_time_they_are_due(ready: Call, tmp_path: Path) -> None:
    assert "No automation has a schedule." in ready("schedules", "list").out
    scheduled = {**AUTOMATION, "trigger": {"schedule": {"daily": "09:00"}}}
    (tmp_path / "scheduled.json").write_text(json.dumps(scheduled))
    automation_id = ready("automations", "import", "scheduled.json", "--json").json["automations"][0]["id"]
    listed = ready("schedules", "list").out
    assert automation_id in listed
    assert "every day at 09:00" in listed
    (item,) = ready("schedules", "list", "--json").json["items"]
    assert item["next_at"].endswith("T09:00:00.000000Z")


def test_automations_are_listed_by_folder_and_tag_and_compared_before_an_import(ready: Call, tmp_path: Path) -> None:
    (tmp_path / "filed.json").write_text(json.dumps({**AUTOMATION, "name": "Filed", "folder": "Shop", "tags": ["vip"]}))
    assert "there is one of this name" not in ready("automations", "import", "filed.json", "--dry-run").out
    assert ready("automations", "import", "filed.json").code == 0
    for options in (("--folder", "Shop"), ("--tag", "vip"), ("--search", "filed")):
        listed = ready("automations", "list", *options, "--json").json["items"]
        assert [one["name"] for one in listed] == ["Filed"]
    (tmp_path / "filed.json").write_text(json.dumps({**AUTOMATION, "name": "Filed", "folder": "Shop", "priority": 9}))
    told = ready("automations", "import", "filed.json", "--dry-run").out
    assert "Filed: would change" in told
    assert "would change: Priority is 9, was 5." in told
