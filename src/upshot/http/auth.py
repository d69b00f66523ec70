"""Who calls, and whether they may: a bearer key, a session cookie, or loopback in development. There is no fallback."""

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from upshot.app.keys import Caller
from upshot.core.errors import NotAllowed, NotSignedIn
from upshot.core.instants import SECOND
from upshot.http.rates import STRANGERS_PER_SECOND, Rates
from upshot.http.signing import Signer

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

COOKIE: Final = "upshot_session"
SESSION_SECONDS: Final = 14 * 24 * 3600
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
DEV_TENANT: Final = "default"
PUBLIC: Final = "public"
"""In place of a role: what anybody may ask."""


class Gate:
    """Lets requests in."""

    def __init__(self, upshot: "Upshot", *, dev: bool) -> None:
        self._upshot, self._dev = upshot, dev
        self._signer = Signer(upshot.settings.secret_key_bytes())
        self._rates = Rates(upshot.clock)

    async def admit(self, request: Request, role: str) -> Caller:
        """The caller of this request, who may do what `role` may.

        Raises:
            NotSignedIn, NotAllowed, TooManyRequests.
        """
        caller = await self.caller(request)
        if caller.key_id is not None:
            self._spend(caller)
        if not caller.may(role):
            raise NotAllowed(f"This needs the role {role}; you have {caller.role}.")
        return caller

    async def caller(self, request: Request) -> Caller:
        """Who makes this request.

        Raises:
            NotSignedIn: it does not say, or not truly.
            NotAllowed: a page of another site makes it, or the tenant is suspended.
        """
        given = request.headers.getlist("authorization")
        if given:
            return await self._by_key(request, bearer(given))
        cookie = request.cookies.get(COOKIE)
        if cookie is not None:
            session = self._session(cookie)
            if session is not None:
                if request.method not in SAFE:
                    _raise_unless_same_origin(request, must_say=True)
                return await run_in_threadpool(self._upshot.keys.check_id, *session)
        if self._dev:
            return _developer(request)
        raise NotSignedIn("Send `Authorization: Bearer upk_...` with a key of your tenant, or sign in.")

    async def sign_in(self, request: Request, response: Response, key: str) -> Caller:
        """Open a session for whoever holds this key.

        Raises:
            NotSignedIn: the key does not work.
        """
        _raise_unless_same_origin(request, must_say=False)
        caller = await self._by_key(request, key)
        expires_at = self._upshot.clock.now() + SESSION_SECONDS * SECOND
        response.set_cookie(
            COOKIE,
            self._signer.sign("session", [caller.tenant_id, caller.key_id, expires_at]),
            max_age=SESSION_SECONDS,
            path=request.scope.get("root_path") or "/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )
        return caller

    @staticmethod
    def sign_out(request: Request, response: Response) -> None:
        """Close the browser's session."""
        _raise_unless_same_origin(request, must_say=False)
        response.delete_cookie(COOKIE, path=request.scope.get("root_path") or "/", httponly=True, samesite="lax")

    def look_at_stranger(self, request: Request) -> None:
        """Raise TooManyRequests if this address has shown too much that is not known here, and take nothing from it."""
        self._rates.look("address", _address(request))

    def count_stranger(self, request: Request) -> None:
        """What this address showed is not known here.

        Raises:
            TooManyRequests: it shows such things too often.
        """
        self._rates.spend("address", _address(request), STRANGERS_PER_SECOND)

    def spend(self, kind: str, name: str) -> None:
        """Count one request against this name.

        Raises:
            TooManyRequests: it makes too many.
        """
        self._rates.spend(kind, name, self._upshot.settings.requests_per_second)

    async def _by_key(self, request: Request, key: str) -> Caller:
        known = self._upshot.keys.known(key)
        if known is not None:
            return known
        self.look_at_stranger(request)
        try:
            return await run_in_threadpool(self._upshot.keys.check, key)
        except NotSignedIn:
            self.count_stranger(request)
            raise

    def _session(self, cookie: str) -> tuple[str, str] | None:
        value = self._signer.read("session", cookie)
        if value is None or value[2] <= self._upshot.clock.now():
            return None
        return value[0], value[1]

    def _spend(self, caller: Caller) -> None:
        most = self._upshot.settings.requests_per_second
        self._rates.spend("key", caller.key_id or "", most)
        known = self._upshot.engine.process.definitions.known(caller.tenant_id)
        own = known.limits.get("requests_per_second") if known is not None else None
        self._rates.spend("tenant", caller.tenant_id, own or most)


def bearer(given: list[str]) -> str:
    """The key that these Authorization headers give.

    Raises:
        NotSignedIn: they are not of the form `Bearer key`, once.
    """
    scheme, _, key = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer" or not key.strip():
        raise NotSignedIn("The Authorization header is `Bearer upk_...`, once.")
    return key.strip()


def _developer(request: Request) -> Caller:
    """Who works on this very machine is the admin of the default tenant, in development. The Host header is checked
    because a page of any site may make its own name point here."""
    if not _is_loopback(request.client.host if request.client else ""):
        raise NotSignedIn("Only this machine itself needs no key. Send `Authorization: Bearer upk_...`.")
    name = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    if name != "localhost" and not _is_loopback(name):
        raise NotAllowed(
            "Without a key this server answers under localhost and 127.0.0.1 only, not under another name."
        )
    if request.method not in SAFE:
        _raise_unless_same_origin(request, must_say=False)
    return Caller(DEV_TENANT, "admin", "developer")


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


@lru_cache(maxsize=256)
def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _raise_unless_same_origin(request: Request, *, must_say: bool) -> None:
    """Refuse what a page of another site makes a browser send."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is None and origin is None and must_say:
        raise NotAllowed("A change made with a session must come from this site's own pages (no Origin was sent).")
    is_ours = site in {None, "same-origin", "none"} and (origin is None or _is_own(request, origin))
    if not is_ours:
        raise NotAllowed("This request was made by a page of another site.")


def _is_own(request: Request, origin: str) -> bool:
    parts = urlsplit(origin)
    return parts.scheme in {"http", "https"} and parts.netloc.lower() == request.headers.get("host", "").lower()
