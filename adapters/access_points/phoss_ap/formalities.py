"""What has to be arranged before a company's connection to phoss-ap can work."""

from __future__ import annotations

from collections.abc import Sequence

from connector.ports import Formality

FORMALITIES: Sequence[Formality] = (
    Formality(
        "peppol-membership",
        "Whoever runs phoss-ap is a certified Peppol service provider",
        "the operator of the access point",
        "Join OpenPeppol, sign the agreement with the Norwegian authority (DFØ), pass the onboarding tests and put the"
        " certificate in. In the test network a test certificate is enough.",
        "weeks",
    ),
    Formality(
        "token",
        "The connection may call phoss-ap",
        "the operator of the access point",
        "Set phase4.api.requiredtoken in phoss-ap and keep the same value as the connection's secret `token`. Without"
        " it anybody who reaches the server can send.",
        "minutes",
        proved=True,
    ),
    Formality(
        "registration",
        "The company is registered in ELMA to receive through this access point",
        "the operator of the access point",
        "Register the company's organisation number (0192:…) with its document types in an SMP that names this access"
        " point as the endpoint, after the company's power of attorney.",
        "days",
    ),
    Formality(
        "forwarding",
        "What comes is handed over to this service",
        "the operator of the access point",
        "In phoss-ap set forwarding.mode=http_post_sync, forwarding.http.endpoint to the address that `connector"
        " connections test` shows for this connection, and a fixed header with the connection's hook_secret"
        " (forwarding.http.headers.1.name and .value).",
        "minutes",
    ),
    Formality(
        "mls",
        "It is known whether message level status comes back",
        "the operator of the access point",
        "See that phoss-ap's own service provider id (0242:…) is registered for MLS: without it `delivered` and"
        " `refused` never come, and `sent` is the last that is known.",
        "an hour",
    ),
)
"""In the order they are done."""
