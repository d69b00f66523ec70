"""The health addresses of real processes."""

import signal
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.cli.conftest import SECRET, Serve

KEY = "what the monitoring shows"


@pytest.mark.timeout(180)
def test_serve_shows_its_numbers_to_who_has_the_key(serve: Serve, tmp_path: Path) -> None:
    database = ("--database", f"sqlite:///{tmp_path}/live.db")
    serve("migrate", *database).process.communicate(timeout=60)
    served = serve("serve", "--port", "0", *database, UPSHOT_SECRET_KEY=SECRET, UPSHOT_METRICS_KEY=KEY)
    with served.client() as client:
        assert client.get("/livez").status_code == client.get("/readyz").status_code == 200
        for path in ("/metrics", "/healthz"):
            assert client.get(path).status_code == 401, "on loopback too: a proxy may stand before it"
            assert client.get(path, headers={"Authorization": f"Bearer {KEY}"}).status_code == 200
    served.stop(signal.SIGTERM)


@pytest.mark.timeout(180)
def test_a_worker_answers_on_its_health_port_until_it_has_stopped(serve: Serve, tmp_path: Path) -> None:
    database = ("--database", f"sqlite:///{tmp_path}/live.db")
    serve("migrate", *database).process.communicate(timeout=60)
    worker = serve("worker", "--health-port", "0", *database, UPSHOT_SECRET_KEY=SECRET)
    url = worker.ready()["health"]
    with httpx.Client(base_url=url, timeout=30) as client:
        assert client.get("/livez").json() == {"status": "ok"}
        assert client.get("/readyz").json()["checks"]["draining"] == "ok"
        assert client.get("/healthz").json()["checks"]["engine"] == "running"
        families = {family.name: family for family in text_string_to_metric_families(client.get("/metrics").text)}
        assert families["upshot_workers_alive"].samples[0].value == 1
        assert client.get("/metrics", headers={"Host": "evil.example"}).status_code == 403
        assert client.get("/api/v1/runs").status_code == 404
    worker.stop(signal.SIGTERM)


def test_a_health_port_that_is_taken_is_said(serve: Serve, tmp_path: Path) -> None:
    database = ("--database", f"sqlite:///{tmp_path}/live.db")
    serve("migrate", *database).process.communicate(timeout=60)
    first = serve("worker", "--health-port", "0", *database, UPSHOT_SECRET_KEY=SECRET)
    port = first.ready()["health"].rsplit(":", 1)[1]
    second = serve("worker", "--health-port", port, *database, UPSHOT_SECRET_KEY=SECRET)
    _, err = second.process.communicate(timeout=60)
    assert second.process.returncode == 1
    assert port in err
    first.stop(signal.SIGTERM)
