"""A FastAPI application with Upshot inside: `uvicorn examples.fastapi_host:app`, then POST /bookings.

The host's row and the event are one transaction: neither is there without the other. The admin pages are under /upshot; they
ask for a key (`upshot keys create --role admin --name me --database sqlite:///shop.db`).
"""

import os
import sqlite3
from contextlib import closing

from fastapi import FastAPI
from pydantic import BaseModel

from upshot import ActionContext, Upshot
from upshot.integrations.fastapi import mount

FILE = os.environ.get("SHOP_DATABASE", "shop.db")

upshot = Upshot(f"sqlite:///{FILE}")
app = FastAPI(title="A shop")


class Greeting(BaseModel):
    """What the action `greet` is given."""

    name: str


@upshot.action("greet")
async def greet(args: Greeting, context: ActionContext) -> dict[str, str]:
    context.log("greeting", name=args.name)
    return {"text": f"Welcome, {args.name}!"}


@app.post("/bookings", status_code=201)
def book(name: str) -> dict[str, str | None]:
    with closing(sqlite3.connect(FILE, timeout=5)) as connection, connection:
        connection.execute("CREATE TABLE IF NOT EXISTS bookings (name TEXT)")
        connection.execute("INSERT INTO bookings VALUES (?)", (name,))
        event_id = upshot.emit("shop/booking.made", {"name": name}, connection=connection)
    return {"event_id": event_id}


def prepare() -> None:
    """What a deployment does once: the schema, and a first automation."""
    upshot.migrate()
    if not upshot.automations.page("default").items:
        upshot.automations.create(
            "default",
            {
                "name": "Greet who books",
                "trigger": {"event": "shop/booking.made"},
                "steps": [{"id": "greet", "action": "greet", "with": {"name": "{{ name }}"}}],
                "status": "active",
            },
        )


prepare()
mount(app, upshot)
