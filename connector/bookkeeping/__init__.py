"""What Norwegian bookkeeping rules ask of a sales document beyond Peppol: the layer `NO-BOK-*`.

    findings = judge(invoice, draft=False)
    findings = gaps(numbers, is_taken)                  # over many documents

Rules of our own, never a part of the official verdict (`connector.ehf.validate`): each is a pure function over the
model (`rules`), with its paragraph and its words in Norwegian and English (`texts.toml`) and, where figures change by
year, a dated table (`rates.toml`). They advise; nobody is a lawyer here.
"""

from connector.bookkeeping.finding import Finding, catalogue
from connector.bookkeeping.rules import judge
from connector.bookkeeping.series import gaps

__all__ = ["Finding", "catalogue", "gaps", "judge"]
