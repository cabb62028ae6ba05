"""What comes back on a document that was sent through Peppol, and what we answer on one that came.

    read(data)                  an ApplicationResponse: `InvoiceResponse` or `MessageStatus`, with the rules it breaks
    answer(invoice, "RE", …)    our `InvoiceResponse` on an incoming invoice
    write(response)             the same as UBL
    standing(responses)         of several responses on one invoice the one that holds
    in_words(response, "nb")    what it means and what to do, for people
    as_json, from_json          to keep it

No input or output: who sends it, keeps it or shows it is others' business.
"""

from connector.peppol.responses.json import as_json, from_json
from connector.peppol.responses.model import (
    About,
    Clarification,
    Condition,
    Finding,
    InvoiceResponse,
    Issue,
    MessageStatus,
)
from connector.peppol.responses.order import standing
from connector.peppol.responses.reading import read
from connector.peppol.responses.words import Words, in_words
from connector.peppol.responses.writing import answer, write

__all__ = [
    "About",
    "Clarification",
    "Condition",
    "Finding",
    "InvoiceResponse",
    "Issue",
    "MessageStatus",
    "Words",
    "answer",
    "as_json",
    "from_json",
    "in_words",
    "read",
    "standing",
    "write",
]
