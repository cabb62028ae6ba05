"""What is kept of an attempt: all that the vendor showed, with the proof."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal

import pytest

from connector.ports import Changed, Dispatch, Kind, Paid, Payable, Proof, Record
from connector.store import Store, Tx, attempts, work
from connector.store.work import Turn

PAYABLE = Payable("F-7", "12", "Leverandørfaktura", Decimal("10000.00"), "2027/1043", Decimal("2499.99"),
                  (Paid("3", "2027-02-01", Decimal("10000.00")), Paid("4", None, Decimal("0.01"))))  # fmt: skip
WHOLE = Record(
    Kind.SUPPLIER_INVOICE, "7", "2", {"amount": Decimal("0.10"), "rows": [1, "x", None]}, Dispatch("sent", "ehf"),
    Decimal("2499.99"), "31", "9", Changed("2027-02-01T10:00:00Z", "Kari"), PAYABLE,
)  # fmt: skip
BARE = Record(Kind.CUSTOMER, "9", "", {}, payable=Payable(payments=None))


@pytest.mark.parametrize("record", [WHOLE, BARE, None], ids=["whole", "bare", "none"])
async def test_a_proof_is_read_as_it_was_written(store: Store, record: Record | None) -> None:
    assert all(getattr(WHOLE, one.name) is not None for one in fields(Record)), "a field that is not tried"
    assert all(getattr(PAYABLE, one.name) is not None for one in fields(Payable)), "a field that is not tried"
    proof = Proof("7", {"number": "F-7"}, record)

    def called(tx: Tx) -> str:
        id = work.submit(tx, tenant="a", lane="l", turn=Turn.EFFECT, kind="push-customer")
        tx.settle()
        attempts.begin(tx, "x", work.get(tx, id), step="read", lane="l", epoch=1)
        attempts.end(tx, "x", attempts.PROVED, proof=proof)
        return id

    id = await store.write(called)
    (attempt,) = await store.read(lambda tx: attempts.of_work(tx, id))
    assert attempt.proof == proof
