"""What runs wait for, and are cancelled by: small while few wait, and never read for an event whose name nobody waits for."""

from sqlalchemy import Index, text

from upshot.store.columns import count, instant, keyed_table, maybe, one_of, words

_is_open, _is_met = text("met_by IS NULL"), text("met_by IS NOT NULL")
_is_unlooked = text("kind = 'cancel' AND looked_back = 0")

waits = keyed_table(
    "waits",
    words("tenant_id"),
    words("run_id"),
    words("kind"),
    words("step_id"),
    words("event_name"),
    words("match_key"),
    count("test"),
    instant("set_at"),
    count("looked_back"),
    maybe("taken"),
    maybe("met_by"),
    one_of("kind", ("step", "cancel")),
    Index(
        "ix_upshot_waits_open", "tenant_id", "event_name", "match_key", sqlite_where=_is_open, postgresql_where=_is_open
    ),
    Index("ix_upshot_waits_unlooked", "tenant_id", "run_id", sqlite_where=_is_unlooked, postgresql_where=_is_unlooked),
    Index("ix_upshot_waits_met", "tenant_id", "run_id", sqlite_where=_is_met, postgresql_where=_is_met),
    key=("tenant_id", "run_id", "kind", "step_id"),
)

awaited = keyed_table(
    "awaited",
    words("tenant_id"),
    words("event_name"),
    words("kind", server_default=text("'step'")),
    words("fields"),
    key=("tenant_id", "event_name", "kind", "fields"),
)

cancelling = keyed_table(
    "cancelling",
    words("tenant_id"),
    words("event_id"),
    words("match_key"),
    words("event_name"),
    count("test"),
    key=("tenant_id", "event_id", "match_key"),
)
