"""`dev`, `serve` and `worker` as real processes."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.conftest import SECRET, Serve

AUTOMATION = {
    "name": "Note what happened",
    "trigger": {"event": "test/happened"},
    "steps": [{"id": "note", "action": "create_task", "with": {"title": "Look at {{ what }}"}}],
    "status": "active",
}


def completed_run(client: httpx.Client, cause: Any) -> dict[str, Any]:
    """Do what `cause` does, and follow the live stream until the run it starts is completed; no clock is waited for."""
    with client.stream("GET", "/api/v1/stream", timeout=60) as stream:
        lines = stream.iter_lines()
        next(lines)
        cause()
        for line in lines:
            if line.startswith("data: ") and json.loads(line[6:]).get("status") == "completed":
                break
    (run,) = client.get("/api/v1/runs").json()["items"]
    return run


@pytest.mark.timeout(180)
def test_dev_serves_runs_an_automation_and_starts_again_with_everything_kept(serve: Serve, tmp_path: Path) -> None:
    first = serve("dev", "--port", "0")
    with first.client() as client:
        assert client.get("/readyz").status_code == 200
        assert client.get("/healthz").json()["checks"]["engine"] == "running"
        made = client.post("/api/v1/automations", json=AUTOMATION)
        assert made.status_code == 201, made.text
        event = {"name": "test/happened", "data": {"what": "this"}}
        run = completed_run(client, lambda: client.post("/api/v1/events", json=event).raise_for_status())
        assert run["status"] == "completed"
    first.stop()
    assert [told["event"] for told in first.said] == ["secret_key", "database", "ready"]
    assert (tmp_path / ".upshot" / "secret-key").stat().st_mode & 0o077 == 0

    second = serve("dev", "--port", "0")
    with second.client() as client:
        assert [kept["id"] for kept in client.get("/api/v1/runs").json()["items"]] == [run["id"]]
    second.stop(signal.SIGTERM)


@pytest.mark.timeout(180)
def test_an_open_stream_does_not_hold_the_stop_up_and_is_ended_in_order(serve: Serve) -> None:
    served = serve("dev", "--port", "0")
    with served.client() as client, client.stream("GET", "/api/v1/stream") as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith("retry:")
        served.process.send_signal(signal.SIGINT)
        assert list(lines) is not None, "a stream that is cut off instead of ended raises here"
    assert served.stop() == ""


@pytest.mark.timeout(180)
def test_what_the_command_line_writes_beside_a_running_dev_is_matched(serve: Serve, tmp_path: Path) -> None:
    served = serve("dev", "--port", "0")
    document = tmp_path / "automation.json"
    document.write_text(json.dumps(AUTOMATION))

    def beside(*arguments: str) -> Any:
        command = [sys.executable, "-m", "upshot.cli", *arguments, "--json"]
        return json.loads(subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout)

    with served.client() as client:
        beside("automations", "import", str(document))
        run = completed_run(client, lambda: beside("emit", "test/happened", '{"what": "that"}'))
        assert beside("runs", "show", run["id"])["status"] == "completed"
    served.stop()


def test_dev_says_what_to_do_when_the_port_is_taken(serve: Serve, tmp_path: Path) -> None:
    first = serve("dev", "--port", "0")
    port = first.ready()["url"].rsplit(":", 1)[1]
    second = serve("dev", "--port", port)
    _, err = second.process.communicate(timeout=60)
    assert second.process.returncode == 1
    assert "--port" in json.loads(err)["error"]["message"]
    third = serve("dev", "--port", "0")
    _, err = third.process.communicate(timeout=60)
    assert third.process.returncode == 1
    assert "Another engine runs" in json.loads(err)["error"]["message"]
    first.stop()


@pytest.mark.timeout(180)
def test_serve_needs_keys_and_answers_who_has_one(serve: Serve, tmp_path: Path) -> None:
    database = ("--database", f"sqlite:///{tmp_path}/live.db")
    migrated = serve("migrate", *database)
    migrated.process.communicate(timeout=60)
    made = serve("keys", "create", "--role", "viewer", "--name", "test", *database)
    key = json.loads(made.process.communicate(timeout=60)[0])["key"]

    served = serve("serve", "--port", "0", *database, UPSHOT_SECRET_KEY=SECRET)
    with served.client() as client:
        assert client.get("/livez").status_code == 200
        assert client.get("/api/v1/runs").status_code == 401
        assert client.get("/api/v1/runs", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    served.stop(signal.SIGTERM)


@pytest.mark.timeout(180)
def test_the_worker_runs_until_it_is_asked_to_stop(serve: Serve, tmp_path: Path) -> None:
    database = ("--database", f"sqlite:///{tmp_path}/live.db")
    serve("migrate", *database).process.communicate(timeout=60)
    worker = serve("worker", *database, UPSHOT_SECRET_KEY=SECRET)
    worker.ready()
    worker.stop(signal.SIGTERM)


@pytest.mark.timeout(180)
def test_the_relay_goes_on_until_it_is_asked_to_stop(serve: Serve, tmp_path: Path) -> None:
    database = ("--database", f"sqlite:///{tmp_path}/live.db")
    serve("migrate", *database).process.communicate(timeout=60)
    relay = serve("relay", "--loop", *database)
    assert relay.process.stdout is not None
    assert json.loads(relay.process.stdout.readline()) == {"published": 0, "failed": 0}
    relay.stop()


HOST = """
import asyncio, threading
from upshot import Upshot

upshot = Upshot("sqlite:///host.db")

@upshot.action("in_a_thread")
def in_a_thread(args: dict, context) -> None:
    threading.Event().wait()

@upshot.action("against_cancelling")
async def against_cancelling(args: dict, context) -> None:
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass
"""


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("action", "code"), [("in_a_thread", 0), ("against_cancelling", 1)])
def test_a_step_that_never_ends_does_not_hold_the_stop_up(serve: Serve, tmp_path: Path, action: str, code: int) -> None:
    (tmp_path / "host.py").write_text(HOST)
    served = serve("dev", "--port", "0", "--app", "host:upshot")
    document = {**AUTOMATION, "steps": [{"id": "hang", "action": action, "with": {}}]}
    with served.client() as client:
        assert client.post("/api/v1/automations", json=document).status_code == 201
        with client.stream("GET", "/api/v1/stream", timeout=60) as stream:
            lines = stream.iter_lines()
            next(lines)
            client.post("/api/v1/events", json={"name": "test/happened"}).raise_for_status()
            next(line for line in lines if line == "event: event")
    served.process.send_signal(signal.SIGINT)
    _, err = served.process.communicate(timeout=5)
    assert served.process.returncode == code, err
    assert ("cut off" in err) is (code == 1)


@pytest.mark.timeout(180)
def test_the_demo_installs_the_clinic_once_and_its_runs_go(serve: Serve) -> None:
    first = serve("dev", "--demo", "--port", "0")
    with first.client() as client:
        assert len(client.get("/api/v1/automations").json()["items"]) >= 4
    first.stop()
    second = serve("dev", "--demo", "--port", "0")
    with second.client() as client:
        assert sum(client.get("/api/v1/stats").json()["runs"].values()) > 0
    assert next(told for told in second.said if told["event"] == "demo")["events"] == 0
    second.stop()
