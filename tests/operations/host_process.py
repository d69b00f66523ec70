"""A real host with its engine: `python host_process.py URL FOLDER COMMAND`.

`emit` gives events `event-0`, `event-1`, ... without end; the id of each is written to FOLDER/accepted once it is accepted.
`again` gives every event of FOLDER/accepted once more and ends when nothing is left to do. Either way each event runs two
steps, and each step writes its idempotency key to FOLDER/performed before it returns.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from upshot import Upshot

AUTOMATION = {
    "name": "two steps",
    "trigger": {"event": "host/asked"},
    "steps": [
        {"id": "one", "action": "write_line", "with": {"number": "{{ number }}"}},
        {"id": "two", "action": "write_line", "with": {"number": "{{ number }}"}},
    ],
    "status": "active",
}
BATCH = 20


def appending(path: Path) -> int:
    """A file to which whole lines are added, each with one write."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def left(upshot: Upshot) -> int:
    """What is yet to be done, also of what a worker that is gone still holds."""
    query = "SELECT (SELECT count(*) FROM upshot_active) + (SELECT count(*) FROM upshot_unmatched)"
    with upshot.database.reading() as connection:
        return connection.exec_driver_sql(query).scalar_one()


async def work(url: str, folder: Path, command: str) -> None:
    """Do what is asked, with the engine running."""
    accepted, performed = appending(folder / "accepted"), appending(folder / "performed")
    upshot = Upshot(url)

    @upshot.action("write_line")
    async def write_line(args: dict[str, Any], context: Any) -> None:  # pyright: ignore[reportUnusedFunction] - the engine calls it
        os.write(performed, f"{context.idempotency_key}\n".encode())

    upshot.migrate()
    if not upshot.automations.page("default").items:
        upshot.automations.create("default", AUTOMATION)
    await upshot.start_async()
    given = (folder / "accepted").read_text().split() if command == "again" else []
    number = 0
    while command == "emit" or number < len(given):
        ids = given[number : number + BATCH] or [f"event-{one}" for one in range(number, number + BATCH)]
        events = [{"id": one, "name": "host/asked", "data": {"number": one}} for one in ids]
        await upshot.events.accept_async("default", events)
        if command == "emit":
            os.write(accepted, "".join(f"{one}\n" for one in ids).encode())
        number += len(ids)
    while await asyncio.to_thread(left, upshot):
        await upshot.engine.idle()
    await upshot.stop_async()
    upshot.close()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
