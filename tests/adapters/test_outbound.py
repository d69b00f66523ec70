"""The guarded client against real servers on loopback, which the tests' policy allows by host and port."""

import asyncio
import gzip
import ssl
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.adapters.local_server import LocalServer, reply, serving
from upshot.adapters.outbound import BlockedError, OutboundClient, UnreachableError
from upshot.adapters.outbound_policy import OutboundPolicy
from upshot.core.action import Reply


def policy_for(server: LocalServer, **more: object) -> OutboundPolicy:
    return OutboundPolicy(allow_hosts=frozenset({server.host}), **more)  # pyright: ignore[reportArgumentType] - each caller names a field


async def get(server: LocalServer, path: str = "/", **more: object) -> Reply:
    client = OutboundClient(policy_for(server, **more))
    try:
        return await client.request("GET", server.url + path)
    finally:
        await client.aclose()


def test_a_request_arrives_as_it_was_given() -> None:
    async def scene() -> None:
        async with serving(reply(201, b"made", content_type="text/plain", x_twice="1")) as server:
            client = OutboundClient(policy_for(server))
            answer = await client.request("POST", f"{server.url}/a%2Fb?q=1", headers={"X-Mine": "yes"}, body=b"{}")
            await client.aclose()
        assert (answer.status, answer.body, answer.is_cut) == (201, b"made", False)
        assert answer.headers["content-type"] == "text/plain"
        (received,) = server.received
        assert (received.method, received.target, received.body) == ("POST", "/a%2Fb?q=1", b"{}")
        assert received.headers == {
            "host": server.host,
            "user-agent": "Upshot-Webhooks/1",
            "accept": "*/*",
            "x-mine": "yes",
            "accept-encoding": "identity",
            "content-length": "2",
        }

    asyncio.run(scene())


def test_connections_are_used_again() -> None:
    async def scene() -> None:
        async with serving(reply(204)) as server:
            client = OutboundClient(policy_for(server))
            for _ in range(3):
                await client.request("PUT", server.url)
            await client.aclose()
            assert len(server.received) == 3
            assert server.connections == 1

    asyncio.run(scene())


def test_a_redirect_is_a_reply_and_is_not_followed() -> None:
    async def scene() -> None:
        async with serving(reply(302, location="http://169.254.169.254/latest/meta-data")) as server:
            answer = await get(server)
        assert answer.status == 302
        assert len(server.received) == 1

    asyncio.run(scene())


def test_loopback_that_is_not_allowed_by_name_is_never_reached() -> None:
    async def scene() -> None:
        async with serving() as server:
            client = OutboundClient(OutboundPolicy(allow_http=True, ports=frozenset({server.port})))
            for host in ("127.0.0.1", "localhost", "127.1", "2130706433", "[::ffff:127.0.0.1]"):
                with pytest.raises(BlockedError):
                    await client.request("GET", f"http://{host}:{server.port}/")
        assert server.connections == 0

    asyncio.run(scene())


class Names:
    """A resolver whose answers change with each question, as in DNS rebinding."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0)


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["8.8.8.8", "10.0.0.1"],
        ["2606:4700:4700::1111", "::1"],
        ["::ffff:169.254.169.254"],
        ["64:ff9b::7f00:1"],
        ["fd00:ec2::254"],
        ["100.64.0.1"],
    ],
)
def test_a_public_name_that_leads_to_one_private_address_is_blocked(addresses: list[str]) -> None:
    async def scene() -> None:
        async with serving() as server:
            policy = OutboundPolicy(allow_http=True, ports=frozenset({server.port}))
            client = OutboundClient(policy, resolver=Names(addresses))
            with pytest.raises(BlockedError, match=r"rebind\.example leads to"):
                await client.request("GET", f"http://rebind.example:{server.port}/")
        assert server.connections == 0

    asyncio.run(scene())


def test_the_checked_answer_is_the_one_connected_to() -> None:
    """The name is asked for once: a second answer, which nobody would check, has nobody to give it to."""

    async def scene() -> None:
        async with serving(reply(200)) as server:
            names = Names(["127.0.0.1"], ["169.254.169.254"])
            policy = OutboundPolicy(allow_hosts=frozenset({f"rebind.example:{server.port}"}))
            client = OutboundClient(policy, resolver=names)
            await client.request("GET", f"http://rebind.example:{server.port}/")
            await client.aclose()
        assert names.asked == ["rebind.example"]
        assert len(server.received) == 1

    asyncio.run(scene())


def test_the_name_stays_in_the_host_header_and_the_next_address_is_tried() -> None:
    async def scene() -> None:
        async with serving(reply(200)) as server:
            policy = OutboundPolicy(allow_hosts=frozenset({f"shop.example:{server.port}"}))
            client = OutboundClient(policy, resolver=Names(["::1", "127.0.0.1"]))
            answer = await client.request("GET", f"http://shop.example:{server.port}/")
            await client.aclose()
        assert answer.status == 200
        assert server.received[0].headers["host"] == f"shop.example:{server.port}"

    asyncio.run(scene())


def test_the_environments_proxy_and_netrc_are_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async def scene() -> None:
        async with serving() as server:
            await get(server)
        assert "authorization" not in server.received[0].headers

    asyncio.run(scene())


def test_a_long_reply_is_cut_and_the_rest_not_read() -> None:
    async def flood(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
        for _ in range(16_000):
            writer.write(b"x" * 65_536)
            await writer.drain()

    async def scene() -> None:
        async with serving(flood) as server:
            answer = await get(server)
        assert answer.is_cut
        assert answer.body == b"x" * 65_536

    asyncio.run(scene())


def test_a_reply_of_exactly_the_limit_is_whole() -> None:
    async def scene() -> None:
        async with serving(reply(200, b"x" * 100)) as server:
            whole = await get(server, reply_bytes_max=100)
            cut = await get(server, reply_bytes_max=99)
        assert (len(whole.body), whole.is_cut) == (100, False)
        assert (len(cut.body), cut.is_cut) == (99, True)

    asyncio.run(scene())


def test_a_compressed_reply_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\x00" * 30_000_000)

    async def scene() -> None:
        async with serving(reply(200, bomb, content_encoding="gzip")) as server:
            answer = await get(server)
        assert answer.body == bomb[:65_536]

    asyncio.run(scene())


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nx"])
def test_a_slow_drip_ends_at_the_deadline(sent: bytes) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await writer.drain()
        await asyncio.Event().wait()

    async def scene() -> None:
        async with serving(drip) as server:
            with pytest.raises(UnreachableError, match=r"did not answer within 0\.2 s"):
                await get(server, deadline_seconds=0.2)

    asyncio.run(scene())


def test_endless_headers_end() -> None:
    async def babble(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(1_000_000):
            writer.write(f"x-{number}: {'y' * 100}\r\n".encode())
            await writer.drain()

    async def scene() -> None:
        async with serving(babble) as server:
            with pytest.raises(UnreachableError):
                await get(server)

    asyncio.run(scene())


@pytest.mark.parametrize("sent", [b"", b"SSH-2.0-OpenSSH_9\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_is_not_http_is_a_failure_that_may_pass(sent: bytes) -> None:
    async def speak(writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await writer.drain()

    async def scene() -> None:
        async with serving(speak) as server:
            with pytest.raises(UnreachableError, match="could not be reached"):
                await get(server)

    asyncio.run(scene())


def test_a_closed_port_and_an_unknown_name_are_failures_that_may_pass() -> None:
    async def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError(-2, "Name or service not known")

    async def scene() -> None:
        async with serving() as server:
            closed = server
        with pytest.raises(UnreachableError):
            await get(closed)
        client = OutboundClient(OutboundPolicy(), resolver=unknown)
        with pytest.raises(UnreachableError, match="could not be resolved"):
            await client.request("GET", "https://nowhere.example/")

    asyncio.run(scene())


def test_a_certificate_that_nobody_vouches_for_is_refused(tls_server: ssl.SSLContext) -> None:
    async def scene() -> None:
        async with serving(tls=tls_server) as server:
            client = OutboundClient(policy_for(server))
            with pytest.raises(UnreachableError, match="certificate is not valid"):
                await client.request("GET", f"https://{server.host}/")
        assert server.received == []

    asyncio.run(scene())


def test_tls_is_verified_against_the_name(tls_server: ssl.SSLContext, tls_authority: ssl.SSLContext) -> None:
    async def scene() -> None:
        async with serving(reply(200), tls=tls_server) as server:
            hosts = frozenset({f"hooks.example:{server.port}", f"other.example:{server.port}"})
            names = Names(["127.0.0.1"], ["127.0.0.1"])
            client = OutboundClient(OutboundPolicy(allow_hosts=hosts), resolver=names, ssl_context=tls_authority)
            answer = await client.request("GET", f"https://hooks.example:{server.port}/")
            assert answer.status == 200
            with pytest.raises(UnreachableError, match="certificate is not valid"):
                await client.request("GET", f"https://other.example:{server.port}/")
            await client.aclose()

    asyncio.run(scene())


def test_odd_methods_and_large_bodies_are_blocked() -> None:
    async def scene() -> None:
        client = OutboundClient(OutboundPolicy(request_bytes_max=10))
        for method, body in (("CONNECT", b""), ("get", b""), ("POST", b"x" * 11)):
            with pytest.raises(BlockedError):
                await client.request(method, "https://example.com/", body=body)

    asyncio.run(scene())
