"""Scripts that run in a system's own environment, where srbench is not installed."""
