"""Watches: what may end a run from outside while it is under way, found by its key as a wait is."""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import msgspec

from upshot.core.automations.document import Automation, WaitStep
from upshot.core.facts import Facts
from upshot.core.templates import Template, TemplateError, compile_template
from upshot.core.waits import Fields, Unmatchable, fields_of, key_of

Kind = Literal["step", "cancel"]


class Shape(NamedTuple):
    """What is looked for in events of one name: by these fields, for steps that wait or for runs to be cancelled."""

    kind: Kind
    fields: Fields


class Watch(msgspec.Struct, frozen=True):
    """Events of this name and key are watched for by a run. `place` tells its watches apart."""

    kind: Kind
    place: str
    event_name: str
    match_key: str


def shapes_of(automation: Automation) -> set[tuple[str, Shape]]:
    """What a version of this automation looks for, by the names of the events."""
    waited = {
        (step.event, Shape("step", fields_of(step.match))) for step in automation.steps if isinstance(step, WaitStep)
    }
    return waited | {(one.event, Shape("cancel", fields_of(one.match))) for one in automation.cancel_on}


class Watching:
    """What the runs of one version watch for, compiled."""

    __slots__ = ("_cancels", "reads_entity")

    def __init__(self, automation: Automation) -> None:
        """Compile it.

        Raises:
            Refused: a value is no template.
        """
        self._cancels: list[tuple[str, Fields, Template]] = []
        for index, one in enumerate(automation.cancel_on):
            fields = fields_of(one.match)
            values = compile_template([one.match[field] for field in fields], f"cancel_on[{index}].match")
            self._cancels.append((one.event, fields, values))
        self.reads_entity = any(values.reads_entity for _, _, values in self._cancels)

    def fields(self, place: str) -> Fields:
        """The fields by which events are compared for the watch at this place."""
        return self._cancels[int(place)][1]

    def of(self, facts: Facts) -> tuple[Watch, ...]:
        """What a run of these facts watches for. Where a value is not there, no event can match, and there is no watch."""
        return tuple(self._found(facts))

    def _found(self, facts: Facts) -> Iterable[Watch]:
        for index, (event, fields, template) in enumerate(self._cancels):
            try:
                values: list[Any] = template.render(facts)
                yield Watch("cancel", str(index), event, key_of(fields, values))
            except (TemplateError, Unmatchable):
                continue
