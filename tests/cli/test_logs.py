"""Logs of our own processes: which fields a line has, and that nothing personal or secret ever stands in one."""

import io
import json
import logging
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import SECRET, Serve
from upshot import Refused
from upshot.cli import logs

PAYLOAD, EMAIL, TOKEN = "canary-payload", "ada.canary@example.com", "canary-token-of-the-host"
HOST = f"""
from upshot import Upshot

upshot = Upshot("sqlite:///host.db")

@upshot.action("fail")
def fail(args: dict, context) -> None:
    context.log(args["x"])
    raise RuntimeError("{TOKEN} " + args["x"])
"""


@pytest.fixture
def written(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What loggers of upshot and of a host write, in the format that the test is given."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.formatter(request.param))
    loggers = [logging.getLogger(name) for name in ("upshot", "shop")]
    for logger in loggers:
        logger.addHandler(handler)
    yield stream
    for logger in loggers:
        logger.removeHandler(handler)


def raised() -> Exception:
    error = ValueError(f"{EMAIL} is not a number")
    try:
        {}[PAYLOAD]
    except KeyError as cause:
        error.__cause__ = cause
    return error


@pytest.mark.parametrize("written", ["json"], indirect=True)
def test_a_line_has_the_listed_fields_and_no_others(written: io.StringIO) -> None:
    log = logging.getLogger("upshot.engine")
    log.warning(
        "event %s of tenant %s: %s conditions undecided; of automation %s: %s",
        "e1",
        "t1",
        3,
        "a1",
        f"{PAYLOAD} is not a number",
    )
    log.error("run %s could not be driven on", "r1", exc_info=raised(), extra={"payload": PAYLOAD, "email": EMAIL})
    first, second = (json.loads(line) for line in written.getvalue().splitlines())
    assert first.pop("time").endswith("Z")
    assert first == {
        "level": "warning",
        "logger": "upshot.engine",
        "event": "event e1 of tenant t1: 3 conditions undecided; of automation a1: …",
        "event_id": "e1",
        "tenant_id": "t1",
        "count": 3,
        "automation_id": "a1",
    }
    assert (second["run_id"], second["error"]) == ("r1", "ValueError < KeyError")
    assert "test_logs.py" in second["at"]
    assert second.keys() <= logs.ALLOWED


@pytest.mark.parametrize("written", ["json", "text"], indirect=True)
def test_no_payload_secret_or_address_is_in_a_line_and_no_data_makes_one(written: io.StringIO) -> None:
    engine, host = logging.getLogger("upshot.engine"), logging.getLogger("shop")
    engine.error("event %s could not be matched: %s", "e1", raised())
    engine.warning("outbox row %s of tenant %s was not accepted: %s", EMAIL, "t\n1\x1b[2J", PAYLOAD)
    engine.exception(f"Task exception was never retrieved\nfuture: {PAYLOAD}", exc_info=raised())
    host.error("order of %s failed: token=%s", EMAIL, TOKEN, exc_info=raised())
    text = written.getvalue()
    for canary in (PAYLOAD, EMAIL, TOKEN, "\x1b"):
        assert canary not in text
    assert len(text.splitlines()) == 4
    assert "ValueError" in text


def test_a_hosts_sentence_that_does_not_fit_its_values_is_told_as_it_stands() -> None:
    record = logging.makeLogRecord({"name": "shop", "msg": "broken %d", "args": ("sentence",), "levelname": "ERROR"})
    assert json.loads(logs.formatter("json").format(record))["event"] == "broken %d"


@pytest.mark.parametrize("given", [("xml", "warning"), ("json", "loud")])
def test_a_format_or_level_that_there_is_not_is_refused(given: tuple[str, str]) -> None:
    with pytest.raises(Refused):
        logs.configure(*given)


def test_a_library_configures_no_logging(tmp_path: Path) -> None:
    program = "import logging, upshot; upshot.Upshot('sqlite:///x.db').migrate(); print(logging.getLogger().handlers)"
    ran = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def refuse_an_outbox_row(path: Path) -> None:
    """Let a host's row fail that holds what nobody may read in a log, and wait until it has."""
    payload = json.dumps({"name": "x", "data": {"what": PAYLOAD}, EMAIL: TOKEN})
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        row = ("1", "default", payload, 0, 0)
        columns = "id, tenant_id, payload, created_at, next_attempt_at"
        connection.execute(f"INSERT INTO upshot_outbox ({columns}) VALUES (?, ?, ?, ?, ?)", row)
        deadline = time.monotonic() + 30
        while connection.execute("SELECT error FROM upshot_outbox").fetchone() == (None,):
            assert time.monotonic() < deadline


@pytest.mark.timeout(180)
@pytest.mark.parametrize("log_format", ["json", "text"])
def test_real_runs_leave_no_payload_secret_or_address_in_the_log(serve: Serve, tmp_path: Path, log_format: str) -> None:
    (tmp_path / "host.py").write_text(HOST)
    arguments = ("dev", "--port", "0", "--app", "host:upshot", "--log-format", log_format)
    served = serve(*arguments, UPSHOT_LOG_LEVEL="debug", UPSHOT_SECRET_KEY=SECRET)
    document: dict[str, Any] = {
        "name": "fail",
        "trigger": {"event": "test/happened"},
        "status": "active",
    }
    step = {"id": "a", "action": "fail", "with": {"x": "{{ what }} {{ email }}"}}
    data = {"what": PAYLOAD, "email": EMAIL}
    with served.client() as client:
        document = {**document, "steps": [{**step, "on_error": "retry", "retries": 1}]}
        client.post("/api/v1/automations", json=document).raise_for_status()
        with client.stream("GET", "/api/v1/stream", timeout=60) as stream:
            lines = stream.iter_lines()
            next(lines)
            client.post("/api/v1/events", json={"name": "test/happened", "data": data}).raise_for_status()
            next(line for line in lines if line.startswith("data: ") and '"waiting"' in line)
        assert client.post("/api/v1/events", json={"name": PAYLOAD, "data": EMAIL}).status_code == 400
        assert client.get("/api/v1/runs", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 401
        refuse_an_outbox_row(tmp_path / "host.db")
    err = served.stop()
    for canary in (PAYLOAD, EMAIL, TOKEN, SECRET):
        assert canary not in err
    assert "was not accepted" in err, "there is something in the log"
    if log_format == "json":
        assert all(json.loads(line).keys() <= logs.ALLOWED for line in err.splitlines())
