"""What outlives a run: incidents whole, readings, what was learnt, events, audit; and how past ones are recalled.

Whoever monitors writes without waiting and reads at its start. Nothing in here is awaited by a poll, and a store
that is away is a state to show, never a reason to stop.
"""
