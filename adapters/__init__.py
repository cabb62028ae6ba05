"""Plugins: one folder a system, each found through an entry point."""
