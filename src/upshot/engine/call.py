"""Call: a step starts a run of another automation, in the transaction that keeps that it did.

The run is one of the automation's live version, as if somebody had started it by hand: neither its condition nor its flow
control is asked. Its event is caused by the step, and starts nothing else. A step of a run calls once: begun again, after the
run was retried, it finds the run that it called, and lets that one go on if it failed.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.core.automations.document import CALLED, CallStep
from upshot.core.commands import StepError
from upshot.core.errors import Malformed
from upshot.core.events import DEPTH_MAX, Event
from upshot.core.facts import Facts
from upshot.core.program import Program
from upshot.core.strict_json import encode
from upshot.engine import control
from upshot.engine.receive import DATA_MAX
from upshot.store import calls, counts, hints, runs
from upshot.store.calls import Callee, Child
from upshot.store.events import insert_events, keep_keys
from upshot.store.runs import NewRun

if TYPE_CHECKING:
    from upshot.engine.live_run import LiveRun

_decode = msgspec.json.Decoder().decode


class Call(msgspec.Struct, frozen=True):
    """A call that is about to be made: of which automation, with which data (and as canonical JSON)."""

    automation_id: str
    data: dict[str, Any]
    text: str


class Called(msgspec.Struct, frozen=True):
    """The run that was called, and its status; `pending` when it is new."""

    run_id: str
    status: str


Wanted = tuple["LiveRun", str, Call]
"""The run that calls, its step, and the call."""


def call_of(program: Program, step: CallStep, facts: Facts) -> Call:
    """What this step calls, its data filled in.

    Raises:
        TemplateError: a placeholder cannot be filled in.
        Malformed: the data is not JSON, or too much.
    """
    text = encode(program.calls[program.base(step.id)].render(facts), at="with")
    if len(text) > DATA_MAX:
        raise Malformed.at("with", f"is {len(text)} characters; at most {DATA_MAX}", "too_large")
    return Call(step.automation, _decode(text), text)


def start(connection: Connection, wanted: Sequence[Wanted], now: int) -> list[Called | StepError]:
    """Start the runs of these calls by runs that are held, or say why one cannot be: the step has then failed for good."""
    answers: dict[int, Called | StepError] = {}
    again = {at: _key(one) for at, one in enumerate(wanted) if one[0].attempts}  # it may have been retried
    known = calls.children(connection, sorted(again.values()))
    callees = calls.callees(connection, sorted({(run.tenant_id, call.automation_id) for run, _, call in wanted}))
    new: dict[int, tuple[Event, NewRun]] = {}
    for at, (run, step_id, call) in enumerate(wanted):
        callee = callees.get((run.tenant_id, call.automation_id))
        if (child := known.get(again.get(at, ("", "")))) is not None:
            answers[at] = _found(connection, run.tenant_id, step_id, child, now)
        elif callee is None:
            answers[at] = StepError("not_callable", "There is no automation of this id.", step_id)
        elif (why := _refusal(run, callee)) is not None:
            answers[at] = StepError(why[0], why[1], step_id)
        else:
            new[at] = _made(run, step_id, call, callee, now)
    keys = {event.id: (*_key(wanted[at]), event.id, now) for at, (event, _) in new.items()}
    fresh = keep_keys(connection, sorted(keys.values())) if keys else set[str]()
    before = [_key(wanted[at]) for at, (event, _) in new.items() if event.id not in fresh]
    known = calls.children(connection, sorted(before)) if before else {}
    made = [one for one in new.values() if one[0].id in fresh]
    if made:
        insert_events(connection, [event for event, _ in made], now, None)
        runs.create(connection, [run for _, run in made], now)
        counts.add(connection, Counter((run.tenant_id, "runs", "", "pending") for _, run in made), now)
        hints.send(connection, hints.RUNS)
    for at, (event, run) in new.items():
        caller, step_id, _ = wanted[at]
        if event.id in fresh:
            answers[at] = Called(run.id, "pending")
        else:  # the step was let go when its run failed, or cancelled in flight, and goes on now
            child = known.get(_key(wanted[at]), Child(None, None))
            answers[at] = _found(connection, caller.tenant_id, step_id, child, now)
    return [answers[at] for at in range(len(wanted))]


def _key(wanted: Wanted) -> tuple[str, str]:
    run, step_id, _ = wanted
    return run.tenant_id, calls.key_of(run.id, step_id)


def _refusal(run: "LiveRun", callee: Callee) -> tuple[str, str] | None:
    """Why this automation cannot be called by this run, as a code and a sentence."""
    if callee.is_deleted:
        return "not_callable", f"Automation “{callee.name}” was deleted."
    if callee.version is None:
        return "not_callable", f"Automation “{callee.name}” was never published, so there is nothing to run."
    if callee.status != "active":
        return "not_callable", f"Automation “{callee.name}” is {callee.status}; it starts nothing until it is active."
    if run.event.depth + 1 > DEPTH_MAX:
        said = f"{DEPTH_MAX} events and calls caused one another before this one, which is taken for a loop."
        return "loop_stopped", f"Automation “{callee.name}” was not called: {said}"
    return None


def _found(connection: Connection, tenant_id: str, step_id: str, child: Child, now: int) -> Called | StepError:
    """The run that this step called before, which goes on if it failed."""
    if child.run_id is None or child.status is None:
        return _gone(step_id)
    if child.status == "cancelled":
        said = (
            f"Run {child.run_id}, which it called, was cancelled. Skip the step, or run the automation again from it."
        )
        return StepError("call_cancelled", said, step_id)
    if child.status != "failed":
        return Called(child.run_id, child.status)
    moved = control.act(connection, tenant_id, [child.run_id], "retry", "call", now)
    if moved.refused:
        said = f"Run {child.run_id}, which it called, failed and cannot go on: {moved.refused[child.run_id]}."
        return StepError("call_failed", said, step_id)
    return Called(child.run_id, "pending")


def _gone(step_id: str) -> StepError:
    return StepError("call_gone", "The run that it called is not kept any more, so nobody knows how it ended.", step_id)


def _made(run: "LiveRun", step_id: str, call: Call, callee: Callee, now: int) -> tuple[Event, NewRun]:
    source = run.event
    event = Event(
        tenant_id=run.tenant_id,
        id=new_id(now),
        name=CALLED + call.automation_id,
        data=call.data,
        text=call.text,
        ts=now,
        root_id=source.root_id,
        entity=source.entity,
        depth=source.depth + 1,
        cause_run_id=run.id,
        cause_step_id=step_id,
        test=source.test,
        by_hand=True,
        traceparent=run.traceparent,
    )
    called = NewRun(
        tenant_id=run.tenant_id,
        id=new_id(now),
        automation_id=call.automation_id,
        version=callee.version or 0,
        event_id=event.id,
        entity_type=source.entity.type if source.entity is not None else None,
        entity_id=source.entity.id if source.entity is not None else None,
        priority=callee.priority,
        test=source.test,
        facts=None,
        worker_id=None,
        queue=callee.queue,
    )
    return event, called
