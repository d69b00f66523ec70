"""Restate's service and client for the benchmarks: `restate_program.py endpoint|client`."""

import asyncio
import json
import os
import sys
import time
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import restate
from client import answer_requests
from http_client import Connection, request_text
from tracing import Tracing

CONNECTIONS = 32
tracing = Tracing(os.environ["UPSHOT_BENCH_TRACE"])
INGRESS = int(os.environ["UPSHOT_BENCH_INGRESS"])
ENDPOINT = int(os.environ["UPSHOT_BENCH_ENDPOINT"])
service = restate.Service("Bench")


async def note(key: str) -> dict[str, str]:
    tracing.note(key, "1")
    return {"noted": key}


async def remind(key: str) -> dict[str, str]:
    tracing.note(key, "2")
    return {"reminded": key}


async def report(key: str) -> dict[str, str]:
    tracing.note(key, "3")
    return {"reported": key}


@service.handler()
async def booked(context: restate.Context, asked: dict) -> str:
    key = asked["key"]
    await context.run_typed("note", note, key=key)
    if asked["sleep"]:
        tracing.note(key, "s")
        await context.sleep(timedelta(seconds=asked["sleep"]))
    await context.run_typed("remind", remind, key=key)
    await context.run_typed("report", report, key=key)
    return key


class Client:
    """Keep-alive connections to the ingress."""

    def __init__(self) -> None:
        self._connections: list[Connection] = []

    async def send(self, first: int, count: int, sleep: float) -> int:
        while len(self._connections) < min(CONNECTIONS, count):
            self._connections.append(await Connection.open("127.0.0.1", INGRESS))
        waiting = iter(range(first, first + count))

        async def work(connection: Connection) -> None:
            for number in waiting:
                body = json.dumps({"key": str(number), "sleep": sleep}).encode()
                request = request_text("POST", "/Bench/booked/send", f"127.0.0.1:{INGRESS}", body)
                status, answer = await connection.send(request)
                if status not in {200, 202}:
                    raise SystemExit(f"Restate answered {status}: {answer[:300]!r}")
                tracing.note(str(number), "a")

        began = time.monotonic_ns()
        async with asyncio.TaskGroup() as group:
            for connection in self._connections:
                group.create_task(work(connection))
        return began


def main() -> None:
    if sys.argv[1] == "endpoint":
        from hypercorn.asyncio import serve
        from hypercorn.config import Config

        config = Config()
        config.bind = [f"127.0.0.1:{ENDPOINT}"]
        config.h2_max_concurrent_streams = 2_147_483_647
        config.keep_alive_max_requests = 2_147_483_647
        asyncio.run(serve(restate.app([service]), config))
        return
    loop, client = asyncio.new_event_loop(), Client()
    answer_requests(lambda first, count, sleep: loop.run_until_complete(client.send(first, count, sleep)))


if __name__ == "__main__":
    main()
