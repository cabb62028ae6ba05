"""Notes for whoever opens an invoice: a page among the files of the document, under a name of its own.

Not in the field `note`: that is one text, which people write in, too. Attaching changes the document's ETag and nothing
else of it; whether a file goes out with the document is a mark on the file, which is not set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from adapters.accounting.visma_net import records
from adapters.accounting.visma_net.client import segment
from adapters.accounting.visma_net.files import Files
from adapters.accounting.visma_net.purchases import PATH
from connector.errors import Refused
from connector.ports import Goal, Kind, Run, Step, page_of


class Notes:
    """Flows of notes."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        _paths(goal)
        return self._files.steps(replace(goal, files=(page_of(goal),)), _read, _write)


def _read(run: Run) -> str:
    return _paths(run.goal)[0]


def _write(run: Run) -> str:
    return _paths(run.goal)[1]


def _paths(goal: Goal) -> tuple[str, str]:
    """Where the document is read, and where files of it are sent to. Raises `Refused` ("link-missing")."""
    target = goal.target or ""
    type, _, number = target.partition("/") if goal.kind is Kind.SUPPLIER_INVOICE else ("-", "", target)
    if not (type and number):
        raise Refused(f"{target!r} is no document in Visma Net.", code="link-missing", where={"field": "target"})
    if goal.kind is Kind.SUPPLIER_INVOICE:
        return f"{PATH}/{type}/{segment(number)}", f"{PATH}/documentType/{type}/{segment(number)}/attachment"
    path = f"{records.SALES[goal.kind].path}/{segment(number)}"
    return path, f"{path}/attachment"
