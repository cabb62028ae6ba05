"""The words on the page, in bokmål and English."""

from __future__ import annotations

from typing import Literal

Language = Literal["nb", "en"]

LABELS: dict[str, tuple[str, str]] = {
    "invoice": ("Faktura", "Invoice"),
    "credit_note": ("Kreditnota", "Credit note"),
    "self_billed": ("utstedt av kjøper (selvfakturering)", "issued by the buyer (self-billing)"),
    "draft": ("utkast uten nummer", "draft without number"),
    "buyer": ("Kjøper", "Buyer"),
    "payee": ("Betalingsmottaker", "Payee"),
    "tax_representative": ("Avgiftsrepresentant", "Tax representative"),
    "delivery": ("Levert", "Delivered"),
    "number": ("Nummer", "Number"),
    "issue_date": ("Dato", "Date"),
    "due_date": ("Forfall", "Due date"),
    "tax_point": ("Avgiftstidspunkt", "VAT point date"),
    "period": ("Periode", "Period"),
    "buyer_reference": ("Deres referanse", "Your reference"),
    "seller_contact": ("Vår kontakt", "Our contact"),
    "order": ("Bestilling", "Purchase order"),
    "sales_order": ("Ordre", "Sales order"),
    "contract": ("Kontrakt", "Contract"),
    "project": ("Prosjekt", "Project"),
    "despatch": ("Pakkseddel", "Despatch advice"),
    "receipt": ("Mottaksbekreftelse", "Receiving advice"),
    "tender": ("Anbud", "Tender"),
    "object": ("Gjelder", "Concerns"),
    "accounting_cost": ("Kontering", "Accounting reference"),
    "customer_id": ("Kundenummer", "Customer number"),
    "currency": ("Valuta", "Currency"),
    "preceding": ("Gjelder faktura", "Refers to invoice"),
    "terms": ("Betalingsvilkår", "Payment terms"),
    "line": ("Nr", "No"),
    "item": ("Vare eller tjeneste", "Item"),
    "quantity": ("Antall", "Quantity"),
    "price": ("Pris", "Price"),
    "vat": ("Mva", "VAT"),
    "amount": ("Beløp", "Amount"),
    "per": ("per", "per"),
    "item_number": ("Varenr", "Item no"),
    "gross_price": ("Før rabatt", "Before discount"),
    "allowance": ("Rabatt", "Discount"),
    "charge": ("Gebyr", "Charge"),
    "order_line": ("Bestillingslinje", "Order line"),
    "vat_rate": ("Merverdiavgift", "VAT"),
    "basis": ("Grunnlag", "Basis"),
    "vat_amount": ("Avgift", "VAT amount"),
    "line_total": ("Sum linjer", "Sum of lines"),
    "allowance_total": ("Rabatter", "Discounts"),
    "charge_total": ("Gebyrer", "Charges"),
    "tax_exclusive": ("Sum uten mva", "Total without VAT"),
    "tax": ("Merverdiavgift", "VAT"),
    "tax_accounting": ("Merverdiavgift i", "VAT in"),
    "tax_inclusive": ("Sum med mva", "Total with VAT"),
    "prepaid": ("Betalt på forhånd", "Paid in advance"),
    "rounding": ("Øreavrunding", "Rounding"),
    "payable": ("Å betale", "To pay"),
    "credited": ("Til gode", "Credited"),
    "payment": ("Betaling", "Payment"),
    "account": ("Til konto", "To account"),
    "account_name": ("Kontoeier", "Account holder"),
    "bic": ("BIC", "BIC"),
    "kid": ("KID", "Payment reference"),
    "reference": ("Betalingsreferanse", "Payment reference"),
    "card": ("Betalt med kort", "Paid by card"),
    "mandate": ("Avtale om trekk", "Direct debit mandate"),
    "debited": ("Trekkes fra konto", "Debited account"),
    "attachments": ("Vedlegg", "Attachments"),
    "organisation": ("Org.nr.", "Org. no."),
    "vat_number": ("Mva-nr.", "VAT no."),
    "endpoint": ("Elektronisk adresse", "Electronic address"),
    "phone": ("Tlf.", "Phone"),
    "page": ("Side", "Page"),
    "footer": (
        "Lesbar gjengivelse av et elektronisk dokument (EHF). Det elektroniske dokumentet er originalen.",
        "Readable rendering of an electronic document (EHF). The electronic document is the original.",
    ),
    "S": ("Avgiftspliktig", "Standard rate"),
    "Z": ("Nullsats (fritatt)", "Zero rated"),
    "E": ("Unntatt", "Exempt"),
    "AE": ("Omvendt avgiftsplikt", "Reverse charge"),
    "K": ("Innen EØS", "Intra-community supply"),
    "G": ("Eksport", "Export"),
    "O": ("Utenfor avgiftsområdet", "Outside the scope of VAT"),
    "L": ("Kanariøyene (IGIC)", "Canary Islands (IGIC)"),
    "M": ("Ceuta og Melilla (IPSI)", "Ceuta and Melilla (IPSI)"),
    "B": ("Delt betaling", "Split payment"),
}

UNITS: dict[str, tuple[str, str]] = {
    "C62": ("stk", "pcs"),
    "EA": ("stk", "pcs"),
    "H87": ("stk", "pcs"),
    "NAR": ("stk", "pcs"),
    "HUR": ("timer", "hours"),
    "MIN": ("min", "min"),
    "DAY": ("dager", "days"),
    "WEE": ("uker", "weeks"),
    "MON": ("mnd", "months"),
    "ANN": ("år", "years"),
    "KGM": ("kg", "kg"),
    "GRM": ("g", "g"),
    "TNE": ("tonn", "tonnes"),
    "LTR": ("l", "l"),
    "MTR": ("m", "m"),
    "KMT": ("km", "km"),
    "MTK": ("m²", "m²"),
    "MTQ": ("m³", "m³"),
    "KWH": ("kWh", "kWh"),
    "SET": ("sett", "sets"),
    "PK": ("pk", "packs"),
    "XPK": ("pk", "packs"),
}
"""Units of UN/ECE recommendation 20 and 21 that people know by another name; others are shown by their code."""


def labels(language: Language) -> dict[str, str]:
    """All words in one language."""
    column = 0 if language == "nb" else 1
    return {name: pair[column] for name, pair in LABELS.items()}


def unit(code: str | None, language: Language) -> str:
    """What people call a unit."""
    pair = UNITS.get(code or "")
    return pair[0 if language == "nb" else 1] if pair else code or ""
