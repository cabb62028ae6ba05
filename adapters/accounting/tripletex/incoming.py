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
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from adapters.accounting.tripletex import purchases
from adapters.accounting.tripletex.attachments import VoucherFiles, attached, plain_name, why_not
from adapters.accounting.tripletex.client import OSLO, Client
from adapters.accounting.tripletex.kroner import stated_vat, vat_differs
from adapters.accounting.tripletex.lookups import Lookups
from adapters.accounting.tripletex.ore import ORE, tax_of
from adapters.accounting.tripletex.received import Received, amount_of, dated, supplier_of
from adapters.accounting.tripletex.records import not_as_described
from adapters.accounting.tripletex.sending import day_of, number_of
from connector.errors import Refused, Stop, UnknownOutcome, VendorError
from connector.model import round2
from connector.ports import File, Goal, Proof, Record, Run, Step

Way = Literal["off", "pdf", "ehf", "inbox", "nonPosted", "ledger"]
PILOT = ("inbox", "nonPosted", "ledger")
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

    def __init__(
        self, client: Client, lookups: Lookups, received: Received, way: Way, account: int | None, most: int
    ) -> None:
        self._client = client
        self._lookups = lookups
        self._received = received
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
            Step("there", self._received.there, reads=True),
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
            dateFrom=min(dated(run.goal), today) - timedelta(days=7),
            dateTo=max(dated(run.goal), today) + timedelta(days=7),
            fields=purchases.VOUCHER_FIELDS,
        )
        return [_made(row) for row in rows if _marked(row, run.goal.marker)]

    # --- as pilot customers do ----------------------------------------------------------------------------------------

    async def _create(self, run: Run) -> Proof:
        there, goal = run.proofs["there"], run.goal
        if there.facts["found"]:
            return there
        if self._way == "ledger":
            await self._compare_kroner(goal)
        record = goal.record
        header = {
            "vendorId": supplier_of(goal),
            "invoiceNumber": record["invoiceNumber"],
            "invoiceDate": dated(goal).isoformat(),
            "dueDate": (day_of(record.get("invoiceDueDate")) or dated(goal)).isoformat(),
            "currencyId": await self._lookups.currency(record["currency"]["code"]),
            "invoiceAmount": _signed(goal, amount_of(goal)),
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

    async def _compare_kroner(self, goal: Goal) -> None:
        """Raises `Stop` (`totals-differ`) where the invoice states another VAT in kroner (BT-111) than Tripletex would
        book by its own rate; a few øre of rounding are none.
        """
        if goal.totals is None or (ours := stated_vat(goal.totals)) is None:
            return
        rate = await self._lookups.rate(goal.totals.currency, dated(goal))
        rows = [
            (amount, Decimal(line.get("vatRate") or 0))
            for line in goal.record.get("lines") or ()
            for amount, taxed in _parts(line)
            if taxed
        ]
        theirs = sum((tax_of(round2(amount * rate), percent) for amount, percent in rows), Decimal(0))
        if abs(theirs - ours) <= len(rows) * (rate + 1) * ORE / 2:
            return
        raise vat_differs(
            theirs,
            ours,
            {"field": "totals.tax_in_accounting_currency"},
            "Nothing is booked.",
            "What may be deducted is the VAT that the invoice states: register it in Tripletex by hand with that, and"
            " link it (--link 2027/1043); or have the rate in Tripletex mended, and retry.",
        )

    async def _rows(self, goal: Goal) -> list[dict[str, Any]]:
        lines = goal.record.get("lines") or ()
        if self._account is None or not lines:
            return []
        account = await self._lookups.account(self._account)
        rows: list[dict[str, Any]] = []
        for line in lines:
            code = str((line.get("vatType") or {}).get("number") or "")
            vat = await self._lookups.vat_type(code, dated(goal), purchase=True) if code else None
            for amount, taxed in _parts(line):
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
        record = await self._received.read(run.proofs["voucher"].id)
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


def _parts(line: Mapping[str, Any]) -> list[tuple[Decimal, bool]]:
    rate = Decimal(line.get("vatRate") or 0)
    return split(Decimal(line["amountExcludingVatCurrency"]), Decimal(line["vatAmountCurrency"]), rate)


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
    return replace(goal, files=files)


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


def _signed(goal: Goal, amount: Decimal) -> Decimal:
    return -amount if goal.record.get("isCreditNote") else amount
