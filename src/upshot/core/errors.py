"""What can go wrong, as one small tree.

    UpshotError
    ├── Refused            the input cannot be accepted; `problems` name every fault and its path
    │   └── Malformed      the input is not even of the right form (bad JSON, unknown field, wrong type)
    ├── NotFound           nothing of that kind and id in this tenant
    ├── Conflict           the input is fine, the present state is not (a newer revision, a wrong status)
    ├── NotAllowed         the caller is known and may not do this
    ├── NotSignedIn        the caller is not known
    ├── TooLarge           over a published limit
    ├── Busy               not now; safe to send again
    └── ActionError        raised by an action: this attempt failed and may be tried again
        ├── PermanentError raised by an action: trying again cannot help
        └── MissingPart    raised by an action: this installation lacks a part that it needs; another worker may have it

Every message says what happened, to what, why, and what to do about it.
"""

from collections.abc import Iterable

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One fault in an input: where (`steps[2].with.to`), what, and a stable code for programs."""

    path: str
    message: str
    code: str = "invalid"


class UpshotError(Exception):
    """The base of every error that Upshot raises on purpose."""

    code = "error"


class Refused(UpshotError):
    """The input cannot be accepted. Nothing was written."""

    code = "refused"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.path}: {p.message}" if p.path else p.message for p in self.problems))

    @classmethod
    def at(cls, path: str, message: str, code: str = "invalid") -> "Refused":
        """One problem at one path."""
        return cls([Problem(path, message, code)])


class Malformed(Refused):
    """The input is not of the right form. Nothing was written."""

    code = "malformed"


class NotFound(UpshotError):
    """Nothing of that kind and id is there, or it belongs to another tenant: the two look the same."""

    code = "not_found"

    def __init__(self, noun: str, identity: str) -> None:
        self.noun, self.identity = noun, identity
        super().__init__(f"There is no {noun} {identity!r}.")


class Conflict(UpshotError):
    """The present state does not allow this."""

    code = "conflict"


class NotAllowed(UpshotError):
    """The caller is known, and its role or tenant does not allow this."""

    code = "not_allowed"


class NotSignedIn(UpshotError):
    """The caller did not say, or could not prove, who it is."""

    code = "not_signed_in"


class TooLarge(UpshotError):
    """The input is over a published limit."""

    code = "too_large"


class Busy(UpshotError):
    """The engine cannot take more right now. Nothing was written; send it again after `retry_after_seconds`."""

    code = "busy"

    def __init__(self, message: str, retry_after_seconds: int = 1) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class OutcomeUnknown(Busy):
    """The connection was lost while a write was committed: it was kept whole or not at all, and nobody knows which. Sent again
    with the same id it takes effect once."""

    code = "outcome_unknown"


class ActionError(UpshotError):
    """An action says: this attempt failed. The step's retry policy decides what follows.

    `retry_after_seconds`, when given, is the earliest next attempt (as a `Retry-After` header asks).
    """

    code = "action_failed"

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class PermanentError(ActionError):
    """An action says: this failed and another attempt cannot help. It is never retried."""

    code = "permanent"


class MissingPart(ActionError):
    """An action says: a part that it needs is not installed here. Its step waits until a worker has it."""

    code = "missing_part"
