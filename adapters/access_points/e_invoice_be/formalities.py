"""What has to be arranged before a company's connection to e-invoice.be can work."""

from __future__ import annotations

from collections.abc import Sequence

from connector.ports import Formality

FORMALITIES: Sequence[Formality] = (
    Formality(
        "account",
        "The company has an account at e-invoice.be",
        "whoever runs this service, with the customer's consent",
        "Have an account (tenant) made for the company, with its Peppol identifier 0192:ORGNR, first in the trial"
        " environment (api-dev.e-invoice.be). Ask whether they take Norwegian companies: they work from Belgium. The"
        " account's API key goes into the secret `api_key`.",
        "days",
        proved=True,
    ),
    Formality(
        "credits",
        "There is credit for what is sent",
        "whoever pays for it",
        "Fill the account's credits up, or agree upon a plan; without credit nothing is sent.",
        "minutes",
    ),
    Formality(
        "routes",
        "Nothing is sent by e-mail beside",
        "whoever runs this service",
        "Leave e-mail off in the account. This service never gives an address along, so that documents go by Peppol or"
        " not at all.",
        "minutes",
    ),
    Formality(
        "receiving",
        "The company receives through e-invoice.be",
        "the customer",
        "Only where incoming invoices shall come through this connection: a company has one access point for receiving,"
        " so take it out of ELMA at the old one before e-invoice.be registers it.",
        "a day",
    ),
)
"""In the order they are done."""
