"""What a mapping file costs beside Python written by hand that fills the same fields, both ways, in one run.

    python -m benchmarks.mapping

Then: how long the check of all that is shipped takes, with the laws on the bundled documents, on one core (limit 5 s;
the start of the program does not count).

The document is an invoice with ten lines, as `model_dump()` gives it. The hand-written functions do what the shipped
file says and no more: the same fields, the same tables, the same refusals. Bound: 3× on the way out and on the way in.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from connector import plugins
from connector.errors import Stop
from connector.mapping import load
from connector.model import Draft, Line, Party, PaymentMeans, compose

BOUND = 3.0
CHECK_BOUND = 5.0
SYSTEM = "tripletex"
ROUNDS, CALLS = 300, 30

VAT_CODES = {code: code for code in ("3", "31", "32", "33", "5", "51", "52", "6", "7")}
BY_CATEGORY: dict[tuple[str | None, Decimal | None], str] = {
    ("S", Decimal(25)): "3",
    ("S", Decimal(15)): "31",
    ("S", Decimal("11.11")): "32",
    ("S", Decimal(12)): "33",
    ("Z", Decimal(0)): "5",
    ("AE", Decimal(0)): "51",
    ("G", Decimal(0)): "52",
    ("E", Decimal(0)): "6",
    ("O", None): "7",
}
CATEGORY_OF = {code: key for key, code in BY_CATEGORY.items()}


class Linked:
    """One customer, known on both sides."""

    def vendor_id(self, kind: str, ours: Any) -> str:
        return "77"

    def our_id(self, kind: str, vendor_id: str) -> Any:
        return {"name": "Kunde AS"}


def by_hand_out(d: dict[str, Any], context: Linked) -> dict[str, Any]:
    """The invoice as an order, as one would write it."""
    if d["direction"] == "incoming" or d["kind"] == "credit_note" or d["type_code"] != "380":
        raise Stop("not a sale")
    if d["issue_date"] is None or d["allowances_charges"] or d["payee"] or d["tax_representative"]:
        raise Stop("cannot be expressed")
    totals = d["totals"]
    if d["tax_point_date"] or (totals and totals["prepaid"]) or any(d["dimensions"].values()):
        raise Stop("cannot be expressed")
    if any(line["vat_category"] in ("E", "O") and line["vat_code"] is None for line in d["lines"]) and any(
        line["vat_category"] == "S" for line in d["lines"]
    ):
        raise Stop("ambiguous")
    invoice = {"invoiceDate": d["issue_date"].isoformat()}
    if d["due_date"] is not None:
        invoice["invoiceDueDate"] = d["due_date"].isoformat()
    order: dict[str, Any] = {
        "customer": {"id": int(context.vendor_id("customer", d["buyer"]))},
        "currency": {"code": d["currency"]},
        "isPrioritizeAmountsIncludingVat": False,
    }
    reference = d["buyer_reference"] or d["order_reference"]
    if reference is not None:
        order["reference"] = reference
    delivery = d["delivery"]
    if delivery is not None and delivery["day"] is not None:
        order["deliveryDate"] = delivery["day"].isoformat()
    if d["notes"]:
        if len(d["notes"]) > 1:
            raise Stop("several notes")
        order["invoiceComment"] = d["notes"][0]
    lines = []
    for number, line in enumerate(d["lines"]):
        if line["allowances_charges"] or line["base_quantity"] not in (None, 1) or any(line["dimensions"].values()):
            raise Stop("cannot be expressed", where={"field": f"lines[{number}]"})
        made: dict[str, Any] = {}
        name, description = line["name"], line["description"]
        if description is not None:
            if name is None or "\n" in name:
                raise Stop("cannot be joined", where={"field": f"lines[{number}].name"})
            name = f"{name}\n{description}"
        if name is not None:
            made["description"] = name
        if line["quantity"] is not None:
            made["count"] = line["quantity"]
        if line["price"] is not None:
            made["unitPriceExcludingVatCurrency"] = line["price"]
        code = line["vat_code"]
        try:
            if code is None and line["vat_category"] is not None:
                code = BY_CATEGORY[line["vat_category"], line["vat_rate"]]
            if code is not None:
                made["vatType"] = {"number": VAT_CODES[code]}
        except KeyError as error:
            raise Stop("no such code", where={"field": f"lines[{number}].vat_code"}) from error
        lines.append(made)
    order["orderLines"] = lines
    return {"invoice": invoice, "order": order}


def by_hand_into(r: dict[str, Any], context: Linked) -> dict[str, Any]:
    """The fields an invoice record shows, as one would write it."""
    made: dict[str, Any] = {"direction": "outgoing"}
    order, invoice = r.get("order") or {}, r.get("invoice") or {}
    if "invoiceDate" in invoice:
        made["issue_date"] = date.fromisoformat(invoice["invoiceDate"])
    if "invoiceDueDate" in invoice:
        due = invoice["invoiceDueDate"]
        made["due_date"] = date.fromisoformat(due) if due else None
    if "currency" in order:
        made["currency"] = order["currency"]["code"]
    if "customer" in order:
        made["buyer"] = context.our_id("customer", str(order["customer"]["id"]))
    if "reference" in order:
        made["buyer_reference"] = (order["reference"] or "").strip() or None
    if "deliveryDate" in order:
        day = order["deliveryDate"]
        made["delivery"] = {"day": date.fromisoformat(day) if day else None}
    if "invoiceComment" in order:
        made["notes"] = (order["invoiceComment"],) if order["invoiceComment"] else ()
    lines = []
    for line in order.get("orderLines") or ():
        one: dict[str, Any] = {}
        if "id" in line:
            one["id"] = str(line["id"])
        if "description" in line:
            name, _, description = (line["description"] or "").partition("\n")
            one["name"], one["description"] = name or None, description or None
        if "count" in line:
            one["quantity"] = Decimal(line["count"])
        if "unitPriceExcludingVatCurrency" in line:
            one["price"] = Decimal(line["unitPriceExcludingVatCurrency"])
        vat = line.get("vatType")
        if vat and "number" in vat:
            one["vat_code"] = VAT_CODES[vat["number"]]
            one["vat_category"], one["vat_rate"] = CATEGORY_OF[one["vat_code"]]
        if "amountExcludingVatCurrency" in line:
            one["net"] = Decimal(line["amountExcludingVatCurrency"])
        if line.get("discount"):
            one["allowances_charges"] = ({"is_charge": False, "percent": Decimal(line["discount"])},)
        lines.append(one)
    made["lines"] = tuple(lines)
    if "invoiceNumber" in invoice:
        made["number"] = str(invoice["invoiceNumber"])
    if "kid" in invoice:
        made["payment_means"] = ({"payment_id": invoice["kid"], "code": "30"},)
    made["totals"] = {
        ours: Decimal(invoice[theirs])
        for ours, theirs in (
            ("tax_exclusive", "amountExcludingVatCurrency"),
            ("rounding", "amountRoundoffCurrency"),
            ("payable", "amountCurrency"),
        )
        if theirs in invoice
    }
    if "isCreditNote" in invoice:
        made["kind"] = "credit_note" if invoice["isCreditNote"] else "invoice"
        made["type_code"] = "381" if invoice["isCreditNote"] else "380"
    return made


def document() -> dict[str, Any]:
    """An invoice with ten lines and the things an everyday invoice has."""
    lines = tuple(
        Line(
            id=str(number),
            name=f"Rådgivning {number}",
            quantity=Decimal(number),
            price=Decimal("1020.50"),
            vat_category="S",
            vat_rate=Decimal(25 if number % 2 else 15),
            vat_code="3" if number % 2 else None,
        )
        for number in range(1, 11)
    )
    draft = Draft(
        issue_date=date(2027, 1, 15),
        due_date=date(2027, 1, 29),
        currency="NOK",
        buyer_reference="Kari",
        notes=("Takk for handelen",),
        seller=Party.norwegian("923609016", "Selger AS"),
        buyer=Party.norwegian("974760673", "Kunde AS"),
        payment_means=(PaymentMeans(code="30"),),
        lines=lines,
    )
    return compose(draft).model_dump()


def record(made: dict[str, Any]) -> dict[str, Any]:
    """What the ledger shows of it once it is numbered."""
    lines = [
        {**line, "id": 500 + number, "discount": 0, "amountExcludingVatCurrency": Decimal("1020.50")}
        for number, line in enumerate(made["order"]["orderLines"])
    ]
    invoice = {
        **made["invoice"],
        "invoiceNumber": 10017,
        "kid": "0000100172",
        "amountCurrency": Decimal("12500.00"),
        "amountExcludingVatCurrency": Decimal("10160.00"),
        "isCreditNote": False,
    }
    return {"invoice": invoice, "order": {**made["order"], "orderLines": lines}}


def ratio(mapped: Callable[[], Any], by_hand: Callable[[], Any]) -> tuple[float, float]:
    """The least microseconds of both, taken in turn: what the machine does besides only ever adds."""
    least = [float("inf"), float("inf")]
    for _ in range(ROUNDS):
        for place, function in enumerate((mapped, by_hand)):
            begun = time.perf_counter()
            for _ in range(CALLS):
                function()
            least[place] = min(least[place], (time.perf_counter() - begun) / CALLS * 1e6)
    return least[0], least[1]


def main() -> int:
    """Print both ratios; 1 where one is over the bound."""
    mapper = load(SYSTEM, plugins=plugins.accounting())["invoice"]
    context, ours = Linked(), document()
    made = mapper.out(ours, context)
    theirs = record(made)
    assert made == by_hand_out(ours, context)
    assert mapper.into(theirs, context) == by_hand_into(theirs, context)
    gc.disable()
    worst = 0.0
    for name, mapped, hand in (
        ("out", lambda: mapper.out(ours, context), lambda: by_hand_out(ours, context)),
        ("into", lambda: mapper.into(theirs, context), lambda: by_hand_into(theirs, context)),
    ):
        took, beside = ratio(mapped, hand)
        times = took / beside
        worst = max(worst, times)
        print(f"mapping {name:5} {took:6.1f} µs for ten lines, by hand {beside:6.1f} µs: {times:.2f}× (bound {BOUND}×)")
    gc.enable()
    took, tried = checked()
    print(f"check   all shipped mappings, laws on {tried} documents: {took:.2f} s of one core (bound {CHECK_BOUND} s)")
    return int(worst > BOUND or took > CHECK_BOUND)


def checked() -> tuple[float, int]:
    """Seconds of processor time that `check` takes in a process that has done nothing yet; documents tried."""
    ran = subprocess.run([sys.executable, "-c", CHECK], check=True, capture_output=True, text=True)
    took, tried = ran.stdout.split()
    return float(took), int(tried)


CHECK = """
import time
from connector import plugins
from connector.mapping.check import check
installed = plugins.accounting()
began = time.process_time()
report = check(plugins=installed)
took = time.process_time() - began
assert report.fine, [str(problem) for problem in report.problems]
print(took, sum(one.documents for one in report.tried.values()))
"""


if __name__ == "__main__":
    raise SystemExit(main())
