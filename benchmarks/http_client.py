"""A small HTTP/1.1 client over raw asyncio streams, for load: a few microseconds a request, where httpx takes 400.

It knows just what a benchmark needs: keep-alive connections, a fixed request, an answer with a content-length.
"""

import asyncio
import time


class Connection:
    """One keep-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, host: str, port: int) -> "Connection":
        """Connect."""
        return cls(*await asyncio.open_connection(host, port))

    async def send(self, request: bytes) -> tuple[int, bytes]:
        """Send a whole request; the status and body of its answer."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            if line[:15].lower() == b"content-length:":
                length = int(line[15:])
        return int(head[9:12]), await self._reader.readexactly(length)

    def close(self) -> None:
        """Close it."""
        self._writer.close()


def request_text(method: str, path: str, host: str, body: bytes = b"") -> bytes:
    """A whole request."""
    headers = ("content-type: application/json", f"host: {host}", f"content-length: {len(body)}")
    return "\r\n".join([f"{method} {path} HTTP/1.1", *headers, "", ""]).encode() + body


async def load(
    host: str, port: int, requests: list[bytes], connections: int, expected: int
) -> tuple[float, list[float]]:
    """Send these requests over so many connections; the seconds in all and the milliseconds of each.

    Ends the process when an answer has another status than `expected`.
    """
    waiting = iter(requests)
    spent: list[float] = []

    async def work(connection: Connection) -> None:
        for request in waiting:
            before = time.perf_counter()
            status, body = await connection.send(request)
            spent.append(1_000 * (time.perf_counter() - before))
            if status != expected:
                raise SystemExit(f"the server answered {status}: {body[:500]!r}")

    opened = [await Connection.open(host, port) for _ in range(connections)]
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for connection in opened:
            group.create_task(work(connection))
    seconds = time.perf_counter() - began
    for connection in opened:
        connection.close()
    return seconds, spent
