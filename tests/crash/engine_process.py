"""A real engine process for the crash tests: `python engine_process.py DATABASE LEDGER EVENTS`.

It accepts EVENTS events (the same ids each time it is started), runs their automation of three steps, each of which writes
one line into the outside LEDGER before it returns, and ends when every run is over.
"""

import asyncio
import os
import sys

from upshot import Upshot

AUTOMATION = {
    "name": "three steps",
    "trigger": {"event": "crash/work.asked"},
    "steps": [
        {"id": "one", "action": "write_line", "with": {"number": "{{ number }}"}},
        {"id": "two", "action": "write_line", "with": {"number": "{{ steps.one.output.number }}"}},
        {"id": "three", "action": "write_line", "with": {"number": "{{ steps.two.output.number }}"}},
    ],
    "status": "active",
}


def build(database: str, ledger: int) -> Upshot:
    """An Upshot whose action writes to the ledger, with one write(2) per line so that no line is ever torn."""
    upshot = Upshot(f"sqlite:///{database}")

    @upshot.action("write_line")
    async def write_line(args: dict, context) -> dict:  # pyright: ignore[reportUnusedFunction] - the engine calls it
        os.write(ledger, f"{context.idempotency_key}\n".encode())
        await asyncio.sleep(0)
        return {"number": args["number"]}

    return upshot


async def work(database: str, ledger_path: str, events: int) -> None:
    """Accept all events, drive all runs, end when nothing is left."""
    ledger = os.open(ledger_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    upshot = build(database, ledger)
    upshot.migrate()
    if not upshot.automations.page("default").items:
        upshot.automations.create("default", AUTOMATION)
    await upshot.start_async()
    for first in range(0, events, 100):
        batch = [
            {"id": f"event-{number}", "name": "crash/work.asked", "data": {"number": number}}
            for number in range(first, min(first + 100, events))
        ]
        await upshot.events.accept_async("default", batch)
        print(f"accepted {first + len(batch)}", flush=True)
    await upshot.engine.idle()
    print("all over", flush=True)
    await upshot.stop_async()
    upshot.close()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], sys.argv[2], int(sys.argv[3])))
