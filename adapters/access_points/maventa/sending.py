"""Documents on their way out: one call with our own key, and the search for what became of it.

Invoices and credit notes go in at one door, invoice responses at another; each has a field for our key, which makes a
second call harmless. Recipient and operator are always said together: only so Maventa takes the way that was chosen
here, and neither looks for another nor prints.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from adapters.access_points.maventa import wire
from adapters.access_points.maventa.client import Client, Field, Row, ThereAlready
from connector.errors import Refused, Stop, UnknownOutcome
from connector.ports import Proof, Run, Step, Transmission

INVOICES, DOCUMENTS = "invoices", "documents"
"""What stands before an id of Maventa's in the ids the house keeps: where it is asked for."""
NETWORK = "PEPPOL"

_BILLING = re.compile(
    r"busdox-docid-qns::urn:oasis:names:specification:ubl:schema:xsd:(?:Invoice-2::Invoice|CreditNote-2::CreditNote)"
    r"##urn:cen\.eu:en16931:2017#compliant#urn:fdc:peppol\.eu:2017:poacc:billing:3\.0::2\.1"
)
_RESPONSE = re.compile(r".*##urn:fdc:peppol\.eu:poacc:trns:invoice_response:3::2\.1")


class Door(Protocol):
    """Where a kind of document goes in."""

    path: str

    def fields(self, transmission: Transmission) -> Sequence[Field]:
        """What is said beside the document."""

    async def found(self, client: Client, transmission: Transmission) -> list[Proof]:
        """What is there that this transmission would have made."""

    def proof(self, row: Row) -> Proof:
        """What it is called there, and how far it has come."""


class Invoices:
    """Invoices and credit notes. Our key is `uuid`."""

    path = "/v1/invoices"

    def fields(self, transmission: Transmission) -> Sequence[Field]:
        """Format, key and way."""
        return [
            ("format", "PEPPOLBIS30"),
            ("uuid", transmission.instance),
            ("recipient_type", "b2b"),
            ("recipient_eia", transmission.receiver),
            ("recipient_operator", NETWORK),
            ("disabled_routes[]", "print"),
            ("disabled_routes[]", "email"),
        ]

    async def found(self, client: Client, transmission: Transmission) -> list[Proof]:
        """By our key; else by number and receiver, where what was sent under them has not failed: whether Maventa's id
        is our key is not described. Raises `Stop` ("key-taken").
        """
        row = await client.find(f"{self.path}/{transmission.instance}")
        if row is not None:
            there = wire.read(wire.Invoice, row, self.path)
            if there.number not in (None, transmission.number) or not _same(
                there.recipient.eia, transmission, lax=True
            ):
                raise Stop(
                    f"Maventa has another document under our key: {there.number} to {there.recipient.eia}.",
                    code="key-taken",
                    do="See in Maventa what was sent; then send the document anew, or say that it happened.",
                    where={"id": there.id},
                )
            return [self.proof(row)]
        if transmission.number is None:
            return []
        rows = await client.rows(self.path, direction="SENT", number=transmission.number)
        seen = [(row, wire.read(wire.Invoice, row, self.path)) for row in rows]
        return [
            self.proof(row)
            for row, there in seen
            if there.number == transmission.number and _same(there.recipient.eia, transmission)
            if there.status != "FAILED"
        ]

    def proof(self, row: Row) -> Proof:
        """As `Door.proof`."""
        there = wire.read(wire.Invoice, row, self.path)
        state = "sent" if there.status == "DELIVERED" else "accepted"
        return Proof(f"{INVOICES}/{there.id}", {"state": state, "said": there.status})


class Documents:
    """Invoice responses. Our key is `transmission_id`."""

    path = "/v1/documents"

    def fields(self, transmission: Transmission) -> Sequence[Field]:
        """Type, key and way: here Maventa looks nothing up by itself."""
        return [
            ("type", "INVOICE_RESPONSE"),
            ("transmission_id", transmission.instance),
            ("recipient_eia", transmission.receiver),
            ("recipient_operator", NETWORK),
            ("sender_eia", transmission.sender),
            ("sender_country", transmission.country),
        ]

    async def found(self, client: Client, transmission: Transmission) -> list[Proof]:
        """By our key, among the latest."""
        rows = await client.rows(self.path, direction="SENT")
        return [self.proof(row) for row in rows if row.get("transmission_id") == transmission.instance]

    def proof(self, row: Row) -> Proof:
        """As `Door.proof`."""
        there = wire.read(wire.Document, row, self.path)
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
        if self._largest is not None and len(transmission.document) > self._largest:
            raise Refused(
                f"The document has {len(transmission.document)} bytes; this connection sends {self._largest} at most.",
                code="document-too-large",
                do="Send it with smaller attachments, or through an access point that takes it.",
            )

        async def call(run: Run) -> Proof:
            try:
                fields = door.fields(transmission)
                return door.proof(await self._client.upload(door.path, transmission.document, fields))
            except ThereAlready as exc:
                return await self._there(door, transmission, exc)

        async def look(run: Run) -> Sequence[Proof]:
            return await door.found(self._client, transmission)

        return [Step("send", call, look, timeout=self._timeout, settle=self._settle)]

    async def _there(self, door: Door, transmission: Transmission, said: ThereAlready) -> Proof:
        """What Maventa says it has already, if it shows that this is ours."""
        found = await door.found(self._client, transmission)
        if len(found) == 1:
            return found[0]
        # It may be shown a little later, so it is looked for; if it never is, what Maventa said is why.
        raise UnknownOutcome(
            "Maventa says that it has this already, and does not show it.",
            refused=Refused(said.said, code=said.code, status=said.status, said_by_vendor=said.said_by_vendor),
            where=said.where,
        )


def _door(transmission: Transmission) -> Door:
    if _BILLING.fullmatch(transmission.document_type):
        return Invoices()
    if _RESPONSE.fullmatch(transmission.document_type):
        return Documents()
    raise Refused(
        f"Nothing of this type is sent through Maventa: {transmission.root} ({transmission.document_type}).",
        code="document-type-not-sent",
        do="Name another access point for it; through Maventa go invoices, credit notes and invoice responses.",
    )


def _same(eia: str | None, transmission: Transmission, *, lax: bool = False) -> bool:
    """Whether an address that Maventa shows is the receiver's; `lax`: it need not show one."""
    if eia is None:
        return lax
    return eia.lower() in {transmission.receiver.lower(), transmission.receiver.partition(":")[2].lower()}
