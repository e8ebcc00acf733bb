"""Trying rules on what was recorded: when each would have fired, how early, and how long for nothing."""
