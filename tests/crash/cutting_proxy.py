"""A proxy before a PostgreSQL server that cuts connections exactly at COMMIT (it drops the COMMIT itself, or the answer), or
carries nothing for a while, as a network that is parted does."""

import contextlib
import shutil
import socket
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

SOCKET = ".s.PGSQL.5432"
COMMIT = b"COMMIT\0"  # the whole statement: READ COMMITTED is none


class CuttingProxy:
    """Listens on a socket of its own and carries everything on, until it is asked to cut."""

    def __init__(self, server: Path, socket_name: str = SOCKET) -> None:
        self._server = server / socket_name
        self.folder = Path(tempfile.mkdtemp(prefix="upshot-proxy-"))
        self._cuts: list[tuple[int, str]] = []
        self._lock = threading.Lock()
        self.done: list[str] = []
        self._is_whole = threading.Event()
        self._is_whole.set()
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(self.folder / socket_name))
        self._listening.listen()
        self._open: set[socket.socket] = set()
        self._start(self._accept)

    def cut(self, *cuts: str, passing: int = 0) -> None:
        """Cut at the next COMMITs, one after another: `before` it reaches the server, or `after` the server has done it. So
        many pass before each."""
        with self._lock:
            self._cuts += [(passing, cut) for cut in cuts]

    def part(self) -> None:
        """Carry nothing from now on. Nobody is told."""
        self._is_whole.clear()

    def join(self) -> None:
        """Carry on, with all that was sent meanwhile."""
        self._is_whole.set()

    def close(self) -> None:
        """End every connection."""
        self._is_whole.set()
        self._listening.close()
        for one in list(self._open):
            _end(one)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.socket(socket.AF_UNIX)
                try:
                    server.connect(str(self._server))
                except OSError:
                    client.close()
                    continue
                self._open |= {client, server}
                self._start(self._carry, client, server)
                self._start(self._carry_back, server, client)

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65_536):
                self._is_whole.wait()
                cut = self._due() if COMMIT in data else None
                if cut == "before":
                    break
                if cut == "after":
                    self._open.discard(client)  # its answers go nowhere from here on
                    server.sendall(data)
                    break
                server.sendall(data)
        self._end_both(client, server, waits=client not in self._open)

    def _end_both(self, client: socket.socket, server: socket.socket, *, waits: bool) -> None:
        """End both sides; the server's only when it has done what it was told."""
        with contextlib.suppress(OSError):
            if waits:
                server.shutdown(socket.SHUT_WR)  # it reads to the end: the COMMIT is done before it sees this
                _end(client)
                return
        _end(client)
        _end(server)

    def _carry_back(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65_536):
                self._is_whole.wait()
                if client in self._open:
                    client.sendall(data)
        _end(server)
        _end(client)
        self._open -= {server, client}

    def _due(self) -> str | None:
        with self._lock:
            if not self._cuts:
                return None
            passing, cut = self._cuts[0]
            if passing:
                self._cuts[0] = (passing - 1, cut)
                return None
            self._cuts.pop(0)
            self.done.append(cut)
            return cut

    def _start(self, work: "object", *given: socket.socket) -> None:
        threading.Thread(target=work, args=given, daemon=True).start()  # type: ignore[arg-type] - a bound method

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
