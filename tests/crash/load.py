"""The engine process of the crash tests, and the work it gives itself.

It takes a `Work`, runs one engine, writes what happened to it as lines of `<name>.said`, and ends on SIGTERM. Two ledgers
stand outside of the database: `accepted`, one synced line for each event that was acknowledged, and `provider`, one line for
each call of an action, written before the action returns.
"""

import asyncio
import ctypes
import logging
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from sqlalchemy import make_url

from upshot import ActionError, Upshot, UpshotError
from upshot.app.settings import Settings
from upshot.core.queues import EVERY
from upshot.engine import crash_points
from upshot.engine.process import Limits

EVENTS = ("crash/three", "crash/sleep", "crash/flaky", "crash/chain")
"""The n-th event of a load has the n-th of these names, and so on in turn."""
GROUPS = ("red", "green", "blue")
"""What the events are about, in turn."""
PAUSE = 0.01
TENANT = "default"


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What one process does: which database, how it is bounded, and what it gives itself when it has started."""

    def but(self, **changed: Any) -> "Work":
        """The same with these changes."""
        return msgspec.structs.replace(self, **changed)

    url: str
    folder: str
    name: str = "one"
    direct_url: str = ""
    first: int = 0
    events: int = 0
    """Events it accepts, numbered from `first`; -1: for ever."""
    batch: int = 4
    event: str = ""
    """The name of all of them, instead of `EVENTS` in turn."""
    host_rows: int = 0
    by_hand: int = 0
    crash_at: str = ""
    lease_seconds: float = 1.0
    stall_seconds: float = 60.0
    drain_seconds: float = 10.0
    runs_max: int = 2_000
    strikes_max: int = 5
    queues: tuple[str, ...] = (EVERY,)
    without: tuple[str, ...] = ()
    """Services that do not run (`listen`)."""
    runs_engine: bool = True


def write_line(path: Path, line: str, *, synced: bool = False) -> None:
    """Append with one write(2), so that no line is ever torn."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(handle, f"{line}\n".encode())
    if synced:
        os.fsync(handle)
    os.close(handle)


async def pause() -> None:
    """Let a moment pass."""
    await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=PAUSE)


def automation(name: str, *steps: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "trigger": {"event": f"crash/{name}"}, "steps": list(steps), "status": "active"}


def line(step_id: str, action: str = "write_line", **more: Any) -> dict[str, Any]:
    return {"id": step_id, "action": action, "with": {"number": "{{ number }}"}, **more}


def rest(step_id: str, milliseconds: int) -> dict[str, Any]:
    return {"id": step_id, "delay": {"milliseconds": milliseconds}}


RETRIES = {"retries": {"count": 3, "backoff_seconds": 0.02}}
AUTOMATIONS = (
    automation("three", line("one"), line("two"), line("three")),
    automation("sleep", line("one"), rest("rest", 20), line("two"), rest("end", 10)),
    automation("flaky", line("one", "fail_once", **RETRIES), line("two")),
    automation(
        "chain",
        line("one"),
        {"id": "on", "action": "emit_event", "with": {"name": "crash/three", "data": {"number": "{{ number }}"}}},
    ),
    automation("held", line("one", "hold"), line("two")),
    automation("blocked", line("one", "block"), line("two")),
    automation("deadly", line("one", "die"), line("two")),
    automation("called", rest("rest", 300), line("one")),
    automation("once", line("one", delivery="at_most_once", on_error="continue"), line("two")),
    automation("nap", {"id": "rest", "delay": {"seconds": "{{ number }}"}}, line("one")),
)


def build(work: Work) -> Upshot:
    """An Upshot on this work's database, with actions that write to the provider's ledger."""
    limits = Limits(
        lease_seconds=work.lease_seconds,
        stall_seconds=work.stall_seconds,
        drain_seconds=work.drain_seconds,
        runs_max=work.runs_max,
        strikes_max=work.strikes_max,
        queues=frozenset(work.queues),
    )
    upshot = Upshot(work.url, settings=Settings(database_direct_url=work.direct_url), limits=limits)
    folder = Path(work.folder)

    def called(context: Any) -> None:
        write_line(folder / "provider", f"{context.idempotency_key} {work.name}")

    @upshot.action("write_line")
    async def note(args: dict, context) -> dict:  # pyright: ignore[reportUnusedFunction] - the engine calls it
        called(context)
        await asyncio.sleep(0)
        return {"number": args["number"]}

    @upshot.action("fail_once")
    async def fail_once(args: dict, context) -> None:  # pyright: ignore[reportUnusedFunction] - the engine calls it
        called(context)
        if context.attempt < 2:
            raise ActionError("the first attempt fails")

    @upshot.action("hold")
    async def hold(args: dict, context) -> None:  # pyright: ignore[reportUnusedFunction] - the engine calls it
        called(context)
        while not (folder / "go").exists():
            await pause()

    @upshot.action("block")
    async def block(args: dict, context) -> None:  # pyright: ignore[reportUnusedFunction] - the engine calls it
        called(context)
        while not (folder / "go").exists():
            pass

    @upshot.action("die")
    async def die(args: dict, context) -> None:  # pyright: ignore[reportUnusedFunction] - the engine calls it
        called(context)
        os.kill(os.getpid(), signal.SIGKILL)

    return upshot


def prepare(work: Work) -> None:
    """Migrate, and create the automations."""
    upshot = build(work)
    upshot.migrate()
    for document in AUTOMATIONS:
        upshot.automations.create(TENANT, document)
    upshot.close()


def event(number: int, name: str = "") -> dict[str, Any]:
    data = {"number": number, "group": GROUPS[number % len(GROUPS)]}
    return {"id": f"event-{number}", "name": name or EVENTS[number % len(EVENTS)], "data": data}


async def accept(upshot: Upshot, work: Work) -> None:
    """Accept this work's events; each batch that was acknowledged is noted in the ledger, synced. What was not acknowledged
    is given again."""
    number = work.first
    while work.events < 0 or number < work.first + work.events:
        last = number + work.batch if work.events < 0 else min(number + work.batch, work.first + work.events)
        batch = [event(one, work.event) for one in range(number, last)]
        try:
            await upshot.events.accept_async(TENANT, batch)
        except UpshotError as error:
            say(work, f"refused {type(error).__name__}")
            await pause()
            continue
        write_line(Path(work.folder) / "accepted", "\n".join(one["id"] for one in batch), synced=True)
        number = last


def host_writes(upshot: Upshot, work: Work) -> None:
    """The host's own transactions: committed and rolled-back events by turns, and one row that nobody can read. What a server
    that died did not answer is done again, as a host would."""
    host = Host(work)

    def emit(connection: Any, row_id: str, data: dict[str, Any]) -> bool:
        query = f"SELECT 1 FROM upshot_outbox WHERE id = {host.place}"
        if connection.execute(query, (row_id,)).fetchone() is not None:
            return False
        upshot.emit("crash/three", data, id=row_id, connection=connection)
        return True

    def unreadable(connection: Any) -> None:
        if emit(connection, "bad", {}):
            connection.execute("UPDATE upshot_outbox SET format = 99 WHERE id = 'bad'")

    for number in range(work.host_rows):
        host.transact(lambda c, n=number: emit(c, f"row-{n}", {"number": n}))
        write_line(Path(work.folder) / "accepted", f"row-{number}", synced=True)
        host.transact(lambda c, n=number: emit(c, f"rolled-back-{n}", {"number": n}), end="ROLLBACK")
    if work.host_rows:
        host.transact(unreadable)
    host.close()


class Host:
    """The host's own connection."""

    def __init__(self, work: Work) -> None:
        self._work, url = work, make_url(work.url)
        self._file = url.database if url.get_backend_name() == "sqlite" else None
        self._begin, self.place = ("BEGIN IMMEDIATE", "?") if self._file else ("BEGIN", "%s")
        self._open: Any = None

    def transact(self, write: Callable[[Any], Any], end: str = "COMMIT") -> None:
        """Write in one transaction, until that was answered."""
        while True:
            try:
                if self._open is None:
                    self._open = self._connect()
                self._open.execute(self._begin)
                write(self._open)
                self._open.execute(end)
            except psycopg.OperationalError:
                self.close()
                threading.Event().wait(PAUSE)
            else:
                return

    def close(self) -> None:
        """Let go of the connection."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _connect(self) -> Any:
        if self._file is not None:
            return sqlite3.connect(self._file, isolation_level=None, timeout=30)
        return psycopg.connect(self._work.direct_url or self._work.url, autocommit=True)


def start_by_hand(upshot: Upshot, work: Work) -> None:
    for number in range(work.by_hand):
        automation_id = next(a["id"] for a in upshot.automations.page(TENANT).items if a["name"] == "three")
        made = upshot.runs.start_by_hand(TENANT, automation_id, {"number": number})
        write_line(Path(work.folder) / "started", made["run_id"], synced=True)


def say(work: Work, word: str) -> None:
    write_line(Path(work.folder) / f"{work.name}.said", word)


async def serve(work: Work) -> None:
    """Run the engine, give it the work, and stop in order when asked."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    upshot = build(work)
    for name in work.without:
        del upshot.engine._loops[name]
    if work.runs_engine:
        await upshot.start_async()
    say(work, "ready")

    async def give() -> None:
        await asyncio.to_thread(start_by_hand, upshot, work)
        await asyncio.to_thread(host_writes, upshot, work)
        await accept(upshot, work)
        say(work, "given")

    giving = asyncio.create_task(give())
    asked = asyncio.create_task(stopping.wait())
    await asyncio.wait([giving, asked], return_when=asyncio.FIRST_COMPLETED)
    if giving.done():
        giving.result()  # what it raised ends the process
    await asked
    giving.cancel()
    await asyncio.gather(giving, return_exceptions=True)
    await upshot.stop_async()
    await asyncio.to_thread(upshot.close)
    say(work, "stopped")


def main(work: Work) -> None:
    """The process: it dies with its parent, and logs to `<name>.log`."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
    log = os.open(Path(work.folder) / f"{work.name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s", force=True)
    crash_points.arm(work.crash_at)
    asyncio.run(serve(work))


if __name__ == "__main__":
    main(msgspec.json.decode(sys.argv[1], type=Work))
