"""Which IP addresses outbound requests may reach: the public internet's unicast addresses and nothing else.

`ipaddress.is_global` is not enough: it calls 64:ff9b::7f00:1 (loopback through NAT64), 2002:7f00:1:: (6to4) and
224.0.0.1 global. IPv4 is a list of what is blocked, IPv6 of what is not.
"""

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

BLOCKED_V4: Final = tuple(
    (IPv4Network(network), why)
    for network, why in (
        ("0.0.0.0/8", "this host"),
        ("10.0.0.0/8", "a private network"),
        ("100.64.0.0/10", "a carrier's private network"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "a cloud's metadata service"),
        ("169.254.0.0/16", "link-local, where cloud metadata is"),
        ("172.16.0.0/12", "a private network"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "documentation"),
        ("192.31.196.0/24", "reserved"),
        ("192.52.193.0/24", "reserved"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.168.0.0/16", "a private network"),
        ("192.175.48.0/24", "reserved"),
        ("198.18.0.0/15", "a benchmark network"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)

PUBLIC_V6: Final = IPv6Network("2000::/3")
"""All the unicast addresses IANA gives out. Outside it lie loopback, fc00::/7, fe80::/10, NAT64, multicast, SRv6."""

BLOCKED_V6: Final = tuple(
    (IPv6Network(network), why)
    for network, why in (
        ("2001::/23", "reserved (Teredo, benchmarks)"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4, which can hide any IPv4 address"),
        ("2620:4f:8000::/48", "reserved"),
        ("3fff::/20", "documentation"),
    )
)


def blocked_because(address: str) -> str | None:
    """Why no request may go to this address; None when it may. Text that is no address is blocked too."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "not an IP address"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is None:
            return _v6(parsed)
        parsed = parsed.ipv4_mapped
    return _v4(parsed)


def written_address(host: str) -> str | None:
    """The IP address that a host spells, in any spelling a resolver would take (127.1, 0x7f.1, 2130706433, [::1]).

    None when the host is a name. Nothing is looked up.
    """
    bare = host.removeprefix("[").removesuffix("]").rstrip(".")
    try:
        return str(ip_address(bare))
    except ValueError:
        pass
    if not bare[:1].isdigit():
        return None
    try:
        return socket.inet_ntoa(socket.inet_aton(bare))
    except OSError:
        return None


def _v4(address: IPv4Address) -> str | None:
    return next((why for network, why in BLOCKED_V4 if address in network), None)


def _v6(address: IPv6Address) -> str | None:
    if address not in PUBLIC_V6:
        return "loopback" if address.is_loopback else "not a public address"
    return next((why for network, why in BLOCKED_V6 if address in network), None)
