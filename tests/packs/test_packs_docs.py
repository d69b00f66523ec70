"""The pages on packs say what is there, and their code and calls work."""

import asyncio
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from upshot import Settings, Upshot
from upshot.app.packs import built_in_packs
from upshot.http.app import create_app

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = (DOCS / "reference" / "packs.md").read_text()
SCENARIOS = DOCS / "reference" / "scenarios.md"
TUTORIAL = (DOCS / "tutorial" / "first-automation.md").read_text()
README = (DOCS.parent / "README.md").read_text()
CLINIC = built_in_packs()["clinic"]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)


def settle(upshot: Upshot) -> None:
    assert upshot.engine.loop is not None
    asyncio.run_coroutine_threadsafe(upshot.engine.idle(), upshot.engine.loop).result(30)


@pytest.fixture
def upshot(tmp_path: Path) -> Iterator[Upshot]:
    made = Upshot(f"sqlite:///{tmp_path}/upshot.db", settings=Settings(secret_key="k" * 32))
    made.migrate()
    made.packs.demo("default")
    made.start()
    yield made
    made.stop()


def call(client: TestClient, line: str) -> Any:
    """Make the call of a curl command."""
    words = shlex.split(line)
    method, body, url = "GET", None, ""
    for index, word in enumerate(words):
        method = words[index + 1] if word == "-X" else method
        body = words[index + 1] if word == "-d" else body
        url = word if word.startswith("http") else url
    headers = {"content-type": "application/json"}
    return client.request(method, url.replace("127.0.0.1:8321", "localhost"), content=body, headers=headers)


def test_the_reference_names_everything_of_the_clinic() -> None:
    named = set(re.findall(r"^\| ([^|]+?) \|", REFERENCE, re.MULTILINE))
    assert {f"`{one.name}`" for one in (*CLINIC.event_types, *CLINIC.actions)} <= named
    assert {document["name"] for document in CLINIC.automations.values()} <= named
    for one in CLINIC.actions:
        (row,) = re.findall(rf"^\| `{one.name}` \| `{one.over}` \| (.+?) \|", REFERENCE, re.MULTILINE)
        written = {(name, not optional) for name, optional in re.findall(r"`(\w+)`(\??)", row)}
        assert written == {(name, name in one.required) for name in one.arguments}
    for entity_type in CLINIC.entity_types:
        assert all(f"`{name}`" in REFERENCE for name in [entity_type.name, *(entity_type.allowed_fields or [])])


def test_the_scenario_of_the_reference_plays_by_the_test_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = SCENARIOS.read_text()
    (scenario,), (program,) = blocks(page, "toml"), blocks(page, "python")
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "visit.toml").write_text(scenario)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(program, names)
    names["test_the_scenario_comes_out_as_it_says"]("scenarios/visit.toml")


def test_the_calls_of_the_tutorial_do_what_it_says(upshot: Upshot) -> None:
    client = TestClient(create_app(upshot, dev=True), base_url="http://localhost", client=("127.0.0.1", 5000))
    answers: list[Any] = []
    for block in blocks(TUTORIAL, "bash"):
        for command in re.findall(r"^curl .*?(?=^curl |\Z)", block, re.MULTILINE | re.DOTALL):
            answer = call(client, command)
            assert answer.status_code < 300, answer.text
            answers.append(answer.json())
            settle(upshot)
    runs, drafts, explained = answers[-3:]
    assert {"First visit": "completed"}.items() <= {r["automation"]["name"]: r["status"] for r in runs["items"]}.items()
    assert {run["status"] for run in runs["items"]} == {"completed"}
    assert "Dear Grace, we look forward to your visit." in [draft["fields"]["body"] for draft in drafts["items"]]
    assert {one["outcome"] for one in explained["automations"]} == {"started", "condition_false"}


def test_the_call_of_the_readme_works_on_the_sample_data(upshot: Upshot) -> None:
    client = TestClient(create_app(upshot, dev=True), base_url="http://localhost", client=("127.0.0.1", 5000))
    (command,) = [block for block in blocks(README, "console") if "curl" in block]
    answer = call(client, command.replace("$ curl", "curl"))
    assert answer.status_code == 202, answer.text
    settle(upshot)
    runs = upshot.events.get("default", answer.json()["ids"][0])["runs"]
    assert {"Consultation booked": "completed"}.items() <= {r["automation"]["name"]: r["status"] for r in runs}.items()
    assert {run["status"] for run in runs} == {"completed"}


def test_firing_each_sample_event_on_the_sample_data_fails_nothing(upshot: Upshot) -> None:
    settle(upshot)
    for declared in CLINIC.event_types:
        event_id = upshot.emit(declared.name, declared.sample)
        settle(upshot)
        assert event_id is not None
        runs = upshot.events.get("default", event_id)["runs"]
        assert {run["status"] for run in runs} <= {"completed", "waiting"}, declared.name


def test_the_python_of_the_tutorial_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    first, *others = blocks(TUTORIAL, "python")
    page: dict[str, Any] = {"__name__": "first_automation"}
    exec(first, page)
    for block in others:
        exec(block, page)
        if page["upshot"].engine.loop is not None and not page["upshot"].engine.loop.is_closed():
            settle(page["upshot"])
    printed = capsys.readouterr().out
    assert "Badge for the visit completed" in printed
    assert "Printed: badge of Grace" in printed
