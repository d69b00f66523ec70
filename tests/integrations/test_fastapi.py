"""Upshot inside a host's FastAPI application, shown by the example that the docs quote."""

import importlib.util
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from upshot import Upshot
from upshot.integrations.fastapi import mount

EXAMPLE = Path(__file__).parents[2] / "examples" / "fastapi_host.py"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("SHOP_DATABASE", str(tmp_path / "shop.db"))
    spec = importlib.util.spec_from_file_location("fastapi_host", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_books_and_its_automation_runs(host: ModuleType) -> None:
    key = host.upshot.keys.create("default", name="test", role="viewer")["key"]
    signed_in = {"Authorization": f"Bearer {key}"}
    with TestClient(host.app) as client:
        event_id = client.post("/bookings", params={"name": "Ada"}).json()["event_id"]
        assert client.post("/upshot/api/v1/events", json={}).status_code == 401
        assert client.get("/upshot/livez").status_code == 200
        assert client.portal is not None
        client.portal.call(host.upshot.engine.relay.relay_all)
        client.portal.call(host.upshot.engine.idle)
        (run,) = client.get("/upshot/api/v1/runs", params={"event": event_id}, headers=signed_in).json()["items"]
        assert run["status"] == "completed"
    assert not host.upshot.engine.is_running
    host.upshot.close()


def test_the_hosts_own_lifespan_still_runs_around_the_engine(tmp_path: Path) -> None:
    upshot = Upshot(f"sqlite:///{tmp_path}/host.db")
    upshot.migrate()
    seen: list[tuple[str, bool]] = []

    @asynccontextmanager
    async def lifespan(_app: FastAPI):
        seen.append(("start", upshot.engine.is_running))
        yield {"theirs": 1}
        seen.append(("end", upshot.engine.is_running))

    app = FastAPI(lifespan=lifespan)
    mount(app, upshot, path="/automation")
    with TestClient(app) as client:
        assert upshot.engine.is_running
        assert client.app_state == {"theirs": 1}
    assert seen == [("start", False), ("end", False)]
    upshot.close()


def test_another_process_may_run_the_engine(tmp_path: Path) -> None:
    upshot = Upshot(f"sqlite:///{tmp_path}/host.db")
    upshot.migrate()
    app = FastAPI()
    mount(app, upshot, engine=False)
    with TestClient(app) as client:
        assert client.get("/upshot/livez").status_code == 200
        assert not upshot.engine.is_running
    upshot.close()


@pytest.mark.parametrize("path", ["upshot", "/upshot/", "/", ""])
def test_a_path_that_cannot_be_mounted_is_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="begins with a slash"):
        mount(FastAPI(), Upshot(f"sqlite:///{tmp_path}/host.db"), path=path)
