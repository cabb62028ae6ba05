"""What must be arranged before a company's connection to Visma Net can work, in the order it is done."""

from __future__ import annotations

from connector.ports import Formality

FORMALITIES = (
    Formality(
        "client",
        "Our application is approved by Visma",
        "whoever runs the connector",
        "Register a service client (its name begins with isv_) in the Visma Developer Portal with the scopes"
        " vismanet_erp_service_api:create, :read, :update and :delete, and have Visma approve it.",
        "days to weeks",
        proved=True,
    ),
    Formality(
        "company",
        "The company has connected our application",
        "the customer or the accountant",
        "Send the customer an invitation code; the customer accepts it in Visma App Store for the company. Use the"
        " tenant id of the company, not the one of the customer's contract, whose token opens nothing.",
        "minutes",
        proved=True,
    ),
    Formality(
        "own-sending",
        "What Visma Net sends by itself is known",
        "the accountant",
        "See which invoices Visma Net prints, e-mails or gives to AutoInvoice on its own, and switch off what the"
        " routes give to somebody else (sends, reminds, receives).",
        "an hour",
    ),
    Formality(
        "vat-codes",
        "The company's VAT codes are known",
        "the accountant",
        "A company in Visma Net names its VAT codes itself. Compare them with the table vat-code of the mapping"
        " (`connector mappings check --connection TENANT/NAME`) and mend the tenant's file where they differ.",
        "an hour",
    ),
)
"""In the order they are done."""
