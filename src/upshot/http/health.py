"""`/livez`, `/readyz`, `/healthz`, `/metrics`: whether a restart helps, whether to send requests here, what is the matter, and
the numbers.

The first two are for orchestrators: they are open and say nothing of what is inside. The others tell of the whole
installation, so they are for whoever runs it: the metrics key, a key of the tenant `default`, or, in development and beside
a worker on a loopback address, this machine itself.
"""

import hmac
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from upshot.app.exposition import MEDIA_TYPE
from upshot.core.errors import NotAllowed, UpshotError
from upshot.http.auth import DEV_TENANT, Gate, bearer
from upshot.http.edge import Edge
from upshot.http.problems import problem_response, response_of
from upshot.http.routing import answer

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

METRICS_ROLE: Final = "viewer"
HEALTH_ROLE: Final = "operator"


async def livez(request: Request) -> Response:
    """200 while the engine's event loop turns; 503 when it has not for long, and a restart helps. Asks no database."""
    live = request.app.state.upshot.operations.live()
    return answer({"status": live["status"]}, 200 if live["status"] == "ok" else 503)


async def readyz(request: Request) -> Response:
    """200 when the database can be read and written, has this release's schema or a newer one, and this process is not about to
    stop; else 503 with the reasons."""
    ready = await run_in_threadpool(request.app.state.upshot.operations.ready)
    return answer(ready, 200 if ready["status"] == "ok" else 503)


async def healthz(request: Request) -> Response:
    """What `readyz` looks at, how each service does, how far behind the work is, and what the doctor finds."""
    await _admit(request, HEALTH_ROLE)
    health = await run_in_threadpool(request.app.state.upshot.operations.health)
    return answer(health, 200 if health["status"] == "ok" else 503)


async def metrics(request: Request) -> Response:
    """Every metric, as Prometheus reads it."""
    await _admit(request, METRICS_ROLE)
    text = await run_in_threadpool(request.app.state.upshot.operations.metrics)
    return Response(text, headers={"Cache-Control": "no-store", "Content-Type": MEDIA_TYPE})


async def _admit(request: Request, role: str) -> None:
    """Let in whoever runs the installation.

    Raises:
        NotSignedIn, NotAllowed, TooManyRequests.
    """
    state = request.app.state
    given = request.headers.getlist("authorization")
    wanted: str = state.upshot.settings.metrics_key
    if wanted and given and hmac.compare_digest(bearer(given).encode(), wanted.encode()):
        return
    caller = await state.gate.admit(request, role)
    if caller.tenant_id != DEV_TENANT:
        raise NotAllowed(
            f"This tells of every tenant: it needs the metrics key, or a key of the tenant {DEV_TENANT!r}."
        )


ROUTES: Final = (
    Route("/livez", livez, methods=["GET"]),
    Route("/readyz", readyz, methods=["GET"]),
    Route("/healthz", healthz, methods=["GET"]),
    Route("/metrics", metrics, methods=["GET"]),
)


def create_health_app(upshot: "Upshot", *, dev: bool = False) -> Starlette:
    """These addresses alone, for a process without an API. `dev` lets this machine itself in without a key."""
    app = Starlette(routes=list(ROUTES), exception_handlers={UpshotError: _refused, 404: _nothing, 405: _nothing})
    app.state.upshot = upshot
    app.state.gate = Gate(upshot, dev=dev)
    app.add_middleware(Edge)
    return app


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, UpshotError)  # noqa: S101 - registered for this type
    return response_of(error)


async def _nothing(_request: Request, _error: Exception) -> Response:
    return problem_response(404, "not_found", "Not found", "There is nothing at this address.")
