"""Documents on their way out: one call with our own key, and the search for what became of it.

Invoices and credit notes go in at one door, invoice responses at another; each has a field for our key, which makes a
second call harmless. Recipient and operator are always said together: only so Maventa takes the way that was chosen
here, and neither looks for another nor prints.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from adapters.access_points import taking
from adapters.access_points.answers import ThereAlready
from adapters.access_points.maventa import wire
from adapters.access_points.maventa.client import MAVENTA, Client
from connector.errors import Refused, Stop, UnknownOutcome, VendorError
from connector.ports import Proof, Run, Step, Transmission

INVOICES, DOCUMENTS = "invoices", "documents"
"""What stands before an id of Maventa's in the ids the house keeps: where it is asked for."""
NETWORK = "PEPPOL"

_RESPONSE = re.compile(r".*##urn:fdc:peppol\.eu:poacc:trns:invoice_response:3::2\.1")


class Door(Protocol):
    """Where a kind of document goes in."""

    async def sent(self, client: Client, transmission: Transmission) -> Proof:
        """Send it. Raises what `Client.upload` raises."""

    async def found(self, client: Client, transmission: Transmission) -> list[Proof]:
        """What is there that this transmission would have made."""


class Invoices:
    """Invoices and credit notes. Our key is `uuid`."""

    path = "/v1/invoices"

    async def sent(self, client: Client, transmission: Transmission) -> Proof:
        """With format, key and way."""
        fields = [
            ("format", "PEPPOLBIS30"),
            ("uuid", transmission.instance),
            ("recipient_type", "b2b"),
            ("recipient_eia", transmission.receiver),
            ("recipient_operator", NETWORK),
            ("disabled_routes[]", "print"),
            ("disabled_routes[]", "email"),
        ]
        return _invoice(await client.upload(self.path, transmission.document, fields, wire.Invoice))

    async def found(self, client: Client, transmission: Transmission) -> list[Proof]:
        """By our key; else by number and receiver, where what was sent under them has not failed: whether Maventa's id
        is our key is not described. Raises `Stop` ("key-taken").
        """
        row = await client.find(f"{self.path}/{transmission.instance}")
        if row is not None:
            there = MAVENTA.read(wire.Invoice, row, self.path)
            number, eia = there.number or transmission.number, there.recipient.eia or transmission.receiver
            if number == transmission.number and _same(eia, transmission):
                return [_invoice(there)]
            raise Stop(
                f"Maventa has another document under our key: {number} to {eia}.",
                code="key-taken",
                do="See in Maventa what was sent; then send the document anew, or say that it happened.",
                where={"id": there.id},
            )
        rows = await client.rows(self.path, direction="SENT", number=transmission.number)
        seen = [MAVENTA.read(wire.Invoice, row, self.path) for row in rows]
        return [
            _invoice(there)
            for there in seen
            if there.number == transmission.number
            and there.status != "FAILED"
            and _same(there.recipient.eia, transmission)
        ]


class Documents:
    """Invoice responses. Our key is `transmission_id`."""

    path = "/v1/documents"

    async def sent(self, client: Client, transmission: Transmission) -> Proof:
        """With type, key and way: here Maventa looks nothing up by itself."""
        fields = [
            ("type", "INVOICE_RESPONSE"),
            ("transmission_id", transmission.instance),
            ("recipient_eia", transmission.receiver),
            ("recipient_operator", NETWORK),
            ("sender_eia", transmission.sender),
            ("sender_country", transmission.country),
        ]
        return _document(await client.upload(self.path, transmission.document, fields, wire.Document))

    async def found(self, client: Client, transmission: Transmission) -> list[Proof]:
        """By our key, among the latest."""
        rows = [MAVENTA.read(wire.Document, row, self.path) for row in await client.rows(self.path, direction="SENT")]
        return [_document(there) for there in rows if there.transmission_id == transmission.instance]


def _invoice(there: wire.Invoice) -> Proof:
    state = "sent" if there.status == "DELIVERED" else "accepted"
    return Proof(f"{INVOICES}/{there.id}", {"state": state, "said": there.status})


def _document(there: wire.Document) -> Proof:
    state = "sent" if there.status in {"DELIVERED", "CONFIRMED_DELIVERY"} else "accepted"
    return Proof(f"{DOCUMENTS}/{there.id}", {"state": state, "said": there.status})


class Sending:
    """The flow of a transmission.

    Args:
        client: the company's calls.
        largest: bytes that a document may have.
        timeout, settle: see `Step`.
    """

    def __init__(self, client: Client, *, largest: int | None, timeout: float, settle: float) -> None:
        self._client, self._largest, self._timeout, self._settle = client, largest, timeout, settle

    def flow(self, transmission: Transmission) -> Sequence[Step]:
        """One step. Raises `Refused` ("document-type-not-sent", "document-too-large")."""
        door = _door(transmission)
        if refusal := taking.too_large(transmission, self._largest):
            raise refusal

        async def call(run: Run) -> Proof:
            try:
                return await door.sent(self._client, transmission)
            except ThereAlready as exc:
                return await self._there(door, transmission, exc)

        async def look(run: Run) -> Sequence[Proof]:
            return await door.found(self._client, transmission)

        return [Step("send", call, look, timeout=self._timeout, settle=self._settle)]

    async def _there(self, door: Door, transmission: Transmission, said: ThereAlready) -> Proof:
        """What Maventa says it has already, if it shows that this is ours. If not, it is unknown, whatever kept us from
        seeing it: it is looked for, and if it is never shown, what Maventa said is why.
        """
        unknown = UnknownOutcome("Maventa says that it has this already, and does not show it.", where=said.where)
        unknown.refused = Refused(said.said, code=said.code, status=said.status, said_by_vendor=said.said_by_vendor)
        try:
            found = await door.found(self._client, transmission)
        except VendorError as exc:
            raise unknown from exc
        if len(found) != 1:
            raise unknown
        return found[0]


def _door(transmission: Transmission) -> Door:
    if taking.billing(transmission.document_type):
        return Invoices()
    if _RESPONSE.fullmatch(transmission.document_type):
        return Documents()
    raise taking.not_sent(transmission, "Maventa", "invoices, credit notes and invoice responses")


def _same(eia: str | None, transmission: Transmission) -> bool:
    """Whether an address that Maventa shows, with its scheme or without, is the receiver's."""
    receiver = transmission.receiver.lower()
    return eia is not None and eia.lower() in {receiver, receiver.partition(":")[2]}
