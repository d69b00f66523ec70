"""Membership: a change of an entity is kept with what it means for segments, in one transaction: who joins or leaves, and the
events that tell it. A tenant without segments pays nothing for it: one statement reads all that stands on a type.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from upshot.core.entities import Change
from upshot.core.errors import Refused
from upshot.core.segments import EVENTS, Reason, Side, Wanted, before_root, told, wanted_of
from upshot.store import entities
from upshot.store import segments as store
from upshot.store.segments import Concerned, Member

log = logging.getLogger("upshot.engine")

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
    answers = entities.apply(connection, wanted, now, standing.allowed)
    tenants = {one.owner: one.tenant_id for one in wanted}
    kept = [
        (tenants[owner], answer)
        for owner, given in answers.items()
        if not any(isinstance(answer, Refused) for answer in given)
        for answer in given
        if isinstance(answer, Change)
    ]
    crossed = follow(connection, kept, standing, now) if standing.segments else {}
    return {owner: [_made(answer, crossed) for answer in given] for owner, given in answers.items()}


def _made(answer: Change | Refused, crossed: dict[int, list[EventData]]) -> Made | Refused:
    if isinstance(answer, Refused):
        return answer
    own: list[EventData] = [(answer.event_name, answer.data)] if answer.event_name is not None else []
    return Made(answer, (*own, *crossed.get(id(answer), ())))


def follow(
    connection: Connection, changes: Sequence[tuple[str, Change]], standing: store.Standing, now: int
) -> dict[int, list[EventData]]:
    """Keep who joined and left by these changes, which are kept in this transaction, in their order; the events of each, by the
    identity of the change."""
    asked = [
        (tenant_id, change, concerned)
        for tenant_id, change in changes
        if (concerned := list(_concerned(change, standing.segments.get((tenant_id, change.after.type), ()))))
    ]
    if not asked:
        return {}
    before = store.of_entities(connection, sorted({(tenant_id, change.after.id) for tenant_id, change, _ in asked}))
    after = set(before)
    found: dict[int, list[EventData]] = {}
    touched: set[Member] = set()
    for tenant_id, change, concerned in asked:
        for segment in concerned:
            member = (tenant_id, segment.id, change.after.id)
            was, is_in = member in after, _is_in(segment, change, member in after, now)
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
                data = told((segment.id, segment.name), change.after, _reason(change), change.data["changed"])
                found.setdefault(id(change), []).append((EVENTS[side], data))
    store.join(connection, [member for member in touched if member in after and member not in before], now)
    store.leave(connection, [member for member in touched if member in before and member not in after])
    return found


def _concerned(change: Change, segments: Iterable[Concerned]) -> Iterable[Concerned]:
    if change.kind == "unchanged":
        return
    for segment in segments:
        if segment.condition is None:
            if change.is_deletion:
                yield segment
            continue
        try:
            if _wanted(segment).concerns(change) or segment.is_under_way:
                yield segment
        except Refused as refused:  # kept by another release; whoever writes entities must not be held up
            log.warning("segment %s cannot be read here: %s", segment.id, refused)


def _is_in(segment: Concerned, change: Change, was: bool, now: int) -> bool:
    if change.is_deletion or segment.condition is None:
        return was and not change.is_deletion
    return _holds(segment, entities.as_root(change.after), now)


def _holds(segment: Concerned, root: dict[str, Any] | None, now: int) -> bool:
    return _wanted(segment).holds(root, now, segment.zone)


def _wanted(segment: Concerned) -> Wanted:
    return wanted_of(segment.condition or "", segment.entity_type)


def _reason(change: Change) -> Reason:
    return "deleted" if change.is_deletion else "created" if change.kind == "created" else "updated"
