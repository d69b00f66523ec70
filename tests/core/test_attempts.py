"""When a failed attempt is tried again."""

from hypothesis import given
from hypothesis import strategies as st

from upshot.core.attempts import MICROSECONDS, attempts_max, next_attempt_at
from upshot.core.automations.document import ActionStep, Retries

NOW = 1_000_000_000


def step(count: int = 3, backoff: float = 2.0, ceiling: float = 60.0, on_error: str = "stop") -> ActionStep:
    return ActionStep("s", "log", {}, None, on_error=on_error, retries=Retries(count, backoff, ceiling))  # pyright: ignore[reportArgumentType] - a plain text stands for the literal


def test_the_last_attempt_is_followed_by_none() -> None:
    assert next_attempt_at(step(count=2), 2, key="k", now=NOW) is not None
    assert next_attempt_at(step(count=2), 3, key="k", now=NOW) is None


def test_retry_without_a_count_means_three_retries() -> None:
    assert attempts_max(step(count=0, on_error="retry")) == 4
    assert attempts_max(step(count=0, on_error="continue")) == 1


@given(st.integers(1, 20), st.floats(0.01, 100), st.text(max_size=8))
def test_each_wait_doubles_within_its_spread_and_never_passes_the_ceiling(
    attempt: int, backoff: float, key: str
) -> None:
    at = next_attempt_at(step(count=99, backoff=backoff, ceiling=60), attempt, key=key, now=NOW)
    assert at is not None
    plain = min(backoff * 2 ** (attempt - 1), 60)
    assert 0.75 * plain * MICROSECONDS - 1 <= at - NOW <= 1.25 * plain * MICROSECONDS + 1
    assert at == next_attempt_at(step(count=99, backoff=backoff, ceiling=60), attempt, key=key, now=NOW)


def test_a_retry_after_is_never_undercut() -> None:
    at = next_attempt_at(step(backoff=0.1), 1, key="k", now=NOW, retry_after_seconds=30)
    assert at == NOW + 30 * MICROSECONDS
