"""Incidents told to whoever wakes people: once when one begins, when it grows, and when it is over."""
