"""The nouns of the API, one file each, in the order the documentation shows them."""

from fastapi import APIRouter

from upshot.http import (
    actions,
    audit,
    automations,
    dead_letters,
    entities,
    event_types,
    events,
    keys,
    operators,
    outbox,
    packs,
    replays,
    runs,
    schedules,
    segments,
    session,
    stats,
    stream,
    tenants,
    webhooks,
)


def noun_routers() -> list[APIRouter]:
    """The routers of all nouns, in the order the documentation shows them."""
    nouns = (
        events,
        event_types,
        automations,
        replays,
        runs,
        schedules,
        webhooks,
        dead_letters,
        entities,
        segments,
        actions,
        operators,
        packs,
        outbox,
        tenants,
        keys,
        audit,
        session,
        stats,
        stream,
    )
    return [noun.router for noun in nouns]
