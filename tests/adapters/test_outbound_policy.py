"""What is refused before anything is looked up: also when an automation is saved."""

import pytest

from upshot.adapters.outbound_policy import OutboundPolicy, check_headers, check_url
from upshot.core.errors import Refused

POLICY = OutboundPolicy()


def refusal(url: str, policy: OutboundPolicy = POLICY) -> str:
    with pytest.raises(Refused) as caught:
        check_url(url, policy)
    (problem,) = caught.value.problems
    assert problem.path == "url"
    return problem.message


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hooks?a=b@c",
        "https://example.com:8443/x",
        "https://bücher.example/x",
        "https://[2606:4700:4700::1111]/",
        "https://1.1.1.1/",
        "https://1password.com/",
    ],
)
def test_public_https_addresses_are_taken(url: str) -> None:
    check_url(url, POLICY)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "api.localhost",
        "printer.local",
        "metadata.google.internal",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.0.0.1.",
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "224.0.0.1",
        "198.18.0.1",
        "999.1.1.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fd00:ec2::254]",
    ],
)
def test_hosts_that_are_not_public_are_refused(host: str) -> None:
    assert host in refusal(f"https://{host}/") or "requests go to public addresses only" in refusal(f"https://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "https:example.com",
        "https://",
        "https:///path",
        "//example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "javascript:alert(1)",
        "https://user:secret@example.com/",
        "https://user@example.com/",
        "https://example.com@10.0.0.1/",
        "https://example.com\\@10.0.0.1/",
        "https://exa mple.com/",
        "https://example.com/\r\nX: y",
        "https://example.com:99999/",
        "https://example.com/" + "a" * 2_100,
        "http://example.com/",
        "https://example.com:22/",
        "https://example.com:25/",
        "https://example.com:6379/",
    ],
)
def test_bad_urls_are_refused(url: str) -> None:
    assert refusal(url)


def test_what_a_setting_opens_is_open() -> None:
    check_url("http://example.com/", OutboundPolicy(allow_http=True))
    check_url("https://example.com:9000/", OutboundPolicy(ports=frozenset({9000})))
    allowed = OutboundPolicy(allow_hosts=frozenset({"127.0.0.1:9999"}))
    check_url("http://127.0.0.1:9999/", allowed)
    assert refusal("http://127.0.0.1:9998/", allowed)


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "Connection",
        "Webhook-Signature",
        "webhook-id",
        "Proxy-Authorization",
    ],
)
def test_reserved_headers_are_refused_by_name(name: str) -> None:
    with pytest.raises(Refused) as caught:
        check_headers({name: "x", "X-Fine": "yes"})
    assert [(p.path, p.code) for p in caught.value.problems] == [(f"headers.{name}", "reserved_header")]


@pytest.mark.parametrize(
    "headers",
    [
        {"X": "a\r\nHost: b"},
        {"X\r\nHost": "b"},
        {"X Y": "b"},
        {"": "b"},
        {"X": "\x00"},
        {"X": "ä"},
        {f"X-{n}": "y" for n in range(51)},
        {"X": "y" * 9_000},
    ],
)
def test_malformed_and_too_many_headers_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Refused):
        check_headers(headers)
