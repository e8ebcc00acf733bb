"""Conditions: pure functions from a look at an endpoint to one statement with its number, by family."""
