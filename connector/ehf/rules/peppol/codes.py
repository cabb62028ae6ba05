"""Code lists narrower than those of EN 16931, and exemption codes that ask for their VAT category."""

from __future__ import annotations

from typing import Final

from connector.ehf.rules.engine import Document, Node, Plan, Values
from connector.ehf.rules.peppol.layers import both, own_text
from connector.ehf.rules.xpath import BreaksOff, normalize

_EXEMPTIONS: Final = {
    "VATEX-EU-G": ("G", "PEPPOL-EN16931-P0104"),
    "VATEX-EU-O": ("O", "PEPPOL-EN16931-P0105"),
    "VATEX-EU-IC": ("K", "PEPPOL-EN16931-P0106"),
    "VATEX-EU-AE": ("AE", "PEPPOL-EN16931-P0107"),
    "VATEX-EU-D": ("E", "PEPPOL-EN16931-P0108"),
    "VATEX-EU-F": ("E", "PEPPOL-EN16931-P0109"),
    "VATEX-EU-I": ("E", "PEPPOL-EN16931-P0110"),
    "VATEX-EU-J": ("E", "PEPPOL-EN16931-P0111"),
}


@both.on("cbc:EmbeddedDocumentBinaryObject")
def media_type(node: Node, plan: Plan) -> None:
    """CL001: the media type of an attachment."""
    i, place, codes = node.i, node.attr("mimeCode"), plan.codes("peppol-mime")

    def check(v: Values, doc: Document) -> None:
        doc.fire("PEPPOL-EN16931-CL001", i, value=v[place], allowed=", ".join(sorted(codes)))

    plan.unless(place, codes | {None}, check)  # without a type the rule is silent


@both.on("cac:AllowanceCharge/cbc:AllowanceChargeReasonCode")
def reason_code(node: Node, plan: Plan) -> None:
    """CL002, CL003: why an allowance or a charge."""
    i = node.i
    indicators = node.parent.places("cbc:ChargeIndicator") if node.parent else ()
    only = indicators[0] if len(indicators) == 1 else None
    allowances, charges = plan.codes("peppol-allowance-reason"), plan.codes("peppol-charge-reason")
    fine = {("false", code) for code in allowances} | {("true", code) for code in charges}

    def check(v: Values, doc: Document) -> None:
        if only is not None and doc.typed and not doc.parted and (v[only], v[i]) in fine:
            return
        kinds = (v[only],) if only is not None else [v[k] for k in indicators]
        if "false" in kinds:
            codes, rule = allowances, "PEPPOL-EN16931-CL002"
        elif "true" in kinds:
            codes, rule = charges, "PEPPOL-EN16931-CL003"
        else:
            return
        code = own_text(v[i], i, doc)
        if code not in codes and normalize(code or "") not in codes:
            doc.fire(rule, i, value=code)

    plan.check(check)


@both.on("cac:InvoicePeriod/cbc:DescriptionCode")
def period_code(node: Node, plan: Plan) -> None:
    """CL006: from which day VAT counts (BT-8)."""
    i, codes = node.i, plan.codes("peppol-period")

    def check(v: Values, doc: Document) -> None:
        if normalize(own_text(v[i], i, doc) or "") not in codes:
            doc.fire("PEPPOL-EN16931-CL006", i, value=v[i], allowed=", ".join(sorted(codes)))

    plan.check(check)


@both.on("cac:TaxCategory")
def exemption(node: Node, plan: Plan) -> None:
    """P0104 to P0111: an exemption code of the VAT directive and its VAT category."""
    reasons, categories = node.places("cbc:TaxExemptionReasonCode"), node.places("cbc:ID")
    if len(reasons) != 1:
        return
    at, reason = node.i, reasons[0]

    def check(v: Values, doc: Document) -> None:
        wanted = _EXEMPTIONS.get((v[reason] or "").upper())
        if wanted is None:
            return
        if len(categories) > 1:
            raise BreaksOff("several cbc:ID in one VAT category")
        category = normalize(v[categories[0]] or "") if categories else ""
        if category != wanted[0]:
            doc.fire(wanted[1], at, value=category or None, allowed=wanted[0])

    plan.check(check)
