"""Lists stay fast however long the history: each is read by an index that its filter names, never by walking the tenant."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event as listening

from tests.surfaces.conftest import Surface
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
