"""BullMQ on Node: three jobs, each of which adds the next; one worker process of 50 jobs at once; on Redis or PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

from stores import postgres

from peers.installed import MODULES, NODE, npm_version, redis_version
from peers.peer import HERE, Command
from peers.redis_server import OnRedis


class BullMQ(OnRedis):
    """BullMQ with its own defaults but for the number of jobs at once."""

    name = "bullmq"
    runs = 5_000
    url = ""

    @classmethod
    def ways(cls, folder: Path) -> Iterator[Self]:
        """Redis in both kinds, and its PostgreSQL backend."""
        yield cls(folder / "bullmq-everysec", "redis everysec")
        always = cls(folder / "bullmq-always", "redis always")
        always.does = frozenset({"runs", "latency", "timers"})
        yield always
        on_postgres = cls(folder / "bullmq-postgres", "postgres")
        on_postgres.does, on_postgres.runs = frozenset({"runs", "latency"}), 1_000
        yield on_postgres

    def version(self) -> str:
        """Its release."""
        if self.store != "postgres":
            redis_version()
        return npm_version("bullmq")

    def start_servers(self) -> None:
        """Redis or PostgreSQL."""
        if self.store == "postgres":
            self.url = self.servers.enter_context(postgres(self.folder / "postgres"))
            self.run_once([NODE, HERE / "bullmq_program.mjs", "schema"])
        else:
            super().start_servers()

    def environment(self) -> dict[str, str]:
        """Where its store listens, and where its modules are."""
        modules = {"UPSHOT_BENCH_MODULES": str(MODULES)}
        return {**super().environment(), **modules, "UPSHOT_BENCH_POSTGRES": self.url}

    def client_command(self) -> Command:
        """A process that adds jobs a hundred at a time."""
        return [NODE, HERE / "bullmq_program.mjs", "client"]

    def worker_commands(self) -> list[Command]:
        """One worker."""
        return [[NODE, HERE / "bullmq_program.mjs", "worker"]]
