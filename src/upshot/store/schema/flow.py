"""Flow control: what is kept for each key, and what it did to an event."""

from sqlalchemy import Index, text

from upshot.core.flow.model import CONTROLS
from upshot.core.flow.outcomes import OUTCOMES
from upshot.store.columns import count, instant, keyed_table, maybe, one_of, words

_is_due = text("due_at IS NOT NULL")
_waits = text("waits > 0")
_is_gathered = text("window_id IS NOT NULL")

flow_keys = keyed_table(
    "flow_keys",
    words("tenant_id"),
    words("automation_id"),
    words("control"),
    words("key"),
    maybe("state"),
    count("places"),
    count("waits"),
    instant("due_at", nullable=True),
    instant("expires_at"),
    one_of("control", (*CONTROLS, "reentry")),
    Index("ix_upshot_flow_keys_due", "due_at", sqlite_where=_is_due, postgresql_where=_is_due),
    Index("ix_upshot_flow_keys_waits", "waits", sqlite_where=_waits, postgresql_where=_waits),
    Index(None, "expires_at"),
    key=("tenant_id", "automation_id", "control", "key"),
)

flow_outcomes = keyed_table(
    "flow_outcomes",
    words("tenant_id"),
    words("event_id"),
    words("automation_id"),
    words("outcome"),
    words("key"),
    instant("at"),
    instant("until", nullable=True),
    maybe("run_id"),
    maybe("window_id"),
    instant("due_at", nullable=True),
    maybe("reason"),
    one_of("outcome", OUTCOMES),
    Index("ix_upshot_flow_outcomes_due", "due_at", sqlite_where=_is_due, postgresql_where=_is_due),
    Index(
        "ix_upshot_flow_outcomes_window",
        "tenant_id",
        "window_id",
        "event_id",
        sqlite_where=_is_gathered,
        postgresql_where=_is_gathered,
    ),
    key=("tenant_id", "event_id", "automation_id"),
)
