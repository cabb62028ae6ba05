"""What has to be arranged before a company's connection to Maventa can work."""

from __future__ import annotations

from collections.abc import Sequence

from connector.ports import Formality

FORMALITIES: Sequence[Formality] = (
    Formality(
        "partner",
        "We are a partner of Maventa",
        "whoever runs this service",
        "Ask Maventa (integrations@maventa.com) for a partner account; its vendor API key (Software API keys) goes into"
        " the secret `vendor_api_key`. The test environment comes first and has keys of its own.",
        "days",
        proved=True,
    ),
    Formality(
        "account",
        "The company has an account in Maventa",
        "the customer or the accountant",
        "Make the company in Maventa, or find it where AutoInvoice came with an accounting system. Its UUID goes into"
        " the setting `company`, the API key of one of its users into the secret `api_key`. One that another program"
        " uses, too, is known by its number series: see that each invoice is sent by one of them only.",
        "an hour",
        proved=True,
    ),
    Formality(
        "identity",
        "The company's identity is verified",
        "somebody who may sign for the company",
        "Sign the authorisation that Maventa sends by e-mail (with BankID). Before that everything is refused as"
        " unauthorised.",
        "days",
        proved=True,
    ),
    Formality(
        "routes",
        "Nothing is sent on paper or by e-mail instead",
        "the customer, in Maventa",
        "Switch printing and e-mail off in the company's settings for sending (Utsending). This service says so with"
        " each document, too.",
        "minutes",
    ),
    Formality(
        "receiving",
        "The company receives through Maventa",
        "the customer",
        "Only where incoming invoices shall come through this connection: switch receiving on in Maventa, with Peppol,"
        " so that it registers the company in ELMA. A company has one access point for receiving: take it out at the"
        " old one first.",
        "a day",
    ),
    Formality(
        "responses",
        "The company receives the buyers' answers",
        "the customer, or Maventa's support",
        "Have the company registered for Invoice Response in Peppol; without it no buyer can answer.",
        "a day",
    ),
)
"""In the order they are done."""
