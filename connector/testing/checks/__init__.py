"""What the kit holds an adapter to: one module for each promise."""
