"""Importing automations: documents in any understood shape become new automations, or the drafts of those of their names."""

import hashlib
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.app.automation_versions import STALE, Change, Versions, with_draft
from upshot.app.called import Beside, calls_any, told_by_name, with_calls
from upshot.core.automations import cycles as circles
from upshot.core.automations import inspect
from upshot.core.automations import read as read_document
from upshot.core.automations.diff import diff
from upshot.core.automations.fields import as_list, as_object
from upshot.core.errors import Conflict, Malformed, Problem, Refused
from upshot.store import automations as store

IMPORT_MAX: Final = 1_000
Mode = Literal["update", "copy"]
"""What a document becomes of whose name there is an automation: that one's draft, or another automation of the name."""


class Meant(msgspec.Struct):
    """What one document of an import is to become: the automation that is there or, without one, a new one of this id."""

    told: dict[str, Any]
    id: str
    present: store.Automation | None

    @property
    def is_active(self) -> bool:
        """Whether the document says that it is to be active."""
        return self.told["document"].get("status") == "active"

    @property
    def will_run(self) -> bool:
        """Whether there is something to run once it is imported."""
        there = self.present
        return self.is_active or (there is not None and there.version is not None and there.status != "archived")


class Imports(Versions):
    """The side of `upshot.automations` that imports."""

    def import_documents(
        self,
        tenant_id: str,
        given: Any,
        *,
        mode: Mode = "update",
        revision: int | None = None,
        is_dry_run: bool = False,
        actor: str = "host",
    ) -> dict[str, Any]:
        """Import one document, a list of them, or `{"automations": [...]}`, in any understood shape: all, or none.

        A document of whose name there is an automation becomes that one's draft, and one that says it is active is published;
        of several of the name it is the one that is the same, else the oldest. Imported again, the same documents change
        nothing. In the mode `copy` each becomes a new automation. A dry run keeps nothing. Either answers for each document
        its notes and problems, whether it is `new`, `changed` or the `same` (`state`) and how in words (`changes`), the
        `warnings` of circles that it makes with the active automations, and the `revision` of what it was compared with.

        Raises:
            Refused: a document is not understood; the problems name each place.
            Conflict: the automations of these names are not at `revision` any more, or were changed meanwhile; nothing is
                kept (code `stale_revision`).
        """
        documents, paths = _documents(given)
        told = [self._told(tenant_id, document) for document in documents]
        understood = [one for one in told if one["document"] is not None]
        names = sorted({one["document"]["name"] for one in understood})
        kept = self._kept(tenant_id, names) if mode == "update" else []
        compared = _revision_of(kept)
        meant = self._meant(tenant_id, understood, kept)
        self._call_one_another(tenant_id, meant)
        meant = [one for one in meant if one.told["document"] is not None]
        self._compare(tenant_id, meant)
        if not is_dry_run:
            problems = [
                Problem(_join(path, problem["path"]), problem["message"], problem["code"])
                for path, one in zip(paths, told, strict=True)
                for problem in one["problems"]
            ]
            if problems:
                raise Refused(problems)
            if revision not in (None, compared):
                raise _stale()
            self._keep(tenant_id, meant, names if mode == "update" else [], compared, actor)
        made_up = _made_up(meant) if is_dry_run else {}
        for one in meant:
            one.told["id"] = None if one.id in made_up else one.id
            one.told["document"] = with_calls(one.told["document"], made_up)
            one.told["warnings"] = self._warnings(tenant_id, one.told["document"], one.id)
        return {"automations": told, "revision": compared}

    def lint(self, given: Any) -> dict[str, Any]:
        """What a dry run of `import_documents` would say, as far as it can be said of no tenant: it needs no database, knows
        no declared event type and no other automation."""
        documents, _ = _documents(given)
        return {"automations": [self._told(None, document) for document in documents]}

    def _told(self, tenant_id: str | None, document: Any) -> dict[str, Any]:
        canonical, findings = inspect(document, actions=self._upshot.actions.shapes, imported=True)
        found = findings.problems or (self._present_problems(canonical, tenant_id) if canonical is not None else [])
        problems = [msgspec.to_builtins(problem) for problem in found]
        understood = canonical if canonical is not None and not problems else None
        if understood is not None and tenant_id is not None:
            self._note_gaps(tenant_id, understood, findings)
        return {
            "document": understood,
            "notes": findings.notes,
            "warnings": [],
            "problems": problems,
            "id": None,
            "state": "new",
            "changes": [],
        }

    def _kept(self, tenant_id: str, names: Sequence[str]) -> list[store.Automation]:
        with self._upshot.database.reading(tenant_id) as connection:
            return store.of_names(connection, tenant_id, names)

    def _meant(
        self, tenant_id: str, understood: Sequence[dict[str, Any]], kept: Sequence[store.Automation]
    ) -> list[Meant]:
        """What each document is to become: each automation is meant by one document at most."""
        now = self._upshot.clock.now()
        written = [one["document"] for one in understood]
        with self._upshot.database.reading(tenant_id) as connection:
            told = told_by_name(connection, tenant_id, [*(one.draft for one in kept), *written])
        drafts, wanted = told[: len(kept)], [_unmarked(document) for document in told[len(kept) :]]
        found = paired([document["name"] for document in wanted], wanted, [one.name for one in kept], drafts)
        return [
            Meant(one, new_id(now), None) if at is None else Meant(one, kept[at].id, kept[at])
            for one, at in zip(understood, found, strict=True)
        ]

    def _call_one_another(self, tenant_id: str, meant: Sequence[Meant]) -> None:
        """Say of each document of an import what it calls, among the others too, and what is wrong with that."""
        if not any(calls_any(one.told["document"]) for one in meant):
            return
        shapes = self._upshot.actions.shapes
        number = Counter(one.told["document"]["name"] for one in meant)
        single = [one for one in meant if number[one.told["document"]["name"]] == 1]
        beside = {one.told["document"]["name"]: Beside(one.id, one.will_run) for one in single}
        ids = {name: one.id for name, one in beside.items()}
        parts = [
            circles.part_of(read_document(with_calls(one.told["document"], ids)), one.id, shapes) for one in single
        ]
        known = {part.id for part in parts}
        parts += [part for part in self._parts(tenant_id) if part.id not in known]
        for one in meant:
            document, problems = self._called(tenant_id, one.told["document"], one.id, beside, parts)
            one.told["document"] = document if not problems else None
            one.told["problems"] += [msgspec.to_builtins(problem) for problem in problems]

    def _compare(self, tenant_id: str, meant: Sequence[Meant]) -> None:
        """Say of each document what it changes of the automation that it is to become."""
        both = [(one, one.present) for one in meant if one.present is not None]
        made_up = _made_up(meant)
        drafts = [
            document for one, present in both for document in (present.draft, with_calls(one.told["document"], made_up))
        ]
        with self._upshot.database.reading(tenant_id) as connection:
            named = told_by_name(connection, tenant_id, drafts)
        for (one, present), old, new in zip(both, named[::2], named[1::2], strict=True):
            is_same = _unmarked(one.told["document"]) == present.draft
            changes = [] if is_same else [msgspec.to_builtins(change) for change in diff(old, _unmarked(new))]
            if one.is_active and (changes or not _is_live(present)):
                changes.append(
                    {
                        "path": "status",
                        "kind": "changed",
                        "text": f"It is published and active; it was {_stood(present)}.",
                        "before": present.status,
                        "after": "active",
                    }
                )
            one.told["changes"] = changes
            one.told["state"] = "changed" if changes else "same"

    def _keep(self, tenant_id: str, meant: Sequence[Meant], names: Sequence[str], compared: int, actor: str) -> None:
        changed = [one for one in meant if one.told["state"] != "same"]
        if not changed:
            return

        def write(connection: Connection) -> dict[str, Any]:
            if _revision_of(store.of_names(connection, tenant_id, names)) != compared:
                raise _stale()
            for one in changed:
                document = one.told["document"]
                if one.present is None:
                    self._insert(connection, tenant_id, document, actor, one.id)
                else:
                    self._change(connection, tenant_id, one.id, "save", actor, self._replacing(tenant_id, one, actor))
            return {"id": changed[0].id, "status": "imported"}

        self._committed(tenant_id, write)

    def _replacing(self, tenant_id: str, one: Meant, actor: str) -> Change:
        def change(connection: Connection, present: store.Automation, now: int) -> store.Automation:
            saved = with_draft(present, _unmarked(one.told["document"]))
            return self._published(connection, tenant_id, saved, actor, now) if one.is_active else saved

        return change

    @abstractmethod
    def _insert(
        self, connection: Connection, tenant_id: str, canonical: dict[str, Any], actor: str, automation_id: str = ""
    ) -> store.Automation: ...

    @abstractmethod
    def _change(
        self, connection: Connection, tenant_id: str, automation_id: str, action: str, actor: str, change: Change
    ) -> store.Automation: ...

    @abstractmethod
    def _committed(self, tenant_id: str, write: Callable[[Connection], dict[str, Any]]) -> dict[str, Any]: ...


def paired(
    names: Sequence[str], wanted: Sequence[Any], kept_names: Sequence[str], kept: Sequence[Any]
) -> list[int | None]:
    """Which of those kept, oldest first, each of those wanted means: one of its name that is the same, else the first one
    left of its name; None when none is left. None of those kept is meant twice."""
    free: dict[str, list[int]] = {}
    for at, name in enumerate(kept_names):
        free.setdefault(name, []).append(at)
    found: dict[int, int] = {}
    for is_looking_for_same in (True, False):
        for place, name in enumerate(names):
            if place in found:
                continue
            same = (at for at in free.get(name, ()) if not is_looking_for_same or kept[at] == wanted[place])
            at = next(same, None)
            if at is not None:
                found[place] = at
                free[name].remove(at)
    return [found.get(place) for place in range(len(names))]


def _made_up(meant: Sequence[Meant]) -> dict[str, str]:
    """The names of those that are new, by the ids that nobody has seen yet."""
    return {one.id: one.told["document"]["name"] for one in meant if one.present is None}


def _revision_of(kept: Sequence[store.Automation]) -> int:
    """One number, of up to 15 digits, for how all these stand: another one once any is saved, published, paused or gone."""
    stands = [(one.id, one.draft_revision, one.published_revision, one.status) for one in kept]
    return int.from_bytes(hashlib.sha256(msgspec.json.encode(stands)).digest()[:6], "big")


def _stale() -> Conflict:
    stale = Conflict(
        "Automations of these names are not as they were compared: somebody changed them. Look at the dry run again."
    )
    stale.code = STALE
    return stale


def _unmarked(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document as a draft is kept: what it says of its status is no part of it."""
    return {name: value for name, value in document.items() if name != "status"}


def _is_live(present: store.Automation) -> bool:
    return present.status == "active" and present.draft_revision == present.published_revision


def _stood(present: store.Automation) -> str:
    return "active in another version" if present.status == "active" else present.status


def _documents(given: Any) -> tuple[list[Any], list[str]]:
    one, listed, at = as_object(given), as_list(given), ""
    if one is not None and "automations" in one:
        beside = [name for name in one if name != "automations"]
        if beside:
            said = "stands beside `automations` and is not known"
            raise Malformed([Problem(name, said, "unknown_field") for name in beside])
        listed, at = as_list(one["automations"]), "automations"
    elif one is not None:
        return [one], [""]
    if listed is None:
        said = "is a list of automations" if at else "is an automation, a list of them, or an object with `automations`"
        raise Malformed.at(at, said, "wrong_type")
    if len(listed) > IMPORT_MAX:
        raise Malformed.at(at, f"{len(listed)} automations at once; at most {IMPORT_MAX}", "too_many")
    return listed, [f"{at}[{index}]" for index in range(len(listed))]


def _join(path: str, inner: str) -> str:
    return f"{path}.{inner}" if path and inner else path or inner
