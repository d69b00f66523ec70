"""What outbound requests may do, what ends one, and the checks that need no network: also made when a URL is saved."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from upshot.adapters.addresses import blocked_because, written_address
from upshot.core.errors import ActionError, PermanentError, Problem, Refused
from upshot.core.strict_json import join_path

if TYPE_CHECKING:
    import httpx

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, in the order to try them."""

URL_MAX: Final = 2_048
HEADERS_MAX: Final = 50
HEADER_BYTES_MAX: Final = 8_192

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")

RESERVED_HEADERS: Final = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "idempotency-key",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    }
)
"""Set by the client itself, or about the connection and not the request."""
RESERVED_PREFIXES: Final = ("proxy-", "webhook-", "sec-", "upshot-")

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_LOCAL_NAMES = ("localhost", "local", "internal", "home.arpa")


class BlockedError(PermanentError):
    """The outbound policy does not let this request out. Trying again cannot help."""

    code = "outbound_blocked"


class UnreachableError(ActionError):
    """The network, TLS, the other side or the deadline ended the request."""

    code = "unreachable"


@dataclass(frozen=True, slots=True)
class OutboundPolicy:
    """What outbound requests may do.

    `allow_hosts` are exact `host:port` pairs that are reached whatever their address, port and scheme: for development,
    tests, and services of the operator's own network.
    """

    allow_http: bool = False
    allow_hosts: frozenset[str] = frozenset()
    ports: frozenset[int] = frozenset({80, 443, 8080, 8443})
    deadline_seconds: float = 15.0
    deadline_seconds_max: float = 30.0
    request_bytes_max: int = 1_048_576
    reply_bytes_max: int = 65_536
    connections_max: int = 200

    def allows_host(self, host: str, port: int) -> bool:
        """Whether this very host and port is allowed by name."""
        return f"{host}:{port}" in self.allow_hosts


def check_url(url: str, policy: OutboundPolicy, at: str = "url") -> "httpx.URL":
    """The URL, read, if requests may go to it as far as can be told without looking names up.

    Raises:
        Refused: what is wrong with it, at path `at`.
    """
    import httpx  # noqa: PLC0415 - slow to import, and not every host sends

    def refused(message: str, code: str = "url_not_allowed") -> Refused:
        return Refused.at(at, message, code)

    if len(url) > URL_MAX:
        raise refused(f"a URL has at most {URL_MAX} characters", "bad_url")
    if not url.isprintable() or any(character.isspace() for character in url) or "\\" in url:
        raise refused("a URL holds no spaces, control characters or backslashes", "bad_url")
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise refused(f"is not a URL: {error}", "bad_url") from None
    if parsed.scheme not in {"http", "https"}:
        raise refused("begins with https://", "bad_url")
    if parsed.userinfo:
        raise refused("holds no user name or password; send an Authorization header instead", "bad_url")
    host, port = parsed.raw_host.decode("ascii"), port_of(parsed)
    if not host:
        raise refused("names no host", "bad_url")
    if policy.allows_host(host, port):
        return parsed
    if parsed.scheme == "http" and not policy.allow_http:
        raise refused("begins with https://; plain http is not allowed here")
    if port not in policy.ports:
        listed = ", ".join(map(str, sorted(policy.ports)))
        raise refused(f"port {port} is not allowed; these are: {listed}")
    why = _name_blocked_because(host)
    if why is not None:
        raise refused(f"{host} is {why}; requests go to public addresses only")
    return parsed


def port_of(url: "httpx.URL") -> int:
    """The port a URL leads to."""
    return url.port or (443 if url.scheme == "https" else 80)


def shown_host(url: "httpx.URL") -> str:
    """What a message says of where a request goes: no path, which may hold what is secret."""
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def check_headers(headers: Mapping[str, str], at: str = "headers") -> None:
    """Hold headers that an author wrote to what may be set.

    Raises:
        Refused: names each header that is reserved or is not of the right form.
    """
    problems: list[Problem] = []
    if len(headers) > HEADERS_MAX:
        problems.append(Problem(at, f"{len(headers)} headers; at most {HEADERS_MAX}", "too_large"))
    if sum(len(name) + len(value) for name, value in headers.items()) > HEADER_BYTES_MAX:
        problems.append(Problem(at, f"the headers are over {HEADER_BYTES_MAX} bytes together", "too_large"))
    for name, value in headers.items():
        path = join_path(at, name)
        if not _TOKEN.fullmatch(name):
            problems.append(Problem(at, f"{name[:80]!r} is not a header name", "bad_header"))
        elif name.lower() in RESERVED_HEADERS or name.lower().startswith(RESERVED_PREFIXES):
            problems.append(Problem(path, "is set by Upshot itself and cannot be given", "reserved_header"))
        elif not _VALUE.fullmatch(value):
            problems.append(Problem(path, "holds a line break or a character beyond ASCII", "bad_header"))
    if problems:
        raise Refused(problems)


def _name_blocked_because(host: str) -> str | None:
    address = written_address(host)
    if address is not None:
        return blocked_because(address)
    name = host.rstrip(".").lower()
    if not name:
        return "no name"
    last = name.rsplit(".", 1)[-1]
    if last.isdigit() or last.startswith("0x"):
        return "not a host name"
    if any(name == local or name.endswith(f".{local}") for local in _LOCAL_NAMES):
        return "a local name"
    return None
