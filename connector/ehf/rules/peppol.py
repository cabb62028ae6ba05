"""Peppol BIS Billing 3.0: the layer, and the rules that always apply."""

from __future__ import annotations

from connector.ehf.rules.engine import Layer, Node, Plan

layer = Layer("peppol")
layer.fatal("PEPPOL-EN16931-R010", "PEPPOL-EN16931-R020")


@layer.on("cac:AccountingCustomerParty/cac:Party")
def buyer(node: Node, plan: Plan) -> None:
    """The buyer has an electronic address (BT-49)."""
    if not node.has("cbc:EndpointID"):
        plan.fires("PEPPOL-EN16931-R010", node)


@layer.on("cac:AccountingSupplierParty/cac:Party")
def seller(node: Node, plan: Plan) -> None:
    """The seller has an electronic address (BT-34)."""
    if not node.has("cbc:EndpointID"):
        plan.fires("PEPPOL-EN16931-R020", node)
