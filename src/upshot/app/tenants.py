"""The tenants noun: the host's customers, each isolated from the others."""

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import Connection

from upshot.app import schedules
from upshot.app.changing import change
from upshot.app.listed import Listed, cut
from upshot.core.automations.fields import as_object
from upshot.core.errors import Conflict, NotFound, Problem, Refused
from upshot.core.instants import to_text
from upshot.core.local_time import zone_of
from upshot.core.retention import retention_problems
from upshot.store import tenants as store

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

NAME_MAX: Final = 200
SETTINGS: Final = ("zone", "locale", "limits", "retention")
LIMITS: Final = {"requests_per_second": (1, 1_000_000)}
"""The limits a tenant may have of its own, with their bounds."""

_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_STATUSES: Final = ("active", "suspended")


class Tenants:
    """`upshot.tenants`: create, change and suspend."""

    def __init__(self, upshot: "Upshot") -> None:
        self._upshot = upshot

    def ensure(self, tenant_id: str, name: str | None = None) -> dict[str, Any]:
        """The tenant of this id, made if it is not there."""
        with self._upshot.database.reading(tenant_id) as connection:
            present = store.read(connection, tenant_id)
        return (
            _shown(present) if present is not None else self.create(tenant_id, name=name or tenant_id, if_missing=True)
        )

    def create(
        self,
        tenant_id: str,
        *,
        name: str,
        settings: dict[str, Any] | None = None,
        if_missing: bool = False,
        actor: str = "host",
    ) -> dict[str, Any]:
        """A new, active tenant.

        Raises:
            Refused: the id, name or a setting is not usable.
            Conflict: there is a tenant of that id (unless `if_missing`).
        """
        settings = settings or {}
        problems = _id_problems(tenant_id) + _name_problems(name) + _settings_problems(settings)
        if problems:
            raise Refused(problems)
        tenant = store.Tenant(tenant_id, name, "active", settings, self._upshot.clock.now())

        def write(connection: Connection) -> store.Tenant:
            if store.create(connection, tenant):
                self._upshot.audit.add(
                    connection, tenant_id, actor, "create", "tenant", tenant_id, None, _audited(tenant)
                )
                return tenant
            if not if_missing:
                raise Conflict(f"There is a tenant {tenant_id!r} already. Choose another id.")
            return _present(connection, tenant_id)

        return _shown(change(self._upshot, tenant_id, write))

    def get(self, tenant_id: str) -> dict[str, Any]:
        """One tenant.

        Raises:
            NotFound: there is none of that id.
        """
        with self._upshot.database.reading(tenant_id) as connection:
            return _shown(_present(connection, tenant_id))

    def page(self, *, limit: int = 50, after: str | None = None) -> Listed:
        """All tenants, in the order of their ids."""
        with self._upshot.database.reading() as connection:
            found = store.page(connection, after, limit + 1)
        items, has_more = cut(found, limit)
        return Listed([_shown(tenant) for tenant in items], items[-1].id if has_more else None)

    def change(
        self,
        tenant_id: str,
        *,
        name: str | None = None,
        status: str | None = None,
        settings: dict[str, Any] | None = None,
        actor: str = "host",
    ) -> dict[str, Any]:
        """Change what is given. In `settings` each named setting takes the place of the present one; null removes it.

        Raises:
            NotFound: there is no such tenant.
            Refused: something is not usable; the problems name it.
        """
        problems = (_name_problems(name) if name is not None else []) + _settings_problems(settings or {})
        if status is not None and status not in _STATUSES:
            problems.append(Problem("status", f"is one of {', '.join(_STATUSES)}", "bad_status"))
        if problems:
            raise Refused(problems)

        def write(connection: Connection) -> store.Tenant:
            before = _present(connection, tenant_id)
            merged = {**before.settings, **(settings or {})}
            after = msgspec.structs.replace(
                before,
                name=name or before.name,
                status=status or before.status,
                settings={key: value for key, value in merged.items() if value is not None},
            )
            if after != before:
                store.change(connection, tenant_id, name=after.name, status=after.status, settings=after.settings)
                if after.settings.get("zone") != before.settings.get("zone"):
                    schedules.follow_zone(connection, tenant_id, self._upshot.clock.now())
                audit = self._upshot.audit
                audit.add(
                    connection, tenant_id, actor, "change", "tenant", tenant_id, _audited(before), _audited(after)
                )
            return after

        after = change(self._upshot, tenant_id, write, is_alone=True)
        self._upshot.engine.definitions_changed(tenant_id)
        self._upshot.keys.forget_tenant(tenant_id)
        return _shown(after)


def _present(connection: Connection, tenant_id: str) -> store.Tenant:
    found = store.read(connection, tenant_id)
    if found is None:
        raise NotFound("tenant", tenant_id)
    return found


def _shown(tenant: store.Tenant) -> dict[str, Any]:
    return {**_audited(tenant), "created_at": to_text(tenant.created_at)}


def _audited(tenant: store.Tenant) -> dict[str, Any]:
    return {"id": tenant.id, "name": tenant.name, "status": tenant.status, "settings": tenant.settings}


def _id_problems(tenant_id: str) -> list[Problem]:
    if _ID.fullmatch(tenant_id):
        return []
    return [
        Problem(
            "id", "is 1 to 64 letters, digits, '-', '_' or '.', beginning and ending with a letter or digit", "bad_id"
        )
    ]


def _name_problems(name: str) -> list[Problem]:
    if name.strip() and len(name) <= NAME_MAX and name.isprintable():
        return []
    return [Problem("name", f"is 1 to {NAME_MAX} printable characters", "bad_name")]


def _settings_problems(settings: dict[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    for name, value in settings.items():
        at = f"settings.{name}"
        if name not in SETTINGS:
            problems.append(
                Problem(at, f"is not a setting of a tenant; there are {', '.join(SETTINGS)}", "unknown_field")
            )
        elif value is None:
            continue
        elif name == "zone" and not (isinstance(value, str) and zone_of(value)):
            problems.append(
                Problem(at, f"{str(value)[:80]!r} is no time zone; use a name like Europe/Berlin", "bad_zone")
            )
        elif name == "locale" and not (isinstance(value, str) and _LOCALE.fullmatch(value)):
            problems.append(Problem(at, f"{str(value)[:80]!r} is no locale; use one like en-GB", "bad_locale"))
        elif name == "limits":
            problems += _limits_problems(value)
        elif name == "retention":
            problems += retention_problems(value, at)
    return problems


def _limits_problems(limits: Any) -> list[Problem]:
    given = as_object(limits)
    if given is None:
        return [Problem("settings.limits", "is an object", "wrong_type")]
    problems: list[Problem] = []
    for name, value in given.items():
        at = f"settings.limits.{name}"
        low, high = LIMITS.get(name, (0, 0))
        if name not in LIMITS:
            problems.append(Problem(at, f"is not a limit; there are {', '.join(LIMITS)}", "unknown_field"))
        elif not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            problems.append(Problem(at, f"is a whole number from {low} to {high}", "out_of_range"))
    return problems
