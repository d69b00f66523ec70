"""`/livez`, `/readyz`, `/healthz`: whether a restart helps, whether to send requests here, and what is the matter."""

from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from upshot.core.errors import UpshotError
from upshot.http.routing import answer
from upshot.store import idempotency
from upshot.store.database import DatabaseError
from upshot.store.migrate import HEAD, present_version

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

PROBE = "readyz"


async def livez(_request: Request) -> Response:
    """The process turns: 200. It looks at nothing else, since a restart would mend nothing else."""
    return answer({"status": "ok"})


async def readyz(request: Request) -> Response:
    """200 when the database can be read and written and has this release's schema; else 503 and why."""
    checks = await run_in_threadpool(_checks, request.app.state.upshot)
    is_ready = all(checks[name] == "ok" for name in ("database", "schema", "writing"))
    return answer({"status": "ok" if is_ready else "not_ready", "checks": checks}, 200 if is_ready else 503)


async def healthz(request: Request) -> Response:
    """What `readyz` looks at, and whether the engine runs in this process."""
    upshot = request.app.state.upshot
    checks = await run_in_threadpool(_checks, upshot)
    checks["engine"] = "running" if upshot.engine.is_running else "not in this process"
    is_well = all(checks[name] == "ok" for name in ("database", "schema", "writing"))
    return answer({"status": "ok" if is_well else "not_ready", "checks": checks}, 200 if is_well else 503)


def _checks(upshot: "Upshot") -> dict[str, Any]:
    checks: dict[str, Any] = {"database": "ok", "schema": "ok", "writing": "ok"}
    try:
        with upshot.database.reading() as connection:
            present = present_version(connection)
    except DatabaseError:
        return {"database": "cannot be read", "schema": "unknown", "writing": "unknown"}
    if present != HEAD:
        checks["schema"] = f"is {present}, this release needs {HEAD}: run `upshot migrate`"
        checks["writing"] = "unknown"
        return checks
    now = upshot.clock.now()

    def write(connection: Any) -> None:
        idempotency.claim(connection, "", PROBE, "", "", now, now)
        idempotency.release(connection, "", PROBE)

    try:
        upshot.commit.run(write)
    except (UpshotError, DatabaseError):
        checks["writing"] = "the database takes no writes"
    return checks
