"""Widgets: they draw lines and pass on keys. No clock, no history, no look at a neighbour."""
