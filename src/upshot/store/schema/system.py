"""Workers, what was given up on, and counts."""

from sqlalchemy import BigInteger, Column, Index, Integer, text

from upshot.core import statuses
from upshot.core.dead_letters import KINDS
from upshot.store.columns import count, instant, keyed_table, maybe, numbered_table, one_of, words

workers = keyed_table(
    "workers",
    words("id"),
    words("host"),
    Column("pid", Integer, nullable=False),
    words("place", server_default=text("''")),
    words("queues", server_default=text("'automation'")),
    count("concurrency"),
    instant("started_at"),
    instant("expires_at"),
    key=("id",),
)

_under_way = text("status = 'retrying'")
_replayed = text("replay_id IS NOT NULL")
dead_letters = keyed_table(
    "dead_letters",
    words("tenant_id"),
    words("id"),
    words("kind"),
    words("noun_id"),
    words("code", server_default=text("''")),
    words("error"),
    words("fingerprint", server_default=text("''")),
    count("strikes"),
    count("epoch"),
    maybe("automation_id"),
    maybe("step_id"),
    Column("version", Integer, nullable=True),
    maybe("event_id"),
    maybe("event_name"),
    words("status"),
    maybe("who"),
    maybe("why"),
    maybe("replay_id"),
    instant("created_at"),
    Column("last_at", BigInteger, nullable=False, server_default=text("0")),
    Column("updated_at", BigInteger, nullable=False, server_default=text("0")),
    one_of("kind", KINDS),
    one_of("status", statuses.DEAD_LETTER),
    Index(None, "tenant_id", "status", "last_at", "id"),
    Index(None, "tenant_id", "fingerprint", "status", "id"),
    Index("ix_upshot_dead_letters_retrying", "tenant_id", "id", sqlite_where=_under_way, postgresql_where=_under_way),
    Index(
        "ix_upshot_dead_letters_replay", "tenant_id", "replay_id", sqlite_where=_replayed, postgresql_where=_replayed
    ),
    key=("tenant_id", "id"),
)

# Insert-only deltas, one row per commit, tenant, noun, status and subject; rolled up in the background.
counts = numbered_table(
    "counts",
    words("tenant_id"),
    words("noun"),
    words("subject"),
    words("status"),
    instant("minute"),
    Column("delta", BigInteger, nullable=False),
    Index(None, "tenant_id", "noun", "subject", "status"),
)
