"""Where income of an invoice issued elsewhere goes: by VAT code as shipped, by product where a tenant says so."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector import plugins
from connector.errors import Stop
from connector.mapping import load_tenant
from connector.model import Draft, Line, Party, compose

ROUTES = "{sales: {to: books, issues: source, takes_bank_money: books}}"
CHANGES = """\
tables:
  income-account:
    rows: {"31": 3050}                         # meals have an account of their own
  income-by-product:
    only: out
    rows: {RAD: 3010, KURS: 3020}
kinds:
  external_invoice:
    fields:
      rounding-account: {constant: 7770}
      lines:
        each:
          fields:
            account: {when: {ours: {seller_item_id: {present: false}}}}
            account-of-product:
              ours: seller_item_id
              theirs: account.number
              table: income-by-product
              only: out
              when: {ours: {seller_item_id: {present: true}}}
"""


class Linked:
    def vendor_id(self, kind: str, ours: Any) -> str:
        return "77"


def invoice(*lines: tuple[str, str, str | None], **more: Any) -> dict[str, Any]:
    made = tuple(
        Line(id=str(at), name="x", quantity=Decimal(1), price=Decimal("10.20"), vat_code=code, vat_category="S",
             vat_rate=Decimal(rate), seller_item_id=product)
        for at, (code, rate, product) in enumerate(lines)
    )  # fmt: skip
    buyer, seller = Party.norwegian("974760673", "Kunde AS"), Party.norwegian("923609016", "Acme AS")
    draft = Draft(
        number="1", issue_date=date(2027, 1, 15), currency="NOK", seller=seller, buyer=buyer, lines=made, **more
    )
    return compose(draft).model_dump()


@pytest.fixture
def mapper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, acme: Any) -> Any:
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants" / "acme.yaml").write_text(acme(CHANGES, routes=ROUTES))
    monkeypatch.setenv("CONNECTOR_MAPPINGS", str(tmp_path))
    return load_tenant("acme", plugins=plugins.accounting()).connections["books"].mapping["external_invoice"]


def test_a_tenant_says_where_income_goes(mapper: Any) -> None:
    record = mapper.out(invoice(("3", "25", None), ("31", "15", None), ("3", "25", "KURS")), Linked())
    assert [line["account"]["number"] for line in record["lines"]] == [3000, 3050, 3020]
    rounded = mapper.out(invoice(("3", "25", None), round_payable_to=Decimal(1)), Linked())
    assert rounded["roundoff"] == {"account": {"number": 7770}, "amount": Decimal("0.25")}


def test_a_product_without_an_account_is_a_stop(mapper: Any) -> None:
    with pytest.raises(Stop) as stop:
        mapper.out(invoice(("3", "25", "VARE")), Linked())
    assert stop.value.code == "code-not-in-table"


def test_dimensions_are_carried_or_refused_by_name(mapper: Any) -> None:
    document = invoice(("3", "25", None))
    document["lines"][0]["dimensions"]["department"] = "10"
    assert mapper.out(document, Linked())["lines"][0]["department"] == {"id": 77}
    document["lines"][0]["dimensions"]["location"] = "Bergen"
    with pytest.raises(Stop) as stop:
        mapper.out(document, Linked())
    assert (stop.value.code, stop.value.where["rule"]) == ("not-expressible", "location")
