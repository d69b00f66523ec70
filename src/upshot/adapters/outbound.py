"""The one HTTP client that leaves the process on a tenant's word. Everything is decided where the connection is made.

A name is resolved once, every address it gives is checked, and the connection goes to a checked address; the name stays
in the Host header and in TLS. So a name that answers differently a moment later (DNS rebinding) leads nowhere. There
are no redirects, no proxies or credentials from the environment, no cookies, no compression, and one deadline.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, cast

import httpcore
import httpx

from upshot.adapters.addresses import blocked_because
from upshot.adapters.outbound_policy import METHODS, OutboundPolicy, check_url
from upshot.core.action import Reply
from upshot.core.errors import ActionError, PermanentError, Refused

USER_AGENT: Final = "Upshot-Webhooks/1"
KEEP_ALIVE_SECONDS: Final = 5.0

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, in the order to try them."""

SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses the system's resolver gives."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


class BlockedError(PermanentError):
    """The outbound policy does not let this request out. Trying again cannot help."""

    code = "outbound_blocked"


class UnreachableError(ActionError):
    """The network, TLS, the other side or the deadline ended the request."""

    code = "unreachable"


class OutboundClient:
    """The guarded client. One per process, used from one event loop."""

    def __init__(
        self,
        policy: OutboundPolicy | None = None,
        *,
        resolver: Resolver = resolve,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.policy = policy or OutboundPolicy()
        self._ssl_context, self._resolver = ssl_context, resolver
        self._opened: httpcore.AsyncConnectionPool | None = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        deadline_seconds: float | None = None,
    ) -> Reply:
        """Send one request and read its reply, of which at most `policy.reply_bytes_max` bytes of body are kept.

        Headers are sent as given: `check_headers` holds those that an author wrote.

        Raises:
            BlockedError: the policy does not let it out.
            UnreachableError: no reply within the deadline.
        """
        target = self._checked(method, url, body)
        seconds = min(deadline_seconds or self.policy.deadline_seconds, self.policy.deadline_seconds_max)
        shown = f"{target.scheme}://{target.netloc.decode('ascii')}"
        try:
            async with asyncio.timeout(seconds):
                return await self._exchange(method, target, headers or {}, body)
        except TimeoutError:
            raise UnreachableError(f"{shown} did not answer within {seconds:g} s.") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, ssl.SSLError) as error:
            raise UnreachableError(f"{shown} could not be reached: {_reason(error)}") from error

    async def aclose(self) -> None:
        """Close every connection."""
        if self._opened is not None:
            await self._opened.aclose()
            self._opened = None

    def _checked(self, method: str, url: str, body: bytes) -> httpx.URL:
        if method not in METHODS:
            raise BlockedError(f"{method[:20]!r} is not a method that is sent; these are: {', '.join(METHODS)}.")
        if len(body) > self.policy.request_bytes_max:
            raise BlockedError(f"The body has {len(body)} bytes; at most {self.policy.request_bytes_max} are sent.")
        try:
            return check_url(url, self.policy)
        except Refused as refused:
            raise BlockedError(f"The request was not sent: {refused}") from refused

    async def _exchange(self, method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes) -> Reply:
        sent = {"host": url.netloc.decode("ascii"), "user-agent": USER_AGENT, "accept": "*/*"}
        sent |= {name.lower(): value for name, value in headers.items()}
        sent["accept-encoding"] = "identity"
        if body or method not in {"GET", "DELETE"}:
            sent["content-length"] = str(len(body))
        address = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        pool = self._pool()
        async with pool.stream(method, address, headers=list(sent.items()), content=body) as response:
            most = self.policy.reply_bytes_max
            kept = bytearray()
            async for part in response.aiter_stream():
                kept += part[: most + 1 - len(kept)]
                if len(kept) > most:
                    break
            given = {name.decode("ascii").lower(): value.decode("latin-1") for name, value in response.headers}
            return Reply(response.status, given, bytes(kept[:most]), is_cut=len(kept) > most)

    def _pool(self) -> httpcore.AsyncConnectionPool:
        if self._opened is None:
            self._opened = httpcore.AsyncConnectionPool(
                ssl_context=self._ssl_context or ssl.create_default_context(),
                max_connections=self.policy.connections_max,
                max_keepalive_connections=self.policy.connections_max // 4,
                keepalive_expiry=KEEP_ALIVE_SECONDS,
                network_backend=_CheckedNetwork(self.policy, self._resolver),
            )
        return self._opened


class _CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses only."""

    def __init__(self, policy: OutboundPolicy, resolver: Resolver) -> None:
        self._policy, self._resolver = policy, resolver
        self._network = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of `host` that answers, if every one of them may be reached."""
        bare = host.removeprefix("[").removesuffix("]")
        try:
            addresses = await self._resolver(bare, port)
        except OSError as error:
            raise httpcore.ConnectError(f"the name {host} could not be resolved ({error.strerror or error})") from error
        if not self._policy.allows_host(host, port):
            self._check(host, addresses)
        failure: Exception = httpcore.ConnectError(f"the name {host} has no address")
        for address in addresses:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self,
        path: str,  # noqa: ARG002 - httpcore's signature
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - httpcore's signature
        socket_options: Iterable[SocketOption] | None = None,  # noqa: ARG002 - httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise BlockedError("Requests go out over TCP only.")

    async def sleep(self, seconds: float) -> None:
        """Wait, for httpcore's own retries (which are off)."""
        await self._network.sleep(seconds)

    def _check(self, host: str, addresses: Sequence[str]) -> None:
        for address in addresses:
            why = blocked_because(address)
            if why is not None:
                message = f"The request was not sent: {host} leads to {address}, which is {why}."
                raise BlockedError(message)


def _reason(error: Exception) -> str:
    cause = error
    while cause.__cause__ is not None or cause.__context__ is not None:
        cause = cast("Exception", cause.__cause__ or cause.__context__)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its TLS certificate is not valid ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed ({cause.reason or cause})"
    return str(error) or type(error).__name__
