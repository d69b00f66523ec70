"""The one HTTP client that leaves the process on a tenant's word. Everything is decided where the connection is made, in
`outbound_network`.

A name is resolved once, every address it gives is checked, and the connection goes to a checked address; the name stays
in the Host header and in TLS. So a name that answers differently a moment later (DNS rebinding) leads nowhere. There
are no redirects, no proxies or credentials from the environment, no cookies, no compression, and one deadline.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from upshot.adapters.outbound_policy import (
    METHODS,
    BlockedError,
    OutboundPolicy,
    Resolver,
    UnreachableError,
    check_url,
    shown_host,
)
from upshot.core.action import Reply
from upshot.core.errors import Refused

if TYPE_CHECKING:
    import httpx

    from upshot.adapters.outbound_network import Network


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses the system's resolver gives."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


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
        self._opened: Network | None = None

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
        target, network = self._checked(method, url, body), self._network()
        seconds = min(deadline_seconds or self.policy.deadline_seconds, self.policy.deadline_seconds_max)
        try:
            async with asyncio.timeout(seconds):
                return await network.exchange(method, target, headers or {}, body)
        except TimeoutError:
            raise UnreachableError(f"{shown_host(target)} did not answer within {seconds:g} s.") from None

    async def aclose(self) -> None:
        """Close every connection."""
        if self._opened is not None:
            await self._opened.aclose()
            self._opened = None

    def _checked(self, method: str, url: str, body: bytes) -> "httpx.URL":
        if method not in METHODS:
            raise BlockedError(f"{method[:20]!r} is not a method that is sent; these are: {', '.join(METHODS)}.")
        if len(body) > self.policy.request_bytes_max:
            raise BlockedError(f"The body has {len(body)} bytes; at most {self.policy.request_bytes_max} are sent.")
        try:
            return check_url(url, self.policy)
        except Refused as refused:
            raise BlockedError(f"The request was not sent: {refused}") from refused

    def _network(self) -> "Network":
        if self._opened is None:
            from upshot.adapters.outbound_network import Network  # noqa: PLC0415 - slow to import, and not every host sends

            self._opened = Network(self.policy, self._resolver, self._ssl_context)
        return self._opened
