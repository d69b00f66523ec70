"""Insights on the wire."""

from pydantic import Field

from upshot.http.shapes.base import Answer, Instant


class Spread(Answer):
    """What half of the durations do not pass, and what 95 % do not; null without any."""

    p50_seconds: float | None
    p95_seconds: float | None


class RunDurations(Answer):
    """How long runs took."""

    whole: Spread = Field(description="From the start of a run to its end.")
    work: Spread = Field(description="While at least one of its actions was being done.")
    asleep: Spread = Field(description="In delays, waits and calls, while no action was being done.")


class StepInsight(Answer):
    """How an action step did."""

    id: str
    path: str = Field(description="Its place in the document.")
    action: str
    timeout_seconds: float
    runs: int = Field(description="Runs in which it came to an end.")
    times: int = Field(description="How often it came to an end: of a `for_each`, once for each item.")
    failed: int = Field(description="Of these, how often it failed for good.")
    retried: int = Field(description="Of these, how often it needed more than one attempt.")
    p50_seconds: float | None = Field(description="Half of its attempts took no longer.")
    p95_seconds: float | None = Field(description="95 % of its attempts took no longer.")
    work_seconds: float = Field(description="All of its attempts together.")


class ConditionInsight(Answer):
    """What asking a condition costs: a step of work is about half a microsecond."""

    path: str = Field(description="Its place in the document.")
    comparisons: int
    events: int = Field(description="It was measured on so many events of recent runs, at most 20.")
    mean_steps: float | None
    max_steps: int | None


class Advice(Answer):
    """One thing that could be better."""

    code: str = Field(examples=["near_timeout"])
    path: str = Field(description="The place in the document that it is about.")
    text: str
    figures: dict[str, float]


class RunOutcomes(Answer):
    """How these runs ended."""

    completed: int
    partial: int
    failed: int


class Insights(Answer):
    """How the latest runs of the live version did."""

    version: int | None = Field(description="The live version; null when none was ever published.")
    runs: int = Field(description="The figures are of so many finished runs, the newest, at most 500.")
    runs_needed: int = Field(description="With fewer runs there is no advice.")
    since: Instant | None = Field(description="When the oldest of them was created.")
    outcomes: RunOutcomes
    durations: RunDurations
    steps: list[StepInsight] = Field(description="The slowest first.")
    conditions: list[ConditionInsight] = Field(description="The costliest first.")
    advice: list[Advice]
