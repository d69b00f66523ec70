"""Events as Pydantic models: the name, the schema and the entity are said once, where the fields are."""

import inspect
from typing import Any, ClassVar, Unpack

import pydantic

from upshot.core.event_payloads import EntityBinding, read_binding

NAME_MAX = 200
RESERVED_PREFIX = "system."
_OWN = frozenset({"data", "envelope", "declaration"})


class Event(pydantic.BaseModel):
    """The base of declared events.

        class PatientMoved(Event, name="crm/patient.moved", entity=("patient", "patient.id")):
            patient: Patient

    The fields are the event's data; `entity` says which entity it is about: its type, and the path of its id in them. A
    class without a name is a base for others and cannot be emitted.
    """

    event_name: ClassVar[str] = ""
    event_entity: ClassVar[EntityBinding | None] = None

    def __init_subclass__(
        cls, *, name: str = "", entity: tuple[str, str] | None = None, **config: Unpack[pydantic.ConfigDict]
    ) -> None:
        """Take `name` and `entity` beside Pydantic's own settings."""
        super().__init_subclass__(**config)

    @classmethod
    def __pydantic_init_subclass__(cls, *, name: str = "", entity: tuple[str, str] | None = None, **_: Any) -> None:
        """Read the class's name and entity, once its fields are known.

        Raises:
            TypeError: the name is not one, or a field hides what every event has.
            Refused: the entity is not a type and a path.
        """
        cls.event_name = name
        taken = sorted(_OWN & cls.model_fields.keys())
        if taken:
            own = taken[0]
            raise TypeError(
                f'{cls.__name__}.{own} hides what every event has; write {own}_: ... = Field(alias="{own}").'
            )
        if name and (len(name) > NAME_MAX or not name.isprintable() or name != name.strip()):
            raise TypeError(f"{name[:80]!r} is not an event's name: at most {NAME_MAX} visible characters.")
        if name.startswith(RESERVED_PREFIX):
            raise TypeError(f"{name!r}: event names that begin with {RESERVED_PREFIX!r} are kept for the engine.")
        if entity is not None:
            cls.event_entity = read_binding({"type": entity[0], "id": entity[1]})

    def data(self) -> dict[str, Any]:
        """The fields as JSON: what is kept, and what conditions and templates read."""
        return self.model_dump(mode="json", by_alias=True)

    def envelope(self) -> dict[str, Any]:
        """Name and data, as `POST /events` takes them.

        Raises:
            TypeError: the class has no name.
        """
        return {"name": self._named(), "data": self.data()}

    @classmethod
    def declaration(cls) -> dict[str, Any]:
        """The event type this class declares, as `PUT /event-types` takes it.

        Raises:
            TypeError: the class has no name.
        """
        bound = cls.event_entity
        return {
            "name": cls._named(),
            "title": cls.model_config.get("title") or cls.__name__,
            "description": (inspect.cleandoc(cls.__doc__) if cls.__doc__ else "").split("\n\n", 1)[0],
            "schema": cls.model_json_schema(by_alias=True),
            "entity": None if bound is None else {"type": bound.type, "id": bound.id},
        }

    @classmethod
    def _named(cls) -> str:
        if not cls.event_name:
            raise TypeError(f'{cls.__name__} has no event name: write class {cls.__name__}(Event, name="noun.verb").')
        return cls.event_name
