"""Settle: what a step did to our own store happens here, inside the transaction that keeps its outcome: exactly once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.core.action import ChangeEntity, EmitEvent, StoreOperation
from upshot.core.commands import StepError
from upshot.core.errors import Refused
from upshot.core.events import EntityRef, Event
from upshot.core.journal import Outcome
from upshot.engine.call import Call, Called, start
from upshot.engine.membership import Made, make
from upshot.store import entities

if TYPE_CHECKING:
    from upshot.engine.live_run import LiveRun
    from upshot.engine.record import Done

    Work = tuple[LiveRun, Done]


_encode = msgspec.json.Encoder().encode  # what is encoded here was held to strict JSON before


class Performed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One attempt as `act` made it: an outcome, or operations on our own store or a call that will decide it. JSON is text."""

    started_at: int
    outcome: Outcome | None = None
    operations: tuple[StoreOperation, ...] = ()
    call: Call | None = None
    input: str | None = None
    log: str | None = None
    is_permanent: bool = False
    is_missing_action: bool = False
    retry_after_seconds: float | None = None


Settled = tuple[Outcome, tuple[Event, ...]]


def settle(connection: Connection, works: "Sequence[Work]", now: int) -> list[Settled]:
    """Do the operations of these steps, all of them or, for a step one of whose operations is refused, none."""
    changes = [
        entities.Wanted(index, run.tenant_id, operation.change)
        for index, (run, done) in enumerate(works)
        for operation in done.performed.operations
        if isinstance(operation, ChangeEntity)
    ]
    applied = make(connection, changes, now) if changes else {}
    wanted = {
        index: (run, done.step_id, done.performed.call)
        for index, (run, done) in enumerate(works)
        if done.performed.call is not None
    }
    called = dict(zip(wanted, start(connection, list(wanted.values()), now), strict=True)) if wanted else {}
    return [
        (_of_call(work[1].step_id, called[index]), ())
        if index in called
        else _settle_one(work, applied.get(index, []), now)
        for index, work in enumerate(works)
    ]


def _of_call(step_id: str, called: Called | StepError) -> Outcome:
    if isinstance(called, StepError):
        return Outcome(step_id, "failed", error=called)
    return Outcome(step_id, "completed", {"run_id": called.run_id, "status": called.status})


def _settle_one(work: "Work", applied: "list[Made | Refused]", now: int) -> Settled:
    step_id, performed = work[1].step_id, work[1].performed
    if performed.outcome is not None:
        return performed.outcome, ()
    for answer in applied:
        if isinstance(answer, Refused):
            error = StepError("refused", str(answer), step_id)
            return Outcome(step_id, "failed", error=error), ()
    events: list[Event] = []
    output: Any = None
    answers = iter(applied)
    for operation in performed.operations:
        match operation:
            case ChangeEntity():
                made = next(answers)
                assert not isinstance(made, Refused)  # noqa: S101 - returned above
                output = entities.as_output(made.change.after)
                ref = EntityRef(made.change.after.type, made.change.after.id)
                events += [caused(work, name, data, ref, now) for name, data in made.events]
            case EmitEvent():
                emitted = caused(work, operation.name, operation.data, operation.entity, now)
                events.append(emitted)
                output = {"event_id": emitted.id}
    return Outcome(step_id, "completed", output), tuple(events)


def caused(work: "Work", name: str, data: dict[str, Any], entity: EntityRef | None, now: int) -> Event:
    """An event that a step of this run emitted: one deeper in the chain of causes."""
    run, done = work
    source = run.event
    return Event(
        tenant_id=run.tenant_id,
        id=new_id(now),
        name=name,
        data=data,
        text=_encode(data).decode(),
        ts=now,
        root_id=source.root_id,
        entity=entity,
        depth=source.depth + 1,
        cause_run_id=run.id,
        cause_step_id=done.step_id,
        test=source.test,
        traceparent=run.traceparent,
    )
