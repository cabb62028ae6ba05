"""What people do in Fiken itself, as calls of the sandbox's own: for trying by hand and for tests.

`GET /_sandbox/state`, `POST /_sandbox/payment`, `POST /_sandbox/invoice/send`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from adapters.accounting.fiken.sandbox.books import Books
from adapters.accounting.fiken.sandbox.errors import missing
from adapters.loopback import Request


def state(books: Books) -> dict[str, Any]:
    """How much of everything there is, and the balance of every account in kroner (they sum to zero)."""
    codes = sorted({code for voucher in books.vouchers for code, _ in voucher})
    return {
        "things": {type: len(things) for type, things in books.things.items()},
        "balance": {code: Decimal(books.balance(code)) / 100 for code in codes},
        "sent": len(books.outbox),
    }


def call(books: Books, what: str, request: Request) -> Any:
    """Do what is asked. Raises `Refused`, and `LookupError`, `ValueError`, `TypeError` where it makes no sense."""
    said = {**request.query, **(request.body if isinstance(request.body, dict) else {})}
    if what == "GET /_sandbox/state":
        return state(books)
    if what == "POST /_sandbox/payment":
        invoice = books.find("invoice", said["invoice"])
        sale = books.find("sale", invoice["_sale"])
        amount = int(Decimal(str(said["amount"])) * 100)
        made = books.pay(sale, said.get("date") or books.day(), said.get("account", "1920:10001"), amount)
        return {"paymentId": made["_id"], "open": Decimal(books.outstanding(sale)) / 100}
    if what == "POST /_sandbox/invoice/send":
        invoice = books.find("invoice", said["invoice"])
        sent = {"date": books.day(), "dispatchType": str(said.get("how", "ehf"))}
        books.touch(invoice, dispatches=[*invoice["dispatches"], sent])
        return sent
    raise missing()
