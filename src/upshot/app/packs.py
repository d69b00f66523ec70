"""The packs noun: ready automations of one field, with the event types, entity types and actions they stand on."""

from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection

from upshot.adapters.actions import alias, delay_alias, form
from upshot.adapters.actions.aliases import DELAY
from upshot.app.changing import change
from upshot.core.action import Action, ActionRegistry
from upshot.core.errors import Conflict, NotFound
from upshot.core.packs import MANIFEST, ActionForm, EntityTypeForm, Pack, read_pack, with_instants
from upshot.store import entity_types

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

DATA_ENDINGS: Final = (".json", ".toml")


def list_packs() -> list[dict[str, Any]]:
    """The packs there are. They come with the package, so this needs no database."""
    return [_shown(pack) for pack in built_in_packs().values()]


class Packs:
    """`upshot.packs`: list, install, and fill with sample data."""

    def __init__(self, upshot: "Upshot") -> None:
        """Take up the actions of every built-in pack, whether or not a tenant has it installed: they are names only."""
        self._upshot = upshot
        for pack in built_in_packs().values():
            register_actions(upshot.actions, pack)

    def list(self) -> list[dict[str, Any]]:
        """The packs there are."""
        return list_packs()

    def get(self, name: str) -> dict[str, Any]:
        """One pack.

        Raises:
            NotFound: there is none of that name.
        """
        return _shown(_present(name))

    def install(self, tenant_id: str, name: str, *, actor: str = "host") -> dict[str, Any]:
        """Declare the pack's event types and entity types for this tenant, and create its automations, active.

        Again is safe: types are brought to what the pack says now; an automation of a name that the tenant has already is
        left as it is. The answer says what was created and what was there: `{name, created: [...], present: [...]}`.

        Raises:
            NotFound: there is no such pack, or no such tenant.
            Refused: an automation cannot run here (an action of the host took the name of one the pack needs).
        """
        pack = _present(name)
        self._upshot.tenants.get(tenant_id)
        for declared in pack.event_types:
            self._upshot.event_types.put(
                tenant_id,
                declared.name,
                title=declared.title,
                description=declared.description,
                schema=declared.schema,
                entity=declared.entity,
                on_invalid=declared.on_invalid,
                sample=declared.sample,
                actor=actor,
            )
        self._declare_entity_types(tenant_id, pack.entity_types, actor)
        created: list[str] = []
        present: list[str] = []
        for document in pack.automations.values():
            made = self._upshot.automations.create_if_new(tenant_id, document, actor=actor)
            (created if made is not None else present).append(document["name"])
        return {"name": name, "created": created, "present": present}

    def demo(self, tenant_id: str, name: str = "clinic", *, actor: str = "host") -> int:
        """Install the pack and let its sample events happen, once: how many events were new. Runs start as an engine runs.

        Raises:
            NotFound: there is no such pack, or no such tenant.
        """
        pack = _present(name)
        if self._has_happened(tenant_id, pack):
            return 0
        self.install(tenant_id, name, actor=actor)
        now = self._upshot.clock.now()
        for entity in pack.demo.entities:
            fields = with_instants(entity.fields, now)
            try:
                self._upshot.entities.create(
                    tenant_id, entity.type, id=entity.id, fields=fields, tags=entity.tags, actor=actor
                )
            except Conflict:  # an earlier call was cut off after this one
                continue
        envelopes = [
            {"id": event.id, "name": event.name, "data": with_instants(event.data, now)} for event in pack.demo.events
        ]
        return sum(not accepted.duplicate for accepted in self._upshot.events.accept(tenant_id, envelopes))

    def _has_happened(self, tenant_id: str, pack: Pack) -> bool:
        try:
            self._upshot.events.get(tenant_id, pack.demo.events[-1].id)
        except (NotFound, IndexError):
            return False
        return True

    def _declare_entity_types(self, tenant_id: str, declared: tuple[EntityTypeForm, ...], actor: str) -> None:
        def write(connection: Connection) -> None:
            for one in declared:
                allowed = tuple(one.allowed_fields) if one.allowed_fields is not None else None
                after = entity_types.EntityType(one.name, one.title, allowed)
                before = entity_types.read(connection, tenant_id, one.name)
                if before != after:
                    entity_types.put(connection, tenant_id, after, self._upshot.clock.now())
                    said = _audited(before) if before is not None else None
                    audit = self._upshot.audit
                    audit.add(connection, tenant_id, actor, "put", "entity_type", one.name, said, _audited(after))

        change(self._upshot, tenant_id, write, is_alone=True)


@lru_cache(maxsize=1)
def built_in_packs() -> dict[str, Pack]:
    """The packs that come with Upshot, by name. They are read once per process."""
    packs = [
        read_pack(_texts(folder))
        for folder in files("upshot").joinpath("packs").iterdir()
        if folder.joinpath(MANIFEST).is_file()
    ]
    return {pack.name: pack for pack in sorted(packs, key=lambda pack: pack.name)}


def register_actions(registry: ActionRegistry, pack: Pack) -> None:
    """Take up the pack's actions. A name that another action has, or takes later, is that one's: the host's words win."""
    for declared in pack.actions:
        if declared.name not in registry:
            registry.add(_action(registry, declared, pack.name), yields=True)


def _action(registry: ActionRegistry, declared: ActionForm, module: str) -> Action:
    schema = form(declared.arguments, required=declared.required)
    if declared.over == DELAY:
        return delay_alias(
            declared.name,
            declared.with_,
            title=declared.title,
            schema=schema,
            description=declared.description,
            module=module,
        )
    over = registry.get(declared.over)
    if over is None:
        raise NotFound("action", declared.over)
    return alias(
        declared.name,
        over,
        declared.with_,
        title=declared.title,
        schema=schema,
        description=declared.description,
        icon=declared.icon,
        module=module,
    )


def _present(name: str) -> Pack:
    pack = built_in_packs().get(name)
    if pack is None:
        raise NotFound("pack", name)
    return pack


def _texts(folder: Traversable, at: str = "") -> dict[str, str]:
    texts: dict[str, str] = {}
    for entry in folder.iterdir():
        if entry.is_dir():
            texts |= _texts(entry, f"{at}{entry.name}/")
        elif entry.name.endswith(DATA_ENDINGS):
            texts[at + entry.name] = entry.read_text(encoding="utf-8")
    return texts


def _audited(declared: entity_types.EntityType) -> dict[str, Any]:
    allowed = declared.allowed_fields
    return {"title": declared.title, "allowed_fields": list(allowed) if allowed is not None else None}


def _shown(pack: Pack) -> dict[str, Any]:
    return {
        "name": pack.name,
        "title": pack.title,
        "description": pack.description,
        "event_types": [{"name": one.name, "title": one.title} for one in pack.event_types],
        "entity_types": [
            {"name": one.name, "title": one.title, "allowed_fields": one.allowed_fields} for one in pack.entity_types
        ],
        "actions": [{"name": one.name, "title": one.title, "over": one.over} for one in pack.actions],
        "automations": [
            {"id": key, "name": document["name"], "description": document.get("description", "")}
            for key, document in pack.automations.items()
        ],
        "has_demo": bool(pack.demo.events),
    }
