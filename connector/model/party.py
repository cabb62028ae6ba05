"""Who takes part: seller, buyer, payee, tax representative, and customers and suppliers as registers hold them."""

from __future__ import annotations

from pydantic import Field

from connector.model.base import Term, Text
from connector.model.identifiers import BankAccount, Iban, OrganisationNumber, VatNumber
from connector.model.money import Currency

ORGANISATION_SCHEME = "0192"
"""ISO 6523 code of the Norwegian organisation number."""


class Identifier(Term):
    """An identifier and the scheme it belongs to (ISO 6523 ICD or EAS code: 0192 Norway, 0088 GLN …)."""

    value: Text
    """The identifier itself."""
    scheme: Text | None = None
    """Code of the scheme; None where the parties know it between them."""


class Address(Term):
    """A postal address (BG-5, BG-8, BG-12, BG-15)."""

    street: Text | None = None
    """BT-35, BT-50, BT-64, BT-75 Address line 1."""
    additional_street: Text | None = None
    """BT-36, BT-51, BT-65, BT-76 Address line 2."""
    line: Text | None = None
    """BT-162, BT-163, BT-164, BT-165 Address line 3."""
    city: Text | None = None
    """BT-37, BT-52, BT-66, BT-77 City."""
    postal_code: Text | None = None
    """BT-38, BT-53, BT-67, BT-78 Post code."""
    region: Text | None = None
    """BT-39, BT-54, BT-68, BT-79 Country subdivision."""
    country: Text | None = None
    """BT-40, BT-55, BT-69, BT-80 Country code, ISO 3166-1 alpha-2."""


class Contact(Term):
    """A person or department to turn to (BG-6, BG-9)."""

    name: Text | None = None
    """BT-41, BT-56 Contact point."""
    phone: Text | None = None
    """BT-42, BT-57 Telephone number."""
    email: Text | None = None
    """BT-43, BT-58 E-mail address."""


class Party(Term):
    """The seller (BG-4) or the buyer (BG-7)."""

    name: Text | None = None
    """BT-27, BT-44 Registered name."""
    trading_name: Text | None = None
    """BT-28, BT-45 Name the party is known by, other than the registered one."""
    identifiers: tuple[Identifier, ...] = ()
    """BT-29, BT-46 Further identifiers; a bank's creditor identifier (BT-90) has the scheme SEPA."""
    legal_id: Identifier | None = None
    """BT-30, BT-47 Legal registration: for a Norwegian organisation its nine digits with scheme 0192, never MVA."""
    vat_number: Text | None = None
    """BT-31, BT-48 VAT identifier: NO923609016MVA; as stated, also where it is not valid."""
    tax_registration: Text | None = None
    """BT-32 Seller's tax registration: `Foretaksregisteret` for a Norwegian AS, ASA and NUF (rule NO-R-002)."""
    legal_form: Text | None = None
    """BT-33 Additional legal information on the seller."""
    endpoint: Identifier | None = None
    """BT-34, BT-49 Electronic address, where Peppol delivers: for a Norwegian organisation its number, scheme 0192."""
    address: Address | None = None
    """BG-5, BG-8 Postal address."""
    contact: Contact | None = None
    """BG-6, BG-9 Contact."""

    @property
    def organisation_number(self) -> OrganisationNumber | None:
        """The valid Norwegian organisation number: legal registration, else VAT number, else electronic address."""
        legal, endpoint = self.legal_id, self.endpoint
        if legal and legal.scheme in (ORGANISATION_SCHEME, None) and (own := OrganisationNumber.maybe(legal.value)):
            return own
        if self.vat_number and (vat := VatNumber.maybe(self.vat_number)):
            return vat.organisation_number
        if endpoint and endpoint.scheme == ORGANISATION_SCHEME:
            return OrganisationNumber.maybe(endpoint.value)
        return None

    @classmethod
    def norwegian(
        cls,
        number: str,
        name: str,
        *,
        vat_registered: bool = True,
        in_business_register: bool = False,
        address: Address | None = None,
        contact: Contact | None = None,
    ) -> Party:
        """A Norwegian organisation with the identifiers EHF asks of it, all made from its organisation number.

        Args:
            number: organisation number; ValueError if its check digit is wrong.
            name: registered name.
            vat_registered: in the VAT register (Merverdiavgiftsregisteret).
            in_business_register: AS, ASA or NUF: the word Foretaksregisteret must be on the invoices it issues.
        """
        checked = OrganisationNumber(number)
        own = Identifier(value=checked, scheme=ORGANISATION_SCHEME)
        return cls(
            name=name,
            legal_id=own,
            endpoint=own,
            vat_number=checked.vat_number if vat_registered else None,
            tax_registration="Foretaksregisteret" if in_business_register else None,
            address=address or Address(country="NO"),
            contact=contact,
        )


class Payee(Term):
    """Who is paid, where it is not the seller (BG-10), for instance a factoring company."""

    name: Text | None = None
    """BT-59 Payee name."""
    identifiers: tuple[Identifier, ...] = ()
    """BT-60 Payee identifier; a bank's creditor identifier (BT-90) has the scheme SEPA."""
    legal_id: Identifier | None = None
    """BT-61 Payee legal registration."""


class TaxRepresentative(Term):
    """The seller's tax representative (BG-11)."""

    name: Text | None = None
    """BT-62 Name."""
    vat_number: Text | None = None
    """BT-63 VAT identifier."""
    address: Address | None = None
    """BG-12 Postal address."""


class TradingPartner(Term):
    """A party as a register of customers or suppliers holds it. Text ids are the register's own."""

    source_id: Text | None = None
    """The record's id in the system that holds it."""
    number: Text | None = None
    """Customer or supplier number that people use."""
    party: Party
    """Names, identifiers, address, contact."""
    invoice_email: Text | None = None
    """Where invoices and reminders go by e-mail."""
    delivery_address: Address | None = None
    """Where goods go, if elsewhere."""
    payment_days: int | None = Field(default=None, ge=0, le=3650)
    """Days from invoice date to due date."""
    currency: Currency | None = None
    """Usual currency."""
    bank_accounts: tuple[BankAccount | Iban | Text, ...] = ()
    """Accounts to pay to (of a supplier): Norwegian number, IBAN, or as stated where it is neither."""
    active: bool = True
    """False: closed for new documents; never deleted, documents refer to it."""


class Customer(TradingPartner):
    """Somebody we sell to."""


class Supplier(TradingPartner):
    """Somebody we buy from."""

    accepted_accounts: tuple[Text, ...] = ()
    """Accounts that invoices of this supplier have been accepted with, the last one last. The hub's own knowledge:
    an invoice that names another one is held."""
