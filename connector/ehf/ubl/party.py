"""Seller, buyer, payee, tax representative; addresses and identifiers (BG-4 to BG-12)."""

from __future__ import annotations

from lxml import etree

from connector.ehf.ubl.node import Node, group, put, put_in
from connector.model import Address, Contact, Identifier, Party, Payee, TaxRepresentative

VAT = "VAT"
TAX = "TAX"


def read_identifier(node: Node, *names: str) -> Identifier | None:
    """The identifier at the path of names, with its scheme."""
    value = node.text(*names)
    return None if value is None else Identifier(value=value, scheme=node.attribute("schemeID", *names))


def put_identifier(parent: etree._Element, name: str, identifier: Identifier | None) -> None:
    """Append an identifier with its scheme; nothing for None."""
    if identifier is not None:
        put(parent, name, identifier.value, schemeID=identifier.scheme)


def read_party(role: Node) -> Party:
    """The party in AccountingSupplierParty or AccountingCustomerParty."""
    party = role.first("cac:Party")
    return Party() if party is None else read_bare_party(party)


def read_bare_party(party: Node) -> Party:
    """The party in an element that is one itself: `cac:Party`, or SenderParty and ReceiverParty of a response."""
    vat_number, tax_registration = _read_tax_schemes(party)
    legal = party.first("cac:PartyLegalEntity")
    return Party(
        name=legal and legal.text("cbc:RegistrationName"),
        trading_name=party.text("cac:PartyName", "cbc:Name"),
        identifiers=_read_identifiers(party),
        legal_id=legal and read_identifier(legal, "cbc:CompanyID"),
        vat_number=vat_number,
        tax_registration=tax_registration,
        legal_form=legal and legal.text("cbc:CompanyLegalForm"),
        endpoint=read_identifier(party, "cbc:EndpointID"),
        address=read_address(party.first("cac:PostalAddress")),
        contact=_read_contact(party.first("cac:Contact")),
    )


def write_party(parent: etree._Element, role: str, party: Party) -> None:
    """Append AccountingSupplierParty or AccountingCustomerParty."""
    write_bare_party(group(parent, role), "cac:Party", party)


def write_bare_party(parent: etree._Element, name: str, party: Party) -> None:
    """Append an element that is a party itself."""
    element = group(parent, name)
    put_identifier(element, "cbc:EndpointID", party.endpoint)
    for identifier in party.identifiers:
        put_identifier(group(element, "cac:PartyIdentification"), "cbc:ID", identifier)
    put_in(element, "cac:PartyName", "cbc:Name", party.trading_name)
    write_address(element, "cac:PostalAddress", party.address)
    _write_tax_scheme(element, party.vat_number, VAT)
    _write_tax_scheme(element, party.tax_registration, TAX)
    if party.name or party.legal_id or party.legal_form:
        legal = group(element, "cac:PartyLegalEntity")
        put(legal, "cbc:RegistrationName", party.name)
        put_identifier(legal, "cbc:CompanyID", party.legal_id)
        put(legal, "cbc:CompanyLegalForm", party.legal_form)
    if party.contact is not None:
        contact = group(element, "cac:Contact")
        put(contact, "cbc:Name", party.contact.name)
        put(contact, "cbc:Telephone", party.contact.phone)
        put(contact, "cbc:ElectronicMail", party.contact.email)


def _read_identifiers(party: Node) -> tuple[Identifier, ...]:
    found = (read_identifier(each, "cbc:ID") for each in party.all("cac:PartyIdentification"))
    return tuple(identifier for identifier in found if identifier)


def _read_tax_schemes(party: Node) -> tuple[str | None, str | None]:
    """VAT number, and registration with a scheme other than VAT; the first of each."""
    vat: str | None = None
    other: str | None = None
    for each in party.all("cac:PartyTaxScheme"):
        number = each.text("cbc:CompanyID")
        if (each.text("cac:TaxScheme", "cbc:ID") or "").upper() == VAT:
            vat = vat or number
        else:
            other = other or number
    return vat, other


def _write_tax_scheme(parent: etree._Element, number: str | None, scheme: str) -> None:
    if number is not None:
        element = group(parent, "cac:PartyTaxScheme")
        put(element, "cbc:CompanyID", number)
        put_in(element, "cac:TaxScheme", "cbc:ID", scheme)


def _read_contact(node: Node | None) -> Contact | None:
    if node is None:
        return None
    return Contact(name=node.text("cbc:Name"), phone=node.text("cbc:Telephone"), email=node.text("cbc:ElectronicMail"))


def read_address(node: Node | None) -> Address | None:
    """A postal address; None where there is none."""
    if node is None:
        return None
    return Address(
        street=node.text("cbc:StreetName"),
        additional_street=node.text("cbc:AdditionalStreetName"),
        line=node.text("cac:AddressLine", "cbc:Line"),
        city=node.text("cbc:CityName"),
        postal_code=node.text("cbc:PostalZone"),
        region=node.text("cbc:CountrySubentity"),
        country=node.text("cac:Country", "cbc:IdentificationCode"),
    )


def write_address(parent: etree._Element, name: str, address: Address | None) -> None:
    """Append a postal address; nothing for None."""
    if address is None:
        return
    element = group(parent, name)
    put(element, "cbc:StreetName", address.street)
    put(element, "cbc:AdditionalStreetName", address.additional_street)
    put(element, "cbc:CityName", address.city)
    put(element, "cbc:PostalZone", address.postal_code)
    put(element, "cbc:CountrySubentity", address.region)
    put_in(element, "cac:AddressLine", "cbc:Line", address.line)
    put_in(element, "cac:Country", "cbc:IdentificationCode", address.country)


def read_payee(node: Node | None) -> Payee | None:
    """PayeeParty; None where there is none."""
    if node is None:
        return None
    return Payee(
        name=node.text("cac:PartyName", "cbc:Name"),
        identifiers=_read_identifiers(node),
        legal_id=read_identifier(node, "cac:PartyLegalEntity", "cbc:CompanyID"),
    )


def write_payee(parent: etree._Element, payee: Payee | None) -> None:
    """Append PayeeParty; nothing for None."""
    if payee is None:
        return
    element = group(parent, "cac:PayeeParty")
    for identifier in payee.identifiers:
        put_identifier(group(element, "cac:PartyIdentification"), "cbc:ID", identifier)
    put_in(element, "cac:PartyName", "cbc:Name", payee.name)
    if payee.legal_id is not None:
        put_identifier(group(element, "cac:PartyLegalEntity"), "cbc:CompanyID", payee.legal_id)


def read_tax_representative(node: Node | None) -> TaxRepresentative | None:
    """TaxRepresentativeParty; None where there is none."""
    if node is None:
        return None
    return TaxRepresentative(
        name=node.text("cac:PartyName", "cbc:Name"),
        vat_number=_read_tax_schemes(node)[0],
        address=read_address(node.first("cac:PostalAddress")),
    )


def write_tax_representative(parent: etree._Element, party: TaxRepresentative | None) -> None:
    """Append TaxRepresentativeParty; nothing for None."""
    if party is None:
        return
    element = group(parent, "cac:TaxRepresentativeParty")
    put_in(element, "cac:PartyName", "cbc:Name", party.name)
    write_address(element, "cac:PostalAddress", party.address)
    _write_tax_scheme(element, party.vat_number, VAT)
