"""The connections of the outbound client: each goes to an address that was checked. Imported with the first request."""

import ssl
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

import httpcore
import httpx

from upshot.adapters.addresses import blocked_because
from upshot.adapters.outbound_policy import BlockedError, OutboundPolicy, Resolver, UnreachableError, shown_host
from upshot.core.action import Reply

USER_AGENT: Final = "Upshot-Webhooks/1"
KEEP_ALIVE_SECONDS: Final = 5.0

SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


class Network:
    """A pool of connections, used from one event loop."""

    def __init__(self, policy: OutboundPolicy, resolver: Resolver, ssl_context: ssl.SSLContext | None) -> None:
        self._policy = policy
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl_context or ssl.create_default_context(),
            max_connections=policy.connections_max,
            max_keepalive_connections=policy.connections_max // 4,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
            network_backend=_CheckedConnections(policy, resolver),
        )

    async def exchange(self, method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes) -> Reply:
        """Send one request and read its reply.

        Raises:
            BlockedError: the name leads to an address that may not be reached.
            UnreachableError: the network, TLS or the other side ended it.
        """
        try:
            return await self._exchange(method, url, headers, body)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, ssl.SSLError) as error:
            raise UnreachableError(f"{shown_host(url)} could not be reached: {_reason(error)}") from error

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()

    async def _exchange(self, method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes) -> Reply:
        sent = {"host": url.netloc.decode("ascii"), "user-agent": USER_AGENT, "accept": "*/*"}
        sent |= {name.lower(): value for name, value in headers.items()}
        sent["accept-encoding"] = "identity"
        if body or method not in {"GET", "DELETE"}:
            sent["content-length"] = str(len(body))
        address = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        async with self._pool.stream(method, address, headers=list(sent.items()), content=body) as response:
            most = self._policy.reply_bytes_max
            kept = bytearray()
            async for part in response.aiter_stream():
                kept += part[: most + 1 - len(kept)]
                if len(kept) > most:
                    break
            given = {name.decode("ascii").lower(): value.decode("latin-1") for name, value in response.headers}
            return Reply(response.status, given, bytes(kept[:most]), is_cut=len(kept) > most)


class _CheckedConnections(httpcore.AsyncNetworkBackend):
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
