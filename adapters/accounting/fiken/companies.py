"""Whose books these are, and what the user reaches."""

from __future__ import annotations

import asyncio

from adapters.accounting.fiken.client import Client, Row
from connector.errors import NeedsPerson
from connector.ports import Company, Probe


class Companies:
    """The companies of a user.

    Args:
        slug: the one that is meant; empty: the only one there is.
        user: e-mail address of the user that is meant; empty: whoever it is.
    """

    def __init__(self, slug: str, user: str) -> None:
        self._slug = slug
        self._user = user
        self._lock = asyncio.Lock()
        self.client: Client
        """Set once the client is made, which asks here for the slug."""

    async def slug(self) -> str:
        """The slug for paths. Raises `NeedsPerson` ("company-unclear")."""
        async with self._lock:
            if not self._slug:
                rows = await self.client.companies()
                if len(rows) != 1:
                    raise NeedsPerson(
                        f"This sign-in reaches {len(rows)} companies in Fiken.",
                        code="company-unclear",
                        do="Name the company by its slug: `company` in the connection's settings."
                        if rows
                        else "Give the user access to the company in Fiken, and tick it when signing in.",
                        details={"companies": [{"company": row["slug"], "name": row.get("name")} for row in rows]},
                    )
                self._slug = str(rows[0]["slug"])
        return self._slug

    async def own(self) -> Company:
        """Whose books these are."""
        return _company(await self.client.get(""))

    async def row(self) -> Row:
        """The company as Fiken shows it."""
        return await self.client.get("")

    async def probe(self) -> Probe:
        """Whose books these are, what is missing, and every company that the sign-in reaches."""
        rows = await self.client.companies()
        row = await self.row()
        missing = await self._another()
        if row.get("hasApiAccess") is False:
            missing.append("The API module (99 kr a month), switched on in Fiken.")
        return Probe(
            str(row.get("name")),
            row.get("organizationNumber"),
            missing=missing,
            needs=("Access to the company, as a user who may book and invoice", "The API module"),
            reaches=[_company(one) for one in rows] if len(rows) > 1 else [],
        )

    async def _another(self) -> list[str]:
        """What is to be said where another user has signed in than the settings say: the lane would be wrong."""
        if not self._user:
            return []
        there = (await self.client.about_all("GET", "/user")).json()
        email = str(there.get("email") if isinstance(there, dict) else "")
        if email.casefold() == self._user.casefold():
            return []
        return [f"A sign-in as {self._user} (`user` in the settings): {email} has signed in."]


def _company(row: Row) -> Company:
    return Company(str(row.get("slug")), str(row.get("name")), row.get("organizationNumber"))
