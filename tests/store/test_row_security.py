"""PostgreSQL itself keeps tenants apart for the surfaces, should a query of ours ever forget to (U5, U7)."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DBAPIError

from tests.stores import administering, store
from upshot import NotFound, Upshot
from upshot.core import dead_letters as letters
from upshot.store import audit, dead_letters, entities, row_security, tenants
from upshot.store.database import Database
from upshot.store.health import examine
from upshot.store.migrate import migrate

CANARY = "canary-9f3c"
WHO = text(f"SELECT current_user, coalesce(current_setting('{row_security.TENANT}', true), ''), pg_backend_pid()")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    with store("postgresql", tmp_path) as url:
        yield url


@pytest.fixture
def upshot(server: str) -> Iterator[Upshot]:
    """Two tenants; all that beta has says `CANARY`."""
    made = Upshot(server)
    made.migrate()
    for tenant in ("alpha", "beta"):
        made.tenants.create(tenant, name=tenant if tenant == "alpha" else CANARY)
    yield made
    made.close()


def filled(upshot: Upshot) -> dict[str, Callable[[], Any]]:
    """Give beta one of everything that a surface shows; every noun's reads of it, by name."""
    step = {"id": "a", "action": "create_entity", "with": {"type": "note", "fields": {"text": CANARY}}}
    document = {"name": CANARY, "status": "active", "trigger": {"event": "canary.sang"}, "steps": [step]}
    automation = upshot.automations.create("beta", document)["id"]
    upshot.event_types.put("beta", "canary.sang", title=CANARY)
    upshot.entities.create("beta", "bird", id=CANARY, fields={"name": CANARY})
    event = upshot.emit("canary.sang", {"song": CANARY}, tenant="beta", id=CANARY) or ""
    run = upshot.runs.start_by_hand("beta", automation, {"song": CANARY})["run_id"]
    upshot.keys.create("beta", name=CANARY, role="viewer")
    letter = letters.of_event("beta", event, CANARY, CANARY, CANARY, 3)
    upshot.commit.run(lambda c: dead_letters.add_many(c, [letter], upshot.clock.now()))
    letter_id = upshot.dead_letters.page("beta").items[0]["id"]
    fingerprint = upshot.dead_letters.groups("beta").items[0]["fingerprint"]
    return {
        "tenants.get": lambda: upshot.tenants.get("beta"),
        "automations.page": lambda: upshot.automations.page("beta").items,
        "automations.get": lambda: upshot.automations.get("beta", automation),
        "automations.versions": lambda: upshot.automations.versions("beta", automation).items,
        "automations.version": lambda: upshot.automations.version("beta", automation, 1),
        "automations.export": lambda: upshot.automations.export("beta"),
        "automations.draft": lambda: upshot.automations.draft("beta", automation),
        "event_types.page": lambda: upshot.event_types.page("beta").items,
        "event_types.get": lambda: upshot.event_types.get("beta", "canary.sang"),
        "entities.page": lambda: upshot.entities.page("beta", "bird").items,
        "entities.get": lambda: upshot.entities.get("beta", "bird", CANARY),
        "events.page": lambda: upshot.events.page("beta").items,
        "events.get": lambda: upshot.events.get("beta", event),
        "events.explain": lambda: upshot.events.explain("beta", event),
        "runs.page": lambda: upshot.runs.page("beta").items,
        "runs.get": lambda: upshot.runs.get("beta", run),
        "keys.page": lambda: upshot.keys.page("beta").items,
        "audit.page": lambda: upshot.audit.page("beta").items,
        "dead_letters.page": lambda: upshot.dead_letters.page("beta").items,
        "dead_letters.groups": lambda: upshot.dead_letters.groups("beta").items,
        "dead_letters.get": lambda: upshot.dead_letters.get("beta", letter_id),
        "dead_letters.bulk": lambda: upshot.dead_letters.bulk("beta", fingerprint, "retry").count * CANARY,
        "entities.types": lambda: bool(upshot.entities.types("beta")) * CANARY,
        "stats.get": lambda: upshot.stats.get("beta")["dead_letters"]["open"] * CANARY,
    }


class Confused(Database):
    """Whoever is asked for, it is alpha's transaction: as if a query took its tenant from the wrong place."""

    def reading(self, tenant_id: str | None = None) -> Any:
        return super().reading("alpha" if tenant_id is not None else None)


def told(read: Callable[[], Any]) -> str:
    try:
        return json.dumps(read(), default=str)
    except NotFound:  # it names what was asked for
        return ""


def test_no_read_of_any_noun_shows_another_tenants_rows(upshot: Upshot, server: str) -> None:
    reads = filled(upshot)
    assert [name for name, read in reads.items() if CANARY not in told(read)] == [], "each read is of the canary"
    upshot.database.close()
    upshot.database = Confused(server)
    assert [name for name, read in reads.items() if CANARY in told(read)] == []
    upshot.database.close()


def test_every_table_shows_and_takes_one_tenants_rows_only(upshot: Upshot) -> None:
    filled(upshot)
    with upshot.database.reading() as connection:
        seen = {
            name: rows_of(connection, name, column, "beta") for name, column in row_security.tenant_tables().items()
        }
        assert sum(number > 0 for number in seen.values()) >= 12, "most tables have rows of beta"
    for tenant_id in ("alpha", ""):
        with upshot.database.writing() as connection:
            row_security.enter(connection, tenant_id)
            for name, column in row_security.tenant_tables().items():
                assert rows_of(connection, name, column, "beta") == 0, name
                taken = connection.execute(text(f"UPDATE {name} SET {column} = '{tenant_id}' WHERE {column} = 'beta'"))
                gone = connection.execute(text(f"DELETE FROM {name} WHERE {column} = 'beta'"))
                assert (taken.rowcount, gone.rowcount) == (0, 0), name


def rows_of(connection: Connection, table: str, column: str, tenant_id: str) -> int:
    return int(connection.execute(text(f"SELECT count(*) FROM {table} WHERE {column} = '{tenant_id}'")).scalar_one())


def test_a_change_in_one_tenants_name_cannot_write_into_another(upshot: Upshot) -> None:
    def entry(connection: Connection, tenant_id: str, entry_id: str) -> None:
        audit.add(connection, tenant_id, entry_id, 1, "host", "note", "tenant", tenant_id, None, None)

    with upshot.database.writing() as connection:
        with (
            pytest.raises(DBAPIError, match="row-level security"),
            connection.begin_nested(),
            upshot.database.confined(connection, "alpha"),
        ):
            entry(connection, "beta", "a")
        assert connection.execute(WHO).one()[:2] == (login(upshot), ""), "the savepoint gave the role back"
        with connection.begin_nested(), upshot.database.confined(connection, "alpha"):
            entry(connection, "alpha", "b")
        assert connection.execute(WHO).one()[:2] == (login(upshot), "")
        entry(connection, "beta", "c")
    assert {entry["id"] for entry in upshot.audit.page("beta").items} & {"a", "b", "c"} == {"c"}
    assert "b" in {entry["id"] for entry in upshot.audit.page("alpha").items}


def login(upshot: Upshot) -> str:
    return upshot.database.url.username or ""


@pytest.mark.parametrize("is_pooled", [False, True], ids=["direct", "through a pooler"])
def test_a_connection_that_goes_back_has_no_tenant(upshot: Upshot, server: str, is_pooled: bool) -> None:
    database = Database(server, direct_url=server if is_pooled else "")
    with database.reading("alpha") as connection:
        role, tenant, pid = connection.execute(WHO).one()
    assert (role, tenant) == (row_security.ROLE, "alpha")
    with database.reading() as connection:
        assert tuple(connection.execute(WHO).one()) == (login(upshot), "", pid)
    with pytest.raises(DBAPIError), database.reading("beta") as connection:
        connection.execute(text("SELECT 1 / 0"))
    with database.writing() as connection:
        assert tuple(connection.execute(WHO).one()) == (login(upshot), "", pid)
        assert entities.read(connection, [("beta", "bird", "x")]) == {}
    database.close()


# --- roles ----------------------------------------------------------------------------------------------------------------


@contextmanager
def role(server: str, rights: str = "") -> Iterator[str]:
    """A new role that may sign in."""
    name = f"upshot_test_{uuid.uuid4().hex}"
    with administering(server) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN {rights}")
        try:
            yield name
        finally:
            connection.execute(f"REASSIGN OWNED BY {name} TO CURRENT_USER")
            connection.execute(f"DROP OWNED BY {name}")
            connection.execute(f"DROP ROLE {name}")


def as_role(server: str, name: str) -> str:
    return make_url(server).set(username=name).render_as_string(hide_password=False)


def security(database: Database) -> tuple[str, str]:
    (finding,) = (one for one in examine(database, 0) if one.name == "row_security")
    return finding.status, finding.detail


def test_an_owner_that_may_not_take_the_role_works_without_it_and_the_doctor_says_so(tmp_path: Path) -> None:
    with store("postgresql", tmp_path, migrated=False) as server, role(server) as owner:
        with administering(server) as connection:
            connection.execute(f"GRANT ALL ON SCHEMA public TO {owner}")
            connection.execute(row_security.MAKE_ROLE)
        upshot = Upshot(as_role(server, owner))
        assert upshot.migrate() is True
        assert security(upshot.database)[0] == "warning"
        assert "may not take the role" in security(upshot.database)[1]
        upshot.entities.create("default", "bird", id="a")
        upshot.close()
        with administering(server) as connection:
            connection.execute(f"GRANT {row_security.ROLE} TO {owner}")
        upshot = Upshot(as_role(server, owner))
        assert security(upshot.database)[0] == "ok"
        with upshot.database.reading("other") as connection:
            assert tenants.read(connection, "default") is None
        with upshot.database.reading() as connection:
            assert tenants.read(connection, "default") is not None, "the engine's role sees every tenant"
        assert upshot.entities.get("default", "bird", "a")["revision"] == 1
        upshot.close()


def test_a_role_that_may_make_roles_sets_all_of_it_up(tmp_path: Path) -> None:
    with store("postgresql", tmp_path, migrated=False) as server, role(server, "CREATEROLE") as owner:
        with administering(server) as connection:
            connection.execute(f"GRANT ALL ON SCHEMA public TO {owner}")
            connection.execute(row_security.MAKE_ROLE)
            connection.execute(f"GRANT {row_security.ROLE} TO {owner} WITH ADMIN OPTION")
        database = Database(as_role(server, owner))
        migrate(database)
        assert security(database) == ("ok", f"Row-level security holds on {len(row_security.tenant_tables())} tables.")
        database.close()


def test_a_host_writes_into_the_outbox_with_a_role_of_its_own(upshot: Upshot, server: str) -> None:
    with role(server) as host:
        with administering(server) as connection:
            connection.execute(f"GRANT INSERT ON upshot_outbox TO {host}")
            connection.execute(f"GRANT USAGE ON SEQUENCE upshot_outbox_seq_seq TO {host}")
        with psycopg.connect(as_role(server, host)) as connection:
            upshot.emit("canary.sang", {}, tenant="beta", connection=connection)
    assert upshot.outbox.counts("beta")["pending"] == 1


# --- setting it up --------------------------------------------------------------------------------------------------------


def test_what_is_missing_is_told_by_the_doctor_and_mended_by_migrate(server: str) -> None:
    database = Database(server)
    assert security(database)[0] == "ok"
    assert migrate(database) is False
    with database.writing() as connection:
        connection.execute(text("ALTER TABLE upshot_runs DISABLE ROW LEVEL SECURITY"))
        connection.execute(text(f"DROP POLICY {row_security.POLICY} ON upshot_events"))
    assert security(database) == ("failed", "Without row-level security: upshot_events, upshot_runs.")
    assert migrate(database) is True
    with database.writing() as connection:
        connection.execute(text(f"REVOKE SELECT ON upshot_api_keys FROM {row_security.ROLE}"))
    assert security(database) == ("warning", f"{row_security.ROLE} may not use upshot_api_keys.")
    assert migrate(database) is True
    assert security(database)[0] == "ok"
    database.close()
