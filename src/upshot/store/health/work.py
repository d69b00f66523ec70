"""How the work stands: who does it, and what lies too long. Counts stop at a thousand: more is said as `over 1,000`."""

from typing import Any

from sqlalchemy import Connection, exists, func, select

from upshot.core.instants import MINUTE, SECOND
from upshot.core.queues import EVERY
from upshot.store import queues, workers
from upshot.store.health.finding import OK, WARNING, Finding
from upshot.store.runs import PAUSED
from upshot.store.schema import active, dead_letters, outbox, timers, unmatched

COUNT_MAX = 1_000
NAMED_MAX = 5
OUTBOX_AGE_MAX = MINUTE
TIMER_LATE_MAX = MINUTE


def findings(connection: Connection, now: int) -> list[Finding]:
    """All of it; `now` is the time by which leases and timers are judged."""
    return [
        _workers(connection, now),
        _queues(connection, now),
        _outbox(connection, now),
        _timers(connection, now),
        _dead_letters(connection),
    ]


def _workers(connection: Connection, now: int) -> Finding:
    known = workers.every(connection)
    alive = [worker for worker in known if worker.expires_at > now]
    gone = [worker for worker in known if worker.expires_at <= now]
    ready = _number(connection, active, active.c.parked == 0) + _number(connection, unmatched)
    said = f"{_counted(len(alive), 'worker')} alive" + (f", {len(gone)} whose lease has run out." if gone else ".")
    if ready and not alive:
        waits = f"{said} {_many(ready)} runs and events wait for one."
        return Finding("workers", WARNING, waits, "Start one: `upshot serve`, or `upshot worker`.")
    if gone and alive:
        named = ", ".join(f"{worker.id} on {worker.host} (pid {worker.pid})" for worker in gone[:3])
        return Finding(
            "workers", WARNING, f"{said} Gone: {named}.", "The others take over what they held within seconds."
        )
    return Finding("workers", OK, said)


def _queues(connection: Connection, now: int) -> Finding:
    alive = [worker for worker in workers.every(connection) if worker.expires_at > now]
    served = {queue for worker in alive for queue in worker.queues}
    if not alive:
        return Finding("queues", OK, "No worker is alive; which queues would be served is not known.")
    if EVERY in served:
        return Finding("queues", OK, "Every queue is served.")
    found = queues.unserved(connection, served, COUNT_MAX + 1)
    waiting = sorted(queues.ready_queues(connection) - served)
    if not found and not waiting:
        return Finding("queues", OK, f"Every queue that is used is served: {', '.join(sorted(served))}.")
    named = [f"{one.queue!r} of automation {one.name!r} (tenant {one.tenant_id})" for one in found[:NAMED_MAX]]
    more = f", and {_many(len(found) - NAMED_MAX)} more" if len(found) > NAMED_MAX else ""
    said = (
        f"No live worker serves the queue {', '.join(named)}{more}."
        if found
        else "Runs stand in a queue without worker."
    )
    waits = f" Runs wait in {', '.join(waiting)}." if waiting else ""
    first = found[0].queue if found else waiting[0]
    remedy = (
        f"Start a worker that does, `upshot worker --queues {first}`, or one without `--queues`, which serves every one"
    )
    return Finding("queues", WARNING, said + waits, f"{remedy}; or publish the automation with another `queue`.")


def _outbox(connection: Connection, now: int) -> Finding:
    pending = outbox.c.status == "pending"
    oldest = connection.execute(select(func.min(outbox.c.created_at)).where(pending)).scalar()
    if oldest is None:
        return Finding("outbox", OK, "Nothing waits in the outbox.")
    number, seconds = _number(connection, outbox, pending), (now - oldest) // SECOND
    said = f"{_many(number)} rows wait in the outbox, the oldest for {seconds} s."
    if now - oldest > OUTBOX_AGE_MAX:
        return Finding(
            "outbox",
            WARNING,
            said,
            "Is an engine running? `upshot relay` moves it on, and says which rows are refused and why.",
        )
    return Finding("outbox", OK, said)


def _timers(connection: Connection, now: int) -> Finding:
    is_paused = exists().where(
        active.c.tenant_id == timers.c.tenant_id, active.c.run_id == timers.c.run_id, active.c.parked == PAUSED
    )
    late = _number(connection, timers, timers.c.due_at < now - TIMER_LATE_MAX, ~is_paused)
    if late:
        said = f"{_many(late)} timers are more than a minute late."
        return Finding(
            "timers", WARNING, said, "Is an engine running? If so, is it at its limit? Start another worker."
        )
    return Finding("timers", OK, "No timer is late.")


def _dead_letters(connection: Connection) -> Finding:
    left = _number(connection, dead_letters, dead_letters.c.status == "open")
    if left:
        said = f"{_many(left)} dead letters are open."
        return Finding("dead_letters", WARNING, said, "Look at them; what they are about is kept until you have.")
    return Finding("dead_letters", OK, "No dead letter is open.")


def _number(connection: Connection, table: Any, *conditions: Any) -> int:
    some = select(table).where(*conditions).limit(COUNT_MAX + 1).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one()


def _many(number: int) -> str:
    return f"over {COUNT_MAX:,}" if number > COUNT_MAX else f"{number:,}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun} is" if number == 1 else f"{number} {noun}s are"
