"""One installation with its HTTP surface, two tenants, and a key for every role."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from upshot.app.settings import Settings
from upshot.app.upshot import Upshot
from upshot.http.app import create_app

ROLES = ("viewer", "editor", "operator", "admin", "emitter")
API = "/api/v1"


class Surface:
    """The application under test, and who may talk to it."""

    def __init__(self, upshot: Upshot, client: TestClient, keys: dict[tuple[str, str], str]) -> None:
        self.upshot, self.client, self.keys = upshot, client, keys

    def call(self, method: str, path: str, *, role: str | None = "admin", tenant: str = "alpha", **more: Any) -> Any:
        """Make one request with the key of this role of this tenant (None: without a key)."""
        headers = dict(more.pop("headers", {}))
        if role is not None:
            headers["Authorization"] = f"Bearer {self.keys[tenant, role]}"
        return self.client.request(method, API + path, headers=headers, **more)

    def get(self, path: str, **more: Any) -> Any:
        """GET as an admin, or as told."""
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        """POST JSON as an admin, or as told."""
        return self.call("POST", path, json=body, **more) if body is not None else self.call("POST", path, **more)

    def put(self, path: str, body: Any, **more: Any) -> Any:
        """PUT JSON as an admin, or as told."""
        return self.call("PUT", path, json=body, **more)

    def patch(self, path: str, body: Any, **more: Any) -> Any:
        """PATCH JSON as an admin, or as told."""
        return self.call("PATCH", path, json=body, **more)

    def delete(self, path: str, **more: Any) -> Any:
        """DELETE as an admin, or as told."""
        return self.call("DELETE", path, **more)

    def settle(self) -> None:
        """Wait until the engine has done all that can be done now."""
        engine = self.upshot.engine
        assert engine.loop is not None
        asyncio.run_coroutine_threadsafe(engine.idle(), engine.loop).result(30)


def document(**changes: Any) -> dict[str, Any]:
    """A small automation in the canonical shape."""
    return {
        "name": "Consultation booked",
        "trigger": {"event": "crm/appointment.created"},
        "priority": 5,
        "condition": {
            "combinator": "and",
            "rules": [{"field": "appointment.status", "operator": "equals", "value": "scheduled"}],
        },
        "steps": [
            {
                "id": "note",
                "action": "create_entity",
                "with": {"type": "note", "fields": {"content": "{{ appointment.id }}"}},
            }
        ],
        **changes,
    }


class StillClock:
    """Time that does not pass."""

    def now(self) -> int:
        """Always the same instant."""
        return 1_800_000_000_000_000


def make_surface(folder: Path, *, engine: bool = False, clock: Any = None, **settings: Any) -> Iterator[Surface]:
    """A new installation with the tenants alpha and beta."""
    given = Settings(secret_key="k" * 32, **settings)
    upshot = Upshot(f"sqlite:///{folder}/upshot.db", settings=given, clock=clock)
    upshot.migrate()
    keys: dict[tuple[str, str], str] = {}
    for tenant in ("default", "alpha", "beta"):
        upshot.tenants.ensure(tenant)
        for role in ROLES:
            keys[tenant, role] = upshot.keys.create(tenant, name=role, role=role)["key"]
    app = create_app(upshot, engine=engine)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield Surface(upshot, client, keys)
    upshot.close()


@pytest.fixture
def surface(tmp_path: Path) -> Iterator[Surface]:
    """Without an engine: nothing is matched and no run is driven."""
    yield from make_surface(tmp_path)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Surface]:
    """With the engine on the server's event loop."""
    yield from make_surface(tmp_path, engine=True)
