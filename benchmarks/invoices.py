"""Invoices of our own making, of any size and country, valid unless asked otherwise.

They are what the benchmarks measure on and what the proofs mutate: no document of anybody else is needed for either.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Literal

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
BILLING = ("urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0", "billing:01:1.0")
SELF_BILLING = ("urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:selfbilling:3.0", "selfbilling:01:1.0")
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Company:
    """A party: electronic address, VAT number and legal registration with their schemes, and where it lives."""

    country: str
    name: str
    endpoint: tuple[str, str]
    legal: tuple[str, str]
    vat: str
    tax: str = ""
    city: str = "Oslo"
    zone: str = "0150"


COMPANIES = {
    company.country: company
    for company in (
        Company("NO", "Fjordvarer AS", ("0192", "974760673"), ("0192", "974760673"), "NO974760673MVA",
                "Foretaksregisteret"),
        Company("SE", "Skogsbruk AB", ("0007", "5567321707"), ("0007", "5567321707"), "SE556732170701",
                "Godkänd för F-skatt", "Göteborg", "41101"),
        Company("DK", "Havnens Handel ApS", ("0184", "DK12345674"), ("0184", "12345674"), "DK12345674", "",
                "Aarhus", "8000"),
        Company("DE", "Waldwerk GmbH", ("9930", "DE123456788"), ("0060", "123456785"), "DE123456788", "",
                "Hamburg", "20095"),
        Company("IT", "Olio Verde Srl", ("0211", "IT00000010215"), ("0210", "00000010215"), "IT00000010215",
                "00000010215", "Bolzano", "39100"),
        Company("NL", "Dijk en Polder BV", ("0106", "12345678"), ("0106", "12345678"), "NL123456789B12", "",
                "Utrecht", "3511AB"),
        Company("IS", "Hverir ehf", ("0196", "4402692039"), ("0196", "4402692039"), "IS12345", "",
                "Reykjavik", "101"),
        Company("GR", "Elia AE", ("9933", "123456783"), ("0060", "123456783"), "EL123456783", "", "Patra", "26221"),
        Company("BE", "Kanaal NV", ("0208", "0403170701"), ("0208", "0403170701"), "BE0403170701", "", "Gent", "9000"),
        Company("GB", "Moor and Fell Ltd", ("9932", "GB123456789"), ("0060", "123456785"), "GB123456789", "",
                "Leeds", "LS1 4AP"),
    )
}  # fmt: skip


def cents(amount: Decimal) -> Decimal:
    """Rounded as XPath rounds: half goes towards plus infinity."""
    return (amount * 100 + Decimal("0.5")).to_integral_value(ROUND_FLOOR) / 100


def element(name: str, /, *content: str, **attributes: str) -> str:
    """An element of UBL by its plain name: with a text, or with children; nothing when there is no content."""
    inner = "".join(content)
    if not inner:
        return ""
    prefix = "cac" if inner.startswith("<") else "cbc"
    said = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<{prefix}:{name}{said}>{inner}</{prefix}:{name}>"


def party(company: Company, *, contact: bool = True) -> str:
    """The content of `cac:Party`."""
    vat = element("CompanyID", company.vat) + element("TaxScheme", element("ID", "VAT"))
    tax = element("CompanyID", company.tax) + element("TaxScheme", element("ID", "TAX")) if company.tax else ""
    legal = element("RegistrationName", company.name) + element(
        "CompanyID", company.legal[1], schemeID=company.legal[0]
    )
    person = element("Name", "Kari Lund") + element("Telephone", "22334455")
    person += element("ElectronicMail", "kari@example.com")
    return element(
        "Party",
        element("EndpointID", company.endpoint[1], schemeID=company.endpoint[0]),
        element("PartyIdentification", element("ID", company.legal[1], schemeID=company.legal[0])),
        element("PartyName", element("Name", company.name)),
        address("PostalAddress", company),
        element("PartyTaxScheme", vat),
        element("PartyTaxScheme", tax),
        element("PartyLegalEntity", legal),
        element("Contact", person) if contact else "",
    )


def address(name: str, company: Company) -> str:
    """An address element of that name, in the company's city."""
    return element(
        name,
        element("StreetName", "Storgata 1"),
        element("AdditionalStreetName", "Bakgården"),
        element("CityName", company.city),
        element("PostalZone", company.zone),
        element("CountrySubentity", "Fylke"),
        element("AddressLine", element("Line", "2. etasje")),
        element("Country", element("IdentificationCode", company.country)),
    )


def category(name: str, code: str, rate: str, *, reason: bool = False) -> str:
    """A VAT category element of that name; with `reason`, an exemption reason where the category asks for one."""
    why = {"E": "Unntatt", "AE": "Reverse charge", "K": "Intra-community supply", "G": "Export", "O": "Not in scope"}
    return element(
        name,
        element("ID", code),
        element("Percent", "" if code == "O" else rate),
        element("TaxExemptionReason", why.get(code, "") if reason else ""),
        element("TaxScheme", element("ID", "VAT")),
    )


def invoice(
    lines: int = 2,
    *,
    kind: Literal["Invoice", "CreditNote"] = "Invoice",
    seller: str = "NO",
    buyer: str = "NO",
    currency: str = "NOK",
    vat: Iterable[tuple[str, str]] = (("S", "25"), ("S", "15"), ("Z", "0")),
    means: str = "30",
    self_billing: bool = False,
    full: bool = True,
) -> bytes:
    """A UBL document with that many lines, the VAT categories taken in turn.

    Args:
        lines: how many invoice lines.
        kind: the root element.
        seller: country of the seller, a key of `COMPANIES`.
        buyer: country of the buyer.
        currency: ISO 4217 code of the document.
        vat: pairs of category code and rate in percent.
        means: payment means code (UNTDID 4461).
        self_billing: whether the buyer issues it.
        full: with every optional group that EN 16931 knows; else the least that is valid.

    Returns:
        UTF-8 bytes, in schema order, indented by nothing.
    """
    money = {"currencyID": currency}
    credit = kind == "CreditNote"
    customization, profile = SELF_BILLING if self_billing else BILLING
    type_code = ("261" if credit else "389") if self_billing else ("381" if credit else "380")
    rates = list(vat)
    bases: dict[tuple[str, str], Decimal] = {}
    written = []
    for number in range(1, lines + 1):
        group = rates[number % len(rates)]
        text, net = line(number, kind, group, money, full=full)
        bases[group] = bases.get(group, Decimal(0)) + net
        written.append(text)
    line_total = sum(bases.values(), Decimal(0))
    allowance, charge = (Decimal("10.00"), Decimal("25.00")) if full else (Decimal(0), Decimal(0))
    extra = ""
    if full:
        first = next(iter(bases))
        bases[first] += charge - allowance
        extra = adjustment("false", "95", "Rabatt", allowance, first, money, base=Decimal("100.00"), percent="10")
        extra += adjustment("true", "FC", "Frakt", charge, first, money)
    subtotals, tax_total = "", Decimal(0)
    for (code, rate), base in bases.items():
        tax = cents(base * Decimal(rate) / 100)
        tax_total += tax
        subtotals += element(
            "TaxSubtotal",
            element("TaxableAmount", f"{base:.2f}", **money),
            element("TaxAmount", f"{tax:.2f}", **money),
            category("TaxCategory", code, rate, reason=True),
        )
    net_total = line_total + charge - allowance
    prepaid = Decimal("1.00") if full else Decimal(0)
    period = element("InvoicePeriod", element("StartDate", "2026-04-01"), element("EndDate", "2026-04-30"))
    parts = [
        element("CustomizationID", customization),
        element("ProfileID", f"urn:fdc:peppol.eu:2017:poacc:{profile}"),
        element("ID", "1|01/05/2026|0|1.1|A|B".replace("1|", "123456783|", 1) if seller == "GR" else "F-1001"),
        element("IssueDate", "2026-05-01"),
        "" if credit else element("DueDate", "2026-05-31"),
        "" if credit else element("InvoiceTypeCode", type_code),
        element("Note", "Takk for handelen") if full and not credit else "",
        element("CreditNoteTypeCode", type_code) if credit else "",
        element("Note", "Takk for handelen") if full and credit else "",
        element("DocumentCurrencyCode", currency),
        element("AccountingCost", "4100") if full else "",
        element("BuyerReference", "Avdeling 7"),
    ]
    if full:
        tender = element("OriginatorDocumentReference", element("ID", "T-1"))
        parts += [
            period,
            element("OrderReference", element("ID", "PO-7"), element("SalesOrderID", "SO-7")),
            element("BillingReference", element("InvoiceDocumentReference", element("ID", "F-900"),
                                                element("IssueDate", "2026-03-01"))),
            element("DespatchDocumentReference", element("ID", "D-1")),
            element("ReceiptDocumentReference", element("ID", "R-1")),
            "" if credit else tender,
            element("ContractDocumentReference", element("ID", "C-1")),
            *attachments(seller),
            tender if credit else element("ProjectReference", element("ID", "P-1")),
        ]  # fmt: skip
    parts += [
        element("AccountingSupplierParty", party(COMPANIES[seller])),
        element("AccountingCustomerParty", party(COMPANIES[buyer])),
    ]
    if full:
        parts += [
            element("PayeeParty", element("PartyIdentification", element("ID", "7300010000001", schemeID="0088")),
                    element("PartyName", element("Name", "Factoring AS")),
                    element("PartyLegalEntity", element("CompanyID", "974760673", schemeID="0192"))),
            element("Delivery", element("ActualDeliveryDate", "2026-04-28"),
                    element("DeliveryLocation", element("ID", "7300010000001", schemeID="0088"),
                            address("Address", COMPANIES[buyer])),
                    element("DeliveryParty", element("PartyName", element("Name", "Lageret")))),
        ]  # fmt: skip
    parts += [payment(means), element("PaymentTerms", element("Note", "30 dager netto")), extra]
    parts += [element("TaxTotal", element("TaxAmount", f"{tax_total:.2f}", **money), subtotals)]
    parts += [
        element(
            "LegalMonetaryTotal",
            element("LineExtensionAmount", f"{line_total:.2f}", **money),
            element("TaxExclusiveAmount", f"{net_total:.2f}", **money),
            element("TaxInclusiveAmount", f"{net_total + tax_total:.2f}", **money),
            element("AllowanceTotalAmount", f"{allowance:.2f}" if full else "", **money),
            element("ChargeTotalAmount", f"{charge:.2f}" if full else "", **money),
            element("PrepaidAmount", f"{prepaid:.2f}" if full else "", **money),
            element("PayableRoundingAmount", "0.00" if full else "", **money),
            element("PayableAmount", f"{net_total + tax_total - prepaid:.2f}", **money),
        ),
        *written,
    ]
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind} xmlns="{UBL}{kind}-2"'
    head += f' xmlns:cac="{UBL}CommonAggregateComponents-2" xmlns:cbc="{UBL}CommonBasicComponents-2">'
    body = "\n".join(part for part in parts if part)
    return f"{head}\n{body}\n</{kind}>\n".encode()


def adjustment(
    charge: str, code: str, why: str, amount: Decimal, group: tuple[str, str] | None, money: dict[str, str], *,
    base: Decimal | None = None, percent: str = "",
) -> str:  # fmt: skip
    """An allowance (`charge` "false") or a charge ("true"); with a VAT group on document level."""
    return element(
        "AllowanceCharge",
        element("ChargeIndicator", charge),
        element("AllowanceChargeReasonCode", code),
        element("AllowanceChargeReason", why),
        element("MultiplierFactorNumeric", percent),
        element("Amount", f"{amount:.2f}", **money),
        element("BaseAmount", f"{base:.2f}" if base is not None else "", **money),
        category("TaxCategory", *group) if group else "",
    )


def attachments(seller: str) -> list[str]:
    """Supporting documents: an embedded file, a link, the invoiced object, and what some countries ask for."""
    image = element("EmbeddedDocumentBinaryObject", "aGVp", mimeCode="application/pdf", filename="vedlegg.pdf")
    link = element("ExternalReference", element("URI", "https://example.com/timer"))
    name = "AdditionalDocumentReference"
    found = [
        element(name, element("ID", "V-1"), element("DocumentDescription", "Timeliste"), element("Attachment", image)),
        element(name, element("ID", "V-2"), element("DocumentDescription", "Lenke"), element("Attachment", link)),
        element(name, element("ID", "OBJ-1", schemeID="ABT"), element("DocumentTypeCode", "130")),
    ]
    if seller == "GR":
        found.append(element(name, element("ID", "400001"), element("DocumentDescription", "##M.AR.K##")))
        found.append(element(name, element("ID", "U"), element("DocumentDescription", "##INVOICE|URL##"),
                             element("Attachment", link)))  # fmt: skip
    if seller == "IS":
        found.append(element(name, element("ID", "2026-06-30"), element("DocumentDescription", "EINDAGI")))
    return found


def payment(code: str) -> str:
    """How to pay: a credit transfer, a card or a direct debit, by its code."""
    account = element("ID", "NO9386011117947") + element("Name", "Fjordvarer AS")
    account += element("FinancialInstitutionBranch", element("ID", "DNBANOKK"))
    card = element("PrimaryAccountNumberID", "1234") + element("NetworkID", "VISA") + element("HolderName", "Kari")
    mandate = element("ID", "M-1") + element("PayerFinancialAccount", element("ID", "NO9386011117947"))
    return element(
        "PaymentMeans",
        element("PaymentMeansCode", code, name="Betaling"),
        element("PaymentID", "0000010012"),
        element("CardAccount", card) if code in ("48", "54", "55") else "",
        element("PayeeFinancialAccount", account) if code in ("30", "31", "42", "50", "58", "93", "9") else "",
        element("PaymentMandate", mandate) if code in ("49", "59") else "",
    )


def line(number: int, kind: str, group: tuple[str, str], money: dict[str, str], *, full: bool) -> tuple[str, Decimal]:
    """One line and its net amount: seven pieces at 12.50 and some, less an allowance and plus a charge when full."""
    price = Decimal("12.50") + Decimal(number % 97)
    allowance, charge = (Decimal("3.50"), Decimal("1.25")) if full else (Decimal(0), Decimal(0))
    net = cents(7 * price) + charge - allowance
    credit = kind == "CreditNote"
    item = [element("Description", f"Vare nummer {number}, levert i april"), element("Name", f"Vare {number}")]
    details: list[str] = []
    if full:
        item += [
            element("BuyersItemIdentification", element("ID", f"B{number}")),
            element("SellersItemIdentification", element("ID", f"S{number}")),
            element("StandardItemIdentification", element("ID", "7300010000001", schemeID="0160")),
            element("OriginCountry", element("IdentificationCode", "NO")),
            element("CommodityClassification", element("ItemClassificationCode", "43211503", listID="STI")),
        ]
        details = [
            element("InvoicePeriod", element("StartDate", "2026-04-02"), element("EndDate", "2026-04-29")),
            element("OrderLineReference", element("LineID", str(number))),
            element("DocumentReference", element("ID", f"O{number}", schemeID="ABT"),
                    element("DocumentTypeCode", "130")),
            adjustment("false", "95", "Rabatt", allowance, None, money, base=Decimal("35.00"), percent="10"),
            adjustment("true", "FC", "Frakt", charge, None, money),
        ]  # fmt: skip
    item.append(category("ClassifiedTaxCategory", *group))
    if full:
        item.append(element("AdditionalItemProperty", element("Name", "Farge"), element("Value", "Blå")))
    gross = element("ChargeIndicator", "false") + element("Amount", "2.00", **money)
    gross += element("BaseAmount", f"{price + 2:.2f}", **money)
    text = element(
        f"{kind}Line",
        element("ID", str(number)),
        element("Note", "Etter avtale") if full else "",
        element("CreditedQuantity" if credit else "InvoicedQuantity", "7", unitCode="EA"),
        element("LineExtensionAmount", f"{net:.2f}", **money),
        element("AccountingCost", "4100") if full else "",
        *details,
        element("Item", *item),
        element(
            "Price",
            element("PriceAmount", f"{price:.2f}", **money),
            element("BaseQuantity", "1", unitCode="EA") if full else "",
            element("AllowanceCharge", gross) if full else "",
        ),
    )
    return text, net
