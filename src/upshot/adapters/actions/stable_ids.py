"""Ids for what a step creates: the same on every attempt, so that doing it again cannot double it."""

import hashlib

from upshot.core.action import ActionContext


def made_id(context: ActionContext) -> str:
    """A UUID that belongs to this step of this run.

    It begins with the instant of the run's own id (UUID version 7): what runs create lies together in the store.
    """
    digest = hashlib.blake2b(context.idempotency_key.encode(errors="surrogatepass"), digest_size=8).hexdigest()
    return f"{context.run_id[:18]}-{_variant(digest[0])}{digest[1:4]}-{digest[4:]}"


def _variant(digit: str) -> str:
    return "89ab"[int(digit, 16) % 4]
