"""Peppol BIS Self-Billing 3.0: its own rule file beside the same EN 16931 rules."""

from __future__ import annotations

from connector.ehf.rules.engine import Layer

layer = Layer("self-billing")
