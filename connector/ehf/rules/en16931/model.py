"""Required terms and pairs of terms (BR-nn)."""

from __future__ import annotations

from connector.ehf.rules.en16931.layer import layer
from connector.ehf.rules.engine import Document, Node, Plan, Values, is_blank

layer.fatal("BR-01", "BR-52", "BR-62", "BR-63")


@layer.on("cac:AdditionalDocumentReference")
def supporting_document(node: Node, plan: Plan) -> None:
    """BG-24 has a reference."""
    plan.required("BR-52", node, "cbc:ID")


@layer.on("cac:AccountingCustomerParty/cac:Party/cbc:EndpointID")
def buyer_address(node: Node, plan: Plan) -> None:
    """BT-49 has a scheme."""
    scheme, at = node.attr("schemeID"), node.i

    def check(v: Values, doc: Document) -> None:
        if v[scheme] is None:
            doc.fire("BR-63", at, value=v[at])

    plan.check(check)


@layer.document
def header(doc: Document) -> None:
    """What every invoice has."""
    if all(is_blank(text) for text in doc.texts("cbc:CustomizationID")):
        doc.fire("BR-01", doc.root)
