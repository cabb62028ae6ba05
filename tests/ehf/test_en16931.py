"""EN 16931: the turns of the official tests on which implementations differ, one table row each."""

from __future__ import annotations

import pytest

from connector.ehf.rules import en16931
from connector.ehf.rules.engine import Document, RuleSet
from connector.ehf.rules.judging import judge
from connector.ehf.xml import CAC, CBC, CREDIT_NOTE, INVOICE, parse

RULES = {version: RuleSet(version, [en16931.layer]) for version in ("3.0.19", "3.0.20", "3.0.21")}
EMPTY_PERIOD = "<cac:InvoiceLine><cac:InvoicePeriod><cbc:Description/></cac:InvoicePeriod></cac:InvoiceLine>"
LONG = "12345678901234567890123456789012.34"
VAT = "<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>"


def judged(body: str, kind: str = "Invoice", release: str = "3.0.21", *, typed: bool = False) -> Document:
    namespace = INVOICE if kind == "Invoice" else CREDIT_NOTE
    data = f'<{kind} xmlns="{namespace}" xmlns:cac="{CAC}" xmlns:cbc="{CBC}">{body}</{kind}>'
    return judge(parse(data.encode()), RULES[release], kind, typed=typed)


def amounts(**stated: str) -> str:
    return "".join(f"<cbc:{name}>{text}</cbc:{name}>" for name, text in stated.items())


def totals(**stated: str) -> str:
    return f"<cac:LegalMonetaryTotal>{amounts(**stated)}</cac:LegalMonetaryTotal>"


def line(net: str, code: str = "S", rate: str | None = "25") -> str:
    percent = "" if rate is None else f"<cbc:Percent>{rate}</cbc:Percent>"
    category = f"<cac:ClassifiedTaxCategory><cbc:ID>{code}</cbc:ID>{percent}{VAT}</cac:ClassifiedTaxCategory>"
    return f"<cac:InvoiceLine>{amounts(LineExtensionAmount=net)}<cac:Item>{category}</cac:Item></cac:InvoiceLine>"


def breakdown(base: str, tax: str, code: str = "S", rate: str = "25") -> str:
    category = f"<cac:TaxCategory><cbc:ID>{code}</cbc:ID><cbc:Percent>{rate}</cbc:Percent>{VAT}</cac:TaxCategory>"
    return f"<cac:TaxSubtotal>{amounts(TaxableAmount=base, TaxAmount=tax)}{category}</cac:TaxSubtotal>"


def tax_total(tax: str, *groups: str) -> str:
    return f"<cac:TaxTotal>{amounts(TaxAmount=tax)}{''.join(groups)}</cac:TaxTotal>"


def allowance(kind: str, inner: str = "") -> str:
    return f"<cac:AllowanceCharge><cbc:ChargeIndicator>{kind}</cbc:ChargeIndicator>{inner}</cac:AllowanceCharge>"


@pytest.mark.parametrize(
    ("body", "rule", "fires"),
    [
        # Sums are exact, and rounded half towards plus infinity.
        (totals(LineExtensionAmount="0.30") + line("0.1") + line("0.2"), "BR-CO-10", False),
        (totals(LineExtensionAmount="2.35") + line("2.345"), "BR-CO-10", False),
        (totals(LineExtensionAmount="-2.34") + line("-2.345"), "BR-CO-10", False),
        (totals(LineExtensionAmount="-2.35") + line("-2.345"), "BR-CO-10", True),
        (totals(LineExtensionAmount="100.00") + line("99.99"), "BR-CO-10", True),
        (totals(PayableAmount="1"), "BR-CO-10", True),
        (totals(LineExtensionAmount="0"), "BR-CO-10", False),
        (totals(LineExtensionAmount=LONG) + line(LONG), "BR-CO-10", False),
        # Nothing stated and nothing there is right, one without the other is not.
        (totals(LineExtensionAmount="1"), "BR-CO-11", False),
        (totals(AllowanceTotalAmount="0"), "BR-CO-11", False),
        (totals(LineExtensionAmount="1") + allowance("false", amounts(Amount="1")), "BR-CO-11", True),
        (totals(LineExtensionAmount="1") + allowance("true", amounts(Amount="1")), "BR-CO-11", False),
        (totals(ChargeTotalAmount="1.00") + allowance("1", amounts(Amount="1")), "BR-CO-12", False),
        # Without allowances and charges the two are compared as they stand.
        (totals(LineExtensionAmount="1.005", TaxExclusiveAmount="1.01"), "BR-CO-13", True),
        (totals(LineExtensionAmount="1.005", ChargeTotalAmount="0", TaxExclusiveAmount="1.01"), "BR-CO-13", False),
        (totals(TaxInclusiveAmount="10", PrepaidAmount="3", PayableAmount="7"), "BR-CO-16", False),
        (totals(TaxInclusiveAmount="10.4", PayableRoundingAmount="-0.4", PayableAmount="10"), "BR-CO-16", False),
        (totals(TaxInclusiveAmount="10", PrepaidAmount="3", PayableAmount="7.01"), "BR-CO-16", True),
        # A VAT total without groups is not compared; with groups it is, to the øre.
        (tax_total("7"), "BR-CO-14", False),
        (tax_total("7", breakdown("1", "1")), "BR-CO-14", True),
        # The tax of a group may be off by less than one whole unit; a rate under 0.5 counts as none.
        (tax_total("1", breakdown("100", "25.99")), "BR-CO-17", False),
        (tax_total("1", breakdown("100", "26.00")), "BR-CO-17", True),
        (tax_total("1", breakdown("-100", "-24.01")), "BR-CO-17", False),
        (tax_total("1", breakdown("1000", "0.49", rate="0.4")), "BR-CO-17", False),
        (tax_total("1", breakdown("1000", "0.50", rate="0.4")), "BR-CO-17", True),
        # The base of a group: per rate for S, less than one whole unit off.
        (tax_total("1", breakdown("100", "25")) + line("100.99"), "BR-S-08", False),
        (tax_total("1", breakdown("100", "25")) + line("101.00"), "BR-S-08", True),
        (tax_total("1", breakdown("100", "25", rate="25.00")) + line("100", rate="25"), "BR-S-08", False),
        (tax_total("1", breakdown("100", "25", code=" S ")) + line("100", code="S\n"), "BR-S-08", False),
        (tax_total("1", breakdown("100", "15", rate="15")) + line("100"), "BR-S-08", True),
        # … and to the last decimal for the others.
        (tax_total("1", breakdown("100", "0", "Z", "0")) + line("100.001", "Z", "0"), "BR-Z-08", True),
        (tax_total("1", breakdown("100.001", "0", "Z", "0")) + line("100.001", "Z", "0"), "BR-Z-08", False),
        # Rates of lines.
        (line("1", "S", "0"), "BR-S-05", True),
        (line("1", "S", None), "BR-S-05", True),
        (line("1", "Z", "0.00"), "BR-Z-05", False),
        (line("1", "Z", "1"), "BR-Z-05", True),
        (line("1", "O", "0"), "BR-O-05", True),
        (line("1", "O", None), "BR-O-05", False),
        (line("1", "L", "0"), "BR-AF-05", False),
        (line("1", "M", "-1"), "BR-AG-05", True),
        # Decimals are counted in the text.
        (totals(PayableAmount="1.000"), "BR-DEC-18", True),
        (totals(PayableAmount="1.00"), "BR-DEC-18", False),
        (totals(PayableAmount=" 1.00 "), "BR-DEC-18", True),
        ("<cac:InvoiceLine><cac:Price><cbc:PriceAmount>1.0001</cbc:PriceAmount></cac:Price></cac:InvoiceLine>",
         "UBL-DT-01", False),
        # Code lists want one token; case counts, but for exemption reasons.
        ("<cbc:DocumentCurrencyCode> NOK </cbc:DocumentCurrencyCode>", "BR-CL-04", False),
        ("<cbc:DocumentCurrencyCode>nok</cbc:DocumentCurrencyCode>", "BR-CL-04", True),
        ("<cbc:DocumentCurrencyCode>NOK EUR</cbc:DocumentCurrencyCode>", "BR-CL-04", True),
        ("<cac:X><cbc:TaxExemptionReasonCode>vatex-eu-g</cbc:TaxExemptionReasonCode></cac:X>", "BR-CL-22", False),
        # A line's period is judged as such, another as another.
        (EMPTY_PERIOD, "BR-CO-20", True),
        (EMPTY_PERIOD, "BR-CO-19", False),
        ("<cac:InvoicePeriod><cbc:DescriptionCode>3</cbc:DescriptionCode></cac:InvoicePeriod>", "BR-CO-19", False),
        ("<cac:InvoicePeriod><cbc:StartDate>2026-01-01</cbc:StartDate><cbc:EndDate>2026-01-01+02:00</cbc:EndDate>"
         "</cac:InvoicePeriod>", "BR-29", True),
        # Without a currency there is nothing to compare.
        (tax_total("1"), "BR-CO-15", False),
        ("<cbc:DocumentCurrencyCode>NOK</cbc:DocumentCurrencyCode>", "BR-CO-15", True),
        # A VAT number begins with a country; the test finds its two characters anywhere in the list.
        (f"<cac:PartyTaxScheme><cbc:CompanyID>no1</cbc:CompanyID>{VAT}</cac:PartyTaxScheme>", "BR-CO-09", True),
        (f"<cac:PartyTaxScheme><cbc:CompanyID>D 1</cbc:CompanyID>{VAT}</cac:PartyTaxScheme>", "BR-CO-09", False),
        (f"<cac:PartyTaxScheme>{VAT}</cac:PartyTaxScheme>", "BR-CO-09", False),
        # Two payment references are one when they are the same.
        ("<cac:PaymentMeans><cbc:PaymentID>1</cbc:PaymentID></cac:PaymentMeans>" * 2, "UBL-SR-44", False),
        ("<cac:PaymentMeans><cbc:PaymentID>1</cbc:PaymentID><cbc:PaymentID>2</cbc:PaymentID></cac:PaymentMeans>",
         "UBL-SR-44", True),
        # What cannot fire.
        (tax_total("1.001"), "BR-DEC-13", False),
    ],
)  # fmt: skip
def test_turns(body: str, rule: str, fires: bool) -> None:
    assert (rule in judged(body).fired) is fires


@pytest.mark.parametrize(
    "body",
    [
        totals(LineExtensionAmount="1,5"),
        totals(LineExtensionAmount="1") + line("1e5"),
        allowance("ja"),
        "<cac:InvoicePeriod><cbc:StartDate>x</cbc:StartDate><cbc:EndDate>x</cbc:EndDate></cac:InvoicePeriod>",
        tax_total("1", breakdown("1", "")),
        "<cac:InvoiceLine><cac:Price><cbc:PriceAmount>-</cbc:PriceAmount></cac:Price></cac:InvoiceLine>",
    ],
)
def test_a_cast_that_fails_is_no_verdict(body: str) -> None:
    assert set(judged(body).broke_off) == {"en16931"}


@pytest.mark.parametrize(
    "body",
    [
        line("1e5"),  # nobody asks for the sum
        totals(PrepaidAmount="bad"),
        totals(PayableAmount="1") + line("bad"),
        tax_total("bad"),
        allowance("false", amounts(Amount="bad")),
    ],
)
def test_what_nobody_casts_breaks_nothing_off(body: str) -> None:
    assert not judged(body).broke_off


@pytest.mark.parametrize(
    ("rule", "body", "releases"),
    [
        ("BR-CO-25", totals(PayableAmount="1"), {"3.0.19", "3.0.20"}),
        ("BR-66", "<cac:PaymentMeans><cac:CardAccount/><cac:CardAccount/></cac:PaymentMeans>", {"3.0.19"}),
        (
            "UBL-SR-54",
            "<cac:PaymentMeans><cac:CardAccount/><cac:CardAccount/></cac:PaymentMeans>",
            {"3.0.20", "3.0.21"},
        ),
        ("UBL-SR-56", "<cac:OriginatorDocumentReference><cbc:ID/></cac:OriginatorDocumentReference>" * 2, {"3.0.21"}),
        ("BR-CL-04", "<cbc:DocumentCurrencyCode>BGN</cbc:DocumentCurrencyCode>", {"3.0.21"}),
        ("BR-CL-01", "<cbc:InvoiceTypeCode>502</cbc:InvoiceTypeCode>", {"3.0.21"}),
        (
            "BR-CO-26",
            '<cac:AccountingSupplierParty><cac:Party><cac:PartyIdentification><cbc:ID schemeID="SEPA">1</cbc:ID>'
            "</cac:PartyIdentification></cac:Party></cac:AccountingSupplierParty>",
            {"3.0.21"},
        ),
    ],
)
def test_what_changed_with_the_releases(rule: str, body: str, releases: set[str]) -> None:
    assert {release for release in RULES if rule in judged(body, release=release).fired} == releases


def test_unused_elements_fire_once_and_at_the_first_place() -> None:
    item = "<cac:InvoiceLine><cac:Item><cbc:PackQuantity>1</cbc:PackQuantity></cac:Item></cac:InvoiceLine>"
    doc = judged(item * 3)
    assert doc.fired["UBL-CR-563"] == 1
    assert [element.getparent().getparent() for rule, element, _ in doc.found if rule == "UBL-CR-563"] == [doc.root[0]]


def test_a_due_date_among_the_payment_means_is_for_credit_notes() -> None:
    body = "<cac:PaymentMeans><cbc:PaymentDueDate>2026-01-01</cbc:PaymentDueDate></cac:PaymentMeans>"
    assert "UBL-CR-412" in judged(body).fired
    assert "UBL-CR-412" not in judged(body, "CreditNote").fired


def test_the_arithmetic_of_a_wrong_base() -> None:
    category = f"<cac:TaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>25</cbc:Percent>{VAT}</cac:TaxCategory>"
    given = allowance("false", amounts(Amount="10") + category)
    body = tax_total("25", breakdown("200", "25")) + line("100") + given
    values = next(values for rule, _, values in judged(body).found if rule == "BR-S-08")
    assert values["stated"] == "200"
    assert values["expected"] == "90.00"
    assert values["calculation"] == "100.00 − 10.00 = 90.00"
