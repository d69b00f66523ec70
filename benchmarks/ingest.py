"""HTTP ingest: events per second that a real `upshot dev` on loopback accepts, each synced to disk before its 202.

Single events over 1 and 32 keep-alive connections, then batches of 100 and of 1,000 over 4. No automation listens, so
that only ingest is measured. The client is `http_client.py` (raw asyncio streams); it shares the machine's cores.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import machine
import uvloop
from figures import percentile, say, show
from http_client import load, request_text
from options import read_options

HOST = "127.0.0.1"
START_WITHIN_SECONDS = 60.0
PATH = "/api/v1/events"


@contextmanager
def server(folder: Path) -> Generator[int]:
    """The port of a new `upshot dev`, stopped at the end."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).with_name("upshot"), "dev", "--port", str(port)]
    environment = {**os.environ, "UPSHOT_DATABASE_URL": f"sqlite:///{folder}/ingest.db"}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
    try:
        wait_until_ready(port, process, folder / "server.log")
        yield port
    finally:
        process.terminate()
        process.wait(30)


def wait_until_ready(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Return when the server takes work; end the process when it does not."""
    give_up_at = time.perf_counter() + START_WITHIN_SECONDS
    while time.perf_counter() < give_up_at and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://{HOST}:{port}/readyz", timeout=1).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"the server did not start:\n{log.read_text()[-4_000:]}")


def one_event(number: int) -> dict[str, Any]:
    """An event of the size that applications send (about 300 bytes of JSON)."""
    appointment = {
        "id": f"a-{number}",
        "patientId": f"p-{number % 500}",
        "status": "scheduled",
        "slot": "2026-11-21T09:00:00Z",
        "practitioner": {"id": "d-7", "name": "Dr. Ada Okafor"},
        "reason": "Yearly checkup, first visit",
        "minutes": 30,
    }
    return {"name": "clinic/appointment.created", "data": {"appointment": appointment}}


def requests_of(port: int, events: int, batch: int) -> list[bytes]:
    """The requests that send so many events, `batch` of them in each."""
    made: list[bytes] = []
    for start in range(0, events, batch):
        body: Any = one_event(start) if batch == 1 else [one_event(n) for n in range(start, start + batch)]
        made.append(request_text("POST", PATH, f"{HOST}:{port}", json.dumps(body, separators=(",", ":")).encode()))
    return made


def main() -> None:
    """Measure single events and batches."""
    options = read_options(__doc__, stores=("sqlite",))
    share = 10 if options.is_quick else 1
    with machine.fresh_folder() as folder, server(folder) as port:
        say(f"upshot dev listens on port {port}; warming up")
        uvloop.run(load(HOST, port, requests_of(port, 500, 1), 8, 202))
        for batch, connections, events in ((1, 1, 5_000), (1, 32, 50_000), (100, 4, 200_000), (1_000, 4, 500_000)):
            requests = requests_of(port, events // share, batch)
            seconds, spent = uvloop.run(load(HOST, port, requests, connections, 202))
            what = f"ingest, {'single' if batch == 1 else f'batches of {batch:,}'}, {connections} connections"
            say(f"{what}: {events // share:,} events in {seconds:.2f} s")
            show(what.replace(" 1 connections", " 1 connection"), events // share / seconds, "events/s")
            show(what.replace(" 1 connections", " 1 connection") + " p99", percentile(spent, 0.99), "ms")


if __name__ == "__main__":
    main()
