"""A process that is stopped within a call, and wakes when its time is over, sends nothing any more.

The child really is stopped (SIGSTOP) at the place in question and is continued by the test.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import textwrap
import time
from pathlib import Path

import pytest

CHILD = """
import asyncio, json, os, signal, ssl, sys
from connector.errors import ConnectorError
from connector.http import Http, calling, now
import connector.sockets

port, place, limit = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
stop = lambda: os.kill(os.getpid(), signal.SIGSTOP)

class StopsBeforeHeaders(Http):
    async def _connection(self):
        connection = await super()._connection()
        stop()
        return connection

class Stopping:  # a connection that is long in being made
    async def connect_tcp(self, *args, **more):
        stream = await connector.sockets.Backend().connect_tcp(*args, **more)
        stop()
        return stream

async def body():
    yield b"{"
    if place == "body":
        stop()
    yield b"}"

async def main():
    http = (StopsBeforeHeaders if place == "headers" else Http)(f"http://127.0.0.1:{port}")
    more = {}
    if place == "connecting":
        http._backend = Stopping()
    if place == "body":
        more |= {"content": body(), "headers": {"Content-Length": "2"}}
    with calling(now() + limit) as scope:
        try:
            answer = await http.call("POST", "/a", **more)
            print(json.dumps({"status": answer.status}))
        except ConnectorError as exc:
            print(json.dumps({"error": exc.code, "kind": type(exc).__name__}))
    await http.aclose()

asyncio.run(main())
"""


def _wait_until_stopped(pid: int) -> None:
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        time.sleep(0.02)


async def _run(port: int, place: str, limit: float) -> dict:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(CHILD), str(port), place, str(limit), stdout=asyncio.subprocess.PIPE,
        env=env,
    )  # fmt: skip
    await asyncio.to_thread(_wait_until_stopped, child.pid)
    await asyncio.sleep(1.2)
    child.send_signal(signal.SIGCONT)
    out, _ = await child.communicate()
    return json.loads(out)


pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see a stopped process")


@pytest.mark.parametrize("place", ["headers", "connecting", "body"])
async def test_stopped_beyond_its_time_it_sends_no_whole_request(loopback, place):
    assert await _run(loopback.port, place, 1.0) == {"error": "lease-over", "kind": "TryLater"}
    await asyncio.sleep(0.05)
    assert [came for came in loopback.came if came.whole] == []


@pytest.mark.parametrize("place", ["headers", "connecting", "body"])
async def test_stopped_within_its_time_it_goes_on(loopback, place):
    assert await _run(loopback.port, place, 30.0) == {"status": 200}
    assert len(loopback.came) == 1
