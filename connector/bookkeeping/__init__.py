"""Norwegian bookkeeping rules."""
