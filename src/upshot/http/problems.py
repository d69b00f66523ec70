"""Errors as RFC 9457 problems that name the field. Bad input never becomes a 5xx; what is our fault says nothing of inside."""

import http
import logging
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from upshot.core.automations.fields import as_list, as_object
from upshot.core.errors import (
    Busy,
    Conflict,
    Malformed,
    NotAllowed,
    NotFound,
    NotSignedIn,
    Problem,
    Refused,
    TooLarge,
    UpshotError,
)
from upshot.core.strict_json import join_path
from upshot.http.revisions import STALE, RevisionRequired
from upshot.store.database import DatabaseUnavailable

log = logging.getLogger("upshot.http")

MEDIA_TYPE = "application/problem+json"
ERRORS_MAX = 200


class UnsupportedMedia(UpshotError):
    """The body is not sent as plain JSON."""

    code = "unsupported_media_type"


class TooSlow(UpshotError):
    """The body did not arrive in time."""

    code = "too_slow"


class TooManyRequests(UpshotError):
    """Over the rate that this caller may make requests at."""

    code = "too_many_requests"

    def __init__(self, message: str, retry_after_seconds: int = 1) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class Unfinished(Conflict):
    """A request under the same Idempotency-Key is under way."""

    code = "unfinished"
    retry_after_seconds = 1


STATUSES: tuple[tuple[type[UpshotError], int, str], ...] = (
    (Malformed, 400, "The request is not of the right form"),
    (RevisionRequired, 428, "A revision is required"),
    (Refused, 422, "The content was refused"),
    (NotSignedIn, 401, "Not signed in"),
    (NotAllowed, 403, "Not allowed"),
    (NotFound, 404, "Not found"),
    (Conflict, 409, "The present state does not allow this"),
    (TooLarge, 413, "Too large"),
    (TooSlow, 408, "Too slow"),
    (UnsupportedMedia, 415, "Not sent as JSON"),
    (TooManyRequests, 429, "Too many requests"),
    (Busy, 503, "Busy"),
)


def problem_response(
    status: int,
    code: str,
    title: str,
    detail: str,
    errors: tuple[Problem, ...] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """One problem document."""
    body: dict[str, Any] = {
        "type": f"urn:upshot:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail[:2_000],
        "errors": [msgspec.to_builtins(problem) for problem in errors[:ERRORS_MAX]],
    }
    clean = {"Cache-Control": "no-store", **(headers or {})}
    return Response(_encode(body), status, clean, MEDIA_TYPE)


def response_of(error: UpshotError) -> Response:
    """The answer that this error is."""
    is_stale = error.code == STALE
    statuses = ((Conflict, 412, "Changed meanwhile"),) if is_stale else STATUSES
    for kind, status, title in statuses:
        if isinstance(error, kind):
            told = (Problem("revision", str(error), STALE),) if is_stale else ()
            problems = error.problems if isinstance(error, Refused) else told
            return problem_response(status, error.code, title, str(error), problems, _headers(error, status))
    log.error("an error without a status: %r", error)
    return _ours()


def add_handlers(app: FastAPI) -> None:
    """Answer every error of this application with a problem."""

    async def of_ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, UpshotError)  # noqa: S101 - registered for this type
        answered = response_of(error)
        metrics = request.app.state.upshot.engine.process.metrics
        metrics.auth_failures += answered.status_code == 401
        metrics.too_many_requests += answered.status_code == 429
        return answered

    async def of_validation(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type
        return response_of(Malformed(problems_of_validation(error.errors())))

    async def of_framework(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type
        phrase = http.HTTPStatus(error.status_code).phrase
        detail = {
            404: "There is nothing at this address.",
            405: "This address does not take that method.",
        }.get(error.status_code, phrase)
        code = phrase.lower().replace(" ", "_").replace("-", "_")
        return problem_response(error.status_code, code, phrase, detail, headers=dict(error.headers or {}))

    async def of_database(_request: Request, error: Exception) -> Response:
        log.error("the database could not answer: %s", error)
        return response_of(Busy("The database cannot answer now. It is safe to send the request again.", 2))

    async def of_disconnect(_request: Request, _error: Exception) -> Response:
        return response_of(Malformed.at("", "the connection closed before the whole body arrived", "incomplete"))

    async def of_anything(_request: Request, _error: Exception) -> Response:
        return _ours()  # the server logs it: Starlette raises it again after answering

    app.add_exception_handler(UpshotError, of_ours)
    app.add_exception_handler(RequestValidationError, of_validation)
    app.add_exception_handler(HTTPException, of_framework)
    app.add_exception_handler(DatabaseUnavailable, of_database)
    app.add_exception_handler(ClientDisconnect, of_disconnect)
    app.add_exception_handler(Exception, of_anything)


def problems_of_validation(errors: Any) -> list[Problem]:
    """Pydantic's errors with our paths and codes."""
    problems: list[Problem] = []
    for error in errors:
        _place, *parts = error["loc"]
        path = ""
        for part in parts:
            path = join_path(path, part)
        kind: str = error["type"]
        if kind == "extra_forbidden":
            problems.append(Problem(path, "is not a known field", "unknown_field"))
        elif kind == "missing":
            problems.append(Problem(path, "is required" if path else "a JSON body is required", "missing"))
        else:
            code = "out_of_range" if kind.startswith(("greater_", "less_")) else "wrong_type"
            problems.append(Problem(path, str(error["msg"]), code))
    return problems


def _headers(error: UpshotError, status: int) -> dict[str, str]:
    headers: dict[str, str] = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    seconds = getattr(error, "retry_after_seconds", None)
    if seconds is not None:
        headers["Retry-After"] = str(seconds)
    return headers


def _ours() -> Response:
    detail = "Something is wrong on our side; it was logged. Nothing says what was done: read before you send it again."
    return problem_response(500, "internal", "Internal error", detail)


def _encode(body: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:  # a lone surrogate that the sender wrote and the message repeats
        return msgspec.json.encode(_clean(body))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    given, listed = as_object(value), as_list(value)
    if given is not None:
        return {name: _clean(inner) for name, inner in given.items()}
    return [_clean(inner) for inner in listed] if listed is not None else value
