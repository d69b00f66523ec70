"""Actions: the kinds of effect a step performs, what they get, and what they may ask of our own store.

An action of kind `effect` does its work itself and gives back its output. One of kind `store` is a pure function that
gives back a `StoreEffect`: the engine performs its operations in the transaction that keeps the step, exactly once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import msgspec

from upshot.core.automations.action_shape import ActionShape
from upshot.core.entities import Operation
from upshot.core.errors import Problem
from upshot.core.events import EntityRef


class Reply(msgspec.Struct, frozen=True):
    """An HTTP reply: header names in lower case, at most the policy's bytes of body (`is_cut` says that more came)."""

    status: int
    headers: dict[str, str]
    body: bytes
    is_cut: bool = False


class Outbound(Protocol):
    """The guarded HTTP client: it reaches no private address, follows no redirect and ends each call by a deadline."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        deadline_seconds: float | None = None,
    ) -> Reply:
        """Send one request and read its reply.

        Raises:
            PermanentError: the policy does not let this request out.
            ActionError: the network, the other side or the deadline ended it.
        """
        ...


class ActionContext(Protocol):
    """What an action gets beside its arguments. The tenant is the engine's to say, never the action's."""

    @property
    def tenant_id(self) -> str:
        """Whose run this is."""
        ...

    @property
    def run_id(self) -> str:
        """The run."""
        ...

    @property
    def step_id(self) -> str:
        """The step, as its author named it."""
        ...

    @property
    def attempt(self) -> int:
        """1 for the first attempt."""
        ...

    @property
    def now(self) -> int:
        """When this attempt began: microseconds UTC."""
        ...

    @property
    def test(self) -> bool:
        """Whether this is a test run."""
        ...

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt of this step of this run, also after a crash."""
        ...

    @property
    def http(self) -> Outbound:
        """The guarded HTTP client."""
        ...

    @property
    def signing_secret(self) -> str:
        """The tenant's webhook signing secret, `whsec_` and base64."""
        ...

    @property
    def cause_header(self) -> tuple[str, str]:
        """The header by which a request says what caused it: send it along, and loops over other systems are stopped."""
        ...

    def log(self, line: str, **fields: Any) -> None:
        """Write a line into the attempt's log: at most 200 lines of 2,000 characters."""
        ...


class ChangeEntity(msgspec.Struct, frozen=True):
    """Change an entity; the entity as it is then becomes the step's output."""

    change: Operation


class EmitEvent(msgspec.Struct, frozen=True):
    """Emit an event; `{"event_id"}` becomes the step's output."""

    name: str
    data: dict[str, Any]
    entity: EntityRef | None = None


StoreOperation = ChangeEntity | EmitEvent


class StoreEffect(msgspec.Struct, frozen=True):
    """Operations on our own store, done all or none in the transaction that keeps the step.

    The step's output is that of the last operation.
    """

    operations: tuple[StoreOperation, ...]


Kind = Literal["effect", "store"]


@dataclass(frozen=True, slots=True)
class Action:
    """One action of the catalogue.

    `validate(arguments)` gives the value that `perform(value, context)` takes, or raises Refused with paths relative to
    the arguments. `perform` is an async function (run on the engine's loop), a plain one (run on a thread), or of kind
    `store` (pure, called in place). An alias stands `over` another action, or over `"delay"`. `emits` is the
    name of the event it makes happen (see `ActionShape`). `check(arguments)` says what is wrong with them already when they
    are saved, before their placeholders are filled in. An action without effects has a `trial(value)`, which gives its output
    where nothing may be done.
    """

    name: str
    title: str
    description: str
    schema: dict[str, Any]
    validate: Callable[[dict[str, Any]], Any]
    perform: Callable[[Any, ActionContext], Any]
    kind: Kind = "effect"
    icon: str = "zap"
    module: str = "upshot"
    over: str | None = None
    with_: dict[str, Any] | None = None
    emits: str = ""
    check: Callable[[dict[str, Any]], list[Problem]] | None = None
    trial: Callable[[Any], Any] | None = None

    @property
    def shape(self) -> ActionShape:
        """What an automation must know of it."""
        return ActionShape(self.name, self.schema, over=self.over, with_=self.with_, title=self.title, emits=self.emits)


class ActionRegistry:
    """The actions of one process, by name."""

    def __init__(self, actions: Sequence[Action] = ()) -> None:
        self._actions: dict[str, Action] = {}
        self._shapes: dict[str, ActionShape] = {}
        self._yielding: set[str] = set()
        for action in actions:
            self.add(action)

    def add(self, action: Action, *, replace: bool = False, yields: bool = False) -> Action:
        """Take an action up. The same one again is nothing new. One that `yields` gives its name up to any later one.

        Raises:
            ValueError: another action has that name, and `replace` is not set.
        """
        present = self._actions.get(action.name)
        if present is not None and present is not action and not replace and action.name not in self._yielding:
            raise ValueError(
                f"There is an action {action.name!r} already, from {present.module}; "
                f"the one from {action.module} needs another name."
            )
        self._actions[action.name] = action
        self._shapes[action.name] = action.shape
        (self._yielding.add if yields else self._yielding.discard)(action.name)
        return action

    def get(self, name: str) -> Action | None:
        """The action of this name, if this process has it."""
        return self._actions.get(name)

    def all(self) -> list[Action]:
        """Every action, in the order of their titles."""
        return sorted(self._actions.values(), key=lambda action: (action.title.casefold(), action.name))

    @property
    def shapes(self) -> Mapping[str, ActionShape]:
        """The shapes by name; later actions appear in it."""
        return self._shapes

    def __contains__(self, name: str) -> bool:
        return name in self._actions

    def __iter__(self) -> Iterator[Action]:
        return iter(self.all())

    def __len__(self) -> int:
        return len(self._actions)
