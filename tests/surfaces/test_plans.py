"""Lists stay fast however long the history: each is read by an index that its filter names, never by walking the tenant."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event as listening
from sqlalchemy import text

from tests.stores import store
from tests.surfaces.conftest import Surface, document, make_surface
from upshot.testing.harness import new_file

LOOKUPS = {
    "/runs?event=e1": "tenant_id=? AND event_id=?",
    "/runs?entity=patient:p1": "ix_upshot_runs_entity (tenant_id=? AND entity_type=? AND entity_id=?)",
    "/runs?replay=r1": "ix_upshot_runs_replay (tenant_id=? AND replay_id=?)",
    "/runs?automation=a1": "(tenant_id=? AND automation_id=?)",
    "/runs?status=failed": "ix_upshot_runs_trouble (tenant_id=? AND status=?)",
    "/events?entity=patient:p1": "ix_upshot_events_entity (tenant_id=? AND entity_type=? AND entity_id=?)",
    "/events?name=x": "(tenant_id=? AND name=?)",
    "/events?since=2026-01-01T00:00:00Z": "PRIMARY KEY (tenant_id=? AND id>?)",
    "/events/e1": "tenant_id=? AND event_id=?",
    "/entities/patient": "(tenant_id=? AND type=?)",
}


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The plans are those of SQLite."""
    return new_file(tmp_path)


@pytest.mark.parametrize("path", LOOKUPS)
def test_a_list_is_read_by_its_index(surface: Surface, path: str) -> None:
    surface.post("/events", {"name": "x", "id": "e1", "entity": {"type": "patient", "id": "p1"}})
    plans: list[str] = []

    def note(connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: Any) -> None:
        if statement.startswith("SELECT"):
            rows = connection.connection.dbapi_connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[3] for row in rows)

    engine = surface.upshot.database.engine
    listening.listen(engine, "before_cursor_execute", note)
    assert surface.get(path).status_code == 200
    listening.remove(engine, "before_cursor_execute", note)
    assert any(LOOKUPS[path] in plan for plan in plans), plans
    walks = [
        plan
        for plan in plans
        if plan.startswith("SCAN upshot") or plan.endswith("upshot_runs USING PRIMARY KEY (tenant_id=?)")
    ]
    assert walks == []


PAGES = (
    *LOOKUPS, "/runs", "/runs/{run}", "/runs?status=completed", "/runs?status=waiting", "/events", "/events/e1/explain",
    "/automations", "/automations/{automation}", "/automations/{automation}/versions", "/entities", "/schedules", "/segments",
    "/dead-letters", "/dead-letters/groups", "/event-types", "/stats", "/audit",
)  # fmt: skip
MANY = 50_000_000
COST_MAX = 100_000
"""PostgreSQL's unit is a page read in sequence; to walk so many rows costs five times as much."""


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Surface, dict[str, str]]]:
    """A server that believes its tables to hold as many rows as years bring, nearly all of one tenant."""
    with ExitStack() as made:
        url = made.enter_context(store("postgresql", tmp_path_factory.mktemp("grown")))
        surface = made.enter_context(contextmanager(make_surface)(url, engine=True))
        automation = surface.post("/automations", {**document(condition=None), "status": "active"}).json()["id"]
        for number in range(1, 41):
            about = {"type": "patient", "id": f"p{number}"}
            surface.post(
                "/events", {"name": "crm/appointment.created", "id": f"e{number}", "entity": about, "data": {}}
            )
        nap = document(condition=None, trigger={"event": "crm/nap"}, steps=[{"id": "nap", "delay": "1d"}])
        surface.post("/automations", {**nap, "status": "active"})
        for _ in range(3):
            surface.post("/events", {"name": "crm/nap", "data": {}})
        surface.settle()
        run = surface.get("/runs?status=completed").json()["items"][0]["id"]
        asleep = [found["id"] for found in surface.get("/runs?status=waiting").json()["items"]]
        with surface.upshot.database.writing() as connection:
            connection.execute(text("ANALYZE"))
            for name in ("runs", "events", "steps", "active", "timers"):
                grow = text("UPDATE pg_class SET relpages = 1, reltuples = :many WHERE oid = to_regclass(:name)")
                connection.execute(grow, {"many": MANY, "name": f"upshot_{name}"})
        yield (
            surface,
            {"run": run, "automation": automation, **dict(zip(("first", "second", "third"), asleep, strict=True))},
        )


@contextmanager
def noting_costs(surface: Surface) -> Iterator[dict[str, float]]:
    """What the server expects each statement to cost, by its plan."""
    costs: dict[str, float] = {}

    def note(connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, is_many: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE", "INSERT")) and not is_many:
            rows = connection.connection.driver_connection.execute(f"EXPLAIN {statement}", parameters)
            plan = "\n".join([statement, *(row[0] for row in rows)])
            if "cost=" in plan:
                costs[plan] = float(plan.split("cost=")[1].split("..")[1].split()[0])

    engine = surface.upshot.database.engine
    listening.listen(engine, "before_cursor_execute", note)
    yield costs
    listening.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("path", PAGES)
def test_on_a_server_that_keeps_tenants_apart_no_page_walks_the_history(
    grown: tuple[Surface, dict[str, str]], path: str
) -> None:
    surface, ids = grown
    with noting_costs(surface) as costs:
        assert surface.get(path.format(**ids)).status_code == 200
    assert costs
    assert {plan: cost for plan, cost in costs.items() if cost > COST_MAX} == {}


CHANGES = {
    "/events": {
        "name": "crm/appointment.created",
        "id": "again",
        "entity": {"type": "patient", "id": "p1"},
        "data": {},
    },
    "/entities/patient": {"fields": {"name": "Ada"}},
    "/runs/{run}/rerun": {},
    "/runs/{first}/pause": None,
    "/runs/{second}/skip": {"step": "nap"},
    "/runs/{third}/cancel": None,
    "/automations/{automation}/pause": None,
}


@pytest.mark.parametrize("path", CHANGES)
def test_nor_does_a_change(grown: tuple[Surface, dict[str, str]], path: str) -> None:
    surface, ids = grown
    with noting_costs(surface) as costs:
        assert surface.post(path.format(**ids), CHANGES[path]).status_code < 300
    assert {plan: cost for plan, cost in costs.items() if cost > COST_MAX} == {}
