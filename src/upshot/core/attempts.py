"""When a failed attempt is tried again. Exponential backoff with jitter; the jitter is drawn from the attempt's own key,
so the same attempt always waits the same time and a replay agrees with what happened."""

import zlib

from upshot.core.automations.document import ActionStep

DEFAULT_RETRIES = 3
MICROSECONDS = 1_000_000


def attempts_max(step: ActionStep) -> int:
    """How many attempts this step may use. `on_error: retry` without a count means three retries."""
    if step.retries.count == 0 and step.on_error == "retry":
        return 1 + DEFAULT_RETRIES
    return 1 + step.retries.count


def next_attempt_at(
    step: ActionStep, attempt: int, *, key: str, now: int, retry_after_seconds: float | None = None
) -> int | None:
    """When attempt `attempt + 1` may start (microseconds UTC), or None when `attempt` was the last.

    The n-th wait is `backoff_seconds * 2^(n-1)`, at most `backoff_max_seconds`, spread over 75-125 % of itself by the
    key; a provider's Retry-After is never undercut.
    """
    if attempt >= attempts_max(step):
        return None
    wait = min(step.retries.backoff_seconds * 2.0 ** min(attempt - 1, 40), step.retries.backoff_max_seconds)
    spread = 0.75 + 0.5 * (zlib.crc32(f"{key}:{attempt}".encode()) / 0xFFFFFFFF)
    return now + int(max(wait * spread, retry_after_seconds or 0.0) * MICROSECONDS)
