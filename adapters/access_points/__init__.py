"""Access points: one folder each, and `sandbox`, what their stand-ins share."""
