"""srbench: a benchmark for audio super-resolution (bandwidth extension) whose numbers can be trusted."""

__version__ = "0.1.0"
