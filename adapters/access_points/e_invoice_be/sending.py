"""Documents on their way out: a draft is made, then it is sent. Neither call has a key.

A draft goes nowhere by itself, so one too many does no harm; which one is ours is told by what is in it. To send is to
move a draft on, and what is no draft any more is not sent a second time: the document's state, and what its timeline
says of attempts, tell whether a call took effect. No e-mail address goes along: it goes by Peppol or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from adapters.access_points import taking
from adapters.access_points.answers import out_of_reach
from adapters.access_points.e_invoice_be import statuses, wire
from adapters.access_points.e_invoice_be.client import Client
from connector.errors import Refused, Stop, TryLater, UnknownOutcome, VendorError
from connector.ports import Proof, Run, Step, Transmission

DRAFT_STEP, SEND_STEP = "draft", "send"
_TYPES = {"Invoice": "INVOICE", "CreditNote": "CREDIT_NOTE"}
_DRAFTS, _OUTBOX = "/api/drafts/", "/api/outbox/"


class Sending:
    """The flow of a transmission.

    Args:
        client: the account's calls.
        largest: bytes that a document may have.
        timeout, settle: see `Step`.
    """

    def __init__(self, client: Client, *, largest: int | None, timeout: float, settle: float) -> None:
        self._client, self._largest, self._timeout, self._settle = client, largest, timeout, settle

    def flow(self, transmission: Transmission) -> Sequence[Step]:
        """Two steps. Raises `Refused` ("document-type-not-sent", "document-too-large", "number-missing")."""
        kind = taking.billing(transmission.document_type)
        if kind is None:
            raise taking.not_sent(transmission, "e-invoice.be", "invoices and credit notes")
        if refusal := taking.too_large(transmission, self._largest):
            raise refusal
        if not transmission.number:
            do = "Give it a number; without one it could not be found again after a lost answer."
            raise Refused("The document has no number.", code="number-missing", do=do)
        one = _Document(self._client, transmission, transmission.number, _TYPES[kind], self._settle)
        timeout, settle = self._timeout, self._settle
        return [
            # Drafts that are not seen do no harm, however many: only one whose id is known is sent.
            Step(DRAFT_STEP, one.make, one.find_draft, timeout=timeout, settle=settle),
            # That nothing was sent rests on what is shown of the draft; it is not believed after a second lost call.
            Step(SEND_STEP, one.send, one.find_sent, timeout=timeout, settle=settle, speaks_for=1),
        ]


class _Document:
    """One document. `number`, `kind`: under which it is found; `settle`: seconds until it is looked at again."""

    def __init__(self, client: Client, transmission: Transmission, number: str, kind: str, settle: float) -> None:
        self._client, self._transmission, self._settle = client, transmission, settle
        self._number, self._kind = number, kind

    # --- the draft

    async def make(self, run: Run) -> Proof:
        """Make the draft."""
        made = await self._client.upload(self._transmission.document, f"{self._transmission.instance}.xml")
        return Proof(made.id, {"said": made.state})

    async def find_draft(self, run: Run) -> Sequence[Proof]:
        """Drafts under our number, to our receiver, with our bytes in them.

        Raises `Stop` ("number-taken") where only others are there, for one may be ours, written anew; and where one was
        sent, for that may be ours, sent by hand. What has failed is no obstacle: that was an earlier try.
        """
        ours, others, sent = [], [], []
        for there in await self._under_our_number():
            if there.state == wire.DRAFT and await self._has_our_bytes(there):
                ours.append(Proof(there.id, {"said": there.state}))
            elif there.state in {wire.TRANSIT, wire.SENT}:
                sent.append(there)
            elif there.state != wire.FAILED:
                others.append(there)
        if not sent and (ours or not others):
            return ours
        shown = ", ".join(f"{there.id} ({there.state})" for there in (*sent, *others))
        raise Stop(
            f"The answer was lost, and e-invoice.be has something else under {self._number} to"
            f" {self._transmission.receiver}: {shown}.",
            code="number-taken",
            do="Look at e-invoice.be. If one of them is this document, and a draft: happened, with its id. If they are"
            " older ones: did-not-happen. If this document was sent already: cancel.",
            where={"number": self._number},
        )

    async def _under_our_number(self) -> list[wire.Document]:
        found: dict[str, wire.Document] = {}
        for path in (_OUTBOX, _DRAFTS):
            async for there in self._client.documents(path, search=self._number, type=self._kind):
                if there.invoice_id == self._number and self._to_our_receiver(there):
                    found[there.id] = there
        return list(found.values())

    def _to_our_receiver(self, there: wire.Document) -> bool:
        """Whether the address that is shown, with its scheme or without, is the receiver's; one that is not shown may
        be.
        """
        shown, receiver = (there.customer_peppol_id or "").lower(), self._transmission.receiver.lower()
        return not shown or shown.rpartition("::")[2] in {receiver, receiver.partition(":")[2]}

    async def _has_our_bytes(self, there: wire.Document) -> bool:
        try:
            return (await self._client.ubl(there.id))[1] == self._transmission.document
        except VendorError as exc:
            if not out_of_reach(exc):
                raise
            do = f"See at e-invoice.be whether the draft {there.id} is this document."
            raise TryLater("It cannot be seen yet what is in a draft.", code="draft-unseen", do=do) from exc

    # --- on its way

    async def send(self, run: Run) -> Proof:
        """Send the draft, if it still is one and keeps the rules that e-invoice.be checks.

        Raises `Refused` ("vendor-validation", with every finding), `TryLater` ("draft-unseen").
        """
        id = run.proofs[DRAFT_STEP].id
        there = await self._shown(id)
        if there.state in wire.GONE_OUT:
            return statuses.proof(there)
        try:
            await self._validated(id)
            sent = await self._client.send(id, self._transmission.sender, self._transmission.receiver)
        except Refused as exc:
            if exc.code == "vendor-not-found":  # no verdict on the document: it was shown a moment ago
                raise _unseen(id, "is not shown") from exc
            if exc.status != 405:
                raise
            return await self._on_its_way(id, exc)
        return statuses.proof(sent)

    async def _on_its_way(self, id: str, said: Refused) -> Proof:
        """What e-invoice.be says is no draft any more, as it shows it. Where it shows a draft, or nothing, it is not
        known what has become of it: as 'refused' it could go through another access point as well.
        """
        unknown = UnknownOutcome(
            "e-invoice.be says that this is no draft any more, and does not show what it is.", where=said.where
        )
        try:
            there = await self._client.document(id)
        except VendorError as exc:
            raise unknown from exc
        if there is None or there.state not in wire.GONE_OUT:
            raise unknown
        return statuses.proof(there)

    async def find_sent(self, run: Run) -> Sequence[Proof]:
        """The document, where it has gone out. Raises `TryLater` ("being-sent" where its timeline shows an
        attempt that has not ended, "draft-unseen").
        """
        there = await self._shown(run.proofs[DRAFT_STEP].id)
        if there.state in wire.GONE_OUT:
            return [statuses.proof(there)]
        timeline = await self._client.get(f"/api/documents/{there.id}/timeline", wire.Timeline)
        if timeline.count("send_success"):
            return [Proof(there.id, {"state": "sent", "said": "send_success"})]
        if timeline.count("send_attempted") > timeline.count("send_failed"):
            raise TryLater(
                "e-invoice.be shows a draft and, in its timeline, an attempt to send it that has not ended.",
                code="being-sent",
                do="See at e-invoice.be whether it was sent.",
                after=max(self._settle, 1.0),
            )
        return []

    async def _shown(self, id: str) -> wire.Document:
        """As a draft, or gone out. Raises `TryLater` ("draft-unseen") where it is shown as neither."""
        there = await self._client.document(id)
        if there is None or there.state not in {wire.DRAFT, *wire.GONE_OUT}:
            raise _unseen(id, f"is shown as {there.state or 'nothing'}" if there else "is not shown")
        return there

    async def _validated(self, id: str) -> None:
        found = await self._client.validate(id)
        if found.is_valid:
            return
        errors = [issue for issue in found.issues if issue.type == "error"]
        first = f", the first {errors[0].rule_id or ''}: {errors[0].message}" if errors else ""
        raise Refused(
            f"e-invoice.be finds {len(errors)} errors in the document{first}.",
            code="vendor-validation",
            do="Mend the document and send it again.",
            details=[issue.model_dump(exclude_none=True) for issue in found.issues],
        )


def _unseen(id: str, how: str) -> TryLater:
    return TryLater(
        f"The document {id}, which was made at e-invoice.be to be sent, {how} there.",
        code="draft-unseen",
        do="See at e-invoice.be who took it away, and whether it was sent first; if not, send it anew.",
        where={"id": id},
    )
