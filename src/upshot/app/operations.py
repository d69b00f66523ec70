"""Operations: whether this process lives, is ready and is well, and what the installation is doing, for those who watch it."""

import threading
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import ServerClock, ticks
from upshot.app import doctor
from upshot.app.exposition import Sources, exposition
from upshot.core.errors import UpshotError
from upshot.core.instants import SECOND
from upshot.store import idempotency, snapshot
from upshot.store.database import DatabaseError
from upshot.store.migrate import HEAD, is_usable, present_version
from upshot.store.snapshot import Snapshot

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

KEPT_SECONDS: Final = 1.0
"""How long an answer that asks the database is given again: however often it is asked for, the database is asked once."""
PROBE: Final = "readyz"
NOT_WATCHED: Final = "not in this process"


class Operations:
    """`upshot.operations`."""

    def __init__(self, upshot: "Upshot") -> None:
        self._upshot = upshot
        self._lock = threading.Lock()
        self._snapshot: tuple[int, Snapshot] | None = None
        self._checks: tuple[int, dict[str, str]] | None = None

    def live(self) -> dict[str, Any]:
        """Whether the engine's event loop turned a while ago, by its heartbeat. Looks at no database: a restart would not mend
        one. `status` is `ok`, or `stalled` when a restart helps."""
        turned = self._turned_seconds()
        if turned is None:
            return {"status": "ok", "engine": NOT_WATCHED}
        is_stalled = turned > self._upshot.engine.process.limits.stall_seconds
        return {"status": "stalled" if is_stalled else "ok", "engine": "running", "turned_seconds": round(turned, 3)}

    def ready(self) -> dict[str, Any]:
        """Whether to send work here: the database can be read and written, has this release's schema or a newer one, and this
        process is not about to stop. `checks` give each reason. Blocks."""
        checks = {**self._database_checks(), "draining": "yes" if self._upshot.engine.is_draining else "ok"}
        is_ready = all(said == "ok" for said in checks.values())
        return {"status": "ok" if is_ready else "not_ready", "checks": checks}

    def health(self) -> dict[str, Any]:
        """All there is to say: what `ready` looks at, each service's last success and failure, how far behind the work is, and
        what the doctor finds. For those who run the installation: it names automations of every tenant. Blocks."""
        ready = self.ready()
        is_readable = ready["checks"]["database"] == ready["checks"]["schema"] == "ok"
        findings = doctor.examine(self._upshot)
        is_well = ready["status"] == "ok" and all(finding.status != "failed" for finding in findings)
        return {
            "status": "ok" if is_well else "not_well",
            "checks": {**ready["checks"], "engine": self.live()["engine"]},
            "worker": self._upshot.engine.process.worker_id,
            "turned_seconds": self._turned_seconds(),
            "services": self._services(),
            "behind": _behind(self.snapshot()) if is_readable else None,
            "clock_skew_seconds": self._skew_seconds(),
            "findings": msgspec.to_builtins(findings),
        }

    def snapshot(self) -> Snapshot:
        """What the installation is doing, from one view of the store that is at most a second old. Blocks."""
        with self._lock:
            if self._snapshot is None or _is_past(self._snapshot[0]):
                database = self._upshot.database
                with database.reading() as connection:
                    taken = snapshot.read(connection, database.path, self._upshot.clock.now())
                self._snapshot = ticks(), taken
            return self._snapshot[1]

    def metrics(self) -> str:
        """Every metric in the text format of Prometheus. Without a database those of this process are there all the same,
        and `upshot_store_up` is 0. Blocks."""
        try:
            seen = self.snapshot()
        except DatabaseError:
            seen = None
        engine = self._upshot.engine
        return exposition(
            Sources(
                metrics=engine.process.metrics,
                snapshot=seen,
                turned_seconds=self._turned_seconds(),
                is_draining=engine.is_draining,
                failures={name: loop.failures for name, loop in engine.services.items()},
                skew_seconds=self._skew_seconds(),
                unrunnable=len(engine.process.definitions.unrunnable()),
                rooms=engine.run.room,
            )
        )

    def _services(self) -> dict[str, Any]:
        now = ticks()
        return {
            name: {
                "succeeded_seconds_ago": _since(loop.succeeded_at, now),
                "failed_seconds_ago": _since(loop.failed_at, now),
                "failure": loop.failure or None,
                "failures": loop.failures,
            }
            for name, loop in self._upshot.engine.services.items()
        }

    def _turned_seconds(self) -> float | None:
        engine = self._upshot.engine
        return engine.heartbeat.thread.turned_seconds() if engine.is_running else None

    def _skew_seconds(self) -> float | None:
        clock = self._upshot.clock
        return clock.skew / SECOND if isinstance(clock, ServerClock) and clock.skew is not None else None

    def _database_checks(self) -> dict[str, str]:
        with self._lock:
            if self._checks is None or _is_past(self._checks[0]):
                self._checks = ticks(), self._look()
            return self._checks[1]

    def _look(self) -> dict[str, str]:
        checks = {"database": "ok", "schema": "ok", "writing": "ok"}
        try:
            with self._upshot.database.reading() as connection:
                present = present_version(connection)
        except DatabaseError:
            return {"database": "cannot be read", "schema": "unknown", "writing": "unknown"}
        if not is_usable(present):
            checks["schema"] = f"is {present}, this release needs {HEAD}: run `upshot migrate`"
            checks["writing"] = "unknown"
            return checks
        now = self._upshot.clock.now()

        def write(connection: Connection) -> None:
            idempotency.claim(connection, "", PROBE, "", "", now, now)
            idempotency.release(connection, "", PROBE)

        try:
            self._upshot.commit.run(write)
        except (UpshotError, DatabaseError):
            checks["writing"] = "the database takes no writes"
        return checks


def _is_past(taken_at: int) -> bool:
    return ticks() - taken_at > KEPT_SECONDS * SECOND


def _since(at: int, now: int) -> float | None:
    return round((now - at) / SECOND, 3) if at else None


def _behind(seen: Snapshot) -> dict[str, Any]:
    """How far behind the work is."""
    return {
        "outbox_pending": seen.outbox_pending,
        "events_unmatched": seen.unmatched,
        "runs_ready": {name: queue.ready for name, queue in seen.queues.items()},
        "timers_overdue": seen.timers_overdue,
        "workers_alive": seen.workers,
    }
