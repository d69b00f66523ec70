"""What the simulated tenants automate, and a file that holds it, ready to be copied for each world.

The file notes every change of a row in a table of its own, in the order in which they happen inside each transaction,
so that a checker sees what a commit did and not only what it left.
"""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from tests.simulation import door, segments
from tests.simulation.provider import mark_of
from tests.simulation.queues import SLOW, SLOW_ONES
from upshot import Upshot
from upshot.adapters.clock import ids_from
from upshot.core.automations.document import CALLED, SCHEDULED
from upshot.core.entities import CreateEntity
from upshot.core.instants import DAY, SECOND, to_text
from upshot.core.segments import event_of
from upshot.store import entities
from upshot.store.database import Database
from upshot.testing import VirtualClock
from upshot.testing.clock import START

TENANTS = ("north", "south")
FORKED_BELOW, MANY_ABOVE, HEARS_BELOW, CALLS_ABOVE, ROUNDS_ABOVE, LISTS_BELOW = 5, 8, 4, 7, 6, 3
THINGS = 5
"""Entities of each tenant, for each of which the automation `each` is meant."""
THINGS_MEANT = 3
"""So many of them events are about."""
_MARKED = {"mark": "{{ mark }}", "number": "{{ number }}"}
_OF_ITEM = {"mark": "{{ mark }}", "number": "{{ item }}"}
_RUN = {"run": "{{ run.id }}"}
_CANCELLED = {"cancel_on": [{"event": "sim/answered", "match": {"even": "{{ even }}"}}]}
_TWO_OF_THREE = [number for number in range(400) if number % 3]
_RETRIED: dict[str, Any] = {"retries": {"count": 4, "backoff_seconds": 1}, "timeout_seconds": 2}

AUTOMATIONS: dict[str, dict[str, Any]] = {
    "all": {
        "trigger": {"event": "sim/asked"},
        "steps": [
            {"id": "one", "action": "call", "with": {**_MARKED, "deadly": "{{ deadly }}"}, **_RETRIED},
            {"id": "big", "branch": {"field": "number", "operator": "greater_than", "value": 5},
             "if_true": "nap", "if_false": "tell"},
            {"id": "nap", "delay": "3s"},
            {"id": "tell", "action": "emit_event", "with": {"name": "sim/told", "data": _MARKED}},
            {"id": "three", "action": "call", "with": _MARKED, "on_error": "continue", "timeout_seconds": 2},
        ],
    },
    "even": {
        "trigger": {"event": "sim/asked"},
        "condition": {"field": "even", "operator": "is_true"},
        "priority": 8,
        **_CANCELLED,
        "steps": [{"id": "first", "delay": "2s"}, {"id": "second", "action": "call", "with": _MARKED, **_RETRIED}],
    },
    "told": {
        "trigger": {"event": "sim/told"},
        "steps": [{"id": "only", "action": "call", "with": _MARKED, **_RETRIED}],
    },
    "forked": {
        "trigger": {"event": "sim/asked"},
        "condition": {"field": "number", "operator": "less_than", "value": FORKED_BELOW},
        **_CANCELLED,
        "exit": {"field": "steps.left.output", "operator": "is_not_empty"},
        "steps": [
            {"id": "fork", "parallel": ["left", "right", "far"], "join": 2, "timeout": "8s", "on_timeout": "late",
             "next": "joined"},
            {"id": "left", "action": "call", "with": _MARKED, "next": None, **_RETRIED},
            {"id": "right", "delay": "2s"},
            {"id": "right call", "action": "call", "with": _MARKED, "next": "joined", "timeout_seconds": 2},
            {"id": "far", "parallel": ["far nap", "far tell"], "join": "any", "next": "far call"},
            {"id": "far nap", "delay": "4s", "next": "far call"},
            {"id": "far tell", "action": "emit_event", "with": {"name": "sim/heard", "data": _MARKED}, "next": "far call"},
            {"id": "far call", "action": "call", "with": _MARKED, "next": "joined", **_RETRIED},
            {"id": "joined", "action": "call", "with": _MARKED, **_RETRIED},
            {"id": "lot", "split": [{"weight": 1, "next": "late"}, {"weight": 1, "next": None}]},
            {"id": "late", "action": "call", "with": _MARKED, **_RETRIED},
        ],
    },
    "once": {
        "trigger": {"event": "sim/asked"},
        "condition": {"field": "even", "operator": "is_true"},
        "on_failure": "sorry",
        "steps": [
            {"id": "at most once", "action": "call", "with": _MARKED, "delivery": "at_most_once", "timeout_seconds": 2,
             "on_failure": "not sure"},
            {"id": "last", "action": "call", "with": _MARKED, "next": None, "timeout_seconds": 2},
            {"id": "not sure", "action": "call", "with": _MARKED, "next": None, "timeout_seconds": 2},
            {"id": "sorry", "action": "call", "with": _MARKED, **_RETRIED},
        ],
    },
    "many": {
        "trigger": {"event": "sim/asked"},
        "condition": {"field": "number", "operator": "greater_than", "value": MANY_ABOVE},
        "steps": [
            {"id": "each", "for_each": ["a", "b", "c", "d", "e"], "action": "call", "concurrency": 2,
             "with": {**_MARKED, "item": "{{ item }}"}, "on_error": "continue", **_RETRIED},
            {"id": "end", "action": "call", "with": _MARKED, **_RETRIED},
        ],
    },
    "rounds": {
        "trigger": {"event": "sim/asked"},
        "condition": {"field": "number", "operator": "greater_than", "value": ROUNDS_ABOVE},
        "steps": [
            {"id": "go", "action": "call", "with": _MARKED, **_RETRIED},
            {"id": "fork", "parallel": ["say", "rest"], "timeout": "5s", "on_timeout": "nap", "next": "pair"},
            {"id": "say", "action": "call", "with": _MARKED, "on_error": "continue", "next": None, "timeout_seconds": 2},
            {"id": "rest", "delay": "1s", "next": None},
            {"id": "pair", "for_each": ["a", "b"], "action": "call", "concurrency": 2, "with": _MARKED, **_RETRIED},
            {"id": "nap", "delay": "1s"},
            {"id": "again?", "branch": {"field": "steps.go.output.call", "operator": "in", "value": _TWO_OF_THREE},
             "if_true": "go", "if_false": None},
        ],
    },
    "hears": {
        "trigger": {"event": "sim/asked"},
        "condition": {"field": "number", "operator": "less_than", "value": HEARS_BELOW},
        "steps": [
            {"id": "say", "action": "emit_event", "with": {"name": "sim/echo", "data": {**_MARKED, **_RUN, "n": 1}}},
            {"id": "hear", "wait_for_event": "sim/echo", "match": _RUN, "timeout": "100s"},
            {"id": "fork", "parallel": ["ear", "mouth"], "next": "answer"},
            {"id": "ear", "wait_for_event": "sim/echo", "match": _RUN, "timeout": "100s", "next": "answer"},
            {"id": "mouth", "action": "emit_event", "with": {"name": "sim/echo", "data": {**_MARKED, **_RUN, "n": 2}},
             "next": "answer"},
            {"id": "answer", "wait_for_event": "sim/answered", "match": _MARKED, "timeout": "3s",
             "on_timeout": None},
            {"id": "end", "action": "call", "with": _MARKED, **_RETRIED},
        ],
    },
    "limited": {
        "trigger": {"event": "sim/asked"},
        "condition": {"field": "even", "operator": "is_true"},
        "timeout": "4s",
        "on_failure": "too late",
        "steps": [
            {"id": "try", "action": "call", "with": _MARKED, **_RETRIED},
            {"id": "pause", "delay": "2s"},
            {"id": "both", "parallel": ["again", "doze"], "next": None},
            {"id": "again", "action": "call", "with": _MARKED, "next": None, **_RETRIED},
            {"id": "doze", "delay": "1s", "next": None},
            {"id": "too late", "action": "call", "with": _MARKED, **_RETRIED},
        ],
    },
    "late": {
        "trigger": {"event": "sim/asked"},
        "steps": [{"id": "only", "action": "call", "with": _MARKED, **_RETRIED}],
    },
    "callee": {
        "trigger": {"manual": True},
        "steps": [
            {"id": "work", "action": "call", "with": _MARKED, "timeout_seconds": 2},
            {"id": "big", "branch": {"field": "number", "operator": "greater_than", "value": 5}, "if_true": "nap"},
            {"id": "nap", "delay": "2s"},
            {"id": "enough", "stop": "it is big"},
        ],
    },
    "caller": {
        "trigger": {"event": "sim/asked"},
        "condition": {"field": "number", "operator": "greater_than", "value": CALLS_ABOVE},
        "on_failure": "too bad",
        "steps": [
            {"id": "leave", "call": "callee", "with": _MARKED, "await": False, "on_error": "continue"},
            {"id": "wait", "call": "callee", "with": _MARKED, "timeout": "3s", "on_timeout": "fork", "on_failure": "fork"},
            {"id": "fork", "parallel": ["first", "second", "nap"], "join": "any", "next": "must"},
            {"id": "first", "call": "callee", "with": _MARKED, "next": None},
            {"id": "second", "call": "callee", "with": _MARKED, "timeout": "1s", "next": None},
            {"id": "nap", "delay": "1s", "next": None},
            {"id": "must", "call": "callee", "with": _MARKED},
            {"id": "end", "action": "call", "with": _MARKED, "next": None, **_RETRIED},
            {"id": "too bad", "call": "callee", "with": _MARKED, "on_error": "continue"},
        ],
    },
    "lists": {
        "trigger": {"event": "sim/asked"},
        "condition": {"field": "number", "operator": "less_than", "value": LISTS_BELOW},
        "steps": [
            {"id": "leave", "for_each": [1, 9], "call": "callee", "with": _OF_ITEM, "await": False, "on_error": "continue"},
            {"id": "fork", "parallel": ["each", "nap"], "timeout": "5s", "on_timeout": "pair", "next": "pair"},
            {"id": "each", "for_each": [1, 9, 2, 8, 3], "call": "callee", "with": _OF_ITEM, "concurrency": 2,
             "timeout": "3s", "on_error": "continue", "next": None},
            {"id": "nap", "delay": "1s", "next": None},
            {"id": "pair", "for_each": [2, 7, 1], "call": "callee", "with": _OF_ITEM, "concurrency": 3},
            {"id": "end", "action": "call", "with": _MARKED, **_RETRIED},
        ],
    },
    "soon": {
        "trigger": {"schedule": {"run_at": "2027-01-15T08:00:04Z"}},
        "steps": [{"id": "only", "delay": "1s"}, {"id": "end", "delay": "0s"}],
    },
    "each": {
        "trigger": {"schedule": {"run_at": "2027-01-15T08:00:02Z", "each": "thing"}},
        "steps": [{"id": "only", "action": "call", "with": {"mark": "{{ entity.mark }}"}, **_RETRIED}],
    },
    "minutely": {
        "trigger": {"schedule": {"cron": "* * * * *", "overlap": "queue", "catch_up": "all", "jitter_seconds": 20}},
        "steps": [{"id": "nap", "delay": "20s"}],
    },
    "rare": {
        "trigger": {"event": "sim/rare"},
        "steps": [
            {"id": "long", "delay": "45s"},
            {"id": "fork", "parallel": ["instant", "clock", "open", "around", "work"], "next": "end"},
            {"id": "instant", "delay": {"until": "2027-01-15T08:01:00Z"}, "next": None},
            {"id": "clock", "delay": {"until": "2027-01-15", "at": "08:01"}, "next": None},
            {"id": "open", "delay": {"within": {"from": "08:01", "to": "00:00"}}, "next": None},
            {"id": "around", "delay": {"days": 1, "before": "2027-01-16", "at": "08:01"}, "next": None},
            {"id": "work", "delay": {"working": "2s", "within": {"from": "08:01", "to": "00:00"}}, "next": None},
            {"id": "end", "delay": "0s"},
        ],
    },
}  # fmt: skip

OPENS = START + 60 * SECOND
NOT_BEFORE = {"instant": OPENS, "clock": OPENS, "open": OPENS, "around": OPENS, "work": OPENS + 2 * SECOND}
"""The delays of `rare` that are not durations, and when each is over at the earliest."""
DATED, DATED_DAYS, DATES = "dated", 1, ("2027-01-15", "2027-01-16")
AUTOMATIONS[DATED] = {
    "trigger": {
        "schedule": {"daily": "08:00", "each": {"type": "thing", "before": {"field": "due_on", "days": DATED_DAYS}}}
    },
    "steps": [{"id": "only", "action": "call", "with": {"mark": "{{ entity.mark }}"}, **_RETRIED}],
}
"""Made so long before a world begins that it goes through two days when that does, for those with one of these dates."""
_BY_PARITY = "{{ even }}"
_CALL: dict[str, Any] = {"id": "call", "action": "call", "with": _MARKED, **_RETRIED}
CONTROLLED: dict[str, dict[str, Any]] = {
    "places": {
        "flow": {"concurrency": {"key": _BY_PARITY, "limit": 2}},
        "steps": [_CALL, {"id": "nap", "delay": "2s"}],
    },
    "rated": {"flow": {"rate_limit": {"key": _BY_PARITY, "limit": 2, "per": "10s"}}, "steps": [_CALL]},
    "slowed": {
        "flow": {"throttle": {"limit": 2, "per": "3s"}, "concurrency": {"limit": 1}},
        **_CANCELLED,
        "steps": [_CALL, {"id": "nap", "delay": "1s"}],
    },
    "calm": {
        "flow": {"debounce": {"key": _BY_PARITY, "for": "3s", "max": "8s"}},
        **_CANCELLED,
        "steps": [{"id": "nap", "delay": "1s"}, _CALL],
    },
    "batches": {
        "flow": {"batch": {"key": _BY_PARITY, "size": 3, "within": "4s"}, "concurrency": {"limit": 1}},
        "steps": [_CALL],
    },
    "single": {"flow": {"once": {"key": "{{ number }}", "per": "20s"}}, "steps": [_CALL]},
    "skips": {
        "flow": {"reentry": "skip"},
        "goal": {"field": "steps.call.output", "operator": "is_not_empty"},
        "steps": [_CALL, {"id": "nap", "delay": "2s"}],
    },
    "restarts": {"flow": {"reentry": "restart"}, "steps": [{"id": "nap", "delay": "2s"}, _CALL]},
}
"""Automations that flow control speaks of. They have an event of their own, which some seeds emit."""
CONTROLLED_EVENT = "sim/controlled"
AUTOMATIONS |= {name: {"trigger": {"event": CONTROLLED_EVENT}, **one} for name, one in CONTROLLED.items()}
LOOPING, LOOPING_EVENT = "loops", "sim/loop"
_AGAIN: dict[str, Any] = {
    "action": "emit_event",
    "with": {
        "name": LOOPING_EVENT,
        "data": {**_MARKED, "thing": "{{ thing }}"},
        "entity": {"type": "thing", "id": "{{ thing }}"},
    },
}
CHANGED_EVENT, SETTING_EVENT = "thing.updated", "sim/set"
_OF_THING: dict[str, Any] = {"id": "only", "action": "call", "with": {"mark": "{{ thing.mark }}"}, **_RETRIED}
CHANGING: dict[str, dict[str, Any]] = {
    "sets": {
        "trigger": {"event": SETTING_EVENT},
        "steps": [
            {"id": "set", "action": "update_entity", **_RETRIED,
             "with": {"type": "thing", "id": "{{ thing }}", "fields": {"state": "{{ state }}"}}},
        ],
    },
    "changed": {"trigger": {"change": {"type": "thing", "field": "state"}}, "steps": [_OF_THING]},
    "paid": {
        "trigger": {"change": {"type": "thing", "field": "state", "from": "open", "to": "paid"}},
        "steps": [{"id": "nap", "delay": "1s"}, _OF_THING],
    },
}  # fmt: skip
"""One changes entities for an event that some seeds emit; the others are started by such changes, whoever makes them."""
AUTOMATIONS |= CHANGING
STATES = ("open", "paid", "gone")
AUTOMATIONS[LOOPING] = {
    "trigger": {"event": LOOPING_EVENT},
    "steps": [{"id": "left again", **_AGAIN}, {"id": "right again", **_AGAIN}],
}
"""It answers each event about an entity with two: some seeds begin it."""

SEGMENTED = segments.automations(_RETRIED)
"""They are made last, since they name segments."""
AUTOMATIONS |= SEGMENTED
UNTIL = tuple(to_text(START + seconds * SECOND) for seconds in (2, 5, 8, 11))
"""What the field `until` of an entity may say: every world begins before and ends after."""

COLUMNS = {
    "events": (
        *("tenant_id", "id", "source_id", "name", "data", "root_id", "depth", "cause_run_id", "cause_step_id"),
        *("entity_id", "accepted_at"),
    ),
    "unmatched": ("tenant_id", "event_id", "worker_id"),
    "runs": (
        *("tenant_id", "id", "automation_id", "version", "event_id", "status"),
        *("created_at", "finished_at", "place", "waits_for", "entry", "error", "ended_by", "replay_id", "entity_id"),
    ),
    "replays": (
        *("tenant_id", "id", "automation_id", "version", "since", "until", "per_minute", "runs_max"),
        *("status", "place", "due_at", "total", "counts"),
    ),
    "active": ("tenant_id", "run_id", "worker_id", "epoch", "parked", "strikes", "queue"),
    "steps": ("tenant_id", "run_id", "seq", "step_id", "kind", "status", "output", "error"),
    "timers": ("tenant_id", "run_id", "step_id", "kind", "due_at"),
    "waits": ("tenant_id", "run_id", "kind", "step_id", "event_name", "match_key", "looked_back", "met_by"),
    "cancelling": ("tenant_id", "event_id", "match_key"),
    "outbox": ("seq", "id", "tenant_id", "status"),
    "dead_letters": ("tenant_id", "kind", "noun_id"),
    "flow_keys": ("tenant_id", "automation_id", "control", "key", "due_at", "waits"),
    "flow_outcomes": (
        *("tenant_id", "event_id", "automation_id", "outcome", "key", "until", "run_id", "window_id", "due_at"),
    ),
    "automations": ("tenant_id", "id", "name", "status", "version"),
    "entities": ("tenant_id", "id", "fields", "revision"),
    "segments": (*("tenant_id", "id", "name", "description", "kind", "place", "is_silent", "begun_at", "revision"),),
    "segment_members": ("tenant_id", "segment_id", "entity_id"),
    "audit": ("tenant_id", "action", "before", "after"),
    "schedules": (
        "tenant_id",
        "automation_id",
        "occurrence_at",
        "due_at",
        "last_at",
        "last_event_id",
        "sweep_at",
        "sweep_after",
    ),
}


def listens(automation_id: str, automation: str, event_name: str, data: dict[str, Any]) -> bool:
    """Whether this automation, by its own words, starts for such an event."""
    document = AUTOMATIONS[automation]
    if event_name.startswith((SCHEDULED, CALLED)):
        return event_name in {SCHEDULED + automation_id, CALLED + automation_id}
    is_even = bool(data.get("even"))
    holds = {
        "even": lambda: is_even,
        "once": lambda: is_even,
        "limited": lambda: is_even,
        "forked": lambda: data["number"] < FORKED_BELOW,
        "many": lambda: data["number"] > MANY_ABOVE,
        "hears": lambda: data["number"] < HEARS_BELOW,
        "caller": lambda: data["number"] > CALLS_ABOVE,
        "rounds": lambda: data["number"] > ROUNDS_ABOVE,
        "lists": lambda: data["number"] < LISTS_BELOW,
        "changed": lambda: data["previous"]["state"] != data["thing"]["state"],
        "paid": lambda: (data["previous"]["state"], data["thing"]["state"]) == ("open", "paid"),
    }
    trigger = document["trigger"]
    if "segment" in trigger:
        return event_of(trigger) == event_name and data["segment"]["name"] == trigger["segment"]
    listened_for = CHANGED_EVENT if "change" in trigger else trigger.get("event")
    return listened_for == event_name and holds.get(automation, lambda: True)()


def event_data(tenant_id: str, number: int, *, is_deadly: bool = False) -> dict[str, Any]:
    """The data of an event of this tenant."""
    thing = f"thing-{number % THINGS_MEANT}"
    is_even, state = number % 2 == 0, STATES[number // THINGS_MEANT % len(STATES)]
    about = {"thing": thing, "state": state}
    return {"mark": mark_of(tenant_id), "number": number, "even": is_even, "deadly": is_deadly, **about}


@cache
def template(*, has_segments: bool, has_queues: bool) -> tuple[bytes, dict[str, door.Door]]:
    """The file that every world starts from, of those that have segments and several queues or do not, and the tenants' doors
    in it."""
    folder = Path(tempfile.mkdtemp(prefix="upshot-simulation-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "template.db"
    with ids_from(Random("template").randbytes):
        clock = VirtualClock(START - len(DATES) * DAY + 1)
        upshot = Upshot(f"sqlite:///{path}", settings=door.SETTINGS, clock=clock)

        @upshot.action("call")
        async def call(args: dict, context) -> None:  # pyright: ignore[reportUnusedFunction] - for its shape
            del args, context

        upshot.migrate()
        for tenant_id in TENANTS:
            upshot.tenants.create(tenant_id, name=tenant_id)
            upshot.automations.create(tenant_id, {"name": DATED, "status": "active", **AUTOMATIONS[DATED]})
        clock.advance((START - clock.now()) / SECOND)
        for tenant_id in TENANTS:
            door.build(upshot, tenant_id)
            for name in (CONTROLLED_EVENT, LOOPING_EVENT):
                upshot.event_types.put(tenant_id, name, entity={"type": "thing", "id": "thing"})
            with upshot.database.writing() as connection:  # without the events that changes are
                fields = {"mark": mark_of(tenant_id), "state": STATES[0]}
                dates = dict(zip(range(THINGS_MEANT, THINGS), DATES, strict=True))
                made = [
                    CreateEntity(
                        "thing",
                        f"thing-{n}",
                        {
                            **fields,
                            **({"until": UNTIL[n % 2]} if has_segments else {}),
                            **({"due_on": dates[n]} if n in dates else {}),
                        },
                    )
                    for n in range(THINGS)
                ]
                wanted = [entities.Wanted(n, tenant_id, one) for n, one in enumerate(made)]
                entities.apply(connection, wanted, upshot.clock.now(), {})
            for name, document in AUTOMATIONS.items():
                if name == DATED or (name in SEGMENTED and not has_segments):
                    continue
                if name == next(iter(SEGMENTED)):
                    segments.build(upshot, tenant_id)
                own = {"queue": SLOW} if has_queues and name in SLOW_ONES else {}
                asked = {"name": name, "status": "active", **document, **own}
                made_id = upshot.automations.create(tenant_id, asked)["id"]
                if name == "late":  # it starts nothing until somebody replays it
                    upshot.automations.pause(tenant_id, made_id)
        upshot.close()
    _note_changes(path)
    return path.read_bytes(), dict(door.DOORS)


def _note_changes(path: Path) -> None:
    database = Database(f"sqlite:///{path}")
    with database.writing() as connection:
        run = connection.exec_driver_sql
        run("CREATE TABLE changes (at INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, old TEXT, new TEXT)")
        for table, columns in COLUMNS.items():
            old, new = (f"json_object({', '.join(f'{c!r}, {row}.{c}' for c in columns)})" for row in ("OLD", "NEW"))
            for verb, values in {"INSERT": f"NULL, {new}", "UPDATE": f"{old}, {new}", "DELETE": f"{old}, NULL"}.items():
                run(
                    f"CREATE TRIGGER note_{table}_{verb} AFTER {verb} ON upshot_{table} BEGIN "
                    f"INSERT INTO changes (name, old, new) VALUES ('{table}', {values}); END"
                )
        for table in ("automations", "schedules", "entities", "segments", "segment_members"):
            listed = ", ".join(f"{column!r}, {column}" for column in COLUMNS[table])
            run(
                "INSERT INTO changes (name, old, new) "
                f"SELECT '{table}', NULL, json_object({listed}) FROM upshot_{table}"
            )
    database.close()
