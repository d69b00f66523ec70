"""Whether the server itself keeps tenants apart for the surfaces, should a query of ours ever forget to."""

from sqlalchemy import Connection

from upshot.store import row_security
from upshot.store.health.finding import FAILED, OK, WARNING, Finding
from upshot.store.row_security import ROLE

NAME = "row_security"


def findings(connection: Connection) -> list[Finding]:
    """The state of every table that belongs to tenants, and of the role that surfaces read and write as."""
    return [_of(row_security.state(connection))]


def _of(state: row_security.State) -> Finding:
    migrate = "Run `upshot migrate` with the role that owns the tables."
    if state.missing:
        return Finding(NAME, FAILED, f"Without row-level security: {', '.join(state.missing)}.", migrate)
    if not state.has_role:
        remedy = f"Let a role that may do so run `CREATE ROLE {ROLE} NOLOGIN`, then run `upshot migrate`."
        return Finding(NAME, WARNING, f"There is no role {ROLE}, so every query keeps to its tenant by itself.", remedy)
    if state.ungranted:
        return Finding(NAME, WARNING, f"{ROLE} may not use {', '.join(state.ungranted)}.", migrate)
    if not state.may_become:
        usage = f"`GRANT USAGE ON SCHEMA` of the tables to {ROLE}"
        remedy = f"Run `GRANT {ROLE} TO` the role that Upshot signs in with, and {usage}."
        return Finding(NAME, WARNING, f"The surfaces may not take the role {ROLE}.", remedy)
    return Finding(NAME, OK, f"Row-level security holds on {state.tables} tables.")
