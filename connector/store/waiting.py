"""A psycopg connection that waits on the event loop.

Store functions are synchronous. They run in a greenlet (SQLAlchemy's bridge); where the driver would block for the
server's answer, the greenlet steps aside and the event loop goes on. Only this one place knows of it: to everything
above, SQLAlchemy included, it is the ordinary synchronous driver. That costs a third of what the driver's asynchronous
interface costs under SQLAlchemy's adapter, which bridges every single call of a cursor.

A server on the same host or next door answers a small statement before the event loop has turned once. While that is
so its answer is waited for, at most a millisecond; a transaction of thirty statements would otherwise last thirty turns
of a busy loop. Once an answer takes longer, the next ones are not waited for.
"""

from __future__ import annotations

import asyncio
import select
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.waiting import Ready, Wait
from sqlalchemy.util import await_only

T = TypeVar("T")

_MOMENT = 1
"""Milliseconds that an answer is waited for with the event loop standing still."""
_TURNS_ASIDE = 8
"""How many waits are left to the event loop after one that took longer than that."""


class LoopConnection(psycopg.Connection[Any]):
    """Used by one greenlet at a time. `aside`: how many of the next waits are left to the event loop at once."""

    aside = 0

    def wait(self, gen: PQGen[T], interval: float = 0.0, timeout: float | None = None) -> T:
        """Run what the driver does until it is done. When that is broken off, the connection is of no more use."""
        try:
            state = next(gen)
            while ready := self._at_once(state):
                state = gen.send(ready)
            return await_only(self._go_on(gen, state))
        except StopIteration as done:
            result: T = done.value
            return result
        except asyncio.CancelledError:
            self.pgconn.finish()
            raise

    def _at_once(self, state: Wait) -> Ready | None:
        """What the socket is ready for within a moment; None: that is for the event loop to wait for."""
        poll = select.poll()
        if state == Wait.R:
            if self.aside:
                self.aside -= 1
                return None
            poll.register(self.pgconn.socket, select.POLLIN)
        else:
            poll.register(self.pgconn.socket, select.POLLIN | select.POLLOUT if state & Wait.R else select.POLLOUT)
        found = poll.poll(_MOMENT)
        if not found:
            self.aside = _TURNS_ASIDE
            return None
        seen = found[0][1]
        if seen & ~(select.POLLIN | select.POLLOUT):
            return Ready.RW  # closed or broken: the driver finds out by reading
        return Ready((Ready.R if seen & select.POLLIN else 0) | (Ready.W if seen & select.POLLOUT else 0))

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
