"""What the author of an action needs.

A package brings its own by an entry point of the group `upshot.actions`, which names a function marked with `@action`,
an `Action`, or a list of them. An application declares its own with `@upshot.action(...)`, with the same options.
"""

from upshot.adapters.actions.aliases import alias
from upshot.adapters.actions.arguments import form
from upshot.adapters.actions.catalogue import action
from upshot.core.action import Action, ActionContext, ChangeEntity, EmitEvent, StoreEffect, StoreOperation
from upshot.core.entities import AddTag, CreateEntity, DeleteEntity, PatchEntity, RemoveTag, ReplaceEntity
from upshot.core.errors import ActionError, PermanentError
from upshot.core.events import EntityRef

__all__ = [
    "Action",
    "ActionContext",
    "ActionError",
    "AddTag",
    "ChangeEntity",
    "CreateEntity",
    "DeleteEntity",
    "EmitEvent",
    "EntityRef",
    "PatchEntity",
    "PermanentError",
    "RemoveTag",
    "ReplaceEntity",
    "StoreEffect",
    "StoreOperation",
    "action",
    "alias",
    "form",
]
