"""Whole documents: UBL to model and back."""

from __future__ import annotations

from typing import Any

from lxml import etree
from pydantic import ValidationError

from connector.ehf.ubl import carried
from connector.ehf.ubl.charges import (
    read_allowances_charges,
    read_tax_totals,
    write_allowances_charges,
    write_tax_totals,
)
from connector.ehf.ubl.lines import ELEMENT, read_line, write_lines
from connector.ehf.ubl.node import Node, bad_value, put, put_in, tag
from connector.ehf.ubl.order import ranks
from connector.ehf.ubl.party import (
    read_party,
    read_payee,
    read_tax_representative,
    write_party,
    write_payee,
    write_tax_representative,
)
from connector.ehf.ubl.payment import read_payment_means, write_payment_means
from connector.ehf.ubl.references import (
    read_delivery,
    read_order,
    read_period,
    read_preceding,
    read_supporting,
    write_delivery,
    write_order,
    write_period,
    write_preceding,
    write_supporting,
)
from connector.ehf.ubl.remainder import remainder, restore
from connector.ehf.ubl.totals import read_totals, write_totals
from connector.ehf.xml import CAC, CBC, CREDIT_NOTE, INVOICE, name_of, parse
from connector.errors import BadInput
from connector.model import Direction, Invoice, Kind, Line
from connector.model.money import MINOR_UNITS

_ROOTS: dict[str, Kind] = {f"{{{INVOICE}}}Invoice": "invoice", f"{{{CREDIT_NOTE}}}CreditNote": "credit_note"}
_NAMESPACE: dict[Kind, str] = {"invoice": INVOICE, "credit_note": CREDIT_NOTE}
_NAME: dict[Kind, str] = {"invoice": "Invoice", "credit_note": "CreditNote"}
_TYPE_CODE: dict[Kind, str] = {"invoice": "cbc:InvoiceTypeCode", "credit_note": "cbc:CreditNoteTypeCode"}
_LINES = frozenset(tag(name) for name in ELEMENT.values())


def read(data: bytes, *, direction: Direction = "outgoing") -> Invoice:
    """The invoice or credit note in a UBL 2.1 document.

    Nothing is lost: what the model has no field for is kept in `extension` of the invoice or line, so that
    `write(read(data))` is the same document but for formatting. Stated totals stay as stated. Whether the document is
    valid is `validate`'s question; this reads whatever the UBL schema allows.

    Args:
        data: the XML.
        direction: outgoing (our sale) or incoming (our purchase); the document does not say.

    Raises:
        BadInput: with a stable code, XPath and line: `xml-…` (not well-formed, DTD, too large …), `ubl-other-document`
            (another kind of document), `ubl-namespace` (an invoice of another standard or version), `number-malformed`,
            `date-malformed`, `currency-unknown`, `currency-missing`, `base64-malformed`, `ubl-mixed-text`, `no-lines`.
    """
    root = parse(data)
    kind = _kind(root)
    try:
        return _read(Node(root), kind, direction)
    except ValidationError as error:
        raise _not_in_model(error, root) from None


def write(invoice: Invoice) -> bytes:
    """The invoice as UBL 2.1: UTF-8, schema order, indented, with everything that was kept when it was read.

    Our own ids, VAT codes and dimensions are not part of the document: `read(write(x)) == x.as_carried()`.

    Raises:
        BadInput: `not-issued` (no number or issue date yet), `not-composed` (amounts or totals missing),
            `needs-other-term` (a term that EHF can carry only together with another one), each with the field.
    """
    carried.check(invoice)
    root = _element(invoice)
    write_lines(root, invoice)
    restore(root, invoice.extension)
    _indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"


def _kind(root: etree._Element) -> Kind:
    kind = _ROOTS.get(root.tag)
    if kind is not None:
        return kind
    name = etree.QName(root)
    if name.localname in ("Invoice", "CreditNote"):
        raise BadInput(
            f"The {name.localname} is not UBL 2.1: its namespace is {name.namespace or 'missing'}.",
            code="ubl-namespace",
            do=f"Send an EHF Billing 3.0 document; its namespace is {INVOICE} or {CREDIT_NOTE}.",
            where={"xpath": f"/{name_of(root.tag)}", "line": root.sourceline},
        )
    hints = {
        "StandardBusinessDocument": "Send the invoice inside the envelope, without the envelope.",
        "CrossIndustryInvoice": "The invoice is in the CII syntax; EHF is UBL. Convert it first.",
        "ApplicationResponse": "This is a response to an invoice, not an invoice.",
    }
    raise BadInput(
        f"The document is no invoice or credit note: it begins with {name.localname}.",
        code="ubl-other-document",
        do=hints.get(name.localname, "Send an EHF Billing 3.0 invoice or credit note."),
        where={"xpath": f"/{name_of(root.tag)}", "line": root.sourceline},
    )


def _not_in_model(error: ValidationError, root: etree._Element) -> BadInput:
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(step) for step in first["loc"])
    return BadInput(
        f"{field or 'The document'}: {first['msg']}",
        code=first["type"].replace("_", "-"),
        do="Mend the value and send the document again.",
        where={"xpath": f"/{name_of(root.tag)}", "field": field, "line": root.sourceline},
    )


# Reading --------------------------------------------------------------------------------------------------------------


def _read(document: Node, kind: Kind, direction: Direction) -> Invoice:
    currency = _read_currency(document)
    pairs = [read_line(node, kind, currency) for node in document.all(ELEMENT[kind])]
    invoice = _read_fields(document, kind, direction, currency, tuple(line for line, _ in pairs))
    written = _element(invoice)
    for _, element in pairs:
        written.append(element)
    extension = remainder(document.element, written, settled=_LINES)
    return invoice.model_copy(update={"extension": extension}) if extension else invoice


def _read_currency(document: Node) -> str:
    """BT-5; where it is missing (the schema allows that), the currency of the payable amount."""
    node = document.first("cbc:DocumentCurrencyCode")
    currency = node and node.text()
    if node is None or currency is None:
        currency = document.attribute("currencyID", "cac:LegalMonetaryTotal", "cbc:PayableAmount")
        node = document
    if currency is None:
        raise BadInput(
            "The document does not say its currency.",
            code="currency-missing",
            do="State DocumentCurrencyCode (BT-5).",
            where={"xpath": f"/{name_of(document.element.tag)}", "line": document.element.sourceline},
        )
    return _known(currency, node)


def _known(currency: str, node: Node) -> str:
    if currency not in MINOR_UNITS:
        raise bad_value(node.element, "currency-unknown", f"{currency} is no ISO 4217 currency code.")
    return currency


def _read_fields(document: Node, kind: Kind, direction: Direction, currency: str, lines: tuple[Line, ...]) -> Invoice:
    tax_node = document.first("cbc:TaxCurrencyCode")
    tax_currency = tax_node and tax_node.text()
    tax, breakdown, accounting_tax = read_tax_totals(document, currency, tax_currency)
    attachments, invoiced_object, project = read_supporting(document, kind == "credit_note")
    order, sales_order = read_order(document)
    ways = read_payment_means(document)
    fields: dict[str, Any] = {
        "kind": kind,
        "type_code": document.text(_TYPE_CODE[kind]),
        "direction": direction,
        "customization": document.text("cbc:CustomizationID"),
        "profile": document.text("cbc:ProfileID"),
        "number": document.text("cbc:ID"),
        "issue_date": document.day("cbc:IssueDate"),
        "due_date": document.day("cbc:DueDate"),
        "tax_point_date": document.day("cbc:TaxPointDate"),
        "tax_point_code": document.text("cac:InvoicePeriod", "cbc:DescriptionCode"),
        "currency": currency,
        "tax_currency": tax_currency and tax_node and _known(tax_currency, tax_node),
        "accounting_cost": document.text("cbc:AccountingCost"),
        "buyer_reference": document.text("cbc:BuyerReference"),
        "period": read_period(document.first("cac:InvoicePeriod")),
        "notes": document.texts("cbc:Note"),
        "order_reference": order,
        "sales_order_reference": sales_order,
        "preceding_invoices": read_preceding(document),
        "despatch_reference": document.text("cac:DespatchDocumentReference", "cbc:ID"),
        "receipt_reference": document.text("cac:ReceiptDocumentReference", "cbc:ID"),
        "tender_reference": document.text("cac:OriginatorDocumentReference", "cbc:ID"),
        "contract_reference": document.text("cac:ContractDocumentReference", "cbc:ID"),
        "project_reference": project or document.text("cac:ProjectReference", "cbc:ID"),
        "invoiced_object": invoiced_object,
        "attachments": attachments,
        "seller": read_party(document.first("cac:AccountingSupplierParty") or document),
        "buyer": read_party(document.first("cac:AccountingCustomerParty") or document),
        "payee": read_payee(document.first("cac:PayeeParty")),
        "tax_representative": read_tax_representative(document.first("cac:TaxRepresentativeParty")),
        "delivery": read_delivery(document.first("cac:Delivery")),
        "payment_means": ways,
        "payment_terms": document.text("cac:PaymentTerms", "cbc:Note"),
        "lines": lines,
        "allowances_charges": read_allowances_charges(document, with_vat=True),
        "vat_breakdown": breakdown,
        "totals": read_totals(document.first("cac:LegalMonetaryTotal"), tax, accounting_tax),
    }
    if kind == "credit_note":
        node = document.first("cac:PaymentMeans")
        fields["due_date"] = node.day("cbc:PaymentDueDate") if node and ways else None
    return Invoice(**fields)


# Writing --------------------------------------------------------------------------------------------------------------


def _element(invoice: Invoice) -> etree._Element:
    """The document from the model's fields, without lines and without what was kept."""
    root = etree.Element(
        f"{{{_NAMESPACE[invoice.kind]}}}{_NAME[invoice.kind]}",
        nsmap={None: _NAMESPACE[invoice.kind], "cac": CAC, "cbc": CBC},  # type: ignore[dict-item]  # lxml takes None
    )
    credit_note = invoice.is_credit_note
    put(root, "cbc:CustomizationID", invoice.customization)
    put(root, "cbc:ProfileID", invoice.profile)
    put(root, "cbc:ID", invoice.number)
    put(root, "cbc:IssueDate", invoice.issue_date)
    if not credit_note:
        put(root, "cbc:DueDate", invoice.due_date)
    put(root, _TYPE_CODE[invoice.kind], invoice.type_code)
    for note in invoice.notes:
        put(root, "cbc:Note", note)
    put(root, "cbc:TaxPointDate", invoice.tax_point_date)
    put(root, "cbc:DocumentCurrencyCode", invoice.currency)
    put(root, "cbc:TaxCurrencyCode", invoice.tax_currency)
    put(root, "cbc:AccountingCost", invoice.accounting_cost)
    put(root, "cbc:BuyerReference", invoice.buyer_reference)
    write_period(root, invoice.period, invoice.tax_point_code)
    write_order(root, invoice)
    write_preceding(root, invoice.preceding_invoices)
    put_in(root, "cac:DespatchDocumentReference", "cbc:ID", invoice.despatch_reference)
    put_in(root, "cac:ReceiptDocumentReference", "cbc:ID", invoice.receipt_reference)
    put_in(root, "cac:OriginatorDocumentReference", "cbc:ID", invoice.tender_reference)
    put_in(root, "cac:ContractDocumentReference", "cbc:ID", invoice.contract_reference)
    write_supporting(root, invoice)
    if not credit_note:
        put_in(root, "cac:ProjectReference", "cbc:ID", invoice.project_reference)
    write_party(root, "cac:AccountingSupplierParty", invoice.seller)
    write_party(root, "cac:AccountingCustomerParty", invoice.buyer)
    write_payee(root, invoice.payee)
    write_tax_representative(root, invoice.tax_representative)
    write_delivery(root, invoice.delivery)
    write_payment_means(root, invoice.payment_means, invoice.due_date if credit_note else None)
    put_in(root, "cac:PaymentTerms", "cbc:Note", invoice.payment_terms)
    write_allowances_charges(root, invoice.allowances_charges, invoice.currency, with_vat=True)
    if invoice.totals is not None:
        write_tax_totals(root, invoice.totals, invoice.vat_breakdown, invoice.currency, invoice.tax_currency)
        write_totals(root, invoice.totals, invoice.currency)
    # Invoice and credit note differ in the order of a few references: the schema of each knows.
    rank = ranks(root.tag)
    root[:] = sorted(root, key=lambda child: rank[child.tag])
    return root


def _indent(element: etree._Element, depth: int = 0) -> None:
    """Two blanks a level inside UBL's own elements; what is foreign (extensions, signatures) is left alone."""
    own = element.tag.startswith((f"{{{CAC}}}", f"{{{INVOICE}}}", f"{{{CREDIT_NOTE}}}"))
    if not own or not len(element) or (element.text or "").strip():
        return
    element.text = "\n" + "  " * (depth + 1)
    for child in element:
        _indent(child, depth + 1)
        child.tail = "\n" + "  " * (depth + 1)
    element[-1].tail = "\n" + "  " * depth
