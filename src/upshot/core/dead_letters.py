"""Dead letters: what was given up on, as a value, and what makes two of them the same trouble.

The error's text is kept redacted and bounded. Its fingerprint is a hash over the kind, the code, what it happened to and the
text without what differs from case to case (ids, numbers, quoted values), so that ten thousand letters of one cause are one
group, and nothing personal can be read from it.
"""

import hashlib
import re

import msgspec

KINDS = ("event", "run", "delivery")
"""An event that could not be matched, a run whose step or driving gave up, a row of the outbox that was refused at last."""
TEXT_MAX = 1_000
REASON_MAX = 500

_SECRETS = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"), r"\1 [redacted]"),
    (
        re.compile(r"(?i)\b(password|passwd|secret|token|api[_-]?key|authorization)(\s*[=:]\s*)[^\s,;&]+"),
        r"\1\2[redacted]",
    ),
    (re.compile(r"://[^\s/@]{1,200}@"), "://[redacted]@"),
    (re.compile(r"\?[\w.~%-]{1,100}=[^\s'\"<>]*"), "?[redacted]"),
    (re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+"), "[email]"),
    (re.compile(r"\+\d[\d ()/-]{6,20}\d"), "[number]"),
    (re.compile(r"\b\w{40,}\b"), "[redacted]"),
)
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was given up on. `noun_id` is the event, the run or the outbox row's number; `epoch` is the last hold
    of the run, which a later one must exceed."""

    tenant_id: str
    kind: str
    noun_id: str
    code: str
    error: str
    strikes: int
    fingerprint: str
    automation_id: str | None = None
    step_id: str | None = None
    version: int | None = None
    event_id: str | None = None
    event_name: str | None = None
    epoch: int = 0

    @property
    def id(self) -> str:
        """The same thing is kept once: its kind and what it is."""
        return f"{self.kind}:{self.noun_id}"


def of_event(tenant_id: str, event_id: str, name: str | None, code: str, error: str, strikes: int) -> Letter:
    """The letter of an event that could not be matched."""
    return Letter(
        tenant_id=tenant_id,
        kind="event",
        noun_id=event_id,
        code=code,
        error=redacted(error),
        strikes=strikes,
        fingerprint=fingerprint("event", code, error, name or ""),
        event_id=event_id,
        event_name=name,
    )


def of_run(
    tenant_id: str,
    run_id: str,
    automation_id: str,
    code: str,
    error: str,
    strikes: int,
    *,
    step_id: str | None,
    epoch: int,
    version: int | None = None,
    event_id: str | None = None,
    event_name: str | None = None,
) -> Letter:
    """The letter of a run that a step ended as failed (`step_id`), or that could not be driven (without one)."""
    return Letter(
        tenant_id=tenant_id,
        kind="run",
        noun_id=run_id,
        code=code,
        error=redacted(error),
        strikes=strikes,
        fingerprint=fingerprint("run", code, error, automation_id, step_id or ""),
        automation_id=automation_id,
        step_id=step_id,
        version=version,
        event_id=event_id,
        event_name=event_name,
        epoch=epoch,
    )


def of_delivery(tenant_id: str, seq: int, name: str | None, code: str, error: str, strikes: int) -> Letter:
    """The letter of an outbox row that was refused for the last time."""
    return Letter(
        tenant_id=tenant_id,
        kind="delivery",
        noun_id=str(seq),
        code=code,
        error=redacted(error),
        strikes=strikes,
        fingerprint=fingerprint("delivery", code, error, name or ""),
        event_name=name,
    )


def fingerprint(kind: str, code: str, error: str, *subject: str) -> str:
    """The same for the same trouble of the same automation and step, or event name, whatever ids its text names."""
    told = _QUOTED.sub("…", error[:TEXT_MAX])
    words = ["#" if any(map(_differs, word)) else word.lower() for word in told.split()]
    whole = "\n".join((kind, code, *subject, " ".join(words)))
    return hashlib.sha256(whole.encode(errors="replace")).hexdigest()[:24]


def redacted(error: str) -> str:
    """The text without what looks like a secret or a person's address, on one line and bounded."""
    text = " ".join("".join(c if c.isprintable() else " " for c in error[: 2 * TEXT_MAX]).split())
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text if len(text) <= TEXT_MAX else f"{text[: TEXT_MAX - 1]}…"


def _differs(character: str) -> bool:
    return character.isdigit() or character == "@"
