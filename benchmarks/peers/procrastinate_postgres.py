"""Procrastinate on PostgreSQL: three jobs, each of which defers the next; two worker processes of 20 jobs at once.

Jobs of a killed worker are brought back by a loop of the worker's own, as its documentation advises: each second, those whose
worker gave no sign of life for 30 s, which is its rule.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

from stores import postgres

from peers.installed import python_version
from peers.peer import Command, Peer, program


class Procrastinate(Peer):
    """Procrastinate with its own defaults but for the number of jobs at once."""

    name = "procrastinate"
    url = ""

    @classmethod
    def ways(cls, folder: Path) -> Iterator[Self]:
        """One way."""
        yield cls(folder / "procrastinate", "postgres")

    def version(self) -> str:
        """Its release."""
        return python_version("procrastinate")

    def start_servers(self) -> None:
        """Start PostgreSQL and bring Procrastinate's schema."""
        self.url = self.servers.enter_context(postgres(self.folder / "postgres"))
        self.run_once(program("procrastinate_program.py", "schema"))

    def environment(self) -> dict[str, str]:
        """Where PostgreSQL listens."""
        return {"UPSHOT_BENCH_POSTGRES": self.url}

    def client_command(self) -> Command:
        """A process that defers jobs a hundred at a time."""
        return program("procrastinate_program.py", "client")

    def worker_commands(self) -> list[Command]:
        """Two workers."""
        return [program("procrastinate_program.py", "worker")] * 2
