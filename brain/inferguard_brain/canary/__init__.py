"""Canaries: a proposed change tried out of the way before a person takes it to an engine."""
