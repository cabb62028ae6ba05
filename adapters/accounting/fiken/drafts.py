"""What invoices and credit notes are drafted from: the request, and what can be known before it is sent."""

from __future__ import annotations

from typing import Any

from adapters.accounting.fiken import wire
from adapters.accounting.fiken.lookups import Lookups
from adapters.accounting.fiken.records import Row
from adapters.accounting.fiken.sending import day_of, id_of, lines_of, sent, uuid_of
from connector.errors import Refused
from connector.ports import Goal, Kind


def check(goal: Goal) -> None:
    """Whether a goal can be drafted at all. Raises `Refused`, also where a text has no room ("text-too-long")."""
    if goal.totals is None:
        raise Refused("The document comes without totals to compare with.", code="totals-missing")
    issued = day_of(goal.record.get("issueDate"), "issueDate")
    if "dueDate" in goal.record:
        due = day_of(goal.record["dueDate"], "dueDate")
        if due < issued:
            raise Refused(
                f"It is due on {due}, before its own date {issued}; Fiken counts days from the date.",
                code="due-before-invoice",
                do="Mend the due date.",
                where={"field": "dueDate"},
            )
    if not goal.record.get("lines"):
        raise Refused("It has no lines.", code="lines-missing", where={"field": "lines"})
    sent(wire.CreditNote if goal.kind is Kind.CREDIT_NOTE else wire.Invoice, goal.record)


async def accounts(record: Row, lookups: Lookups) -> None:
    """Raises `Stop` ("account-unknown") where an income account cannot be booked on."""
    for place, line in enumerate(record["lines"]):
        await lookups.open_account(str(line["incomeAccount"]), f"lines[{place}].incomeAccount")


def request(goal: Goal, type: str, *, text: str) -> dict[str, Any]:
    """A draft as it is sent, with our uuid; `text`: the field of the record that is printed above the lines."""
    record = goal.record
    issued = day_of(record.get("issueDate"), "issueDate")
    due = day_of(record["dueDate"], "dueDate") if record.get("dueDate") else issued
    body: dict[str, Any] = {
        "type": type,
        "uuid": uuid_of(goal.marker),
        "issueDate": issued.isoformat(),
        "daysUntilDueDate": (due - issued).days,
        "customerId": id_of((record.get("customer") or {}).get("contactId"), "customer.contactId"),
        "lines": lines_of(record),
        "currency": record.get("currency") or "NOK",
        "invoiceText": record.get(text),
        "projectId": (record.get("project") or {}).get("projectId"),
        **{name: record.get(name) for name in ("yourReference", "orderReference", "roundingType")},
    }
    return {name: value for name, value in body.items() if value is not None}
