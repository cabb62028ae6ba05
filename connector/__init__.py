"""Integration middleware for Norwegian invoices: invoicing systems, ledgers and receivers kept alike."""

__version__ = "0.1.0"
