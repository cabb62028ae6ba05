"""One way to call a vendor.

Every call of every plugin goes through `Http`. It says how a call ended in the house's own errors, keeps what was said
for the document's story (secrets masked), limits what an answer may weigh, and sends nothing once the caller's time is
over.

How a call ended decides what may happen next:

* nothing left this process, or the vendor took nothing (429): `TryLater`
* bytes of a *write* left and no sound answer came, or the answer is 5xx: `UnknownOutcome`
* the same for a *read*: tried again here (three times in all unless said, within the call's time), then `TryLater`
* any other status is returned: what it means, the plugin's client says

Requests go to httpcore as they are, one pool for each vendor: what httpx's client does besides (cookies, redirects,
merging of addresses) is not wanted here and would double what a call costs.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import re
import ssl
import time
import zlib
from collections.abc import AsyncIterable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, quote_plus

import httpcore
import httpx
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from connector.errors import ConnectorError, Misconfigured, Refused, TryLater, UnknownOutcome, VendorError
from connector.masking import STARS, Mask
from connector.model.json import dumps, loads
from connector.sockets import Backend, before_sending

log = logging.getLogger(__name__)

# httpx logs whole addresses at INFO and httpcore whole headers at DEBUG: secrets included.
for _noisy in ("httpx", "httpcore"):
    logging.getLogger(_noisy).setLevel(logging.WARNING)

SHOWN = 4096
"""Characters of a body that an `Exchange` keeps."""

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now() -> float:
    """Seconds on a clock that also runs while the machine sleeps; the clock of `CallScope.not_after`."""
    return time.clock_gettime(_CLOCK)


# --- the scope of a step ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Exchange:
    """One call as it went, for the story of a document. Secrets are masked; bodies are cut at `SHOWN` characters.

    `status` is None when no answer came; `error` then says why. It is a word where the call was none of HTTP (see
    `speaking`). `seconds` runs until the answer was read.
    """

    method: str
    url: str
    status: int | str | None
    started: datetime
    seconds: float
    request: str | None
    answer: str | None
    error: str | None
    request_id: str | None


@dataclass(slots=True)
class CallScope:
    """What the calls made inside `calling` share: until when they may be sent, and what was said."""

    not_after: float | None
    exchanges: list[Exchange] = field(default_factory=list)

    def in_time(self) -> None:
        """Raises `TryLater` (`lease-over`) when nothing may be sent any more."""
        _in_time(self.not_after)


def _in_time(not_after: float | None) -> None:
    if not_after is not None and now() >= not_after:
        # A request that lacks its end is none, so even after its first bytes the vendor took nothing.
        raise TryLater("The time for this call was over before it was sent.", code="lease-over")


_scope: ContextVar[CallScope | None] = ContextVar("call_scope", default=None)


@contextmanager
def calling(not_after: float | None) -> Iterator[CallScope]:
    """The calls made inside send nothing from `not_after` on (seconds of `now()`; None: no limit), and are recorded."""
    scope = CallScope(not_after)
    token = _scope.set(scope)
    try:
        yield scope
    finally:
        _scope.reset(token)


_UNANSWERED = (TryLater, UnknownOutcome, TimeoutError)


@contextmanager
def speaking(method: str, url: str) -> Iterator[None]:
    """One call in another protocol than HTTP, which the plugin makes itself: it is recorded as those of `Http` are, and
    not begun once the caller's time is over.

    Args:
        method: what is asked, in one word.
        url: of what; without secrets.

    Raises:
        TryLater: `lease-over`.
    """
    scope = _scope.get()
    if scope is None:
        yield
        return
    scope.in_time()
    started, clock = datetime.now(UTC), time.perf_counter()
    status: str | None = "ok"
    error: BaseException | None = None
    try:
        yield
    except BaseException as exc:
        error = exc
        status = "failed" if isinstance(exc, Exception) and not isinstance(exc, _UNANSWERED) else None
        raise
    finally:
        why = None if error is None else str(error) or type(error).__name__
        seconds = round(time.perf_counter() - clock, 6)
        scope.exchanges.append(Exchange(method, url, status, started, seconds, None, None, why, None))


class _Flight:
    """One request on its way: whether any of it has left, and whether more may."""

    __slots__ = ("not_after", "sent")

    def __init__(self, not_after: float | None, *, sent: bool) -> None:
        self.not_after = not_after
        self.sent = sent

    def in_time(self) -> None:
        _in_time(self.not_after)

    def before_write(self) -> None:
        self.in_time()
        self.sent = True


# --- answers ----------------------------------------------------------------------------------------------------------


class Answer:
    """What the vendor said: `status`, `headers` (any case), `body` (decompressed)."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def json(self) -> Any:
        """The body as JSON, with `Decimal` for every number that is not an integer.

        Raises:
            VendorError: it is none (code "vendor-answer").
        """
        try:
            return loads(self.body)
        except ValueError as exc:
            raise VendorError(
                f"The answer is no JSON ({exc}).",
                code="vendor-answer",
                status=self.status,
                do="Try again later; if it stays so, tell the vendor.",
            ) from None


Hint = Callable[[Mapping[str, str]], float | None]
"""Reads the vendor's own "wait so many seconds" from an answer's headers."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait as `Retry-After` says it, in seconds or as a date (RFC 9110, 10.2.3); None when it does not."""
    said = headers.get("retry-after", "").strip()
    if said.isdigit():
        return float(said)
    try:
        return max(0.0, (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


class _TooLarge(Exception):
    pass


class _Garbled(Exception):
    pass


# --- calls ------------------------------------------------------------------------------------------------------------


@functools.cache
def _default_ssl() -> ssl.SSLContext:
    return httpx.create_ssl_context()


@dataclass(frozen=True, slots=True)
class _Request:
    """One request as it is sent: `path` without its query, `target` with it; `kind` is the body's media type, `proof`
    what stands in its `Authorization` after the scheme.
    """

    method: str
    path: str
    target: str
    headers: list[tuple[bytes, bytes]]
    content: bytes | AsyncIterable[bytes]
    kind: str
    proof: str


_PORTS = {b"http": 80, b"https": 443}
_AS_IT_IS = "/:@!$&'()*+,;=~%"
_PATIENCE = {"timeout": {"connect": 10.0, "pool": 10.0}}
"""Seconds; the whole call has its own."""
_NO_ANSWER = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
)
_quoted = functools.lru_cache(2048)(quote_plus)
"""Names, field selections and days are asked for again and again."""


def _names_request(header: bytes) -> bool:
    return header.lower().endswith(b"request-id")


def _query(params: Mapping[str, Any]) -> str:
    """Query parameters; those that are None are left out, a list is the parameter several times."""
    pairs: list[str] = []
    for name, value in params.items():
        for one in value if isinstance(value, list | tuple) else (value,):
            if one is not None:
                text = ("false", "true")[one] if isinstance(one, bool) else str(one)
                pairs.append(f"{_quoted(name)}={_quoted(text)}")
    return "&".join(pairs)


def _worth_again(exc: BaseException) -> bool:
    return isinstance(exc, TryLater) and exc.code in {"vendor-unreachable", "answer-lost", "vendor-failed"}


class Http:
    """Calls to one vendor for one connection (HTTP/1.1, kept alive).

    Args:
        base_url: where paths begin, e.g. `https://vendor.example/v2`.
        mask: names of fields, form fields and query parameters whose values are secret (any case), beside the usual.
        timeout: seconds a whole call may take, connecting, answer and tries included.
        max_answer: bytes an answer may have, also after decompression.
        verify: another TLS context than the usual certificate authorities.

    Raises:
        Misconfigured: `base_url` is no http(s) address.
    """

    def __init__(
        self,
        base_url: str,
        *,
        mask: Collection[str] = frozenset(),
        timeout: float = 30.0,
        max_answer: int = 32 * 2**20,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        if not re.match(r"https?://[^/]", base_url):
            raise Misconfigured(f"{base_url!r} is no http or https address.", code="address-invalid")
        self._timeout = timeout
        self._max_answer = max_answer
        url = httpx.URL(base_url)
        self._origin = (url.raw_scheme, url.raw_host, url.port)
        self._shown = f"{url.scheme}://{url.netloc.decode()}"
        self._prefix = url.raw_path.decode().partition("?")[0].rstrip("/")
        self._headers = {
            "Host": url.netloc.decode(),
            "User-Agent": "connector",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        }
        self._ssl = verify or _default_ssl()
        self._backend = Backend()
        self._idle: list[httpcore.AsyncHTTPConnection] = []
        """Connections nobody uses now, the one used last at the end."""
        self._mask = Mask(mask)

    def keep_secret(self, *values: str, names: Collection[str] = ()) -> None:
        """From now on mask these values wherever they stand, and the values of fields with these names."""
        self._mask.keep(*values, names=names)

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        content: bytes | AsyncIterable[bytes] | None = None,
        files: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        writes: bool | None = None,
        tries: int = 3,
        hint: Hint = retry_after,
    ) -> Answer:
        """Make one call and say how it ended.

        Args:
            path: below `base_url`, taken as it is (`/order/7/:invoice`, `/company/>withLoginAccess`).
            params: query parameters; those that are None are left out, a list is one parameter several times.
            json: the body, written with exact decimals. Else `content`, or `files` (multipart, as httpx has it).
            headers: beside the usual, names as they are usually written; `Content-Length` for a `content` that streams.
            timeout: seconds for this call instead of the usual.
            writes: whether it may change something; unless said, everything but GET and HEAD does.
            tries: how often a read may be sent; 1 where the vendor takes one call at a time, and a second one while the
                first may still be running is an offence.
            hint: reads the vendor's own "wait so many seconds" from the headers of a 429 or a 5xx.

        Raises:
            TryLater: nothing was taken: codes "lease-over" (not sent, its time was over), "rate-limited" (429),
                "vendor-unreachable" (not sent), and for reads "answer-lost" and "vendor-failed" (5xx).
            UnknownOutcome: a write may or may not have happened.
            Refused: it can never be sent as it is (code "request-not-sendable").
            VendorError: the answer to a read is too large or garbled (codes "answer-too-large", "vendor-answer").
        """
        if writes is None:
            writes = method not in {"GET", "HEAD"}
        request = self._request(method, path, params or {}, json, content, files, headers or {})
        deadline = asyncio.get_running_loop().time() + (self._timeout if timeout is None else timeout)

        if writes:
            return await self._once(request, deadline, writes, hint)
        async for attempt in AsyncRetrying(
            stop=lambda state: stop_after_attempt(tries)(state) or asyncio.get_running_loop().time() >= deadline,
            wait=wait_random_exponential(multiplier=0.1, max=2.0),
            retry=retry_if_exception(_worth_again),
            reraise=True,
        ):
            with attempt:
                return await self._once(request, deadline, writes, hint)
        raise AssertionError("tenacity ends with an answer or an error")

    async def aclose(self) -> None:
        """Close the connections."""
        while self._idle:
            await self._idle.pop().aclose()

    async def _connection(self) -> httpcore.AsyncHTTPConnection:
        """An idle connection that still stands, else a new one. How many there are follows from how many calls run at a
        time, which lanes decide.
        """
        while self._idle:
            connection = self._idle.pop()
            if not connection.has_expired():
                return connection
            await connection.aclose()
        scheme, host, port = self._origin
        return httpcore.AsyncHTTPConnection(
            httpcore.Origin(scheme, host, port or _PORTS[scheme]),
            ssl_context=self._ssl,
            # Shorter than the five seconds after which common servers close an idle connection: a request that crosses
            # such a closing would be an unknown outcome.
            keepalive_expiry=4.0,
            network_backend=self._backend,
        )

    def _request(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any],
        json: Any,
        content: bytes | AsyncIterable[bytes] | None,
        files: Any,
        headers: Mapping[str, str],
    ) -> _Request:
        said = {**self._headers}
        if json is not None:
            content, said["Content-Type"] = dumps(json), "application/json"
        elif files is not None:
            form = httpx.Request("POST", self._shown, files=files)
            content, said["Content-Type"] = form.read(), form.headers["content-type"]
        said.update(headers)
        if isinstance(content, bytes) or (content is None and method in {"POST", "PUT", "PATCH"}):
            said["Content-Length"] = str(len(content or b""))
        elif content is not None and "Content-Length" not in said:
            said["Transfer-Encoding"] = "chunked"
        path = self._prefix + quote(path, safe=_AS_IT_IS)
        query = _query(params)
        return _Request(
            method,
            path,
            f"{path}?{query}" if query else path,
            [(name.encode(), value.encode()) for name, value in said.items()],
            b"" if content is None else content,
            said.get("Content-Type", ""),
            said.get("Authorization", "").partition(" ")[2],
        )

    async def _once(self, request: _Request, deadline: float, writes: bool, hint: Hint) -> Answer:
        scope = _scope.get()
        flight = _Flight(scope.not_after if scope else None, sent=False)
        flight.in_time()
        token = before_sending.set(flight.before_write)
        started, clock = datetime.now(UTC), time.perf_counter()
        response: httpcore.Response | None = None
        answer: Answer | None = None
        error: BaseException | None = None
        try:
            async with asyncio.timeout_at(deadline):
                connection = await self._connection()
                try:
                    response = await connection.handle_async_request(self._sendable(request))
                    headers = httpx.Headers(response.headers)
                    answer = Answer(response.status, headers, await self._body(response, headers))
                    await response.aclose()
                finally:
                    if connection.is_idle() and not connection.is_closed():
                        self._idle.append(connection)
                    else:  # broken off: what may still come on it is nobody's
                        await connection.aclose()
            self._judge(request, answer, writes, hint)
            if answer.status >= 400:
                # Who refuses may repeat what was asked, and what he says goes into errors.
                answer.body = self._masked(answer.body.decode("utf-8", "surrogateescape"), request).encode(
                    "utf-8", "surrogateescape"
                )
            return answer
        except (*_NO_ANSWER, TimeoutError, OSError, _TooLarge, _Garbled) as exc:
            error = self._ended(request, exc, sent=flight.sent, writes=writes)
            raise error from exc
        except BaseException as exc:
            error = exc
            raise
        finally:
            before_sending.reset(token)
            seconds = time.perf_counter() - clock
            if scope is not None:
                scope.exchanges.append(self._exchange(request, response, answer, error, started, seconds))
            if log.isEnabledFor(logging.DEBUG):
                call, status = self._where(request)["call"], answer and answer.status
                log.debug("%s -> %s in %.3f s", call, status, seconds)

    def _sendable(self, request: _Request) -> httpcore.Request:
        scheme, host, port = self._origin
        return httpcore.Request(
            request.method,
            httpcore.URL(scheme=scheme, host=host, port=port, target=request.target.encode()),
            headers=request.headers,
            content=request.content,
            extensions=_PATIENCE,
        )

    async def _body(self, response: httpcore.Response, headers: Mapping[str, str]) -> bytes:
        """The whole body, decompressed by ourselves so that a small answer cannot grow without end."""
        assert isinstance(response.stream, AsyncIterable)
        limit, encoding = self._max_answer, headers.get("content-encoding", "identity").strip().lower()
        if encoding not in {"identity", "gzip", "x-gzip", "deflate"}:
            raise _Garbled(f"the answer is encoded as {encoding[:40]!r}")
        inflate = None if encoding == "identity" else zlib.decompressobj(zlib.MAX_WBITS | 32)
        body = bytearray()
        async for chunk in response.stream:
            if inflate is not None:
                try:
                    chunk = inflate.decompress(chunk, limit - len(body) + 1)
                except zlib.error as exc:
                    raise _Garbled(f"the answer cannot be decompressed ({exc})") from None
            body += chunk
            if len(body) > limit:
                raise _TooLarge(f"the answer has more than {limit} bytes")
        if inflate is not None and body and not inflate.eof:
            raise _Garbled("the compressed answer ends too early")
        return bytes(body)

    def _judge(self, request: _Request, answer: Answer, writes: bool, hint: Hint) -> None:
        """429 and 5xx mean the same with every vendor."""
        if answer.status != 429 and answer.status < 500:
            return
        error: VendorError
        if answer.status == 429:
            error = TryLater("The vendor takes no more calls for now.", code="rate-limited", after=hint(answer.headers))
        elif writes:
            error = UnknownOutcome("The vendor failed while it worked on this; it may have happened.")
        else:
            error = TryLater("The vendor failed.", code="vendor-failed", after=hint(answer.headers))
        error.status, error.said_by_vendor = answer.status, self._text(answer.body, request)
        raise error.at(**self._where(request))

    def _ended(self, request: _Request, exc: Exception, *, sent: bool, writes: bool) -> ConnectorError:
        """What it means that no sound answer came."""
        where = self._where(request)
        why = self._mask.text(str(exc)) or type(exc).__name__
        if isinstance(exc, httpcore.LocalProtocolError | httpcore.UnsupportedProtocol):
            return Refused(f"This request cannot be sent: {why}.", code="request-not-sendable", where=where)
        if not sent:
            return TryLater(f"The vendor could not be reached: {why}.", code="vendor-unreachable", where=where)
        if writes:
            return UnknownOutcome(f"The answer was lost ({why}); it may have happened.", where=where)
        if isinstance(exc, _TooLarge):
            return VendorError(f"It cannot be used: {why}.", code="answer-too-large", where=where)
        if isinstance(exc, _Garbled):
            return VendorError(f"It cannot be used: {why}.", code="vendor-answer", where=where)
        return TryLater(f"No answer came: {why}.", code="answer-lost", where=where)

    def _where(self, request: _Request) -> dict[str, str]:
        return {"call": f"{request.method} {self._mask.text(request.path)}"}

    def _exchange(
        self,
        request: _Request,
        response: httpcore.Response | None,
        answer: Answer | None,
        error: BaseException | None,
        started: datetime,
        seconds: float,
    ) -> Exchange:
        ids = () if response is None else (value for name, value in response.headers if _names_request(name))
        sent, kind = request.content, request.kind
        said = None if answer is None else self._text(answer.body, request, answer.headers.get("content-type", ""))
        return Exchange(
            method=request.method,
            url=self._mask.text(self._shown + request.target),
            status=None if response is None else response.status,
            started=started,
            seconds=round(seconds, 6),
            request=self._text(sent, request, kind) if isinstance(sent, bytes) else f"<{kind or 'stream'}>",
            answer=said,
            error=None if error is None else self._mask.text(str(error)) or type(error).__name__,
            request_id=next((value.decode("latin-1") for value in ids), None),
        )

    def _masked(self, text: str, request: _Request) -> str:
        """A text without secrets, what the request proved itself with included."""
        text = self._mask.text(text)
        return text.replace(request.proof, STARS) if request.proof else text

    def _text(self, body: bytes, request: _Request, kind: str = "") -> str | None:
        """A body as people may see it: masked and cut; only its size where it is no text."""
        if not body:
            return None
        if kind and not re.search(r"json|text|xml|form-urlencoded", kind):
            return f"<{kind.partition(';')[0]}, {len(body)} bytes>"
        # Masked with room to spare before it is cut: a secret cut in two would not be known again.
        text = self._masked(body[: 4 * SHOWN].decode("utf-8", "replace"), request)
        return text if len(text) <= SHOWN and len(body) <= 4 * SHOWN else text[:SHOWN] + "…"
