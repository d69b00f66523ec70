"""The backups noun: a copy of everything, taken while engines run, and its return."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection

from upshot.adapters.clock import new_id
from upshot.core.errors import Conflict
from upshot.core.instants import to_text
from upshot.store import audit, tenants
from upshot.store.backup import postgresql, sqlite
from upshot.store.backup.copied import Copied
from upshot.store.database import Database

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

TENANTS_PAGE = 200


def _silent(_done: int, _total: int) -> None:
    """Tell nobody."""


class Backups:
    """`upshot.backups`."""

    def __init__(self, upshot: "Upshot") -> None:
        self._upshot = upshot

    def write(self, file: Path, *, told: Callable[[int, int], None] = _silent) -> dict[str, Any]:
        """Copy everything to a new file, and read the copy through. Engines and hosts go on meanwhile. `told(done, total)`
        is called as it goes on (SQLite only).

        Raises:
            Conflict: the file is there already, there is no room, or the copy is not whole; nothing is left behind.
        """
        database = self._upshot.database
        if database.path is None:
            return _told(file, postgresql.back_up(database, file))
        return _told(file, sqlite.back_up(database.path, file, told))

    def restore(
        self, file: Path, *, is_forced: bool = False, actor: str = "host", told: Callable[[int, int], None] = _silent
    ) -> dict[str, Any]:
        """Put a backup into this database, which must have nothing in it unless `is_forced`. Nothing may run on it. A backup of
        a file may be put into PostgreSQL: what is under way goes on there. Each tenant's audit notes it. This object is closed
        by it; a backup of an earlier release then needs `migrate()`.

        Raises:
            Conflict: the backup or the database is not fit for it; the message says what to do.
        """
        given = self._upshot.database
        if self._upshot.engine.is_running:
            raise Conflict("An engine runs in this process. Stop it, and whatever else uses the database, first.")
        self._upshot.close()  # no connection of ours may outlive what it was opened on
        database = Database(_text(given.direct_url))
        try:
            if database.path is not None:
                made = sqlite.restore(file, database.path, told, is_forced=is_forced)
            elif sqlite.is_file_of_sqlite(file):
                from upshot.store.backup import to_server  # noqa: PLC0415 - it imports a driver that no other use of a file needs

                made = to_server.restore(file, database, told, is_forced=is_forced)
            else:
                made = postgresql.restore(file, database, is_forced=is_forced)
            with database.writing() as connection:
                self._note(connection, file, made, actor)
        finally:
            database.close()
        return _told(file, made)

    def _note(self, connection: Connection, file: Path, made: Copied, actor: str) -> None:
        now, after = self._upshot.clock.now(), None
        what = {"file": file.name, "accepted_until": _instant(made)}
        while found := tenants.page(connection, after, TENANTS_PAGE):
            for tenant in found:
                audit.add(connection, tenant.id, new_id(now), now, actor, "restore", "tenant", tenant.id, None, what)
            after = found[-1].id


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def _told(file: Path, made: Copied) -> dict[str, Any]:
    return {"file": str(file), "bytes": made.bytes, "schema": made.schema, "accepted_until": _instant(made)}


def _instant(made: Copied) -> str | None:
    return to_text(made.accepted_until) if made.accepted_until is not None else None
