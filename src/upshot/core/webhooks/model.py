"""What is set up of one inbound webhook: how its deliveries are signed, and how each becomes an event."""

import re
from typing import Any, Final, Literal, cast

import msgspec

from upshot.core.automations.fields import as_object
from upshot.core.errors import Problem, Refused
from upshot.core.webhooks.schemes import ENCODINGS, SCHEMES, TOLERANCE_SECONDS, Signing

NAME_MAX: Final = 100
PATH_MAX: Final = 200
TOLERANCE_MAX: Final = 86_400

_FIELDS: Final = ("name", "event", "name_from", "data_from", "id_from", "signature", "enabled")
_SIGNING: Final = ("scheme", "header", "encoding", "prefix", "timestamp_header", "tolerance_seconds")
_SOURCE: Final = re.compile(r"(header|field):(.+)")
_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,100}")
_OF_HMAC: Final = ("header", "encoding", "prefix", "timestamp_header")


class Source(msgspec.Struct, frozen=True):
    """Where a delivery says something: in a header, or at a dotted path of its body."""

    kind: Literal["header", "field"]
    name: str


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One webhook. The event is called `event`, with what `name_from` says put behind it; its data are what stands at
    `data_from` in the body, the whole of it when that is empty; `id_from` tells a delivery from the next."""

    name: str
    event: str
    signing: Signing
    name_from: Source | None = None
    data_from: str = ""
    id_from: Source | None = None
    enabled: bool = True


def read_webhook(document: Any) -> WebhookSettings:
    """The settings that a document says.

    Raises:
        Refused: with every problem at once, each with its path.
    """
    given = as_object(document) or {}
    problems = [_unknown(name, _FIELDS) for name in given if name not in _FIELDS]
    name, event = given.get("name"), given.get("event", "")
    if not _is_text(name, NAME_MAX) or not cast("str", name).strip():
        problems.append(Problem("name", f"is 1 to {NAME_MAX} printable characters", "bad_name"))
    name_from = _source(given.get("name_from"), "name_from", problems)
    id_from = _source(given.get("id_from"), "id_from", problems)
    if not _is_text(event, NAME_MAX) or not (event or name_from):
        said = "the name of the events it makes; with `name_from`, what stands before the part that a delivery names"
        problems.append(Problem("event", said, "bad_name"))
    elif cast("str", event).startswith("system."):
        problems.append(Problem("event", "names that begin with 'system.' are kept for the engine", "reserved_name"))
    data_from = given.get("data_from", "")
    if not _is_text(data_from, PATH_MAX):
        problems.append(Problem("data_from", "is a dotted path in the body, like data.object", "bad_path"))
    if not isinstance(given.get("enabled", True), bool):
        problems.append(Problem("enabled", "is true or false", "wrong_type"))
    signing = _signing(given.get("signature"), problems)
    if problems:
        raise Refused(problems)
    return WebhookSettings(
        name=cast("str", name),
        event=event,
        signing=signing,
        name_from=name_from,
        data_from=data_from,
        id_from=id_from,
        enabled=given.get("enabled", True),
    )


def to_document(webhook: WebhookSettings) -> dict[str, Any]:
    """The settings written out: `read_webhook(to_document(webhook)) == webhook`."""
    return {
        "name": webhook.name,
        "event": webhook.event,
        "name_from": _written(webhook.name_from),
        "data_from": webhook.data_from,
        "id_from": _written(webhook.id_from),
        "signature": msgspec.to_builtins(webhook.signing),
        "enabled": webhook.enabled,
    }


def _signing(given: Any, problems: list[Problem]) -> Signing:
    written = {"scheme": given} if isinstance(given, str) else as_object(given) or {}
    problems += [_unknown(f"signature.{name}", _SIGNING) for name in written if name not in _SIGNING]
    scheme = written.get("scheme")
    if scheme not in SCHEMES:
        said = (
            f"says how deliveries are signed: {', '.join(SCHEMES)}; `none` takes them from anybody who has the address"
        )
        problems.append(Problem("signature", said, "bad_scheme"))
        return Signing("none")
    found: dict[str, Any] = {}
    for name in _OF_HMAC:
        value = written.get(name) or ""
        if value and scheme != "hmac" and (name, value) != ("encoding", "hex"):
            problems.append(Problem(f"signature.{name}", f"is settled by the scheme {scheme}", "unknown_field"))
        elif not _is_text(value, NAME_MAX) or (name.endswith("header") and value and not _HEADER.fullmatch(value)):
            problems.append(
                Problem(f"signature.{name}", "is a short text; a header's name is letters, digits and -", "bad_text")
            )
        elif value:
            found[name] = value
    if scheme == "hmac" and "header" not in found:
        problems.append(Problem("signature.header", "names the header that holds the signature", "required"))
    if found.get("encoding", "hex") not in ENCODINGS:
        problems.append(Problem("signature.encoding", f"is one of {', '.join(ENCODINGS)}", "bad_option"))
    tolerance = written.get("tolerance_seconds", TOLERANCE_SECONDS)
    if not isinstance(tolerance, int) or isinstance(tolerance, bool) or not 1 <= tolerance <= TOLERANCE_MAX:
        problems.append(Problem("signature.tolerance_seconds", f"is 1 to {TOLERANCE_MAX}", "out_of_range"))
        tolerance = TOLERANCE_SECONDS
    return Signing(cast("str", scheme), tolerance_seconds=tolerance, **found)


def _source(given: Any, at: str, problems: list[Problem]) -> Source | None:
    if given is None:
        return None
    found = _SOURCE.fullmatch(given) if isinstance(given, str) and _is_text(given, PATH_MAX) else None
    if found is None or (found[1] == "header" and not _HEADER.fullmatch(found[2])):
        problems.append(Problem(at, "is header:NAME or field:a.dotted.path", "bad_source"))
        return None
    return Source(cast("Literal['header', 'field']", found[1]), found[2])


def _written(source: Source | None) -> str | None:
    return f"{source.kind}:{source.name}" if source is not None else None


def _unknown(path: str, known: tuple[str, ...]) -> Problem:
    return Problem(path[:100], f"is not a known field; known are: {', '.join(known)}", "unknown_field")


def _is_text(value: Any, most: int) -> bool:
    return isinstance(value, str) and len(value) <= most and value.isprintable()
