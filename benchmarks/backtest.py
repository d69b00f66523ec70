"""The backtest of a draft against the live version: events of the past per second.

200,000 kept events of one name, each about one of 20,000 entities, which both conditions read. From the first read to the
last count, as `upshot automations backtest` does it. The counts are compared with a plain loop over the data that was
given, or there is no figure.
"""

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import machine
from figures import percentile, say, show
from options import read_options
from stores import fresh_store

from upshot import Upshot
from upshot.adapters.clock import new_id
from upshot.core.events import EntityRef, Event
from upshot.core.instants import DAY
from upshot.core.strict_json import encode
from upshot.store import events as event_store
from upshot.store.schema import unmatched

TENANT = "default"
NAME = "shop/order.placed"
AT_ONCE = 10_000
GOAL = 20_000
TIERS = ("gold", "silver", "none")


def document(minimum: int) -> dict[str, Any]:
    """An automation with a condition on the event's data and on its entity."""
    rules = [
        {"field": "order.total", "operator": "greater_than", "value": minimum},
        {"field": "order.status", "operator": "equals", "value": "open"},
        {"field": "entity.tier", "operator": "in", "value": ["gold", "silver"]},
    ]
    step = {"id": "note", "action": "create_entity", "with": {"type": "note", "fields": {}}}
    condition = {"combinator": "and", "rules": rules}
    return {"name": "Large orders", "trigger": {"event": NAME}, "condition": condition, "steps": [step]}


def orders(count: int) -> Iterator[dict[str, Any]]:
    """The data of the events."""
    chance = random.Random(11)
    for number in range(count):
        lines = [{"sku": f"sku-{chance.randrange(500)}", "count": chance.randrange(1, 5)} for _ in range(3)]
        status = chance.choice(("open", "open", "cancelled"))
        order = {"id": f"o-{number}", "total": chance.randrange(200), "status": status, "lines": lines}
        yield {"order": order, "customer": f"c-{chance.randrange(20_000)}"}


def tier(customer: str) -> str:
    """The tier that a customer has."""
    return TIERS[int(customer[2:]) % len(TIERS)]


def fill(upshot: Upshot, count: int) -> None:
    """Keep the customers and the events, the events over the last three days."""
    for first in range(0, 20_000, 500):
        with upshot.database.writing() as connection:
            _keep_customers(connection, upshot.clock.now(), range(first, first + 500))
    began = upshot.clock.now() - 3 * DAY
    given = list(orders(count))
    for first in range(0, count, AT_ONCE):
        at = began + first * (2 * DAY // count)
        batch = [_event(data, at) for data in given[first : first + AT_ONCE]]
        with upshot.database.writing() as connection:
            event_store.insert_events(connection, batch, at, None)
            connection.execute(unmatched.delete())


def _keep_customers(connection: Any, now: int, numbers: range) -> None:
    from upshot.store.schema import entities

    beside = {
        "tenant_id": TENANT,
        "type": "customer",
        "tags": "[]",
        "revision": 1,
        "created_at": now,
        "updated_at": now,
    }
    rows = [{**beside, "id": f"c-{n}", "fields": encode({"tier": tier(f"c-{n}")})} for n in numbers]
    connection.execute(entities.insert(), rows)


def _event(data: dict[str, Any], at: int) -> Event:
    event_id = new_id(at)
    entity = EntityRef("customer", data["customer"])
    return Event(
        tenant_id=TENANT, id=event_id, name=NAME, data=data, text=encode(data), ts=at, root_id=event_id, entity=entity
    )


def expected(count: int, minimum: int) -> int:
    """How many events a plain loop finds."""
    return sum(
        data["order"]["total"] > minimum and data["order"]["status"] == "open" and tier(data["customer"]) != "none"
        for data in orders(count)
    )


def measure(store: str, folder: Path, count: int, repeats: int) -> None:
    """Backtest a draft that asks for more than the live version does."""
    with fresh_store(store, folder) as url:
        upshot = Upshot(url)
        upshot.migrate()
        upshot.tenants.ensure(TENANT)
        say(f"{store}: {count:,} events are being made")
        fill(upshot, count)
        made = upshot.automations.create(TENANT, {**document(100), "status": "active"})["id"]
        upshot.automations.save(TENANT, made, document(150))
        rates: list[float] = []
        told: dict[str, Any] = {}
        for _ in range(repeats):
            began = time.perf_counter()
            *_, told = upshot.automations.backtest(TENANT, made)
            rates.append(count / (time.perf_counter() - began))
        upshot.close()
    wanted = (count, expected(count, 150), expected(count, 100))
    if (told["progress"]["events"], told["would_start"], told["other_would_start"]) != wanted:
        raise SystemExit(f"{store}: the backtest and a plain loop disagree: the figure is worthless")
    show("backtest of a draft against the live version", percentile(rates, 0.5), "events/s", store=store, at_least=GOAL)


def main() -> None:
    """Measure each store."""
    options = read_options(__doc__)
    count, repeats = (20_000, 3) if options.is_quick else (200_000, 3)
    with machine.fresh_folder() as folder:
        for store in options.stores:
            measure(store, folder, count, repeats)


if __name__ == "__main__":
    main()
