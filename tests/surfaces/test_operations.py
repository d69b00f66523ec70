"""`/livez`, `/readyz`, `/healthz`, `/metrics`: who may ask, that they say what is so, and that the numbers agree."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from tests.surfaces.conftest import ROLES, Surface, document, make_surface
from upshot import Upshot
from upshot.adapters.clock import new_id
from upshot.app.exposition import METRICS
from upshot.app.settings import Settings
from upshot.engine.process import Limits
from upshot.http.app import create_app
from upshot.http.health import create_health_app
from upshot.testing import Harness
from upshot.testing.harness import new_file

METRICS_KEY = "what the monitoring shows"
DEADLINE_SECONDS = 30


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What differs on a server is told by the tests of the doctor."""
    return new_file(tmp_path)


def samples(text: str) -> dict[str, float]:
    """Every sample by its name and labels."""
    return {
        sample.name + "".join(f"{{{name}={value}}}" for name, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of_one_step(action: str) -> dict[str, Any]:
    """An active automation of every appointment, with this one step."""
    return document(condition=None, status="active", steps=[{"id": "a", "action": action, "with": {}}])


def numbers(surface: Surface) -> dict[str, float]:
    return samples(surface.upshot.operations.metrics())


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Surface]:
    yield from make_surface(tmp_path, engine=True, metrics_key=METRICS_KEY)


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
def test_what_tells_of_every_tenant_is_for_whoever_runs_the_installation(watched: Surface, path: str) -> None:
    client = watched.client
    assert client.get(path).status_code == 401
    assert client.get(path, headers=bearer("what the monitoring show")).status_code == 401
    assert client.get(path, headers=bearer(METRICS_KEY)).status_code == 200
    for role in ROLES:
        is_enough = role in {"operator", "admin"} or (path == "/metrics" and role != "emitter")
        assert client.get(path, headers=bearer(watched.keys["default", role])).status_code == (
            200 if is_enough else 403
        )
        assert client.get(path, headers=bearer(watched.keys["alpha", role])).status_code == 403


def test_without_a_metrics_key_no_empty_key_is_let_in(surface: Surface) -> None:
    for value in ("Bearer ", "Bearer", "", "Basic Og=="):
        assert surface.client.get("/metrics", headers={"Authorization": value}).status_code == 401


@pytest.mark.parametrize("make", [lambda u: create_app(u, dev=True), lambda u: create_health_app(u, dev=True)])
def test_in_development_this_machine_needs_no_key_and_another_name_does(surface: Surface, make: Any) -> None:
    app = make(surface.upshot)
    with TestClient(app, base_url="http://localhost", client=("127.0.0.1", 5)) as client:
        assert client.get("/metrics").status_code == client.get("/healthz").status_code == 200
    with TestClient(app, base_url="http://evil.example", client=("127.0.0.1", 5)) as client:
        assert client.get("/metrics").status_code == 403
    with TestClient(app, base_url="http://localhost", client=("10.0.0.9", 5)) as client:
        assert client.get("/metrics").status_code == 401


def test_the_health_addresses_alone_answer_nothing_else(surface: Surface) -> None:
    with TestClient(create_health_app(surface.upshot), base_url="http://localhost") as client:
        assert client.get("/livez").json() == {"status": "ok"}
        assert client.get("/readyz").status_code == 200
        assert client.get("/metrics").status_code == 401
        assert client.get("/api/v1/stats").status_code == client.post("/livez").status_code == 404


def test_every_metric_is_shown_under_its_name_and_none_says_whose_it_is(watched: Surface) -> None:
    text = watched.client.get("/metrics", headers=bearer(METRICS_KEY)).text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    shown = {name.removesuffix("_total") for name in METRICS}
    only_elsewhere = {"clock_skew_seconds", "dead_tuples", "relay_horizon_age_seconds"}  # these are of PostgreSQL
    assert {name.removeprefix("upshot_") for name in families} == shown - only_elsewhere
    assert all(
        set(sample.labels) <= {"status", "outcome", "reason", "queue", "service", "le"}
        for family in families.values()
        for sample in family.samples
    )
    assert "alpha" not in text


def test_the_numbers_are_those_of_stats_summed_over_the_tenants(watched: Surface) -> None:
    for tenant, events in (("alpha", 3), ("beta", 2)):
        watched.post("/automations", document(status="active"), tenant=tenant)
        for number in range(events):
            booked = {"name": "crm/appointment.created", "data": {"appointment": {"status": "scheduled", "id": number}}}
            assert watched.post("/events", booked, tenant=tenant).status_code == 202
    watched.post("/events", {"name": "x", "id": "once"})
    watched.post("/events", {"name": "x", "id": "once"})
    watched.post("/events", {"name": ""})
    watched.settle()
    stats = [watched.get("/stats", tenant=tenant).json() for tenant in ("alpha", "beta")]
    found = numbers(watched)
    assert found["upshot_runs{status=completed}"] == sum(one["runs"]["completed"] for one in stats) == 5
    assert found["upshot_events_kept"] == sum(one["events"]["accepted"] for one in stats)
    assert found["upshot_outbox_pending"] == sum(one["outbox"]["pending"] for one in stats) == 0
    assert found["upshot_events_total{outcome=duplicate}"] == found["upshot_events_total{outcome=rejected}"] == 1
    assert found["upshot_events_total{outcome=accepted}"] == found["upshot_events_kept"]
    assert found["upshot_matches_total"] == found["upshot_runs_finished_total{status=completed}"] == 5
    assert found["upshot_steps_total{outcome=completed}"] == found["upshot_step_seconds_count"] == 5
    assert found["upshot_end_to_end_seconds_count"] == found["upshot_log_to_run_seconds_count"] == 5
    assert found["upshot_commit_seconds_count"] == found["upshot_commits_total{outcome=committed}"] > 0
    assert found["upshot_auth_failures_total"] == 0
    assert watched.get("/stats", role=None).status_code == 401
    assert numbers(watched)["upshot_auth_failures_total"] == 1


def test_what_took_how_long_goes_by_the_clock_and_not_by_ids_or_what_a_host_says() -> None:
    made = {"name": "Later", "trigger": "asked", "steps": [{"id": "wait", "delay": "10m"}, {"id": "end", "delay": 0}]}
    with Harness() as harness:
        harness.upshot.automations.create("default", {**made, "status": "active"})
        new_id(harness.clock.now() + 60 * 86_400_000_000)  # ids never go back: those that follow are ahead of the clock
        harness.upshot.events.accept("default", [{"name": "asked", "ts": "2020-01-01T00:00:00Z"}])
        harness.settle()
        harness.restart()
        harness.advance(600)
        metrics = harness.upshot.engine.process.metrics
        assert (sum(metrics.end_to_end.buckets), metrics.end_to_end.seconds) == (1, 600.0)


def test_however_often_it_is_asked_the_database_is_asked_once_a_second(surface: Surface) -> None:
    first = surface.upshot.operations.snapshot()
    assert surface.upshot.operations.snapshot() is first


def test_what_waits_is_counted_with_its_age(surface: Surface) -> None:
    surface.post("/events", {"name": "x"})
    found = numbers(surface)
    assert found["upshot_log_lag_events"] == 1
    assert 0 <= found["upshot_log_lag_oldest_seconds"] < DEADLINE_SECONDS
    assert found["upshot_workers_alive"] == 0


def test_without_a_database_the_numbers_of_the_process_are_there_all_the_same(tmp_path: Path) -> None:
    upshot = Upshot(f"sqlite:///{tmp_path}/nowhere/upshot.db", settings=Settings(secret_key="k" * 32))
    found = samples(upshot.operations.metrics())
    assert found["upshot_store_up"] == 0
    assert found["upshot_events_matched_total"] == 0
    ready = upshot.operations.ready()
    assert (ready["status"], ready["checks"]["database"]) == ("not_ready", "cannot be read")
    upshot.close()


def test_an_automation_whose_action_is_not_here_is_counted(tmp_path: Path) -> None:
    def host(*, knows: bool) -> Upshot:
        upshot = Upshot(f"sqlite:///{tmp_path}/upshot.db", settings=Settings(secret_key="k" * 32))
        if knows:

            @upshot.action("of_the_host")
            def of_the_host(args: dict) -> None:
                """Nothing."""

        return upshot

    before = host(knows=True)
    before.migrate()
    before.automations.create("default", of_one_step("of_the_host"))
    before.engine.process.definitions.of_now("default")
    assert samples(before.operations.metrics())["upshot_definitions_unrunnable"] == 0
    before.close()
    after = host(knows=False)
    after.engine.process.definitions.of_now("default")
    assert samples(after.operations.metrics())["upshot_definitions_unrunnable"] == 1
    after.close()


def test_health_tells_of_each_service_and_of_what_went_wrong(watched: Surface) -> None:
    def told() -> dict[str, Any]:
        return watched.client.get("/healthz", headers=bearer(METRICS_KEY)).json()

    watched.settle()
    services = told()["services"]
    assert {"match", "recover", "timekeep", "relay", "housekeep"} <= services.keys()
    assert all(one["succeeded_seconds_ago"] is not None and one["failures"] == 0 for one in services.values())
    assert {"sqlite", "secret_key", "definitions"} <= {finding["name"] for finding in told()["findings"]}


@pytest.mark.timeout(90)
def test_livez_is_judged_by_whether_the_engines_loop_turns(tmp_path: Path) -> None:
    limits = Limits(stall_seconds=0.8)
    upshot = Upshot(f"sqlite:///{tmp_path}/upshot.db", settings=Settings(secret_key="k" * 32), limits=limits)
    blocked, release = threading.Event(), threading.Event()

    @upshot.action("block")
    async def block(args: dict) -> None:
        blocked.set()
        release.wait()  # what an action must not do: it blocks the loop

    upshot.migrate()
    upshot.automations.create("default", of_one_step("block"))
    upshot.start()
    try:
        with TestClient(create_health_app(upshot), base_url="http://localhost") as client:
            assert client.get("/livez").status_code == 200
            upshot.emit("crm/appointment.created")
            assert blocked.wait(DEADLINE_SECONDS)
            stalled = until(lambda: client.get("/livez"), lambda answered: answered.status_code == 503)
            assert stalled.json() == {"status": "stalled"}
            release.set()
            until(lambda: client.get("/livez"), lambda answered: answered.status_code == 200)
    finally:
        release.set()
        upshot.stop()


@pytest.mark.timeout(90)
def test_readyz_says_no_while_the_process_drains(tmp_path: Path) -> None:
    upshot = Upshot(f"sqlite:///{tmp_path}/upshot.db", settings=Settings(secret_key="k" * 32))
    started, release = threading.Event(), threading.Event()

    @upshot.action("take_long")
    def take_long(args: dict) -> None:
        started.set()
        release.wait()

    upshot.migrate()
    upshot.automations.create("default", of_one_step("take_long"))
    upshot.start()
    with TestClient(create_health_app(upshot), base_url="http://localhost") as client:
        assert client.get("/readyz").json()["checks"]["draining"] == "ok"
        upshot.emit("crm/appointment.created")
        assert started.wait(DEADLINE_SECONDS)
        stopping = threading.Thread(target=upshot.stop)
        stopping.start()
        ready = until(lambda: client.get("/readyz"), lambda answered: answered.status_code == 503)
        assert ready.json()["checks"] == {"database": "ok", "schema": "ok", "writing": "ok", "draining": "yes"}
        assert client.get("/livez").status_code == 200
    release.set()
    stopping.join()


def until(ask: Any, is_so: Any) -> Any:
    """The first answer that is as wanted."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        if is_so(answered := ask()):
            return answered
    raise AssertionError(answered)
