"""DBOS Transact: a workflow of three kept steps, started with `start_workflow` from within the process that runs it, which is
its fastest way; as plain functions and as coroutines (its threads bounded to 32, without which it was slower).

On SQLite, from the `pysqlite3-binary` wheel where the system's is older than its schema needs (3.42), with the file switched
to WAL.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

from stores import postgres

from peers.installed import python_version
from peers.peer import Command, Peer, program


class Dbos(Peer):
    """DBOS on one of its stores in one of its modes; embedded, so the client is the worker."""

    name = "dbos"
    runs = 500
    sleepers = 1_000
    url = ""

    @classmethod
    def ways(cls, folder: Path) -> Iterator[Self]:
        """Both stores, both modes; each benchmark but throughput in the mode that suits it."""
        for store in ("sqlite", "postgres"):
            for mode in ("sync", "async"):
                way = cls(folder / f"dbos-{store}-{mode}", store, f"{mode}, WAL" if store == "sqlite" else mode)
                way.does = frozenset({"runs", "timers"} if mode == "async" else {"runs", "latency", "crash"})
                yield way

    def version(self) -> str:
        """Its release."""
        return python_version("dbos")

    def start_servers(self) -> None:
        """Start PostgreSQL where it is used."""
        self.url = f"sqlite:///{self.folder}/dbos.db"
        if self.store == "postgres":
            server = self.servers.enter_context(postgres(self.folder / "postgres"))
            self.url = server.replace("/postgres?", "/dbos?")

    def client_command(self) -> Command:
        """The process that starts and runs workflows."""
        return program("dbos_program.py", self.url, self.mode.partition(",")[0])
