"""Connections: which are used again, and answers in every form a server may give them."""

from __future__ import annotations

import asyncio

import pytest

from connector.errors import TryLater, UnknownOutcome, VendorError
from connector.http import Http


async def test_an_answer_in_pieces_is_read_whole_and_its_connection_used_again(http, loopback):
    pieces = b'5\r\n{"n":\r\n2\r\n1}\r\n0\r\nX-Trailer: 1\r\n\r\n'
    loopback.says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces)
    for _ in range(2):
        assert (await http.call("POST", "/a", json={})).json() == {"n": 1}
    assert loopback.connections == 1


async def test_hints_before_the_answer_are_passed_over(http, loopback, says):
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    loopback.says(early + early + says(200, b'{"n":1}'))
    assert (await http.call("GET", "/a")).json() == {"n": 1}


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", b"HTTP/1.0 200 OK\r\n\r\n{}"],
    ids=["says so", "has no length"],
)
async def test_a_connection_that_ends_with_its_answer_is_not_used_again(http, loopback, answer):
    async def ends(came, writer):
        writer.write(answer)
        await writer.drain()
        writer.close()

    loopback.script = ends
    for _ in range(2):
        assert (await http.call("POST", "/a", json={})).body == b"{}"
    assert loopback.connections == 2


async def test_a_connection_with_an_unread_answer_is_not_used_again(loopback, says):
    http = Http(f"http://127.0.0.1:{loopback.port}", max_answer=1000)
    loopback.says(says(200, b"x" * 5000), says(200, b"{}"))
    with pytest.raises(VendorError):
        await http.call("GET", "/a")
    assert (await http.call("GET", "/a")).body == b"{}"
    assert loopback.connections == 2
    await http.aclose()


async def test_a_connection_that_said_more_than_its_answer_is_not_used_again(http, loopback, says):
    loopback.says(says(200, b'{"n":1}') + says(200, b'{"of":"somebody else"}'), says(200, b'{"n":2}'))
    assert (await http.call("GET", "/a")).json() == {"n": 1}
    assert (await http.call("GET", "/a")).json() == {"n": 2}
    assert loopback.connections == 2


async def test_a_cancelled_call_leaves_no_connection_behind(http, loopback, says):
    async def never(came, writer):
        await asyncio.sleep(30)

    loopback.script = never
    for _ in range(70):  # more than there may be connections
        task = asyncio.create_task(http.call("PUT", "/a"))
        await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    loopback.says(says(200, b'{"n":1}'))
    assert (await http.call("GET", "/a")).json() == {"n": 1}


async def test_many_at_a_time_wait_for_a_free_connection(http, loopback, says):
    async def slow(came, writer):
        await asyncio.sleep(0.02)
        writer.write(says(200))

    loopback.script = slow
    await asyncio.gather(*(http.call("GET", "/a") for _ in range(100)))
    assert 2 <= loopback.connections <= 64


async def test_an_answer_to_half_a_request_counts():
    async def refuses(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too large\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        await writer.drain()
        while await reader.read(65536):
            pass
        writer.close()

    server = await asyncio.start_server(refuses, "127.0.0.1", 0)
    http = Http(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", timeout=5)
    assert (await http.call("POST", "/a", content=b"x" * 3_000_000)).status == 413
    await http.aclose()
    server.close()


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", b"\0" * 200_000]
)
async def test_what_is_no_http_is_no_answer(http, loopback, answer):
    loopback.says(answer)
    with pytest.raises(UnknownOutcome):
        await http.call("POST", "/a", json={})
    with pytest.raises(TryLater) as failed:
        await http.call("GET", "/a")
    assert failed.value.code == "answer-lost"
