"""What the checker knows of changes (I21): each change of an entity that is committed is one event with what it was and what it
is, in the same commit; what changes nothing is none. I3 holds what such an event starts.
"""

from typing import Any

import msgspec

from tests.simulation.commit import Commit, Key

Row = dict[str, Any]


def wrong(commit: Commit) -> str | None:
    """What is wrong with the entities that this commit changed, and with what it tells of them."""
    told: dict[Key, list[Row]] = {}
    for event in commit.accepted:
        if event["name"] == "thing.updated" and not (event["cause_run_id"] and event["cause_step_id"] is None):
            told.setdefault((event["tenant_id"], event["entity_id"]), []).append(event)
    for key in told.keys() | commit.changed.keys():
        events = told.get(key, [])
        if key not in commit.changed:
            return f"events {events} tell of a change of {key}, and it did not change"
        before, after = commit.changed[key]
        if after["revision"] - before["revision"] != len(events):
            return f"entity {before} became {after}, and that is told by {events}"
        fields = _fields(before)
        for event in events:
            data = msgspec.json.decode(event["data"])
            if _of(data["previous"]) != fields or not data["changed"]:
                return f"event {event} does not tell what entity {before} was; it became {after}"
            fields = _of(data["thing"])
        if fields != _fields(after):
            return f"entity {before} became {after}, and that is not what {events} tell"
    return None


def _fields(entity: Row) -> Row:
    return msgspec.json.decode(entity["fields"])


def _of(shown: Row) -> Row:
    return {name: value for name, value in shown.items() if name not in {"id", "tags"}}
