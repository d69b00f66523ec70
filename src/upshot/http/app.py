"""The ASGI application: API, health, documentation and UI over one `Upshot`. It can be mounted under any prefix."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from upshot.http import docs, health, hooks, ingest, openapi, ui
from upshot.http.auth import Gate
from upshot.http.edge import Edge
from upshot.http.nouns import noun_routers
from upshot.http.problems import add_handlers, problem_response
from upshot.http.routing import answer
from upshot.http.signing import Signer

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def create_app(upshot: "Upshot", *, dev: bool = False, engine: bool = False) -> FastAPI:
    """The application. `dev` lets this machine itself in without a key, as the admin of the tenant `default`. With
    `engine`, the engine runs on the server's event loop, from its start to its end."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        if engine:
            await upshot.start_async()
        try:
            yield
        finally:
            if engine:
                await upshot.stop_async()

    app = FastAPI(
        title=openapi.TITLE,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.upshot = upshot
    app.state.gate = Gate(upshot, dev=dev)
    app.state.signer = Signer(upshot.settings.secret_key_bytes())
    app.router.routes.append(ingest.route)
    for router in noun_routers():
        app.include_router(router)
    app.router.routes.extend(_beside())
    app.add_middleware(Edge)
    add_handlers(app)
    return app


def _beside() -> list[Route]:
    """What stands beside the nouns. The UI comes last: it takes every address that is left."""
    return [
        Route("/api/v1/openapi.json", _openapi, methods=["GET"]),
        Route("/api/docs", docs.docs, methods=["GET"]),
        *health.ROUTES,
        hooks.route,
        Route("/api", _nothing_here, methods=METHODS),
        Route("/api/{path:path}", _nothing_here, methods=METHODS),
        Route("/", ui.page, methods=["GET"]),
        Route("/{path:path}", ui.page, methods=["GET"]),
    ]


async def _openapi(_request: Request) -> Response:
    return answer(openapi.schema())


async def _nothing_here(request: Request) -> Response:
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    routes = [
        ingest.route,
        *(route for router in noun_routers() for route in router.routes if isinstance(route, Route)),
    ]
    allowed = sorted({method for route in routes if route.path_regex.match(path) for method in route.methods or ()})
    if allowed:
        headers = {"Allow": ", ".join(allowed)}
        detail = f"This address takes {headers['Allow']}."
        return problem_response(405, "method_not_allowed", "Method Not Allowed", detail, headers=headers)
    return problem_response(404, "not_found", "Not found", "There is nothing at this address.")
