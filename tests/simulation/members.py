"""What the checker knows of segments. I24: after each commit a segment holds those whom its condition means, of the entities as
they are kept, and one that is kept by hand whom a step put there last; while its members are found, this holds of those that
were come by; time is let go by first. I25: each joining and each leaving is one event of the same commit, in turns; where
nobody is to be told, only what a change itself does is told.
"""

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from tests.simulation.automations import CHANGED_EVENT
from tests.simulation.segments import DEFINITIONS, OPEN, Definition
from upshot.core.automations.document import SCHEDULED
from upshot.core.instants import from_text
from upshot.core.segments import EVENTS

if TYPE_CHECKING:
    from tests.simulation.commit import Commit, Key, Row
    from tests.simulation.watch import Watch
    from tests.simulation.world import World

_decode = msgspec.json.decode
_IS_IN = {name: side == "joined" for side, name in EVENTS.items()}
_BY_STEP = {"pick": True, "drop": False}


class Members:
    """Who is in each segment, as the commits change it."""

    def __init__(self, watch: "Watch", world: "World") -> None:
        self._watch, self._world = watch, world
        self.segments: "dict[Key, Row]" = {}
        self.of: "dict[Key, set[str]]" = defaultdict(set)
        self.ever: "dict[Key, set[str]]" = defaultdict(set)
        self.left: "dict[Key, set[str]]" = defaultdict(set)
        self._before: "tuple[dict[Key, Row], dict[Key, set[str]]]" = ({}, {})
        self._is_touched = False
        self._first: "dict[Key, set[str]]" = {}
        self._looked: "dict[Key, int]" = {}
        """When those whom the time means were last begun to be looked for with clocks that are right."""

    # --- one change -----------------------------------------------------------------------------------------------------

    def segment_changed(self, new: "Row | None") -> None:
        """A segment stands so now."""
        assert new is not None
        key = (new["tenant_id"], new["id"])
        old = self.segments.get(key, new)
        self._note_before()
        self.segments[key] = new
        if new["place"] == "" and old["begun_at"] != new["begun_at"] and not self._world.faults.is_active:
            self._looked[key] = self._world.now

    def member_changed(self, old: "Row | None", new: "Row | None") -> None:
        """Somebody is in a segment from now on, or is not any more."""
        row = new or old or {}
        key = (row["tenant_id"], row["segment_id"])
        self._note_before()
        if new is not None:
            self.of[key].add(new["entity_id"])
            self.ever[key].add(new["entity_id"])
        else:
            self.of[key].discard(row["entity_id"])
            self.left[key].add(row["entity_id"])

    def _note_before(self) -> None:
        if not self._is_touched:
            self._is_touched = True
            self._before = (dict(self.segments), {key: set(found) for key, found in self.of.items()})

    # --- one commit -----------------------------------------------------------------------------------------------------

    def after_commit(self, commit: "Commit") -> None:
        """What this commit changed of segments is what it changed of entities, and is told."""
        told: "dict[tuple[Key, str], list[Row]]" = defaultdict(list)
        for event in commit.accepted:
            if event["name"] in _IS_IN and not (event["cause_run_id"] and event["cause_step_id"] is None):
                segment_id = _decode(event["data"])["segment"]["id"]
                told[(event["tenant_id"], segment_id), event["entity_id"]].append(event)
        if not (self._is_touched or told or commit.changed):
            return
        self._note_before()
        self._is_touched = False
        if not self._first:  # what there is when the world begins
            self._first = {key: set(self.of[key]) for key in self.segments}
            return
        segments_before, members_before = self._before
        for key, segment in self.segments.items():
            found, before = self.of[key], members_before.get(key, set())
            self._means(key, segment, found)
            touched = {*found ^ before, *(whom for at, whom in told if at == key), *self._changed(commit, key)}
            for entity_id in sorted(touched):
                sides = [_IS_IN[event["name"]] for event in told.get((key, entity_id), ())]
                self._tells(commit, key, entity_id, sides, segments_before.get(key, segment))
        self._by_steps(commit)

    def _means(self, key: "Key", segment: "Row", found: set[str]) -> None:
        """I24 for this segment, as far as its members have been found."""
        definition = _definition(segment)
        if definition is None or definition.follows_clock:
            return
        for entity_id, fields in self._entities(key[0]):
            is_asked = segment["place"] is None or entity_id <= segment["place"]
            if is_asked and (entity_id in found) is not definition.holds(fields, 0):
                self._broken("I24", f"{entity_id} {fields} is in {segment}: {entity_id in found}")

    def _tells(self, commit: "Commit", key: "Key", entity_id: str, sides: list[bool], before: "Row") -> None:
        """I25 for this entity."""
        segment, is_in = self.segments[key], entity_id in self.of[key]
        if before["revision"] != segment["revision"]:
            return  # what was told before and after in one commit is not told apart here
        definition = _definition(segment)
        if before["is_silent"] and definition is not None:
            if not definition.follows_clock and sides != (meant := _crossings(commit, definition, key[0], entity_id)):
                self._broken("I25", f"{entity_id} came to {sides} of {segment} silently, and {meant} was to be told")
            return
        was = entity_id in self._before[1].get(key, set())
        turns = [was, *sides]
        if turns[-1] is not is_in or any(one is other for one, other in pairwise(turns)):
            self._broken("I25", f"{entity_id} was in {segment}: {was}, is: {is_in}, and this was told: {sides}")

    def _by_steps(self, commit: "Commit") -> None:
        """I24: who is in a segment that is kept by hand, as a step just said, if nobody else said anything."""
        made = {(run["tenant_id"], run["id"]) for run in commit.started}
        said: "dict[tuple[Key, str], set[bool]]" = defaultdict(set)
        picked = {key[0]: key for key, segment in self.segments.items() if segment["kind"] == "manual"}
        for step in commit.kept:
            at = (step["tenant_id"], step["run_id"])
            if step["step_id"] in _BY_STEP and step["status"] == "completed" and at not in made:
                said[picked[step["tenant_id"]], self._watch.runs[at]["entity_id"]].add(_BY_STEP[step["step_id"]])
        for (key, entity_id), is_in in said.items():
            if len(is_in) == 1 and not commit.by_hand and (entity_id in self.of[key]) not in is_in:
                self._broken("I24", f"{entity_id} was put into or out of {self.segments[key]}: {is_in}, and is not so")

    def _changed(self, commit: "Commit", key: "Key") -> set[str]:
        return {entity_id for tenant_id, entity_id in commit.changed if tenant_id == key[0]}

    def _entities(self, tenant_id: str) -> "list[tuple[str, dict[str, Any]]]":
        known = self._watch.entities
        return [(key[1], _decode(row["fields"])) for key, row in known.items() if key[0] == tenant_id]

    # --- the end --------------------------------------------------------------------------------------------------------

    def unfinished(self) -> list[str]:
        """Segments whose members are being found, or that time has turned since, in words."""
        return [f"segment {row} goes on" for key, row in self.segments.items() if not self._is_found(key, row)]

    def _is_found(self, key: "Key", segment: "Row") -> bool:
        definition = _definition(segment)
        if definition is None or not definition.follows_clock:
            return segment["place"] is None
        turned_at = max(from_text(fields["until"]) for _, fields in self._entities(key[0]))
        return segment["place"] is None and self._looked.get(key, 0) > turned_at

    def check_end(self) -> None:
        """Time was let go by, and a schedule for a segment met those who were in it."""
        for key, segment in self.segments.items():
            definition, now = _definition(segment), self._world.now
            if definition is not None:
                meant = {entity_id for entity_id, fields in self._entities(key[0]) if definition.holds(fields, now)}
                if self.of[key] != meant:
                    self._broken("I24", f"{self.of[key]} are in {segment}, and {meant} are meant")
            if segment["name"] == OPEN:
                self._met(key)

    def _met(self, key: "Key") -> None:
        """I13: who was in it all the time was met, who never was in it was not, and nobody twice."""
        watch = self._watch
        met: dict[Key, list[str]] = defaultdict(list)
        for event in watch.events.values():
            if event["name"].startswith(SCHEDULED) and event["cause_run_id"] is None:
                met[event["tenant_id"], event["name"].removeprefix(SCHEDULED)].append(event["entity_id"])
        for at, automation in watch.automations.items():
            if automation["name"] != "swept" or at[0] != key[0] or at in watch.paused:
                continue
            is_over = watch.schedules[at]["last_at"] is not None
            always = self._first[key] - self.left[key] if is_over else set[str]()
            found = met[at]
            if not always <= set(found) <= self.ever[key] or len(found) != len(set(found)):
                self._broken("I13", f"{automation} met {found}; {always} were always in {self.segments[key]}")

    def _broken(self, invariant: str, why: str) -> None:
        self._world.broken(invariant, why)


def _definition(segment: "Row") -> Definition | None:
    return DEFINITIONS[int(segment["description"])] if segment["kind"] == "dynamic" else None


def _crossings(commit: "Commit", definition: Definition, tenant_id: str, entity_id: str) -> list[bool]:
    """What the changes of an entity in this commit mean for whom a definition means."""
    crossed: list[bool] = []
    for event in commit.accepted:
        is_its = (event["tenant_id"], event["entity_id"], event["name"]) == (tenant_id, entity_id, CHANGED_EVENT)
        if is_its and not (event["cause_run_id"] and event["cause_step_id"] is None):
            data = _decode(event["data"])
            was, is_meant = (definition.holds(data[which], 0) for which in ("previous", "thing"))
            crossed += [is_meant] if was is not is_meant else []
    return crossed
