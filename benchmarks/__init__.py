"""Measurements: ratios against a named peer in the same run; `python -m benchmarks` runs them all."""
