"""Accounting systems."""
