"""Bringing incoming invoices to Visma Net: field by field, the readable page and the EHF beside them.

Visma Net takes no EHF from us, and receives EHF itself (AutoInvoice): first it is looked whether this very invoice is
there, by supplier, number and amount. Our marker stands in `note`, which can be read and not searched: the supplier's
invoices are read and compared.

A document is made on hold for a person to finish, or released, as the setting `incoming` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from adapters.accounting.visma_net import records
from adapters.accounting.visma_net.client import Client, segment
from adapters.accounting.visma_net.files import Files
from adapters.accounting.visma_net.lines import Lines
from adapters.accounting.visma_net.releasing import Releasing
from adapters.accounting.visma_net.sending import day_of, in_ore
from adapters.accounting.visma_net.wrapping import wrapped
from connector.errors import Refused, Stop
from connector.ports import Goal, Proof, Run, Step

Row = Mapping[str, Any]
Way = Literal["off", "hold", "release"]
PATH = "/v1/supplierInvoice"


class Purchases:
    """Flows of incoming invoices.

    Args:
        way: what is done with one.
        account: number of the account that purchases are booked on.
        branch: whose documents they are, where that is said.
    """

    def __init__(
        self,
        client: Client,
        releasing: Releasing,
        files: Files,
        lines: Lines,
        *,
        way: Way,
        account: str | None,
        branch: str | None,
    ) -> None:
        self._client = client
        self._lines = lines
        self._releasing = releasing
        self._files = files
        self._way: Way = way
        self._account, self._branch = account, branch

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        self._can_be(goal)
        release = [Step("release", self._release, self._released)] if self._way == "release" else []
        return (
            Step("there", self._there, reads=True),
            Step("document", self._create, self._look),
            *self._files.steps(goal, _path, _attachments),
            *release,
            Step("read", self._read),
        )

    def _can_be(self, goal: Goal) -> None:
        if self._way == "off":
            raise Refused(
                "Incoming invoices are switched off for this connection.",
                code="incoming-off",
                do="Set `incoming` in the connection's settings.",
            )
        record = goal.record
        for field in ("supplierReference", "date", "amount"):
            if not record.get(field):
                raise Refused(f"The invoice has no {field}.", code="field-missing", where={"field": field})
        _supplier(goal)
        day_of(record["date"], "date")
        if not record.get("lines") and self._way == "release":
            raise Refused(
                "What is bought cannot be booked by rule: a VAT category, a rate, another currency or a foreign seller"
                " that needs a person's eye.",
                code="lines-missing",
                do="Book it in Visma Net, or have such invoices made on hold (`incoming: hold`).",
                where={"field": "lines"},
            )
        self._lines.of_purchase(record)
        for place, line in enumerate(record.get("lines") or ()):
            if not line.get("vatCodeId"):
                raise Refused(
                    "A line names no vatCodeId; Visma Net would choose one itself.",
                    code="vat-code-missing",
                    do="Map it for every line.",
                    where={"field": f"lines[{place}].vatCodeId"},
                )
        if record.get("lines") and not self._account:
            raise Refused(
                "No account is named that purchases are booked on.",
                code="account-missing",
                do="Set `incoming_account` in the connection's settings.",
            )

    # --- made -----------------------------------------------------------------------------------------------------

    async def _there(self, run: Run) -> Proof:
        """The very invoice where Visma Net has it, else `-`. Raises `Stop` where that is not clear."""
        goal = run.goal
        wanted = in_ore(goal.record["amount"], "amount")
        found = [row for row in await self._of_supplier(goal) if row.get("supplierReference") == _reference(goal)]
        if len(found) > 1 or any(records.number(row, "amount", PATH) != wanted for row in found):
            raise Stop(
                f"Visma Net has the supplier's invoice {_reference(goal)} already: "
                + ", ".join(f"{row.get('referenceNumber')} over {row.get('amount')}" for row in found)
                + f"; this one is over {wanted}.",
                code="invoice-in-ledger-differs",
                do="See which of them is right. Where nothing more is to be done in Visma Net, cancel this; else mend"
                " what is there and try again.",
                details={"documents": [str(row.get("referenceNumber")) for row in found], "amount": str(wanted)},
            )
        return Proof(str(found[0]["referenceNumber"]), {"found": True}) if found else Proof("-", {"found": False})

    async def _of_supplier(self, goal: Goal) -> list[Row]:
        """The supplier's documents of this type from the year of the invoice on; number series may begin anew."""
        year = day_of(goal.record["date"], "date").replace(month=1, day=1).isoformat()
        asked = {"supplier": _supplier(goal), "docDate": year, "docDateCondition": ">=", "expandNote": True}
        rows = await self._client.every(PATH, **asked)
        return [row for row in rows if row.get("documentType") == _type(goal) and row.get("status") != "Voided"]

    async def _create(self, run: Run) -> Proof:
        there = run.proofs["there"]
        if there.facts["found"]:
            return there
        return Proof(await self._client.create(PATH, wrapped(self._body(run.goal))), {"found": False})

    def _body(self, goal: Goal) -> dict[str, Any]:
        record = goal.record
        rows = _by_code(record.get("lines") or ())
        return {
            "documentType": _type(goal),
            "hold": True,
            "supplierNumber": _supplier(goal),
            "supplierReference": _reference(goal),
            "date": f"{day_of(record['date'], 'date')}T00:00:00",
            "dueDate": f"{day_of(record.get('dueDate') or record['date'], 'dueDate')}T00:00:00",
            "currencyId": record.get("currencyId"),
            "paymentRefNo": record.get("paymentRefNo"),
            "amount": in_ore(record["amount"], "amount"),
            "branchNumber": self._branch,
            "note": goal.marker,
            "invoiceLines": [
                {"operation": "Insert", "transactionDescription": f"Faktura {_reference(goal)}", "quantity": 1,
                 "unitCostInCurrency": net, "costInCurrency": net, "accountNumber": self._account, "vatCodeId": code,
                 **self._lines.of_purchase(record)}
                for code, (net, _) in rows.items()
            ],
            # The VAT as the invoice states it, not as a rate makes it.
            "taxDetailLines": [
                {"taxId": code, "taxableAmount": net, "vatAmount": vat} for code, (net, vat) in rows.items()
            ],
        }  # fmt: skip

    async def _look(self, run: Run) -> Sequence[Proof]:
        """What has our marker."""
        if (there := run.proofs["there"]).facts["found"]:
            return [there]
        ours = [row for row in await self._of_supplier(run.goal) if row.get("note") == run.goal.marker]
        return [Proof(str(row["referenceNumber"]), {"found": False}) for row in ours]

    # --- released -------------------------------------------------------------------------------------------------

    async def _release(self, run: Run) -> Proof:
        """Off hold, compared and released; what Visma Net had already is left to whoever has it in hand there."""
        document = run.proofs["document"]
        row = await self._client.get(_path(run))
        if document.facts["found"] or row.get("status") in records.RELEASED:
            return Proof(document.id)
        _compare(run.goal, row)
        if row.get("status") == "Hold":
            await self._client.call("PUT", _path(run), json=wrapped({"hold": False}))
        return Proof(document.id, await self._releasing.ask(f"{_path(run)}/action/release"))

    async def _released(self, run: Run) -> Sequence[Proof]:
        row = await self._client.get(_path(run))
        return [] if row.get("status") in records.DRAFT else [Proof(run.proofs["document"].id)]

    async def _read(self, run: Run) -> Proof:
        row, document = await self._client.get(_path(run)), run.proofs["document"]
        if "release" in run.proofs and not document.facts["found"]:
            await self._releasing.wait(row, run.proofs["release"].facts, f"supplier invoice {document.id}")
        record = records.supplier_invoice(row, self._lines.places)
        facts: dict[str, Any] = {"number": _reference(run.goal)}
        return Proof(record.id, facts | ({"found": True} if document.facts["found"] else {}), record)


def _by_code(lines: Sequence[Row]) -> dict[str, tuple[Decimal, Decimal]]:
    """Net and VAT of a purchase by VAT code, each code once: several groups of an invoice (exempt and zero rated, say)
    may have one code here.
    """
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for line in lines:
        net, vat = sums.get(str(line["vatCodeId"]), (Decimal(0), Decimal(0)))
        more = in_ore(line["costInCurrency"], "costInCurrency"), in_ore(line["vatAmount"], "vatAmount")
        sums[str(line["vatCodeId"])] = net + more[0], vat + more[1]
    return sums


def _compare(goal: Goal, row: Row) -> None:
    """Raises `Stop` ("totals-differ") unless Visma Net comes to what the invoice states."""
    wanted = in_ore(goal.record["amount"], "amount")
    stated = sum((in_ore(one["vatAmount"], "vatAmount") for one in goal.record.get("lines") or ()), Decimal(0))
    vat = records.number(row, "vatTotal", PATH)
    gross = records.number(row, "detailTotal", PATH) + vat
    if (gross, vat) == (wanted, stated):
        return
    raise Stop(
        f"Visma Net comes to {gross} with VAT of {vat}, the invoice states {wanted} with VAT of {stated}. It is on hold"
        " there, and nothing is released.",
        code="totals-differ",
        do="Finish it in Visma Net and retry; or delete it there and cancel this.",
        where={"document": str(row.get("referenceNumber"))},
        details={"ours": {"gross": str(wanted), "vat": str(stated)}, "theirs": {"gross": str(gross), "vat": str(vat)}},
    )


def _type(goal: Goal) -> str:
    return str(goal.record.get("documentType") or "Invoice")


def _reference(goal: Goal) -> str:
    return str(goal.record["supplierReference"])


def _supplier(goal: Goal) -> str:
    """The number of the supplier. Raises `Refused` ("link-missing")."""
    number = (goal.record.get("supplier") or {}).get("number")
    if number:
        return str(number)
    raise Refused(
        "The invoice names no supplier in Visma Net.",
        code="link-missing",
        do="See that the supplier has been brought to Visma Net first.",
        where={"field": "supplier.number"},
    )


def _path(run: Run) -> str:
    return f"{PATH}/{_type(run.goal)}/{segment(run.proofs['document'].id)}"


def _attachments(run: Run) -> str:
    return f"{PATH}/documentType/{_type(run.goal)}/{segment(run.proofs['document'].id)}/attachment"
