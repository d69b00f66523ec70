"""The actions of one process: those built in, those the application declares, those that installed packages bring."""

import logging
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, TypeVar, cast

from upshot.adapters.actions import drafts, entities, events, lines, tasks, webhooks
from upshot.adapters.actions.code import run_code
from upshot.adapters.actions.typed import make_action
from upshot.adapters.sandbox import Sandbox
from upshot.core.action import Action, ActionRegistry, Kind

log = logging.getLogger("upshot.actions")

ENTRY_POINTS: Final = "upshot.actions"
"""The entry point group: each entry names an `Action`, a function that `action()` decorated, or a list of them."""

MARK: Final = "__upshot_action__"

Function = TypeVar("Function", bound=Callable[..., Any])


def built_in_actions(sandbox: Sandbox | None = None) -> list[Action]:
    """The actions that come with Upshot. Programs of steps run in this sandbox, or one of their own."""
    families = (entities, tasks, drafts, events, webhooks, lines)
    return [*(action for family in families for action in family.ACTIONS), run_code(sandbox or Sandbox())]


def action(
    name: str,
    *,
    title: str | None = None,
    description: str | None = None,
    schema: dict[str, Any] | None = None,
    kind: Kind = "effect",
    icon: str = "zap",
) -> Callable[[Function], Function]:
    """Mark a function as an action; it stays an ordinary function. See `make_action` for its form.

    Raises:
        TypeError: when applied to a function that is not of that form.
    """

    def mark(function: Function) -> Function:
        made = make_action(function, name, title=title, description=description, schema=schema, kind=kind, icon=icon)
        setattr(function, MARK, made)
        return function

    return mark


def actions_in(found: Any) -> list[Action]:
    """The actions that an entry point's object is: an `Action`, a marked function, or a list or module of them.

    Raises:
        TypeError: it is none of these.
    """
    if isinstance(found, Action):
        return [found]
    marked = getattr(found, MARK, None)
    if isinstance(marked, Action):
        return [marked]
    if isinstance(found, list | tuple):
        return [action for each in cast("list[Any]", found) for action in actions_in(each)]
    raise TypeError(f"{found!r} is neither an Action, a function marked with @action, nor a list of them.")


class ActionCatalogue(ActionRegistry):
    """The actions of one process."""

    def declare(self, name: str, **options: Any) -> Callable[[Function], Function]:
        """`action`, and take the function up at once."""

        def take(function: Function) -> Function:
            marked = action(name, **options)(function)
            self.add(getattr(marked, MARK))
            return marked

        return take

    def load_entry_points(self) -> list[str]:
        """Take up what installed packages bring; the entry points that could not be, each with its reason.

        One that cannot be loaded is logged and left out: the others must not suffer for it.
        """
        failed: list[str] = []
        for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
            try:
                self._take_up(entry)
            except Exception as error:
                log.exception("the actions of entry point %s could not be loaded", entry.value)
                failed.append(f"{entry.name} ({entry.value}): {error}")
        return failed

    def _take_up(self, entry: EntryPoint) -> None:
        for found in actions_in(entry.load()):
            self.add(found)
