"""Everything that can be known before a document is numbered or sent, in one report of all problems of all documents.

    preflight = Preflight(spokes, tenant, route, targets)
    for posted in …:
        checked = await store.read(partial(preflight.check, posted=posted))     # nothing is written

The judgements are those of the rooms below, asked without doing anything: the reader of what is posted, the official
EHF rules, the bookkeeping rules, every target's mapping, and what its ledger takes (`connector.options`). Each problem
says what is wrong in Norwegian and English, and which field of the *source* is to be mended.
"""

from connector.preflight.judging import Preflight, Target
from connector.preflight.posted import Posted, read_posted
from connector.preflight.report import Checked, Problem

__all__ = ["Checked", "Posted", "Preflight", "Problem", "Target", "read_posted"]
