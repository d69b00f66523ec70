"""The controlling side of `upshot.runs`: cancel, pause, resume and retry."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.app.announce import announce
from upshot.app.changing import change
from upshot.core.errors import Conflict, NotFound
from upshot.engine import control
from upshot.engine.control import Action
from upshot.store import audit, run_pages

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

_DONE: Final[dict[Action, str]] = {
    "cancel": "cancelled",
    "pause": "paused",
    "resume": "resumed",
    "retry": "retried",
}


class Controlling:
    """What people do to runs that are there. Every change is audited in its own transaction."""

    def __init__(self, upshot: "Upshot") -> None:
        self._upshot = upshot

    def cancel(self, tenant_id: str, run_id: str, *, actor: str = "host") -> None:
        """Cancel a run that is not over. No further step starts; the outcome of a step in flight is dropped.

        Raises:
            NotFound: there is no such run.
            Conflict: it is over already.
        """
        self._act(tenant_id, run_id, "cancel", actor)

    def pause(self, tenant_id: str, run_id: str, *, actor: str = "host") -> None:
        """Pause a run. Steps in flight end and are kept, no further one starts, and timers that come due do nothing until it is
        resumed.

        Raises:
            NotFound: there is no such run.
            Conflict: it is over, or paused already.
        """
        self._act(tenant_id, run_id, "pause", actor)

    def resume(self, tenant_id: str, run_id: str, *, actor: str = "host") -> None:
        """Let a paused run go on where it stands.

        Raises:
            NotFound: there is no such run.
            Conflict: it is not paused.
        """
        self._act(tenant_id, run_id, "resume", actor)

    def retry(self, tenant_id: str, run_id: str, *, actor: str = "host") -> None:
        """Let a failed run go on at the step that failed, under the same idempotency key; its dead letter is under way again.

        Raises:
            NotFound: there is no such run.
            Conflict: it is not failed, or its version is gone.
        """
        self._act(tenant_id, run_id, "retry", actor)

    def _act(self, tenant_id: str, run_id: str, action: Action, actor: str) -> None:
        now = self._upshot.clock.now()

        def write(connection: Connection) -> control.Moved:
            moved = control.act(connection, tenant_id, [run_id], action, actor, now)
            why = moved.refused.get(run_id)
            if why == control.MISSING:
                raise NotFound("run", run_id)
            if why is not None:
                raise Conflict(f"Run {run_id!r} cannot be {_DONE[action]}: {why}.")
            before: dict[str, Any] = {"status": moved.done[run_id]}
            after = {"status": run_pages.status(connection, tenant_id, run_id)}
            audit.add(connection, tenant_id, new_id(now), now, actor, action, "run", run_id, before, after)
            return moved

        self._tell(tenant_id, change(self._upshot, tenant_id, write, is_alone=True).done, action)

    def _tell(self, tenant_id: str, done: Iterable[str], action: Action) -> None:
        """Wake who has something to do with these runs now, and tell live pages."""
        for run_id in done:
            if action == "cancel":
                self._upshot.engine.dropped(tenant_id, run_id)
            announce(self._upshot, tenant_id, "run", id=run_id, status=control.BECOMES[action])
        if action in {"resume", "retry"}:
            self._upshot.engine.claim_soon()
