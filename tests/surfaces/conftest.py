"""One installation with its HTTP surface, two tenants, and a key for every role."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from upshot.app.settings import Settings
from upshot.app.upshot import Upshot
from upshot.http.app import create_app
from upshot.testing.harness import new_file

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


def raw(surface: Surface, body: bytes | str, path: str = "/events", method: str = "POST", **headers: str) -> Any:
    """Send these very bytes as JSON."""
    return surface.call(method, path, content=body, headers={"Content-Type": "application/json", **headers})


Headers = list[tuple[bytes, bytes]]


def asgi_scope(surface: Surface, path: str, headers: Headers | None = None, method: str = "POST") -> dict[str, Any]:
    """A request as a server hands it over; with an admin's key where no headers are given."""
    admin = (b"authorization", f"Bearer {surface.keys['alpha', 'admin']}".encode())
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", b"localhost"),
            (b"content-type", b"application/json"),
            *([admin] if headers is None else headers),
        ],
        "client": ("10.0.0.1", 5),
        "server": ("localhost", 80),
    }


def hand_over(surface: Surface, scope: dict[str, Any], body: bytes = b"") -> tuple[int, Headers, bytes]:
    """Give the application a request as no client would write it; the status, headers and body of its answer."""
    answered: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        answered.append(message)

    asyncio.run(surface.client.app(scope, receive, send))  # type: ignore[arg-type, misc] - an ASGI application
    text = b"".join(message.get("body", b"") for message in answered)
    return answered[0]["status"], answered[0]["headers"], text


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
    """Time that passes only when a test moves `instant`."""

    def __init__(self) -> None:
        self.instant = 1_800_000_000_000_000

    def now(self) -> int:
        """The instant that the test set."""
        return self.instant


def make_surface(url: str | Path, *, engine: bool = False, clock: Any = None, **settings: Any) -> Iterator[Surface]:
    """A new installation with the tenants alpha and beta, in this database, or in a file in this folder."""
    given = Settings(secret_key="k" * 32, **settings)
    address = url if isinstance(url, str) else new_file(url)
    upshot = Upshot(address, settings=given, clock=clock)
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
def surface(url: str) -> Iterator[Surface]:
    """Without an engine: nothing is matched and no run is driven."""
    yield from make_surface(url)


@pytest.fixture(scope="module")
def resting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surface]:
    """One for all tests of a module whose requests are refused before any database is asked: nothing is ever kept in it."""
    with contextmanager(make_surface)(tmp_path_factory.mktemp("resting"), requests_per_second=1_000_000) as surface:
        yield surface
        for noun in ("events", "automations", "entities", "event-types", "runs"):
            assert surface.get(f"/{noun}").json()["items"] == []


@pytest.fixture
def running(url: str) -> Iterator[Surface]:
    """With the engine on the server's event loop."""
    yield from make_surface(url, engine=True)
