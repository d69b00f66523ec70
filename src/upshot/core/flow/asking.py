"""What the flow control of an automation asks of one event: its keys, read from the event and its entity."""

import hashlib
from typing import Any, Final

import msgspec

from upshot.core.events import EntityRef
from upshot.core.facts import Facts
from upshot.core.flow.model import Ask, Control, Flow
from upshot.core.templates import Template, TemplateError, compile_template

KEY_CHARACTERS_MAX: Final = 200
"""Longer keys are kept as their beginning and a digest."""
_SHOWN: Final = 120

_encode = msgspec.json.Encoder(order="sorted").encode


class Asking:
    """A compiled `Flow`."""

    __slots__ = ("_controls", "_reentry", "reads_entity")

    def __init__(self, flow: Flow) -> None:
        """Compile it.

        Raises:
            Refused: a key is no template.
        """
        self._controls: list[tuple[Control, Template | None]] = [
            (one, compile_template(one.key, f"flow.{one.name}.key") if one.key is not None else None)
            for one in flow.controls
        ]
        self._reentry = flow.reentry
        self.reads_entity = any(key is not None and key.reads_entity for _, key in self._controls)

    def of(self, facts: Facts, entity: EntityRef | None) -> dict[str, Ask]:
        """What each control asks of this event, by the control's name. A control whose key has no value here asks nothing, and
        neither does re-entry of an event that is about no entity."""
        asked: dict[str, Ask] = {}
        for control, template in self._controls:
            key = "" if template is None else _key_of(template, facts)
            if key is not None:
                asked[control.name] = Ask(control.name, key, control.number, control.period, control.most)
        if self._reentry != "allow" and entity is not None:
            asked["reentry"] = Ask("reentry", shortened(f"{entity.type}:{entity.id}"), mode=self._reentry)
        return asked


def _key_of(template: Template, facts: Facts) -> str | None:
    try:
        value: Any = template.render(facts)
    except TemplateError:
        return None
    if value is None or value == "":
        return None
    return shortened(value if isinstance(value, str) else _encode(value).decode())


def shortened(key: str) -> str:
    """A key as it is kept: a long one by its beginning and its digest."""
    if len(key) <= KEY_CHARACTERS_MAX:
        return key
    return f"{key[:_SHOWN]}#{hashlib.sha256(key.encode()).hexdigest()}"
