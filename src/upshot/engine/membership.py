"""Membership: a change of an entity is kept with what it means for segments, in one transaction: who joins or leaves, and the
events that tell it. A tenant without segments pays nothing for it: one statement reads all that stands on a type.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from upshot.core.entities import Change, JoinSegment, LeaveSegment, Operation
from upshot.core.errors import Problem, Refused
from upshot.core.segments import EVENTS, Reason, Side, Wanted, before_root, told, wanted_of
from upshot.store import entities
from upshot.store import segments as store
from upshot.store.segments import Concerned, Member

log = logging.getLogger("upshot.engine")

NOT_BY_HAND = "not_by_hand"

EventData = tuple[str, dict[str, Any]]


class Made(msgspec.Struct, frozen=True):
    """A change that was made, and the events it means, by name and data: its own first, then who joined and left. None where
    nothing changed."""

    change: Change
    events: tuple[EventData, ...]


def make(connection: Connection, wanted: Sequence[entities.Wanted], now: int) -> dict[int, list[Made | Refused]]:
    """Make these changes as `store.entities.apply` does, and let who they concern join and leave."""
    types = {(one.tenant_id, one.operation.type) for one in wanted}
    standing = store.standing(connection, sorted(types))
    refused = {one.owner: problem for one in wanted if (problem := _not_by_hand(one, standing)) is not None}
    fine = [one for one in wanted if one.owner not in refused] if refused else wanted
    answers = entities.apply(connection, fine, now, standing.allowed)
    asked: dict[int, list[entities.Wanted]] = {}
    for one in fine:
        asked.setdefault(one.owner, []).append(one)
    kept = [
        (one.tenant_id, one.operation, answer)
        for owner, given in answers.items()
        if not any(isinstance(answer, Refused) for answer in given)
        for one, answer in zip(asked[owner], given, strict=True)
        if isinstance(answer, Change)
    ]
    crossed = follow(connection, kept, standing, now) if standing.segments else {}
    made = {owner: [_made(answer, crossed) for answer in given] for owner, given in answers.items()}
    return {**made, **{owner: [problem] for owner, problem in refused.items()}}


def _not_by_hand(one: entities.Wanted, standing: store.Standing) -> Refused | None:
    """Why nobody can be put into the segment that is meant, or taken out of it, by hand."""
    operation = one.operation
    if not isinstance(operation, JoinSegment | LeaveSegment):
        return None
    there = standing.segments.get((one.tenant_id, operation.type), ())
    segment = next((segment for segment in there if segment.name == operation.segment), None)
    if segment is None:
        said = f"there is no segment {operation.segment!r} of entities of type {operation.type}"
        return Refused([Problem("segment", said, "unknown_segment")])
    if segment.condition is not None:
        said = f"who is in {operation.segment!r} is said by its condition; change the entity"
        return Refused([Problem("segment", said, NOT_BY_HAND)])
    return None


def _made(answer: Change | Refused, crossed: dict[int, list[EventData]]) -> Made | Refused:
    if isinstance(answer, Refused):
        return answer
    own: list[EventData] = [(answer.event_name, answer.data)] if answer.event_name is not None else []
    return Made(answer, (*own, *crossed.get(id(answer), ())))


def follow(
    connection: Connection, changes: Sequence[tuple[str, Operation, Change]], standing: store.Standing, now: int
) -> dict[int, list[EventData]]:
    """Keep who joined and left by these changes, which are kept in this transaction, in their order; the events of each, by the
    identity of the change."""
    asked = [
        (tenant_id, operation, change, concerned)
        for tenant_id, operation, change in changes
        if (concerned := list(_concerned(operation, change, standing.segments.get((tenant_id, change.after.type), ()))))
    ]
    if not asked:
        return {}
    before = store.of_entities(connection, sorted({(tenant_id, change.after.id) for tenant_id, _, change, _ in asked}))
    after = set(before)
    found: dict[int, list[EventData]] = {}
    touched: set[Member] = set()
    for tenant_id, operation, change, concerned in asked:
        for segment in concerned:
            member = (tenant_id, segment.id, change.after.id)
            was, is_in = member in after, _is_in(segment, operation, change, now)
            # While who is in it is being found and nobody is told, only what this very change does is told.
            is_told_apart = segment.is_silent and segment.condition is not None
            was_told = _holds(segment, before_root(change), now) if is_told_apart else was
            touched.add(member)
            if is_in:
                after.add(member)
            else:
                after.discard(member)
            if is_in is not was_told:
                side: Side = "joined" if is_in else "left"
                data = told((segment.id, segment.name), change.after, _reason(change), change.data.get("changed", []))
                found.setdefault(id(change), []).append((EVENTS[side], data))
    store.join(connection, [member for member in touched if member in after and member not in before], now)
    store.leave(connection, [member for member in touched if member in before and member not in after])
    return found


def _concerned(operation: Operation, change: Change, segments: Iterable[Concerned]) -> Iterable[Concerned]:
    by_hand = operation.segment if isinstance(operation, JoinSegment | LeaveSegment) else None
    if change.kind == "unchanged" and by_hand is None:
        return
    for segment in segments:
        if segment.condition is None:
            if change.is_deletion or segment.name == by_hand:
                yield segment
            continue
        try:
            if _wanted(segment).concerns(change) or (segment.is_under_way and by_hand is None):
                yield segment
        except Refused as refused:  # kept by another release; whoever writes entities must not be held up
            log.warning("segment %s cannot be read here: %s", segment.id, refused)


def _is_in(segment: Concerned, operation: Operation, change: Change, now: int) -> bool:
    if change.is_deletion or segment.condition is None:
        return isinstance(operation, JoinSegment)
    return _holds(segment, entities.as_root(change.after), now)


def _holds(segment: Concerned, root: dict[str, Any] | None, now: int) -> bool:
    return _wanted(segment).holds(root, now, segment.zone)


def _wanted(segment: Concerned) -> Wanted:
    return wanted_of(segment.condition or "", segment.entity_type)


def _reason(change: Change) -> Reason:
    reasons: dict[str, Reason] = {"unchanged": "by_hand", "created": "created", "deleted": "deleted"}
    return reasons.get(change.kind, "updated")
