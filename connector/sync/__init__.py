"""Keep systems alike: read what changed, decide what it means, and say what the world should be told."""
