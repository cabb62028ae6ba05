"""Several responses on one invoice: which of them holds.

They come in any order, more than once, and some never. What decides about the invoice or asks something of the seller
(UQ, CA, RE, AP, PD) outranks what only reports progress (AB, IP), whenever that was said: a query does not end because
the buyer's system says once more that the invoice has arrived. Among equals the latest holds, by issue date and time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Final

from connector.peppol.responses.codes import Status
from connector.peppol.responses.model import InvoiceResponse

_PROGRESS: Final = frozenset({"AB", "IP"})
_COURSE: Final[tuple[Status, ...]] = ("AB", "IP", "UQ", "CA", "AP", "PD", "RE")
"""The usual course of an invoice, which decides where two were said at the same moment; a rejection is never hidden."""


def standing(responses: Iterable[InvoiceResponse]) -> InvoiceResponse | None:
    """Of the responses on one invoice the one that holds now, whatever the order they are given in; None of none."""
    return max(responses, key=_rank, default=None)


def _rank(response: InvoiceResponse) -> tuple[bool, datetime, int, str, str]:
    """What has no time was said when its day began; what has no date, before all others. The end makes it total."""
    day = datetime.combine(response.issued or date.min, time.min, UTC)
    said = response.at or day
    return (
        response.status not in _PROGRESS,
        said,
        _COURSE.index(response.status),
        response.id or "",
        repr(response),
    )
