"""Replays on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from upshot.app.replays import EVENTS_AT_ONCE, EVENTS_AT_ONCE_MAX
from upshot.core.replays import PER_MINUTE, PER_MINUTE_MAX
from upshot.http.shapes.automations import BacktestProgress
from upshot.http.shapes.base import Answer, AnyJson, Body, EntityRef, EntityRefBody, Instant, JsonObject


class ReplayBody(Body):
    """Which events of the past an automation is to act on, and how fast."""

    since: Annotated[str, Field(max_length=40)] = Field(description="Accepted at or after this instant.")
    until: Annotated[str, Field(max_length=40)] | None = Field(
        default=None, description="Accepted before this instant; now if left out, and at most."
    )
    entity: EntityRefBody | None = Field(default=None, description="Only events about this entity.")
    condition: AnyJson = Field(default=None, description="Only events that meet this condition too.")
    per_minute: int = Field(
        default=PER_MINUTE, ge=1, le=PER_MINUTE_MAX, description="Runs it starts in a minute at most."
    )
    limit: Annotated[int, Field(ge=1, le=2_147_483_647)] | None = Field(
        default=None, description="Runs it starts in all; as many as there are events if left out."
    )
    dropped: bool = Field(
        default=False, description="Whether it starts events that flow control dropped at the time, too."
    )
    dry_run: bool = Field(default=True, description="Only say what it would start. Real effects need `false`.")
    events: int = Field(
        default=EVENTS_AT_ONCE,
        ge=1,
        le=EVENTS_AT_ONCE_MAX,
        description="With `dry_run`: events to look at in this call.",
    )
    cursor: Annotated[str, Field(min_length=1, max_length=2_000)] | None = Field(
        default=None, description="With `dry_run`: the `next` of the answer before, with the same wish."
    )


class ReplayCounts(Answer):
    """What became of the events looked at. The seven add up to them."""

    started: int = Field(description="They started a run; in a dry run: they would.")
    already: int = Field(
        description="They have started one of this automation before, were gathered for one, or wait to be matched."
    )
    dropped: int = Field(description="Flow control, or the guard against loops, dropped them at the time.")
    not_met: int = Field(description="The condition of the automation does not hold.")
    left_out: int = Field(description="The condition of the replay does not hold.")
    undecided: int = Field(description="A condition had no answer.")
    gone: int = Field(description="They were pruned meanwhile; or runs of their time were, so that nobody knows.")


class Replay(Answer):
    """A replay, and how far it is. In the answer of a dry run, `id`, `status` and who made it are null."""

    id: str | None
    automation_id: str
    version: int = Field(description="The version it starts: the live one when it began.")
    status: Literal["running", "paused", "completed", "cancelled"] | None
    reason: str | None = Field(description="Why it ended, where that was not its last event or a person.")
    since: Instant
    until: Instant
    entity: EntityRef | None
    condition: JsonObject | None
    per_minute: int
    limit: int | None
    dropped: bool
    progress: BacktestProgress
    counts: ReplayCounts
    next_at: Instant | None = Field(description="When it goes on, while it is running.")
    created_by: str | None
    created_at: Instant
    finished_at: Instant | None


class StartedReplay(Replay):
    """A replay that began, or what one would do."""

    next: str | None = Field(description="In a dry run that has more to look at: the `cursor` of the next call.")


class ReplayPage(Answer):
    """A page of replays."""

    items: list[Replay]
    next: str | None
