"""The keys noun: API keys, shown once and kept as a hash. A key decides the tenant; nothing else ever does."""

import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.app.changing import change
from upshot.app.listed import Listed, cut
from upshot.core.errors import Conflict, NotAllowed, NotFound, NotSignedIn, Problem, Refused
from upshot.core.instants import SECOND, from_text, to_text
from upshot.store import keys as store
from upshot.store import tenants as tenant_store

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

ROLES: Final = ("viewer", "editor", "operator", "admin")
"""From the smallest to the largest; each may do what the ones before it may."""
EMITTER: Final = "emitter"
"""May give events, and nothing else."""
NAME_MAX: Final = 100
KEY_MAX: Final = 200
TRUST: Final = SECOND
"""How long a key that was checked is taken at its word. A revocation by this process counts at once, one by another
process after this time at the latest."""
CHECKED_MAX: Final = 10_000
USED_EVERY: Final = 600 * SECOND


class Caller(msgspec.Struct, frozen=True):
    """Who makes a request: the tenant, what the role allows, and the name the audit keeps."""

    tenant_id: str
    role: str
    actor: str
    key_id: str | None = None

    def may(self, role: str) -> bool:
        """Whether this caller may do what `role` may."""
        if self.role == EMITTER:
            return role == EMITTER
        if role == EMITTER:
            return self.may("editor")
        return ROLES.index(self.role) >= ROLES.index(role)


class Keys:
    """`upshot.keys`: create, list, revoke, and check."""

    def __init__(self, upshot: "Upshot") -> None:
        self._upshot = upshot
        self._checked: OrderedDict[str, tuple[int, store.Key]] = OrderedDict()
        self._lock = threading.Lock()

    def create(
        self, tenant_id: str, *, name: str, role: str, expires_at: str | None = None, actor: str = "host"
    ) -> dict[str, Any]:
        """A new key. The answer's `key` is shown here and never again.

        Raises:
            NotFound: there is no such tenant.
            Refused: the name, role or expiry is not usable.
        """
        now = self._upshot.clock.now()
        ends_at = _expiry(expires_at, now)
        problems: list[Problem] = []
        if not name.strip() or len(name) > NAME_MAX or not name.isprintable():
            problems.append(Problem("name", f"is 1 to {NAME_MAX} printable characters", "bad_name"))
        if role not in {*ROLES, EMITTER}:
            problems.append(Problem("role", f"is one of {', '.join((*ROLES, EMITTER))}", "bad_role"))
        if problems:
            raise Refused(problems)
        prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        text = f"upk_{prefix}_{secret}"
        key = store.Key(tenant_id, new_id(now), name, role, prefix, _hash(text), actor, now, expires_at=ends_at)

        def write(connection: Connection) -> None:
            if tenant_store.read(connection, tenant_id) is None:
                raise NotFound("tenant", tenant_id)
            store.create(connection, key)
            self._upshot.audit.add(connection, tenant_id, actor, "create", "key", key.id, None, _audited(key))

        change(self._upshot, tenant_id, write)
        return {**_shown(key), "key": text}

    def page(self, tenant_id: str, *, limit: int = 50, after: str | None = None) -> Listed:
        """The tenant's keys, newest first, without their secrets."""
        with self._upshot.database.reading(tenant_id) as connection:
            found = store.page(connection, tenant_id, after, limit + 1)
        keys, has_more = cut(found, limit)
        return Listed([_shown(key) for key in keys], keys[-1].id if has_more else None)

    def revoke(
        self, tenant_id: str, key_id: str, *, keep_an_admin: bool = False, actor: str = "host"
    ) -> dict[str, Any]:
        """This key stops working. One that stopped before stays as it is.

        Raises:
            NotFound: the tenant has no such key.
            Conflict: with `keep_an_admin`, it is the tenant's last admin key.
        """
        now = self._upshot.clock.now()

        def write(connection: Connection) -> store.Key:
            before = store.by_id(connection, tenant_id, key_id)
            if before is None:
                raise NotFound("key", key_id)
            if before.revoked_at is not None:
                return before
            if keep_an_admin and before.role == "admin" and store.count_admins(connection, tenant_id, now) == 1:
                raise Conflict("This is the last admin key of the tenant. Create another one first.")
            store.revoke(connection, tenant_id, key_id, now)
            after = msgspec.structs.replace(before, revoked_at=now)
            self._upshot.audit.add(
                connection, tenant_id, actor, "revoke", "key", key_id, _audited(before), _audited(after)
            )
            return after

        revoked = change(self._upshot, tenant_id, write, is_alone=True)
        self._forget(lambda key: key.tenant_id == tenant_id and key.id == key_id)
        return _shown(revoked)

    # --- checking -------------------------------------------------------------------------------------------------------

    def known(self, text: str) -> Caller | None:
        """Who this key is, when it was checked moments ago; None means: call `check`."""
        checked = self._checked.get(_hash(text))
        now = self._upshot.clock.now()
        return _caller(checked[1], now) if checked is not None and checked[0] > now else None

    def check(self, text: str) -> Caller:
        """Who this key is.

        Raises:
            NotSignedIn: it is not a key, or it was revoked or has expired; the answers are alike.
            NotAllowed: its tenant is suspended.
        """
        parts = text.split("_", 2)
        found: store.Key | None = None
        if len(text) <= KEY_MAX and len(parts) == 3 and parts[0] == "upk" and text.isascii() and text.isprintable():
            with self._upshot.database.reading() as connection:  # the key says the tenant
                found = store.by_prefix(connection, parts[1])
        hashed = _hash(text)
        if not hmac.compare_digest(hashed, found.hash if found else "-" * len(hashed)) or found is None:
            raise _not_a_key()
        return self._trusted(hashed, found)

    def check_id(self, tenant_id: str, key_id: str) -> Caller:
        """Who holds a session that was opened with this key.

        Raises:
            NotSignedIn, NotAllowed: as `check`.
        """
        name, now = f"{tenant_id}/{key_id}", self._upshot.clock.now()
        checked = self._checked.get(name)
        if checked is not None and checked[0] > now:
            return _caller(checked[1], now)
        with self._upshot.database.reading(tenant_id) as connection:
            found = store.by_id(connection, tenant_id, key_id)
        if found is None:
            raise _not_a_key()
        return self._trusted(name, found)

    def forget_tenant(self, tenant_id: str) -> None:
        """The tenant changed: look at its keys again."""
        self._forget(lambda key: key.tenant_id == tenant_id)

    def _trusted(self, name: str, key: store.Key) -> Caller:
        now = self._upshot.clock.now()
        caller = _caller(key, now)
        with self._lock:
            self._checked[name] = (now + TRUST, key)
            self._checked.move_to_end(name)
            if len(self._checked) > CHECKED_MAX:
                self._checked.popitem(last=False)
        if key.last_used_at is None or key.last_used_at < now - USED_EVERY:
            change(self._upshot, key.tenant_id, lambda c: store.used(c, key.tenant_id, key.id, now))
        return caller

    def _forget(self, matches: Callable[[store.Key], bool]) -> None:
        with self._lock:
            for name in [name for name, (_, key) in self._checked.items() if matches(key)]:
                del self._checked[name]


def _caller(key: store.Key, now: int) -> Caller:
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
        raise _not_a_key()
    if key.tenant_status != "active":
        raise NotAllowed("This tenant is suspended. Whoever runs this installation can make it active again.")
    return Caller(key.tenant_id, key.role, f"key:{key.name}", key.id)


def _not_a_key() -> NotSignedIn:
    return NotSignedIn(
        "This is not a key that works here. Send `Authorization: Bearer upk_...` with a key of your tenant."
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def _expiry(text: str | None, now: int) -> int | None:
    if text is None:
        return None
    ends_at = from_text(text, "expires_at")
    if ends_at <= now:
        raise Refused.at("expires_at", "lies in the past", "out_of_range")
    return ends_at


def _shown(key: store.Key) -> dict[str, Any]:
    return {
        **_audited(key),
        "created_by": key.created_by,
        "created_at": to_text(key.created_at),
        "last_used_at": to_text(key.last_used_at) if key.last_used_at is not None else None,
        "revoked_at": to_text(key.revoked_at) if key.revoked_at is not None else None,
    }


def _audited(key: store.Key) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role,
        "prefix": f"upk_{key.prefix}",
        "expires_at": to_text(key.expires_at) if key.expires_at is not None else None,
    }
