"""Entering invoices that were issued elsewhere among Tripletex' own, under the number they have.

For customers that invoice nothing inside Tripletex: its own series cannot step over a number of ours. As for invoices
that Tripletex numbers, an order carries our marker and its totals are compared first; then `POST /invoice` takes the
order with number and KID. Both are read back: a number or KID that Tripletex has changed is a stop.
"""

from __future__ import annotations

from collections.abc import Sequence

from adapters.accounting.tripletex.client import Client
from adapters.accounting.tripletex.invoices import Invoices, dates
from connector.errors import Refused, Stop
from connector.ports import Goal, Proof, Run, Step

HIGHEST = 2**31 - 1
"""`Invoice.invoiceNumber` is an int32."""


class Registered:
    """Flows of invoices with a number of their own."""

    def __init__(self, client: Client, invoices: Invoices) -> None:
        self._client = client
        self._invoices = invoices

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused` ("number-not-numeric", and as for invoices)."""
        _number(goal)
        order, invoice, read = self._invoices.flow(goal)
        return order, Step(invoice.name, self._create, invoice.look), Step(read.name, self._read)

    async def _create(self, run: Run) -> Proof:
        goal, order = run.goal, run.proofs["order"].id
        assert goal.issued is not None
        await self._invoices.compare_order(order, goal)
        day, due = dates(goal)
        body = {
            "invoiceNumber": _number(goal),
            "invoiceDate": day.isoformat(),
            "invoiceDueDate": None if due is None else due.isoformat(),
            "kid": goal.issued.kid,
            "orders": [{"id": int(order)}],
        }
        try:
            made = await self._client.write(
                "POST",
                "/invoice",
                params={"sendToCustomer": False},
                json={name: value for name, value in body.items() if value is not None},
            )
        except Refused:
            # An order is invoiced once: where that has happened unseen, the refusal is the answer we had lost.
            there = await self._invoices.look(run)
            if len(there) == 1:
                return there[0]
            raise
        return Proof(str(made["id"]), {"number": made.get("invoiceNumber"), "kid": made.get("kid")})

    async def _read(self, run: Run) -> Proof:
        proof, goal = await self._invoices.read(run), run.goal
        assert goal.issued is not None
        ours = {"number": goal.issued.number, "kid": goal.issued.kid}
        theirs = {"number": str(proof.facts.get("number")), "kid": proof.facts.get("kid")}
        apart = [name for name, value in ours.items() if value and value != theirs[name]]
        if apart:
            raise Stop(
                f"Tripletex has entered invoice {ours['number']} with another {' and '.join(apart)}: "
                + ", ".join(f"{theirs[name]} for {ours[name]}" for name in apart)
                + ".",
                code="kid-differs" if apart == ["kid"] else "number-differs",
                do="Payments with the KID that the customer has would not be found: credit it in Tripletex and keep"
                " such invoices as vouchers (external_invoices: voucher); or say that it happened, with its id.",
                where={"invoice": proof.id},
                details={"ours": ours, "theirs": theirs},
            )
        return proof


def _number(goal: Goal) -> int:
    said = goal.issued.number if goal.issued else ""
    if not (said.isascii() and said.isdigit() and str(int(said)) == said and 0 < int(said) <= HIGHEST):
        raise Refused(
            f"Tripletex' invoices have whole numbers up to {HIGHEST}; {said!r} is none.",
            code="number-not-numeric",
            do="Keep such invoices as vouchers: external_invoices: voucher in the connection's settings.",
            where={"field": "number"},
        )
    return int(said)
