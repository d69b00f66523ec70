"""Workers and their leases. A worker's id is made at its boot and never used again."""

from sqlalchemy import Connection, delete, update
from sqlalchemy.dialects.sqlite import insert

from upshot.store.schema import workers


def register(connection: Connection, worker_id: str, host: str, pid: int, now: int, expires_at: int) -> None:
    """Add this worker."""
    connection.execute(insert(workers).values(id=worker_id, host=host, pid=pid, started_at=now, expires_at=expires_at))


def renew(connection: Connection, worker_id: str, expires_at: int) -> bool:
    """Hold the lease until `expires_at`; False when it was lost."""
    return (
        connection.execute(update(workers).where(workers.c.id == worker_id).values(expires_at=expires_at)).rowcount == 1
    )


def expire_others(connection: Connection, worker_id: str) -> None:
    """Say that every other worker is gone. Only for a caller who has proved it (the lock of an embedded file)."""
    connection.execute(delete(workers).where(workers.c.id != worker_id))


def remove(connection: Connection, worker_id: str) -> None:
    """Take this worker off: what it held is free at once."""
    connection.execute(delete(workers).where(workers.c.id == worker_id))
