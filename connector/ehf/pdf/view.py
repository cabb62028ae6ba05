"""What the page shows: the document as ready-made text, so that the template decides nothing but the layout."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal
from stdnum.no import kontonr

from connector.ehf.pdf.labels import Language, labels, unit
from connector.model import AllowanceCharge, Attachment, Invoice, Line, Party, PaymentMeans, VatBreakdown, minor_units
from connector.model.party import Address, Identifier

Rows = list[list[str]]
SELF_BILLED = frozenset({"389", "261"})
NBSP = "\u00a0"


def view(invoice: Invoice, language: Language) -> dict[str, Any]:
    """The whole page as text, in one language."""
    return _Page(invoice, language).made()


class _Page:
    """One document in one language: keeps the words, the locale and the currency's decimals at hand."""

    def __init__(self, invoice: Invoice, language: Language) -> None:
        self.invoice = invoice
        self.language = language
        self.words = labels(language)
        self.locale = "nb_NO" if language == "nb" else "en_GB"
        self.decimals = minor_units(invoice.currency)

    def made(self) -> dict[str, Any]:
        """Everything the template reads."""
        invoice, words = self.invoice, self.words
        title = words[invoice.kind]
        remarks = [invoice.number or words["draft"]]
        if invoice.type_code in SELF_BILLED:
            remarks.append(words["self_billed"])
        totals = invoice.totals
        payable = totals.payable if totals else None
        owed = words["credited"] if invoice.is_credit_note else words["payable"]
        return {
            "language": self.language,
            "labels": words,
            "heading": f"{title} {remarks[0]}",
            "title": title,
            "subtitle": ", ".join(remarks),
            "footer": words["footer"],
            "seller": self.party(invoice.seller, seller=True),
            "buyer": self.party(invoice.buyer),
            "blocks": self.blocks(),
            "facts": self.facts(),
            "notes": list(invoice.notes),
            "lines": [self.line(line) for line in invoice.lines]
            + [self.document_level(i) for i in invoice.allowances_charges],
            "breakdown": [self.group(group) for group in invoice.vat_breakdown],
            "totals": self.totals(),
            "payable": [f"{owed} {invoice.currency}", self.amount(payable)],
            "payment": self.payment(),
            "after": self.attachments(invoice.attachments),
        }

    # --- text ---------------------------------------------------------------------------------------------------------

    def amount(self, value: Decimal | None) -> str:
        """An amount with the currency's decimals, more only where it has more."""
        return "" if value is None else self.number(value, self.decimals)

    def number(self, value: Decimal, least: int = 0) -> str:
        """A number as people write it, exact: no decimal is lost."""
        exact = max(least, -int(value.normalize().as_tuple().exponent))
        pattern = "#,##0" + ("." + "0" * least + "#" * (exact - least) if exact else "")
        return str(format_decimal(value, format=pattern, locale=self.locale, decimal_quantization=False))

    def day(self, value: date | None) -> str:
        """A date: 15.01.2027, or 15 January 2027."""
        if value is None:
            return ""
        return str(format_date(value, "dd.MM.yyyy" if self.language == "nb" else "d MMMM yyyy", locale=self.locale))

    def rate(self, value: Decimal | None) -> str:
        """A rate in percent; nothing for a category that has none."""
        return "" if value is None else f"{self.number(value)}{NBSP}%"

    def days(self, start: date | None, end: date | None) -> str:
        """A period, both days included."""
        return "–".join(day for day in (self.day(start), self.day(end)) if day)

    # --- parts --------------------------------------------------------------------------------------------------------

    def party(self, party: Party, *, seller: bool = False) -> dict[str, Any]:
        """Name, address and identifiers; the seller's with MVA and Foretaksregisteret, as the law asks."""
        words = self.words
        lines = [*_address(party.address)]
        if party.trading_name and party.trading_name != party.name:
            lines.insert(0, party.trading_name)
        number = party.organisation_number
        if number:
            parts = [f"{words['organisation']} {number:s}"]
            if party.vat_number:
                parts.append("MVA")
            if party.tax_registration:
                parts.append(party.tax_registration)
            lines.append(NBSP.join(parts))
        else:
            if party.legal_id:
                lines.append(f"{words['organisation']} {_identifier(party.legal_id)}")
            if party.vat_number:
                lines.append(f"{words['vat_number']} {party.vat_number}")
        if party.legal_form:
            lines.append(party.legal_form)
        if party.contact:
            contact = party.contact
            phone = f"{words['phone']} {contact.phone}" if contact.phone else None
            lines.append(", ".join(item for item in (contact.name, phone, contact.email) if item))
        if seller and party.endpoint and not number:
            lines.append(f"{words['endpoint']} {_identifier(party.endpoint)}")
        return {"name": party.name or party.trading_name or "", "lines": [line for line in lines if line]}

    def blocks(self) -> list[dict[str, Any]]:
        """Below the buyer: delivery, payee and tax representative, where there are any."""
        invoice, found = self.invoice, []
        if invoice.delivery:
            delivery = invoice.delivery
            place = _identifier(delivery.location_id) if delivery.location_id else ""
            lines = [self.day(delivery.day), delivery.name or "", place, *_address(delivery.address)]
            found.append((self.words["delivery"], lines))
        if invoice.payee:
            legal = _identifier(invoice.payee.legal_id) if invoice.payee.legal_id else ""
            found.append((self.words["payee"], [invoice.payee.name or "", legal]))
        if invoice.tax_representative:
            agent = invoice.tax_representative
            lines = [agent.name or "", *_address(agent.address), agent.vat_number or ""]
            found.append((self.words["tax_representative"], lines))
        return [{"label": label, "lines": [line for line in lines if line]} for label, lines in found]

    def facts(self) -> Rows:
        """Numbers, dates and references; what matters most comes first and bold."""
        invoice, words = self.invoice, self.words
        preceding = ", ".join(
            f"{ref.number} ({self.day(ref.issue_date)})" if ref.issue_date else ref.number
            for ref in invoice.preceding_invoices
            if ref.number
        )
        period = invoice.period
        rows = [
            ("number", invoice.number),
            ("issue_date", self.day(invoice.issue_date)),
            ("due_date", self.day(invoice.due_date)),
            ("preceding", preceding),
            ("tax_point", self.day(invoice.tax_point_date)),
            ("period", self.days(period.start, period.end) if period else ""),
            ("customer_id", invoice.customer_id),
            ("buyer_reference", invoice.buyer_reference),
            ("order", invoice.order_reference),
            ("sales_order", invoice.sales_order_reference),
            ("contract", invoice.contract_reference),
            ("project", invoice.project_reference),
            ("despatch", invoice.despatch_reference),
            ("receipt", invoice.receipt_reference),
            ("tender", invoice.tender_reference),
            ("object", _identifier(invoice.invoiced_object) if invoice.invoiced_object else ""),
            ("accounting_cost", invoice.accounting_cost),
            ("currency", invoice.currency),
            ("terms", invoice.payment_terms),
        ]
        bold = {"number", "due_date"}
        return [[words[name], value, *(["bold"] if name in bold else [])] for name, value in rows if value]

    def line(self, line: Line) -> dict[str, Any]:
        """One line with everything it says."""
        words = self.words
        more: list[str] = [text for text in (line.description, line.note) if text]
        if line.seller_item_id or line.standard_item_id:
            standard = _identifier(line.standard_item_id) if line.standard_item_id else None
            more.append(f"{words['item_number']} {', '.join(i for i in (line.seller_item_id, standard) if i)}")
        more.extend(f"{item.name}: {item.value}" for item in line.attributes)
        if line.period:
            more.append(f"{words['period']} {self.days(line.period.start, line.period.end)}")
        if line.order_line:
            more.append(f"{words['order_line']} {line.order_line}")
        if line.accounting_cost:
            more.append(f"{words['accounting_cost']} {line.accounting_cost}")
        if line.object_id:
            more.append(f"{words['object']} {_identifier(line.object_id)}")
        if line.price_discount and line.gross_price is not None:
            more.append(f"{words['gross_price']} {self.number(line.gross_price, self.decimals)}")
        more.extend(self.reduction(item) for item in line.allowances_charges)
        named = unit(line.unit_code, self.language)
        price = "" if line.price is None else self.number(line.price, self.decimals)
        if line.base_quantity not in (None, Decimal(1)) and price:
            base = self.number(line.base_quantity or Decimal(1))
            price += f" {words['per']} {base}{NBSP}{unit(line.base_quantity_unit or line.unit_code, self.language)}"
        return {
            "id": line.id,
            "name": line.name or "",
            "more": more,
            "quantity": "" if line.quantity is None else f"{self.number(line.quantity)}{NBSP}{named}".rstrip(),
            "price": price,
            "vat": self.rate(line.vat_rate) or (line.vat_category or ""),
            "amount": self.amount(line.net),
        }

    def reduction(self, item: AllowanceCharge) -> str:
        """An allowance or charge in words, with its sign."""
        what = self.words["charge" if item.is_charge else "allowance"]
        percent = f" {self.rate(item.percent)}" if item.percent is not None else ""
        reason = f", {item.reason}" if item.reason else ""
        return f"{what}{percent}{reason}: {self.amount(item.signed_amount)}"

    def document_level(self, item: AllowanceCharge) -> dict[str, Any]:
        """An allowance or charge on the document stands as a line of its own."""
        what = self.words["charge" if item.is_charge else "allowance"]
        percent = f" {self.rate(item.percent)}" if item.percent is not None else ""
        return {
            "id": "",
            "name": item.reason or what,
            "more": [f"{what}{percent}"] if item.reason or percent else [],
            "quantity": "",
            "price": "",
            "vat": self.rate(item.vat_rate) or (item.vat_category or ""),
            "amount": self.amount(item.signed_amount),
        }

    def group(self, group: VatBreakdown) -> dict[str, str]:
        """A row of the VAT table."""
        named = self.words.get(group.category or "", group.category or "")
        return {
            "what": f"{named} {self.rate(group.rate)}".rstrip(),
            "why": group.exemption_reason or group.exemption_code or "",
            "basis": self.amount(group.taxable_amount),
            "amount": self.amount(group.tax_amount),
        }

    def totals(self) -> Rows:
        """The sums above the amount to pay, those that are stated."""
        stated, words = self.invoice.totals, self.words
        if stated is None:
            return []
        names = ("line_total", "allowance_total", "charge_total", "tax_exclusive", "tax", "tax_inclusive")
        values = [(words[name], getattr(stated, name)) for name in names]
        if stated.prepaid:
            values.append((words["prepaid"], -stated.prepaid))
        if stated.rounding:
            values.append((words["rounding"], stated.rounding))
        rows = [[label, self.amount(value)] for label, value in values if value is not None]
        if stated.tax_in_accounting_currency is not None:
            label = f"{words['tax_accounting']} {self.invoice.tax_currency or ''}".rstrip()
            rows.append([label, self.number(stated.tax_in_accounting_currency, 2)])
        return rows

    def payment(self) -> Rows:
        """How to pay: account, KID, due date and the amount once more."""
        invoice, words = self.invoice, self.words
        rows: Rows = []
        for means in invoice.payment_means:
            rows.extend(row for row in self.means(means) if row not in rows)
        if rows and invoice.due_date:
            rows.append([words["due_date"], self.day(invoice.due_date)])
        if rows and invoice.totals:
            rows.append([words["amount"], f"{self.amount(invoice.totals.payable)}{NBSP}{invoice.currency}"])
        return rows

    def means(self, means: PaymentMeans) -> Rows:
        """One way to pay."""
        words, rows = self.words, []
        if means.account:
            account = means.account
            plain = kontonr.format(account.id) if kontonr.is_valid(account.id) else account.id
            rows.append([words["account"], plain])
            if account.name:
                rows.append([words["account_name"], account.name])
            if account.bic:
                rows.append([words["bic"], account.bic])
        if means.payment_id:
            rows.append([words["kid" if means.kid else "reference"], means.payment_id])
        if means.card:
            rows.append([words["card"], means.card.number])
        if means.mandate:
            if means.mandate.reference:
                rows.append([words["mandate"], means.mandate.reference])
            if means.mandate.account:
                rows.append([words["debited"], means.mandate.account])
        return rows

    def attachments(self, items: Iterable[Attachment]) -> list[dict[str, Any]]:
        """What came with the document, named; links are shown as text."""
        lines = []
        for item in items:
            where = item.embedded.filename if item.embedded else item.link
            lines.append(" – ".join(text for text in (item.id, item.description, where) if text))
        return [{"label": self.words["attachments"], "lines": lines}] if lines else []


def _address(address: Address | None) -> list[str]:
    if address is None:
        return []
    town = " ".join(item for item in (address.postal_code, address.city) if item)
    lines = (address.street, address.additional_street, address.line, town, address.region, address.country)
    return [line for line in lines if line]


def _identifier(identifier: Identifier) -> str:
    return f"{identifier.value} ({identifier.scheme})" if identifier.scheme else str(identifier.value)
