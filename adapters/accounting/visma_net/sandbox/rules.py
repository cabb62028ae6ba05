"""How a company's Visma Net behaves, as tests want it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RELEASES = ("queued", "done", "stuck", "failed", "background", "background-400", "background-gone")


@dataclass(slots=True)
class Rules:
    """What can be chosen; where Visma does not say what happens, the default is what is harder for a caller.

    Args:
        release: what a release does. `done`: at once; `queued`: the answer says so, and `queue` later calls see it as a
            draft; `stuck`: it stays queued for ever; `failed`: the answer (200) says so; `background`: a job (202) that
            releases it; `background-400`: a job that is finished, with a failure inside; `background-gone`: a job that
            nobody knows afterwards.
        queue: see `release`.
        most: rows of the longest page.
        rounding: VAT rounded per code over the document, or line by line.
        whole_kroner: whether what is to be paid is rounded to whole kroner.
        faults_as: status of business faults.
        manual_numbers: whether number series of invoices take numbers of others.
        draft_amount: `amount` of a draft, where totals are not validated on entry: `absent`, `nothing`, or `stated`.
        plain_etags: whether `If-Match` is heeded in plain calls on customers.
    """

    release: str = "queued"
    queue: int = 1
    most: int = 100
    rounding: Literal["document", "line"] = "document"
    whole_kroner: bool = False
    faults_as: int = 400
    plain_etags: bool = False
    manual_numbers: bool = False
    draft_amount: Literal["absent", "nothing", "stated"] = "absent"
