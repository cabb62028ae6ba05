"""Bringing incoming invoices to Fiken: booked as purchases, or laid into its inbox for a person to book.

A purchase has no field for our marker, and cannot be asked for by number or supplier: those of the days around the
invoice's are read, and its supplier, number and amount tell which it is. One that is there already (Fiken receives
EHF itself, too) is never made a second time. A document in the inbox has our marker in its description.

Fiken takes no EHF: it lies in the PDF of its readable page.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any, Literal

from adapters.accounting.fiken import records, wire
from adapters.accounting.fiken.attachments import Attachments, plain_name
from adapters.accounting.fiken.client import Client, Row
from adapters.accounting.fiken.explaining import Explaining
from adapters.accounting.fiken.lookups import Lookups
from adapters.accounting.fiken.ore import kroner
from adapters.accounting.fiken.sending import day_of, id_of
from connector.errors import Refused, Stop
from connector.model import Kid
from connector.ports import File, Goal, Proof, Run, Step

Way = Literal["off", "inbox", "book"]
BEFORE, AFTER = timedelta(days=31), timedelta(days=92)
"""How far from the invoice's date a purchase may be dated that somebody has booked of it by hand."""


class Purchases:
    """Flows of incoming invoices.

    Args:
        way: what is done with one; with `off` there are no flows to ask for.
        account: code of the account that purchases are booked on.
    """

    def __init__(
        self,
        client: Client,
        lookups: Lookups,
        explaining: Explaining,
        files: Attachments,
        *,
        way: Way,
        account: str | None,
    ) -> None:
        self._client = client
        self._lookups = lookups
        self._explaining = explaining
        self._files = files
        self._way: Way = way
        self._account = account

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        for field in ("identifier", "date", "amount"):
            if not goal.record.get(field):
                raise Refused(f"The invoice has no {field}.", code="field-missing", where={"field": field})
        day_of(goal.record["date"], "date")
        _supplier(goal)
        page = self._files.fitting(_page(goal), 1)
        if self._way == "inbox":
            deliver = Step("document", partial(self._deliver, page), self._delivered)
            return (
                Step("there", self._there, reads=True),
                deliver,
                Step("read", partial(self._read_inbox, _aside(goal))),
            )
        self._can_be_booked(goal)
        along, behind = self._along(goal)
        return (
            Step("there", self._there, reads=True),
            Step("purchase", self._book, self._look),
            *(
                Step(
                    f"file-{n}",
                    partial(self._attach, file),
                    partial(self._files.look, path="/purchases", to="purchase", number=n),
                )
                for n, file in enumerate([page, *along], 1)
            ),
            Step("read", partial(self._read, behind)),
        )

    def _can_be_booked(self, goal: Goal) -> None:
        record = goal.record
        if record.get("creditNote"):
            raise Refused(
                "Whether Fiken takes a supplier's credit note as a purchase below zero is not known.",
                code="credit-note-unsure",
                do="Book it in Fiken, or have incoming invoices laid into its inbox (`incoming: inbox`).",
            )
        if not record.get("lines"):
            raise Refused(
                "What is bought cannot be booked by rule: a VAT category, a rate or a foreign seller that needs a"
                " person's eye.",
                code="lines-missing",
                do="Book it in Fiken, or have such invoices laid into its inbox (`incoming: inbox`).",
                where={"field": "lines"},
            )
        if self._account is None:
            raise Refused(
                "No account is named that purchases are booked on.",
                code="account-missing",
                do="Set `incoming_account` in the connection's settings.",
            )
        if (booked := sum(line["netPrice"] + line["vat"] for line in record["lines"])) != record["amount"]:
            raise Refused(
                f"The sums by VAT rate come to {kroner(booked, 'lines'):.2f}, and"
                f" {kroner(record['amount'], 'amount'):.2f} is to be paid: it is rounded to whole kroner, or something"
                " is paid already.",
                code="payable-differs",
                do="Book it in Fiken, or have such invoices laid into its inbox (`incoming: inbox`).",
                where={"field": "amount"},
            )
        if goal.totals is not None and goal.totals.stated_vat and record.get("currency") not in (None, "NOK"):
            raise Refused(
                "The invoice states its VAT in kroner (BT-111), and Fiken books it by its own rate: what may be"
                " deducted is what is stated.",
                code="stated-vat",
                do="Book it in Fiken with that VAT, or have such invoices laid into its inbox (`incoming: inbox`).",
                where={"field": "totals.tax_in_accounting_currency"},
            )

    def _along(self, goal: Goal) -> tuple[list[File], list[dict[str, str]]]:
        """The attachments that Fiken takes, and those that stay behind, with the reason."""
        along: list[File] = []
        behind: list[dict[str, str]] = []
        for file in (one for one in goal.files if one.role == "attachment"):
            try:
                along.append(self._files.fitting(file, len(along) + 1))
            except Refused as refused:
                behind.append({"file": file.name, "code": refused.code, "why": refused.said})
        return along, behind

    # --- booked as a purchase -----------------------------------------------------------------------------------------

    async def _there(self, run: Run) -> Proof:
        """The purchase of this very invoice where Fiken has it, else `-`. Raises `Stop` where that is not clear."""
        goal = run.goal
        found, wanted = await self._numbered(goal), goal.record["amount"]
        amounts = [records.bought(row)[1] for row in found]
        if len(found) > 1 or any(amount != _signed(goal, wanted) for amount in amounts):
            there = [f"purchase {row['purchaseId']} over {kroner(amount, 'amount'):.2f}"
                     for row, amount in zip(found, amounts, strict=True)]  # fmt: skip
            raise Stop(
                f"Fiken has the supplier's invoice {goal.record['identifier']} already: {', '.join(there)}; this one is"
                f" over {kroner(wanted, 'amount'):.2f}.",
                code="invoice-in-ledger-differs",
                do="See which of them is right. Where nothing more is to be done in Fiken, cancel this; else mend what"
                " is there and try again.",
                details={
                    "purchases": [str(row["purchaseId"]) for row in found],
                    "amount": f"{kroner(wanted, 'amount'):.2f}",
                },
            )
        return Proof(str(found[0]["purchaseId"]), {"found": True}) if found else Proof("-", {"found": False})

    async def _numbered(self, goal: Goal) -> list[Row]:
        """The supplier's purchases with this number."""
        day, supplier = _dated(goal), _supplier(goal)
        asked = {"dateGe": day - BEFORE, "dateLe": day + AFTER}
        return [
            row for row in await self._client.every("/purchases", "purchaseId", **asked)
            if records.is_supplier_invoice(row) and row["supplier"].get("contactId") == supplier
            and str(row["identifier"]).strip() == str(goal.record["identifier"]).strip()
        ]  # fmt: skip

    async def _book(self, run: Run) -> Proof:
        """Book it, unless it has come to be there since it was looked for."""
        there = run.proofs["there"]
        if there.facts["found"]:
            return there
        meanwhile = await self._there(run)
        if meanwhile.facts["found"]:  # ours, most likely: it gets its files
            return Proof(meanwhile.id, {"found": False})
        goal, account = run.goal, self._account
        assert account is not None
        await self._lookups.open_account(account, "incoming_account")
        body = _request(goal, account)
        try:
            return Proof(str(await self._client.create("/purchases", body)), {"found": False})
        except Refused as refused:
            said = {"supplier": goal.record["supplier"], "lines": [{"account": account}]}
            raise await self._explaining.of(refused, said) from None

    async def _look(self, run: Run) -> Sequence[Proof]:
        """The purchase that is this invoice, and whether it was there before we began."""
        before = run.proofs["there"].facts["found"]
        return [Proof(str(row["purchaseId"]), {"found": before}) for row in await self._numbered(run.goal)
                if records.bought(row)[1] == _signed(run.goal, run.goal.record["amount"])]  # fmt: skip

    async def _attach(self, file: File, run: Run) -> Proof:
        """Put a file on the purchase; what was there already is left to whoever has it in hand."""
        purchase = run.proofs["purchase"]
        if purchase.facts.get("found"):
            return Proof("-")
        return await self._files.attach(f"/purchases/{purchase.id}", file, attachToSale=True)

    async def _read(self, behind: list[dict[str, str]], run: Run) -> Proof:
        """The purchase as it is. Raises `Stop` ("totals-differ", "purchase-gone")."""
        purchase, goal = run.proofs["purchase"], run.goal
        row = await self._client.find(f"/purchases/{purchase.id}")
        if row is None or not records.is_supplier_invoice(row):
            raise Stop(
                f"The purchase {purchase.id} is not in Fiken's books any more.",
                code="purchase-gone",
                do="See in Fiken what became of it: somebody has deleted it. Then cancel this, or post it anew.",
            )
        facts: dict[str, Any] = {"number": goal.record["identifier"], "period": str(row.get("date"))[:7]}
        if purchase.facts.get("found"):
            return Proof(purchase.id, facts | {"found": True}, records.supplier_invoice(row))
        ours = (sum(line["netPrice"] for line in goal.record["lines"]), goal.record["amount"])
        theirs = records.bought(row)
        if ours != theirs:
            (net, gross), (there, whole) = ([kroner(one, "amount") for one in pair] for pair in (ours, theirs))
            raise Stop(
                f"Fiken has booked {whole:.2f}, {there:.2f} without VAT; the invoice states {gross:.2f} and {net:.2f}.",
                code="totals-differ",
                do="Mend it in Fiken and retry; or delete it there and cancel this.",
                where={"purchase": purchase.id},
                details={
                    "ours": {"net": f"{net:.2f}", "gross": f"{gross:.2f}"},
                    "theirs": {"net": f"{there:.2f}", "gross": f"{whole:.2f}"},
                },
            )
        left = {"left_out": behind} if behind else {}
        return Proof(purchase.id, facts | left, records.supplier_invoice(row))

    # --- laid into the inbox ------------------------------------------------------------------------------------------

    async def _deliver(self, page: File, run: Run) -> Proof:
        there = run.proofs["there"]
        if there.facts["found"]:
            return there
        texts = {"name": _title(run.goal), "filename": page.name, "description": f"Ref. {run.goal.marker}"}
        return Proof(records.inbox_id(await self._client.upload("/inbox", page, texts)), {"found": False})

    async def _delivered(self, run: Run) -> Sequence[Proof]:
        """The document with our marker."""
        rows = await self._client.every("/inbox", "documentId", name=_title(run.goal), status="all")
        ours = [row for row in rows if run.goal.marker in str(row.get("description") or "")]
        return [Proof(records.inbox_id(row["documentId"]), {"found": False}) for row in ours]

    async def _read_inbox(self, behind: list[dict[str, str]], run: Run) -> Proof:
        document, goal = run.proofs["document"], run.goal
        facts: dict[str, Any] = {"number": goal.record["identifier"]}
        if not document.id.startswith(records.INBOX):
            row = await self._client.get(f"/purchases/{document.id}")
            return Proof(document.id, facts | {"found": True}, records.supplier_invoice(row))
        names = wire.SupplierInvoice.model_fields.keys() - {"lines", "kid"}
        said = {name: value for name, value in goal.record.items() if name in names and value is not None}
        record = records.in_inbox(document.id, said)
        return Proof(document.id, facts | ({"left_out": behind} if behind else {}), record)


def _request(goal: Goal, account: str) -> dict[str, Any]:
    """The purchase as it is sent."""
    record, currency = goal.record, goal.record.get("currency") or "NOK"
    ending = "" if currency == "NOK" else "InCurrency"
    body: dict[str, Any] = {
        "kind": "supplier",
        "paid": False,  # required by Fiken's description, though it does not say what it means
        "identifier": record["identifier"],
        "date": _dated(goal).isoformat(),
        "dueDate": day_of(record["dueDate"], "dueDate").isoformat() if record.get("dueDate") else None,
        "kid": Kid.maybe(record.get("kid") or ""),  # what else it is paid by stands on its page
        "supplierId": _supplier(goal),
        "currency": currency,
        "lines": [
            {
                "description": _title(goal)[:200],
                "vatType": line["vatType"],
                "account": account,
                "netPrice" + ending: line["netPrice"],
                "vat" + ending: line["vat"],
            }
            for line in record["lines"]
        ],
    }
    return {name: value for name, value in body.items() if value is not None}


def _page(goal: Goal) -> File:
    """The readable page. Raises `Refused` where the goal comes without it."""
    for file in goal.files:
        if file.role == "page":
            return File(plain_name(f"{goal.record['identifier']}.pdf", "pdf"), file.media_type, file.content, file.role)
    raise Refused("The invoice comes without its page.", code="document-missing")


def _aside(goal: Goal) -> list[dict[str, str]]:
    """Attachments, which have no place beside a document in the inbox."""
    why = "A document in Fiken's inbox is one file; what is attached to the invoice lies in its EHF."
    return [{"file": one.name, "code": "inbox-one-file", "why": f"{one.name}: {why}"}
            for one in goal.files if one.role == "attachment"]  # fmt: skip


def _title(goal: Goal) -> str:
    what = "Kreditnota" if goal.record.get("creditNote") else "Faktura"
    name = goal.record["supplier"].get("name")
    return f"{what} {goal.record['identifier']}" + (f" fra {name}" if name else "")


def _supplier(goal: Goal) -> int:
    """Fiken's id of the supplier. Raises `Refused` ("link-missing")."""
    return id_of((goal.record.get("supplier") or {}).get("contactId"), "supplier.contactId")


def _dated(goal: Goal) -> date:
    return day_of(goal.record["date"], "date")


def _signed(goal: Goal, amount: int) -> int:
    return -amount if goal.record.get("creditNote") else amount
