"""The automations noun: drafts, publishing, and the states between."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.app import changing, replays, schedules
from upshot.app.announce import announce
from upshot.app.automation_imports import Imports
from upshot.app.automation_shapes import audited, automation_items
from upshot.app.automation_versions import Change, moved_to, raise_if_stale, with_draft
from upshot.app.called import calls_any, raise_if_called, raise_if_endless
from upshot.app.expecting import expecting, raise_if_unexpected
from upshot.app.listed import Listed, within_json
from upshot.app.segments import raise_if_unknown
from upshot.core.automations.labels import holds, is_in
from upshot.core.errors import NotFound
from upshot.store import automations as store
from upshot.store import tenants


class Automations(Imports):
    """`upshot.automations`. Every change is audited, and counts for events that are matched after its commit."""

    def page(
        self,
        tenant_id: str,
        *,
        limit: int = 50,
        after: tuple[int, str] | None = None,
        status: str | None = None,
        search: str | None = None,
        folder: str | None = None,
        tag: str | None = None,
        deleted: bool = False,
    ) -> Listed:
        """Automations, highest priority first, then in the order of creation; only deleted ones, if `deleted`. `search` looks
        for text in names, triggers, conditions and arguments; `folder` is one with those below it, `/` for none. A page that
        looks for these may be short, or empty, and still have a next."""
        parts = [text for text in (search, None if folder == "/" else folder, tag) if text]
        inside = tuple(within_json(text) or "" for text in parts if text.isascii())
        wanted = store.Wanted(status, deleted, inside)
        if search or folder or tag:
            wanted = msgspec.structs.replace(wanted, is_wanted=partial(_is_wanted, search, folder, tag))
        with self._upshot.database.reading(tenant_id) as connection:
            found = store.page(connection, tenant_id, after, limit, wanted)
            items = automation_items(connection, tenant_id, found.automations)
        return Listed(items, found.next_after)

    def labels(self, tenant_id: str) -> dict[str, Any]:
        """The folders and tags that there are."""
        with self._upshot.database.reading(tenant_id) as connection:
            folders, tags = store.labels(connection, tenant_id)
        return {"folders": sorted(folders), "tags": sorted(tags)}

    def get(self, tenant_id: str, automation_id: str) -> dict[str, Any]:
        """One automation, as its draft stands.

        Raises:
            NotFound: there is none of that id, or it was deleted.
        """
        with self._upshot.database.reading(tenant_id) as connection:
            item = self._item(connection, tenant_id, automation_id)
        return self._warned(tenant_id, item)

    def create(self, tenant_id: str, document: Mapping[str, Any], *, actor: str = "host") -> dict[str, Any]:
        """A new automation from a document in any understood shape: a draft, or with `"status": "active"` published.

        Raises:
            Refused: with every problem of the document and its path.
        """
        canonical, _ = self._canonical(tenant_id, document)

        def write(connection: Connection) -> dict[str, Any]:
            made = self._insert(connection, tenant_id, canonical, actor)
            return self._item(connection, tenant_id, made.id)

        return self._committed(tenant_id, write)

    def create_if_new(
        self, tenant_id: str, document: Mapping[str, Any], *, actor: str = "host"
    ) -> dict[str, Any] | None:
        """`create`, unless there is an automation of that name: then None."""
        canonical, _ = self._canonical(tenant_id, document)

        def write(connection: Connection) -> str | None:
            if store.is_named(connection, tenant_id, canonical["name"]):
                return None
            return self._insert(connection, tenant_id, canonical, actor).id

        made = expecting(
            self._upshot, tenant_id, lambda: changing.change(self._upshot, tenant_id, write, is_alone=True)
        )
        self._upshot.engine.definitions_changed(tenant_id)
        return self.get(tenant_id, made) if made is not None else None

    def save(
        self,
        tenant_id: str,
        automation_id: str,
        document: Mapping[str, Any],
        *,
        revision: int | None = None,
        actor: str = "host",
    ) -> dict[str, Any]:
        """Put this document in the place of the draft; with `"status": "active"`, publish it in the same transaction.
        What runs is not changed by a draft.

        Raises:
            Refused: with every problem of the document and its path.
            NotFound: there is no such automation.
            Conflict: the draft is not at `revision` any more (code `stale_revision`).
        """
        canonical, is_active = self._canonical(tenant_id, document, automation_id)

        def change(connection: Connection, present: store.Automation, now: int) -> store.Automation:
            raise_if_stale(present, revision)
            draft = {name: value for name, value in canonical.items() if name != "status"}
            saved = with_draft(present, draft)
            return self._published(connection, tenant_id, saved, actor, now) if is_active else saved

        return self._changed(tenant_id, automation_id, "save", actor, change)

    def activate(self, tenant_id: str, automation_id: str, *, actor: str = "host") -> dict[str, Any]:
        """The version that was live before is live again; one that never was published is published."""

        def change(connection: Connection, present: store.Automation, now: int) -> store.Automation:
            if present.version is None:
                self._canonical(tenant_id, present.draft, automation_id)
                return self._published(connection, tenant_id, present, actor, now)
            return moved_to(present, "active")

        return self._changed(tenant_id, automation_id, "activate", actor, change)

    def pause(
        self, tenant_id: str, automation_id: str, *, and_runs: bool = False, actor: str = "host"
    ) -> dict[str, Any]:
        """It starts no runs until it is active again. Runs that go on go on, unless they are to be paused too (`and_runs`,
        500 a transaction).

        Raises:
            Conflict: it was never active.
        """
        item = self._changed(
            tenant_id, automation_id, "pause", actor, lambda _c, present, _n: moved_to(present, "paused")
        )
        if and_runs:
            for _ in self._upshot.runs.bulk_all(tenant_id, "pause", automation=automation_id, actor=actor):
                pass
        return item

    def archive(self, tenant_id: str, automation_id: str, *, actor: str = "host") -> dict[str, Any]:
        """It is put away: it starts nothing, and can be activated again.

        Raises:
            NotFound: there is no such automation.
            Conflict: active automations call it (code `is_called`).
        """

        def change(connection: Connection, present: store.Automation, _now: int) -> store.Automation:
            raise_if_called(connection, tenant_id, automation_id, "archived")
            return moved_to(present, "archived")

        return self._changed(tenant_id, automation_id, "archive", actor, change)

    def duplicate(self, tenant_id: str, automation_id: str, *, actor: str = "host") -> dict[str, Any]:
        """A new draft with the same document.

        Raises:
            NotFound: there is no such automation.
        """

        def write(connection: Connection) -> dict[str, Any]:
            present = self._present(connection, tenant_id, automation_id)
            copied = {**present.draft, "name": f"{present.name[:190]} (copy)"}
            made = self._insert(connection, tenant_id, copied, actor)
            return self._item(connection, tenant_id, made.id)

        return self._committed(tenant_id, write)

    def delete(self, tenant_id: str, automation_id: str, *, actor: str = "host") -> None:
        """It is gone from every list and starts nothing; its runs stay, and `undelete` brings it back as it was.

        Raises:
            NotFound: there is no such automation.
            Conflict: active automations call it (code `is_called`).
        """

        def change(connection: Connection, present: store.Automation, now: int) -> store.Automation:
            raise_if_called(connection, tenant_id, automation_id, "deleted")
            store.mark_state(connection, tenant_id, automation_id, now, "archived", present.version)
            return msgspec.structs.replace(present, deleted_at=now)

        self._changed(tenant_id, automation_id, "delete", actor, change)

    def undelete(self, tenant_id: str, automation_id: str, *, actor: str = "host") -> dict[str, Any]:
        """Undo `delete`. One that is not deleted stays as it is.

        Raises:
            NotFound: there never was such an automation.
        """

        def change(connection: Connection, present: store.Automation, now: int) -> store.Automation:
            if present.deleted_at is not None:
                store.mark_state(connection, tenant_id, automation_id, now, present.status, present.version)
            return msgspec.structs.replace(present, deleted_at=None)

        return self._changed(tenant_id, automation_id, "undelete", actor, change)

    # --- how every change is made ---------------------------------------------------------------------------------------

    def _changed(self, tenant_id: str, automation_id: str, action: str, actor: str, change: Change) -> dict[str, Any]:
        def write(connection: Connection) -> dict[str, Any]:
            after = self._change(connection, tenant_id, automation_id, action, actor, change)
            return automation_items(connection, tenant_id, [after])[0]

        return self._committed(tenant_id, write)

    def _change(
        self, connection: Connection, tenant_id: str, automation_id: str, action: str, actor: str, change: Change
    ) -> store.Automation:
        before = self._present(connection, tenant_id, automation_id, deleted_too=action == "undelete")
        now = self._upshot.clock.now()
        after = change(connection, before, now)
        if after == before:
            return before
        after = msgspec.structs.replace(after, updated_at=now)
        store.save(connection, tenant_id, after)
        if after.status != before.status or after.version != before.version:
            store.mark_state(connection, tenant_id, automation_id, now, after.status, after.version)
        stood = (before.status, before.version, before.deleted_at)
        if (after.status, after.version, after.deleted_at) != stood:
            schedules.follow(connection, tenant_id, after, now)
            if after.status == "active" and after.deleted_at is None:
                self._raise_if_endless(connection, tenant_id, after)
            else:
                why = f"The automation is {after.status if after.deleted_at is None else 'deleted'}."
                replays.stop(self._upshot, connection, tenant_id, automation_id, why, actor)
        tenants.bump_definitions(connection, tenant_id)
        said, done = audited(before), audited(after)
        self._upshot.audit.add(connection, tenant_id, actor, action, "automation", automation_id, said, done)
        return after

    def _insert(
        self, connection: Connection, tenant_id: str, canonical: dict[str, Any], actor: str, automation_id: str = ""
    ) -> store.Automation:
        now = self._upshot.clock.now()
        draft = {name: value for name, value in canonical.items() if name != "status"}
        made = store.Automation(
            id=automation_id or new_id(now),
            name=draft["name"],
            status="draft",
            priority=draft["priority"],
            version=None,
            draft=draft,
            draft_revision=1,
            published_revision=0,
            created_by=actor,
            created_at=now,
            updated_at=now,
            deleted_at=None,
        )
        store.create(connection, tenant_id, made)
        if canonical.get("status") == "active":
            made = self._published(connection, tenant_id, made, actor, now)
            store.save(connection, tenant_id, made)
            schedules.follow(connection, tenant_id, made, now)
            self._raise_if_endless(connection, tenant_id, made)
            tenants.bump_definitions(connection, tenant_id)
        store.mark_state(connection, tenant_id, made.id, now, made.status, made.version)
        self._upshot.audit.add(connection, tenant_id, actor, "create", "automation", made.id, None, audited(made))
        return made

    def _published(
        self, connection: Connection, tenant_id: str, present: store.Automation, actor: str, now: int
    ) -> store.Automation:
        if present.draft_revision == present.published_revision:
            return moved_to(present, "active")
        newest = store.versions(connection, tenant_id, present.id, None, 1)
        number = newest[0].version + 1 if newest else 1
        raise_if_unexpected(connection, tenant_id, present.draft)
        raise_if_unknown(connection, tenant_id, present.draft)
        store.add_version(connection, tenant_id, present.id, store.Version(number, present.draft, now, actor))
        return msgspec.structs.replace(
            present, status="active", version=number, published_revision=present.draft_revision
        )

    def _raise_if_endless(self, connection: Connection, tenant_id: str, live: store.Automation) -> None:
        version = live.version and store.version(connection, tenant_id, live.id, live.version)
        if version and calls_any(version.document):
            raise_if_endless(connection, tenant_id, live.id, version.document, self._upshot.actions.shapes)

    def _committed(self, tenant_id: str, write: Callable[[Connection], dict[str, Any]]) -> dict[str, Any]:
        item = expecting(
            self._upshot, tenant_id, lambda: changing.change(self._upshot, tenant_id, write, is_alone=True)
        )
        if "steps" in item:
            item = self._warned(tenant_id, item)
        self._upshot.engine.definitions_changed(tenant_id)
        announce(self._upshot, tenant_id, "automation", id=item["id"], status=item["status"])
        return item

    def _present(
        self, connection: Connection, tenant_id: str, automation_id: str, *, deleted_too: bool = False
    ) -> store.Automation:
        found = store.read(connection, tenant_id, automation_id)
        if found is None or (found.deleted_at is not None and not deleted_too):
            raise NotFound("automation", automation_id)
        return found

    def _item(self, connection: Connection, tenant_id: str, automation_id: str) -> dict[str, Any]:
        present = self._present(connection, tenant_id, automation_id)
        return automation_items(connection, tenant_id, [present])[0]


def _is_wanted(search: str | None, folder: str | None, tag: str | None, document: dict[str, Any]) -> bool:
    return (
        (not search or holds(document, search))
        and (not folder or is_in(document, folder))
        and (not tag or tag in document.get("tags", ()))
    )
