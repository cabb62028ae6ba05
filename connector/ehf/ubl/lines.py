"""Invoice lines (BG-25 to BG-32)."""

from __future__ import annotations

from lxml import etree

from connector.ehf.ubl.charges import (
    read_allowances_charges,
    read_category,
    write_allowances_charges,
    write_category,
)
from connector.ehf.ubl.node import Node, group, put, put_in, tag
from connector.ehf.ubl.party import put_identifier, read_identifier
from connector.ehf.ubl.references import OBJECT, read_period, write_period
from connector.ehf.ubl.remainder import remainder, restore
from connector.model import Classification, Identifier, Invoice, ItemAttribute, Kind, Line

ELEMENT: dict[Kind, str] = {"invoice": "cac:InvoiceLine", "credit_note": "cac:CreditNoteLine"}
QUANTITY: dict[Kind, str] = {"invoice": "cbc:InvoicedQuantity", "credit_note": "cbc:CreditedQuantity"}


def read_line(node: Node, kind: Kind, currency: str) -> tuple[Line, etree._Element]:
    """A line with what it held besides, and the element it would be written as."""
    line = _read_fields(node, kind)
    written = etree.Element(tag(ELEMENT[kind]))
    _write_fields(written, line, kind, currency)
    extension = remainder(node.element, written)
    return (line.model_copy(update={"extension": extension}) if extension else line), written


def write_lines(parent: etree._Element, invoice: Invoice) -> None:
    """Append every line, with what it held besides."""
    for line in invoice.lines:
        element = group(parent, ELEMENT[invoice.kind])
        _write_fields(element, line, invoice.kind, invoice.currency)
        restore(element, line.extension)


def _read_fields(node: Node, kind: Kind) -> Line:
    quantity = QUANTITY[kind]
    item = node.first("cac:Item") or Node(etree.Element(tag("cac:Item")))
    price = node.first("cac:Price") or Node(etree.Element(tag("cac:Price")))
    discount = price.first("cac:AllowanceCharge")
    if discount is not None and discount.text("cbc:ChargeIndicator") in ("true", "1"):
        discount = None  # UBL allows a charge on a price, EN 16931 does not know one
    category, rate = read_category(item)
    return Line(
        id=node.text("cbc:ID") or "-",
        note=node.text("cbc:Note"),
        object_id=_read_object(node),
        quantity=node.number(quantity),
        unit_code=node.attribute("unitCode", quantity),
        net=node.number("cbc:LineExtensionAmount"),
        order_line=node.text("cac:OrderLineReference", "cbc:LineID"),
        accounting_cost=node.text("cbc:AccountingCost"),
        period=read_period(node.first("cac:InvoicePeriod")),
        allowances_charges=read_allowances_charges(node, with_vat=False),
        price=price.number("cbc:PriceAmount"),
        price_discount=discount and discount.number("cbc:Amount"),
        gross_price=discount and discount.number("cbc:BaseAmount"),
        base_quantity=price.number("cbc:BaseQuantity"),
        base_quantity_unit=price.attribute("unitCode", "cbc:BaseQuantity"),
        vat_category=category,
        vat_rate=rate,
        name=item.text("cbc:Name"),
        description=item.text("cbc:Description"),
        seller_item_id=item.text("cac:SellersItemIdentification", "cbc:ID"),
        buyer_item_id=item.text("cac:BuyersItemIdentification", "cbc:ID"),
        standard_item_id=read_identifier(item, "cac:StandardItemIdentification", "cbc:ID"),
        classifications=_read_classifications(item),
        origin_country=item.text("cac:OriginCountry", "cbc:IdentificationCode"),
        attributes=tuple(
            ItemAttribute(name=name, value=value)
            for each in item.all("cac:AdditionalItemProperty")
            if (name := each.text("cbc:Name")) and (value := each.text("cbc:Value"))
        ),
    )


def _read_object(node: Node) -> Identifier | None:
    reference = node.first("cac:DocumentReference")
    if reference is None or reference.text("cbc:DocumentTypeCode") != OBJECT:
        return None
    return read_identifier(reference, "cbc:ID")


def _read_classifications(item: Node) -> tuple[Classification, ...]:
    name = "cbc:ItemClassificationCode"
    return tuple(
        Classification(code=code, list_id=each.attribute("listID", name), version=each.attribute("listVersionID", name))
        for each in item.all("cac:CommodityClassification")
        if (code := each.text(name))
    )


def _write_fields(element: etree._Element, line: Line, kind: Kind, currency: str) -> None:
    put(element, "cbc:ID", line.id)
    put(element, "cbc:Note", line.note)
    put(element, QUANTITY[kind], line.quantity, unitCode=line.unit_code)
    put(element, "cbc:LineExtensionAmount", line.net, currencyID=currency)
    put(element, "cbc:AccountingCost", line.accounting_cost)
    write_period(element, line.period)
    put_in(element, "cac:OrderLineReference", "cbc:LineID", line.order_line)
    if line.object_id is not None:
        reference = group(element, "cac:DocumentReference")
        put_identifier(reference, "cbc:ID", line.object_id)
        put(reference, "cbc:DocumentTypeCode", OBJECT)
    write_allowances_charges(element, line.allowances_charges, currency, with_vat=False)
    _write_item(group(element, "cac:Item"), line)
    if line.price is not None:
        _write_price(group(element, "cac:Price"), line, currency)


def _write_item(element: etree._Element, line: Line) -> None:
    put(element, "cbc:Description", line.description)
    put(element, "cbc:Name", line.name)
    put_in(element, "cac:BuyersItemIdentification", "cbc:ID", line.buyer_item_id)
    put_in(element, "cac:SellersItemIdentification", "cbc:ID", line.seller_item_id)
    if line.standard_item_id is not None:
        put_identifier(group(element, "cac:StandardItemIdentification"), "cbc:ID", line.standard_item_id)
    put_in(element, "cac:OriginCountry", "cbc:IdentificationCode", line.origin_country)
    for each in line.classifications:
        put_in(
            element,
            "cac:CommodityClassification",
            "cbc:ItemClassificationCode",
            each.code,
            listID=each.list_id,
            listVersionID=each.version,
        )
    write_category(element, "cac:ClassifiedTaxCategory", line.vat_category, line.vat_rate)
    for attribute in line.attributes:
        pair = group(element, "cac:AdditionalItemProperty")
        put(pair, "cbc:Name", attribute.name)
        put(pair, "cbc:Value", attribute.value)


def _write_price(element: etree._Element, line: Line, currency: str) -> None:
    put(element, "cbc:PriceAmount", line.price, currencyID=currency)
    put(element, "cbc:BaseQuantity", line.base_quantity, unitCode=line.base_quantity_unit)
    if line.price_discount is not None or line.gross_price is not None:
        discount = group(element, "cac:AllowanceCharge")
        put(discount, "cbc:ChargeIndicator", "false")
        put(discount, "cbc:Amount", line.price_discount, currencyID=currency)
        put(discount, "cbc:BaseAmount", line.gross_price, currencyID=currency)
