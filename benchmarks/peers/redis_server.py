"""Peers on Redis: a server of its own, with the append-only file synced each second (up to a second of acknowledged work can be
lost with the power) or always (before each acknowledgement, as our stores do)."""

import socket
import time

from peers.installed import free_port, redis
from peers.peer import Peer

START_SECONDS = 10.0


class OnRedis(Peer):
    """A peer on Redis; `store` is `redis everysec` or `redis always`."""

    port = 0

    def start_servers(self) -> None:
        """Start Redis and wait until it listens."""
        self.port = free_port()
        settings = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", ""]
        settings += [
            "--appendonly",
            "yes",
            "--appendfsync",
            self.store.split(" ")[1],
            "--maxmemory-policy",
            "noeviction",
        ]
        self.serve([redis(), *settings])
        give_up_at = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up_at:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise SystemExit(f"Redis did not start:\n{self.last_words()}")

    def environment(self) -> dict[str, str]:
        """Where Redis listens."""
        return {"UPSHOT_BENCH_REDIS": str(self.port)}
