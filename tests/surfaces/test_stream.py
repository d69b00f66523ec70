"""`/stream`: changes as they happen, for one tenant."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import uvicorn

from tests.surfaces.conftest import Surface, document
from upshot.http.app import create_app


class Lines:
    """Reads the notices of an open stream."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()

    async def next(self, kind: str) -> dict[str, Any]:
        """The next notice of this kind."""
        async for line in self._lines:
            if line == f"event: {kind}":
                data = await anext(self._lines)
                found: dict[str, Any] = json.loads(data.removeprefix("data: "))
                return found
        raise AssertionError("the stream ended")


class Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_ready = asyncio.Event()

    async def startup(self, sockets: list[Any] | None = None) -> None:
        await super().startup(sockets)
        self.is_ready.set()


async def with_server(surface: Surface, use: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
    """Serve the application on a port of its own, with the engine on the server's event loop."""
    config = uvicorn.Config(create_app(surface.upshot, engine=True), port=0, log_level="warning", lifespan="on")
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    await server.is_ready.wait()
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        await use(client)
    server.should_exit = True
    await serving


def test_changes_arrive_and_only_the_tenants_own(surface: Surface) -> None:
    async def use(client: httpx.AsyncClient) -> None:
        own = {"Authorization": f"Bearer {surface.keys['alpha', 'admin']}"}
        other = {"Authorization": f"Bearer {surface.keys['beta', 'admin']}"}
        assert (await client.get("/api/v1/stream")).status_code == 401
        async with client.stream("GET", "/api/v1/stream", headers=own) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            lines = Lines(response)
            await client.post("/api/v1/automations", headers=other, json=document(status="active"))
            made = (await client.post("/api/v1/automations", headers=own, json=document(status="active"))).json()
            assert await lines.next("automation") == {"id": made["id"], "status": "active"}
            sample = {"name": "crm/appointment.created", "data": {"appointment": {"status": "scheduled"}}, "id": "e1"}
            await client.post("/api/v1/events", headers=own, json=sample)
            told = await lines.next("run")
            assert told["automation_id"] == made["id"]
            while told["status"] != "completed":
                told = await lines.next("run")

    asyncio.run(asyncio.wait_for(with_server(surface, use), 60))
