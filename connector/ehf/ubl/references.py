"""References to other documents, supporting documents, periods, delivery (BG-3, 13, 14, 24; BT-11 to 18)."""

from __future__ import annotations

from lxml import etree

from connector.ehf.ubl.node import Node, bad_value, group, put, put_in
from connector.ehf.ubl.party import put_identifier, read_address, read_identifier, write_address
from connector.model import Attachment, Delivery, DocumentReference, Embedded, Identifier, Invoice, Period
from connector.model.references import decode_base64, encode_base64

OBJECT = "130"
"""UNCL1001: the reference names what the invoice or line is about (BT-18, BT-128)."""
PROJECT = "50"
"""UNCL1001: on a credit note, the reference names the project (BT-11)."""
NOT_GIVEN = "NA"
"""What EHF writes for the purchase order where there is a sales order only (UBL wants the element)."""


def read_order(document: Node) -> tuple[str | None, str | None]:
    """Purchase order and sales order (BT-13, BT-14)."""
    order = document.text("cac:OrderReference", "cbc:ID")
    sales = document.text("cac:OrderReference", "cbc:SalesOrderID")
    return (None if sales and order == NOT_GIVEN else order), sales


def write_order(parent: etree._Element, invoice: Invoice) -> None:
    """Append OrderReference."""
    if invoice.order_reference or invoice.sales_order_reference:
        element = group(parent, "cac:OrderReference")
        put(element, "cbc:ID", invoice.order_reference or NOT_GIVEN)
        put(element, "cbc:SalesOrderID", invoice.sales_order_reference)


def read_preceding(document: Node) -> tuple[DocumentReference, ...]:
    """Invoices that the document corrects (BG-3)."""
    found = (each.first("cac:InvoiceDocumentReference") for each in document.all("cac:BillingReference"))
    return tuple(
        DocumentReference(number=number, issue_date=node.day("cbc:IssueDate"))
        for node in found
        if node and (number := node.text("cbc:ID"))
    )


def write_preceding(parent: etree._Element, references: tuple[DocumentReference, ...]) -> None:
    """Append a BillingReference for each that has a number."""
    for reference in references:
        if not reference.number:
            continue
        element = group(group(parent, "cac:BillingReference"), "cac:InvoiceDocumentReference")
        put(element, "cbc:ID", reference.number)
        put(element, "cbc:IssueDate", reference.issue_date)


def read_supporting(document: Node, credit_note: bool) -> tuple[tuple[Attachment, ...], Identifier | None, str | None]:
    """Supporting documents (BG-24), invoiced object (BT-18) and, on a credit note, project (BT-11)."""
    attachments: list[Attachment] = []
    about: Identifier | None = None
    project: str | None = None
    for node in document.all("cac:AdditionalDocumentReference"):
        number, code = node.text("cbc:ID"), node.text("cbc:DocumentTypeCode")
        if number is None:
            continue
        if code == OBJECT and about is None:
            about = read_identifier(node, "cbc:ID")
        elif code == PROJECT and credit_note and project is None:
            project = number
        else:
            attachments.append(_read_attachment(node, number))
    return tuple(attachments), about, project


def write_supporting(parent: etree._Element, invoice: Invoice) -> None:
    """Append an AdditionalDocumentReference for each."""
    for attachment in invoice.attachments:
        _write_attachment(group(parent, "cac:AdditionalDocumentReference"), attachment)
    if invoice.invoiced_object is not None:
        element = group(parent, "cac:AdditionalDocumentReference")
        put_identifier(element, "cbc:ID", invoice.invoiced_object)
        put(element, "cbc:DocumentTypeCode", OBJECT)
    if invoice.is_credit_note and invoice.project_reference is not None:
        element = group(parent, "cac:AdditionalDocumentReference")
        put(element, "cbc:ID", invoice.project_reference)
        put(element, "cbc:DocumentTypeCode", PROJECT)


def _read_attachment(node: Node, number: str) -> Attachment:
    inner = node.first("cac:Attachment")
    return Attachment(
        id=number,
        description=node.text("cbc:DocumentDescription"),
        link=inner and inner.text("cac:ExternalReference", "cbc:URI"),
        embedded=inner and _read_embedded(inner),
    )


def _read_embedded(node: Node) -> Embedded | None:
    name = "cbc:EmbeddedDocumentBinaryObject"
    element = node.first(name)
    mime_type = node.attribute("mimeCode", name)
    if element is None or mime_type is None:
        return None
    try:
        content = decode_base64(element.element.text or "")
    except ValueError as error:
        raise bad_value(element.element, "base64-malformed", str(error)) from None
    return Embedded(content=content, mime_type=mime_type, filename=node.attribute("filename", name))


def _write_attachment(element: etree._Element, attachment: Attachment) -> None:
    put(element, "cbc:ID", attachment.id)
    put(element, "cbc:DocumentDescription", attachment.description)
    if attachment.link is None and attachment.embedded is None:
        return
    inner = group(element, "cac:Attachment")
    if attachment.embedded is not None:
        file = attachment.embedded
        put(
            inner,
            "cbc:EmbeddedDocumentBinaryObject",
            encode_base64(file.content),
            mimeCode=file.mime_type,
            filename=file.filename,
        )
    put_in(inner, "cac:ExternalReference", "cbc:URI", attachment.link)


def read_period(node: Node | None) -> Period | None:
    """A period with a first or last day; None where there is none."""
    start, end = (node.day("cbc:StartDate"), node.day("cbc:EndDate")) if node else (None, None)
    return Period(start=start, end=end) if start or end else None


def write_period(parent: etree._Element, period: Period | None, tax_point_code: str | None = None) -> None:
    """Append InvoicePeriod, with the VAT point date code (BT-8) on a document."""
    if period is None and tax_point_code is None:
        return
    element = group(parent, "cac:InvoicePeriod")
    if period is not None:
        put(element, "cbc:StartDate", period.start)
        put(element, "cbc:EndDate", period.end)
    put(element, "cbc:DescriptionCode", tax_point_code)


def read_delivery(node: Node | None) -> Delivery | None:
    """The delivery; None where there is none."""
    if node is None:
        return None
    location = node.first("cac:DeliveryLocation")
    return Delivery(
        day=node.day("cbc:ActualDeliveryDate"),
        location_id=location and read_identifier(location, "cbc:ID"),
        address=location and read_address(location.first("cac:Address")),
        name=node.text("cac:DeliveryParty", "cac:PartyName", "cbc:Name"),
    )


def write_delivery(parent: etree._Element, delivery: Delivery | None) -> None:
    """Append Delivery; nothing for None."""
    if delivery is None:
        return
    element = group(parent, "cac:Delivery")
    put(element, "cbc:ActualDeliveryDate", delivery.day)
    if delivery.location_id is not None or delivery.address is not None:
        location = group(element, "cac:DeliveryLocation")
        put_identifier(location, "cbc:ID", delivery.location_id)
        write_address(location, "cac:Address", delivery.address)
    if delivery.name is not None:
        put_in(group(element, "cac:DeliveryParty"), "cac:PartyName", "cbc:Name", delivery.name)
