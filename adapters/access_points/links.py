"""Links that access points give to a document, to be followed at once: they hold for a short time."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from connector.errors import Refused
from connector.http import Http


async def follow(link: str, *, name: str, own: str) -> bytes:
    """What lies behind a link. No key of ours goes there: it leads to some object store, and proves itself.

    Args:
        link: as the access point gave it.
        name: the access point, as a person knows it.
        own: the base address of its API; links to the same place may be followed whatever their scheme.

    Raises:
        Refused: `link-ended` (it does not hold any more), `link-unfit` (another than https).
        TryLater, VendorError: as `Http.call`.
    """
    parts, api = urlsplit(link), urlsplit(own)
    if parts.scheme != "https" and (parts.scheme, parts.netloc) != (api.scheme, api.netloc):
        raise Refused(f"{name} gives a link that is not https.", code="link-unfit")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    http = Http(f"{parts.scheme}://{parts.netloc}", mask=query.keys())
    try:
        answer = await http.call("GET", parts.path or "/", params=query, headers={"Accept": "*/*"})
    finally:
        await http.aclose()
    if answer.status >= 300:
        raise Refused("The link to the document does not hold any more.", code="link-ended", status=answer.status)
    return answer.body
