"""Every table. Hot rows (`unmatched`, `active`, `timers`) live apart from history (`events`, `runs`, `steps`).

Instants are BIGINT microseconds UTC, JSON is canonical text, ids are uuid7 text, and every key starts with the tenant.
Tables that are keyed by tenant and id are stored by that key (`WITHOUT ROWID` on SQLite).
"""

from upshot.store.columns import metadata
from upshot.store.schema.automations import automation_states, automation_versions, automations, schedules
from upshot.store.schema.entities import entities, entity_dates, entity_types
from upshot.store.schema.events import event_keys, event_types, events, outbox, unmatched
from upshot.store.schema.flow import flow_keys, flow_outcomes
from upshot.store.schema.replays import replays
from upshot.store.schema.runs import active, attempts, runs, steps, timers
from upshot.store.schema.segments import segment_members, segments
from upshot.store.schema.system import counts, dead_letters, workers
from upshot.store.schema.waits import awaited, cancelling, waits
from upshot.store.schema.webhooks import webhooks
from upshot.store.schema.who import api_keys, audit, idempotency, tenants

__all__ = [
    "metadata",
    "tenants",
    "api_keys",
    "audit",
    "idempotency",
    "event_types",
    "events",
    "event_keys",
    "unmatched",
    "outbox",
    "automations",
    "automation_versions",
    "automation_states",
    "schedules",
    "replays",
    "runs",
    "active",
    "steps",
    "attempts",
    "timers",
    "waits",
    "awaited",
    "cancelling",
    "flow_keys",
    "flow_outcomes",
    "workers",
    "dead_letters",
    "counts",
    "entity_types",
    "entities",
    "entity_dates",
    "segments",
    "segment_members",
    "webhooks",
]
