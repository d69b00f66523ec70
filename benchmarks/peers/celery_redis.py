"""Celery on Redis: a chain of three tasks, results kept, two prefork workers, late acknowledgement.

The visibility timeout, after which a killed worker's tasks come back, is 10 s; its default is an hour.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

from peers.installed import python_version, redis_version
from peers.peer import Command, program
from peers.redis_server import OnRedis


class Celery(OnRedis):
    """Celery on one of the two Redis."""

    name = "celery"

    @classmethod
    def ways(cls, folder: Path) -> Iterator[Self]:
        """Both kinds of Redis; the weaker one in every benchmark."""
        for store in ("redis everysec", "redis always"):
            way = cls(folder / f"celery-{store[6:]}", store)
            if store == "redis always":
                way.does = frozenset({"runs", "latency"})
            yield way

    def version(self) -> str:
        """Celery's."""
        redis_version()
        return python_version("celery")

    def client_command(self) -> Command:
        """A process that applies chains."""
        return program("celery_program.py", "client")

    def worker_commands(self) -> list[Command]:
        """One worker with two processes."""
        return [program("celery_program.py", "worker")]
