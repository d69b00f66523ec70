"""What stands beside the API: documentation, health, the UI's files, and the headers of every answer."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from tests.surfaces.conftest import Surface
from upshot.http import ui
from upshot.http.app import create_app
from upshot.http.openapi import schema
from upshot.testing.harness import new_file

INDEX = '<!doctype html><html><head><base href="/" /><meta name="upshot-base" content="" /></head><body>Upshot</body></html>'


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Pages are the same on every database."""
    return new_file(tmp_path)


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A UI as its build leaves it."""
    folder = tmp_path / "ui"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / "assets" / "main-1a2b.js").write_text("export {}")
    (folder / "theme.js").write_text("0")
    (tmp_path / "secret.txt").write_text("secret")
    monkeypatch.setattr(ui, "FILES", folder)
    return folder


def test_every_operation_is_documented_with_its_role_and_its_problems() -> None:
    operations = [(path, method, told) for path, verbs in schema()["paths"].items() for method, told in verbs.items()]
    ids = [told["operationId"] for _, _, told in operations]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z][a-z_]+", one) for one in ids)
    for path, method, told in operations:
        assert told["x-role"] in {"public", "viewer", "editor", "operator", "admin", "emitter"}, path
        assert told["tags"], path
        assert told["description"], path
        for status, answer in told["responses"].items():
            if status >= "300":
                assert "application/problem+json" in answer["content"], (path, method, status)
    assert json.loads(json.dumps(schema())) == schema()


def test_the_document_and_its_page_are_served_and_ask_no_other_site(surface: Surface) -> None:
    document = surface.client.get("/api/v1/openapi.json")
    assert document.json()["openapi"].startswith("3.1")
    page = surface.client.get("/api/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "accept_events" in page.text
    assert "<script" not in page.text
    assert re.findall(r'(?:src|href)="(https?:)?//', page.text) == []


def test_health(surface: Surface, running: Surface) -> None:
    assert surface.client.get("/livez").json() == {"status": "ok"}
    ready = surface.client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ok")
    for one, engine in ((surface, "not in this process"), (running, "running")):
        key = {"Authorization": f"Bearer {one.keys['default', 'operator']}"}
        assert one.client.get("/healthz", headers=key).json()["checks"]["engine"] == engine


def test_a_database_without_its_schema_is_not_ready(tmp_path: Path) -> None:
    from upshot.app.upshot import Upshot

    upshot = Upshot(f"sqlite:///{tmp_path}/new.db")
    answered = TestClient(create_app(upshot), base_url="http://localhost").get("/readyz")
    assert answered.status_code == 503
    assert "upshot migrate" in answered.json()["checks"]["schema"]
    upshot.close()


@pytest.mark.parametrize(
    "path", ["/", "/automations/new", "/api/v1/stats", "/api/docs", "/livez", "/nothing.js", "/api/x"]
)
def test_every_answer_carries_the_security_headers(surface: Surface, built: Path, path: str) -> None:
    headers = surface.client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-eval" not in headers["content-security-policy"]
    scripts = [part for part in headers["content-security-policy"].split("; ") if part.startswith("script-src")]
    assert all("unsafe-inline" not in part for part in scripts)


def test_the_ui_serves_its_files_and_its_page_for_every_other_address(surface: Surface, built: Path) -> None:
    for path in ("/", "/automations", "/runs/abc", "/index.html"):
        page = surface.client.get(path)
        assert (page.status_code, "Upshot" in page.text) == (200, True), path
        assert page.headers["cache-control"] == "no-cache"
    asset = surface.client.get("/assets/main-1a2b.js")
    assert "immutable" in asset.headers["cache-control"]
    assert "javascript" in asset.headers["content-type"]
    assert surface.client.get("/theme.js").status_code == 200
    assert surface.client.get("/assets/main-old.js").status_code == 404
    assert surface.client.post("/").status_code == 405


def test_no_address_leads_out_of_the_uis_files(surface: Surface, built: Path) -> None:
    for path in (
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/..%5csecret.txt",
        "//etc/passwd",
        "/%00",
    ):
        answered = surface.client.get(path)
        assert "secret" not in answered.text
        assert "root:" not in answered.text


def test_without_a_built_ui_a_page_says_how_to_build_it(
    surface: Surface, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ui, "FILES", tmp_path / "absent")
    page = surface.client.get("/")
    assert page.status_code == 503
    assert "make run" in page.text
    assert surface.client.get("/livez").status_code == 200


def test_mounted_under_a_prefix_everything_moves_along(surface: Surface, built: Path) -> None:
    host = Starlette(routes=[Mount("/engine", create_app(surface.upshot))])
    client: Any = TestClient(host, base_url="http://localhost")
    page = client.get("/engine/automations")
    assert '<base href="/engine/" />' in page.text
    assert '<meta name="upshot-base" content="/engine/" />' in page.text
    key = {"Authorization": f"Bearer {surface.keys['alpha', 'viewer']}"}
    assert client.get("/engine/api/v1/stats", headers=key).status_code == 200
    assert client.get("/engine/api/v1/nothing", headers=key).status_code == 404
    assert client.delete("/engine/api/v1/runs", headers=key).headers["allow"] == "GET"
    opened = client.post("/engine/api/v1/session", json={"key": surface.keys["alpha", "viewer"]})
    assert "Path=/engine" in opened.headers["set-cookie"]
