"""What is left to credit: scenario A.3 in figures, what is refused, and that no row of credits exceeds its invoice."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.model import Draft, Invoice, Line, Party, compose, judge
from connector.model.credit import Left, Uncreditable, check_credit, fitted, left_of

SELLER, BUYER = Party.norwegian("923609016", "Selger AS"), Party.norwegian("974760673", "Kunde AS")


def document(*lines: Line, **more: Any) -> Invoice:
    return compose(Draft(currency="NOK", seller=SELLER, buyer=BUYER, lines=lines, **more))


def line(id: str, name: str, quantity: Any, price: Any, rate: Any = 25, **more: Any) -> Line:
    vat = {"vat_category": "S", "vat_rate": Decimal(rate)}
    return Line(**{"id": id, "name": name, "quantity": Decimal(quantity), "price": Decimal(price), **vat, **more})


def hours(quantity: Any, id: str = "1", **more: Any) -> Line:
    return line(id, "Rådgivning", quantity, "1020.00", unit_code="HUR", **more)


def lunches(quantity: Any, id: str = "2", **more: Any) -> Line:
    return line(id, "Lunsj", quantity, "100.00", 15, unit_code="C62", **more)


INVOICE = document(hours(8), lunches(20))


def credit(*lines: Line, **more: Any) -> Invoice:
    return document(*lines, kind="credit_note", **more)


def refused(invoice: Invoice, earlier: list[Invoice], note: Invoice) -> Uncreditable:
    with pytest.raises(Uncreditable) as stop:
        check_credit(invoice, left_of(invoice, earlier), note)
    return stop.value


def amounts(left: Left) -> list[str]:
    return [f"{group.net} {group.vat}" for group in left.groups]


def test_scenario_a3() -> None:
    note = credit(hours(2), lunches(5))
    assert note.type_code == "381"
    assert note.totals is not None
    assert note.totals.payable == Decimal("3125.00")
    check_credit(INVOICE, left_of(INVOICE, []), note)
    left = left_of(INVOICE, [note])
    assert [(one.quantity, one.net) for one in left.lines] == [(6, Decimal("6120.00")), (15, Decimal("1500.00"))]
    assert amounts(left) == ["6120.00 1530.00", "1500.00 225.00"]
    assert left.payable == Decimal("9375.00")
    stop = refused(INVOICE, [note], credit(hours(7)))
    assert stop.code == "credit-exceeds-remaining"
    assert "7 hours, 7140.00 net, are asked for; 6 hours, 6120.00 net, are left" in str(stop)
    assert stop.problems[0].left == {"quantity": "6", "net": "6120.00"}
    check_credit(INVOICE, left, credit(hours(6), lunches(15)))
    assert left_of(INVOICE, [note, credit(hours(6), lunches(15))]).payable == 0


def test_a_line_is_known_by_its_number_or_by_what_it_is() -> None:
    two = document(hours(4), hours(4, "2", vat_code="3"), lunches(1, "3"))
    for note in (credit(hours(4, "2")), credit(lunches(1, "1")), credit(hours(1), lunches(1, "7"))):
        check_credit(two, left_of(two, []), note)
    left = left_of(two, [credit(hours(4, "2"))])
    assert [one.quantity for one in left.lines] == [4, 0, 1]
    assert refused(two, [], credit(hours(1, "9"))).code == "credited-line-ambiguous"
    assert refused(two, [], credit(line("1", "Kurs", 1, 10))).code == "credited-line-unknown"
    # The number of a line that sells something else is the credit note's own numbering.
    assert left_of(INVOICE, [credit(lunches(5, "1"))]).lines[1].quantity == 15


def test_a_line_that_is_named() -> None:
    named = document(hours(4, source_id="a"), hours(4, "2", source_id="b"))
    assert [one.quantity for one in left_of(named, [credit(hours(3, "9", source_id="b"))]).lines] == [4, 1]


def test_a_lower_price_takes_no_hours() -> None:
    cheaper = credit(line("1", "Rådgivning", 8, "100.00"))
    check_credit(INVOICE, left_of(INVOICE, []), cheaper)
    left = left_of(INVOICE, [cheaper])
    assert (left.lines[0].quantity, left.lines[0].net) == (8, Decimal("7360.00"))
    assert refused(INVOICE, [cheaper], credit(hours(8))).code == "credit-exceeds-remaining"
    assert refused(INVOICE, [], credit(line("1", "Rådgivning", 9, "1.00"))).code == "credit-exceeds-remaining"


def test_other_vat_is_no_credit_of_it() -> None:
    assert refused(INVOICE, [], credit(line("1", "Rådgivning", 1, "1020.00", 15))).code == "credited-line-unknown"
    coded = document(hours(8, vat_code="3"))
    assert refused(coded, [], credit(hours(1, vat_code="5"))).code == "credited-line-unknown"


def test_a_discount_on_the_whole_counts() -> None:
    item = {"is_charge": False, "amount": "1000.00", "vat_category": "S", "vat_rate": "25"}
    reduced = document(hours(8), allowances_charges=(item,))
    stop = refused(reduced, [], credit(hours(8)))
    assert stop.problems[0].asked == {"net": "8160.00", "vat": "2040.00"}
    assert stop.problems[0].left == {"net": "7160.00", "vat": "1790.00"}
    check_credit(reduced, left_of(reduced, []), credit(hours(8), allowances_charges=(item,)))


def test_a_negative_line_is_credited_by_a_negative_one() -> None:
    discounted = document(hours(8), line("2", "Rabatt", -1, 160))
    left = left_of(discounted, [])
    check_credit(discounted, left, credit(hours(8), line("2", "Rabatt", -1, 160)))
    assert refused(discounted, [], credit(hours(1), line("2", "Rabatt", 1, 160))).code == "credit-exceeds-remaining"
    assert refused(discounted, [], credit(line("2", "Rabatt", -1, 160))).code == "credit-exceeds-remaining"


def test_what_no_line_explains_still_takes_from_its_group_and_the_total() -> None:
    odd = credit(line("1", "Kulanse", 1, "8000.00"))
    left = left_of(INVOICE, [odd])
    assert left.lines[0].net == Decimal("8160.00")
    assert amounts(left) == ["160.00 40.00", "2000.00 300.00"]
    assert refused(INVOICE, [odd], credit(hours(1))).problems[0].at == "vat_breakdown"


def test_a_ledgers_invoice_without_a_breakdown() -> None:
    bare = INVOICE.model_copy(
        update={
            "vat_breakdown": (),
            "totals": INVOICE.totals and INVOICE.totals.model_copy(update={"tax": None, "tax_inclusive": None}),
        }
    )
    assert left_of(bare, []) == left_of(INVOICE, [])


# --- rounding ---------------------------------------------------------------------------------------------------------


def fit(invoice: Invoice, earlier: list[Invoice], note: Invoice) -> Invoice:
    return fitted(invoice, left_of(invoice, earlier), note)


def test_the_last_of_three_takes_the_ore_that_rounding_left() -> None:
    ore = document(*(line(str(n), "Øre", 1, "33.33") for n in (1, 2, 3)))
    notes: list[Invoice] = []
    for n in (1, 2, 3):
        notes.append(fit(ore, notes, credit(line(str(n), "Øre", 1, "33.33"))))
        check_credit(ore, left_of(ore, notes[:-1]), notes[-1])
        assert judge(notes[-1]) == []
    assert [str(note.totals.payable) for note in notes if note.totals] == ["41.66", "41.66", "41.67"]
    assert left_of(ore, notes).payable == 0


def test_the_whole_of_a_rounded_invoice() -> None:
    rounded = document(*(line(str(n), "Øre", 1, "33.33") for n in (1, 2, 3)), round_payable_to=Decimal(1))
    note = fit(rounded, [], credit(*(line(str(n), "Øre", 1, "33.33") for n in (1, 2, 3))))
    assert note.totals is not None
    assert (note.totals.rounding, note.totals.payable) == (Decimal("0.01"), Decimal("125.00"))
    assert left_of(rounded, [note]).payable == 0


PRICES = st.decimals("0.01", "9999.99", places=2) | st.decimals("0.0001", "9.9999", places=4)
QUANTITIES = st.decimals("0.01", "99.99", places=2) | st.integers(1, 40).map(Decimal)


@st.composite
def invoices(draw: st.DrawFn) -> Invoice:
    wanted = draw(st.lists(st.tuples(QUANTITIES, PRICES, st.sampled_from([25, 15, 12])), min_size=1, max_size=4))
    return document(*(line(str(n), f"Vare {n}", q, p, rate) for n, (q, p, rate) in enumerate(wanted, 1)))


@settings(deadline=None, max_examples=150)
@given(invoices(), st.data())
def test_credits_never_exceed_their_invoice_and_what_is_left_can_be_credited(
    invoice: Invoice, data: st.DataObject
) -> None:
    notes: list[Invoice] = []
    for _ in range(data.draw(st.integers(0, 4))):
        left = left_of(invoice, notes)
        lines = []
        for one in left.lines:
            part = data.draw(st.decimals("0.00", "1.30", places=2)) * (one.quantity or 0)
            if part:
                lines.append(one.line.model_copy(update={"quantity": part, "net": None}))
        if not lines:
            continue
        note = fitted(invoice, left, credit(*lines))
        try:
            check_credit(invoice, left, note)
        except Uncreditable:
            continue
        assert judge(note) == []
        notes.append(note)
    left = left_of(invoice, notes)
    assert all(one.quantity is not None and one.quantity >= 0 and one.net >= 0 for one in left.lines)
    assert all(group.net >= 0 and group.vat >= 0 for group in left.groups)
    assert left.payable >= 0

    rest = [one.line.model_copy(update={"quantity": one.quantity, "net": None}) for one in left.lines if one.quantity]
    if rest:
        note = fitted(invoice, left, credit(*rest))
        check_credit(invoice, left, note)
        assert judge(note) == []
        notes.append(note)
    left = left_of(invoice, notes)
    assert left.payable == left.net == 0
    assert all(one.quantity == 0 for one in left.lines)
    assert all((group.net, group.vat) == (0, 0) for group in left.groups)
    if invoice.totals and invoice.totals.payable:
        assert refused(invoice, notes, credit(*(one.line.model_copy(update={"net": None}) for one in left.lines)))
