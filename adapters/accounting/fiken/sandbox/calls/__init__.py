"""The calls, by what they are about; importing this enters them all into `routing.route`."""

from __future__ import annotations

from adapters.accounting.fiken.sandbox.calls import credit_notes, files, invoices, journal, purchases, registers, sales

__all__ = ["credit_notes", "files", "invoices", "journal", "purchases", "registers", "sales"]
