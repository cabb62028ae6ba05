"""Fetch what somebody else has published, at an address that somebody else has chosen.

Only https, only public addresses (checked where the connection is made, so that a name that changes its mind gains
nothing), no user names, no redirects to another host, a limit on size and on time.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx

from connector.errors import TryLater
from connector.sockets import Backend

LARGEST = 1024 * 1024
"""Bytes of an answer that are read; entries have some ten thousand."""
_REDIRECTS = 3


@dataclass(frozen=True)
class Fetcher:
    """Fetches; `loopback` allows http and private addresses, for trying on one's own machine.

    Args:
        timeout: seconds for a whole call, redirects included.
        tls: context to use instead of the system's authorities.
    """

    timeout: float = 10.0
    loopback: bool = False
    tls: ssl.SSLContext | None = field(default=None, compare=False)

    async def get(self, url: str) -> tuple[int, bytes]:
        """Status and body of an address.

        Raises:
            TryLater: no answer that can be used; `smp-unreachable`, `smp-address-unfit` (not https, not public, a
                user name), `smp-redirect` (elsewhere, or without end), `smp-answer-too-large`.
        """
        try:
            async with asyncio.timeout(self.timeout), self._pool() as pool:
                for _ in range(_REDIRECTS):
                    status, body, to = await self._one(pool, url)
                    if to is None:
                        return status, body
                    url = _same_host(url, to)
        except TimeoutError:
            raise _unreachable(url, f"no answer in {self.timeout:g} seconds") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise _unreachable(url, str(error) or type(error).__name__) from None
        except ValueError:  # what stands there is no address at all
            raise TryLater(f"{url[:120]!r} is no address.", code="smp-address-unfit", do=_DO) from None
        raise TryLater(f"{_host(url)} redirects without end.", code="smp-redirect", do=_DO)

    def _pool(self) -> httpcore.AsyncConnectionPool:
        backend = Backend() if self.loopback else _Public()
        return httpcore.AsyncConnectionPool(ssl_context=self.tls or _system(), network_backend=backend)

    async def _one(self, pool: httpcore.AsyncConnectionPool, url: str) -> tuple[int, bytes, str | None]:
        parts = urlsplit(url)
        if parts.username or parts.password or parts.scheme not in (("https", "http") if self.loopback else ("https",)):
            raise TryLater(
                f"{_host(url)} is published at an address that is not https.", code="smp-address-unfit", do=_DO
            )
        body = bytearray()
        async with pool.stream(
            "GET", url, headers={"Accept": "application/xml", "Accept-Encoding": "identity"}
        ) as answer:
            async for piece in answer.aiter_stream():
                body += piece
                if len(body) > LARGEST:
                    said = f"{_host(url)} sends more than {LARGEST // 1024} kB."
                    raise TryLater(said, code="smp-answer-too-large", do=_DO)
        headers = {name.lower(): value for name, value in answer.headers}
        to = headers.get(b"location") if answer.status in (301, 302, 303, 307, 308) else None
        return answer.status, bytes(body), None if to is None else to.decode("latin-1")


class _Public(Backend):
    """Connects to public addresses only."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)
        addresses = [str(one[4][0]) for one in found]
        public = [address for address in addresses if is_public(address)]
        if not public or len(public) < len(addresses):
            raise TryLater(f"{host} is no public address.", code="smp-address-unfit", do=_DO)
        return await super().connect_tcp(public[0], port, timeout, local_address, socket_options)


def is_public(address: str) -> bool:
    """Whether an address is one of the open internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None) or ip
    return ip.is_global and not ip.is_multicast


def _same_host(url: str, to: str) -> str:
    there = urljoin(url, to)
    old, new = urlsplit(url), urlsplit(there)
    if (old.scheme, old.netloc) != (new.scheme, new.netloc):
        raise TryLater(f"{_host(url)} sends us on to {_host(there)}.", code="smp-redirect", do=_DO)
    return there


@functools.cache
def _system() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or url[:80]
    except ValueError:
        return url[:80]


def _unreachable(url: str, why: str) -> TryLater:
    return TryLater(f"{_host(url)} cannot be asked ({why}).", code="smp-unreachable", do=_DO)


_DO = "Try again later; if it stays so, the receiver's access point must mend it."
