"""What has to be arranged before a company's connection to Fiken can work."""

from __future__ import annotations

from collections.abc import Sequence

from connector.ports import Formality

FORMALITIES: Sequence[Formality] = (
    Formality(
        "api-module",
        "The company has Fiken's API module",
        "the customer, in Fiken",
        "Order the API module for the company in Fiken (Foretak, Tilleggstjenester); it costs 99 kr a month. A demo"
        " company has it without.",
        "minutes",
        proved=True,
    ),
    Formality(
        "access",
        "The connection may call Fiken for the company",
        "the customer, in Fiken",
        "For a company's own integration: make a personal token in Fiken (Rediger konto, API) and keep it by"
        " `connector connections secret`. A product for many companies signs in instead: Fiken's terms keep personal"
        " tokens for a company's own use.",
        "minutes",
        proved=True,
    ),
    Formality(
        "one-user",
        "The user calls Fiken for this service only",
        "the customer",
        "Fiken takes one call at a time for each user and bans users who call in parallel. See that no other program"
        " uses the same user's token; a user of its own is best.",
        "minutes",
    ),
    Formality(
        "invoice-series",
        "Fiken can invoice: a bank account with a number, and the series of invoice numbers",
        "the customer or the accountant",
        "Register the bank account that invoices ask to be paid to, and make the first invoice in Fiken, or set where"
        " its series of numbers begins.",
        "minutes",
    ),
    Formality(
        "own-sending",
        "What Fiken sends by itself is known",
        "the accountant",
        "See whether reminders or invoices are sent from Fiken, and switch off what the routes give to somebody else"
        " (sends, reminds).",
        "an hour",
    ),
)
"""In the order they are done."""
