"""Rules: pure functions from a window to findings, one module per family."""
