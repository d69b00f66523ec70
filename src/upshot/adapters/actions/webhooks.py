"""Calling a webhook: one signed request through the guarded client, and what its reply means."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from upshot.adapters.actions.arguments import Arguments, form, reader
from upshot.adapters.actions.retry_after import retry_after_seconds
from upshot.adapters.outbound_policy import METHODS, check_headers
from upshot.adapters.signatures import signed_headers
from upshot.core.action import Action, ActionContext, Reply
from upshot.core.errors import ActionError, Malformed, PermanentError, TooLarge
from upshot.core.strict_json import decode, encode

TIMEOUT_SECONDS_MAX: Final = 30
KEPT_HEADERS: Final = ("content-type", "date", "etag", "location", "retry-after", "x-request-id")
SUCCEEDED: Final = frozenset(range(200, 300))
REDIRECTED: Final = frozenset(range(300, 400))
RETRIED: Final = frozenset({408, 425, 429, *range(500, 600)})
SECRET_HEADERS: Final = ("authorization", "cookie", "key", "password", "secret", "token")
SECRET_MIN: Final = 6
"""A shorter value would be found everywhere by accident."""
SHOWN_MAX: Final = 300

CALL: Final = form(
    {
        "url": {
            "type": "string",
            "title": "URL",
            "description": "Where to send the request: a public https address.",
            "format": "uri",
            "minLength": 1,
            "examples": ["https://example.com/hooks/orders"],
            "x-on-missing": "fail",
            "x-outbound": True,
            "x-context": "url",
        },
        "method": {"enum": [*METHODS], "title": "Method", "default": "POST"},
        "headers": {
            "type": "object",
            "title": "Headers",
            "description": "Sent beside Upshot's own (Host, Webhook-Signature and the like cannot be set).",
            "additionalProperties": {"type": ["string", "number", "boolean"]},
            "default": {},
            "examples": [{"X-Source": "upshot"}],
            "x-context": "header",
        },
        "body": {
            "title": "Body",
            "description": "Sent as JSON; a text is sent as it is. In one that begins with { or [, values are JSON.",
            "examples": [{"orderId": "{{ order.id }}"}],
            "x-context": "json",
        },
        "timeout_seconds": {
            "type": "number",
            "title": "Timeout in seconds",
            "exclusiveMinimum": 0,
            "maximum": TIMEOUT_SECONDS_MAX,
            "default": 15,
        },
    },
    required=["url"],
)

_read = reader(CALL)


def read_call(arguments: Arguments) -> Arguments:
    """The arguments of a call, with the headers as text.

    Raises:
        Refused: names each argument that will not do. Whether the URL may be called is the client's to say.
    """
    given = _read(arguments)
    headers = {name: value if isinstance(value, str) else encode(value) for name, value in given["headers"].items()}
    check_headers(headers)
    return {**given, "headers": headers}


async def call_webhook(arguments: Arguments, context: ActionContext) -> dict[str, Any]:
    """Send the request once; a 2xx reply is the output.

    Raises:
        PermanentError: a 3xx or 4xx reply (but 408, 425 and 429), or a request that is not let out.
        ActionError: another status, or no reply; `Retry-After` is honoured.
    """
    method, url = arguments["method"], arguments["url"]
    body, content_type = _body(arguments.get("body"))
    headers = {name.lower(): value for name, value in arguments["headers"].items()}
    if body:
        headers.setdefault("content-type", content_type)
    headers |= signed_headers([context.signing_secret], context.idempotency_key, context.now, body)
    headers |= dict([context.cause_header])
    shown = _shown(url)
    reply = await context.http.request(
        method, url, headers=headers, body=body, deadline_seconds=arguments["timeout_seconds"]
    )
    context.log(f"{method} {shown} answered {reply.status}", bytes=len(reply.body))
    output = _output(reply, headers)
    if reply.status in SUCCEEDED:
        return output
    said = f"{method} {shown} answered {reply.status}{_excerpt(output['body'])}"
    if reply.status in RETRIED:
        later = retry_after_seconds(reply.headers.get("retry-after"), context.now)
        raise ActionError(said, retry_after_seconds=later)
    if reply.status in REDIRECTED:
        said += " Redirects are not followed: give the address it leads to."
    raise PermanentError(said)


def _body(value: Any) -> tuple[bytes, str]:
    if value is None:
        return b"", ""
    if isinstance(value, str):
        return value.encode(), "text/plain; charset=utf-8"
    return encode(value, at="body").encode(), "application/json"


def _output(reply: Reply, sent: Mapping[str, str]) -> dict[str, Any]:
    text = reply.body.decode("utf-8", errors="replace").replace("\x00", "\ufffd")
    for secret in _secrets(sent):
        text = text.replace(secret, "[redacted]")
    headers = {name: _clean(reply.headers[name]) for name in KEPT_HEADERS if name in reply.headers}
    return {
        "status": reply.status,
        "headers": headers,
        "body": text,
        "json": _json(text, reply),
        "is_cut": reply.is_cut,
    }


def _json(text: str, reply: Reply) -> Any:
    """The reply's JSON, if it says it is JSON and strictly is."""
    kind = reply.headers.get("content-type", "").split(";", 1)[0].strip().lower()
    if reply.is_cut or not (kind == "application/json" or kind.endswith("+json")):
        return None
    try:
        return decode(text)
    except (Malformed, TooLarge):
        return None


def _secrets(sent: Mapping[str, str]) -> list[str]:
    """What must not come back in an echo: the values of headers that carry credentials, and the part after `Bearer`."""
    values = [value for name, value in sent.items() if any(word in name for word in SECRET_HEADERS)]
    values += [value.partition(" ")[2] for value in values]
    return [value for value in values if len(value) >= SECRET_MIN]


def _clean(value: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in value)[:SHOWN_MAX]


def _excerpt(text: str) -> str:
    excerpt = _clean(" ".join(text[: 4 * SHOWN_MAX].split()))
    return f": {excerpt}" if excerpt else "."


def _shown(url: str) -> str:
    """The URL without what may be secret in it: its query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"


ACTIONS: Final = (
    Action(
        name="call_webhook",
        title="Call a webhook",
        description="Send a signed HTTP request to another system.",
        schema=CALL,
        validate=read_call,
        perform=call_webhook,
        icon="webhook",
    ),
)
