"""Versions of automations: publishing, what changed from one to another, and going back."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from upshot.app.automation_shapes import version_item
from upshot.app.called import told_by_name
from upshot.app.insights import Insights
from upshot.app.listed import Listed, cut
from upshot.app.runs_in_flight import InFlight, settle
from upshot.core import statuses
from upshot.core.automations import normalise
from upshot.core.automations.diff import Change as Told
from upshot.core.automations.diff import diff
from upshot.core.errors import Conflict, NotFound
from upshot.store import automations as store
from upshot.store import in_flight

Change = Callable[[Connection, store.Automation, int], store.Automation]

STALE = "stale_revision"


class Versions(Insights):
    """The side of `upshot.automations` that knows versions."""

    def publish(
        self,
        tenant_id: str,
        automation_id: str,
        *,
        revision: int | None = None,
        runs: InFlight = "finish",
        actor: str = "host",
    ) -> dict[str, Any]:
        """The draft becomes the next version, and active. Published again it stays the version it is. `runs` says what happens
        to the runs that are under way on other versions, and `runs_in_flight` what became of them: they finish where they
        are; or those that rest move, if what was kept of them leads to the same open steps there; or they are cancelled.

        Raises:
            NotFound: there is no such automation.
            Refused: the draft cannot run any more (an action is gone, say).
            Conflict: the draft is not at `revision` any more: what was looked at is not what would be published (code
                `stale_revision`).
        """

        def change(connection: Connection, present: store.Automation, now: int) -> store.Automation:
            raise_if_stale(present, revision)
            self._canonical(tenant_id, present.draft, automation_id)
            return self._published(connection, tenant_id, present, actor, now)

        item = self._changed(tenant_id, automation_id, "publish", actor, change)
        return {**item, "runs_in_flight": settle(self._upshot, tenant_id, item, runs, actor)}

    def versions(self, tenant_id: str, automation_id: str, *, limit: int = 50, after: int | None = None) -> Listed:
        """The published versions, newest first.

        Raises:
            NotFound: there is no such automation.
        """
        with self._upshot.database.reading(tenant_id) as connection:
            self._present(connection, tenant_id, automation_id)
            found = store.versions(connection, tenant_id, automation_id, after, limit + 1)
        kept, has_more = cut(found, limit)
        return Listed([version_item(version) for version in kept], kept[-1].version if has_more else None)

    def version(self, tenant_id: str, automation_id: str, number: int) -> dict[str, Any]:
        """One published version.

        Raises:
            NotFound: there is no such automation, or no such version of it.
        """
        with self._upshot.database.reading(tenant_id) as connection:
            self._present(connection, tenant_id, automation_id)
            found = store.version(connection, tenant_id, automation_id, number)
        if found is None:
            raise NotFound("version", str(number))
        return version_item(found)

    def diff(
        self, tenant_id: str, automation_id: str, *, before: int | None = None, after: int | None = None
    ) -> dict[str, Any]:
        """What changed from version `before` (the live one if left out) to `after` (the draft), in words.

        Raises:
            NotFound: there is no such automation, or no such version of it.
        """
        with self._upshot.database.reading(tenant_id) as connection:
            present = self._present(connection, tenant_id, automation_id)
            first = present.version if before is None else before
            old = self._document(connection, tenant_id, automation_id, first) if first is not None else None
            new = present.draft
            if after is not None:
                new = self._document(connection, tenant_id, automation_id, after)
            flying = in_flight.by_version(connection, tenant_id, automation_id)
            old, new = _by_name(connection, tenant_id, old, new)
        revision = present.draft_revision if after is None else None
        return _told(first, after, revision, flying, diff(old, new))

    def diff_from(self, tenant_id: str, automation_id: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """What changed from this document to the draft, in words: what somebody else saved since it was read.

        Raises:
            NotFound: there is no such automation.
            Refused: the document cannot be read; the problems name each place.
        """
        before, _ = normalise(document, actions=self._upshot.actions.shapes)
        old = {name: value for name, value in before.items() if name != "status"}
        with self._upshot.database.reading(tenant_id) as connection:
            present = self._present(connection, tenant_id, automation_id)
            flying = in_flight.by_version(connection, tenant_id, automation_id)
            old, new = _by_name(connection, tenant_id, old, present.draft)
        return _told(None, None, present.draft_revision, flying, diff(old, new))

    def restore(
        self,
        tenant_id: str,
        automation_id: str,
        number: int,
        *,
        publish: bool = False,
        revision: int | None = None,
        actor: str = "host",
    ) -> dict[str, Any]:
        """Go back: the document of version `number` becomes the draft and, with `publish`, the next version, at once. No
        version is ever changed or lost.

        Raises:
            NotFound: there is no such automation, or no such version of it.
            Refused: that document cannot run any more (an action is gone, say).
            Conflict: the draft is not at `revision` any more (code `stale_revision`).
        """

        def change(connection: Connection, present: store.Automation, now: int) -> store.Automation:
            raise_if_stale(present, revision)
            draft = self._document(connection, tenant_id, automation_id, number)
            self._canonical(tenant_id, draft, automation_id)
            restored = with_draft(present, draft)
            return self._published(connection, tenant_id, restored, actor, now) if publish else restored

        return self._changed(tenant_id, automation_id, "restore", actor, change)

    @abstractmethod
    def _changed(
        self, tenant_id: str, automation_id: str, action: str, actor: str, change: Change
    ) -> dict[str, Any]: ...

    @abstractmethod
    def _published(
        self, connection: Connection, tenant_id: str, present: store.Automation, actor: str, now: int
    ) -> store.Automation: ...


def _by_name(
    connection: Connection, tenant_id: str, old: dict[str, Any] | None, new: dict[str, Any]
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Two documents with the names of what they call, as people tell a change."""
    documents = told_by_name(connection, tenant_id, [new] if old is None else [old, new])
    return (None if old is None else documents[0]), documents[-1]


def _told(
    before: int | None, after: int | None, revision: int | None, flying: Mapping[int, int], changes: Sequence[Told]
) -> dict[str, Any]:
    return {
        "from": before,
        "to": after,
        "draft_revision": revision,
        "runs_in_flight": sum(flying.values()),
        "in_flight": [{"version": version, "runs": number} for version, number in flying.items()],
        "changes": [msgspec.to_builtins(change) for change in changes],
    }


def with_draft(present: store.Automation, draft: dict[str, Any]) -> store.Automation:
    """The automation with this canonical document as its draft: the next revision, unless it is the same document."""
    if draft == present.draft:
        return present
    return msgspec.structs.replace(
        present,
        name=draft["name"],
        priority=draft["priority"],
        draft=draft,
        draft_revision=present.draft_revision + 1,
    )


def raise_if_stale(present: store.Automation, revision: int | None) -> None:
    """Hold a change to the revision of the draft it is made on; None is whichever.

    Raises:
        Conflict: the draft is at another one (code `stale_revision`).
    """
    if revision is not None and revision != present.draft_revision:
        stale = Conflict(
            f"The draft is at revision {present.draft_revision} now, not {revision}: somebody else saved it. "
            "Read it again and make the change on that."
        )
        stale.code = STALE
        raise stale


def moved_to(present: store.Automation, status: str) -> store.Automation:
    """The automation in this status.

    Raises:
        Conflict: it cannot come to it from where it is.
    """
    if present.status == status:
        return present
    if not statuses.may_move("automation", present.status, status):
        raise Conflict(f"The automation is {present.status}; from there it cannot become {status}.")
    return msgspec.structs.replace(present, status=status)
