"""What has to be arranged before a company's connection to Storecove can work."""

from __future__ import annotations

from collections.abc import Sequence

from connector.ports import Formality

FORMALITIES: Sequence[Formality] = (
    Formality(
        "account",
        "We have an account at Storecove",
        "whoever runs this service",
        "Ask Storecove for an account (a sandbox first: thirty days) and make an API key in it; it goes into the secret"
        " `api_key`.",
        "days",
        proved=True,
    ),
    Formality(
        "legal-entity",
        "The company is a LegalEntity there",
        "whoever runs this service, with the customer's consent",
        "Make a LegalEntity for the company (Storecove verifies who it is) and give it the Peppol identifier NO:ORG"
        " with its organisation number. Its id goes into the setting `legal_entity`.",
        "days",
        proved=True,
    ),
    Formality(
        "queue",
        "What happens is laid into the queue",
        "whoever runs this service, at Storecove",
        "Set the webhooks for received documents and for document submissions to pull. What came, and what could not be"
        " sent, is told there and nowhere else.",
        "minutes",
    ),
    Formality(
        "own-key",
        "Nobody else reads the queue",
        "whoever runs this service",
        "The queue is one for the whole account, and shows what is behind the first event only when that one is taken"
        " away. Give each company an account of its own; or give each LegalEntity a tenant id, and each connection its"
        " own in the setting `tenant_id`. No other program may take from it.",
        "an hour",
    ),
    Formality(
        "rewriting",
        "It is known that Storecove writes the document anew",
        "the customer or the accountant",
        "Storecove reads the invoice and sends one that it writes from it: the receiver has the same content, not the"
        " same bytes. Who needs the very bytes asks Storecove to have documents sent as they are (setting `parse:"
        " false`), or takes another access point.",
        "a day",
    ),
    Formality(
        "receiving",
        "The company receives through Storecove",
        "the customer",
        "Only where incoming invoices shall come through this connection: a company has one access point for receiving,"
        " so take it out of ELMA at the old one before Storecove registers it.",
        "a day",
    ),
)
"""In the order they are done."""
