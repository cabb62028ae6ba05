"""Bringing incoming invoices to Tripletex, by the interface that this customer's agreement allows.

* `pdf`: the readable page into the voucher reception (`importDocument`); anybody may.
* `ehf`: the EHF itself into the reception; by agreement with Tripletex only.
* `inbox`, `nonPosted`, `ledger`: `POST /incomingInvoice` with that `sendTo`; pilot customers only. The page is put on
  the voucher.

Tripletex receives EHF itself, too: first it is looked whether this very invoice is there, by supplier, number and
amount. Our marker is part of the file's name (a person may well change a voucher's text), and of the description where
it is ours to write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from adapters.accounting.tripletex import purchases
from adapters.accounting.tripletex.attachments import VoucherFiles, attached, plain_name, why_not
from adapters.accounting.tripletex.client import OSLO, Client
from adapters.accounting.tripletex.lookups import Lookups
from adapters.accounting.tripletex.records import not_as_described
from adapters.accounting.tripletex.sending import day_of, number_of
from connector.errors import Refused, Stop, UnknownOutcome, VendorError
from connector.model import round2
from connector.ports import File, Goal, Proof, Record, Run, Step

Way = Literal["off", "pdf", "ehf", "inbox", "nonPosted", "ledger"]
PILOT = ("inbox", "nonPosted", "ledger")
_WIDE = timedelta(days=366)
_DRAFTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/ledger/voucher/>voucherReception", {}),
    ("/ledger/voucher/>nonPosted", {"includeNonApproved": True}),
)


class Incoming:
    """Flows of incoming invoices.

    Args:
        way: the interface.
        account: number of the account that `ledger` books costs on (and drafts propose).
        most: bytes of a file.
    """

    def __init__(self, client: Client, lookups: Lookups, way: Way, account: int | None, most: int) -> None:
        self._client = client
        self._lookups = lookups
        self._way = way
        self._account = account
        self._most = most
        self._files = VoucherFiles(client)

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        self._can_be(goal)
        along, _ = self._along(goal)
        deliver = Step("voucher", self._create if self._way in PILOT else self._import, self._look)
        if self._way not in PILOT:
            main = _document(goal, self._way)
            if problem := why_not(main, self._most) if self._way == "pdf" else None:
                raise Refused(problem[1], code=problem[0])
        return (
            Step("there", self._there),
            self._with(deliver, goal),
            Step("document", self._held),
            *self._files.steps(along, "document"),
            self._with(Step("read", self._read), goal),
        )

    def _with(self, step: Step, goal: Goal) -> Step:
        """The step, whose calls see the files that come with the goal: those of a stored goal are gone."""

        def given(call: Any) -> Any:
            async def made(run: Run) -> Any:
                return await call(Run(_with_files(run.goal, goal.files), run.proofs, run.witness))

            return made

        return Step(step.name, given(step.call), given(step.look) if step.look else None)

    def _can_be(self, goal: Goal) -> None:
        if self._way == "off":
            raise Refused(
                "Incoming invoices are switched off for this connection.",
                code="incoming-off",
                do="Set `incoming` in the connection's settings to what the agreement with Tripletex allows.",
            )
        record = goal.record
        for field in ("invoiceNumber", "invoiceDate"):
            if not record.get(field):
                raise Refused(f"The invoice has no {field}.", code="field-missing", where={"field": field})
        number_of((record.get("supplier") or {}).get("id"), "supplier.id")
        if self._way != "ledger":
            return
        if not record.get("lines"):
            raise Refused(
                "What is bought cannot be booked by rule: a VAT category, a rate or a foreign seller that needs a"
                " person's eye.",
                code="lines-missing",
                do="Book it in Tripletex, or have such invoices sent to the reception (`incoming: inbox`).",
                where={"field": "lines"},
            )
        if self._account is None:
            raise Refused(
                "No account is named that purchases are booked on.",
                code="account-missing",
                do="Set `incoming_account` in the connection's settings, or `incoming: inbox`.",
            )

    def _along(self, goal: Goal) -> tuple[list[File], list[dict[str, str]]]:
        """The files that are put on the voucher, and those that stay behind, with the reason."""
        if self._way == "ehf":  # Tripletex unpacks it itself
            return [], []
        files = [_document(goal, "pdf")] if self._way in PILOT else []
        behind = []
        for file in attached(goal):
            if problem := why_not(file, self._most):
                behind.append({"file": file.name, "code": problem[0], "why": problem[1]})
            else:
                files.append(file)
        return files, behind

    # --- what Tripletex received itself -------------------------------------------------------------------------------

    async def _there(self, run: Run) -> Proof:
        """The voucher of this very invoice where Tripletex has it, else `-`. Raises `Stop` where that is not clear."""
        goal = run.goal
        found = [record for record in await self._registered(goal) if _same_kind(record, goal)]
        found += await self._in_reception(goal, {record.id for record in found})
        other = [record for record in found if record.body.get("amountCurrency") not in (None, _amount(goal))]
        if len(found) > 1 or other:
            raise Stop(
                f"Tripletex has the supplier's invoice {goal.record['invoiceNumber']} already: "
                + ", ".join(f"voucher {one.id} over {one.body.get('amountCurrency')}" for one in found)
                + f"; this one is over {_amount(goal)}.",
                code="invoice-in-ledger-differs",
                do="See which of them is right. Where nothing more is to be done in Tripletex, cancel this; else mend"
                " what is there and try again.",
                details={"vouchers": [one.id for one in found], "amount": str(_amount(goal))},
            )
        return Proof(found[0].id, {"found": True}) if found else Proof("-", {"found": False})

    async def _registered(self, goal: Goal) -> list[Record]:
        """Supplier invoices with the number of this one, of its supplier."""
        day = _day(goal)
        rows = await self._client.every(
            "/supplierInvoice",
            invoiceDateFrom=day - _WIDE,
            invoiceDateTo=day + _WIDE,
            supplierId=_supplier(goal),
            invoiceNumber=goal.record["invoiceNumber"],
            fields=purchases.SUPPLIER_INVOICE_FIELDS,
        )
        return [
            purchases.supplier_invoice(row) for row in rows if row.get("invoiceNumber") == goal.record["invoiceNumber"]
        ]

    async def _in_reception(self, goal: Goal, known: set[str]) -> list[Record]:
        """Vouchers in the reception whose EHF says that they are this invoice. Raises `Stop` ("perhaps-in-reception")
        for one with this number that does not say whose it is.
        """
        path = "/ledger/voucher/>voucherReception"
        number, own = goal.record["invoiceNumber"], (goal.record.get("supplier") or {}).get("organizationNumber")
        found = []
        for voucher in await self._client.every(path, fields=purchases.VOUCHER_FIELDS):
            if str(voucher["id"]) in known or voucher.get("vendorInvoiceNumber") not in (None, "", number):
                continue
            edi = voucher.get("ediDocument")
            if not edi and voucher.get("vendorInvoiceNumber") != number:
                continue
            said = await self.ehf_of(voucher)
            if said is None:
                if voucher.get("vendorInvoiceNumber") != number:
                    continue
                raise Stop(
                    f"A voucher in the reception ({voucher['id']}: {voucher.get('description')}) has the number"
                    f" {number}; whether it is of the same supplier cannot be read.",
                    code="perhaps-in-reception",
                    do="Register that voucher in Tripletex, then try again: it is compared with what is registered. Or"
                    " cancel this, where it is the same.",
                    details={"voucher": str(voucher["id"])},
                )
            record = purchases.in_reception(voucher, said)
            ours, theirs = (
                (own, said.organisation_number) if own else (_name(goal), (said.name or "").strip().casefold())
            )
            if ours == theirs and said.number == number and _same_kind(record, goal):
                found.append(record)
        return found

    async def ehf_of(self, voucher: Mapping[str, Any]) -> purchases.Said | None:
        """What the EHF of a voucher says, where it has one that can be read."""
        edi = voucher.get("ediDocument")
        if not isinstance(edi, Mapping) or type(edi.get("id")) is not int:
            return None
        content = await self._client.content(f"/document/{edi['id']}/content")
        return purchases.said_in(content) if content else None

    # --- into the reception -------------------------------------------------------------------------------------------

    async def _import(self, run: Run) -> Proof:
        there = run.proofs["there"]
        if there.facts["found"]:
            return there
        file = _document(run.goal, self._way)
        path, texts = "/ledger/voucher/importDocument", {}
        if self._way == "pdf":
            texts["description"] = _text(run.goal)
        answer = await self._client.upload("POST", path, file, params={"split": False}, **texts)
        try:
            made = answer.json().get("values")
        except (VendorError, AttributeError):
            made = None
        if not isinstance(made, list) or len(made) != 1 or type(made[0].get("id")) is not int:
            problem = not_as_described("values", "a list of one voucher", path)
            raise UnknownOutcome(problem.said, code=problem.code, where=problem.where, status=answer.status)
        return Proof(str(made[0]["id"]), {"found": False})

    async def _look(self, run: Run) -> Sequence[Proof]:
        """The voucher that has our marker, wherever it has got to meanwhile."""
        there = run.proofs["there"]
        if there.facts["found"]:
            return [there]
        for path, asked in _DRAFTS:
            rows = await self._client.every(path, fields=purchases.VOUCHER_FIELDS, **asked)
            if ours := [row for row in rows if _marked(row, run.goal.marker)]:
                return [_made(row) for row in ours]
        today = datetime.now(OSLO).date()
        rows = await self._client.every(
            "/ledger/voucher",
            dateFrom=min(_day(run.goal), today) - timedelta(days=7),
            dateTo=max(_day(run.goal), today) + timedelta(days=7),
            fields=purchases.VOUCHER_FIELDS,
        )
        return [_made(row) for row in rows if _marked(row, run.goal.marker)]

    # --- as pilot customers do ----------------------------------------------------------------------------------------

    async def _create(self, run: Run) -> Proof:
        there, goal = run.proofs["there"], run.goal
        if there.facts["found"]:
            return there
        record = goal.record
        header = {
            "vendorId": _supplier(goal),
            "invoiceNumber": record["invoiceNumber"],
            "invoiceDate": _day(goal).isoformat(),
            "dueDate": (day_of(record.get("invoiceDueDate")) or _day(goal)).isoformat(),
            "currencyId": await self._lookups.currency(record["currency"]["code"]),
            "invoiceAmount": _signed(goal, _amount(goal)),
            "description": f"{_text(goal)} ({goal.marker})",
        }
        body = {"invoiceHeader": header, "orderLines": await self._rows(goal)}
        path = "/incomingInvoice"
        answer = await self._client.call("POST", path, params={"sendTo": self._way}, json=body)
        try:
            value = answer.json().get("value")
        except (VendorError, AttributeError):
            value = None
        if not isinstance(value, dict) or type(value.get("voucherId")) is not int:
            problem = not_as_described("value.voucherId", "an integer", path)
            raise UnknownOutcome(problem.said, code=problem.code, where=problem.where, status=answer.status)
        return Proof(str(value["voucherId"]), {"found": False})

    async def _rows(self, goal: Goal) -> list[dict[str, Any]]:
        lines = goal.record.get("lines") or ()
        if self._account is None or not lines:
            return []
        account = await self._lookups.account(self._account)
        rows: list[dict[str, Any]] = []
        for line in lines:
            code = str((line.get("vatType") or {}).get("number") or "")
            rate = Decimal(line.get("vatRate") or 0)
            vat = await self._lookups.vat_type(code, _day(goal), purchase=True) if code else None
            parts = split(Decimal(line["amountExcludingVatCurrency"]), Decimal(line["vatAmountCurrency"]), rate)
            for amount, taxed in parts:
                row = {"row": len(rows) + 1, "externalId": f"{goal.marker}-{len(rows) + 1}", "accountId": account,
                       "amountInclVat": _signed(goal, amount)}  # fmt: skip
                rows.append(row | ({"vatTypeId": vat} if taxed and vat is not None else {}))
        return rows

    # --- the end ------------------------------------------------------------------------------------------------------

    async def _held(self, run: Run) -> Proof:
        """What the voucher has for a document before anything is added to it."""
        voucher = run.proofs["voucher"]
        if voucher.facts.get("found"):
            return Proof(voucher.id, {"document": [None, None], "found": True})
        return await self._files.held(voucher.id)

    async def _read(self, run: Run) -> Proof:
        record = await self.read(run.proofs["voucher"].id)
        if record is None:
            raise Stop(
                f"The voucher {run.proofs['voucher'].id} is no longer in Tripletex.",
                code="voucher-gone",
                do="See in Tripletex what became of it: somebody has deleted it. Then cancel this, or post it anew.",
            )
        facts: dict[str, Any] = {"number": run.goal.record["invoiceNumber"]}
        if run.proofs["voucher"].facts.get("found"):
            facts["found"] = True
        elif behind := self._along(run.goal)[1]:
            facts["left_out"] = behind
        net = record.body.get("amountExcludingVatCurrency")
        if self._way == "ledger" and net is not None and not facts.get("found"):
            _compare(run.goal, record, Decimal(net))
        return Proof(record.id, facts, record)

    async def read(self, voucher: str) -> Record | None:
        """An incoming invoice by its voucher: from the register, else as it lies in the reception."""
        rows = await self._client.every(
            "/supplierInvoice",
            invoiceDateFrom=date(2000, 1, 1),
            invoiceDateTo=date(2100, 1, 1),
            voucherId=voucher,
            fields=purchases.SUPPLIER_INVOICE_FIELDS,
        )
        for row in rows:
            if str((row.get("voucher") or {}).get("id")) == voucher:
                return purchases.supplier_invoice(row)
        try:
            there = await self._client.get(f"/ledger/voucher/{voucher}", fields=purchases.VOUCHER_FIELDS)
        except Refused as exc:
            if exc.code != "vendor-not-found":
                raise
            return None
        return purchases.in_reception(there, await self.ehf_of(there))


def split(net: Decimal, vat: Decimal, rate: Decimal) -> list[tuple[Decimal, bool]]:
    """Rows with VAT in them, and whether VAT is to be taken out, that come to exactly this net and VAT.

    Tripletex takes the VAT out of a row by its rate. Where an invoice states another VAT (rules allow less than a
    krone), the row is made as large as the stated VAT asks for, and the rest is a row without VAT: booked as stated.
    """
    gross = net + vat
    if rate == 0 or _within(gross, rate) == vat:
        return [(gross, rate != 0)]
    taxed = round2(vat * (100 + rate) / rate)
    return [(taxed, True), (gross - taxed, False)]


def _within(gross: Decimal, rate: Decimal) -> Decimal:
    return round2(gross * rate / (100 + rate))


def _compare(goal: Goal, record: Record, net: Decimal) -> None:
    assert goal.totals is not None
    if net != goal.totals.net:
        raise Stop(
            f"Tripletex has booked {net} without VAT, the invoice states {goal.totals.net}. It is booked.",
            code="totals-differ",
            do="Correct the voucher in Tripletex, then say that it happened, or cancel this.",
            where={"voucher": record.id},
            details={"ours": {"net": str(goal.totals.net)}, "theirs": {"net": str(net)}},
        )


def _with_files(goal: Goal, files: Sequence[File]) -> Goal:
    return Goal(goal.kind, goal.operation, goal.marker, goal.record, goal.totals, goal.target, files)


def _document(goal: Goal, way: str) -> File:
    """The file that is delivered, our marker in its name. Raises `Refused` where the goal comes without it."""
    role, ending = ("original", "xml") if way == "ehf" else ("page", "pdf")
    for file in goal.files:
        if file.role == role:
            number = plain_name(str(goal.record["invoiceNumber"]))[:40]
            return File(f"{number}-{goal.marker}.{ending}", file.media_type, file.content, file.role)
    raise Refused(f"The invoice comes without its {role}.", code="document-missing")


def _text(goal: Goal) -> str:
    what = "Kreditnota" if goal.record.get("isCreditNote") else "Faktura"
    name = (goal.record.get("supplier") or {}).get("name")
    return f"{what} {goal.record['invoiceNumber']}" + (f" fra {name}" if name else "")


def _marked(voucher: Mapping[str, Any], marker: str) -> bool:
    files = [voucher.get(name) or {} for name in ("attachment", "ediDocument")]
    texts = [voucher.get("description"), *(file.get("fileName") for file in files)]
    return any(marker in str(text) for text in texts if text)


def _made(row: Mapping[str, Any]) -> Proof:
    return Proof(str(row["id"]), {"found": False})


def _name(goal: Goal) -> str:
    return str(goal.record["supplier"].get("name") or "").strip().casefold()


def _same_kind(record: Record, goal: Goal) -> bool:
    return bool(record.body.get("isCreditNote")) == bool(goal.record.get("isCreditNote"))


def _signed(goal: Goal, amount: Decimal) -> Decimal:
    return -amount if goal.record.get("isCreditNote") else amount


def _amount(goal: Goal) -> Decimal:
    return Decimal(goal.record.get("amountCurrency") or 0)


def _day(goal: Goal) -> date:
    day = day_of(goal.record["invoiceDate"])
    assert day is not None
    return day


def _supplier(goal: Goal) -> int:
    return number_of(goal.record["supplier"]["id"], "supplier.id")
