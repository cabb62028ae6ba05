"""Writing invoices and credit notes that Visma Net issues: a draft is made, compared, released, waited for, read back.

Our marker stands in `externalReference`, which can be searched; whether that finds exactly or in part is not told, so
what is found is compared. Only the release brings it into the books.

A credit note is applied to its invoice as far as that is open; what is beyond is the customer's credit.

An invoice that was issued elsewhere is kept among Visma Net's own under the number and KID it has (`register`), where
the number series allows that; both are compared before the release.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from adapters.accounting.visma_net import records, wire
from adapters.accounting.visma_net.client import Client, segment
from adapters.accounting.visma_net.files import Files
from adapters.accounting.visma_net.lines import Lines
from adapters.accounting.visma_net.parties import Parties
from adapters.accounting.visma_net.releasing import Releasing
from adapters.accounting.visma_net.sending import day_of, sent
from adapters.accounting.visma_net.showing import gone, hidden, made, still_hidden
from adapters.accounting.visma_net.wrapping import wrapped
from connector.errors import Refused, Stop
from connector.ports import Goal, Kind, Proof, Run, Step, Totals

Row = Mapping[str, Any]
KRONER = "NOK"
LONGEST = 15
"""Characters of a number."""


class Sales:
    """Flows of invoices and credit notes.

    Args:
        branch: whose documents they are, where that is said.
        settle: seconds after which it is believed that what was made does not show.
    """

    def __init__(
        self,
        client: Client,
        parties: Parties,
        releasing: Releasing,
        files: Files,
        lines: Lines,
        branch: str | None,
        settle: float,
    ) -> None:
        self._client = client
        self._lines = lines
        self._files = files
        self._parties = parties
        self._releasing = releasing
        self._branch = branch
        self._settle = settle

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        day = day_of(goal.record.get("documentDate"), "documentDate")
        if goal.totals is None:
            raise Refused("The document comes without totals to compare with.", code="totals-missing")
        if goal.kind is Kind.CREDIT_NOTE and not (goal.record.get("credits") or {}).get("referenceNumber"):
            raise Refused(
                "The credit note names no invoice in Visma Net.",
                code="link-missing",
                do="See that the invoice it credits has been brought to Visma Net.",
                where={"field": "credits.referenceNumber"},
            )
        if (due := goal.record.get("documentDueDate")) and day_of(due, "documentDueDate") < day:
            raise Refused(
                f"The invoice is due on {due}, before its own date {day}.",
                code="due-before-invoice",
                do="Mend the due date.",
                where={"field": "documentDueDate"},
            )
        if goal.operation == "register":
            _own_number(goal)
        lines = records.SALES[goal.kind].lines
        for place, line in enumerate(goal.record.get(lines) or ()):
            for name, code in (("vatCodeId", "vat-code-missing"), ("accountNumber", "account-missing")):
                if not line.get(name):
                    raise Refused(
                        f"A line names no {name}; Visma Net would choose one itself.",
                        code=code,
                        do="Map it for every line.",
                        where={"field": f"{lines}[{place}].{name}"},
                    )
        self._lines.check(goal.record, lines)
        return (
            Step("document", self._create, self._look),
            *self._files.steps(goal, self._path, lambda run: f"{self._path(run)}/attachment"),
            Step("release", self._release, self._released),
            Step("read", self._read),
        )

    # --- made -----------------------------------------------------------------------------------------------------

    async def _create(self, run: Run) -> Proof:
        customer = await self._parties.to_bill((run.goal.record.get("customer") or {}).get("internalId"))
        body, form = _body(run.goal, customer, self._branch), records.SALES[run.goal.kind]
        whole, of_lines = await self._lines.said(run.goal.record, form.lines)
        body |= whole
        body[form.lines] = [line | more for line, more in zip(body[form.lines], of_lines, strict=True)]
        if run.goal.kind is Kind.CREDIT_NOTE:
            body["applicationLines"] = await self._application(run.goal)
        number = await self._client.create(form.create, wrapped(body))
        return made(number, number=number)

    async def _application(self, goal: Goal) -> list[dict[str, Any]]:
        """What of a credit note goes to its invoice: no more than is open of that."""
        assert goal.totals is not None
        number = str(goal.record["credits"]["referenceNumber"])
        amount = min(await self._open(number), goal.totals.gross + goal.totals.rounding)
        if amount <= 0:
            return []
        return [{"operation": "Insert", "documentType": "Invoice", "refNbr": number, "amountPaid": amount}]

    async def _open(self, number: str) -> Decimal:
        """What is open of an invoice now. Raises `Refused` ("link-missing")."""
        path = records.SALES[Kind.INVOICE].path
        row = await self._client.find(f"{path}/{segment(number)}")
        if row is None:
            raise Refused(
                f"Invoice {number} is not in Visma Net.",
                code="link-missing",
                do="See that the invoice that is credited is still there.",
                where={"field": "credits.referenceNumber"},
            )
        return records.number(row, "balance", path)

    async def _look(self, run: Run) -> Sequence[Proof]:
        """The document with our marker, if it is there."""
        found = await self._client.every(records.SALES[run.goal.kind].path, externalReference=run.goal.marker)
        numbers = [str(row["referenceNumber"]) for row in found if row.get("externalReference") == run.goal.marker]
        return [made(number, number=number) for number in numbers]

    # --- released -------------------------------------------------------------------------------------------------

    async def _release(self, run: Run) -> Proof:
        row = await self._row(run)
        if row.get("status") in records.RELEASED:  # somebody else has released it
            return Proof(run.proofs["document"].id)
        _compare(run.goal, row, "It is a draft there, and nothing is released.")
        _compare_issued(run.goal, row)
        await self._applicable(row)
        return Proof(run.proofs["document"].id, await self._releasing.ask(f"{self._path(run)}/action/release"))

    async def _applicable(self, row: Row) -> None:
        """Raises `Stop` ("exceeds-open-amount") where the draft of a credit note is applied to more than is open now:
        what was open when it was made may have been paid since.
        """
        for number, amount in records.applications(row, "a credit note", planned=True).items():
            if amount > (left := await self._open(number)):
                raise Stop(
                    f"The credit note {row.get('referenceNumber')} is applied to invoice {number} by {amount}, and"
                    f" {left} is open of that. It is a draft there, and nothing is released.",
                    code="exceeds-open-amount",
                    do="Apply the draft to less in Visma Net and retry; what is not applied is the customer's credit.",
                    where={"document": str(row.get("referenceNumber")), "invoice": number},
                    details={"open": str(left), "amount": str(amount)},
                )

    async def _released(self, run: Run) -> Sequence[Proof]:
        row = await self._row(run)
        return [] if row.get("status") in records.DRAFT else [Proof(run.proofs["document"].id)]

    async def _read(self, run: Run) -> Proof:
        row = await self._row(run)
        number = run.proofs["document"].id
        await self._releasing.wait(row, run.proofs["release"].facts, f"{_named(run.goal)} {number}")
        _compare(run.goal, row, f"It is released, as number {number}.")
        told = await self._lines.told([row], records.SALES[run.goal.kind].lines)
        record = records.sale(run.goal.kind, row, int(run.goal.record["customer"]["internalId"]), told)
        facts = {
            "number": number,
            "kid": row.get("paymentReference") or None,
            "period": row.get("financialPeriod") or None,
        }
        return Proof(record.id, {name: value for name, value in facts.items() if value}, record)

    @staticmethod
    def _path(run: Run) -> str:
        return f"{records.SALES[run.goal.kind].path}/{segment(run.proofs['document'].id)}"

    async def _row(self, run: Run) -> Row:
        row = await self._client.find(self._path(run))
        if row is not None:
            return row
        proof = run.proofs["document"]
        what = f"{_named(run.goal)} {proof.id}"
        if still_hidden(proof, self._settle):
            raise hidden(what)
        # The second look is another way to ask.
        found = await self._client.every(records.SALES[run.goal.kind].path, externalReference=run.goal.marker)
        for one in found:
            if (one.get("externalReference"), one.get("referenceNumber")) == (run.goal.marker, proof.id):
                raise hidden(what)
        raise gone(what, {"document": proof.id})


def _compare_kroner(totals: Totals, row: Row, stands: str) -> None:
    """Raises `Stop` ("totals-differ") where a document in another currency states its VAT in kroner (BT-111), and Visma
    Net, which takes a rate of its own, comes to another.
    """
    ours = totals.stated_vat
    if ours is None or totals.vat_currency != KRONER or totals.currency == KRONER:
        return
    theirs = records.number(row, "vatTotalInCurrency", "a document")  # which is in the company's own currency
    if theirs == ours:
        return
    raise Stop(
        f"Visma Net comes to VAT of {theirs} {KRONER}, the document states {ours} {KRONER}: a difference of"
        f" {abs(theirs - ours)}. {stands}",
        code="totals-differ",
        do="Leave the VAT in kroner out (BT-111) and let Visma Net state it, or mend the rate of the draft in Visma Net"
        " and retry; or delete the draft there and cancel this.",
        where={"document": str(row.get("referenceNumber")), "field": "totals.tax_in_accounting_currency"},
        details={
            "currency": KRONER,
            "ours": {"vat": str(ours)},
            "theirs": {"vat": str(theirs)},
            "difference": str(abs(theirs - ours)),
        },
    )


def _named(goal: Goal) -> str:
    return goal.kind.replace("_", " ")


_PLACED = ("customer", "credits", "inventory", "department", "project", "location", "dimensions")
"""What is written as something else: by number, and by where it stands."""


def _body(goal: Goal, customer_number: str, branch: str | None) -> dict[str, Any]:
    """The document as it is sent, before its values are wrapped. What Visma Net would guess is said."""
    form = records.SALES[goal.kind]
    body = sent(form.model, {name: value for name, value in goal.record.items() if name not in _PLACED})
    for name in ("documentDate", "documentDueDate"):
        if name in body:
            body[name] = day_of(body[name], name).isoformat() + "T00:00:00"
    if goal.issued is not None:
        body |= {
            "referenceNumber": _own_number(goal),
            "overrideNumberSeries": True,
            "paymentReference": goal.issued.kid,
        }
    return {
        "customerNumber": customer_number,
        **body,
        "externalReference": goal.marker,
        "hold": False,
        "sendToAutoInvoice": False,
        "dontPrint": True,
        "dontEmail": True,
        "branchNumber": branch,
        form.lines: [
            {"operation": "Insert", **sent(wire.InvoiceLine, {k: v for k, v in line.items() if k not in _PLACED})}
            for line in goal.record.get(form.lines) or ()
        ],
    }


def _own_number(goal: Goal) -> str:
    """The number it was issued with. Raises `Refused` ("number-unfit")."""
    number = goal.issued.number if goal.issued else ""
    if number and len(number) <= LONGEST and number == number.strip():
        return number
    raise Refused(
        f"A number in Visma Net has {LONGEST} characters at most; {number[:40]!r} does not fit.",
        code="number-unfit",
        do="Issue the document with a shorter number, or keep it off this route.",
        where={"field": "referenceNumber"},
    )


def _compare_issued(goal: Goal, row: Row) -> None:
    """Raises `Stop` ("number-differs", "kid-differs") unless the draft has number and KID as they were issued."""
    if goal.issued is None:
        return
    kid = row.get("paymentReference") or None
    if row.get("referenceNumber") == goal.issued.number and goal.issued.kid in (None, kid):
        return
    number_apart = row.get("referenceNumber") != goal.issued.number
    raise Stop(
        f"Visma Net has entered invoice {goal.issued.number} as {row.get('referenceNumber')} with KID {kid}, not"
        f" {goal.issued.kid}. It is a draft there, and nothing is released.",
        code="number-differs" if number_apart else "kid-differs",
        do="Mend the draft in Visma Net and retry; or delete it there and cancel this.",
        where={"document": str(row.get("referenceNumber"))},
    )


def totals_of(row: Row) -> dict[str, Decimal]:
    """What a document comes to there. Raises `VendorError` ("vendor-answer").

    Where a company does not validate totals on entry, a draft has no `amount` yet (absent, or nothing): what its lines
    and its rounding come to stands for it. How the rounding is signed is our inference; after the release `amount`
    tells, and is compared.
    """
    net, vat = (records.number(row, name, "a document") for name in ("detailTotal", "vatTotal"))
    net -= records.number({"discountTotal": 0, **row}, "discountTotal", "a document")
    gross = net + vat
    if row.get("status") in records.DRAFT and row.get("amount") in (None, 0):
        rounding = records.number({"roundingDiff": 0, **row}, "roundingDiff", "a document")
    else:
        rounding = records.number(row, "amount", "a document") - gross
    return {"net": net, "vat": vat, "gross": gross, "rounding": rounding}


def _compare(goal: Goal, row: Row, stands: str) -> None:
    """Raises `Stop` ("totals-differ") unless Visma Net comes to what the document says."""
    assert goal.totals is not None
    theirs = totals_of(row)
    ours = {name: getattr(goal.totals, name) for name in theirs}
    currency = records.text(row, "currencyId", "a document")
    if theirs == ours and currency == goal.totals.currency:
        _compare_kroner(goal.totals, row, stands)
        return
    raise Stop(
        f"Visma Net comes to {theirs['gross']} {currency} with VAT of {theirs['vat']}, the document to {ours['gross']}"
        f" {goal.totals.currency} with VAT of {ours['vat']} (rounded by {theirs['rounding']} and {ours['rounding']})."
        f" {stands}",
        code="totals-differ",
        do="See how VAT is rounded on both sides. Mend the draft in Visma Net and retry; or delete it there, cancel"
        " this, and post the document anew.",
        where={"document": str(row.get("referenceNumber"))},
        details={
            "currency": currency,
            "ours": {name: str(value) for name, value in ours.items()},
            "theirs": {name: str(value) for name, value in theirs.items()},
        },
    )
