"""The webhooks noun: addresses at which other systems tell what happened. Tokens are kept as hashes, secrets sealed."""

import base64
import contextlib
import hashlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.adapters.sealing import Sealer
from upshot.app.changing import change
from upshot.app.listed import Listed, cut
from upshot.core.errors import Busy, Conflict, NotFound, Refused
from upshot.core.instants import MINUTE, SECOND, to_text
from upshot.core.strict_json import encode
from upshot.core.webhooks import WebhookSettings, read_webhook, secret_problem, to_document, verify
from upshot.store import tenants
from upshot.store import webhooks as store

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

WEBHOOKS_MAX: Final = 500
TOKEN_MAX: Final = 100
TRUST: Final = SECOND
"""How long what was read of a webhook is taken for true. A change by this process counts at once."""
KNOWN_MAX: Final = 1_000
OVERLAP_SECONDS: Final = 24 * 3600
OVERLAP_SECONDS_MAX: Final = 30 * 24 * 3600
NOTED_EVERY: Final = MINUTE
MADE_HERE: Final = frozenset({"standard", "github", "hmac"})
"""Schemes whose secret the receiver chooses; the other vendors give theirs."""


class Hook(msgspec.Struct, frozen=True):
    """A webhook ready to receive: its settings and the secrets that are valid now."""

    kept: store.Webhook
    settings: WebhookSettings
    secrets: tuple[str, ...]


class Webhooks:
    """`upshot.webhooks`. Every change is audited."""

    def __init__(self, upshot: "Upshot") -> None:
        self._upshot = upshot
        self._sealer = Sealer(upshot.settings.secret_key_bytes())
        self._known: OrderedDict[str, tuple[int, Hook]] = OrderedDict()
        self._noted: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def create(
        self, tenant_id: str, document: Mapping[str, Any], *, secret: str | None = None, actor: str = "host"
    ) -> dict[str, Any]:
        """A new webhook. Its `token` and, where it was made here, its `secret` are in this answer and never again.

        Raises:
            Refused: the settings or the secret will not do; the problems name each field.
            NotFound: there is no such tenant.
            Conflict: the tenant has too many.
        """
        settings = read_webhook(document)
        now, token = self._upshot.clock.now(), _new_token()
        webhook_id = new_id(now)
        given = self._secret_for(settings, secret)
        made = store.Webhook(
            tenant_id=tenant_id,
            id=webhook_id,
            settings=encode(to_document(settings)),
            revision=1,
            token_hash=_hash(token),
            token_hint=_hint(token),
            secret=self._sealed(given, tenant_id, webhook_id),
            created_by=actor,
            created_at=now,
            updated_at=now,
        )

        def write(connection: Connection) -> None:
            if tenants.read(connection, tenant_id) is None:
                raise NotFound("tenant", tenant_id)
            if store.count(connection, tenant_id) >= WEBHOOKS_MAX:
                raise Conflict(f"There are {WEBHOOKS_MAX} webhooks already. Delete one first.")
            store.create(connection, made)
            self._upshot.audit.add(connection, tenant_id, actor, "create", "webhook", made.id, None, _audited(made))

        change(self._upshot, tenant_id, write, is_alone=True)
        return {**_shown(made), **self._address(token), "secret": given if secret is None else None}

    def page(self, tenant_id: str, *, limit: int = 50, after: str | None = None) -> Listed:
        """The tenant's webhooks, newest first, without tokens and secrets."""
        with self._upshot.database.reading(tenant_id) as connection:
            found = store.page(connection, tenant_id, after, limit + 1)
        kept, has_more = cut(found, limit)
        return Listed([_shown(one) for one in kept], kept[-1].id if has_more else None)

    def get(self, tenant_id: str, webhook_id: str) -> dict[str, Any]:
        """One webhook.

        Raises:
            NotFound: the tenant has no such webhook.
        """
        with self._upshot.database.reading(tenant_id) as connection:
            return _shown(_present(connection, tenant_id, webhook_id))

    def save(
        self,
        tenant_id: str,
        webhook_id: str,
        changes: Mapping[str, Any],
        *,
        revision: int | None = None,
        actor: str = "host",
    ) -> dict[str, Any]:
        """Change these settings; the others stay. Token and secret stay too, so the scheme cannot change to or from `none`.

        Raises:
            Refused: the settings will not do.
            NotFound: the tenant has no such webhook.
            Conflict: it is not at `revision` any more (code `stale_revision`), or would need another secret.
        """

        def changed(present: store.Webhook) -> store.Webhook:
            if revision is not None and revision != present.revision:
                stale = Conflict(f"The webhook is at revision {present.revision} now, not {revision}. Read it again.")
                stale.code = "stale_revision"
                raise stale
            before: dict[str, Any] = msgspec.json.decode(present.settings)
            settings = read_webhook({**before, **changes})
            if settings.signing.scheme != before["signature"]["scheme"]:
                raise Conflict("Another scheme needs another secret: make a new webhook.")
            return msgspec.structs.replace(
                present, settings=encode(to_document(settings)), revision=present.revision + 1
            )

        return _shown(self._changed(tenant_id, webhook_id, "save", actor, changed))

    def rotate(
        self,
        tenant_id: str,
        webhook_id: str,
        what: str,
        *,
        secret: str | None = None,
        overlap_seconds: int = OVERLAP_SECONDS,
        actor: str = "host",
    ) -> dict[str, Any]:
        """A new `token` or `secret`. What it replaces is valid for so many more seconds; what that had replaced no longer is.

        Raises:
            Refused: the secret or the overlap will not do, or there is no secret to rotate.
            NotFound: the tenant has no such webhook.
        """
        if what not in {"token", "secret"}:
            raise Refused.at("what", "is token or secret", "bad_option")
        if not 0 <= overlap_seconds <= OVERLAP_SECONDS_MAX:
            raise Refused.at("overlap_seconds", f"is 0 to {OVERLAP_SECONDS_MAX}", "out_of_range")
        until = self._upshot.clock.now() + overlap_seconds * SECOND
        token = _new_token()
        told: dict[str, str | None] = {}

        def changed(present: store.Webhook) -> store.Webhook:
            if what == "token":
                return msgspec.structs.replace(
                    present,
                    token_hash=_hash(token),
                    token_hint=_hint(token),
                    old_token_hash=present.token_hash,
                    old_token_until=until,
                )
            settings = _settings(present)
            given = self._secret_for(settings, secret)
            if given is None:
                raise Refused.at("what", "there is no secret to rotate: its deliveries are not signed", "bad_option")
            told["secret"] = given if secret is None else None
            return msgspec.structs.replace(
                present,
                secret=self._sealed(given, tenant_id, webhook_id),
                old_secret=present.secret,
                old_secret_until=until,
            )

        after = self._changed(tenant_id, webhook_id, f"rotate_{what}", actor, changed)
        address = self._address(token) if what == "token" else {"token": None, "url": None}
        return {**_shown(after), **address, "secret": told.get("secret")}

    def delete(self, tenant_id: str, webhook_id: str, *, actor: str = "host") -> None:
        """It receives nothing any more. Events that it made stay.

        Raises:
            NotFound: the tenant has no such webhook.
        """

        def write(connection: Connection) -> None:
            before = _present(connection, tenant_id, webhook_id)
            store.remove(connection, tenant_id, webhook_id)
            self._upshot.audit.add(
                connection, tenant_id, actor, "delete", "webhook", webhook_id, _audited(before), None
            )

        change(self._upshot, tenant_id, write, is_alone=True)
        self._forget(tenant_id, webhook_id)

    # --- receiving ------------------------------------------------------------------------------------------------------

    def known(self, token: str) -> Hook | None:
        """The webhook of this token, when it was looked up moments ago; None means: call `find`."""
        found = self._known.get(_hash(token))
        return found[1] if found is not None and found[0] > self._upshot.clock.now() else None

    def find(self, token: str) -> Hook | None:
        """The webhook of this token that receives now; None for any other text. Blocks."""
        if not 0 < len(token) <= TOKEN_MAX or not token.isascii() or not token.isprintable():
            return None
        hashed, now = _hash(token), self._upshot.clock.now()
        with self._upshot.database.reading() as connection:  # the token says the tenant
            kept = store.by_token(connection, hashed, now)
        if kept is None or kept.tenant_status != "active" or not _settings(kept).enabled:
            return None
        hook = Hook(kept, _settings(kept), self._valid_secrets(kept, now))
        with self._lock:
            self._known[hashed] = (now + TRUST, hook)
            self._known.move_to_end(hashed)
            if len(self._known) > KNOWN_MAX:
                self._known.popitem(last=False)
        return hook

    def prove(self, hook: Hook, headers: Mapping[str, str], body: bytes) -> None:
        """Hold a delivery to its signature.

        Raises:
            NotProven: as `verify`.
        """
        verify(hook.settings.signing, hook.secrets, headers, body, self._upshot.clock.now() / SECOND)

    def noted(self, hook: Hook, why: str | None) -> bool:
        """Whether a delivery that was received, or refused because of `why`, is to be written down: once a minute."""
        name, now = (hook.kept.id, why or ""), self._upshot.clock.now()
        with self._lock:
            if self._noted.get(name, 0) + NOTED_EVERY > now:
                return False
            if len(self._noted) > KNOWN_MAX:
                self._noted.clear()
            self._noted[name] = now
            return True

    def note(self, hook: Hook, why: str | None) -> None:
        """Write down that a delivery was received, or refused because of `why`, if the store can take it now: what became of
        the delivery is settled already. Blocks."""
        now, kept = self._upshot.clock.now(), hook.kept
        seen: dict[str, Any] = {"received_at": now} if why is None else {"refused_at": now, "refused_why": why}
        with contextlib.suppress(Busy):
            change(self._upshot, kept.tenant_id, lambda c: store.note(c, kept.tenant_id, kept.id, **seen))

    # --- how every change is made ---------------------------------------------------------------------------------------

    def _changed(
        self,
        tenant_id: str,
        webhook_id: str,
        action: str,
        actor: str,
        changed: Callable[[store.Webhook], store.Webhook],
    ) -> store.Webhook:
        def write(connection: Connection) -> store.Webhook:
            before = _present(connection, tenant_id, webhook_id)
            after = msgspec.structs.replace(changed(before), updated_at=self._upshot.clock.now())
            store.save(connection, after)
            said, done = _audited(before), _audited(after)
            self._upshot.audit.add(connection, tenant_id, actor, action, "webhook", webhook_id, said, done)
            return after

        after = change(self._upshot, tenant_id, write, is_alone=True)
        self._forget(tenant_id, webhook_id)
        return after

    def _secret_for(self, settings: WebhookSettings, secret: str | None) -> str | None:
        scheme = settings.signing.scheme
        if scheme == "none":
            if secret is not None:
                raise Refused.at("secret", "is of no use when deliveries are not signed", "unknown_field")
            return None
        if not self._upshot.settings.has_secret_key:
            said = "cannot be kept without a secret key of this installation: set UPSHOT_SECRET_KEY"
            raise Refused.at("secret", said, "no_secret_key")
        if secret is None and scheme not in MADE_HERE:
            raise Refused.at("secret", f"is required: {scheme} shows it where the webhook is set up", "required")
        if secret is None:
            return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        problem = secret_problem(scheme, secret)
        if problem:
            raise Refused.at("secret", problem, "bad_secret")
        return secret

    def _sealed(self, secret: str | None, tenant_id: str, webhook_id: str) -> str | None:
        return self._sealer.seal(secret, _purpose(tenant_id, webhook_id)) if secret is not None else None

    def _valid_secrets(self, kept: store.Webhook, now: int) -> tuple[str, ...]:
        is_old_valid = kept.old_secret_until is not None and kept.old_secret_until > now
        sealed = [kept.secret, kept.old_secret if is_old_valid else None]
        purpose = _purpose(kept.tenant_id, kept.id)
        opened = [self._sealer.open(one, purpose) for one in sealed if one is not None]
        return tuple(one for one in opened if one is not None)

    def _address(self, token: str) -> dict[str, str]:
        return {"token": token, "url": f"{self._upshot.settings.public_url.rstrip('/')}/hooks/{token}"}

    def _forget(self, tenant_id: str, webhook_id: str) -> None:
        with self._lock:
            for name, (_, hook) in list(self._known.items()):
                if (hook.kept.tenant_id, hook.kept.id) == (tenant_id, webhook_id):
                    del self._known[name]


def _present(connection: Connection, tenant_id: str, webhook_id: str) -> store.Webhook:
    found = store.read(connection, tenant_id, webhook_id)
    if found is None:
        raise NotFound("webhook", webhook_id)
    return found


def _settings(kept: store.Webhook) -> WebhookSettings:
    return read_webhook(msgspec.json.decode(kept.settings))


def _new_token() -> str:
    return f"uph_{secrets.token_urlsafe(32)}"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _hint(token: str) -> str:
    return token[:8]


def _purpose(tenant_id: str, webhook_id: str) -> str:
    return f"webhook:{tenant_id}:{webhook_id}"


def _audited(kept: store.Webhook) -> dict[str, Any]:
    return {
        "id": kept.id,
        **msgspec.json.decode(kept.settings),
        "revision": kept.revision,
        "token_hint": kept.token_hint,
        "has_secret": kept.secret is not None,
        "old_token_until": _instant(kept.old_token_until),
        "old_secret_until": _instant(kept.old_secret_until),
    }


def _shown(kept: store.Webhook) -> dict[str, Any]:
    return {
        **_audited(kept),
        "created_by": kept.created_by,
        "created_at": to_text(kept.created_at),
        "updated_at": to_text(kept.updated_at),
        "last_received_at": _instant(kept.received_at),
        "last_refused_at": _instant(kept.refused_at),
        "last_refused_why": kept.refused_why,
    }


def _instant(at: int | None) -> str | None:
    return to_text(at) if at is not None else None
