"""The built-in actions, one file per family, and how more are made."""

from upshot.adapters.actions.aliases import alias, delay_alias
from upshot.adapters.actions.arguments import form
from upshot.adapters.actions.catalogue import ActionCatalogue, action, built_in_actions
from upshot.adapters.actions.saving import save_problems

__all__ = ["ActionCatalogue", "action", "alias", "built_in_actions", "delay_alias", "form", "save_problems"]
