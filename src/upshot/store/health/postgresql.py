"""What there is to say about a PostgreSQL server: its release, whether its commits last, its timeouts, its clock."""

from sqlalchemy import Connection, text

from upshot.core.instants import SECOND
from upshot.store.health.finding import FAILED, OK, WARNING, Finding, megabytes
from upshot.store.postgresql import OF_OTHERS, PLANNING, SESSION, server_time

OLDEST = 14
SKEW_MAX = 2 * SECOND
"""By how much this machine's clock may differ from the server's without a word (microseconds)."""
LONG_SECONDS = 60
"""As the alert `UpshotLongTransaction` has it."""
CONNECTIONS_SHARE = 0.9

server_now = server_time


def findings(connection: Connection, now: int) -> list[Finding]:
    """All of it. `now` is this machine's time."""
    shown = {str(name): str(value) for name, value in connection.execute(text("SELECT name, setting FROM pg_settings"))}
    return [
        _version(int(shown["server_version_num"]), shown["server_version"]),
        _durable(shown),
        _of_session(connection, "timeouts", {name: SESSION[name] for name in SESSION if name.endswith("_timeout")}),
        _of_session(connection, "planning", PLANNING),
        _clock(connection, now),
        _long_transactions(connection),
        _connections(connection, int(shown["max_connections"])),
        _size(connection),
    ]


def _version(number: int, said: str) -> Finding:
    if number // 10_000 < OLDEST:
        return Finding("postgresql", FAILED, f"PostgreSQL {said} is too old.", f"Use PostgreSQL {OLDEST} or newer.")
    return Finding("postgresql", OK, f"PostgreSQL {said}.")


def _durable(shown: dict[str, str]) -> Finding:
    said = ", ".join(f"{name}={shown[name]}" for name in ("fsync", "full_page_writes", "synchronous_commit")) + "."
    if shown["fsync"] == "off" or shown["full_page_writes"] == "off":
        return Finding("durability", FAILED, said, "A crash of the machine can destroy the database: set both to on.")
    if shown["synchronous_commit"] == "off":
        remedy = "A crash forgets the last accepted events: set synchronous_commit to on, at least for Upshot's role."
        return Finding("durability", FAILED, said, remedy)
    return Finding("durability", OK, said)


def _of_session(connection: Connection, name: str, wanted: dict[str, str]) -> Finding:
    """Whether what holds for a session of ours does so here: through a pooler only the role can say it. Timeouts may differ."""
    values = {one: str(connection.execute(text(f"SHOW {one}")).scalar_one()) for one in wanted}
    said = ", ".join(f"{one}={value}" for one, value in values.items()) + "."
    missing = [one for one, value in values.items() if value == ("0" if one.endswith("_timeout") else "on")]
    if missing:
        changes = "; ".join(f"ALTER ROLE {_role(connection)} SET {one} = '{wanted[one]}'" for one in missing)
        return Finding(name, WARNING, said, f"Through a pooler the role itself needs them: {changes}")
    return Finding(name, OK, said)


def _role(connection: Connection) -> str:
    return str(connection.execute(text("SELECT quote_ident(current_user)")).scalar_one())


def _clock(connection: Connection, now: int) -> Finding:
    ahead = now - server_time(connection)
    if abs(ahead) > SKEW_MAX:
        said = (
            f"This machine's clock is {abs(ahead) / SECOND:.1f} s {'ahead of' if ahead > 0 else 'behind'} the server's."
        )
        return Finding("clock", WARNING, said, "Due times follow the server's clock; let both keep time by NTP.")
    return Finding("clock", OK, f"This machine's clock and the server's differ by {abs(ahead) / SECOND:.2f} s.")


def _long_transactions(connection: Connection) -> Finding:
    """One transaction that stays open holds back the cleaning of every table."""
    query = text(
        "SELECT pid, application_name, extract(epoch FROM clock_timestamp() - xact_start)::bigint "  # noqa: S608 - only constants
        f"FROM pg_stat_activity WHERE {OF_OTHERS} "
        "AND xact_start < clock_timestamp() - make_interval(secs => :seconds) ORDER BY xact_start LIMIT 3"
    )
    open_ones = connection.execute(query, {"seconds": LONG_SECONDS})
    found = [f"pid {pid} ({name or 'unnamed'}) for {age} s" for pid, name, age in open_ones]
    if found:
        remedy = (
            "Tables cannot be cleaned meanwhile. End them in their program, or with `SELECT pg_terminate_backend(PID)`."
        )
        return Finding("transactions", WARNING, f"Transactions are open: {', '.join(found)}.", remedy)
    return Finding("transactions", OK, f"No transaction is older than {LONG_SECONDS} s.")


def _connections(connection: Connection, most: int) -> Finding:
    used = int(connection.execute(text("SELECT count(*) FROM pg_stat_activity")).scalar_one())
    said = f"{used} of {most} connections are in use."
    if used > CONNECTIONS_SHARE * most:
        return Finding("connections", WARNING, said, "Raise max_connections, or put PgBouncer between.")
    return Finding("connections", OK, said)


def _size(connection: Connection) -> Finding:
    number = int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
    return Finding("size", OK, f"The database has {megabytes(number)}.")
