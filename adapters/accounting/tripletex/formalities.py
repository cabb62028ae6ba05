"""What has to be arranged before a company's connection to Tripletex can work, with lead times."""

from __future__ import annotations

from collections.abc import Sequence

from connector.ports import Formality

FORMALITIES: Sequence[Formality] = (
    Formality(
        "consumer-token",
        "Tripletex has approved the integration",
        "whoever runs this service, once for all customers",
        "Apply to Tripletex for production access; the consumer token comes with the approval. Until then use a test"
        " account (base_url https://api-test.tripletex.tech/v2): its tokens do not work in production.",
        "2 to 3 weeks at Tripletex",
        proved=True,
    ),
    Formality(
        "employee-token",
        "The customer has made a key for this integration",
        "the customer's administrator in Tripletex, or the accountant",
        "In Tripletex under API-tilgang, make a key for the integration with the rights that the test call names. It is"
        " shown once: keep it by `connector connections secret`.",
        "minutes",
        proved=True,
    ),
    Formality(
        "invoice-bank-account",
        "The company has a bank account for invoices in Tripletex",
        "the customer or the accountant",
        "Register the company's bank account number on the invoice account. Without it Tripletex makes no invoice"
        ' ("Faktura kan ikke opprettes før selskapet har registrert et bankkontonummer").',
        "minutes; days where the bank has to confirm the account",
    ),
    Formality(
        "own-sending",
        "What Tripletex sends by itself is known",
        "the accountant",
        "See which invoices, reminders and EHF Tripletex sends on its own, and switch off what the routes give to"
        " somebody else (sends, reminds, receives).",
        "an hour",
    ),
)
"""In the order they are done."""
