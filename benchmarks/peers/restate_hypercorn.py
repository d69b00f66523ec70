"""Restate: its server (from npm) with its own defaults, and a service of three recorded steps behind hypercorn.

A crash kills server and service both. Its client sends over 32 keep-alive connections.
"""

import json
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from peers.installed import MODULES, free_port, npm_version, python_version
from peers.peer import Command, Peer, end, program

START_SECONDS = 30.0


class Restate(Peer):
    """One server, one endpoint."""

    name = "restate"
    runs = 3_000

    def __init__(self, folder: Path, store: str, mode: str = "") -> None:
        super().__init__(folder, store, mode)
        self.ingress, self.admin, self.internal, self.endpoint = (free_port() for _ in range(4))
        self._server: subprocess.Popen[str] | None = None

    @classmethod
    def ways(cls, folder: Path) -> Iterator[Self]:
        """One way."""
        yield cls(folder / "restate", "restate")

    def version(self) -> str:
        """The server's."""
        python_version("restate-sdk")
        return npm_version("@restatedev/restate-server")

    def environment(self) -> dict[str, str]:
        """Where its parts listen, and that it calls nobody."""
        return {
            "DO_NOT_TRACK": "1",
            "RESTATE_DISABLE_TELEMETRY": "true",
            "RESTATE_LISTEN_MODE": "tcp",
            "RESTATE_BASE_DIR": str(self.folder / "restate"),
            "RESTATE_NODE_NAME": "bench",
            "RESTATE_BIND_PORT": str(self.internal),
            "RESTATE_BIND_IP": "127.0.0.1",
            "RESTATE_INGRESS__BIND_PORT": str(self.ingress),
            "RESTATE_ADMIN__BIND_PORT": str(self.admin),
            "RESTATE_LOG_FILTER": "error",
            "UPSHOT_BENCH_INGRESS": str(self.ingress),
            "UPSHOT_BENCH_ENDPOINT": str(self.endpoint),
        }

    def start_workers(self) -> None:
        """The server first."""
        self._server = self.spawn([*_server_command(), "--no-logo"])
        super().start_workers()

    def kill_workers(self) -> None:
        """The server too."""
        super().kill_workers()
        if self._server is not None:
            end(self._server, signal.SIGKILL)

    def workers_started(self) -> None:
        """Make the service known to the server, once both answer; a server that was restarted knows it still."""
        self._until_answered("GET", self.admin, "/health")
        deployment = {"uri": f"http://127.0.0.1:{self.endpoint}"}
        self._until_answered("POST", self.admin, "/deployments", deployment)
        self._until_answered("GET", self.ingress, "/restate/health")

    def client_command(self) -> Command:
        """A process that sends invocations."""
        return program("restate_program.py", "client")

    def worker_commands(self) -> list[Command]:
        """The endpoint."""
        return [program("restate_program.py", "endpoint")]

    def _until_answered(self, method: str, port: int, path: str, body: object = None) -> None:
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        give_up_at = time.monotonic() + START_SECONDS
        while True:
            request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers, method=method)
            try:
                urllib.request.urlopen(request, timeout=10).close()
            except (urllib.error.URLError, OSError) as error:
                if time.monotonic() > give_up_at:
                    raise SystemExit(f"Restate: {path} is not answered ({error}):\n{self.last_words()}") from error
                time.sleep(0.02)
            else:
                return


def _server_command() -> list[str]:
    """The server's program for this machine, from the package that npm chose for it."""
    for package in (MODULES / "@restatedev").glob("restate-server-*"):
        return [str(package / "bin" / "restate-server")]
    return []
