"""Drafts of what is to be sent: entities of type `message_draft`, for a person to look over and send."""

from typing import Any, Final

from upshot.adapters.actions.arguments import FIELDS, Arguments, form, kept_beside, reader
from upshot.adapters.actions.recipients import RECIPIENTS_MAX, email_addresses, one_line, phone_number, sendable
from upshot.adapters.actions.sms_text import segments_of
from upshot.adapters.actions.stable_ids import made_id
from upshot.core.action import Action, ActionContext, ChangeEntity, StoreEffect
from upshot.core.entities import CreateEntity
from upshot.core.errors import Refused

SEGMENTS_MAX: Final = 10
ENTITY_TYPE: Final = "message_draft"

_MORE: Final = {**FIELDS, "title": "More fields", "description": "Whatever else to keep with the draft."}

EMAIL: Final = form(
    {
        "to": {
            "type": ["string", "array"],
            "title": "To",
            "description": f"An e-mail address, several with commas between them, or a list; at most {RECIPIENTS_MAX}. "
            "Without a value, whoever sends it says to whom.",
            "format": "email-list",
            "items": {"type": "string"},
            "examples": ["{{ patient.email }}"],
            "x-context": "header",
        },
        "subject": {
            "type": "string",
            "title": "Subject",
            "minLength": 1,
            "maxLength": 300,
            "examples": ["Your appointment on {{ appointment.date }}"],
            "x-on-missing": "fail",
            "x-context": "header",
        },
        "body": {
            "type": "string",
            "title": "Text",
            "format": "textarea",
            "minLength": 1,
            "maxLength": 100_000,
            "examples": ["Dear {{ patient.firstName }}, ..."],
            "x-on-missing": "fail",
            "x-context": "text",
        },
        "html": {
            "type": "string",
            "title": "HTML",
            "description": "The same message in HTML, beside the text. Values are escaped for where they stand.",
            "format": "textarea",
            "minLength": 1,
            "maxLength": 200_000,
            "examples": ["<p>Dear {{ patient.firstName }}, ...</p>"],
            "x-on-missing": "fail",
            "x-context": "html",
        },
        "fields": _MORE,
    },
    required=["subject", "body"],
    takes_others=True,
)
SMS: Final = form(
    {
        "to": {
            "type": "string",
            "title": "To",
            "description": "A phone number, best with its country: +41 44 668 18 00. Without a value, whoever sends it "
            "says to whom.",
            "format": "phone",
            "minLength": 1,
            "maxLength": 40,
            "examples": ["{{ patient.phone }}"],
            "x-context": "header",
        },
        "body": {
            "type": "string",
            "title": "Text",
            "description": f"160 plain characters are one segment, 70 with others; at most {SEGMENTS_MAX} segments.",
            "format": "textarea",
            "minLength": 1,
            "maxLength": 1_600,
            "x-on-missing": "fail",
            "x-context": "sms",
        },
        "fields": _MORE,
    },
    required=["body"],
    takes_others=True,
)

_read_email = reader(EMAIL)
_read_sms = reader(SMS)


def read_email(arguments: Arguments) -> Arguments:
    """The arguments of an e-mail draft, with `to` as a list of addresses.

    Raises:
        Refused: names each argument that will not do.
    """
    given = _read_email(arguments)
    to: Any = given.get("to")
    listed = [part.strip(" ") for part in to.split(",") if part.strip(" ")] if isinstance(to, str) else to or []
    if not listed and "to" in given:
        raise Refused.at("to", "names nobody", "bad_recipient")
    return {**given, "to": email_addresses(listed), "subject": one_line(given["subject"], "subject")}


def read_sms(arguments: Arguments) -> Arguments:
    """The arguments of an SMS draft, with `to` as a list of no or one number in digits.

    Raises:
        Refused: names each argument that will not do.
    """
    given = _read_sms(arguments)
    sendable(given["body"], "body")
    cost = segments_of(given["body"])
    if cost.segments > SEGMENTS_MAX:
        raise Refused.at("body", f"takes {cost.segments} segments; at most {SEGMENTS_MAX}", "too_large")
    return {**given, "to": [phone_number(given["to"])] if "to" in given else []}


def draft_email(arguments: Arguments, context: ActionContext) -> StoreEffect:
    """An e-mail, not sent."""
    context.log(f"Drafts an e-mail to {len(arguments['to'])} recipient(s)")
    fields = {name: arguments[name] for name in ("to", "subject", "body", "html") if name in arguments}
    return _draft("email", fields, kept_beside(EMAIL, arguments), context)


def draft_sms(arguments: Arguments, context: ActionContext) -> StoreEffect:
    """An SMS, not sent, with what it will cost."""
    cost = segments_of(arguments["body"])
    context.log(f"Drafts an SMS of {cost.segments} segment(s)", encoding=cost.encoding, characters=cost.characters)
    fields = {"to": arguments["to"], "body": arguments["body"], "segments": cost.segments, "encoding": cost.encoding}
    return _draft("sms", fields, kept_beside(SMS, arguments), context)


def _draft(channel: str, fields: dict[str, Any], beside: Arguments, context: ActionContext) -> StoreEffect:
    kept = {**beside, "channel": channel, **fields, "status": "draft"}
    return StoreEffect((ChangeEntity(CreateEntity(ENTITY_TYPE, made_id(context), kept)),))


ACTIONS: Final = (
    Action(
        name="draft_email",
        title="Draft an e-mail",
        description="Write an e-mail for somebody to look over and send. Arguments of other names are kept as its fields.",
        schema=EMAIL,
        validate=read_email,
        perform=draft_email,
        kind="store",
        emits=f"{ENTITY_TYPE}.created",
        icon="mail",
    ),
    Action(
        name="draft_sms",
        title="Draft an SMS",
        description="Write a text message for somebody to look over and send. Arguments of other names are kept as its fields.",
        schema=SMS,
        validate=read_sms,
        perform=draft_sms,
        kind="store",
        emits=f"{ENTITY_TYPE}.created",
        icon="message-square",
    ),
)
