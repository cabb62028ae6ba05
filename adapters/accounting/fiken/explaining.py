"""Why Fiken refused: its errors are a status and a text, so what could be the reason is read, and never guessed.

Only of closed periods nothing can be read. Words that Fiken uses of them make a refusal that no reading explains one of
those; its whole text stands beside it either way.
"""

from __future__ import annotations

import re
from typing import Any

from adapters.accounting.fiken.client import Client
from adapters.accounting.fiken.lookups import Lookups
from adapters.accounting.fiken.records import Row
from connector.errors import Refused, Stop

_CLOSED = re.compile(r"\b(låst|lukket|avsluttet regnskap|mva-(oppgave|melding)|locked|closed)\b", re.IGNORECASE)


class Explaining:
    """Reads what tells why."""

    def __init__(self, client: Client, lookups: Lookups) -> None:
        self._client = client
        self._lookups = lookups

    async def of(self, refused: Refused, record: Row) -> Refused:
        """The refusal (of a 400) as what it turns out to be: the contact, the project, an account, a closed period.

        Args:
            record: what was sent, in the shape of the wire models.
        """
        if refused.code != "vendor-validation":
            return refused
        for role in ("customer", "supplier"):
            contact = (record.get(role) or {}).get("contactId")
            if contact is None:
                continue
            there = await self._client.find(f"/contacts/{contact}")
            if there is None or there.get("inactive"):
                return _told(
                    refused,
                    f"{role}-inactive",
                    f"The {role} is " + ("deactivated in Fiken." if there else "not in Fiken any more."),
                    f"Make the {role} active in Fiken and try again.",
                )
        project = (record.get("project") or {}).get("projectId")
        if project is not None:
            there = await self._client.find(f"/projects/{project}")
            if there is None or there.get("completed"):
                return _told(
                    refused,
                    "project-inactive",
                    "The project is completed in Fiken, or is not there any more.",
                    "Open it in Fiken and try again, or use another.",
                )
        self._lookups.forget()
        try:
            if record.get("account") or record.get("bankAccountNumber"):
                await self._lookups.payment_code(record.get("account"), record.get("bankAccountNumber"))
            for place, line in enumerate(record.get("lines") or ()):
                code = line.get("incomeAccount") or line.get("account")
                await self._lookups.open_account(str(code), f"lines[{place}].incomeAccount")
        except Stop as stop:
            return _told(refused, stop.code, stop.said, stop.do)
        if _CLOSED.search(refused.said_by_vendor or ""):
            return _told(
                refused,
                "period-closed",
                "Fiken's books are closed on this date.",
                "Open the period in Fiken and retry, or cancel this and date the document otherwise where it is made."
                " It is never dated otherwise here.",
            )
        return refused


def _told(refused: Refused, code: str, said: str, do: str) -> Refused:
    more: dict[str, Any] = {
        "status": refused.status,
        "said_by_vendor": refused.said_by_vendor,
        "where": refused.where,
        "details": refused.details,
    }
    return Refused(said, code=code, do=do, **more)
