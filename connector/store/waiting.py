"""A psycopg connection that waits on the event loop.

Store functions are synchronous. They run in a greenlet (SQLAlchemy's bridge); where the driver would block for the
server's answer, the greenlet steps aside and the event loop goes on. Only this one place knows of it: to everything
above, SQLAlchemy included, it is the ordinary synchronous driver. That costs a third of what the driver's asynchronous
interface costs under SQLAlchemy's adapter, which bridges every single call of a cursor.
"""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.waiting import Ready, Wait
from sqlalchemy.util import await_only

T = TypeVar("T")


class LoopConnection(psycopg.Connection[Any]):
    """Used by one greenlet at a time."""

    def wait(self, gen: PQGen[T], interval: float = 0.0, timeout: float | None = None) -> T:
        """Run what the driver does until it is done. When that is broken off, the connection is of no more use."""
        try:
            state = next(gen)
        except StopIteration as done:
            result: T = done.value
            return result
        try:
            return await_only(self._go_on(gen, state))
        except asyncio.CancelledError:
            self.pgconn.finish()
            raise

    async def _go_on(self, gen: PQGen[T], state: Wait) -> T:
        loop, socket = asyncio.get_running_loop(), self.pgconn.socket
        while True:
            ready: asyncio.Future[Ready] = loop.create_future()
            if state & Wait.R:
                loop.add_reader(socket, _is_ready, ready, Ready.R)
            if state & Wait.W:
                loop.add_writer(socket, _is_ready, ready, Ready.W)
            try:
                now = await ready
            finally:
                if state & Wait.R:
                    loop.remove_reader(socket)
                if state & Wait.W:
                    loop.remove_writer(socket)
            try:
                state = gen.send(now)
            except StopIteration as done:
                result: T = done.value
                return result


def _is_ready(future: asyncio.Future[Ready], how: Ready) -> None:
    if not future.done():
        future.set_result(how)


def connect(address: str, **settings: Any) -> LoopConnection:
    """A connection in autocommit: transactions are begun and ended by us. Called in a greenlet; connecting takes a
    thread's time, not the loop's.
    """
    made: LoopConnection = await_only(asyncio.to_thread(LoopConnection.connect, address, autocommit=True, **settings))
    return made
