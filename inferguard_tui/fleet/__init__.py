"""The fleet: which columns, in what order, as pure functions."""
