"""The OpenAPI document: complete, stable operation ids, problems declared, and the route that FastAPI does not know."""

from functools import lru_cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from upshot.http.auth import PUBLIC
from upshot.http.ingest import PATH as INGEST
from upshot.http.nouns import noun_routers
from upshot.http.problems import MEDIA_TYPE
from upshot.http.routing import ROLE, SHOWN_ONCE
from upshot.http.shapes.base import ProblemDocument
from upshot.http.shapes.events import AcceptedEvents, EventList, NewEvent

TITLE = "Upshot"
DESCRIPTION = """\
The durable automation engine inside a Python product.

Send `Authorization: Bearer upk_...`: a key belongs to a tenant and has a role (viewer, editor, operator, admin; an emitter may
only give events). `x-role` names the least role of each operation. Bodies are JSON, decoded strictly: unknown fields, repeated
keys, NaN and NUL are refused with their path. Lists are pages, `{"items": [...], "next": cursor or null}`. Errors are RFC 9457
problems that name the field. A POST may carry an `Idempotency-Key`. A change of what is there says the revision it was made
on, in `If-Match` or the body.
"""
TAGS = {
    "events": "Facts that the host gives, kept for good.",
    "event-types": "What events there are, their schemas, and what they are about.",
    "automations": "Trigger, condition and steps, versioned.",
    "replays": "Automations that act on events of the past.",
    "schedules": "When automations are due.",
    "webhooks": "Addresses at which other systems tell what happened.",
    "runs": "Executions of automations, step by step.",
    "dead-letters": "What was given up on, and why: retried, replayed or discarded by a person.",
    "entities": "The things events are about.",
    "segments": "The entities that meet a saved condition.",
    "actions": "The catalogue of what steps do.",
    "operators": "The catalogue of what conditions compare.",
    "packs": "Ready bundles for one field.",
    "outbox": "Events on their way from the host's own transactions.",
    "tenants": "The host's customers, each isolated.",
    "keys": "API keys, shown once.",
    "audit": "Who changed what.",
    "session": "Signing in as a person.",
    "stats": "How many there are of what.",
    "stream": "What changes, live.",
}
_IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same request under the same key is answered again and not done again, for 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}
_REFERENCE = "#/components/schemas/{model}"
_ALWAYS = {"400": "malformed", "401": "not_signed_in", "403": "not_allowed", "429": "too_many_requests", "503": "busy"}
_WITH_PATH = {"404": "not_found"}
_WITH_BODY = {"408": "too_slow", "413": "too_large", "415": "unsupported_media_type", "422": "refused"}
_WITH_CHANGE = {"409": "conflict", "412": "stale_revision"}
_WITH_REVISION = {"428": "revision_required"}


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    """The OpenAPI document. It does not depend on an installation, so none is needed to write it out."""
    app = FastAPI(openapi_url=None)
    for router in noun_routers():
        app.include_router(router)
    tags = [{"name": name, "description": text} for name, text in TAGS.items()]
    document = get_openapi(title=TITLE, version="1", description=DESCRIPTION, routes=app.routes, tags=tags)
    document["paths"].setdefault(INGEST, {})["post"] = _ingest(document)
    schemas: dict[str, Any] = document.setdefault("components", {}).setdefault("schemas", {})
    _add_models(schemas)
    for unwanted in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unwanted, None)
    document["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key, `upk_...`."},
    }
    document["security"] = [{"key": []}]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(path, method, operation)
    _describe_stream(document)
    return document


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    """Declare every problem that this operation may answer with."""
    codes = dict(_ALWAYS)
    if "{" in path:
        codes |= _WITH_PATH
    if method != "get":
        codes |= _WITH_CHANGE
        if method != "delete":
            codes |= _WITH_BODY
            if any(parameter["name"].lower() == "if-match" for parameter in operation.get("parameters", ())):
                codes |= _WITH_REVISION
    if operation.get(ROLE) == PUBLIC:
        operation["security"] = []
    elif method == "post" and SHOWN_ONCE not in operation:
        operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
    for parameter in operation.get("parameters", []):
        parameter["schema"] = _without_null(parameter["schema"])
    responses = {status: told for status, told in operation["responses"].items() if status != "422"}
    for status, code in sorted(codes.items()):
        responses[status] = _problem(code)
    operation["responses"] = responses


def _without_null(shape: dict[str, Any]) -> dict[str, Any]:
    """A parameter is left out or has a value; there is no null in an address."""
    kept = [inner for inner in shape.get("anyOf", ()) if inner.get("type") != "null"]
    if len(kept) != 1:
        return shape
    return {**{name: value for name, value in shape.items() if name != "anyOf"}, **kept[0]}


def _problem(code: str) -> dict[str, Any]:
    reference = {"$ref": _REFERENCE.format(model="ProblemDocument")}
    return {"description": f"A problem (`{code}`).", "content": {MEDIA_TYPE: {"schema": reference}}}


def _ingest(document: dict[str, Any]) -> dict[str, Any]:
    del document
    one, several = ({"$ref": _REFERENCE.format(model=name)} for name in ("NewEvent", "EventList"))
    some = {"type": "array", "items": one, "minItems": 1, "maxItems": 1_000}
    example = {"name": "crm/appointment.created", "data": {"appointment": {"id": "a1", "patientId": "p1"}}}
    content = {"application/json": {"schema": {"anyOf": [one, some, several]}, "example": example}}
    return {
        "tags": ["events"],
        "summary": "Accept Events",
        "operationId": "accept_events",
        "description": 'Accept one event, a list of at most 1,000, or `{"events": [...]}`: all of them, or none. When this '
        "answers, they are committed and synced to disk.",
        ROLE: "emitter",
        "requestBody": {"required": True, "content": content},
        "responses": {
            "202": {
                "description": "Accepted.",
                "content": {"application/json": {"schema": {"$ref": _REFERENCE.format(model="AcceptedEvents")}}},
            }
        },
    }


def _add_models(schemas: dict[str, Any]) -> None:
    incoming = [(model, "validation") for model in (NewEvent, EventList)]
    outgoing = [(model, "serialization") for model in (AcceptedEvents, ProblemDocument)]
    _, made = models_json_schema([*incoming, *outgoing], ref_template=_REFERENCE)  # pyright: ignore[reportArgumentType] - literals
    for name, model in made["$defs"].items():
        schemas.setdefault(name, model)


def _describe_stream(document: dict[str, Any]) -> None:
    operation = document["paths"]["/api/v1/stream"]["get"]
    operation["responses"]["200"] = {
        "description": "An event stream that does not end.",
        "content": {"text/event-stream": {"schema": TypeAdapter(str).json_schema()}},
    }
