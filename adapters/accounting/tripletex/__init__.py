"""Tripletex."""
