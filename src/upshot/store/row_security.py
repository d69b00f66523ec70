"""Row-level security on PostgreSQL: the server keeps tenants apart for the surfaces, should a statement of ours ever forget to.

A transaction of a surface takes the role `upshot_surface` and says its tenant, both until its end at most (a pooled connection
keeps neither, so a transaction pooler does no harm). Under that role every table shows and takes the rows of that tenant only,
and none without a tenant. Any other role sees all rows its rights give it: the engine's batches span tenants, and a host
writes into the outbox with a role of its own.
"""

from collections.abc import Generator
from contextlib import contextmanager

import msgspec
from sqlalchemy import Connection, Table, text

from upshot.store.rows import Prepared
from upshot.store.schema import metadata

ROLE = "upshot_surface"
TENANT = "upshot.tenant_id"
POLICY = "upshot_tenant"

_become = Prepared(
    text(
        f"SELECT current_setting('role'), set_config('role', '{ROLE}', true), set_config('{TENANT}', :tenant_id, true)"
    )
)
_be_again = Prepared(text(f"SELECT set_config('role', :role, true), set_config('{TENANT}', '', true)"))


def enter(connection: Connection, tenant_id: str) -> str:
    """Until the transaction ends, or `leave` is called: this tenant only. The role from before, for `leave`."""
    return _become(connection, tenant_id=tenant_id).fetchone()[0]


def leave(connection: Connection, role: str) -> None:
    """Be this role again."""
    _be_again(connection, role=role)


@contextmanager
def confined(connection: Connection, tenant_id: str) -> Generator[None]:
    """This tenant only, for a part of a transaction that is a savepoint of its own: an error rolls back to before it, and the
    role with it."""
    before = enter(connection, tenant_id)
    yield
    leave(connection, before)


# --- how it stands, and setting it up -------------------------------------------------------------------------------------


class State(msgspec.Struct, frozen=True):
    """How it stands. `missing` are tables without their policy, `ungranted` those that the surfaces' role may not use, `owned`
    those that this connection's role may change; `may_become` is whether it may take the surfaces' role."""

    tables: int
    missing: list[str]
    ungranted: list[str]
    owned: list[str]
    has_role: bool
    may_become: bool

    @property
    def is_usable(self) -> bool:
        """Whether a surface can be confined by it."""
        return self.tables > 0 and self.may_become and not self.missing and not self.ungranted


def tenant_tables() -> dict[str, str]:
    """Every table that has rows of tenants, with the column that says whose."""
    found = {name: "tenant_id" for name, table in metadata.tables.items() if "tenant_id" in table.columns}
    return {**found, "upshot_tenants": "id"}


_MAY_BECOME = (
    "CASE WHEN to_regrole(:role) IS NULL THEN false ELSE pg_has_role(current_user, to_regrole(:role), "
    "CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) "
    "AND has_schema_privilege(to_regrole(:role), current_schema(), 'USAGE') END"
)
_read_role = text(f"SELECT to_regrole(:role) IS NOT NULL, {_MAY_BECOME}")
_read_tables = text(
    "SELECT c.relname, c.relrowsecurity AND EXISTS "
    "(SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = :policy), "
    "coalesce((SELECT bool_and(has_table_privilege(to_regrole(:role), c.oid, needed)) "
    "FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS needed), false), "
    "pg_has_role(current_user, c.relowner, 'USAGE') "
    "FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(:tables) ORDER BY 1"
)


def state(connection: Connection) -> State:
    """How it stands in this database, read from the catalogue."""
    has_role, may_become = connection.execute(_read_role, {"role": ROLE}).one()
    asked = {"role": ROLE, "policy": POLICY, "tables": list(tenant_tables())}
    found = connection.execute(_read_tables, asked).all()
    return State(
        tables=len(found),
        missing=[name for name, is_closed, *_ in found if not is_closed],
        ungranted=[name for name, _, is_granted, _ in found if not is_granted],
        owned=[name for name, *_, is_owned in found if is_owned],
        has_role=has_role,
        may_become=may_become,
    )


def protect(connection: Connection, name: str) -> None:
    """Give this table its policy. It locks the table, so give it a transaction of its own: two such locks and the engine's
    could wait for each other."""
    own = f"{tenant_tables()[name]} = nullif(current_setting('{TENANT}', true), '')"
    connection.execute(text(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"))
    connection.execute(text(f"DROP POLICY IF EXISTS {POLICY} ON {name}"))
    connection.execute(text(f"CREATE POLICY {POLICY} ON {name} USING ({own} OR current_user <> '{ROLE}')"))


def grant(connection: Connection, before: State) -> None:
    """Make the surfaces' role and give it what it lacks, as far as this connection's role may; the doctor tells the rest."""
    if not before.may_become:
        connection.execute(text(MAKE_ROLE))
    if not state(connection).has_role:
        return
    for name in sorted({*before.ungranted} & {*before.owned}):
        connection.execute(text(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {ROLE}"))
        if (sequence := _sequence(metadata.tables[name])) is not None:
            connection.execute(text(f"GRANT USAGE ON SEQUENCE {sequence} TO {ROLE}"))


MAKE_ROLE = f"""
DO $$
BEGIN
    IF to_regrole('{ROLE}') IS NULL THEN
        BEGIN
            CREATE ROLE {ROLE} NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN
            NULL;  -- another database of the server made it meanwhile, or this role may not
        END;
    END IF;
    IF to_regrole('{ROLE}') IS NOT NULL THEN
        BEGIN
            EXECUTE format('GRANT {ROLE} TO %I', current_user);
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO {ROLE}', current_schema());
        EXCEPTION WHEN unique_violation OR insufficient_privilege THEN
            NULL;  -- as above
        END;
    END IF;
END $$
"""
"""Makes the surfaces' role and grants it to this role, as far as it may."""


def _sequence(table: Table) -> str | None:
    column = table.autoincrement_column
    return f"{table.name}_{column.name}_seq" if column is not None else None
